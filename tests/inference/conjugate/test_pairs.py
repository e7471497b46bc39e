"""Every pair of the table: a pair added is a pair tested.

Posterior and evidence follow from the prior, the likelihood and Bayes' rule alone: log p(x|θ) + log p(θ) − log p(θ|x) is
the evidence at every θ. As the posterior is a distribution (which its own contract tests), that is no weaker than an
integral; where θ is a number the integral is taken as well.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.distributions.family import Family
from suffice.inference.conjugate.table import PAIRS

PRIORS = {
    "Beta": sf.Beta(2.5, 1.7),
    "BetaPrime": sf.BetaPrime(2.5, 4.0),
    "Dirichlet": sf.Dirichlet([0.6, 1.3, 2.1]),
    "Gamma": sf.Gamma(2.5, 1.5),
    "InverseGamma": sf.InverseGamma(3.5, 2.0),
    "Normal": sf.Normal(0.7, 1.3),
    "MultivariateNormal": sf.MultivariateNormal([0.5, -1.0], [[1.0, 0.3], [0.3, 2.0]]),
    "VonMises": sf.VonMises(0.8, 1.5),
    "VonMisesFisher": sf.VonMisesFisher([0.6, 0.8, 0.0], 1.5),
    "NormalInverseGamma": sf.NormalInverseGamma(0.3, 1.5, 3.0, 2.0),
    "InverseWishart": sf.InverseWishart(5.0, [[2.0, 0.4], [0.4, 1.0]]),
    "Wishart": sf.Wishart(5.0, [[0.4, 0.1], [0.1, 0.3]]),
    "NormalInverseWishart": sf.NormalInverseWishart([0.2, 0.4], 1.5, 5.0, [[2.0, 0.4], [0.4, 1.0]]),
    "Pareto": sf.Pareto(2.5, 1.2),
    "BetaBinomial": sf.BetaBinomial(40, 2.0, 3.0),
}
HELD = {
    "Bernoulli": sf.Bernoulli(0.0),
    "Geometric": sf.Geometric(0.5),
    "Poisson": sf.Poisson(1.0),
    "Exponential": sf.Exponential(1.0),
    "Rayleigh": sf.Rayleigh(1.0),
    "Maxwell": sf.Maxwell(1.0),
    "HalfNormal": sf.HalfNormal(1.0),
    "Binomial": sf.Binomial(7, 0.5),
    "NegativeBinomial": sf.NegativeBinomial(2.0, 2.5),
    "Categorical": sf.Categorical(np.zeros(3)),
    "Multinomial": sf.Multinomial(5, np.zeros(3)),
    "Gamma": sf.Gamma(2.5, 1.0),
    "InverseGamma": sf.InverseGamma(2.5, 1.0),
    "Weibull": sf.Weibull(1.7, 1.0),
    "Pareto": sf.Pareto(1.0, 1.3),
    "Laplace": sf.Laplace(0.4, 1.0),
    "Normal": sf.Normal(0.4, 1.6),
    "LogNormal": sf.LogNormal(0.4, 0.8),
    "Lomax": sf.Lomax(1.0, 1.4),
    "Kumaraswamy": sf.Kumaraswamy(1.8, 1.0),
    "Burr12": sf.Burr12(1.8, 1.0, 1.3),
    "InverseGaussian": sf.InverseGaussian(1.4, 1.0),
    "MultivariateNormal": sf.MultivariateNormal([0.1, 0.3], [[1.5, 0.5], [0.5, 0.8]]),
    "VonMises": sf.VonMises(0.0, 1.8),
    "VonMisesFisher": sf.VonMisesFisher([0.0, 0.0, 1.0], 1.8),
    "Uniform": sf.Uniform(0.5, 2.0),
    "Hypergeometric": sf.Hypergeometric(40, 15, 10),
}
COUNT = 6


class Case:
    """One pair with a prior, data drawn from its likelihood, and what the table makes of them."""

    def __init__(self, pair):
        self.pair, self.prior = pair, PRIORS[pair.prior.__name__]
        self.held = HELD[pair.kind.__name__]
        self.family = Family(self.held, tuple((name,) for name in pair.free))
        rng = np.random.default_rng(3)
        if pair.kind is sf.Hypergeometric:
            self.x = np.array([4.0, 3.0])
            self.w = np.ones(2)
        else:
            truth = pair.member(pair.point(self.prior), self.held)
            self.x = np.asarray(truth.sample(COUNT, rng=1), float)
            self.w = rng.integers(1, 4, COUNT).astype(float)
        self.posterior = sf.update(self.prior, self.family, self.x, self.w)

    def log_likelihood(self, theta):
        """Σ w log p(x|θ) from the likelihood's own density."""
        return jnp.asarray(self.w) @ self.pair.member(theta, self.held).log_prob(self.x)


@functools.cache
def case(pair):
    return Case(pair)


every_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name.replace(" ", "_"))
SEQUENTIAL = [pair for pair in PAIRS if pair.kind is sf.Hypergeometric]  # its parameter is what is left
of_a_parameter = pytest.mark.parametrize(
    "pair", [p for p in PAIRS if p not in SEQUENTIAL], ids=lambda pair: pair.name.replace(" ", "_")
)
of_a_number = pytest.mark.parametrize(
    "pair",
    [p for p in PAIRS if p not in SEQUENTIAL and not p.prior.event_ndim],
    ids=lambda pair: pair.name.replace(" ", "_"),
)


def test_there_are_enough():
    assert len({(pair.prior, pair.kind, pair.free) for pair in PAIRS}) == len(PAIRS) >= 40


@of_a_parameter
def test_bayes_rule_holds_at_every_parameter(pair):
    c = case(pair)
    theta = c.posterior.distribution.sample(5, rng=2)
    terms = [c.prior.log_prob(theta), jax.vmap(c.log_likelihood)(theta), -c.posterior.distribution.log_prob(theta)]
    size = sum(np.abs(np.asarray(t)) for t in terms)
    np.testing.assert_array_less(np.abs(sum(terms) - c.posterior.log_evidence), 1e-12 * (1.0 + size))


@of_a_number
def test_the_evidence_is_the_integral(pair):
    """∫ p(x|θ) p(θ) dθ by the trapezoidal rule on the unconstrained line, from the densities alone."""
    c = case(pair)
    support = c.prior._support()
    q = c.posterior.distribution
    if pair.kind is sf.VonMises:
        theta = -np.pi + (np.arange(400) + 0.5) * np.pi / 200
        weight = np.full(400, np.pi / 200)
    elif pair.kind is sf.Uniform:
        u, weight = np.polynomial.legendre.leggauss(60)  # in the posterior's log sf, from its start
        start = float(q.scale)
        y = 0.5 * (u + 1.0) * 40.0 / float(q.concentration)
        theta, weight = start * np.exp(y), weight * 20.0 / float(q.concentration) * start * np.exp(y)
    else:
        v = jnp.linspace(-60.0, 35.0, 9501)  # wide enough for every prior above, fine enough for every posterior
        theta, slope = jax.jvp(support.from_real, (v,), (jnp.ones_like(v),))
        weight = np.asarray(slope) * float(v[1] - v[0])
    total = np.asarray(c.prior.log_prob(theta) + jax.vmap(c.log_likelihood)(jnp.asarray(theta)))
    value = total.max() + np.log(np.exp(total - total.max()) @ weight)
    assert value == pytest.approx(float(c.posterior.log_evidence), abs=1e-10)


@every_pair
def test_the_predictive_is_the_evidence_of_one_more(pair):
    c = case(pair)
    if pair.predictive is None and pair.prior.event_ndim:
        with pytest.raises(ValueError, match="no closed form"):
            c.posterior.predictive  # noqa: B018
        return
    new = c.x[:1]
    one = sf.update(c.posterior, _next(c), new).log_evidence
    p = c.posterior.predictive
    assert float(p.log_prob(new)[0]) == pytest.approx(float(one), abs=1e-10)
    assert p.event_shape == c.held.event_shape
    assert p.discrete == c.held.discrete


def _next(c):
    """The likelihood of the next observation: of what is left, where nothing is put back."""
    if c.pair.kind is not sf.Hypergeometric:
        return c.family
    return sf.family(sf.Hypergeometric, population=c.posterior.distribution.total_count, draws=10)


@every_pair
def test_pieces_make_the_whole(pair):
    c = case(pair)
    first = sf.update(c.prior, c.family, c.x[:1], c.w[:1])
    rest = sf.family(sf.Hypergeometric, population=30, draws=10) if pair.kind is sf.Hypergeometric else c.family
    both = sf.update(first, rest, c.x[1:], c.w[1:])
    for a, b in zip(jax.tree.leaves(both.distribution), jax.tree.leaves(c.posterior.distribution), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert float(first.log_evidence + both.log_evidence) == pytest.approx(float(c.posterior.log_evidence), abs=1e-11)


@every_pair
def test_improper_priors_have_no_evidence(pair):
    """A named prior updates like any other; where it is improper its evidence is unknown."""
    c = case(pair)
    for name in pair.improper:
        if pair.kind in (sf.Categorical, sf.Multinomial):
            continue
        posterior = sf.update(name, c.family, c.x, c.w)
        assert bool(jnp.isnan(posterior.log_evidence)) != bool(np.all(posterior.prior._valid()))


@every_pair
def test_marginals_and_moments_exist(pair):
    c = case(pair)
    assert c.posterior.mean.shape == c.posterior.distribution.event_shape
    assert pair.parameter in repr(c.posterior)
