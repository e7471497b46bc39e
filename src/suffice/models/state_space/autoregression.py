"""Autoregressions by name: mean, coefficients and variance by exact maximum likelihood."""

from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.inference.likelihood import inverse
from suffice.models.state_space.fitted import Fitted
from suffice.models.state_space.likelihood import Matrices, by_covariances, profile
from suffice.models.state_space.model import StateSpaceModel
from suffice.models.state_space.search import search
from suffice.models.state_space.series import Series, series
from suffice.models.state_space.structure import Autoregressive, coefficients
from suffice.numerics import domain
from suffice.runtime.errors import DataError

_PARTIAL = domain.Interval(-1.0, 1.0)
_FARTHEST = 0.95  # partial autocorrelation at which a search starts


@dataclass(frozen=True, eq=False)
class AutoregressiveFit(Fitted):
    """A fitted autoregression.

    Attributes:
        model: the ``StateSpaceModel`` at the estimates; its states are the last p values less the mean.
        parameters: "mean", "coefficients[1]", …, "variance".
        covariance: of the estimates, in the order of ``parameters``; NaN where the search did not end at a maximum.
        log_likelihood: exact, of all values.
        count: number of values observed.
        converged: whether the search ended where the gradient is 0, and the curvature right.
        values: the series.
    """

    model: StateSpaceModel
    parameters: dict[str, float]
    covariance: np.ndarray
    log_likelihood: float
    count: int
    converged: bool
    values: np.ndarray

    @property
    def coefficients(self) -> np.ndarray:
        """phi_1, …, phi_p."""
        return np.array(list(self.parameters.values())[1:-1])

    @property
    def standard_errors(self) -> dict[str, float]:
        """From the observed information."""
        return dict(zip(self.parameters, np.sqrt(np.diagonal(self.covariance)).tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion, for p + 2 parameters."""
        return -2.0 * self.log_likelihood + 2.0 * len(self.parameters)

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return -2.0 * self.log_likelihood + float(np.log(self.count)) * len(self.parameters)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Wald intervals, of the variance on the scale of its logarithm."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        reach, found = NormalDist().inv_cdf(0.5 + level / 2.0), {}
        for name, error in self.standard_errors.items():
            at = self.parameters[name]
            if name == "variance":
                found[name] = (at * float(np.exp(-reach * error / at)), at * float(np.exp(reach * error / at)))
            else:
                found[name] = (at - reach * error, at + reach * error)
        return found

    def __repr__(self) -> str:
        errors = self.standard_errors
        told = ", ".join(f"{name} = {value:.6g} ± {errors[name]:.2g}" for name, value in self.parameters.items())
        end = "" if self.converged else ", did not converge"
        return f"AutoregressiveFit({told}; log-likelihood {self.log_likelihood:.6g}, AIC {self.aic:.6g}{end})"


def fit_autoregression(x: ArrayLike, order: int) -> AutoregressiveFit:
    """Fit a stationary autoregression by exact maximum likelihood.

        x_t − mean = Σ_j phi_j (x_{t−j} − mean) + N(0, variance)

    The first values have their stationary law, so that none is lost; where values are missing it is that of those seen.
    It is the likelihood of ARIMA(p, 0, 0) with a constant.

    Args:
        x: series, (T,), NaN where nothing was observed.
        order: p, >= 1.

    Returns:
        An ``AutoregressiveFit``.

    Raises:
        ValueError: an order below 1.
        DataError: too few observations, a constant series or one without noise, infinite values.

    Source: Barndorff-Nielsen and Schou 1973, doi:10.1016/0047-259X(73)90030-4; Jones 1980, doi:10.2307/1268324.

    Example:
        >>> import suffice as sf
        >>> x = 5.0 + sf.StateSpaceModel([[0.8]], [[1.0]], [1.0], 0.0).sample(500, rng=0)
        >>> fit = sf.fit_autoregression(x, 1)
        >>> list(fit.parameters), abs(fit.parameters["coefficients[1]"] - 0.8) < 0.1
        (['mean', 'coefficients[1]', 'variance'], True)
    """
    part = Autoregressive(order)
    s = series(x, 1)
    seen = np.asarray(s.seen)[:, 0] > 0
    values = np.asarray(s.values)[seen, 0]
    if len(values) <= order + 2:
        raise DataError(f"the series has {len(values)} values, too few for {order + 2} parameters")
    centre, scale = float(values.mean()), float(values.std())
    if not scale > 1e-12 * np.abs(values).max():
        raise DataError(f"the series is constant: all of its {len(values)} values are {values[0]:.6g}")
    unit = s._replace(values=jnp.where(s.seen > 0, (s.values - centre) / scale, 0.0))
    theta, value, hessian, converged = search(
        lambda theta: _profile(part, theta, unit),
        lambda theta: _expanded(part, theta, unit),
        _start(np.asarray(unit.values)[: s.length, 0], order)[None],
        np.arange(order + 2) == order + 1,
    )
    at, slopes = (np.asarray(v) for v in _natural(jnp.asarray(theta)))
    if not np.abs(np.roots([1.0, *-at[1:-1]])).max(initial=0.0) < 1.0 - 1e-12:
        raise DataError(f"the series follows an autoregression of order {order} without noise: no law is stationary")
    size = np.concatenate([[scale], np.ones(order), [scale**2]])
    spread = slopes @ np.asarray(inverse(hessian)) @ slopes.T * np.outer(size, size)
    told = at * size + centre * (np.arange(order + 2) == 0)
    block = part.block(_values(theta, scale))
    names = ["mean", *(f"coefficients[{j}]" for j in range(1, order + 1)), "variance"]
    return AutoregressiveFit(
        StateSpaceModel(
            block.transition,
            block.covariance,
            block.observation,
            0.0,
            initial_covariance=block.initial,
            observation_offset=told[0],
        ),
        dict(zip(names, told.tolist(), strict=True)),
        spread,
        value - len(values) * float(np.log(scale)),
        len(values),
        converged and bool(np.isfinite(spread).all()),
        np.asarray(x, float),
    )


def _start(x: np.ndarray, order: int) -> np.ndarray:
    """Mean, partial autocorrelations of the sample by the recursion of Durbin and Levinson, and deviation."""
    lags = np.array([x[: len(x) - k] @ x[k:] for k in range(order + 1)]) / (x @ x)
    phi, left, found = np.zeros(0), 1.0, []
    for k in range(1, order + 1):
        partial_k = (lags[k] - phi @ lags[1:k][::-1]) / left
        phi = np.append(phi - partial_k * phi[::-1], partial_k)
        left *= max(1.0 - partial_k**2, 1e-6)
        found.append(float(_PARTIAL.to_real(float(np.clip(partial_k, -_FARTHEST, _FARTHEST)))))
    return np.array([0.0, *found, np.sqrt(left)])


def _values(theta: ArrayLike, scale: float = 1.0) -> dict[str, jax.Array]:
    """The part's numbers."""
    theta = jnp.asarray(theta)
    found = {f"partial[{j}]": _PARTIAL.from_real(theta[j]) for j in range(1, len(theta) - 1)}
    return found | {"variance": (theta[-1] * scale) ** 2}


@jax.jit
def _natural(theta: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean, coefficients and variance, and their derivatives."""

    def told(t: jax.Array) -> jax.Array:
        return jnp.concatenate([t[:1], coefficients(_PARTIAL.from_real(t[1:-1])), t[-1:] ** 2])

    return told(theta), jax.jacfwd(told)(theta)


def _matrices(part: Autoregressive, theta: jax.Array) -> Matrices:
    block = part.block(_values(theta))
    start = {"initial_covariance": block.initial, "observation_offset": theta[0]}
    return StateSpaceModel(block.transition, block.covariance, block.observation, 0.0, **start).matrices()


@partial(jax.jit, static_argnums=0)
@partial(jax.value_and_grad, argnums=1, has_aux=True)
def _profile(part: Autoregressive, theta: jax.Array, s: Series) -> tuple[jax.Array, jax.Array]:
    return profile(_matrices(part, theta), s.values, s.seen)


@partial(jax.jit, static_argnums=0)
def _expanded(part: Autoregressive, theta: jax.Array, s: Series) -> tuple[jax.Array, ...]:
    """The log-likelihood, its gradient and Hessian."""

    def value(t: jax.Array) -> jax.Array:
        return by_covariances(_matrices(part, t), s.values, s.seen)

    return *jax.value_and_grad(value)(theta), jax.hessian(value)(theta)
