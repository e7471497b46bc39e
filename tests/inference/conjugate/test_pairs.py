"""Every pair of the table: a pair added is a pair tested.

Posterior and evidence follow from the prior, the likelihood and Bayes' rule alone: log p(x|θ) + log p(θ) − log p(θ|x) is
the evidence at every θ. As the posterior is a distribution (which its own contract tests), that is no weaker than an
integral; where θ is a number the integral is taken as well.
"""

import functools

import jax
import jax.numpy as jnp
import mpmath
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
POSITIVE = [0.8, 1.9, 0.6, 2.7, 1.3, 0.4]
NUMBERS = [0.5, -0.7, 2.1, 0.9, -1.6, 1.2]
COUNTS = [2.0, 0.0, 3.0, 1.0, 5.0, 1.0]
DATA = {  # six values each, of every kind that is not on the positive numbers
    "Bernoulli": [1.0, 0.0, 1.0, 1.0, 0.0, 1.0],
    "Geometric": COUNTS,
    "Poisson": COUNTS,
    "Binomial": COUNTS,
    "NegativeBinomial": COUNTS,
    "Categorical": [2.0, 0.0, 1.0, 1.0, 2.0, 2.0],
    "Multinomial": [[2, 1, 2], [0, 3, 2], [1, 1, 3], [5, 0, 0], [0, 0, 5], [2, 2, 1]],
    "Pareto": [1.5, 2.9, 1.4, 4.7, 1.3, 2.0],
    "Kumaraswamy": [0.5, 0.2, 0.9, 0.7, 0.35, 0.6],
    "Normal": NUMBERS,
    "Laplace": NUMBERS,
    "Uniform": [0.8, 1.9, 0.6, 2.7, 1.3, 1.0],
    "VonMises": NUMBERS,
    "MultivariateNormal": np.stack([NUMBERS, NUMBERS[::-1]], axis=-1),
    "VonMisesFisher": [
        [0.0, 0.6, 0.8],
        [0.6, 0.8, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, -0.6, 0.8],
        [0.8, 0.0, 0.6],
        [0.0, 0.0, 1.0],
    ],
}
WEIGHTS = np.array([2.0, 1.0, 3.0, 1.0, 2.0, 1.0])
FIRST = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
THETA = {  # of the priors whose parameter is no number
    "Dirichlet": [[0.2, 0.3, 0.5], [0.7, 0.1, 0.2], [0.01, 0.9, 0.09]],
    "MultivariateNormal": [[0.0, 0.0], [1.0, -2.0], [-0.3, 0.7]],
    "VonMisesFisher": [[0.0, 0.6, 0.8], [1.0, 0.0, 0.0], [0.6, 0.0, -0.8]],
    "NormalInverseGamma": [[0.0, 1.0], [1.5, 0.3], [-0.4, 4.0]],
    "InverseWishart": [[[1.0, 0.2], [0.2, 0.7]], [[3.0, -1.0], [-1.0, 2.0]]],
    "Wishart": [[[1.0, 0.2], [0.2, 0.7]], [[3.0, -1.0], [-1.0, 2.0]]],
    "NormalInverseWishart": [[[0.0, 1.0], [1.0, 0.2], [0.2, 0.7]], [[-0.3, 0.4], [3.0, -1.0], [-1.0, 2.0]]],
}


def strong(p):
    """With numbers of the type that a posterior has, so that one compiled program serves both."""
    return jax.tree.map(lambda v: jnp.asarray(v, jnp.result_type(v)), p)


class Case:
    """One pair with a prior, six values of its likelihood, and what the table makes of them.

    Pieces of data have the same shape, weights tell them apart: then one compiled program serves them all.
    """

    def __init__(self, pair):
        self.pair, self.prior = pair, strong(PRIORS[pair.prior.__name__])
        self.held = strong(HELD[pair.kind.__name__])
        self.family = Family(self.held, tuple((name,) for name in pair.free))
        if pair.kind is sf.Hypergeometric:
            self.x, self.w, self.first = np.array([4.0, 3.0]), np.ones(2), FIRST[:2]
        else:
            self.x, self.w, self.first = np.array(DATA.get(pair.kind.__name__, POSITIVE), float), WEIGHTS, FIRST
        self.posterior = sf.update(self.prior, self.family, self.x, self.w)

    def logs(self, theta):
        """log prior, log likelihood and log posterior at values of the parameter, each from its own density."""
        p = jax.vmap(lambda t: self.pair.member(t, self.held))(theta)
        each = np.asarray(p.log_prob(jnp.asarray(self.x)[:, None]))
        prior, posterior = self.prior.log_prob(theta), self.posterior.distribution.log_prob(theta)
        return np.asarray(prior), self.w @ each, np.asarray(posterior)

    @functools.cached_property
    def on_the_line(self):
        """The same of a parameter that is a number, at nodes, and their weights."""
        theta, weight = nodes(self)
        return *self.logs(jnp.asarray(theta)), weight


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
    terms = c.logs(jnp.asarray(THETA[pair.prior.__name__])) if c.prior.event_ndim else c.on_the_line[:3]
    seen = np.all(np.isfinite(terms), axis=0)
    assert seen.sum() >= 2
    size = sum(np.abs(t) for t in terms)[seen]
    gap = (terms[0] + terms[1] - terms[2])[seen] - float(c.posterior.log_evidence)
    np.testing.assert_array_less(np.abs(gap), 1e-12 * (1.0 + size))


NODES = 1600


def nodes(c):
    """Values of a parameter that is a number, with weights of a rule over its prior's support."""
    if c.pair.kind is sf.VonMises:
        return -np.pi + (np.arange(NODES) + 0.5) * 2.0 * np.pi / NODES, np.full(NODES, 2.0 * np.pi / NODES)
    if c.pair.kind is sf.Uniform:  # in the posterior's log sf, from its start
        u, weight = np.polynomial.legendre.leggauss(60)
        start, length = float(c.posterior.distribution.scale), 20.0 / float(c.posterior.distribution.concentration)
        theta = start * np.exp((u + 1.0) * length)
        return np.resize(theta, NODES), np.where(np.arange(NODES) < 60, np.resize(weight * length * theta, NODES), 0.0)
    # the trapezoidal rule on the unconstrained line, wide enough for every prior above, fine enough for every posterior
    v, low, high = (
        np.linspace(-50.0, 30.0, NODES),
        *(float(e) for e in (c.prior.support().lower, c.prior.support().upper)),
    )
    if np.isinf(low):
        return v, np.full(NODES, v[1] - v[0])
    slope = np.exp(v) if np.isinf(high) else 1.0 / (2.0 + np.exp(v) + np.exp(-v))
    return (np.exp(v) if np.isinf(high) else 1.0 / (1.0 + np.exp(-v))), slope * (v[1] - v[0])


@of_a_number
def test_the_evidence_is_the_integral(pair):
    """∫ p(x|θ) p(θ) dθ by a rule, from the densities alone."""
    c = case(pair)
    prior, likelihood, _, weight = c.on_the_line
    total = prior + likelihood
    value = np.nanmax(total) + np.log(np.nansum(np.exp(total - np.nanmax(total)) * weight))
    assert value == pytest.approx(float(c.posterior.log_evidence), abs=1e-10)


@every_pair
def test_the_predictive_is_the_evidence_of_one_more(pair):
    c = case(pair)
    if pair.predictive is None and pair.prior.event_ndim:
        with pytest.raises(ValueError, match="no closed form"):
            c.posterior.predictive  # noqa: B018
        return
    new = c.x[:1]
    one = sf.update(c.posterior, _next(c), c.x, c.first).log_evidence
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
    first = sf.update(c.prior, c.family, c.x, c.first)
    rest = sf.family(sf.Hypergeometric, population=30, draws=10) if pair.kind is sf.Hypergeometric else c.family
    both = sf.update(first, rest, c.x, c.w - c.first)
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
        assert bool(jnp.isnan(posterior.log_evidence)) != posterior.prior_is_proper


@every_pair
def test_marginals_and_moments_exist(pair):
    c = case(pair)
    assert c.posterior.mean.shape == c.posterior.distribution.event_shape
    assert pair.parameter in repr(c.posterior)


def test_the_uniform_prior_on_the_circle_is_proper():
    """Its evidence is I₀(κ R)/(2π I₀(κ))ⁿ, R the length of the sum of unit vectors; also where they cancel."""
    family = sf.family(sf.VonMises, concentration=1.8)
    for x in (np.array(NUMBERS), np.array([0.3, 0.3 - np.pi])):
        length = abs(np.exp(1j * x).sum())
        with mpmath.workdps(30):
            each = 2 * mpmath.pi * mpmath.besseli(0, mpmath.mpf("1.8"))
            exact = mpmath.log(mpmath.besseli(0, mpmath.mpf("1.8") * length)) - len(x) * mpmath.log(each)
        uniform = sf.update("uniform", family, x)
        assert float(uniform.log_evidence) == pytest.approx(float(exact), abs=1e-12)
    narrow = sf.update(sf.VonMises(0.0, 1e-9), family, x)
    assert uniform.log_bayes_factor(narrow) == pytest.approx(0.0, abs=1e-9)
