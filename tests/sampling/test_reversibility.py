"""Kernels are reversible: the exact rank test; and joint-distribution tests of whole chains.

Gandy and Scott (2020), algorithm 2: a path of L steps through an exact draw at a random place of it, forwards and backwards; the
rank of the exact draw among the path is uniform if the kernel is reversible and leaves its target alone.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf
from suffice.sampling import nuts

FALSE_ALARM = 1e-6
PATHS, STEPS = 20_000, 9


def log_density(v):
    """A skew law of one number: log of a Gamma(2.5) variate."""
    return (2.5 * v - jnp.exp(v)).sum()


KERNELS = {
    "NUTS": sf.NUTS(0.5),
    "HMC": sf.HMC(0.5),
    "MALA": sf.MALA(0.5),
    "Barker": sf.Barker(0.8),
    "RandomWalk": sf.RandomWalk(1.0),
    "Slice": sf.Slice(1.0),
    "Slice doubling": sf.Slice(0.5, expand="doubling"),
    "HyperrectangleSlice": sf.HyperrectangleSlice(2.0),
}


def ranks(settings, draws, wrong=0.0):
    """Ranks of exact draws in their paths, (paths,)."""
    algorithm = settings.build(lambda v: (1.0 + wrong) * log_density(v))

    def path(key, v, place):
        state = algorithm.init(v)

        def walk(i, carry):
            # step i belongs to the way forwards until the end is reached, then starts at the draw again
            now, below, equal = carry
            now = jax.tree.map(lambda a, b: jnp.where(i == STEPS - place, a, b), state, now)
            now, _ = algorithm.step(jax.random.fold_in(key, i), now)
            return now, below + (now.position[0] < v[0]), equal + (now.position[0] == v[0])

        return jax.lax.fori_loop(0, STEPS, walk, (state, 0, 0))[1:]

    keys = jax.random.split(jax.random.key(3), PATHS)
    random = np.random.default_rng(4)
    below, equal = jax.jit(jax.vmap(path))(keys, draws[:, None], random.integers(0, STEPS + 1, PATHS))
    return np.asarray(below) + random.integers(0, np.asarray(equal) + 1)  # among equal values any place is as good


def p_value(found):
    """Chi-square of the ranks 0 … STEPS."""
    return stats.chisquare(np.bincount(found, minlength=STEPS + 1)).pvalue


@pytest.fixture(scope="module")
def draws():
    return np.log(np.random.default_rng(6).gamma(2.5, size=PATHS))


@pytest.mark.parametrize("name", KERNELS)
def test_exact_ranks(name, draws):
    assert p_value(ranks(KERNELS[name], draws)) > FALSE_ALARM


@pytest.mark.parametrize("name", ["NUTS", "RandomWalk", "Slice"])
def test_a_wrong_target_is_caught(name, draws):
    assert p_value(ranks(KERNELS[name], draws, wrong=0.4)) < FALSE_ALARM


def broken_energy(at):
    """Without the potential: NUTS then draws evenly along its trajectory."""
    return 0.5 * (at.momentum**2).sum()


@pytest.mark.parametrize("broken", [False, True])
def test_geweke(broken, monkeypatch):
    """Joint distribution test: (θ, y) from the model, then θ given y by the kernel and y given θ by the model, in turns.

    Both are the same law, whatever the number of turns; 50,000 chains of 4 turns, Dvoretzky–Kiefer–Wolfowitz band of 1e-6
    over all three; a kernel that is broken leaves it.
    """
    n = 50_000
    if broken:
        monkeypatch.setattr(nuts, "energy", broken_energy)

    def turn(key, theta, y):
        of_theta, of_data = jax.random.split(key)
        algorithm = sf.NUTS(0.6, max_depth=4).build(lambda t: -0.5 * (t**2).sum() - 0.5 * ((y - t) ** 2).sum() / 0.25)
        theta = algorithm.step(of_theta, algorithm.init(theta))[0].position
        return theta, theta + 0.5 * jax.random.normal(of_data, theta.shape)

    def chain(key):
        first, second, rest = jax.random.split(key, 3)
        theta = jax.random.normal(first, (1,))
        y = theta + 0.5 * jax.random.normal(second, (1,))
        return jax.lax.fori_loop(0, 4, lambda i, s: turn(jax.random.fold_in(rest, i), *s), (theta, y))

    theta, y = (np.asarray(a)[:, 0] for a in jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(1), n)))
    band = np.sqrt(np.log(2.0 * 3 / FALSE_ALARM) / (2.0 * n))
    gaps = []
    for z in (theta, y / np.sqrt(1.25), (y - theta) / 0.5):
        u = np.sort(stats.norm.cdf(z))
        gaps.append(max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max()))
    assert (max(gaps) > band) == broken


@pytest.mark.parametrize("broken", [False, True])
def test_simulation_based_calibration(broken, monkeypatch):
    """The rank of the true θ among draws from the posterior given its data is uniform: Talts and others (2018); false alarm
    1e-6. That of draws by a broken kernel is not."""
    if broken:
        monkeypatch.setattr(nuts, "energy", broken_energy)
    replicates, draws, thin = (1_000 if broken else 4_000), 15, 6

    def rank(key):
        of_theta, of_data, of_chain = jax.random.split(key, 3)
        theta = jax.random.normal(of_theta, (2,))
        y = jax.random.poisson(of_data, jnp.exp(theta.sum() / 2.0))
        algorithm = sf.NUTS(0.4, max_depth=4).build(
            lambda t: -0.5 * (t**2).sum() + y * t.sum() / 2.0 - jnp.exp(t.sum() / 2.0)
        )

        def walk(i, carry):
            state, below = carry
            state, _ = algorithm.step(jax.random.fold_in(of_chain, i), state)
            kept = (i >= 10) & ((i - 10) % thin == 0)
            return state, below + (kept & (state.position[0] < theta[0]))

        return jax.lax.fori_loop(0, 10 + draws * thin, walk, (algorithm.init(theta * 0.0), 0))[1]

    found = np.asarray(jax.jit(jax.vmap(rank))(jax.random.split(jax.random.key(8), replicates)))
    # of six steps apart, draws of so mild a target are as good as independent
    assert (stats.chisquare(np.bincount(found, minlength=draws + 1)).pvalue < FALSE_ALARM) == broken
