"""Kernels are reversible: exact rank test, detailed balance by counting, and leapfrog itself.

Gandy and Scott (2020), algorithm 2: a path of L steps through an exact draw at a random place of it, forwards and backwards; the
rank of the exact draw among the path is uniform if the kernel is reversible and leaves its target alone.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf
from suffice.sampling.leapfrog import Phase, energy, leapfrog

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
            now, below = carry
            now = jax.tree.map(lambda a, b: jnp.where(i == STEPS - place, a, b), state, now)
            now, _ = algorithm.step(jax.random.fold_in(key, i), now)
            return now, below + (now.position[0] < v[0]) + 0.5 * (now.position[0] == v[0])

        return jax.lax.fori_loop(0, STEPS, walk, (state, 0.0))[1]

    keys = jax.random.split(jax.random.key(3), PATHS)
    places = np.random.default_rng(4).integers(0, STEPS + 1, PATHS)
    found = np.asarray(jax.jit(jax.vmap(path))(keys, draws[:, None], places))
    ties = np.random.default_rng(5).uniform(-0.5, 0.5, PATHS)  # spread over equal values, which are on both sides of it
    return found, ties


def p_value(found):
    """Chi-square of the ranks 0 … STEPS; a rank of ties is shared between its neighbours."""
    whole, half = np.floor(found).astype(int), found != np.floor(found)
    counts = np.bincount(whole, minlength=STEPS + 2).astype(float)[: STEPS + 1]
    counts -= 0.5 * np.bincount(whole[half], minlength=STEPS + 2)[: STEPS + 1]
    counts[1:] += 0.5 * np.bincount(whole[half] + 1, minlength=STEPS + 2)[1 : STEPS + 1]
    return stats.chisquare(counts).pvalue


@pytest.fixture(scope="module")
def draws():
    return np.log(np.random.default_rng(6).gamma(2.5, size=PATHS))


@pytest.mark.parametrize("name", KERNELS)
def test_exact_ranks(name, draws):
    settings = KERNELS[name]
    found = ranks(settings, draws)[0]
    if np.all(found == np.floor(found)):  # kernels that stay where they are tie: halves of ties are not independent
        assert p_value(found) > FALSE_ALARM
    else:
        middle = STEPS / 2.0
        t = (found - middle).mean() / (found.std() / np.sqrt(PATHS))
        assert abs(t) < stats.norm.isf(FALSE_ALARM / 2)


def test_a_wrong_target_is_caught(draws):
    assert p_value(ranks(sf.NUTS(0.5), draws, wrong=0.3)[0]) < FALSE_ALARM


@pytest.mark.parametrize("balanced", [True, False])
def test_detailed_balance_on_a_finite_space(balanced):
    """π(i) P(i → j) = π(j) P(j → i), by counting transitions of 200,000 exact draws on five points (row P10)."""
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


def bent(v):
    return -0.5 * v[0] ** 2 - 0.5 * (v[1] - 0.5 * v[0] ** 2) ** 2 - 0.1 * (v[2] - v[0] * v[1]) ** 2 - 0.05 * v[2] ** 4


SCALE = jnp.array([[1.0, 0.0, 0.0], [0.3, 0.8, 0.0], [-0.2, 0.1, 1.3]])


def walked(z, r, steps, step_size):
    walk = jax.value_and_grad(bent)
    at = Phase(z, r, *walk(z))
    return at, jax.lax.fori_loop(0, steps, lambda _, at: leapfrog(walk, SCALE, step_size, at), at)


def test_leapfrog_is_reversible():
    z, r = jnp.array([0.5, -1.0, 0.8]), jnp.array([1.0, 0.4, -0.7])
    begin, end = walked(z, r, 100, 0.05)
    _, back = walked(end.position, -end.momentum, 100, 0.05)
    np.testing.assert_allclose(back.position, begin.position, atol=1e-10)
    np.testing.assert_allclose(-back.momentum, begin.momentum, atol=1e-10)


def test_leapfrog_preserves_volume():
    """The determinant of its derivative is 1."""

    def flow(x):
        _, end = walked(x[:3], x[3:], 20, 0.1)
        return jnp.concatenate([end.position, end.momentum])

    slope = jax.jacfwd(flow)(jnp.array([0.5, -1.0, 0.8, 1.0, 0.4, -0.7]))
    np.testing.assert_allclose(jnp.linalg.det(slope), 1.0, rtol=1e-10)


def test_energy_error_is_quadratic_in_the_step():
    """Over a fixed time the error falls by four when the step is halved: the slope in logarithms is 2."""
    z, r = jnp.array([0.5, -1.0, 0.8]), jnp.array([1.0, 0.4, -0.7])
    sizes, errors = np.array([0.02, 0.01, 0.005, 0.0025]), []
    for size in sizes:
        begin, end = walked(z, r, round(1.0 / size), size)
        errors.append(abs(float(energy(end) - energy(begin))))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.02)


def test_geweke():
    """Joint distribution test: (θ, y) from the model, then θ given y by the kernel and y given θ by the model, in turns.

    Both are the same law, whatever the number of turns; 50,000 chains of 4 turns, Dvoretzky–Kiefer–Wolfowitz band.
    """
    n = 50_000

    def turn(key, theta, y):
        of_theta, of_data = jax.random.split(key)
        algorithm = sf.NUTS(0.6).build(lambda t: -0.5 * (t**2).sum() - 0.5 * ((y - t) ** 2).sum() / 0.25)
        theta = algorithm.step(of_theta, algorithm.init(theta))[0].position
        return theta, theta + 0.5 * jax.random.normal(of_data, theta.shape)

    def chain(key):
        first, second, rest = jax.random.split(key, 3)
        theta = jax.random.normal(first, (1,))
        y = theta + 0.5 * jax.random.normal(second, (1,))
        return jax.lax.fori_loop(0, 4, lambda i, s: turn(jax.random.fold_in(rest, i), *s), (theta, y))

    theta, y = (np.asarray(a)[:, 0] for a in jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(1), n)))
    band = np.sqrt(np.log(2.0 * 3 / FALSE_ALARM) / (2.0 * n))
    for z in (theta, y / np.sqrt(1.25), (y - theta) / 0.5):
        u = np.sort(stats.norm.cdf(z))
        assert max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max()) < band


def test_simulation_based_calibration():
    """The rank of the true θ among draws from the posterior given its data is uniform: Talts and others (2018)."""
    replicates, draws, thin = 4_000, 15, 6

    def rank(key):
        of_theta, of_data, of_chain = jax.random.split(key, 3)
        theta = jax.random.normal(of_theta, (2,))
        y = jax.random.poisson(of_data, jnp.exp(theta.sum() / 2.0))
        algorithm = sf.NUTS(0.4).build(lambda t: -0.5 * (t**2).sum() + y * t.sum() / 2.0 - jnp.exp(t.sum() / 2.0))

        def walk(i, carry):
            state, below = carry
            state, _ = algorithm.step(jax.random.fold_in(of_chain, i), state)
            kept = (i >= 10) & ((i - 10) % thin == 0)
            return state, below + (kept & (state.position[0] < theta[0]))

        return jax.lax.fori_loop(0, 10 + draws * thin, walk, (algorithm.init(theta * 0.0), 0))[1]

    found = np.asarray(jax.jit(jax.vmap(rank))(jax.random.split(jax.random.key(8), replicates)))
    # of six steps apart, draws of so mild a target are as good as independent
    assert stats.chisquare(np.bincount(found, minlength=draws + 1)).pvalue > FALSE_ALARM
