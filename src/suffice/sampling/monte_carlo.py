"""Expectations by Monte Carlo, with an honest standard error, and four ways to make it smaller."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import format_value
from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.pareto import smoothed_weights
from suffice.numerics.sobol import MOST_DIMENSIONS, sobol
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.rejection import carried

_BATCH = 1 << 16
_PILOT = 1 << 12
_MOST = 1 << 34
_REPLICATES = 16  # of scrambled points: an error from 15 degrees of freedom
METHODS = ("plain", "antithetic", "stratified", "sobol")


@dataclass(frozen=True)
class _Moments:
    """Count, mean and sum of products of deviations of rows, which add."""

    count: int
    mean: np.ndarray  # (k,)
    products: np.ndarray  # (k, k)

    @classmethod
    def of(cls, rows: np.ndarray) -> "_Moments":
        mean = rows.mean(0)
        return cls(len(rows), mean, (rows - mean).T @ (rows - mean))

    def __add__(self, other: Any) -> "_Moments":
        count, step = self.count + other.count, other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        between = np.outer(step, step) * (self.count * other.count / count)
        return _Moments(count, mean, self.products + other.products + between)


def expectation(
    f: Callable[[Any], Any],
    p: Any,
    *,
    rng: RNG,
    n: int | None = None,
    standard_error: float | None = None,
    method: str = "plain",
    control: Callable[[Any], Any] | None = None,
    control_mean: Any = None,
) -> Estimate:
    """E_p[f(x)] ≈ (1/n) Σ f(x_i), with the standard error √(var f/n) estimated from the same draws.

    Args:
        f: of one draw, in JAX; its value may be an array, each entry of which gets its error.
        p: anything with ``sample(shape, rng=)``; methods other than "plain" need ``icdf``: a univariate law, or a
            sequence of d of them, independent, and f of a vector (d,).
        n: how many draws; by default 100,000, if no standard error is asked for.
        standard_error: to be reached by the largest entry: a pilot of 4,096 draws finds n, fresh draws the value.
        method: "plain"; "antithetic", pairs at u and 1 − u; "stratified", as many draws in each of kᵈ equal cells of u as
            n allows, 16 times over; "sobol", 16 independently scrambled nets. The error of these two is that of the mean of 16.
        control: g(x) with known mean ``control_mean``, a number or a vector: what f has in common with it, by least
            squares, is known exactly. With "plain" and "antithetic".

    Returns:
        An ``Estimate``; ``pareto_k`` is the tail of abs(f): above 0.7 neither value nor error can be trusted.

    Raises:
        ValueError: both n and standard_error are given; f is not finite at a draw; the method does not fit p; the
            standard error would need more than 1.7e10 draws.

    Source: Bishop, exercise 11.1; Owen, Monte Carlo theory, methods and examples (2013), chapters 8 to 10 and 17.

    Example:
        >>> import suffice as sf
        >>> plain = sf.expectation(lambda x: x**2, sf.Normal(), n=10_000, rng=0)
        >>> sobol = sf.expectation(lambda x: x**2, sf.Normal(), n=16_384, method="sobol", rng=0)
        >>> bool(abs(sobol.value - 1.0) < 0.01), sobol.standard_error < plain.standard_error / 5
        (True, True)
    """
    if n is not None and standard_error is not None:
        raise ValueError("give n or standard_error, not both")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if n is not None and n < 2:
        raise ValueError(f"n must be at least 2, got {n}")
    if standard_error is not None and not standard_error > 0.0:
        raise ValueError(f"standard_error must be > 0, got {standard_error:g}")
    if (control is None) != (control_mean is None):
        raise ValueError("control and control_mean go together")
    if control is not None and method not in ("plain", "antithetic"):
        raise ValueError(f"control goes with method plain or antithetic, got {method!r}")
    known = np.zeros(0) if control_mean is None else np.asarray(control_mean, float).ravel()
    run = _Run(f, p, method, control, known)
    key = as_key(rng)
    if standard_error is None:
        return run(n or 100_000, key)
    count, worst = _PILOT, math.inf
    for attempt in range(20):
        found = run(count, jax.random.fold_in(key, attempt))
        worst = float(np.max(found.standard_error))
        if worst <= standard_error and attempt:
            return found
        factor = (worst / standard_error) ** 2
        # one tenth more, for the error is an estimate; nets do better than the square root, so they are not overrun
        count = int(count * min(max(1.1 * factor, 1.0), 16.0 if method != "plain" else math.inf))
        if count > _MOST:
            raise ValueError(f"standard_error {standard_error:g} needs {count:.2g} draws, more than {_MOST:.2g}")
    raise ValueError(f"standard_error {standard_error:g} was not reached with {count} draws: {worst:.3g}")


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


class _Run:
    """From a number of draws and a key to an estimate, for one f, law and method."""

    def __init__(self, f: Any, p: Any, method: str, control: Any, known: np.ndarray) -> None:
        self.method, self.known = method, known
        laws: Any = list(p) if isinstance(p, Sequence) else None
        self.law = carried(p) if laws is None else tuple(carried(law) for law in laws)
        self.dimension = 1 if laws is None else len(laws)
        if laws is not None and method == "sobol" and self.dimension > MOST_DIMENSIONS:
            raise ValueError(f"method sobol takes at most {MOST_DIMENSIONS} dimensions, got {self.dimension}")
        if method != "plain" and laws is None and not hasattr(p, "icdf"):
            raise ValueError(f"method {method} needs a law with icdf, got {type(p).__name__}")
        shape = tuple(getattr(p, "event_shape", ()))
        if method != "plain" and shape:
            raise ValueError(f"method {method} needs univariate laws, got one of shape {shape}")
        self.shape = jax.eval_shape(lambda key: jax.vmap(f)(_draws(self.law, key, 1)), jax.random.key(0)).shape[1:]
        self.drawn = functools.partial(_drawn, f, control, self.law)
        self.at = functools.partial(_at, f, control, self.law)

    def finite(self, rows: Any) -> np.ndarray:
        found = np.asarray(rows)
        if not np.all(np.isfinite(found)):
            raise ValueError(f"f must be finite, got {format_value(found[~np.isfinite(found)][0])} at a draw")
        return found

    def from_uniforms(self, u: np.ndarray) -> np.ndarray:
        """Rows at many points, in batches of one size."""
        padded = np.concatenate([u, np.full((-len(u) % min(_BATCH, _PILOT), u.shape[1]), 0.5)])
        size = _BATCH if len(padded) % _BATCH == 0 else _PILOT
        found = [np.asarray(self.at(jnp.asarray(padded[i : i + size]))) for i in range(0, len(padded), size)]
        return self.finite(np.concatenate(found)[: len(u)])

    def __call__(self, n: int, key: jax.Array) -> Estimate:
        return getattr(self, f"_{self.method}")(n, key)

    def estimate(self, value: np.ndarray, variance: np.ndarray, how: str, k: Any = None) -> Estimate:
        shape, error = self.shape, np.sqrt(np.maximum(variance, 0.0))
        plain = (float(value[0]), float(error[0])) if shape == () else (value.reshape(shape), error.reshape(shape))
        return Estimate(*plain, how, k)

    def summed(self, moments: _Moments, how: str, k: Any) -> Estimate:
        """From moments of independent rows: the mean, less what the control explains."""
        m = len(moments.mean) - len(self.known)
        n = moments.count
        value, products = moments.mean[:m], np.diag(moments.products)[:m]
        if not len(self.known):
            return self.estimate(value, products / (n - 1.0) / n, how, k)
        free = n - 1.0 - len(self.known)
        if free < 1.0:
            raise ValueError(f"n must be above {len(self.known) + 2} with {len(self.known)} controls, got {n}")
        cross, own = moments.products[:m, m:], moments.products[m:, m:]
        slope = np.linalg.lstsq(own, cross.T, rcond=None)[0].T  # (m, controls)
        left = products - np.einsum("ij,ij->i", slope, cross)
        return self.estimate(value - slope @ (moments.mean[m:] - self.known), left / free / n, how, k)

    def _plain(self, n: int, key: jax.Array) -> Estimate:
        total, k = None, None
        for i, start in enumerate(range(0, n, _BATCH)):
            size = min(_BATCH, n)
            rows = self.finite(self.drawn(jax.random.fold_in(key, i), size))[: n - start]
            total = _Moments.of(rows) if total is None else total + _Moments.of(rows)
            if k is None:
                k = self.tail(rows)
        assert total is not None
        return self.summed(total, MONTE_CARLO, k)

    def tail(self, rows: np.ndarray) -> float | None:
        """Largest shape of the tail of abs(f − median), where there are enough rows to see it."""
        m = rows.shape[1] - len(self.known)
        if len(rows) < 1000 or m > 64:
            return None
        away = np.abs(rows[:, :m] - np.median(rows[:, :m], axis=0))
        with np.errstate(divide="ignore"):
            return float(max(smoothed_weights(np.log(column))[1] if column.any() else -np.inf for column in away.T))

    def _antithetic(self, n: int, key: jax.Array) -> Estimate:
        total, k, rng, half = None, None, _generator(key), -(-n // 2)
        for start in range(0, half, _BATCH):
            u = _inner(rng.random((min(_BATCH, half - start), self.dimension)))
            rows = 0.5 * (self.from_uniforms(u) + self.from_uniforms(1.0 - u))
            total = _Moments.of(rows) if total is None else total + _Moments.of(rows)
            if k is None:
                k = self.tail(rows)
        assert total is not None
        return self.summed(total, "Monte Carlo, antithetic", k)

    def _stratified(self, n: int, key: jax.Array) -> Estimate:
        rng, d = _generator(key), self.dimension
        k = max(int((n / _REPLICATES) ** (1.0 / d) + 1e-9), 1)
        corner = np.stack(np.meshgrid(*([np.arange(k)] * d), indexing="ij"), axis=-1).reshape(-1, d)
        corner = np.repeat(corner, max(n // (_REPLICATES * len(corner)), 1), axis=0)
        return self.of_replicates(lambda: (corner + rng.random(corner.shape)) / k, "Monte Carlo, stratified")

    def _sobol(self, n: int, key: jax.Array) -> Estimate:
        rng = _generator(key)
        log_count = max(math.ceil(math.log2(n / _REPLICATES)), 0)
        return self.of_replicates(lambda: sobol(log_count, self.dimension, rng), "Monte Carlo, scrambled Sobol'")

    def of_replicates(self, points: Callable[[], np.ndarray], how: str) -> Estimate:
        """The mean of independent means: draws of one replicate are not independent of one another."""
        means, looked = [], []
        for _ in range(_REPLICATES):
            rows = self.from_uniforms(_inner(points()))
            means.append(rows.mean(0))
            looked += [rows] if sum(map(len, looked)) < _BATCH else []
        means = np.stack(means)
        return self.estimate(means.mean(0), means.var(0, ddof=1) / _REPLICATES, how, self.tail(np.concatenate(looked)))


def _inner(u: np.ndarray) -> np.ndarray:
    return np.clip(u, 2.0**-54, 1.0 - 2.0**-53)


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).astype(np.uint64))
