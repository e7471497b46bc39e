"""Bayes' rule in closed form: NIST's posterior, data of every kind, intervals, Bayes factors, errors."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import suffice as sf
from suffice.inference.conjugate.credible import interval

NIST = json.loads((Path(__file__).parents[2] / "references" / "nist" / "mcmc01.json").read_text())["mcmc01"]
RNG = np.random.default_rng(21)


def exact_sigma(data):
    """Posterior of σ under the prior 1/σ for data as they are, at 40 digits: σ² is inverse gamma ((n−1)/2, S/2)."""
    with mp.workdps(60):
        x = [mp.mpf(v) for v in data]
        n, centre = len(x), mp.fsum(x) / len(x)
        half = mp.fsum((v - centre) ** 2 for v in x) / 2
        shape = mp.mpf(n - 1) / 2
        mean = mp.sqrt(half) * mp.gamma(shape - 0.5) / mp.gamma(shape)
        at = [mp.sqrt(half / mp.findroot(lambda g, q=q: mp.gammainc(shape, g, regularized=True) - q, 5)) for q in
              (mp.mpf("0.025"), mp.mpf("0.5"), mp.mpf("0.975"))]  # fmt: skip
        return centre, [float(v) for v in (mean, *at)]


def sigma_of(posterior):
    sigma = posterior.marginals["scale"]
    return [float(v) for v in (sigma.mean(), *sigma.icdf(jnp.asarray([0.025, 0.5, 0.975])))]


def test_nist_mcmc01_without_a_draw():
    """μ as certified; σ to 1e-12 of the exact posterior of the float64 data."""
    x = np.array([float(v) for v in NIST["data"]])
    posterior = sf.update("reference", sf.Normal, x)
    mu = posterior.marginals["loc"].icdf(jnp.asarray([0.025, 0.5, 0.975]))
    certified = [float(NIST["published_certified"][f"mu_q0_{q}"]) for q in ("025", "5", "975")]
    np.testing.assert_allclose(mu, certified, rtol=1.5e-16 * 2)
    np.testing.assert_allclose(sigma_of(posterior), exact_sigma(x)[1], rtol=1e-12)


def test_nist_mcmc01_from_shifted_decimals():
    """Data less 1e8, subtracted in decimal: 12 digits of NIST's σ."""
    x = [float("0" + v.removeprefix("100000000")) for v in NIST["data"]]
    posterior = sf.update("reference", sf.Normal, x)
    certified = [float(NIST["published_certified"][f"sigma_{q}"]) for q in ("mean", "q0_025", "q0_5", "q0_975")]
    np.testing.assert_allclose(sigma_of(posterior), certified, rtol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_evidence_does_not_cancel(shift):
    """Normal–inverse-gamma: the evidence of data far from 0 about a prior that is there too, at 50 digits."""
    x = np.asarray(RNG.normal(shift, 1e-3, 500))
    a, b, kappa, loc = 2.0, 3e-6, 0.5, shift
    with mp.workdps(50):
        v = [mp.mpf(float(t)) for t in x]
        n, mean = len(v), mp.fsum(v) / len(v)
        scale = b + mp.fsum((t - mean) ** 2 for t in v) / 2 + kappa * n * (mean - loc) ** 2 / (2 * (kappa + n))
        shape = a + mp.mpf(n) / 2
        exact = (mp.loggamma(shape) - mp.loggamma(a) + a * mp.log(mp.mpf(b)) - shape * mp.log(scale)
                 + mp.log(kappa / (kappa + n)) / 2 - n * mp.log(2 * mp.pi) / 2)  # fmt: skip
    found = sf.update(sf.NormalInverseGamma(loc, kappa, a, b), sf.Normal, x).log_evidence
    assert float(found) == pytest.approx(float(exact), rel=1e-13)


def test_data_of_every_kind():
    x = RNG.gamma(2.0, 1.0, 3000)
    prior, family = sf.Gamma(2.0, 1.0), sf.family(sf.Gamma, concentration=2.0)
    whole = sf.update(prior, family, x)
    others = [
        sf.update(prior, family, sf.Data(x)),
        sf.update(prior, family, sf.chunks(lambda: (x[i : i + 700] for i in range(0, 3000, 700)))),
        sf.update(prior, family, sf.statistics(family, x)),
        sf.update(sf.update(prior, family, x[:1000]), family, x[1000:]),
    ]
    for other in others:
        np.testing.assert_allclose(other.distribution.rate, whole.distribution.rate, rtol=1e-12)
    assert float(others[0].log_evidence) == pytest.approx(float(whole.log_evidence), rel=1e-13)
    first, second = np.arange(2), np.array([2.0, 5.0])
    by_weight = sf.update(sf.Beta(1.0, 1.0), sf.Bernoulli, first, second)
    assert (float(by_weight.distribution.alpha), float(by_weight.distribution.beta)) == (6.0, 3.0)


def test_compiled_and_batched():
    x = RNG.poisson(3.0, (4, 20))
    evidence = jax.vmap(lambda row: sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, row).log_evidence)(jnp.asarray(x, float))
    alone = [float(sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, row).log_evidence) for row in x]
    np.testing.assert_allclose(evidence, alone, rtol=1e-13)
    slope = jax.grad(lambda a: sf.update(sf.Gamma(a, 1.0), sf.Poisson, jnp.asarray(x[0], float)).log_evidence)(2.0)
    assert np.isfinite(slope)


def test_highest_density_intervals():
    """They hold the level, have equal densities at their ends, and no other interval of the level is shorter."""
    for p in (sf.Gumbel(2.0, 1.0), sf.Logistic(1.0, 2.0)):  # whose quantiles are quickly compiled
        low, high = interval(p, 0.9, "highest")
        assert float(p.cdf(high) - p.cdf(low)) == pytest.approx(0.9, abs=1e-12)
        assert float(p.log_prob(low)) == pytest.approx(float(p.log_prob(high)), abs=1e-6)
        t = jnp.linspace(1e-6, 0.1 - 1e-6, 101)
        assert high - low <= float((p.isf(0.1 - t) - p.icdf(t)).min()) + 1e-9
    falling = interval(sf.Exponential(2.0), 0.9, "highest")
    assert falling == (0.0, pytest.approx(float(sf.Exponential(2.0).isf(0.1)), rel=1e-14))
    with pytest.raises(ValueError, match="no interval"):
        interval(sf.Kumaraswamy(0.5, 0.5), 0.9, "highest")
    low, high = interval(sf.BetaBinomial(20, 2.0, 5.0), 0.8, "highest")
    p = np.asarray(sf.BetaBinomial(20, 2.0, 5.0).prob(np.arange(21.0)))
    best = np.sort(p)[::-1].cumsum()
    assert p[int(low) : int(high) + 1].sum() >= 0.8
    assert high - low + 1 == np.searchsorted(best, 0.8) + 1


def test_bayes_factor_of_lindley():
    """A sharp null against a wide alternative: closed form of both evidences."""
    x = RNG.normal(0.2, 1.0, 50)
    family = sf.family(sf.Normal, scale=1.0)
    wide, narrow = (sf.update(sf.Normal(0.0, s), family, x) for s in (10.0, 1e-6))
    sharp = float(sf.Normal(0.0, 1.0).log_prob(x).sum())
    assert float(narrow.log_evidence) == pytest.approx(sharp, abs=1e-9)
    n, mean = 50, x.mean()
    exact = -0.5 * np.log(1 + n * 100.0) + 0.5 * n**2 * mean**2 * 100.0 / (1 + n * 100.0)
    assert wide.log_bayes_factor(narrow) == pytest.approx(exact, abs=1e-9)
    with pytest.raises(ValueError, match="improper"):
        sf.update("jeffreys", family, x).bayes_factor(wide)
    with pytest.raises(ValueError, match="same data"):
        sf.update(sf.Normal(), family, x[:10]).bayes_factor(wide)


def test_errors_say_what_there_is():
    with pytest.raises(ValueError, match=r"Gamma on rate with sf\.Poisson"):
        sf.update(sf.Beta(1.0, 1.0), sf.Poisson, [1, 2])
    with pytest.raises(ValueError, match="no conjugate prior of Logistic"):
        sf.update(sf.Normal(), sf.Logistic, [1.0, 2.0])
    with pytest.raises(ValueError, match="it has jeffreys, reference"):
        sf.update("flat", sf.Poisson, [1, 2])
    with pytest.raises(sf.DataError, match="too few, or all equal, for an improper prior"):
        sf.update("reference", sf.Normal, [1.0])
    with pytest.raises(sf.DataError, match="needs values"):
        sf.update(sf.Gamma(1.0, 1.0), sf.Poisson, [1, -2])
    with pytest.raises(sf.DataError, match="below the minimum"):
        sf.update(sf.Gamma(1.0, 1.0), sf.family(sf.Pareto, scale=2.0), [1.0, 3.0])
    with pytest.raises(sf.DataError, match="censored"):
        sf.update(sf.Gamma(1.0, 1.0), sf.Exponential, sf.Data.lifetimes([1.0, 2.0], [True, False]))
    with pytest.raises(TypeError, match="prior must be"):
        sf.update(2.0, sf.Poisson, [1])
    with pytest.raises(ValueError, match="whole number"):
        sf.fit(sf.family(sf.Hypergeometric, population=10, draws=3), [1.0])
    with pytest.raises(sf.DataError, match="were drawn"):
        sf.update(sf.BetaBinomial(5, 1, 1), sf.family(sf.Hypergeometric, population=5, draws=3), [1.0, 2.0])


def test_intervals_of_integers_hold_the_likeliest():
    p = sf.BetaBinomial(30.0, 2.0, 3.0)
    low, high = interval(p, 0.8, "highest")
    k = np.arange(31.0)
    mass = np.asarray(p.prob(k))
    inside = (k >= low) & (k <= high)
    assert mass[inside].sum() >= 0.8 > mass[inside].sum() - mass[inside].min()
    assert mass[inside].min() >= mass[~inside].max()
    with pytest.raises(ValueError, match="is no interval"):
        interval(sf.BetaBinomial(10.0, 0.3, 0.3), 0.8, "highest")


def test_prior_and_data_of_unlike_sizes():
    with pytest.raises(sf.DataError, match="the prior is of 2 coordinates, the data of 3"):
        sf.update(sf.Dirichlet([1.0, 1.0]), sf.family(sf.Multinomial, total_count=3), np.ones((4, 3)))


def test_an_urn_of_another_size_and_an_empty_urn():
    urn = sf.family(sf.Hypergeometric, population=10, draws=3)
    with pytest.raises(sf.DataError, match="the prior is about 50 items, the population has 10"):
        sf.update(sf.BetaBinomial(50, 1.0, 1.0), urn, [1.0])
    empty = sf.update(sf.BetaBinomial(10, 1.0, 1.0), sf.family(sf.Hypergeometric, population=10, draws=10), [4.0])
    with pytest.raises(ValueError, match="0 items are left, too few for 10 draws"):
        _ = empty.predictive


def test_an_angle_near_the_cut_has_its_mean_and_interval_there():
    x = np.array([3.1, -3.1, 3.0, -3.0])
    likelihood = sf.family(sf.VonMises, concentration=2.0)
    turned = sf.update(sf.VonMises(0.1, 0.5), likelihood, np.remainder(x - 3.0 + np.pi, 2 * np.pi) - np.pi)
    posterior = sf.update(sf.VonMises(3.1, 0.5), likelihood, x)
    assert float(posterior.mean) == pytest.approx(float(turned.mean) + 3.0)
    for kind in ("equal", "highest"):
        ends, others = posterior.interval(kind=kind)["loc"], turned.interval(kind=kind)["loc"]
        assert ends == pytest.approx([end + 3.0 for end in others])


def test_bayes_factors_are_of_the_same_data():
    """What both models sum is compared, whatever the likelihoods; unlike statistics are taken on trust."""
    x, y = RNG.gamma(2.0, 1.0, 12), RNG.gamma(2.0, 1.0, 12)
    prior = sf.Gamma(2.0, 1.0)
    exponential = sf.update(prior, sf.Exponential, x)
    gamma = sf.family(sf.Gamma, concentration=2.0)
    assert np.isfinite(sf.update(prior, gamma, x[::-1]).log_bayes_factor(exponential))
    with pytest.raises(ValueError, match="same data, got means"):
        sf.update(prior, gamma, y).log_bayes_factor(exponential)
    log_normal = sf.update(prior, sf.family(sf.LogNormal, loc=0.0), x)
    assert np.isfinite(log_normal.log_bayes_factor(exponential))
    with pytest.raises(ValueError, match="same data, got means"):
        sf.update(prior, sf.family(sf.LogNormal, loc=0.0), y).log_bayes_factor(log_normal)
    centred = x - x.mean()
    narrow, wide = (
        sf.update(sf.Normal(0.0, s), sf.family(sf.Normal, scale=1.0), v)
        for s, v in ((1.0, centred), (9.0, centred[::-1]))
    )
    assert np.isfinite(narrow.log_bayes_factor(wide))
    counts = np.array([3.0, 0.0, 2.0])
    poisson, geometric = sf.update(prior, sf.Poisson, counts), sf.update(sf.Beta(1.0, 1.0), sf.Geometric, counts)
    assert np.isfinite(poisson.log_bayes_factor(geometric))
