"""A function at draws of laws, or at their quantiles: its values, checked, from programs of few sizes."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import format_value
from suffice.numerics.sobol import MOST_DIMENSIONS
from suffice.sampling.rejection import carried

BATCH = 1 << 16
PILOT = 1 << 12
_GRADED = 3  # coordinates of which more draws go into the tails


def _draws(law: Any, key: jax.Array, m: int) -> jax.Array:
    """m draws of a law, or of independent ones side by side."""
    if not isinstance(law, tuple):
        return law.sample((m,), rng=key)
    keys = jax.random.split(key, len(law))
    return jnp.stack([one.sample((m,), rng=k) for one, k in zip(law, keys, strict=True)], axis=1)


def _rows(f: Any, control: Any, x: jax.Array) -> jax.Array:
    """Values of f and of the control at each of m draws, (m, …)."""
    parts = [jax.vmap(g)(x).reshape(x.shape[0], -1).astype(float) for g in (f, control) if g is not None]
    return jnp.concatenate(parts, axis=1)


@functools.partial(jax.jit, static_argnums=(0, 1, 4))
def _drawn(f: Any, control: Any, law: Any, key: jax.Array, m: int) -> jax.Array:
    return _rows(f, control, _draws(law, key, m))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _at(f: Any, control: Any, law: Any, u: jax.Array) -> jax.Array:
    """Rows at the quantiles of u, (m, d)."""
    if not isinstance(law, tuple):
        return _rows(f, control, law.icdf(u[:, 0]))
    return _rows(f, control, jnp.stack([one.icdf(u[:, i]) for i, one in enumerate(law)], axis=1))


class Integrand:
    """Rows of the entries of f, and beside them of the control's, of a law or of independent ones.

    Args:
        f: of one draw.
        control: another such function, or None.
        p: a law, or a sequence of univariate ones.
        method: by which draws are made; all but "plain" take quantiles.

    Attributes:
        dimension: of the uniforms whose quantiles it takes.
        shape: of one value of f.
    """

    def __init__(self, f: Any, control: Any, p: Any, method: str) -> None:
        laws: Any = list(p) if isinstance(p, Sequence) else None
        if laws == []:
            raise ValueError("p must have at least one law, got an empty sequence")
        self.law = carried(p) if laws is None else tuple(carried(law) for law in laws)
        self.dimension = 1 if laws is None else len(laws)
        if laws is not None and method == "sobol" and self.dimension > MOST_DIMENSIONS:
            raise ValueError(f"method sobol takes at most {MOST_DIMENSIONS} dimensions, got {self.dimension}")
        for law in [] if method == "plain" and laws is None else laws or [p]:
            if method != "plain" and not hasattr(law, "icdf"):
                raise ValueError(f"method {method} needs a law with icdf, got {type(law).__name__}")
            shape = (*getattr(law, "batch_shape", ()), *getattr(law, "event_shape", ()))
            if shape:
                what = "a sequence of laws" if laws else f"method {method}"
                raise ValueError(f"{what} needs univariate laws, got one of shape {shape}")
        value = jax.eval_shape(lambda key: jax.vmap(f)(_draws(self.law, key, 1)), jax.random.key(0))
        if jnp.issubdtype(value.dtype, jnp.complexfloating):
            raise ValueError(f"f must be real, got {value.dtype}: give its parts as two entries of an array")
        self.shape = value.shape[1:]
        self._drawn = functools.partial(_drawn, f, control, self.law)
        self._at = functools.partial(_at, f, control, self.law)

    def at_draws(self, key: jax.Array, m: int) -> np.ndarray:
        """Rows at m draws."""
        return _finite(self._drawn(key, m))

    def at_uniforms(self, u: np.ndarray) -> np.ndarray:
        """Rows at the quantiles of many points, (n, d), in batches of one size."""
        inner, size = _inner(u), _size(len(u))
        padded = np.concatenate([inner, np.full((-len(u) % PILOT, u.shape[1]), 0.5)])
        found = [np.asarray(self._at(jnp.asarray(padded[i : i + size]))) for i in range(0, len(padded), size)]
        return _finite(np.concatenate(found)[: len(u)])

    def middle_and_ends(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """f at the medians, 0 where it is not finite there; and of each coordinate, (d, 2), whether f is not finite at its
        low and its high end, so that draws are to be denser there.

        Weights of many coordinates would tie together what f adds: none then.

        Args:
            count: of the points at which f is going to be taken, whose programs are used.
        """
        d = self.dimension
        looked = d if d <= _GRADED else 0
        u = np.full((_size(count), d), 0.5)
        for i in range(looked):
            u[1 + 2 * i, i], u[2 + 2 * i, i] = 0.0, 1.0
        rows = np.asarray(self._at(jnp.asarray(u)))[: 1 + 2 * looked]
        ends = np.zeros((d, 2), bool)
        ends[:looked] = ~np.isfinite(rows[1:]).all(1).reshape(looked, 2)
        return np.where(np.isfinite(rows[0]), rows[0], 0.0), ends


def _finite(rows: Any) -> np.ndarray:
    found = np.asarray(rows)
    if not np.all(np.isfinite(found)):
        raise ValueError(f"f must be finite, got {format_value(found[~np.isfinite(found)][0])} at a draw")
    return found


def _size(count: int) -> int:
    """Of batches for so many points: a multiple of one of two, so that two programs serve all."""
    return BATCH if -(-count // PILOT) * PILOT % BATCH == 0 else PILOT


def _inner(u: np.ndarray) -> np.ndarray:
    """Inside (0, 1) in the type that u is going to have."""
    of = np.finfo(jnp.zeros(()).dtype)
    return np.clip(u, float(of.tiny), 1.0 - float(of.epsneg))
