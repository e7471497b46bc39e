"""Row P8: a random walk explores by diffusion: E[z²] = τ/2, and the autocorrelation time falls as the square of the step."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

import suffice as sf
from suffice.sampling import diagnostics


def test_squared_distance_grows_with_time():
    """Exercise 11.10: steps of −1, 0, 1 with probabilities 1/4, 1/2, 1/4 on a flat density (false alarm 1e-6)."""
    choices = jnp.array([-1.0, 0.0, 0.0, 1.0])
    kernel = sf.MetropolisHastings(lambda key, v: v + jax.random.choice(key, choices, v.shape))
    algorithm = kernel.build(lambda v: 0.0 * v.sum())
    tau, n = 40, 20_000

    def walk(key):
        state = algorithm.init(jnp.zeros(1))
        step = lambda i, s: algorithm.step(jax.random.fold_in(key, i), s)[0]  # noqa: E731
        return jax.lax.fori_loop(0, tau, step, state).position[0]

    squares = np.asarray(jax.jit(jax.vmap(walk))(jax.random.split(jax.random.key(0), n))) ** 2
    assert abs(squares.mean() - tau / 2) < stats.norm.isf(5e-7) * squares.std() / np.sqrt(n)


def test_autocorrelation_time_falls_with_the_square_of_the_step():
    """On a normal law, short steps ε need about 1/ε² of them: a quarter of the step costs 14 times as many.

    The estimate's relative deviation is about √(20/ESS) (Sokal 1997, with a window of five times), here 0.17 of 700: from 14
    it is below 4 in less than one run of 1e12.
    """

    def time(step):
        chains = sf.sample(
            lambda x: -0.5 * x**2, 0.0, kernel=sf.RandomWalk(step, 1.0, metric="unit"), warmup=0, draws=80_000, rng=1
        )
        return diagnostics.autocorrelation_time(chains.draws)

    assert time(0.1) > 4.0 * time(0.4) > 4.0
