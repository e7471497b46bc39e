"""WAIC and PSIS leave-one-out: against exact leave-one-out where that is known, and each step against its definition."""

import math

import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.inference.posteriors.importance import judged
from suffice.numerics.pareto import pareto_tail, smoothed_weights

RNG = np.random.default_rng(21)


def normal_mean(n, draws):
    """Log-likelihoods under draws of a normal's mean with a flat prior, and the exact leave-one-out terms."""
    x = RNG.normal(size=n)
    theta = RNG.normal(x.mean(), n**-0.5, size=(draws, 1))
    without = (x.sum() - x) / (n - 1)
    return scipy.stats.norm(theta, 1.0).logpdf(x), scipy.stats.norm(without, np.sqrt(1.0 + 1.0 / (n - 1))).logpdf(x)


def test_leave_one_out_of_a_normal_mean():
    """The importance sampling error of each term is about 2/√4000 times its spread; 0.05 is more than six of these."""
    ll, exact = normal_mean(40, 4000)
    found = sf.psis_loo(ll)
    assert found.terms == pytest.approx(exact, abs=0.05)
    assert found.elpd == pytest.approx(exact.sum(), abs=0.1)
    assert found.standard_error == pytest.approx(np.sqrt(40 * found.terms.var(ddof=1)), rel=1e-12)
    assert found.effective == pytest.approx(1.0, abs=0.3)
    assert found.reliable
    assert sf.waic(ll).elpd == pytest.approx(exact.sum(), abs=0.1)


def test_waic_is_its_formula():
    ll = RNG.normal(-1.0, 0.3, size=(50, 6))
    density = np.log(np.exp(ll).mean(0))
    found = sf.waic(ll)
    assert found.terms == pytest.approx(density - ll.var(0, ddof=1), rel=1e-12)
    assert found.effective == pytest.approx(ll.var(0, ddof=1).sum(), rel=1e-12)
    assert found.reliable
    assert not sf.waic(ll * 9.0).reliable


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.9])
def test_the_tail_of_a_generalised_pareto(shape):
    """20,000 values: the standard error of the shape is (1 + k)/√n at most 0.014, of the scale 0.02; six of these."""
    p = scipy.stats.genpareto(shape, scale=2.0)
    k, scale = pareto_tail(np.sort(p.rvs(20_000, random_state=3)))
    assert k == pytest.approx(shape, abs=0.084)
    assert scale == pytest.approx(2.0, abs=0.2)


def test_weights():
    """They sum to 1, keep their order and what is below the tail, and none exceeds the largest raw one."""
    raw = RNG.standard_t(3, size=500)
    smooth, k = smoothed_weights(raw)
    assert np.exp(smooth).sum() == pytest.approx(1.0, rel=1e-12)
    assert np.array_equal(np.argsort(smooth, kind="stable"), np.argsort(raw, kind="stable"))
    body = np.argsort(raw)[:400]
    assert np.ptp(smooth[body] - raw[body]) < 1e-12
    assert 0.0 < k < 3.0
    few, k = smoothed_weights(raw[:10])
    assert (k, np.exp(few).sum()) == (np.inf, pytest.approx(1.0))
    equal, k = smoothed_weights(np.zeros(100))
    assert (k, equal[0]) == (-np.inf, pytest.approx(-np.log(100)))


def test_a_heavy_tail_is_told():
    """One observation at ten standard deviations: the posterior without it is elsewhere."""
    x = np.append(RNG.normal(size=9), 10.0)
    theta = RNG.normal(x.mean(), 0.3, size=(1000, 1))
    found = sf.psis_loo(scipy.stats.norm(theta, 0.6).logpdf(x))
    assert found.pareto_k is not None
    assert found.pareto_k[-1] > 0.7
    assert not found.reliable


@pytest.mark.parametrize("estimate", [sf.waic, sf.psis_loo])
def test_what_is_refused(estimate):
    with pytest.raises(ValueError, match=r"shape \(draws, n\) with at least two draws, got \(5,\)"):
        estimate(np.zeros(5))
    with pytest.raises(ValueError, match="numbers below infinity"):
        estimate(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="must be finite"):
        sf.psis_loo(np.full((3, 2), -np.inf))
    with pytest.raises(ValueError, match="efficiency must be > 0"):
        sf.psis_loo(np.zeros((3, 2)), efficiency=0.0)


def test_a_shoulder_is_no_tail():
    """Ratios of log Gamma(a, a) to a normal law around its mode: level about the peak, a tail on one side.

    Where the law is a little too wide, the 190 largest of 4,000 are nearly all from the level part, and a shape of 3 was
    found. 40 draws of each are fixed; three quarters must be below 0.7, and smoothing must not lose against the plain
    mean.
    """
    for a, wide in ((2.0, 1.2), (2.0, 1.3), (14.0, 1.0), (14.0, 1.1), (200.0, 1.05)):
        ks, errors = [], []
        for seed in range(40):
            z = np.random.default_rng(seed).normal(size=2000)
            z = np.concatenate([z, -z])
            v = wide * z / np.sqrt(a)
            logs = a * v - a * np.exp(v) + 0.5 * z**2 + np.log(wide) + 0.5 * np.log(2.0 * np.pi / a)
            exact = math.lgamma(a) - a * np.log(a)
            found = judged(logs)
            ks.append(found.pareto_k)
            errors.append((found.log_evidence - exact, np.log(np.exp(logs).mean()) - exact))
        smoothed, plain = np.sqrt(np.mean(np.square(errors), axis=0))
        assert np.quantile(ks, 0.75) < 0.7, (a, wide)
        assert smoothed < 1.02 * plain, (a, wide)


def test_a_few_draws_with_nearly_all_weight_are_a_tail():
    """Another mode, which one draw in a hundred meets: its shape is not looked at without the rest."""
    logs = RNG.normal(0.0, 0.05, size=4000)
    logs[:40] += 8.0
    assert judged(logs).pareto_k > 0.7
