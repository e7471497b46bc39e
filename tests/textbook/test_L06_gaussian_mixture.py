"""L6: the Gaussian mixture: log-sum-exp, no closed form, EM that never falls, the gap to a single Gaussian."""

import numpy as np
import pytest

import suffice as sf

TRUTH = sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6])
X = np.asarray(TRUTH.sample(4000, rng=6))
FIT = sf.fit_mixture(sf.Normal, 2, X, starts=5)


def test_the_log_likelihood_is_a_log_sum_exp():
    each = np.stack([np.log(w) + np.asarray(p.log_prob(X)) for w, p in zip(FIT.weights, FIT.components, strict=True)])
    assert FIT.log_likelihood == pytest.approx(np.logaddexp(*each).sum(), rel=1e-12)
    far = FIT.log_densities([1e3, -1e3])  # where both densities underflow
    assert np.all(np.isfinite(far))
    np.testing.assert_allclose(far, FIT.distribution.log_prob(np.array([1e3, -1e3])), rtol=1e-12)


def test_em_never_falls():
    plain = sf.fit_mixture(sf.Normal, 2, X, start=(X > 0.0).astype(int), accelerate=False)
    assert len(plain.trace) > 5
    assert np.all(np.diff(plain.trace) >= -1e-12 * np.abs(plain.trace[1:]))
    assert plain.log_likelihood == pytest.approx(FIT.log_likelihood, rel=1e-12)


def test_the_truth_is_recovered():
    """Within 4 standard errors in five parameters: false alarm 5 · 6e-5."""
    truth = {"weights[0]": 0.4, "components[0].loc": -2.0, "components[0].scale": 0.8,
             "components[1].loc": 3.0, "components[1].scale": 1.2}  # fmt: skip
    for name, value in truth.items():
        assert abs(FIT.parameters[name] - value) < 4.0 * FIT.standard_errors[name]


def test_the_gap_to_a_single_gaussian():
    """Per observation it comes near the divergence of the truth from the normal of its moments: 4 standard errors."""
    single = sf.fit(sf.Normal, X)
    gap = (FIT.log_likelihood - float(single.log_likelihood)) / len(X)
    best = sf.Normal(TRUTH.mean(), TRUTH.stddev())
    ratios = np.asarray(TRUTH.log_prob(X) - best.log_prob(X))
    assert abs(gap - float(sf.kl(TRUTH, best))) < 4.0 * ratios.std() / np.sqrt(len(X)) + 5.0 / len(X)
