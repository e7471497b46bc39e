"""Expectations by Monte Carlo, with an honest standard error, and four ways to make it smaller."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.pareto import mean_error
from suffice.numerics.sobol import sobol
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.graded import graded, shifted
from suffice.sampling.integrand import BATCH, PILOT, Integrand

_MOST = 1 << 34
_SEEN = 500  # draws that show a tail
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
    count, worst = PILOT, math.inf
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


class _Run:
    """From a number of draws and a key to an estimate, for one f, law and method."""

    def __init__(self, f: Any, p: Any, method: str, control: Any, known: np.ndarray) -> None:
        self.method, self.known = method, known
        self.rows = Integrand(f, control, p, method)

    def __call__(self, n: int, key: jax.Array) -> Estimate:
        return getattr(self, f"_{self.method}")(n, key)

    def estimate(
        self, value: np.ndarray, variance: np.ndarray, how: str, k: Any = None, df: float = math.inf
    ) -> Estimate:
        shape, error = self.rows.shape, np.sqrt(np.maximum(variance, 0.0))
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
        for i, start in enumerate(range(0, n, BATCH)):
            size = min(BATCH, n)
            rows = self.rows.at_draws(jax.random.fold_in(key, i), size)[: n - start]
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
        for start in range(0, half, BATCH):
            u = rng.random((min(BATCH, half - start), self.rows.dimension))
            rows = 0.5 * (self.rows.at_uniforms(u) + self.rows.at_uniforms(1.0 - u))
            total = _Moments.of(rows) if total is None else total + _Moments.of(rows)
            tail = tail or self.tail(rows)
        assert total is not None
        assert tail is not None
        return self.summed(total, "Monte Carlo, antithetic", *tail)

    def _stratified(self, n: int, key: jax.Array) -> Estimate:
        rng, d = _generator(key), self.rows.dimension
        k = max(int((n / _REPLICATES) ** (1.0 / d) + 1e-9), 1)
        corner = np.arange(k**d)[:, None] // np.array([k**i for i in range(d)]) % k
        corner = np.repeat(corner, max(n // (_REPLICATES * len(corner)), 1), axis=0)
        return self.of_replicates(lambda: (corner + rng.random(corner.shape)) / k, k, rng, "Monte Carlo, stratified")

    def _sobol(self, n: int, key: jax.Array) -> Estimate:
        rng, d = _generator(key), self.rows.dimension
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
                middle, ends = self.rows.middle_and_ends(len(moved))
            u, density = graded(moved, ends)
            rows = (weights * density)[:, None] * (self.rows.at_uniforms(u) - middle)
            means.append(rows.mean(0))
            looked += [rows] if sum(map(len, looked)) < BATCH else []
        k, means = self.tail(np.concatenate(looked))[0], np.stack(means)
        variance = means.var(0, ddof=1) / _REPLICATES
        return self.estimate(middle + means.mean(0), variance, how, k, _REPLICATES - 1)


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).astype(np.uint64))
