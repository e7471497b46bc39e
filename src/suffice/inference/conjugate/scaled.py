"""Likelihoods that are a gamma of known shape in disguise: g(x) ~ Gamma(c, rate λ), g and c known.

log p(x|λ) = c log λ − λ g(x) + log h(x), so that Gamma(a, b) on λ, or InverseGamma(a, b) on 1/λ, becomes
(a + n c, b + Σ g(x)), and g(x)/b of the next observation is beta prime (c, a). Exponential, Weibull, Pareto, Laplace,
Rayleigh, normal with known mean … differ in g, c and the name of λ alone.
"""

# pyright: reportArgumentType=false
# numbers are parameters, too

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.distributions.affine import Affine
from suffice.distributions.beta_prime import BetaPrime
from suffice.distributions.burr import Burr12, Kumaraswamy, Lomax
from suffice.distributions.extreme import Rayleigh, Weibull
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.half import HalfNormal, Maxwell
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.location_scale import Laplace
from suffice.distributions.mixture import Mixture
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.statistics import Sufficient
from suffice.distributions.student_t import StudentT
from suffice.distributions.transformed import Bijector, Transformed
from suffice.distributions.uniform import Pareto
from suffice.inference.conjugate.mixing import Moments, mixed
from suffice.inference.conjugate.pair import Pair, View, apart, highest, no_objection, unchecked
from suffice.inference.likelihood import mean_log_likelihood

EXP = Bijector(jnp.exp, jnp.log, lambda y: y)
EXPM1 = Bijector(jnp.expm1, jnp.log1p, lambda y: y)
ROOT = Bijector(jnp.sqrt, jnp.square, lambda y: -jnp.log(2.0) - 0.5 * jnp.log(y))


class Momentless(Transformed):
    """The exponential of a law with heavier tails than an exponential's: even its mean is infinite.

    Args:
        base, bijector: as of a ``Transformed``.
    """

    def _mean(self) -> jax.Array:
        return jnp.full(self.batch_shape, jnp.inf)

    def _variance(self) -> jax.Array:
        return jnp.full(self.batch_shape, jnp.inf)

    def _skewness(self) -> jax.Array:
        return jnp.full(self.batch_shape, jnp.nan)

    def _kurtosis(self) -> jax.Array:
        return jnp.full(self.batch_shape, jnp.nan)


class Scaled(NamedTuple):
    """A row of the table.

    Attributes:
        kind, free: the likelihood, and its field that is unknown.
        rate, inverse: λ and 1/λ in the likelihood's parameters; "" where nobody asks for it.
        shape: p -> c.
        value: (λ, p) -> the field.
        amount: g: (p, s) -> its mean from the family's own statistic; or, with ``log_base``, (p, x) -> of each value.
        predictive: (a, b, p) -> the law of one more observation, None for quadrature.
        log_base: (p, x) -> log h(x), where the family has no statistic of its own.
        objection: (prior, p, s) -> why these data can't be used.
        rate_of: p -> λ, where it is not the field itself and ``log_base`` is given.
        moments: (a, b, p) -> ``Moments`` of the law of one more observation, where that is found by quadrature.
    """

    kind: type
    free: str
    rate: str
    inverse: str
    shape: Callable[[Any], Any]
    value: Callable[[Any, Any], Any]
    amount: Callable[[Any, Any], Any]
    predictive: Callable[[Any, Any, Any], Any] | None = None
    log_base: Callable[[Any, Any], Any] | None = None
    objection: Callable[[Any, Any, Any], str | None] = no_objection
    rate_of: Callable[[Any], Any] | None = None
    moments: Callable[[Any, Any, Any], Moments] | None = None


def _half_square(p: Any, s: Sufficient) -> jax.Array:
    """½ mean (y − loc)², from the variance and the mean."""
    return 0.5 * (s.gap + apart(s, p.loc) ** 2)


def _inverse_gaussian(p: Any, s: Sufficient) -> jax.Array:
    """mean (x − loc)²/(2 loc² x), from the mean and mean 1/x − 1/mean."""
    return 0.5 * ((apart(s, p.loc) / p.loc) ** 2 / s.mean + s.gap)


def _below_minimum(before: Any, p: Any, s: Sufficient) -> str | None:
    low = float(s.lower)
    return None if low >= float(p.scale) else f"the smallest value, {low:g}, is below the minimum {float(p.scale):g}"


def _both_sides(a: Any, b: Any, p: Any) -> Mixture:
    tail = Lomax(a, b)
    return Mixture([Affine(tail, p.loc, 1.0), Affine(tail, p.loc, -1.0)], jnp.asarray([0.5, 0.5]))


def _root_of_ratio(a: Any, b: Any, shape: float) -> Transformed:
    return Transformed(Affine(BetaPrime(shape, a), 0.0, 2.0 * b), ROOT)


ROWS = (
    Scaled(Exponential, "rate", "rate", "1/rate", lambda p: 1.0, lambda r, p: r, lambda p, s: s.mean,
           lambda a, b, p: Lomax(a, b)),
    Scaled(Gamma, "rate", "rate", "1/rate", lambda p: p.concentration, lambda r, p: r, lambda p, s: s.mean,
           lambda a, b, p: Affine(BetaPrime(p.concentration, a), 0.0, b)),
    Scaled(InverseGamma, "scale", "scale", "1/scale", lambda p: p.concentration, lambda r, p: r, lambda p, s: s.mean,
           lambda a, b, p: Affine(BetaPrime(a, p.concentration), 0.0, 1.0 / b)),
    Scaled(Weibull, "scale", "scale**-concentration", "scale**concentration", lambda p: 1.0,
           lambda r, p: r ** (-1.0 / p.concentration), lambda p, x: x**p.concentration,
           lambda a, b, p: Burr12(p.concentration, a, b ** (1.0 / p.concentration)),
           lambda p, x: jnp.log(p.concentration) + (p.concentration - 1.0) * jnp.log(x),
           rate_of=lambda p: p.scale**-p.concentration),
    Scaled(Pareto, "concentration", "concentration", "1/concentration", lambda p: 1.0, lambda r, p: r,
           lambda p, s: s.mean - jnp.log(p.scale),
           lambda a, b, p: Affine(Momentless(Lomax(a, b), EXP), 0.0, p.scale), None, _below_minimum),
    Scaled(Laplace, "scale", "1/scale", "scale", lambda p: 1.0, lambda r, p: 1.0 / r, lambda p, x: jnp.abs(x - p.loc),
           _both_sides, lambda p, x: jnp.full_like(x, -jnp.log(2.0)), rate_of=lambda p: 1.0 / p.scale),
    Scaled(Rayleigh, "scale", "scale**-2", "scale**2", lambda p: 1.0, lambda r, p: r**-0.5, lambda p, s: 0.5 * s.mean,
           lambda a, b, p: Burr12(2.0, a, jnp.sqrt(2.0 * b))),
    Scaled(Maxwell, "scale", "scale**-2", "scale**2", lambda p: 1.5, lambda r, p: r**-0.5, lambda p, s: 0.5 * s.mean,
           lambda a, b, p: _root_of_ratio(a, b, 1.5)),
    Scaled(HalfNormal, "scale", "scale**-2", "scale**2", lambda p: 0.5, lambda r, p: r**-0.5, lambda p, s: 0.5 * s.mean,
           lambda a, b, p: _root_of_ratio(a, b, 0.5)),
    Scaled(Normal, "scale", "scale**-2", "scale**2", lambda p: 0.5, lambda r, p: r**-0.5, _half_square,
           lambda a, b, p: StudentT(2.0 * a, p.loc, scale=jnp.sqrt(b / a))),
    Scaled(LogNormal, "scale", "scale**-2", "scale**2", lambda p: 0.5, lambda r, p: r**-0.5, _half_square,
           lambda a, b, p: Momentless(StudentT(2.0 * a, p.loc, scale=jnp.sqrt(b / a)), EXP)),
    Scaled(Lomax, "concentration", "concentration", "", lambda p: 1.0, lambda r, p: r,
           lambda p, x: jnp.log1p(x / p.scale), lambda a, b, p: Affine(Momentless(Lomax(a, b), EXPM1), 0.0, p.scale),
           lambda p, x: -jnp.log(p.scale + x)),
    Scaled(Kumaraswamy, "beta", "beta", "", lambda p: 1.0, lambda r, p: r,
           lambda p, x: -jnp.log1p(-(x**p.alpha)), None,
           lambda p, x: jnp.log(p.alpha) + (p.alpha - 1.0) * jnp.log(x) - jnp.log1p(-(x**p.alpha))),
    Scaled(Burr12, "beta", "beta", "", lambda p: 1.0, lambda r, p: r,
           lambda p, x: jnp.log1p((x / p.scale) ** p.alpha), None,
           lambda p, x: (jnp.log(p.alpha / p.scale) + (p.alpha - 1.0) * jnp.log(x / p.scale)
                         - jnp.log1p((x / p.scale) ** p.alpha)), moments=lambda a, b, p: Moments(jnp.inf, jnp.inf, 0.0)),
    Scaled(InverseGaussian, "concentration", "concentration", "", lambda p: 0.5, lambda r, p: r, _inverse_gaussian,
           moments=lambda a, b, p: Moments(
               p.loc, jnp.where(a > 1.0, p.loc**3 * b / jnp.where(a > 1.0, a - 1.0, 1.0), jnp.inf), a + 1.0)),
)  # fmt: skip


def _pairs(row: Scaled) -> list[Pair]:
    """The pairs of a row: a gamma prior on λ, and an inverse gamma one on 1/λ."""

    def amount(p: Any, s: Sufficient) -> jax.Array:
        return row.amount(p, s) if row.log_base is None else s.mean

    def log_likelihood(p: Any, s: Sufficient) -> jax.Array:
        if row.log_base is None:
            return s.count * mean_log_likelihood(p, s)
        rate = getattr(p, row.free) if row.rate_of is None else row.rate_of(p)
        return s.count * (row.shape(p) * jnp.log(rate) - rate * s.mean + s.log_base)

    def view(p: Any) -> Any:
        return p if row.log_base is None else View(p, row.amount, row.log_base)  # type: ignore[arg-type]

    def pair(
        prior: type, second: str, name: str, value: Callable[[Any, Any], Any], point: Callable[[Any], Any]
    ) -> Pair:
        def posterior(before: Any, p: Any, s: Sufficient) -> Any:
            shape = before.concentration + s.count * row.shape(p)
            return before._replaced({"concentration": shape, second: getattr(before, second) + s.count * amount(p, s)})

        def predictive(before: Any, p: Any) -> Any:
            assert row.predictive is not None
            return row.predictive(before.concentration, getattr(before, second), p)

        def mixture(before: Any, p: Any) -> Any:
            assert row.moments is not None
            moments = row.moments(before.concentration, getattr(before, second), p)
            return mixed(before, lambda theta: p._replaced({row.free: value(theta, p)}), moments)

        return Pair(
            prior,
            row.kind,
            (row.free,),
            name,
            posterior,
            lambda theta, p: {row.free: value(theta, p)},
            None if row.predictive is None else predictive,
            dict.fromkeys(("jeffreys", "reference"), lambda p: unchecked(prior, concentration=0.0, **{second: 0.0})),
            view,
            log_likelihood,
            row.objection,
            point=point,
            mixture=None if row.moments is None else mixture,
        )

    found = [pair(Gamma, "rate", row.rate, row.value, lambda q: q.concentration / q.rate)]
    if row.inverse:
        found.append(pair(InverseGamma, "scale", row.inverse, lambda v, p: row.value(1.0 / v, p), highest))
    return found


PAIRS = [pair for row in ROWS for pair in _pairs(row)]
