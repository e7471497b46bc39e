"""Weights stand for the density: estimates within 6.2 standard errors (5.6e-10), errors calibrated, bad proposals told."""

import dataclasses
import functools

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

import suffice as sf
from suffice.sampling.resample import SCHEMES


def quartic(x):
    return -0.25 * x**4


SECOND = 2.0 * scipy.special.gamma(0.75) / scipy.special.gamma(0.25)
LOG_Z = np.log(scipy.special.gamma(0.25) / np.sqrt(2.0))


def test_expectation_and_normaliser():
    found = sf.importance(quartic, sf.Normal(), 50_000, rng=1)
    second = found.expectation(lambda x: x**2)
    assert abs(second.value - SECOND) <= 6.2 * second.standard_error
    assert abs(found.log_normaliser.value - LOG_Z) <= 6.2 * found.log_normaliser.standard_error
    both = found.expectation(lambda x: jnp.stack([x, x**2]))
    np.testing.assert_allclose(both.value[1], second.value, rtol=1e-12)
    assert found.reliable
    assert 0.5 * 50_000 < found.ess < 50_000


def test_errors_are_calibrated():
    """Of 100 runs the squared standardised errors sum to a chi-square within 1e-9 a side."""
    runs = [sf.importance(quartic, sf.Normal(), 2000, rng=i) for i in range(100)]
    for z in (
        [(r.log_normaliser.value - LOG_Z) / r.log_normaliser.standard_error for r in runs],
        [(e.value - SECOND) / e.standard_error for e in (r.expectation(jnp.square) for r in runs)],
    ):
        assert scipy.stats.chi2.ppf(1e-9, 100) <= np.square(z).sum() <= scipy.stats.chi2.isf(1e-9, 100)


@pytest.mark.parametrize("k", [0.5, 0.6, 0.65])
def test_errors_where_the_variance_is_infinite(k):
    """Exponential laws of rates 1 − k and 1: ratios with a Pareto tail of shape k, no variance from ½ on.

    Of 600 estimates from 10,000 draws, of log Z and of a bounded mean, more than 498 are within 1.96 errors: of a coverage
    of 0.90, which is theirs at the least, as few have a probability of 1e-7; of 0.80, that of the sample's variance at
    k = 0.65, the chance to pass is 0.03.
    """
    rate = 1.0 - k
    truth = -np.expm1(-3.0 * rate) / rate
    covered = np.zeros(2)
    for i in range(600):
        found = sf.importance(EXPONENTIAL[k], sf.Exponential(1.0), 10_000, rng=i)
        log_z, bounded = found.log_normaliser, found.expectation(up_to_three)
        covered += [
            abs(log_z.value) <= 1.96 * log_z.standard_error,
            abs(bounded.value - truth) <= 1.96 * bounded.standard_error,
        ]
    assert np.all(covered > 498)


def up_to_three(x):
    return jnp.minimum(x, 3.0)


EXPONENTIAL = {k: functools.partial(lambda x, rate: jnp.log(rate) - rate * x, rate=1.0 - k) for k in (0.5, 0.6, 0.65)}


def test_few_draws_ask_for_lighter_tails():
    """1 − 1/log₁₀ n: 0.6 at 300 draws; 0.7 from 2,154 on."""
    found = sf.importance(quartic, sf.Normal(), 300, rng=0)
    assert dataclasses.replace(found, pareto_k=0.58).reliable
    assert not dataclasses.replace(found, pareto_k=0.62).reliable
    many = sf.importance(quartic, sf.Normal(), 3000, rng=0)
    assert dataclasses.replace(many, pareto_k=0.69).reliable
    assert not dataclasses.replace(many, pareto_k=0.71).reliable


def test_a_rare_event_is_no_tail():
    """Weights are bounded, and so is an indicator: of 20 draws of 1,000 that hit, none is an outlier."""
    for i in range(20):
        found = sf.importance(standard, sf.StudentT(3.0), 1000, rng=i)
        assert found.expectation(beyond).pareto_k < 0.7


def standard(x):
    return -0.5 * x**2


def beyond(x):
    return jnp.where(x > 2.5, 1.0, 0.0)


def test_light_tails_are_told():
    """A t of 2 degrees of freedom from a narrow normal: k is far above 0.7, and the result says so when printed."""
    found = sf.importance(lambda x: -1.5 * jnp.log1p(x**2 / 2.0), sf.Normal(0.0, 0.5), 20_000, rng=2)
    assert not found.reliable
    assert "not to be trusted" in repr(found)
    assert "not to be trusted" not in repr(sf.importance(quartic, sf.Normal(), rng=3))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_resampling_keeps_expectations(scheme):
    """Each index is taken n w times on average: 2,000 sets of 50, within 6.2 deviations; zero weights never are."""
    weights = np.array([0.5, 0.0, 0.24, 0.06, 0.2])
    with np.errstate(divide="ignore"):
        counts = np.array(
            [np.bincount(sf.resample(np.log(weights), 50, rng=i, scheme=scheme), minlength=5) for i in range(2000)]
        )
    assert np.all(counts.sum(1) == 50)
    assert not counts[:, 1].any()
    # no scheme has more variance than the multinomial
    off = np.abs(counts.mean(0) - 50 * weights) / np.sqrt(50 * weights * (1 - weights) / 2000 + 1e-30)
    assert np.all(off <= 6.2)
    expected = 50 * weights
    if scheme == "systematic":
        assert np.all((counts >= np.floor(expected + 1e-9)) & (counts <= np.ceil(expected - 1e-9)))
    if scheme == "residual":
        assert np.all(counts >= np.floor(expected + 1e-9))


def test_sampling_importance_resampling():
    """Resampled draws follow the density: 100,000 weighted, 2,000 taken; band of 1e-9."""
    found = sf.importance(quartic, sf.Normal(), 100_000, rng=5)
    x = np.sort(found.resample(2000, rng=6, scheme="multinomial"))
    cdf = np.asarray(sf.from_density(quartic).cdf(x))
    steps = np.arange(2001) / 2000.0
    gap = max(np.max(steps[1:] - cdf), np.max(cdf - steps[:-1]))
    assert gap <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * 1900.0))  # a weighted draw is taken twice at most now and then


def test_mixture_proposals_find_two_modes():
    """Unequal modes far apart: shares and normaliser within errors."""

    def two(x):
        one = -0.5 * jnp.sum((x - 4.0) ** 2) + jnp.log(0.3)
        return jnp.logaddexp(one, -0.5 * jnp.sum(((x + 4.0) / 0.5) ** 2) + jnp.log(0.7) + 3 * jnp.log(2.0))

    found = sf.adaptive_importance(two, np.zeros(3), 5.0, rng=7)
    assert found.reliable
    assert found.ess > 3000
    assert abs(found.log_normaliser.value - 1.5 * np.log(2 * np.pi)) <= 6.2 * found.log_normaliser.standard_error
    share = found.expectation(lambda x: jnp.where(x[0] > 0, 1.0, 0.0))
    assert abs(share.value - 0.3) <= 6.2 * share.standard_error


def test_a_function_matters_where_the_density_is_positive():
    """log x of a half normal from a normal: there are no logarithms of half of the draws, and none is asked for."""
    found = sf.importance(lambda x: jnp.where(x > 0.0, -0.5 * x**2, -jnp.inf), sf.Normal(), 20_000, rng=4)
    log = found.expectation(jnp.log)
    assert abs(log.value + 0.5 * (np.euler_gamma + np.log(2.0))) <= 6.2 * log.standard_error < 0.1


def test_bad_arguments():
    with pytest.raises(ValueError, match="n must be an integer of at least 25, got 3"):
        sf.importance(quartic, sf.Normal(), 3, rng=0)
    with pytest.raises(ValueError, match="n must be an integer of at least 25, got 1000"):
        sf.importance(quartic, sf.Normal(), 1e3, rng=0)
    with pytest.raises(ValueError, match="f must be finite where the density is positive, got -inf at"):
        sf.importance(quartic, sf.Normal(), rng=0).expectation(lambda x: jnp.log(jnp.maximum(x, 0.0)))
    with pytest.raises(ValueError, match="must be below infinity, got nan at"):
        sf.importance(lambda x: x * jnp.nan, sf.Normal(), rng=0)
    with pytest.raises(ValueError, match="is −inf at all of 100 draws"):
        sf.importance(lambda x: x * 0.0 - jnp.inf, sf.Normal(), 100, rng=0)
    with pytest.raises(
        ValueError, match="scheme must be one of multinomial, stratified, systematic, residual, got 'x'"
    ):
        sf.resample([0.0], rng=0, scheme="x")
    with pytest.raises(ValueError, match="one above −infinity, got a largest of -inf"):
        sf.resample([-np.inf], rng=0)


def test_a_function_that_grows_is_told():
    """Weights of a law for itself are level; exp(0.6 x²) has no variance under it, k = 2 · 0.6."""
    found = sf.importance(lambda x: -0.5 * x**2, sf.Normal(), 10_000, rng=8)
    assert found.reliable
    assert found.expectation(lambda x: jnp.exp(0.6 * x**2)).pareto_k > 0.7
    assert found.expectation(lambda x: x**2).pareto_k < 0.5
    assert found.expectation(lambda x: 1.0).pareto_k == found.pareto_k
