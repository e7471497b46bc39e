"""The ratio of uniforms: a density as the shape of a region in the plane."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.variates import accept_reject, uniform
from suffice.runtime.rng import RNG, as_key

_ROUNDS = 60  # of the search for an extremum, each four times finer
_TRIALS = 1 << 16


@dataclass(frozen=True)
class RatioOfUniforms:
    """Draws by the ratio of uniforms.

    Attributes:
        draws: of the shape asked for.
        acceptance: rate of acceptance, half of Z over the area of the rectangle.
        log_normaliser: log Z, Z = ∫ exp(log_density).
        rectangle: (left, right, log height): extrema of v in units of the largest u, and its logarithm.
    """

    draws: jax.Array
    acceptance: Estimate
    log_normaliser: Estimate
    rectangle: tuple[float, float, float]


def ratio_of_uniforms(
    log_density: Callable[[jax.Array], jax.Array],
    shape: int | tuple[int, ...] = (),
    *,
    rng: RNG,
    centre: float = 0.0,
    lower: float = -np.inf,
    upper: float = np.inf,
) -> RatioOfUniforms:
    """Exact draws: x = c + v/u for (u, v) uniform in {0 < u <= √p(c + v/u)} has the density ∝ p = exp(log_density).

    The region lies in a rectangle: u <= sup √p, and v between the extrema of (x − c)√p, which exist where the tails
    fall at least like x⁻². c is the mode.

    Args:
        log_density: logarithm of p, elementwise, in JAX; with one maximum, as must have (x − c)√p on either side of it
            (true of log-concave densities, Student's t, and all with −1/√p concave).
        shape: of the draws.
        centre: a point inside the support, from which the mode is looked for.
        lower, upper: ends of the support.

    Raises:
        ValueError: the tails are too heavy, or the density is not finite at ``centre``.

    Source: Kinderman and Monahan (1977).

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> found = sf.ratio_of_uniforms(lambda x: -jnp.log1p(x**2), 1000, rng=0)  # Cauchy
        >>> found.draws.shape, round(float(found.acceptance), 2)  # π/4
        ((1000,), 0.79)
    """
    if not lower < centre < upper:
        raise ValueError(f"centre must lie between lower and upper, got {centre:g}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)

    def log_p(x: Any) -> np.ndarray:
        values = np.asarray(_values(jnp.asarray(x), log_density))
        return np.where(np.isnan(values), -np.inf, values)

    if not np.isfinite(log_p(np.full(_WIDTH, centre))[0]):
        raise ValueError(f"log_density must be finite at centre, got {log_p(np.full(_WIDTH, centre))[0]:g}")
    mode, log_height = _highest(log_p, centre, lower, upper)
    sides = []
    for sign, end in ((-1.0, lower), (1.0, upper)):

        def reach(x: np.ndarray, sign: float = sign) -> np.ndarray:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.log(np.maximum(sign * (x - mode), 0.0)) + 0.5 * (log_p(x) - log_height)

        low, high = (mode, upper) if sign > 0 else (lower, mode)
        if not low < high:
            sides.append(0.0)
            continue
        _, log_reach = _highest(reach, mode, low, high)
        far = reach(
            np.clip(mode + sign * np.full(_WIDTH, 1.0) * np.where(np.arange(_WIDTH) % 2, 1e120, 1e100), low, high)
        )
        if not math.isfinite(log_reach) or far[1] > far[0] + 1e-6:  # it grows for ever
            raise ValueError(f"log_density falls too slowly towards {end:g}: its tail must be lighter than 1/x²")
        sides.append(sign * math.exp(log_reach))
    left, right = sides
    arguments = jnp.asarray([mode, log_height, left, right, lower, upper])
    key, trial = jax.random.split(as_key(rng))
    draws = _draw(key, arguments, log_density, shape)
    accepted = np.asarray(_pairs(trial, (_TRIALS,), arguments, log_density)[1])
    rate = float(accepted.mean())
    error = math.sqrt(rate * (1.0 - rate) / _TRIALS)
    log_area = math.log(2.0 * (right - left)) + log_height  # u is drawn in units of its height
    return RatioOfUniforms(
        draws,
        Estimate(rate, error, MONTE_CARLO),
        Estimate(log_area + math.log(rate), error / rate, MONTE_CARLO),
        (left, right, 0.5 * log_height),
    )


_WIDTH = 601  # points of one look


@functools.partial(jax.jit, static_argnums=1)
def _values(x: jax.Array, log_density: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return log_density(x)


def _highest(f: Callable[[np.ndarray], np.ndarray], start: float, lower: float, upper: float) -> tuple[float, float]:
    """The place of the maximum of a unimodal function, and the maximum: first at all distances from the start."""
    half = _WIDTH // 2
    away = 10.0 ** np.linspace(-20.0, 300.0, half)
    x = np.clip(np.concatenate([start - away[::-1], [start], start + away]), lower, upper)
    best, height = start, -np.inf
    for _ in range(_ROUNDS):
        with np.errstate(all="ignore"):
            values = f(x)
        i = int(np.argmax(values))
        if values[i] > height:
            best, height = float(x[i]), float(values[i])
        low, high = x[max(i - 1, 0)], x[min(i + 1, len(x) - 1)]
        if not high - low > 4.0 * np.finfo(float).eps * abs(best):
            break
        x = np.linspace(low, high, _WIDTH)
    return best, height


def _pairs(
    key: jax.Array, shape: tuple[int, ...], arguments: jax.Array, log_density: Callable[[jax.Array], jax.Array]
) -> tuple[jax.Array, jax.Array]:
    mode, log_height, left, right, lower, upper = arguments
    first, second = jax.random.split(key)
    u = uniform(first, shape)
    x = mode + (left + (right - left) * uniform(second, shape)) / u
    inside = (x >= lower) & (x <= upper)
    return x, inside & (2.0 * jnp.log(u) <= log_density(jnp.where(inside, x, mode)) - log_height)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _draw(
    key: jax.Array, arguments: jax.Array, log_density: Callable[[jax.Array], jax.Array], shape: tuple[int, ...]
) -> jax.Array:
    return accept_reject(key, shape, lambda key, shape: _pairs(key, shape, arguments, log_density))
