"""Student's t: density, tails, their logarithms, and quantiles, from heavy tails to the normal limit."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from suffice.numerics.special.curve import Curve
from suffice.numerics.special.elementary import elementwise, log1mexp, log1p_square, log1pmx
from suffice.numerics.special.gamma import stirling_error
from suffice.numerics.special.incomplete_beta import log_betainc
from suffice.numerics.special.inverse_beta import betaincinv_pair, log_levels
from suffice.numerics.special.normal import erfinv, log_ndtr, ndtri_exp

_LOG_2 = 0.6931471805599453
_SQRT_2 = 1.4142135623730951
_HALF_LOG_2PI = 0.9189385332046728


def _limits(dtype: jnp.dtype) -> tuple[float, float]:
    """(df above which t is normal to the last digit, t/√df above which the tail is a power of t to the last digit)."""
    eps = float(jnp.finfo(dtype).eps)
    return eps**-2, float(jnp.finfo(dtype).max) ** 0.25


@elementwise()
def log_student_t_pdf(df: jax.Array, t: jax.Array) -> jax.Array:
    """Log-density of Student's t: log Γ((df + 1)/2) − log Γ(df/2) − ½ log(π df) − (df + 1)/2 log(1 + t²/df)."""
    normal = df > _limits(t.dtype)[0]
    nu = jnp.where(normal, 1, df)
    half = nu / 2
    # Γ(half + ½)/Γ(half) in Stirling's form: half log(1 + 1/(2 half)) − ½ = half log1pmx(1/nu)
    constant = half * log1pmx(1 / nu) + stirling_error(half + 0.5) - stirling_error(half) - _HALF_LOG_2PI
    return jnp.where(normal, -t * t / 2 - _HALF_LOG_2PI, constant - (half + 0.5) * log1p_square(t / jnp.sqrt(nu)))


def _log_upper(df: jax.Array, t: jax.Array) -> jax.Array:
    """log P(T > t) for t >= 0, as ½ I_x(df/2, ½) with x = df/(df + t²); a power of t where x would underflow."""
    limit, far = _limits(t.dtype)
    normal = df > limit
    nu = jnp.where(normal, 1, df)
    z = t / jnp.sqrt(nu)
    excess = jnp.maximum(z / far, 1)
    z = jnp.minimum(z, far)
    x = 1 / (1 + z * z)
    value = log_betainc(nu / 2, 0.5, x, z * z * x) - _LOG_2 - nu * jnp.log(excess)
    return jnp.where(normal, log_ndtr(-t), value)


def _abscissa(df: jax.Array, t: jax.Array) -> jax.Array:
    """asinh(t/√df)."""
    z = t / jnp.sqrt(df)
    return jnp.log1p(z + z * z / (1 + jnp.sqrt(1 + z * z)))


_CURVE = Curve(
    _log_upper,
    # to where the density has fallen by 45; the tail is even, and nothing looks left of 0
    ends=lambda df: (jnp.ones_like(df), jnp.arcsinh(jnp.sqrt(jnp.expm1(90 / (df + 1))))),
    abscissa=_abscissa,
    points=lambda df, u: (jnp.sqrt(df) * jnp.sinh(jnp.maximum(u, 0)),),
)


def _log_smaller(df: jax.Array, t: jax.Array) -> jax.Array:
    """log P(T > |t|), NaN where df or t are invalid."""
    valid = (df > 0) & ~jnp.isnan(t)
    return jnp.where(valid, _CURVE([jnp.where(df > 0, df, 1)], [jnp.where(valid, jnp.abs(t), 1)]), jnp.nan)


def _log_sf_value(df: jax.Array, t: jax.Array) -> jax.Array:
    upper = _log_smaller(df, t)
    return jnp.where(t < 0, log1mexp(jnp.minimum(upper, -_LOG_2)), upper)


def _in_df(function: Callable[..., jax.Array], df: jax.Array, t: jax.Array) -> jax.Array:
    df, t = jnp.broadcast_arrays(df, t)
    return jax.jvp(lambda nu: function(nu, t), (df,), (jnp.ones_like(df),))[1]


def _hazard(df: jax.Array, t: jax.Array) -> jax.Array:
    return jnp.exp(log_student_t_pdf(df, t) - log_student_t_sf(df, t))


@elementwise(
    lambda y, df, t: _in_df(lambda nu, t: _in_df(_log_sf_value, nu, t), df, t),
    lambda y, df, t: _hazard(df, t) * (y - _in_df(log_student_t_pdf, df, t)),
)
def _log_sf_in_df(df: jax.Array, t: jax.Array) -> jax.Array:
    return _in_df(_log_sf_value, df, t)


@elementwise(lambda y, df, t: _log_sf_in_df(df, t), lambda y, df, t: -_hazard(df, t))
def log_student_t_sf(df: jax.Array, t: jax.Array) -> jax.Array:
    """log P(T > t) for Student's t with df > 0 degrees of freedom; df = ∞ is the normal distribution.

    Upper tail ½ I_x(df/2, ½), x = df/(df + t²); the lower tail at t is the upper at −t.
    """
    return _log_sf_value(df, t)


@elementwise(
    lambda y, df, t: y * _log_sf_in_df(df, t),
    lambda y, df, t: -jnp.exp(log_student_t_pdf(df, t)),
)
def student_t_sf(df: jax.Array, t: jax.Array) -> jax.Array:
    """P(T > t) for Student's t with df > 0 degrees of freedom."""
    upper = jnp.exp(_log_smaller(df, t))
    return jnp.where(t < 0, 1 - upper, upper)


def _quantile(df: jax.Array, log_tail: jax.Array, log_rest: jax.Array) -> jax.Array:
    """t >= 0 with P(T > t) = exp(log_tail)/2, P(|T| < t) = exp(log_rest)."""
    normal = df > _limits(df.dtype)[0]
    nu = jnp.where(normal, 1, df)
    logit = betaincinv_pair(nu / 2, 0.5, log_tail, log_rest)[0]

    def limit(t: jax.Array) -> jax.Array:
        central = log_rest < log_tail
        near = _SQRT_2 * erfinv(jnp.exp(jnp.where(central, log_rest, -1)))
        far = -ndtri_exp(jnp.where(central, -1, log_tail) - _LOG_2)
        return jnp.where(normal, jnp.where(central, near, far), t)

    return lax.cond(jnp.any(normal), limit, lambda t: t, jnp.sqrt(nu) * jnp.exp(-logit / 2))


@elementwise(
    lambda t, df, q: _log_sf_in_df(df, t) / _hazard(df, t),
    lambda t, df, q: -jnp.exp(-log_student_t_pdf(df, t)),
)
def student_t_isf(df: jax.Array, q: jax.Array) -> jax.Array:
    """t with P(T > t) = q, for 0 <= q <= 1; NaN outside."""
    tail = 2 * jnp.minimum(q, 1 - q)
    t = _quantile(df, *log_levels(tail))
    return jnp.where(q > 0.5, -t, t)


@elementwise(
    lambda t, df, log_q: _log_sf_in_df(df, t) / _hazard(df, t),
    lambda t, df, log_q: -1 / _hazard(df, t),
)
def student_t_isf_log(df: jax.Array, log_q: jax.Array) -> jax.Array:
    """t with log P(T > t) = log_q, for log_q <= 0; NaN above."""
    upper = log_q <= -_LOG_2
    tail = jnp.where(upper, log_q, log1mexp(jnp.where(upper, -1, log_q))) + _LOG_2
    tail = jnp.minimum(tail, 0)
    t = _quantile(df, tail, log1mexp(tail))
    return jnp.where(upper, t, -t)
