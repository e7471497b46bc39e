"""Where chains start: at a point that is given, or at random; never where the density says nothing."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.space import Space
from suffice.sampling.loop import Chain, Problem, begin

_REACH = 2.0  # random starts are uniform within ±2 on the unconstrained space
_MOST = 100  # of them are tried for each chain


def space_of(domains: Any, start: Any, chains: int) -> tuple[Space, list[np.ndarray] | None]:
    """The space of the points, and the unconstrained starts of the chains where they are given."""
    if start is None:
        if domains is None:
            raise ValueError("start is needed where no domains say what a point looks like")
        return Space.of(domains), None
    own = isinstance(start, list) and bool(start) and isinstance(start[0], dict | np.ndarray | jax.Array)
    points = start if own else [start] * chains
    if len(points) != chains:
        raise ValueError(f"start must hold a point for each of the {chains} chains, got {len(points)}")
    points = [jax.tree.map(lambda x: np.asarray(x, float), p) for p in points]
    space = Space.of(domains, points[0])
    found = []
    for c, p in enumerate(points):
        try:
            found.append(space.to_real(p))
        except ValueError as error:
            raise ValueError(f"{f'start of chain {c}' if own else 'start'}: {error}") from None
    return space, found


def started(
    problem: Problem, kernel: Any, given: list[np.ndarray] | None, key: jax.Array, chains: int, warm: bool = True
) -> tuple[list[Chain], int]:
    """Chains at their starts, and how many random starts were thrown away.

    Raises:
        ValueError: the density or its gradient is not finite at a start that is given, or at all of the random ones.
    """
    d, thrown, found = problem.space.dimension, 0, []
    for c in range(chains):
        generator = np.random.default_rng(np.asarray(jax.random.key_data(jax.random.fold_in(key, c))))
        wrong = ""
        for _ in range(_MOST):
            v = given[c] if given is not None else generator.uniform(-_REACH, _REACH, d)
            chain = begin(problem, kernel, jnp.asarray(v), warm)
            wrong = _wrong(problem, chain, v)
            if not wrong:
                found.append(chain)
                break
            if given is not None:
                raise ValueError(f"chain {c}: {wrong}")
            thrown += 1
        else:
            raise ValueError(f"chain {c}: none of {_MOST} random starts will do; of the last, {wrong}. Give a start")
    return found, thrown


def _wrong(problem: Problem, chain: Chain, v: np.ndarray) -> str:
    """What is wrong with a start; nothing if it will do."""
    state, space = chain.state, problem.space
    value = float(next(getattr(state, name) for name in ("log_density", "logdensity") if hasattr(state, name)))
    point = space.from_real(jnp.asarray(v))
    values = {"x": point} if space.single else point
    shown = ", ".join(
        f"{name} = {np.array2string(np.asarray(x), precision=4, threshold=8)}" for name, x in values.items()
    )
    if not np.isfinite(value):
        return f"the log-density is {value:g} at the start {shown}"
    gradient = next((getattr(state, name) for name in ("gradient", "logdensity_grad") if hasattr(state, name)), ())
    slopes = np.asarray(gradient) if isinstance(gradient, jax.Array) else np.zeros(0)
    if not np.all(np.isfinite(slopes)):
        i = int(np.argmin(np.isfinite(slopes)))
        return f"the gradient of the log-density in {space.coordinates[i]} is {slopes[i]:g} at the start {shown}"
    return ""
