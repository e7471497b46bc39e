"""Marcum's Q: tails of the length of a normal vector of dimension 2m, unit variances, and mean of length a."""

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise
from suffice.numerics.special.noncentral_chi_squared import log_noncentral_chi_squared_tail


def _log_tail(m: jax.Array, a: jax.Array, b: jax.Array, upper: float) -> jax.Array:
    inside = (m > 0.0) & (a >= 0.0) & (b > 0.0) & (b < jnp.inf)
    m, a, at = jnp.where(inside, m, 1.0), jnp.where(inside, a, 1.0), jnp.where(inside, b, 1.0)
    trace = float(jnp.finfo(b.dtype).tiny) ** 0.9  # takes 0 out of the formulae
    value = log_noncentral_chi_squared_tail(2.0 * m, a * a + trace, at * at + trace, upper)
    certain = b == (0.0 if upper else jnp.inf)
    impossible = b == (jnp.inf if upper else 0.0)
    return jnp.where(inside, value, jnp.where(certain, 0.0, jnp.where(impossible, -jnp.inf, jnp.nan)))


@elementwise()
def log_marcum_q(m: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """log Q_m(a, b)."""
    return _log_tail(m, a, b, 1.0)


@elementwise()
def log_marcum_p(m: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """log(1 − Q_m(a, b))."""
    return _log_tail(m, a, b, 0.0)


@elementwise()
def marcum_q(m: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """Q_m(a, b) = ∫ x (x/a)^(m−1) exp(−(x² + a²)/2) I_{m−1}(ax) dx over x > b, for m > 0, a >= 0, b >= 0; NaN elsewhere.

    It is P(X > b²) for a noncentral chi-squared X with 2m degrees of freedom and noncentrality a².
    """
    return jnp.exp(_log_tail(m, a, b, 1.0))


@elementwise()
def marcum_p(m: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """1 − Q_m(a, b), exact where it is small."""
    return jnp.exp(_log_tail(m, a, b, 0.0))
