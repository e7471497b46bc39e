"""Row P14: slice sampling, with one coordinate after the other and with all at once."""

import numpy as np
import pytest

import suffice as sf


def log_density(x):
    """Two correlated gamma-like numbers: x0 ~ Gamma(3, 1), x1 ~ Gamma(2, rate x0)."""
    import jax.numpy as jnp

    return 2.0 * jnp.log(x[0]) - x[0] + 2.0 * jnp.log(x[0]) + jnp.log(x[1]) - x[0] * x[1]


@pytest.mark.parametrize(
    "kernel", [sf.Slice(), sf.Slice(expand="doubling"), sf.Slice(0.1), sf.HyperrectangleSlice()], ids=str
)
def test_means(kernel):
    """E x0 = 3 and E x1 = 2 E[1/x0] = 1, within 5.5 standard errors; widths that are far off cost time, not exactness."""
    chains = sf.sample(log_density, [2.0, 1.0], "positive", kernel=kernel, draws=3000, rng=0)
    assert abs(chains.mean["x[0]"] - 3.0) < 5.5 * chains.mcse["x[0]"]
    assert abs(chains.mean["x[1]"] - 1.0) < 5.5 * chains.mcse["x[1]"]


def test_elliptical():
    """A standard normal prior times a normal likelihood at 1 with deviation 1/2: mean 4/5, variance 1/5."""
    chains = sf.sample(
        lambda x: -0.5 * (x**2).sum() - 2.0 * ((x - 1.0) ** 2).sum(),
        np.zeros(3),
        kernel=sf.EllipticalSlice(),
        warmup=50,
        rng=0,
    )
    for i in range(3):
        assert abs(chains.mean[f"x[{i}]"] - 0.8) < 5.5 * chains.mcse[f"x[{i}]"]
    assert chains.draws.var() == pytest.approx(0.2, rel=0.1)
