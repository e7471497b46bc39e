"""Where iterations start: a rough fit of each family to a pilot sample."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import rough_sufficient
from suffice.inference.closed_form import has_sufficient, not_inside
from suffice.inference.likelihood import QUICKLY_COMPILED, expansion
from suffice.inference.observations import Observations
from suffice.numerics.checks import is_traced
from suffice.runtime.blocks import Block, blocks
from suffice.runtime.errors import DataError

_ORIGINS = 25


def starting_points(families: Sequence[Family], data: Observations) -> list[Distribution | DataError]:
    """A member of each family near its maximum of the likelihood, or why there is none.

    Families with a statistic of fixed size share one compiled call.
    """
    pilots = [data.pilot(f.member.sample_space) for f in families]
    by_statistic = [i for i, f in enumerate(families) if has_sufficient(f)]
    rough = _rough_estimates([families[i].member for i in by_statistic], [_block(*pilots[i]) for i in by_statistic])
    estimates = dict(zip(by_statistic, rough, strict=True))
    return [
        f.with_values(estimates[i]) if i in estimates else _starting_point(f, *pilots[i], data)
        for i, f in enumerate(families)
    ]


@partial(jax.jit, compiler_options=QUICKLY_COMPILED)
def _rough_estimates(members: list[Any], data: list[Block]) -> list[dict[str, jax.Array]]:
    return [p._estimate(rough_sufficient(p, block)) for p, block in zip(members, data, strict=True)]


def _block(x: np.ndarray, w: np.ndarray) -> Block:
    (block,) = blocks((x,), w)
    return block


def _starting_point(family: Family, x: np.ndarray, w: np.ndarray, data: Observations) -> Distribution | DataError:
    if isinstance(family.member, Affine):
        return _with_origin(family, x, w, data.survey.summary.minimum)
    if np.ptp(x) == 0.0:  # the pilot is constant though the data are not
        summary = data.survey.summary
        x, w = np.array([summary.minimum, x[0], summary.maximum]), np.ones(3)
    with np.errstate(all="ignore"):
        p = family.with_values(rough(family.member, x, w))
    return p if np.all(np.asarray(p._valid())) else DataError(not_inside(family, p))


def rough(member: Any, x: Any, w: Any) -> dict[str, Any]:
    """Rough estimates of a member's parameters, or of those of the distribution inside it, by name."""
    if own(member, "_start") is not None:
        return member._start(x, w)
    if own(member, "_estimate") is not None:
        if is_traced(x, w):
            return member._estimate(rough_sufficient(member, Block((x,), w)))
        return _rough_estimates([member], [_block(x, w)])[0]
    beside = own(member, "_start_beside")
    return rough(member.base, x, w) | ({} if beside is None else beside(x, w))


def _with_origin(family: Family, x: np.ndarray, w: np.ndarray, smallest: float) -> Distribution:
    """The best of a row of origins below the smallest observation, with a rough fit of the rest at each.

    The profile of the likelihood may rise without bound as the origin nears the smallest observation; the first rise
    on the other side of a valley is taken, so that Newton's method finds the local maximum there.
    """
    thinned = slice(None, None, -(-len(x) // 1024))
    x, w = x[thinned], w[thinned]
    base = family.member.base
    candidates, values = [], []
    for gap in np.geomspace(1e-3, 30.0, _ORIGINS) * (np.quantile(x, 0.9) - smallest):
        origin = smallest - gap
        p = family.with_values({**rough(base, x - origin, w), "loc": origin})
        candidates.append(p)
        values.append(float(expansion(family, family.vector(p, np), [_block(x, w)]).log_likelihood))
    found: Any = np.nan_to_num(np.asarray(values), nan=-np.inf)
    inner = [i for i in range(1, _ORIGINS - 1) if found[i] >= found[i - 1] and found[i] >= found[i + 1]]
    return candidates[max(inner, key=lambda i: found[i]) if inner else int(np.argmax(found[1:])) + 1]
