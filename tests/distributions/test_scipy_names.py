"""SciPy's frozen distributions and ours: each family there and back, its densities and tails the same on both sides."""

import dataclasses

import jax
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.distributions.catalogue import CATALOGUE
from suffice.distributions.declaration import public_name

# members of the families whose parameters are not any two or three positive numbers in order
SPECIAL = {
    "NormalInverseGamma": lambda: sf.NormalInverseGamma(0.3, 2.0, 3.0, 1.5),
    "Bernoulli": lambda: sf.Bernoulli.from_probs(0.3),
    "Geometric": lambda: sf.Geometric(0.3),
    "Categorical": lambda: sf.Categorical.from_probs([0.2, 0.5, 0.3]),
    "Binomial": lambda: sf.Binomial(7, 0.3),
    "BetaBinomial": lambda: sf.BetaBinomial(7, 1.5, 2.5),
    "Hypergeometric": lambda: sf.Hypergeometric(population=20, successes=7, draws=5),
    "Logarithmic": lambda: sf.Logarithmic(0.4),
    "DiscreteUniform": lambda: sf.DiscreteUniform(2, 9),
    "Zeta": lambda: sf.Zeta(3.5),
    "Triangular": lambda: sf.Triangular(low=1.0, high=4.0, peak=2.0),
    "MultivariateNormal": lambda: sf.MultivariateNormal([0.5, 1.0], SPREAD),
    "MultivariateT": lambda: sf.MultivariateT(df=3.5, loc=[0.5, 1.0], scale=SPREAD),
    "Dirichlet": lambda: sf.Dirichlet([1.5, 2.5, 3.0]),
    "Multinomial": lambda: sf.Multinomial.from_probs(6, [0.2, 0.5, 0.3]),
    "DirichletMultinomial": lambda: sf.DirichletMultinomial(6, [1.5, 2.5, 3.0]),
    "Wishart": lambda: sf.Wishart(df=4.5, scale=SPREAD),
    "InverseWishart": lambda: sf.InverseWishart(df=4.5, scale=SPREAD),
    "MatrixNormal": lambda: sf.MatrixNormal(np.zeros((2, 2)), SPREAD, 2.0 * SPREAD),
    "VonMisesFisher": lambda: sf.VonMisesFisher(np.array([0.6, 0.8]), 3.0),
}
SPREAD = np.array([[2.0, 0.6], [0.6, 1.0]])
NAMED = [entry for entry in CATALOGUE if entry.scipy]
WITHOUT_DENSITY = {"NormalInverseGamma"}  # SciPy takes its two values as two arguments


def member(entry):
    """A member of a family with distinct parameters, valid and increasing."""
    if entry.name in SPECIAL:
        return SPECIAL[entry.name]()
    names = [public_name(field) for field in dataclasses.fields(entry.kind)]
    return entry.kind(**{name: 0.6 + 0.45 * i for i, name in enumerate(names)})


@pytest.mark.parametrize("entry", NAMED, ids=lambda entry: entry.name)
def test_there_and_back(entry):
    """The parameters return within a rounding of each step; 1e-8 is what SciPy keeps of densities and tails."""
    p = member(entry)
    other = sf.to_scipy(p)
    again = sf.from_scipy(other)
    assert type(again) is entry.kind
    for got, expected in zip(jax.tree.leaves(again), jax.tree.leaves(p), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-14)
    if entry.name in WITHOUT_DENSITY:
        return
    x = np.asarray(other.rvs(size=5, random_state=3) if hasattr(other, "rvs") else p.sample(5, rng=3))
    density = getattr(other, "logpmf" if p.discrete else "logpdf")
    moved = np.moveaxis(x, 0, -1) if entry.name in ("Dirichlet", "Wishart", "InverseWishart") else x
    np.testing.assert_allclose(p.log_prob(x), density(moved), rtol=1e-8, atol=1e-8)
    if not p.event_ndim:
        np.testing.assert_allclose(p.cdf(x), other.cdf(x), rtol=1e-8)


def test_no_two_families_have_one_form():
    names = [entry.scipy.split("(")[0] for entry in NAMED]
    assert len(set(names)) == len(names)


def test_origin_and_unit():
    """What our family lacks becomes an affine image, which goes back to the same arguments."""
    frozen = scipy.stats.gamma(2.0, 5.0, scale=3.0)
    p = sf.from_scipy(frozen)
    assert isinstance(p, sf.Affine)
    assert float(p.loc) == 5.0
    x = np.array([5.1, 7.0, 20.0])
    np.testing.assert_allclose(p.cdf(x), frozen.cdf(x), rtol=1e-12)
    np.testing.assert_allclose(sf.to_scipy(p).sf(x), frozen.sf(x), rtol=1e-12)
    frozen = scipy.stats.beta(2.0, 3.0, loc=-1.0, scale=4.0)
    np.testing.assert_allclose(sf.from_scipy(frozen).cdf(0.7), frozen.cdf(0.7), rtol=1e-12)
    assert isinstance(sf.from_scipy(scipy.stats.norm(1.0, 2.0)), sf.Normal)


def test_masses_at_any_values():
    frozen = scipy.stats.rv_discrete(values=([1.5, 4.0, -2.0], [0.5, 0.2, 0.3]))
    p = sf.from_scipy(frozen)
    assert isinstance(p, sf.Empirical)
    again = sf.to_scipy(p)
    assert float(p.mean()) == pytest.approx(frozen.mean(), rel=1e-15)
    np.testing.assert_array_equal(again.xk, [-2.0, 1.5, 4.0])


def test_arrays_and_other_names():
    p = sf.to_scipy(sf.Gamma(np.array([1.0, 2.0]), 3.0))
    np.testing.assert_allclose(p.mean(), [1 / 3, 2 / 3])
    assert isinstance(sf.from_scipy(scipy.stats.erlang(3, scale=2.0)), sf.Gamma)
    assert isinstance(sf.from_scipy(scipy.stats.reciprocal(1.0, 2.0)), sf.LogUniform)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: sf.from_scipy(scipy.stats.geom(0.3)), "loc=-1"),
        (lambda: sf.from_scipy(scipy.stats.poisson(3.0, loc=2)), "no origin, got loc = 2"),
        (lambda: sf.from_scipy(scipy.stats.wrapcauchy(0.3)), "wrapcauchy"),
        (lambda: sf.from_scipy(scipy.stats.uniform_direction(3)), "uniform_direction"),
        (lambda: sf.to_scipy(sf.Affine(sf.Gamma(2.0, 1.0), scale=-1.0)), "turned around"),
        (lambda: sf.to_scipy(sf.Kumaraswamy(2.0, 1.0)), "SciPy has no Kumaraswamy"),
        (lambda: sf.to_scipy(sf.Dirichlet(np.ones((4, 3)))), "takes one Dirichlet"),
    ],
)
def test_refusals(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_only_frozen_distributions():
    with pytest.raises(TypeError, match="takes a frozen distribution"):
        sf.from_scipy(3.0)
