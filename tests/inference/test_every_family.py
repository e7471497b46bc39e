"""Every family of the catalogue is fitted: the estimate is a maximum of the likelihood, and no lower than the truth."""

import dataclasses
import inspect

import jax
import numpy as np
import pytest

import suffice as sf
from suffice.distributions.catalogue import CATALOGUE
from suffice.distributions.declaration import is_static, public_name

DRAWS = 300

SPREAD = np.array([[2.0, 0.6], [0.6, 1.0]])
TRUTH = {
    "Normal": (1.0, 2.0),
    "LogNormal": (1.0, 0.5),
    "Exponential": (2.0,),
    "Gamma": (2.5, 1.5),
    "InverseGamma": (3.0, 2.0),
    "Weibull": (1.7, 3.0),
    "Beta": (2.0, 3.5),
    "StudentT": (4.0, 1.0),
    "Logistic": (1.0, 2.0),
    "Laplace": (1.0, 2.0),
    "Cauchy": (1.0, 2.0),
    "Gumbel": (1.0, 2.0),
    "Pareto": (2.5, 1.5),
    "Uniform": (-1.0, 3.0),
    "Rayleigh": (2.0,),
    "Bernoulli": (0.7,),
    "Poisson": (4.0,),
    "Geometric": (0.7,),
    "NegativeBinomial": (4.0, 2.0),
    "ChiSquared": (4.0,),
    "Chi": (4.0,),
    "HalfNormal": (2.0,),
    "Maxwell": (2.0,),
    "HalfCauchy": (2.0,),
    "InverseGaussian": (2.0, 3.0),
    "Lomax": (2.5, 1.5),
    "Burr12": (2.0, 1.5, 1.0),
    "Kumaraswamy": (2.0, 3.5),
    "LogLogistic": (3.0, 2.0),
    "GeneralizedPareto": (2.0, 0.3),
    "GeneralizedExtremeValue": (1.0, 2.0),
    "ExponentiallyModifiedNormal": (1.0, 1.0, 0.5),
    "BetaPrime": (3.0, 4.0),
    "F": (5.0, 7.0),
    "LogUniform": (1.0, 20.0),
    "SkewNormal": (1.0, 2.0, 4.0),
    "AsymmetricLaplace": (1.0, 2.0, 0.6),
    "Triangular": (-1.0, 3.0, 0.5),
    "NoncentralChiSquared": (4.0, 3.0),
    "NoncentralT": (5.0, 1.5),
    "VonMises": (1.0, 2.0),
    "Categorical": ([0.3, 1.0, -0.5],),
    "Binomial": (10, 0.7),
    "BetaBinomial": (10, 2.0, 3.0),
    "Logarithmic": (0.7,),
    "Skellam": (3.0, 2.0),
    "DiscreteUniform": (2, 9),
    "Zeta": (2.5,),
    "MultivariateNormal": ([1.0, -1.0], SPREAD),
    "MultivariateT": (5.0, [1.0, -1.0], SPREAD),
    "Dirichlet": ([1.0, 2.0, 3.0],),
    "Multinomial": (10, [0.3, 1.0, -0.5]),
    "DirichletMultinomial": (10, [1.0, 2.0, 3.0]),
    "Wishart": (5.0, SPREAD),
    "InverseWishart": (6.0, SPREAD),
    "LKJ": (3, 2.0),
    "MatrixNormal": ([[1.0, 2.0], [0.0, 1.0]], SPREAD, np.eye(2)),
    "NormalInverseGamma": (1.0, 2.0, 3.0, 4.0),
    "NormalInverseWishart": ([1.0, -1.0], 2.0, 6.0, SPREAD),
    "VonMisesFisher": ([0.6, 0.8, 0.0], 3.0),
}
NEVER = {"Hypergeometric": "population is not estimated and must be given"}


def target_of(truth):
    """The family of a distribution, with what is always held at its values, in the form its constructor takes."""
    kind, given = type(truth), TRUTH[type(truth).__name__]
    names = [public_name(f) for f in dataclasses.fields(kind) if is_static(f) or f.name in kind.held]
    values = inspect.signature(kind).bind(*given).arguments
    return sf.family(kind, **{name: values[name] for name in names}) if names else kind


@pytest.mark.parametrize("kind", [entry.kind for entry in CATALOGUE], ids=lambda kind: kind.__name__)
def test_the_estimate_is_the_maximum(kind):
    """Not beaten by the truth, nor from 20 random directions; converged, with standard errors where regular."""
    if kind.__name__ in NEVER:
        with pytest.raises(ValueError, match=NEVER[kind.__name__]):
            sf.fit(kind, [1.0, 2.0])
        return
    truth = kind(*TRUTH[kind.__name__])
    x = np.asarray(truth.sample((DRAWS,), rng=5))
    fit = sf.fit(target_of(truth), x)
    assert fit.converged, fit.message
    slack = 1e-9 * (abs(float(fit.log_likelihood)) + DRAWS)
    v = np.asarray(fit.family.vector(fit.distribution))
    rng = np.random.default_rng(3)
    steps = rng.normal(size=(20, len(v))) * 10.0 ** rng.uniform(-4.0, -0.5, (20, 1))
    whole = [getattr(domain, "integer", False) for domain in fit.family.parameter_domains]
    if any(whole):
        steps = np.sign(steps) * np.ceil(np.abs(steps))

    @jax.jit
    def log_likelihoods(points):
        return jax.vmap(lambda v: fit.family.build(v).log_prob(x).sum())(points)

    # not from the unconstrained vector: exp(log(high)) may fall below the largest observation by rounding
    at_estimate = float(fit.distribution.log_prob(x).sum())
    at_truth, *around = np.asarray(log_likelihoods(np.stack([np.asarray(fit.family.vector(truth)), *(v + steps)])))
    assert float(fit.log_likelihood) == pytest.approx(at_estimate, abs=slack)
    assert at_truth <= at_estimate + slack
    assert np.all(np.asarray(around) <= at_estimate + slack)
    if fit.regular:
        assert all(error > 0.0 for error in fit.standard_errors.values())
