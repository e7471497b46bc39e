"""Tables of quantile functions: right to their stated error, in both tails; draws within bands of 1e-9."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

COUNT = 200_000
LEVELS = np.concatenate([2.0 ** -np.linspace(1.0, 65.9, 400), [0.3, 0.123]])


def follows(draws, cdf):
    x = np.sort(np.asarray(draws))
    f, steps = np.asarray(cdf(x)), np.arange(len(x) + 1) / len(x)
    return max(np.max(steps[1:] - f), np.max(f - steps[:-1])) <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * len(x)))


ARCSINE = SimpleNamespace(  # with poles at 0 and at 1, where floats are far apart
    icdf=lambda q: jnp.sin(0.5 * jnp.pi * q) ** 2,
    isf=lambda q: jnp.cos(0.5 * jnp.pi * q) ** 2,
    cdf=lambda x: 2.0 / jnp.pi * jnp.arcsin(jnp.sqrt(x)),
    sf=lambda x: 2.0 / jnp.pi * jnp.arcsin(jnp.sqrt(jnp.clip(1.0 - x, 0.0))),
)
SAMPLERS = {
    "poles": (lambda: sf.inverse_transform(ARCSINE), scipy.stats.arcsine),
    "law": (lambda: sf.inverse_transform(sf.Cauchy()), scipy.stats.cauchy),
    "quantile": (lambda: sf.inverse_transform(quantile=lambda u: -jnp.log1p(-u)), scipy.stats.expon),
    "cdf": (
        lambda: sf.inverse_transform(cdf=lambda x: 1.0 / (1.0 + jnp.exp(-x)), sf=lambda x: 1.0 / (1.0 + jnp.exp(x))),
        scipy.stats.logistic,
    ),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_tables_are_right_to_their_stated_error(name):
    """F at the tabulated quantiles, relative to the level, at levels other than those at which the error was measured."""
    make, law = SAMPLERS[name]
    sampler = make()
    assert sampler.u_error <= 1e-10
    np.testing.assert_allclose(law.cdf(sampler.icdf(LEVELS)), LEVELS, rtol=2e-10)
    assert follows(sampler.sample(COUNT, rng=1), law.cdf)
    assert sampler.sample((2, 3), rng=0).shape == (2, 3)
    assert np.isnan(sampler.icdf(np.array([0.0, 1.0, -1.0]))).all()


def test_laws_that_cannot_be_tabulated():
    """A quantile function with a jump, one that is no number, and arguments that contradict one another."""
    with pytest.raises(ValueError, match=r"u_error 1e-10 is out of reach: F is wrong by .* near the quantile of 0\.29"):
        sf.inverse_transform(quantile=lambda u: jnp.where(u < 0.29, u, u + 1.0))
    with pytest.raises(ValueError, match=r"quantiles must be finite, got another near that of 0\.9"):
        sf.inverse_transform(quantile=lambda u: jnp.sqrt(0.9 - u))
    with pytest.raises(
        TypeError, match=r"law must have icdf, isf, cdf and sf, got function; of a density: sf.from_density"
    ):
        sf.inverse_transform(lambda x: -(x**2))
    with pytest.raises(ValueError, match="exactly one of law, quantile and cdf must be given"):
        sf.inverse_transform()
    with pytest.raises(ValueError, match="u_error must be at least 1e-13, got 0"):
        sf.inverse_transform(sf.Normal(), u_error=0.0)
