"""Newton's method for several families side by side, each step one fold over the data that serves them all."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import Expansion
from suffice.inference.likelihood import expansions
from suffice.inference.observations import Memory, Observations
from suffice.numerics import newton
from suffice.numerics.domain import real
from suffice.numerics.newton import CONVERGED, RUNNING

_FAR = np.log(1e8)  # an unconstrained coordinate beyond which a parameter counts as running to its limit


def search(
    families: Sequence[Family], starts: Sequence[Distribution], data: Observations
) -> list[tuple[newton.State, Expansion]]:
    """Climb from each start to the maximum of its family's likelihood.

    Returns where each search ended and the last expansion that it asked for. With much data a search on a small sample
    comes first, which saves passes over the whole.
    """
    points = [f.vector(p, np) for f, p in zip(families, starts, strict=True)]
    if not families or data.is_small:
        return climb(families, points, data)
    sample = climb(families, points, Memory(data.source, *data.pilot(real)))
    for i, (p, (state, _)) in enumerate(zip(starts, sample, strict=True)):
        if state.status == CONVERGED and not isinstance(p, Affine):
            points[i] = state.point
    return climb(families, points, data)


def climb(
    families: Sequence[Family], points: Sequence[np.ndarray], data: Observations
) -> list[tuple[newton.State, Expansion]]:
    last: dict[int, Expansion] = {}
    states = [newton.start(point) for point in points]
    far = [_far(f) for f in families]
    while active := [i for i, state in enumerate(states) if state.status == RUNNING]:

        def reduce(blocks: Iterable[Any], active: list[int] = active) -> Together:
            asked = [families[i] for i in active], [states[i].trial for i in active]
            return Together(expansions(*asked, blocks, lambda work, items: share(work, items, data)))

        for i, e in zip(active, data.fold(reduce), strict=True):
            states[i] = newton.update(states[i], e.log_likelihood, e.gradient, e.hessian, e.count, far[i])
            last[i] = e
    return [(state, last[i]) for i, state in enumerate(states)]


def _far(family: Family) -> Callable[[Any], bool]:
    """Whether a point is so far out in a parameter with a limiting family that the maximum is taken to be there."""
    places = [i for i, path in enumerate(family.free) if path[-1] in family.kind.limits]
    return lambda v: bool(places) and bool(np.any(v[places] > _FAR))


def at_limit(p: Distribution) -> Any:
    """Whether a member at which a search ended is, by its own account, at a limit of its family."""
    hook = own(p, "_at_limit")
    return np.False_ if hook is None else hook()


class Together(tuple):
    """Statistics of several families, added one by one."""

    def __add__(self, other: Any) -> "Together":  # type: ignore[override]
        return Together(a + b for a, b in zip(self, other, strict=True))


def share(work: Callable[[Any], Any], items: Iterable[Any], data: Observations) -> list[Any]:
    """Work through items in two threads, which halves the time compilation takes; streams have threads of their own."""
    if not data.in_memory:
        return [work(i) for i in items]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, items))
