"""Row P11: Gibbs sampling: each conditional keeps detailed balance; two separated blocks are not ergodic, and it shows."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

import suffice as sf


def test_a_conditional_keeps_detailed_balance():
    """Exercise 11.11: pairs (z before, z after) of one conditional are exchangeable (Kolmogorov–Smirnov, false alarm 1e-6)."""
    rho, n = 0.8, 50_000
    kernel = sf.Gibbs(
        {"a": lambda key, p: rho * p["b"] + (1 - rho**2) ** 0.5 * jax.random.normal(key), "b": lambda key, p: p["b"]}
    )
    algorithm = kernel.build(lambda p: -0.5 * (p["a"] ** 2 - 2 * rho * p["a"] * p["b"] + p["b"] ** 2) / (1 - rho**2))

    def pair(key):
        first, second, step = jax.random.split(key, 3)
        b = jax.random.normal(first)
        a = rho * b + (1 - rho**2) ** 0.5 * jax.random.normal(second)
        return a, algorithm.step(step, algorithm.init({"a": a, "b": b}))[0].position["a"]

    before, after = (np.asarray(x) for x in jax.jit(jax.vmap(pair))(jax.random.split(jax.random.key(0), n)))
    half = n // 2  # of unlike pairs, so that the two samples are independent
    assert stats.ks_2samp((before - 2.0 * after)[:half], (after - 2.0 * before)[half:]).pvalue > 1e-6
    assert stats.kstest(after, stats.norm.cdf).pvalue > 1e-6


def test_two_separated_blocks_are_caught():
    """Exercise 11.12 (row P11): Gibbs sampling cannot leave one of two separated squares; R-hat over dispersed starts tells."""

    def log_density(p):
        inside = (p["a"] > 0) == (p["b"] > 0)
        return jnp.where(inside & (abs(p["a"]) < 1) & (abs(p["b"]) < 1), 0.0, -jnp.inf)

    def side(other):
        return lambda key, p: jnp.sign(p[other]) * jax.random.uniform(key)

    starts = [{"a": s * np.array(0.5), "b": s * np.array(0.5)} for s in (1.0, -1.0, 1.0, -1.0)]
    chains = sf.sample(log_density, starts, kernel=sf.Gibbs({"a": side("b"), "b": side("a")}), rng=0, warmup=0)
    assert chains.rhat["a"] > 1.5
    assert "do not agree" in chains.doubts[0]
    assert "do not agree" in repr(chains)


def test_tempering_crosses_between_separated_modes():
    """Two normal laws 16 deviations apart: a random walk stays in its own, tempering gives each its half."""

    def log_density(x):
        return jnp.logaddexp(-0.5 * (x - 8.0) ** 2, -0.5 * (x + 8.0) ** 2)

    starts = [np.array(s * 8.0) for s in (1, -1, 1, -1)]
    stuck = sf.sample(log_density, starts, kernel=sf.RandomWalk(), rng=0)
    assert any("do not agree" in doubt for doubt in stuck.doubts)
    kernel = sf.Tempered(sf.RandomWalk(), (1.0, 0.4, 0.15, 0.06, 0.02))
    chains = sf.sample(log_density, starts, kernel=kernel, draws=8000, rng=0)
    side = np.where(chains.draws > 0, 1.0, 0.0)
    from suffice.sampling import diagnostics

    assert abs(side.mean() - 0.5) < 5.0 * diagnostics.mcse(side)  # false alarm 6e-7
    assert diagnostics.mcse(side) < 0.05
