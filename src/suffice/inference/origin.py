"""Where to start when the origin of a family of positive values is free."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import rough_sufficient
from suffice.inference.likelihood import expansion
from suffice.runtime.blocks import blocks

_STEPS = 25


def starting_point(family: Family, x: np.ndarray, w: np.ndarray, smallest: float) -> Distribution:
    """The best of a row of origins below the smallest observation, with a rough fit of the rest at each.

    The profile of the likelihood may rise without bound as the origin nears the smallest observation; the first rise
    on the other side of a valley is taken, so that Newton's method finds the local maximum there.
    """
    thinned = slice(None, None, -(-len(x) // 1024))
    x, w = x[thinned], w[thinned]
    base = family.member.base
    candidates, values = [], []
    for gap in np.geomspace(1e-3, 30.0, _STEPS) * (np.quantile(x, 0.9) - smallest):
        origin = smallest - gap
        (shifted,), (block,) = blocks((x - origin,), w), blocks((x,), w)
        if own(base, "_estimate") is not None:
            values_at = base._estimate(rough_sufficient(base, shifted))
        else:
            values_at = base._start(x - origin, w)
        p = family.with_values({**{k: jnp.asarray(v) for k, v in values_at.items()}, "loc": jnp.asarray(origin)})
        candidates.append(p)
        values.append(float(expansion(family, family.vector(p, np), [block]).log_likelihood))
    found: Any = np.nan_to_num(np.asarray(values), nan=-np.inf)
    inner = [i for i in range(1, _STEPS - 1) if found[i] >= found[i - 1] and found[i] >= found[i + 1]]
    return candidates[max(inner, key=lambda i: found[i]) if inner else int(np.argmax(found[1:])) + 1]
