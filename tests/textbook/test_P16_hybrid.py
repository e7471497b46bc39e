"""Row P16: hybrid (Hamiltonian) Monte Carlo keeps detailed balance: exact draws and what one step makes of them are exchangeable."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf


@pytest.mark.parametrize("kernel", [sf.HMC(0.7), sf.NUTS(0.7)], ids=["HMC", "NUTS"])
def test_detailed_balance(kernel):
    """Exercise 11.17: of pairs (z, z*) from exact draws z, z − 2 z* and z* − 2 z have one law (false alarm 1e-6)."""
    algorithm = kernel.build(lambda v: (2.0 * v - jnp.exp(v)).sum())
    start = np.log(np.random.default_rng(0).gamma(2.0, size=50_000))
    step = jax.jit(jax.vmap(lambda key, v: algorithm.step(key, algorithm.init(v))[0].position))
    end = np.asarray(step(jax.random.split(jax.random.key(0), len(start)), start[:, None]))[:, 0]
    half = len(start) // 2  # of unlike pairs, so that the two samples are independent
    assert stats.ks_2samp((start - 2.0 * end)[:half], (end - 2.0 * start)[half:]).pvalue > 1e-6
    assert stats.kstest(np.exp(end), stats.gamma(2.0).cdf).pvalue > 1e-6
    assert np.mean(start != end) > 0.5
