"""Row P10: Metropolis–Hastings with an asymmetric proposal keeps detailed balance, measured on a finite space."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf

FALSE_ALARM = 1e-6


@pytest.mark.parametrize("balanced", [True, False])
def test_detailed_balance_on_a_finite_space(balanced):
    """π(i) P(i → j) = π(j) P(j → i), by counting transitions of 200,000 exact draws on five points (Bishop 11.2)."""
    weights = jnp.array([1.0, 2.0, 0.5, 3.0, 1.5])
    table = jnp.array(np.random.default_rng(0).dirichlet(5.0 * np.ones(5), size=5))  # an asymmetric proposal

    def at(v):
        return v[0].astype(int)

    kernel = sf.MetropolisHastings(
        lambda key, v: jax.random.categorical(key, jnp.log(table[at(v)]), shape=(1,)).astype(float),
        (lambda to, begin: jnp.log(table[at(begin), at(to)])) if balanced else None,
    )
    algorithm = kernel.build(lambda v: jnp.log(weights[at(v)]))
    n = 200_000
    start = np.random.default_rng(1).choice(5, p=np.asarray(weights / weights.sum()), size=n).astype(float)
    step = jax.jit(jax.vmap(lambda k, v: algorithm.step(k, algorithm.init(v))[0].position))
    end = np.asarray(step(jax.random.split(jax.random.key(2), n), start[:, None]))[:, 0]
    counts = np.zeros((5, 5))
    np.add.at(counts, (start.astype(int), end.astype(int)), 1.0)
    i, j = np.triu_indices(5, 1)
    statistic = ((counts[i, j] - counts[j, i]) ** 2 / (counts[i, j] + counts[j, i])).sum()  # chi-square of 10 pairs
    assert (stats.chi2.sf(statistic, 10) > FALSE_ALARM) == balanced
