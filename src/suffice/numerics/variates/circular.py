"""Variates on the circle."""

import functools

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from suffice.numerics.variates.blocks import arguments
from suffice.numerics.variates.elementary import two_tailed, uniform
from suffice.numerics.variates.rejection import accept_reject


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def von_mises(
    key: jax.Array,
    concentration: ArrayLike,
    shape: tuple[int, ...] | None = None,
    dtype: DTypeLike | None = None,
) -> jax.Array:
    """Von Mises variates around 0, density exp(κ cos θ)/(2π I₀(κ)), in [−π, π].

    Args:
        key: a JAX key.
        concentration: κ >= 0, broadcasts to `shape`; NaN is returned elsewhere.
        shape: of the result; the concentration's if None.
        dtype: float32 or float64; the concentration's if None.

    Method: rejection from a wrapped Cauchy law (Best and Fisher 1979, doi:10.2307/2346732), in half-angles, so that
    large κ loses no digits.
    """
    shape, (kappa,) = arguments(shape, dtype, concentration)
    valid = (kappa >= 0) & (kappa < jnp.inf)
    angle = accept_reject(key, shape, _best_fisher, jnp.where(valid, kappa, 1))
    return jnp.where(valid, angle, jnp.where(kappa == jnp.inf, 0, jnp.nan))


def _best_fisher(key: jax.Array, shape: tuple[int, ...], kappa: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Propose an angle from the wrapped Cauchy law of concentration ρ; accepted with probability .66 and more.

    ρ = (τ − √2τ)/(2κ), τ = 1 + √(1 + 4κ²). Target over proposal is c exp(1 − c) times its largest value, with
    c = κ/(2ρ)·(1 + ρ² − 2ρ cos θ).
    """
    first, second = jax.random.split(key)
    root = jnp.hypot(1, 2 * kappa)
    tau = jnp.sqrt(1 + root)
    ratio = (1 + root) * (tau + 2**0.5) / (2 * tau)  # κ/ρ
    rho = kappa / ratio
    large = jnp.maximum(kappa, 1)
    gap = jnp.where(kappa < 1, 1 - rho, (2**0.5 * tau - 1 - 1 / (root + 2 * large)) / (2 * large))  # 1 − ρ
    w, upper = two_tailed(first, shape, kappa.dtype)
    tangent = gap / (2 - gap) / jnp.tan(jnp.pi * w)  # of half the angle
    sine2 = tangent * tangent / (1 + tangent * tangent)
    c = ratio / 2 * (gap * gap + 4 * rho * sine2)
    angle = 2 * jnp.arctan(jnp.where(upper, tangent, -tangent))
    return angle, uniform(second, shape, kappa.dtype) <= c * jnp.exp(1 - c)
