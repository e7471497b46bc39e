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
from suffice.numerics.pareto import mean_error
from suffice.numerics.sobol import MOST_DIMENSIONS, sobol
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.graded import graded, shifted
from suffice.sampling.rejection import carried

_BATCH = 1 << 16
_PILOT = 1 << 12
_MOST = 1 << 34
_SEEN = 500  # draws that show a tail
_REPLICATES = 16  # of scrambled points: an error from 15 degrees of freedom
_GRADED = 3  # coordinates of which more draws go into the tails
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
            n allows, 16 times over; "sobol", 16 independently scrambled nets. The error of these two is that of the mean of
            16: ``interval`` takes Student's law of 15 degrees of freedom. Of up to 3 coordinates, draws are denser towards
            an end at which f is not finite, and weighted.
        control: g(x) with known mean ``control_mean``, a number or a vector: what f has in common with it, by least
            squares, is known exactly. With "plain" and "antithetic".

    Returns:
        An ``Estimate``; ``pareto_k`` is the heavier tail of f, with its weight: above 0.7 neither value nor error can be
        trusted. Where tails seen in the first 65,536 draws are heavy, the error of plain and antithetic draws is that of a
        Pareto law fitted to them, if that is larger.

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
    least = 4 if method == "antithetic" else 2
    if n is not None and (not isinstance(n, int | np.integer) or n < least):
        raise ValueError(f"n must be an integer of at least {least}, got {n}")
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
        value = jax.eval_shape(lambda key: jax.vmap(f)(_draws(self.law, key, 1)), jax.random.key(0))
        if jnp.issubdtype(value.dtype, jnp.complexfloating):
            raise ValueError(f"f must be real, got {value.dtype}: give its parts as two entries of an array")
        self.shape = value.shape[1:]
        self.drawn = functools.partial(_drawn, f, control, self.law)
        self.at = functools.partial(_at, f, control, self.law)

    def finite(self, rows: Any) -> np.ndarray:
        found = np.asarray(rows)
        if not np.all(np.isfinite(found)):
            raise ValueError(f"f must be finite, got {format_value(found[~np.isfinite(found)][0])} at a draw")
        return found

    def from_uniforms(self, u: np.ndarray) -> np.ndarray:
        """Rows at many points, in batches of one size."""
        padded, size = np.concatenate([u, np.full((-len(u) % _PILOT, u.shape[1]), 0.5)]), _size(len(u))
        found = [np.asarray(self.at(jnp.asarray(padded[i : i + size]))) for i in range(0, len(padded), size)]
        return self.finite(np.concatenate(found)[: len(u)])

    def __call__(self, n: int, key: jax.Array) -> Estimate:
        return getattr(self, f"_{self.method}")(n, key)

    def estimate(
        self, value: np.ndarray, variance: np.ndarray, how: str, k: Any = None, df: float = math.inf
    ) -> Estimate:
        shape, error = self.shape, np.sqrt(np.maximum(variance, 0.0))
        plain = (float(value[0]), float(error[0])) if shape == () else (value.reshape(shape), error.reshape(shape))
        return Estimate(*plain, how, k, df)

    def summed(self, moments: _Moments, how: str, k: Any, larger: Any) -> Estimate:
        """From moments of independent rows: the mean, less what the control explains; without it, errors made larger."""
        m = len(moments.mean) - len(self.known)
        n = moments.count
        value, products = moments.mean[:m], np.diag(moments.products)[:m]
        if not len(self.known):
            return self.estimate(value, products / (n - 1.0) / n * larger**2, how, k)
        free = n - 1.0 - len(self.known)
        if free < 1.0:
            raise ValueError(f"n must be above {len(self.known) + 2} with {len(self.known)} controls, got {n}")
        cross, own = moments.products[:m, m:], moments.products[m:, m:]
        slope = np.linalg.lstsq(own, cross.T, rcond=None)[0].T  # (m, controls)
        left = products - np.einsum("ij,ij->i", slope, cross)
        return self.estimate(value - slope @ (moments.mean[m:] - self.known), left / free / n, how, k)

    def _plain(self, n: int, key: jax.Array) -> Estimate:
        total, tail = None, None
        for i, start in enumerate(range(0, n, _BATCH)):
            size = min(_BATCH, n)
            rows = self.finite(self.drawn(jax.random.fold_in(key, i), size))[: n - start]
            total = _Moments.of(rows) if total is None else total + _Moments.of(rows)
            tail = tail or self.tail(rows)
        assert total is not None
        assert tail is not None
        return self.summed(total, MONTE_CARLO, *tail)

    def tail(self, rows: np.ndarray) -> tuple[float | None, Any]:
        """Largest shape of the tails of f, where there are enough rows to see it, and by what they make each error larger."""
        m = rows.shape[1] - len(self.known)
        if len(rows) < _SEEN or m > 64:
            return None, 1.0
        away = (rows[:, :m] - rows[:, :m].mean(0)).T
        errors, shapes = zip(*map(mean_error, away), strict=True)
        plain = away.std(1, ddof=1) / np.sqrt(len(rows))
        return max(shapes), np.where(plain > 0.0, errors / np.where(plain > 0.0, plain, 1.0), 1.0)

    def _antithetic(self, n: int, key: jax.Array) -> Estimate:
        total, tail, rng, half = None, None, _generator(key), -(-n // 2)
        for start in range(0, half, _BATCH):
            u = _inner(rng.random((min(_BATCH, half - start), self.dimension)))
            rows = 0.5 * (self.from_uniforms(u) + self.from_uniforms(1.0 - u))
            total = _Moments.of(rows) if total is None else total + _Moments.of(rows)
            tail = tail or self.tail(rows)
        assert total is not None
        assert tail is not None
        return self.summed(total, "Monte Carlo, antithetic", *tail)

    def _stratified(self, n: int, key: jax.Array) -> Estimate:
        rng, d = _generator(key), self.dimension
        k = max(int((n / _REPLICATES) ** (1.0 / d) + 1e-9), 1)
        corner = np.arange(k**d)[:, None] // np.array([k**i for i in range(d)]) % k
        corner = np.repeat(corner, max(n // (_REPLICATES * len(corner)), 1), axis=0)
        return self.of_replicates(lambda: (corner + rng.random(corner.shape)) / k, k, rng, "Monte Carlo, stratified")

    def _sobol(self, n: int, key: jax.Array) -> Estimate:
        rng, d = _generator(key), self.dimension
        m = max(math.ceil(math.log2(n / _REPLICATES)), 0)
        return self.of_replicates(lambda: sobol(m, d, rng), 1 << m, rng, "Monte Carlo, scrambled Sobol'")

    def of_replicates(
        self, points: Callable[[], np.ndarray], cells: int, rng: np.random.Generator, how: str
    ) -> Estimate:
        """The mean of independent means: draws of one replicate are not independent of one another.

        Points are weighted, so f is averaged less what it is in the middle: a constant is exact.
        """
        means, looked, middle, ends = [], [], np.zeros(0), np.zeros((0, 2), bool)
        for _ in range(_REPLICATES):
            moved, weights = shifted(points(), cells, rng)
            if not means:
                middle, ends = self.middle_and_ends(len(moved))
            u, density = graded(moved, ends)
            rows = (weights * density)[:, None] * (self.from_uniforms(_inner(u)) - middle)
            means.append(rows.mean(0))
            looked += [rows] if sum(map(len, looked)) < _BATCH else []
        k, means = self.tail(np.concatenate(looked))[0], np.stack(means)
        variance = means.var(0, ddof=1) / _REPLICATES
        return self.estimate(middle + means.mean(0), variance, how, k, _REPLICATES - 1)

    def middle_and_ends(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """f at the medians, 0 where it is not finite there; and of each coordinate, (d, 2), whether f is not finite at its
        low and its high end, so that draws are to be denser there.

        Weights of many coordinates would tie together what f adds: none then.
        """
        d = self.dimension
        u = np.full((_size(count), d), 0.5)
        for i in range(min(d, _GRADED)):
            u[1 + 2 * i, i], u[2 + 2 * i, i] = 0.0, 1.0
        found = np.asarray(self.at(jnp.asarray(u)))[: 1 + 2 * d]
        ends = ~np.isfinite(found[1:]).all(1).reshape(d, 2)
        return np.where(np.isfinite(found[0]), found[0], 0.0), ends if d <= _GRADED else np.zeros((d, 2), bool)


def _size(count: int) -> int:
    """Of batches for so many points: a multiple of one of two, so that two programs serve all."""
    return _BATCH if -(-count // _PILOT) * _PILOT % _BATCH == 0 else _PILOT


def _inner(u: np.ndarray) -> np.ndarray:
    """Inside (0, 1) in the type that u is going to have."""
    of = np.finfo(jnp.zeros(()).dtype)
    return np.clip(u, float(of.tiny), 1.0 - float(of.epsneg))


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).astype(np.uint64))
