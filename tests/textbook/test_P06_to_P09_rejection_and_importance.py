"""P6, P7 and P9: rejection, adaptive rejection, importance sampling, through the public API.

Bands by Dvoretzky, Kiefer, Wolfowitz and Massart at 1e-9; estimates within 6.2 standard errors (5.6e-10).
"""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

import suffice as sf

COUNT = 100_000


def follows(draws, cdf):
    x = np.sort(np.asarray(draws))
    f, steps = np.asarray(cdf(x)), np.arange(len(x) + 1) / len(x)
    return max(np.max(steps[1:] - f), np.max(f - steps[:-1])) <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * len(x)))


def test_p6_rejection():
    """Gamma of shape 3.7 under b tan + c (exercise 11.7): accepted draws follow it, the rate is Z/k, Z is estimated."""
    a = 3.7
    envelope = sf.Cauchy(a - 1.0, np.sqrt(2.0 * a - 1.0))
    log_p = lambda x: jnp.where(x > 0, (a - 1.0) * jnp.log(jnp.where(x > 0, x, 1.0)) - x, -jnp.inf)  # noqa: E731
    found = sf.rejection(log_p, envelope, COUNT, rng=1)
    z = float(np.exp(scipy.special.gammaln(a)))
    assert follows(found.draws, scipy.stats.gamma(a).cdf)
    assert abs(found.log_normaliser.value - np.log(z)) <= 6.2 * found.log_normaliser.standard_error
    assert abs(found.acceptance.value - z / np.exp(found.log_bound)) <= 6.2 * found.acceptance.standard_error
    with pytest.raises(ValueError, match="log_bound is too small"):
        sf.rejection(log_p, envelope, COUNT, log_bound=found.log_bound - 0.3, rng=1)


def test_p7_the_envelope_of_tangents():
    """Exercises 11.8 and 11.9: pieces k_i λ_i exp(−λ_i (z − z_i)) that meet, their areas, and draws of the whole."""
    sampler = sf.adaptive_rejection(lambda x: -0.5 * x**2, knots=32)
    bounds = sampler.step(5)
    used = np.isfinite(np.asarray(bounds.log_areas))
    edges, slopes = np.asarray(bounds.edges), np.asarray(bounds.slopes)[used]
    inner = edges[1 : used.sum()]
    # continuous: both lines of neighbouring pieces agree where they meet
    piece = np.arange(len(inner))
    np.testing.assert_allclose(bounds.line(piece, inner), bounds.line(piece + 1, inner), rtol=1e-12, atol=1e-12)
    assert np.all(np.diff(slopes) <= 0)
    grid = np.linspace(-40.0, 40.0, 2_000_001)
    area = np.trapezoid(np.exp(np.asarray(bounds.log_upper(grid))), grid)
    assert float(bounds.log_upper_area) == pytest.approx(np.log(area), abs=1e-6)
    assert follows(sampler.sample(COUNT, rng=2), scipy.stats.norm.cdf)


def test_p7_not_log_concave():
    """A Cauchy has convex tails beyond ±1: the place that is reported is there."""
    with pytest.raises(ValueError, match="log_density is not concave near") as error:
        sf.adaptive_rejection(lambda x: -jnp.log1p(x**2))
    place = float(str(error.value).split("near ")[1].split(":")[0])
    assert abs(place) > 1.0


def test_p9_importance_and_resampling():
    """Weights make up for a proposal that is too wide: a tail, the normaliser, and resampled draws; one too narrow is told."""
    shifted = sf.importance(lambda x: -0.5 * x**2, sf.Normal(0.0, 1.5), COUNT, rng=4)
    tail = shifted.expectation(lambda x: jnp.where(x > 2.0, 1.0, 0.0))
    assert abs(tail.value - scipy.stats.norm.sf(2.0)) <= 6.2 * tail.standard_error
    log_z = shifted.log_normaliser
    assert abs(log_z.value - 0.5 * np.log(2 * np.pi)) <= 6.2 * log_z.standard_error
    assert follows(shifted.resample(1000, rng=5, scheme="multinomial"), scipy.stats.norm.cdf)
    assert not sf.importance(lambda x: -0.5 * x**2, sf.Normal(0.0, 0.4), COUNT, rng=6).reliable
