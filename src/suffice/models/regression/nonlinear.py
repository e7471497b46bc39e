"""Nonlinear least squares by the method of Levenberg and Marquardt, with the covariance of what it finds."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.student_t import StudentT
from suffice.models.regression.least_squares import student, words
from suffice.numerics.double_double import Double, double
from suffice.numerics.double_double_linalg import orthogonalise, solve_upper
from suffice.runtime.errors import DataError


@dataclass(frozen=True, eq=False)
class NonlinearFit:
    """A fitted function y = f(x, w).

    Attributes:
        function: f.
        weights: w, (M,).
        root: V with V Vᵀ the inverse of JᵀJ, J the derivatives of f at the data, (M, M).
        residual_sum_of_squares: Σ_i (t_i − f(x_i, w))².
        count: number of rows.
        converged: whether the last step was nothing beside the standard errors.
        iterations: evaluations of the derivatives.
        message: why it did not converge.
    """

    function: Callable[[Any, Any], Any]
    weights: np.ndarray
    root: np.ndarray
    residual_sum_of_squares: float
    count: int
    converged: bool
    iterations: int
    message: str

    @property
    def residual_deviation(self) -> float:
        """√(RSS/(n − M)); NaN where n = M."""
        free = self.count - len(self.weights)
        return float(np.sqrt(self.residual_sum_of_squares / free)) if free > 0 else float("nan")

    @property
    def covariance(self) -> np.ndarray:
        """s² (JᵀJ)⁻¹, right to first order in the noise."""
        return self.residual_deviation**2 * self.root @ self.root.T

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the weights."""
        return self.residual_deviation * np.sqrt((self.root**2).sum(1))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Intervals of the weights by Student's t with n − M degrees of freedom, right to first order in the noise."""
        reach = student.reach(float(self.count - len(self.weights)), level) * self.standard_errors
        return self.weights - reach, self.weights + reach

    def predict(self, x: Any) -> Any:
        """f(x, w)."""
        return self.function(jnp.asarray(x, float), jnp.asarray(self.weights))

    def predictive(self, x: Any) -> StudentT:
        """The law of new targets, f taken as linear around w."""
        x, w = jnp.asarray(x, float), jnp.asarray(self.weights)
        slopes = jax.jacfwd(self.function, argnums=1)(x, w)
        scale = self.residual_deviation * jnp.sqrt(1.0 + ((slopes @ self.root) ** 2).sum(-1))
        return StudentT(jnp.asarray(float(self.count - len(self.weights))), self.function(x, w), scale=scale)

    def __repr__(self) -> str:
        names = (f"w[{i}]" for i in range(len(self.weights)))
        told = words.told(names, self.weights, self.standard_errors)
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return f"NonlinearFit({told}; n = {self.count}, {end})"


def nonlinear_least_squares(
    function: Callable[[Any, Any], Any], x: Any, t: Any, start: Sequence[float], *, steps: int = 1000
) -> NonlinearFit:
    """Minimise Σ_i (t_i − f(x_i, w))² over w, from a start.

    Each step solves |r − J d|² + mu |D d|² by orthogonal rotations, J from automatic differentiation, D the largest
    lengths of J's columns so far; mu follows the gain (Nielsen 1999). The last steps are of Gauss and Newton, with J
    rotated in double-double, so that the weights are as right as the function's rounding allows.

    Args:
        function: f(x, w), traceable, of inputs (n,) or (n, d) and weights (M,) to (n,).
        x: inputs.
        t: targets, (n,).
        start: (M,); among several minima it decides which is found.
        steps: the most evaluations of the derivatives.

    Raises:
        DataError: f is not finite at the start, or weights that the data do not determine.

    Source: Moré 1978, doi:10.1007/BFb0067700; Madsen, Nielsen and Tingleff 2004.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> fit = sf.nonlinear_least_squares(lambda x, w: w[0] * jnp.exp(-w[1] * x), [0.0, 1.0, 2.0], [2.0, 1.0, 0.5], [1.0, 1.0])
        >>> fit.converged, fit.weights.round(6).tolist()
        (True, [2.0, 0.693147])
    """
    w, t = np.asarray(start, float), np.asarray(t, float)
    x = jnp.asarray(x, float)
    if w.ndim != 1 or not len(w) or not np.isfinite(w).all():
        raise ValueError(f"start must be finite numbers, (M,), got {start!r}")
    if t.shape != x.shape[:1] or not np.isfinite(t).all():
        raise DataError(f"targets must be finite and as many as inputs, {x.shape[:1]}, got shape {t.shape}")
    if len(t) < len(w):
        raise DataError(f"there must be at least as many rows as weights, {len(w)}, got {len(t)}")
    both = _compiled(function)

    def evaluated(w: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        try:
            y, jacobian = map(np.asarray, both(x, jnp.asarray(w)))
        except jax.errors.TracerArrayConversionError as error:
            raise TypeError(f"function must be made of jax.numpy, not of numpy: {str(error).splitlines()[0]}") from None
        if y.shape != t.shape:
            raise ValueError(f"function must give an array of shape {t.shape}, got {y.shape}")
        with np.errstate(all="ignore"):
            residual = t - y
            return residual, jacobian, float(residual @ residual) if np.isfinite(jacobian).all() else np.inf

    residual, jacobian, rss = evaluated(w)
    if not np.isfinite(rss):
        raise DataError(f"function must be finite at the start, {w.tolist()}")
    size = np.zeros(len(w))
    mu, growth, message, converged, taken, newton = 1e-3, 2.0, f"stopped after {steps} steps", False, 0, False
    while taken < steps:
        taken += 1
        size = np.maximum(size, np.sqrt((jacobian**2).sum(0)))
        scale = np.where(size > 0, size, 1.0)
        damped = np.concatenate([jacobian / scale, np.sqrt(mu) * np.eye(len(w))])
        d = np.linalg.lstsq(damped, np.concatenate([residual, np.zeros(len(w))]))[0] / scale
        tried = evaluated(w + d)
        predicted = rss - float(((residual - jacobian @ d) ** 2).sum())
        gain = (rss - tried[2]) / predicted if predicted > 0 else 0.0
        newton = predicted <= 1e-12 * rss or np.abs(d).max() <= 1e-10 * np.abs(w).max()
        if gain > 0.0:
            w, (residual, jacobian, rss) = w + d, tried
            mu, growth = max(mu * max(1.0 / 3.0, 1.0 - (2.0 * gain - 1.0) ** 3), 1e-20), 2.0
        else:
            mu, growth = mu * growth, 2.0 * growth
        if newton or mu > 1e30:
            break
    if newton:
        w, residual, jacobian, converged, message = _finished(evaluated, w, residual, jacobian)
    root = _factor(jacobian, residual)[1]
    return NonlinearFit(function, w, root, float(residual @ residual), len(t), converged, taken, message)


@functools.lru_cache(maxsize=64)
def _compiled(function: Callable[[Any, Any], Any]) -> Any:
    """Values and derivatives in the weights; once for each function."""
    return jax.jit(lambda x, w: (function(x, w), jax.jacfwd(function, argnums=1)(x, w)))


def _factor(jacobian: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The step of Gauss and Newton, and V with V Vᵀ = (JᵀJ)⁻¹."""
    m = jacobian.shape[1]
    r = orthogonalise(double(np.column_stack([jacobian, residual])))
    if not (np.abs(np.diagonal(r.hi)[:m]) > 1e-15 * np.sqrt((r.hi[:, :m] ** 2).sum(0))).all():
        raise DataError("the data do not determine the weights: derivatives depend on each other at the solution")
    right = Double(*(np.concatenate([e, part[:m, m:]], axis=1) for e, part in zip(double(np.eye(m)), r, strict=True)))
    solved = solve_upper(r.at(slice(0, m), slice(0, m)), right).value
    return solved[:, m], solved[:, :m]


def _finished(evaluated: Any, w: np.ndarray, residual: np.ndarray, jacobian: np.ndarray) -> tuple:
    """Steps of Gauss and Newton while they get shorter."""
    last, (d, root) = np.inf, _factor(jacobian, residual)
    for _ in range(50):
        length = float((np.abs(d) / np.sqrt((root**2).sum(1))).max())
        if not length < 0.5 * last:
            break
        tried = evaluated(w + d)
        if not np.isfinite(tried[2]):
            break
        last, w, (residual, jacobian, _) = length, w + d, tried
        d, root = _factor(jacobian, residual)
    s = np.sqrt(residual @ residual / max(len(residual) - len(w), 1))
    converged = last <= 1e-6 * s or last <= 1e-10 * float((np.abs(w) / np.sqrt((root**2).sum(1))).max())
    return w, residual, jacobian, bool(converged), "" if converged else "the last steps did not get shorter"
