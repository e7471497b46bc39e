"""Estimating state space models: the numbers of a structure by Newton's method, whole matrices by EM."""

from dataclasses import dataclass
from functools import cache, partial
from statistics import NormalDist
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions.normal import Normal
from suffice.models.state_space.compiled import States
from suffice.models.state_space.fitted import Fitted
from suffice.models.state_space.likelihood import Matrices, by_covariances, profile
from suffice.models.state_space.model import StateSpaceModel
from suffice.models.state_space.search import search
from suffice.models.state_space.series import Series, series
from suffice.models.state_space.structure import Structure, assemble, labelled, numbers_of
from suffice.numerics import domain
from suffice.numerics.newton import second_order
from suffice.runtime.errors import DataError

_NOTHING = 1e-7  # a deviation of a part of the series' own, that is none


@dataclass(frozen=True, eq=False)
class StateSpaceFit(Fitted):
    """A structure fitted to a series.

    Attributes:
        structure: the parts.
        model: the ``StateSpaceModel`` at the estimates.
        parameters: estimates by name; variances in squares of the series' unit.
        covariance: of the estimates, in the order of ``parameters``; NaN for those on the boundary.
        log_likelihood: with what is diffuse integrated out.
        count: number of values observed.
        converged: whether the search ended where the gradient is 0, and the curvature right.
        boundary: names of variances estimated as 0.
        values: the series.
    """

    structure: Structure
    model: StateSpaceModel
    parameters: dict[str, float]
    covariance: np.ndarray
    log_likelihood: float
    count: int
    converged: bool
    boundary: tuple[str, ...]
    values: np.ndarray

    @property
    def standard_errors(self) -> dict[str, float]:
        """From the observed information; NaN on the boundary."""
        with np.errstate(invalid="ignore"):
            return dict(zip(self.parameters, np.sqrt(np.diagonal(self.covariance)).tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion; what is diffuse counts as estimated."""
        return -2.0 * self.log_likelihood + 2.0 * self._estimated

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return -2.0 * self.log_likelihood + np.log(self.count) * self._estimated

    @property
    def _estimated(self) -> int:
        return len(self.parameters) + sum(self.model.diffuse)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Wald intervals on the unconstrained scale, of variances on that of their logarithm."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        reach, kinds = float(NormalDist().inv_cdf(0.5 + level / 2.0)), _kinds(self.structure, self.parameters)
        found = {}
        for (name, value), error in zip(self.parameters.items(), self.standard_errors.values(), strict=True):
            kind = domain.positive if kinds[name] is domain.non_negative else kinds[name]
            if not np.isfinite(error):
                found[name] = (float("nan"), float("nan"))
                continue
            at, slope = kind.to_real(value), float(jax.grad(kind.to_real)(value))
            ends = [float(kind.from_real(at + side * reach * abs(slope) * error)) for side in (-1.0, 1.0)]
            found[name] = (ends[0], ends[1])
        return found

    def smooth(self) -> States:
        """States given the whole series."""
        return self.model.smooth(self.values)

    def components(self) -> dict[str, Normal]:
        """Law of what each part adds to the series at each time, given all of it.

        Where that is known exactly, as without noise, the deviation is the least number above 0.
        """
        states, first, found = self.smooth(), 0, {}
        for name, part in labelled(self.structure).items():
            length = _shape(part)[0]
            at = slice(first, first + length)
            h = self.model.observation[0, at]
            spread = jnp.einsum("d,tde,e->t", h, states.covariance[:, at, at], h)
            found[name] = Normal(states.mean[:, at] @ h, jnp.sqrt(jnp.maximum(spread, jnp.finfo(spread.dtype).tiny)))
            first += length
        return found

    def __repr__(self) -> str:
        errors = self.standard_errors
        told = ", ".join(
            f"{name} = {value:.6g}" + (f" ± {errors[name]:.2g}" if np.isfinite(errors[name]) else " (boundary)")
            for name, value in self.parameters.items()
        )
        end = "" if self.converged else ", did not converge"
        return f"StateSpaceFit({told}; log-likelihood {self.log_likelihood:.6g}, AIC {self.aic:.6g}{end})"


def fit_state_space(structure: Structure, x: ArrayLike, *, noise: bool = True) -> StateSpaceFit:
    """Fit a structural time series by maximum likelihood: level, trend, seasons, cycles, autoregressions, and noise.

    The likelihood is exact, with a flat prior on what starts unknown; it is maximised by Newton's method over
    deviations, which may be 0, from several starts.

    Args:
        structure: parts added up: ``sf.LocalLevel() + sf.Seasonal(12)``.
        x: series of numbers, (T,), NaN where nothing was observed.
        noise: whether there is noise of the observations besides.

    Returns:
        A ``StateSpaceFit``: estimates with errors, states, components, forecasts.

    Raises:
        DataError: too few observations, a constant series, infinite values.

    Source: Harvey 1989; Durbin and Koopman 2012.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.cumsum(np.random.default_rng(0).normal(size=200)) + np.random.default_rng(1).normal(size=200)
        >>> fit = sf.fit_state_space(sf.LocalLevel(), x)
        >>> {name: round(v, 2) for name, v in fit.parameters.items()}
        {'level.variance': 1.13, 'noise.variance': 0.6}
    """
    if not isinstance(structure, Structure):
        raise TypeError(f"structure must be made of parts such as sf.LocalLevel(), got {type(structure).__name__}")
    s = series(x, 1)
    seen = np.asarray(s.seen)[:, 0] > 0
    values = np.asarray(s.values)[seen, 0]
    kinds = numbers_of(structure, noise)
    unknown = sum(size for size, starts_unknown in map(_shape, structure.parts) if starts_unknown)
    if len(values) <= unknown + len(kinds):
        raise DataError(
            f"the series has {len(values)} values, too few for {len(kinds)} parameters and {unknown} unknown first states"
        )
    scale = float(values.std())
    if not scale > 1e-12 * np.abs(values).max():
        raise DataError(f"the series is constant: all of its {len(values)} values are {values[0]:.6g}")
    centre = float(values.mean()) if unknown else 0.0
    unit = s._replace(values=jnp.where(s.seen > 0, (s.values - centre) / scale, 0.0))
    is_variance = np.array([kind is domain.non_negative for kind in kinds.values()])
    theta, value, hessian, converged = search(
        lambda theta: _profile(structure, noise, theta, unit),
        lambda theta: _expanded(structure, noise, theta, unit),
        _starts(kinds),
        is_variance,
    )
    if not np.isfinite(theta).all():
        told = " + ".join(map(repr, structure.parts))
        raise DataError(
            f"the likelihood of {told} is not finite: the series does not tell the parts' first states apart"
        )
    gone = is_variance & (np.abs(theta) < _NOTHING)
    theta = np.where(gone, 0.0, theta)
    slopes = np.array([
        2.0 * v * scale**2 if k is domain.non_negative else float(jax.grad(k.from_real)(float(v)))
        for v, k in zip(theta, kinds.values(), strict=True)
    ])  # fmt: skip
    inside = ~gone
    covariance = np.full((len(theta), len(theta)), np.nan)
    curvature = hessian[np.ix_(inside, inside)]
    proper = bool(np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature).min(initial=np.inf) > 0)
    if proper:
        covariance[np.ix_(inside, inside)] = np.linalg.inv(curvature) * np.outer(slopes[inside], slopes[inside])
    parameters = {n: float(v) for n, v in _values(kinds, theta, scale).items()}
    model = assemble(structure, parameters)
    log_likelihood = value - (len(values) - unknown) * np.log(scale)
    return StateSpaceFit(
        structure,
        model,
        parameters,
        covariance,
        log_likelihood,
        len(values),
        converged and proper,
        tuple(name for name, at in zip(kinds, gone, strict=True) if at),
        np.asarray(x, float),
    )


def _values(kinds: dict[str, Any], theta: Any, scale: float = 1.0) -> dict[str, Any]:
    """Numbers from unconstrained ones: variances are squares of deviations of either sign."""
    return {
        name: theta[i] ** 2 * scale**2 if kind is domain.non_negative else kind.from_real(theta[i])
        for i, (name, kind) in enumerate(kinds.items())
    }


def _kinds(structure: Structure, parameters: dict[str, float]) -> dict[str, Any]:
    return numbers_of(structure, "noise.variance" in parameters)


@cache
def _shape(part: Structure) -> tuple[int, bool]:
    """The number of a part's states, and whether they start unknown."""
    block = part.block({name: kind.interior() for name, kind in part.numbers().items()})
    return len(block.observation), block.initial is None


def _starts(kinds: dict[str, Any]) -> np.ndarray:
    """Points from which to search: noise or movement large, each period tried."""
    names = list(kinds)
    found = []
    for quiet, loud in ((0.1, 0.7), (0.5, 0.5), (0.7, 0.1)):
        for part in range(5):
            theta = np.zeros(len(names))
            for i, (name, kind) in enumerate(kinds.items()):
                if kind is domain.non_negative:
                    theta[i] = loud if name == "noise.variance" else quiet
                elif name.endswith("period"):
                    theta[i] = float(kind.to_real(2.0 + (kind.upper - 2.0) ** ((part + 1.0) / 6.0)))
                elif name.endswith("damping"):
                    theta[i] = 2.0
            found.append(theta)
    return np.unique(found, axis=0)


def _matrices(structure: Structure, noise: bool, theta: jax.Array) -> Matrices:
    return assemble(structure, _values(numbers_of(structure, noise), theta)).matrices()


@partial(jax.jit, static_argnums=(0, 1))
@partial(jax.value_and_grad, argnums=2, has_aux=True)
def _profile(structure: Structure, noise: bool, theta: jax.Array, s: Series) -> tuple[jax.Array, jax.Array]:
    return profile(_matrices(structure, noise, theta), s.values, s.seen)


@partial(jax.jit, static_argnums=(0, 1))
def _expanded(structure: Structure, noise: bool, theta: jax.Array, s: Series) -> tuple[jax.Array, ...]:
    """The log-likelihood, its gradient and Hessian."""
    return second_order(lambda t: by_covariances(_matrices(structure, noise, t), s.values, s.seen), theta)
