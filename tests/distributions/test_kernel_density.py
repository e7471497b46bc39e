"""Kernel density estimates against SciPy's, whose bandwidths are multiples of the standard deviation."""

import jax
import numpy as np
import pytest
import scipy.stats

import suffice as sf

DATA = np.random.default_rng(3).gamma(2.0, size=60)
WEIGHTS = np.random.default_rng(4).uniform(size=60)
POINTS = np.array([-2.0, 0.1, 1.0, 3.0, 9.0])


@pytest.mark.parametrize("rule", ["silverman", "scott"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_rules(rule, weights):
    """Both follow the same formulae: they differ by the rounding of sums of sixty terms."""
    p, other = sf.kernel_density(DATA, rule, weights), scipy.stats.gaussian_kde(DATA, rule, weights)
    np.testing.assert_allclose(p.prob(POINTS), other(POINTS), rtol=1e-12)
    np.testing.assert_allclose(p.cdf(1.5), other.integrate_box_1d(-np.inf, 1.5), rtol=1e-12)


def test_bandwidth_is_in_the_unit_of_x():
    p = sf.kernel_density(DATA, 0.25)
    other = scipy.stats.gaussian_kde(DATA, 0.25 / DATA.std(ddof=1))
    np.testing.assert_allclose(p.prob(POINTS), other(POINTS), rtol=1e-12)
    np.testing.assert_allclose(p.mean(), DATA.mean(), rtol=1e-13)
    np.testing.assert_allclose(p.variance(), DATA.var() + 0.25**2, rtol=1e-12)
    q = np.array([1e-9, 0.3, 0.999])
    np.testing.assert_allclose(p.cdf(p.icdf(q)), q, rtol=1e-11)


def test_batches_and_compiled_code():
    both = sf.kernel_density(np.stack([DATA, 2.0 * DATA]))
    assert both.batch_shape == (2,)
    np.testing.assert_allclose(both.cdf(1.5)[0], sf.kernel_density(DATA).cdf(1.5), rtol=1e-13)
    np.testing.assert_allclose(
        jax.jit(lambda x: sf.kernel_density(x, "scott").cdf(1.5))(DATA), sf.kernel_density(DATA, "scott").cdf(1.5)
    )
    assert sf.kernel_density(np.float32(DATA)).prob(np.float32(1.0)).dtype == np.float32


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: sf.kernel_density(DATA, "best"), "bandwidth must be"),
        (lambda: sf.kernel_density(DATA, -1.0), r"Normal\.scale"),
        (lambda: sf.kernel_density(DATA, 1.0, -WEIGHTS - 1.0 + 2.0 * (WEIGHTS > 0.5)), r"Mixture\.weights"),
    ],
)
def test_refusals(act, message):
    with pytest.raises(ValueError, match=message):
        act()
