"""Normal likelihoods with an unknown variance or covariance, alone or together with the mean."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.gamma import Gamma
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.multivariate_t import MultivariateT
from suffice.distributions.normal import LOG_SQRT_2PI, LogNormal, Normal
from suffice.distributions.normal_inverse import NormalInverseGamma, NormalInverseWishart
from suffice.distributions.statistics import Sufficient
from suffice.distributions.student_t import StudentT
from suffice.distributions.transformed import Transformed
from suffice.distributions.wishart import InverseWishart, Wishart
from suffice.inference.conjugate.pair import Pair, apart, highest, unchecked
from suffice.inference.conjugate.scaled import EXP, ROOT, Momentless
from suffice.numerics import linalg
from suffice.numerics.special.gamma import gammaln


def _both(before: Any, p: Any, s: Sufficient) -> Any:
    """The scale grows by half the squares about the sample mean, and by half of what prior and sample mean disagree."""
    count = before.pseudo_count + s.count
    away = apart(s, before.loc)
    squares = s.count * (s.gap + before.pseudo_count / count * away**2)
    return before._replaced(
        {
            "loc": before.loc + s.count / count * away,
            "pseudo_count": count,
            "concentration": before.concentration + 0.5 * s.count,
            "scale": before.scale + 0.5 * squares,
        }
    )


def _evidence(before: Any, after: Any, p: Any, s: Sufficient) -> jax.Array:
    """The ratio of the normalising constants, in which no large numbers cancel."""
    gammas = gammaln(after.concentration) - gammaln(before.concentration)
    scales = before.concentration * jnp.log(before.scale / after.scale) - 0.5 * s.count * jnp.log(after.scale)
    counts = 0.5 * jnp.log(before.pseudo_count / after.pseudo_count)
    return gammas + scales + counts + s.count * (s.log_base - LOG_SQRT_2PI)


def _t(q: Any) -> StudentT:
    widening = 1.0 + 1.0 / q.pseudo_count
    return StudentT(2.0 * q.concentration, q.loc, scale=jnp.sqrt(q.scale / q.concentration * widening))


def _of_pair(q: Any, p: Any) -> dict[str, Any]:
    variance = InverseGamma(q.concentration, q.scale)
    mean = StudentT(2.0 * q.concentration, q.loc, scale=jnp.sqrt(q.scale / (q.concentration * q.pseudo_count)))
    return {"loc": mean, "scale**2": variance, "scale": Transformed(variance, ROOT)}


_NORMAL = {
    "reference": lambda p: unchecked(NormalInverseGamma, loc=0.0, pseudo_count=0.0, concentration=-0.5, scale=0.0),
    "jeffreys": lambda p: unchecked(NormalInverseGamma, loc=0.0, pseudo_count=0.0, concentration=0.0, scale=0.0),
}


def _about(loc: Any, s: Sufficient) -> jax.Array:
    """Sum of outer products about a known mean."""
    away = apart(s, loc)
    return s.count * (s.gap + away[:, None] * away[None, :])


def _covariance(before: Any, p: Any, s: Sufficient) -> Any:
    total = linalg.gram(before.scale_tril) + _about(p.loc, s)
    return before._replaced({"df": before.df + s.count, "scale_tril": jnp.linalg.cholesky(total)})


def _precision(before: Any, p: Any, s: Sufficient) -> Any:
    """The inverse of the scale matrix grows by the outer products."""
    root = linalg.inverse(before.scale_tril)
    return before._replaced(
        {"df": before.df + s.count, "scale_tril": linalg.factor_of_inverse(root.T @ root + _about(p.loc, s))}
    )


def _vector_both(before: Any, p: Any, s: Sufficient) -> Any:
    count = before.pseudo_count + s.count
    away = apart(s, before.loc)
    outer = s.count * (s.gap + before.pseudo_count / count * away[:, None] * away[None, :])
    return before._replaced(
        {
            "loc": before.loc + s.count / count * away,
            "pseudo_count": count,
            "df": before.df + s.count,
            "scale_tril": jnp.linalg.cholesky(linalg.gram(before.scale_tril) + outer),
        }
    )


def _improper_scale(kind: type, df: float, mean: bool = False) -> Any:
    """A prior of scale 0, which adds nothing to the outer products, nor with ``mean`` to what is known of the mean."""

    def of(p: Any) -> Any:
        d = p.loc.shape[-1]
        more = {"loc": jnp.zeros(d), "pseudo_count": 0.0} if mean else {}
        return unchecked(kind, df=df, scale_tril=jnp.zeros((d, d)), **more)

    return of


def _variances(df: Any, scale_tril: Any) -> dict[str, Any]:
    """Diagonal entries of an inverse Wishart matrix are inverse gamma."""
    d = scale_tril.shape[-1]
    diagonal = (scale_tril**2).sum(-1)
    return {f"covariance[{i},{i}]": InverseGamma(0.5 * (df - d + 1.0), 0.5 * diagonal[i]) for i in range(d)}


def _of_vector_pair(q: Any, p: Any) -> dict[str, Any]:
    d = q.loc.shape[-1]
    freedom = q.df - d + 1.0
    spread = jnp.sqrt((q.scale_tril**2).sum(-1) / (q.pseudo_count * freedom))
    means = {f"loc[{i}]": StudentT(freedom, q.loc[i], scale=spread[i]) for i in range(d)}
    return means | _variances(q.df, q.scale_tril)


def _multivariate_t(df: Any, loc: Any, scale_tril: Any, widening: Any) -> MultivariateT:
    freedom = df - scale_tril.shape[-1] + 1.0
    return MultivariateT(freedom, loc, scale_tril=scale_tril * jnp.sqrt(widening / freedom))  # type: ignore[arg-type]


def _of_precision(q: Any, p: Any) -> MultivariateT:
    factor = linalg.factor_of_inverse(linalg.gram(q.scale_tril))
    return _multivariate_t(q.df, p.loc, factor, 1.0)


PAIRS = [
    Pair(NormalInverseGamma, Normal, ("loc", "scale"), "(loc, scale**2)", _both,
         lambda theta, p: {"loc": theta[0], "scale": jnp.sqrt(theta[1])}, lambda q, p: _t(q), _NORMAL,
         marginals=_of_pair, point=highest, evidence_of=_evidence),
    Pair(NormalInverseGamma, LogNormal, ("loc", "scale"), "(loc, scale**2)", _both,
         lambda theta, p: {"loc": theta[0], "scale": jnp.sqrt(theta[1])}, lambda q, p: Momentless(_t(q), EXP), _NORMAL,
         marginals=_of_pair, point=highest, evidence_of=_evidence),
    Pair(InverseWishart, MultivariateNormal, ("scale_tril",), "covariance", _covariance,
         lambda theta, p: {"scale_tril": jnp.linalg.cholesky(theta)},
         lambda q, p: _multivariate_t(q.df, p.loc, q.scale_tril, 1.0),
         {"jeffreys": _improper_scale(InverseWishart, 0.0)},
         marginals=lambda q, p: _variances(q.df, q.scale_tril), point=highest, sized=lambda q: q.scale_tril.shape[-1]),
    Pair(Wishart, MultivariateNormal, ("scale_tril",), "covariance**-1", _precision,
         lambda theta, p: {"scale_tril": linalg.factor_of_inverse(theta)}, _of_precision,
         marginals=lambda q, p: {f"precision[{i},{i}]": Gamma(0.5 * q.df, 0.5 / (q.scale_tril[i] ** 2).sum())
                                 for i in range(q.scale_tril.shape[-1])}, sized=lambda q: q.scale_tril.shape[-1]),
    Pair(NormalInverseWishart, MultivariateNormal, ("loc", "scale_tril"), "(loc, covariance)", _vector_both,
         lambda theta, p: {"loc": theta[0], "scale_tril": jnp.linalg.cholesky(theta[1:])},
         lambda q, p: _multivariate_t(q.df, q.loc, q.scale_tril, 1.0 + 1.0 / q.pseudo_count),
         {"jeffreys": _improper_scale(NormalInverseWishart, 0.0, mean=True),
          "independence": _improper_scale(NormalInverseWishart, -1.0, mean=True)},
         marginals=_of_vector_pair, point=highest, sized=lambda q: q.scale_tril.shape[-1]),
]  # fmt: skip
