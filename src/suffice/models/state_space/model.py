"""Linear Gaussian state space models as values."""

from dataclasses import dataclass, fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions.declaration import as_pytree
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import Normal
from suffice.models.state_space import compiled
from suffice.models.state_space.compiled import States
from suffice.models.state_space.likelihood import Matrices
from suffice.models.state_space.series import Series, series
from suffice.numerics.checks import is_traced
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True, eq=False)
class StateSpaceModel:
    """Linear Gaussian state space model.

        z_1 ~ N(initial_mean, initial_covariance)
        z_{t+1} = F z_t + state_offset + N(0, Q)
        x_t = H z_t + observation_offset + N(0, R)

    A coordinate of z_1 that is ``diffuse`` has a flat prior, exactly: the density is that of the data's contrasts that do
    not depend on it. Values that are NaN were not observed.

    Args:
        transition: F, (D, D).
        state_covariance: Q, (D, D), may be singular.
        observation: H, (P, D), or for each time (T, P, D); or (D,) for one observed number.
        noise_covariance: R, (P, P) or a number, may be 0.
        initial_mean: (D,), 0 by default.
        initial_covariance: (D, D); by default that of the stationary law of what is not diffuse.
        state_offset: (D,).
        observation_offset: (P,).
        diffuse: whether the first state is unknown: for all coordinates or each, (D,).

    Raises:
        ValueError: shapes that do not fit, covariances that are none, no stationary law where one is needed.

    Source: Durbin and Koopman 2012; de Jong 1991, doi:10.1214/aos/1176348139.

    Example:
        >>> import suffice as sf
        >>> level = sf.StateSpaceModel([[1.0]], [[0.5]], [1.0], 1.0, diffuse=True)
        >>> level.smooth([1.0, 2.0, float("nan"), 4.0]).mean[:, 0].round(4).tolist()
        [1.7692, 2.1538, 2.6154, 3.0769]
    """

    transition: Any
    state_covariance: Any
    observation: Any
    noise_covariance: Any
    initial_mean: Any = None
    initial_covariance: Any = None
    state_offset: Any = 0.0
    observation_offset: Any = 0.0
    diffuse: Any = False

    def __post_init__(self) -> None:
        f = jnp.asarray(self.transition, float)
        if f.ndim != 2 or f.shape[0] != f.shape[1] or not f.shape[0]:
            raise ValueError(f"StateSpaceModel.transition must be a square matrix, got shape {f.shape}")
        d = len(f)
        h = jnp.asarray(self.observation, float)
        h = h[None] if h.ndim == 1 else h
        if h.ndim not in (2, 3) or h.shape[-1] != d:
            raise ValueError(f"StateSpaceModel.observation must have shape (P, {d}), got {h.shape}")
        p = h.shape[-2]
        r = jnp.asarray(self.noise_covariance, float)
        r = r[None, None] if r.ndim == 0 else r
        unknown = np.broadcast_to(np.asarray(self.diffuse, bool), (d,))
        values = {
            "transition": f,
            "observation": h,
            "state_covariance": _covariance("state_covariance", self.state_covariance, d),
            "noise_covariance": _covariance("noise_covariance", r, p),
            "state_offset": _vector("state_offset", self.state_offset, d),
            "observation_offset": _vector("observation_offset", self.observation_offset, p),
            "initial_mean": _vector("initial_mean", 0.0 if self.initial_mean is None else self.initial_mean, d),
            "diffuse": tuple(bool(v) for v in unknown),
        }
        if self.initial_covariance is None:
            first = stationary(f, values["state_covariance"], ~unknown)
        else:
            first = _covariance("initial_covariance", self.initial_covariance, d)
        values["initial_covariance"] = first
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def states(self) -> int:
        """D."""
        return self.transition.shape[0]

    @property
    def observed(self) -> int:
        """P."""
        return self.observation.shape[-2]

    def matrices(self, length: int = 0) -> Matrices:
        """The model as the filter takes it, for as many times as a padded series has."""
        known = ~np.array(self.diffuse)
        columns = jnp.asarray(np.eye(self.states)[:, ~known])  # of what is diffuse
        h = self.observation
        if h.ndim == 3:
            h = jnp.pad(h, ((0, max(length - len(h), 0)), (0, 0), (0, 0)))
        return Matrices(
            self.transition,
            self.state_covariance,
            self.state_offset,
            h,
            self.noise_covariance,
            self.observation_offset,
            jnp.concatenate([(self.initial_mean * known)[:, None], columns], axis=1),
            self.initial_covariance * known[:, None] * known[None] + self._moved(~known),
        )

    def _moved(self, unknown: np.ndarray) -> jax.Array:
        """What D steps add to the covariance of what is diffuse, as if it had been so before them.

        A flat prior takes in any covariance: nothing depends on this one, but that the first innovation has a variance
        where observations have no noise. It is no larger than what is found out of these states, so no digits are lost.
        """
        both = unknown[:, None] * unknown[None]
        if not unknown.any():
            return jnp.zeros(both.shape)
        f, q = (jax.lax.stop_gradient(m) * both for m in (self.transition, self.state_covariance))
        return jax.lax.fori_loop(0, self.states - 1, lambda _, p: f @ p @ f.T + q, q)

    # -- likelihood and states --------------------------------------------------------------------------------------

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """log p(x) of a series (T,) or (T, P); differentiable in every matrix."""
        s = self._series(x)
        return compiled.log_prob(self, s.values, s.seen)

    def filter(self, x: ArrayLike, *, parallel: bool | None = None) -> States:
        """States given the observations up to each time.

        Args:
            x: series, (T,) or (T, P), NaN where nothing was observed.
            parallel: in time, by associative scans; by default on accelerators. Where these would lose digits, as where
                a trend is seen almost without noise, the filter goes one time after the other all the same.
        """
        s = self._series(x)
        return _trimmed(compiled.filter(self, s.values, s.seen, _chosen(parallel)), s)

    def smooth(self, x: ArrayLike, *, parallel: bool | None = None) -> States:
        """States given all observations.

        Raises:
            DataError: the observations do not determine what is diffuse.
        """
        s = self._series(x)
        found, whole = compiled.smooth(self, s.values, s.seen, _chosen(parallel))
        _checked(whole)
        return _trimmed(found, s)

    def residuals(self, x: ArrayLike) -> jax.Array:
        """One-step prediction errors, whitened: independent standard normal if the model is true; (T, P)."""
        s = self._series(x)
        return compiled.residuals(self, s.values, s.seen)[: s.length]

    def forecast(self, x: ArrayLike, steps: int) -> Normal | MultivariateNormal:
        """Law of the next observations at each of ``steps`` times after the series; its ``icdf`` gives bands."""
        if steps < 1:
            raise ValueError(f"steps must be >= 1, got {steps}")
        if self.observation.ndim == 3:
            raise ValueError("forecasts need observation as one matrix (P, D)")
        s = self._series(x)
        values = jnp.concatenate([s.values[: s.length], jnp.full((steps, self.observed), jnp.nan)])
        states = self.smooth(values)
        at = jax.tree.map(lambda v: v[-steps:], (states.mean, states.covariance))
        return self.of_states(*at)

    def of_states(self, mean: jax.Array, covariance: jax.Array) -> Normal | MultivariateNormal:
        """Law of observations with the given laws of states."""
        h = self.observation
        h = h[None] if h.ndim == 2 else h
        loc = (h @ mean[..., None])[..., 0]
        spread = h @ covariance @ jnp.swapaxes(h, -1, -2) + self.noise_covariance[None]
        loc = loc + self.observation_offset[None]
        if self.observed == 1:
            return Normal(loc[:, 0], jnp.sqrt(spread[:, 0, 0]))
        return MultivariateNormal(loc, spread)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def sample(self, length: int, shape: tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Series of ``length`` times, shape (*shape, T) or (*shape, T, P).

        Raises:
            ValueError: the first state is diffuse, so that there is no law to draw from.
        """
        if any(self.diffuse):
            raise ValueError(
                "a model with a diffuse start has no law to draw from: give initial_mean and initial_covariance"
            )
        values = compiled.draw(self, as_key(rng), int(np.prod(shape)), length)[1]
        values = values[..., 0] if self.observed == 1 else values
        return values.reshape(*shape, *values.shape[1:])

    def sample_states(self, x: ArrayLike, shape: tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Draws of the states given a series, (*shape, T, D) (Durbin and Koopman 2002, doi:10.1093/biomet/89.3.603)."""
        s = self._series(x)
        known = replace(self, diffuse=False, initial_covariance=self.matrices().covariance)
        states, values = compiled.draw(known, as_key(rng), int(np.prod(shape)), len(s.values))
        away = jax.vmap(lambda z, y: z - compiled.smooth(self, y, s.seen, False)[0].mean)(states, values)
        mean = self.smooth(x).mean
        return (mean[None] + away[:, : s.length]).reshape(*shape, *mean.shape)

    # -- data -------------------------------------------------------------------------------------------------------

    def _series(self, x: ArrayLike) -> Series:
        s = series(x, self.observed)
        if self.observation.ndim == 3 and self.observation.shape[0] != s.length:
            raise ValueError(
                f"observation must have a matrix for each time, {s.length}, got {self.observation.shape[0]}"
            )
        return s


as_pytree(
    StateSpaceModel,
    [f.name for f in fields(StateSpaceModel) if f.name != "diffuse"],
    ["diffuse"],
)


def stationary(f: jax.Array, q: jax.Array, which: np.ndarray) -> jax.Array:
    """Covariance of the stationary law of some coordinates: P = F P Fᵀ + Q, by squaring; 0 elsewhere."""
    if not which.any():
        return jnp.zeros_like(q)
    f, q = f * which[:, None] * which[None], q * which[:, None] * which[None]
    if not is_traced(f) and np.abs(np.linalg.eigvals(np.asarray(f))).max() >= 1.0 - 1e-12:
        raise ValueError("StateSpaceModel: the states have no stationary law: give initial_covariance, or diffuse=True")

    def double(_: int, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        f, p = now
        return f @ f, p + f @ p @ f.T

    return jax.lax.fori_loop(0, 45, double, (f, q))[1]


def _covariance(name: str, value: Any, size: int) -> jax.Array:
    value = jnp.asarray(value, float)
    if value.shape != (size, size):
        raise ValueError(f"StateSpaceModel.{name} must have shape ({size}, {size}), got {value.shape}")
    if not is_traced(value):
        host = np.asarray(value)
        unit = np.sqrt(np.maximum(np.diagonal(host), 0.0))
        unit = np.where(unit > 0, unit, 1.0)
        scaled = host / unit[:, None] / unit
        if not np.isfinite(host).all() or np.abs(scaled - scaled.T).max() > 1e-8:
            raise ValueError(f"StateSpaceModel.{name} must be symmetric and finite, got {host.tolist()}")
        lowest = np.linalg.eigvalsh(scaled).min()
        if lowest < -1e-10 * size:
            raise ValueError(f"StateSpaceModel.{name} must be positive semidefinite, got an eigenvalue of {lowest:.3g}")
    return value


def _vector(name: str, value: Any, size: int) -> jax.Array:
    value = jnp.asarray(value, float)
    if value.ndim > 1 or (value.ndim == 1 and value.shape != (size,)):
        raise ValueError(f"StateSpaceModel.{name} must have shape ({size},), got {value.shape}")
    return jnp.broadcast_to(value, (size,))


def _chosen(wanted: bool | None) -> bool:
    return jax.default_backend() != "cpu" if wanted is None else wanted


def _checked(whole: jax.Array) -> None:
    if not is_traced(whole) and not bool(whole):
        raise DataError(
            "the observations do not determine the first state where it is diffuse: there are too few of them"
        )


def _trimmed(states: States, s: Series) -> States:
    return states._replace(mean=states.mean[: s.length], covariance=states.covariance[: s.length])
