"""Kullback–Leibler divergences of distributions of numbers, each a sum of terms >= 0 in which nothing cancels."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.beta import Beta
from suffice.distributions.beta_prime import BetaPrime
from suffice.distributions.chi import Chi, ChiSquared
from suffice.distributions.extreme import Rayleigh, Weibull
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.half import HalfCauchy, HalfNormal, Maxwell
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.location_scale import EULER_GAMMA, Gumbel, Laplace
from suffice.distributions.log_uniform import LogUniform
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.student_t import Cauchy
from suffice.distributions.uniform import Pareto, Uniform
from suffice.distributions.von_mises import VonMises
from suffice.inference.divergence.pairs import kin_of, kl_of
from suffice.numerics.special.convexity import (
    gap_along,
    log_gamma_gap,
    log_quotient,
    ratio_gap,
    square_gap,
    stirling_gap,
)
from suffice.numerics.special.elementary import expm1mx
from suffice.numerics.special.gamma import gammaln1p
from suffice.numerics.special.von_mises import log_circle_mass, resultant_gap


def _gap(a: jax.Array, b: jax.Array) -> jax.Array:
    """a/b − 1 − log(a/b)."""
    return ratio_gap(a / b, (a - b) / b)


def _gap_of_squares(a: jax.Array, b: jax.Array) -> jax.Array:
    """(a/b)² − 1 − 2 log(a/b)."""
    return square_gap(a / b, (a - b) / b)


@kl_of(Normal, Normal)
def normal(p: Any, q: Any) -> jax.Array:
    """½ (r − 1 − log r) + ½ ((loc_p − loc_q)/scale_q)², r the ratio of variances."""
    return 0.5 * (_gap_of_squares(p.scale, q.scale) + ((p.loc - q.loc) / q.scale) ** 2)


@kl_of(Exponential, Exponential)
def exponential(p: Any, q: Any) -> jax.Array:
    return _gap(q.rate, p.rate)


@kl_of(Gamma, Gamma)
def gamma(p: Any, q: Any) -> jax.Array:
    """The gap of log Γ(a) − a log a + a, and a_q (r − 1 − log r) with r the ratio of means."""
    a, b = p.concentration, q.concentration
    excess = (a - b) / b * (q.rate / p.rate) + (q.rate - p.rate) / p.rate
    return stirling_gap(a, b, b - a) + b * ratio_gap(a / b * (q.rate / p.rate), excess)


@kl_of(Weibull, Weibull)
def weibull(p: Any, q: Any) -> jax.Array:
    """That of Gumbels, since −log X is one with location −log scale and scale 1/concentration."""
    a, b = p.concentration, q.concentration
    return _gumbel(b / a, (b - a) / a, b * log_quotient(p.scale, q.scale))


@kl_of(Exponential, Weibull)
def exponential_to_weibull(p: Any, q: Any) -> jax.Array:
    return weibull(_as_weibull(p), q)


@kl_of(Weibull, Exponential)
def weibull_to_exponential(p: Any, q: Any) -> jax.Array:
    return weibull(p, _as_weibull(q))


def _as_weibull(p: Any) -> Any:
    return Weibull(jnp.ones_like(p.rate), 1.0 / p.rate)


@kl_of(Gumbel, Gumbel)
def gumbel(p: Any, q: Any) -> jax.Array:
    return _gumbel(p.scale / q.scale, (p.scale - q.scale) / q.scale, (q.loc - p.loc) / q.scale)


def _gumbel(ratio: jax.Array, step: jax.Array, shift: jax.Array) -> jax.Array:
    """exp(w) − 1 − w and the gap of log Γ from 1 to r, the ratio of scales, with w = shift + log Γ(1 + r), r = 1 + step."""
    one = jnp.ones_like(ratio)
    gap = log_gamma_gap(one, ratio, step)
    return expm1mx(shift + _log_gamma_after(ratio, step, gap)) + gap


def _log_gamma_after(ratio: jax.Array, step: jax.Array, gap: jax.Array) -> jax.Array:
    """log Γ(1 + r) by the gap of log Γ from 1 to r = 1 + step, exact near its zero r = 1, where that is near."""
    near = jnp.abs(step) < 0.5
    inner = jnp.where(near, step, 0.0)
    return jnp.where(near, jnp.log1p(inner) - EULER_GAMMA * inner + gap, gammaln1p(jnp.where(near, 1.0, ratio)))


@kl_of(Laplace, Laplace)
def laplace(p: Any, q: Any) -> jax.Array:
    return _gap(p.scale, q.scale) + p.scale / q.scale * expm1mx(-jnp.abs(p.loc - q.loc) / p.scale)


@kl_of(Cauchy, Cauchy)
def cauchy(p: Any, q: Any) -> jax.Array:
    """log(((γ_p + γ_q)² + (x_p − x_q)²)/(4 γ_p γ_q)). Source: Chyzak and Nielsen (2019)."""
    return jnp.log1p(((p.scale - q.scale) / p.scale * ((p.scale - q.scale) / q.scale) + _square(p, q)) / 4.0)


def _square(p: Any, q: Any) -> jax.Array:
    return (p.loc - q.loc) / p.scale * ((p.loc - q.loc) / q.scale)


@kl_of(HalfCauchy, HalfCauchy)
def half_cauchy(p: Any, q: Any) -> jax.Array:
    return jnp.log1p((p.scale - q.scale) / p.scale * ((p.scale - q.scale) / q.scale) / 4.0)


@kl_of(HalfNormal, HalfNormal)
def half_normal(p: Any, q: Any) -> jax.Array:
    return 0.5 * _gap_of_squares(p.scale, q.scale)


@kl_of(Rayleigh, Rayleigh)
def rayleigh(p: Any, q: Any) -> jax.Array:
    return _gap_of_squares(p.scale, q.scale)


@kl_of(Maxwell, Maxwell)
def maxwell(p: Any, q: Any) -> jax.Array:
    return 1.5 * _gap_of_squares(p.scale, q.scale)


@kl_of(Pareto, Pareto)
def pareto(p: Any, q: Any) -> jax.Array:
    """a_q/a_p − 1 − log(a_q/a_p) + a_q log(m_p/m_q), infinite where m_p < m_q."""
    inside = p.scale >= q.scale
    rise = jnp.log1p(jnp.where(inside, (p.scale - q.scale) / q.scale, 0.0))
    return jnp.where(inside, _gap(q.concentration, p.concentration) + q.concentration * rise, jnp.inf)


def _between(p_ends: tuple[Any, Any], q_ends: tuple[Any, Any]) -> jax.Array:
    """log of the ratio of lengths, where one interval lies inside the other; else infinity."""
    (a, b), (c, d) = p_ends, q_ends
    inside = (c <= a) & (b <= d)
    longer = jnp.where(inside, ((a - c) + (d - b)) / (b - a), 0.0)
    return jnp.where(inside, jnp.log1p(longer), jnp.inf)


@kl_of(Uniform, Uniform)
def uniform(p: Any, q: Any) -> jax.Array:
    return _between((p.low, p.high), (q.low, q.high))


@kl_of(LogUniform, LogUniform)
def log_uniform(p: Any, q: Any) -> jax.Array:
    inside = (q.low <= p.low) & (p.high <= q.high)
    low, high = (jnp.log1p(jnp.where(inside, v, 0.0)) for v in ((p.low - q.low) / q.low, (q.high - p.high) / p.high))
    return jnp.where(inside, jnp.log1p((low + high) / jnp.log(p.high / p.low)), jnp.inf)


@kl_of(InverseGaussian, InverseGaussian)
def inverse_gaussian(p: Any, q: Any) -> jax.Array:
    """½ (r − 1 − log r) + λ_q (μ_p − μ_q)²/(2 μ_p μ_q²), r = λ_q/λ_p."""
    step = (p.loc - q.loc) / q.loc
    return 0.5 * (_gap(q.concentration, p.concentration) + q.concentration / p.loc * step**2)


@kl_of(VonMises, VonMises)
def von_mises(p: Any, q: Any) -> jax.Array:
    """The gap of log I₀ from κ_p to κ_q, and A(κ_p) κ_q (1 − cos(μ_p − μ_q)), A = I₁/I₀."""
    k, l = p.concentration, q.concentration
    near = (l < 1.5 * k) & (k < 1.5 * l)
    step = jnp.where(near, l - k, 0.0)
    along = gap_along(log_circle_mass, k, step)  # exp(−κ) is linear in its logarithm, which no gap sees
    far = jnp.where(near, k, l)
    direct = log_circle_mass(far) - log_circle_mass(k) + resultant_gap(k) * (far - k)
    turned = 2.0 * jnp.sin(0.5 * (p.loc - q.loc)) ** 2
    return jnp.where(near, along, direct) + (1.0 - resultant_gap(k)) * l * turned


@kl_of(Beta, Beta)
def beta(p: Any, q: Any) -> jax.Array:
    """The Dirichlet's, for two classes."""
    a, b, c, d = jnp.broadcast_arrays(p.alpha, p.beta, q.alpha, q.beta)
    return dirichlet_gap(jnp.stack([a, b], -1), jnp.stack([c, d], -1))


def dirichlet_gap(a: jax.Array, b: jax.Array) -> jax.Array:
    """β₀ KL(β/β₀ ‖ α/α₀) + Σ gap(β_i) − gap(β₀), of g(a) = log Γ(a) − a log a + a, from concentrations α to β."""
    step = b - a
    a0, step0, b0 = a.sum(-1), step.sum(-1), b.sum(-1)
    wide, total = a0[..., None], b0[..., None]
    # (α_i/α₀)/(β_i/β₀) and its excess over 1
    ratio, excess = a / wide * (total / b), (step0[..., None] * (a / wide) - step) / b
    shares = (b / total * ratio_gap(ratio, excess)).sum(-1)
    return b0 * shares + stirling_gap(a, b, step).sum(-1) - stirling_gap(a0, b0, step0)


# -- the same law seen through a map ---------------------------------------------------------------------------------


@kin_of(LogNormal, Normal, "log")
def _(p: Any) -> Any:
    return Normal(p.loc, p.scale)


@kin_of(InverseGamma, Gamma, "reciprocal")
def _(p: Any) -> Any:
    return Gamma(p.concentration, p.scale)


@kin_of(BetaPrime, Beta, "odds")
def _(p: Any) -> Any:
    return Beta(p.alpha, p.beta)


@kin_of(ChiSquared, Gamma)
def _(p: Any) -> Any:
    return Gamma(0.5 * p.df, jnp.full_like(p.df, 0.5))


@kin_of(Chi, Gamma, "square")
def _(p: Any) -> Any:
    return Gamma(0.5 * p.df, jnp.full_like(p.df, 0.5))


@kin_of(Exponential, Gamma)
def _(p: Any) -> Any:
    return Gamma(jnp.ones_like(p.rate), p.rate)


@kin_of(HalfNormal, Gamma, "square")
def _(p: Any) -> Any:
    return Gamma(jnp.full_like(p.scale, 0.5), 0.5 / p.scale**2)


@kin_of(Rayleigh, Gamma, "square")
def _(p: Any) -> Any:
    return Gamma(jnp.ones_like(p.scale), 0.5 / p.scale**2)


@kin_of(Maxwell, Gamma, "square")
def _(p: Any) -> Any:
    return Gamma(jnp.full_like(p.scale, 1.5), 0.5 / p.scale**2)
