"""Every kernel leaves its target as it is, and the same test catches a kernel that is broken on purpose.

50,000 exact draws of a bent law take one step. Mapped back they are independent standard normal numbers, and so is any
projection: its empirical distribution function must stay within the Dvoretzky–Kiefer–Wolfowitz–Massart band, whose
false-alarm rate over all projections of one kernel is 1e-6.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

import suffice as sf
from suffice.sampling import gibbs, hmc, kernel, langevin, metropolis, nuts, slice, tempering

DRAWS, FALSE_ALARM, PROJECTIONS = 50_000, 1e-6, 8
BEND, SPREAD = 0.5, 0.6


def log_density(v):
    """x ~ N(0, 1), y ~ N(x²/2, 0.6²)."""
    return -0.5 * v[0] ** 2 - 0.5 * ((v[1] - BEND * v[0] ** 2) / SPREAD) ** 2


def of_dictionary(p):
    return log_density(jnp.stack([p["x"], p["y"]]))


def exact(random, n=DRAWS):
    x = random.normal(size=n)
    return np.stack([x, BEND * x**2 + SPREAD * random.normal(size=n)], axis=1)


def normal_numbers(v):
    return np.stack([v[:, 0], (v[:, 1] - BEND * v[:, 0] ** 2) / SPREAD], axis=1)


def distance(v):
    """Largest distance of distribution functions over the axes and random projections, in units of the band."""
    directions = np.random.default_rng(1).normal(size=(PROJECTIONS - 2, 2))
    directions = np.concatenate([np.eye(2), directions / np.linalg.norm(directions, axis=1)[:, None]])
    n, band = len(v), np.sqrt(np.log(2.0 * PROJECTIONS / FALSE_ALARM) / (2.0 * len(v)))
    found = []
    for line in directions:
        u = np.sort(ndtr(normal_numbers(v) @ line))
        found.append(max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max()))
    return max(found) / band


def draw_y(key, p):
    return BEND * p["x"] ** 2 + SPREAD * jax.random.normal(key)


def wide_y(key, p):
    return BEND * p["x"] ** 2 + 0.7 * jax.random.normal(key)


def moments_of_y(p):
    return BEND * p["x"] ** 2, SPREAD


def to_the_right(key, v):
    """A proposal that prefers one side."""
    return v + 0.5 + jax.random.normal(key, v.shape)


def log_to_the_right(to, begin):
    return -0.5 * ((to - begin - 0.5) ** 2).sum()


def wide(key):
    return jnp.array([0.0, 0.5]) + 1.5 * jax.random.normal(key, (2,))


def log_wide(v):
    return -0.5 * (((v - jnp.array([0.0, 0.5])) / 1.5) ** 2).sum()


def always(key, state, proposed, log_ratio):
    return proposed, kernel.told(1.0)


def lower(key, value):
    return value + 2.0 * jnp.log(jax.random.uniform(key, ()))


DENSE = np.array([[1.0, 0.0], [0.3, 0.8]])
# settings, and what breaks them: a module, a name in it, and what stands there instead
KERNELS = {
    "NUTS": (sf.NUTS(0.7), (nuts, "energy", lambda at: 0.5 * (at.momentum**2).sum())),
    "NUTS dense": (sf.NUTS(0.9, DENSE, metric="dense"), (nuts, "energy", lambda at: 0.5 * (at.momentum**2).sum())),
    "HMC": (sf.HMC(0.8), (hmc, "choose", lambda accepted, new, old: new)),
    "MALA": (sf.MALA(0.9), (langevin, "decided", always)),
    "Barker": (sf.Barker(0.9), (langevin, "decided", always)),
    "RandomWalk": (sf.RandomWalk(1.0, DENSE, metric="dense"), (metropolis, "decided", always)),
    "MetropolisHastings": (
        sf.MetropolisHastings(to_the_right, log_to_the_right),
        (metropolis, "decided", always),
    ),
    "Independence": (sf.Independence(wide, log_wide), (metropolis, "decided", always)),
    "AdaptiveMetropolis": (sf.AdaptiveMetropolis(first=1.0), (metropolis, "decided", always)),
    "Slice": (sf.Slice(1.0), (slice, "_level", lower)),
    "Slice doubling": (sf.Slice(0.5, expand="doubling"), (slice, "_level", lower)),
    "HyperrectangleSlice": (sf.HyperrectangleSlice(2.0), (slice, "_level", lower)),
    "EllipticalSlice": (sf.EllipticalSlice(0.0, np.array([1.0, 2.0])), (slice, "_level", lower)),
    "Gibbs": (sf.Gibbs({"y": draw_y, "x": sf.Slice(1.0)}), (slice, "_level", lower)),
    "Gibbs at random": (sf.Gibbs({"y": draw_y, "x": sf.NUTS(0.7)}, scan="random"), (nuts, "energy", lambda at: 0.5 * (at.momentum**2).sum())),
    "OverRelaxed": (
        sf.Gibbs({"y": sf.OverRelaxed("y", moments_of_y, -0.7), "x": sf.RandomWalk(1.0)}), (metropolis, "decided", always),
    ),
    "OrderedOverRelaxed": (
        sf.Gibbs({"y": sf.OrderedOverRelaxed("y", draw_y, 5), "x": sf.RandomWalk(1.0)}), (metropolis, "decided", always),
    ),
}  # fmt: skip


def one_step(settings):
    """Exact draws after one step."""
    start, keys = exact(np.random.default_rng(0)), jax.random.split(jax.random.key(0), DRAWS)
    if isinstance(settings, sf.Gibbs):
        algorithm = settings.build(of_dictionary)
        step = jax.jit(jax.vmap(lambda k, v: algorithm.step(k, algorithm.init({"x": v[0], "y": v[1]}))[0].position))
        moved = step(keys, start)
        return start, np.stack([moved["x"], moved["y"]], axis=1)
    algorithm = settings.build(log_density)
    step = jax.jit(jax.vmap(lambda k, v: algorithm.step(k, algorithm.init(v))[0].position))
    return start, np.asarray(step(keys, start))


@pytest.mark.parametrize("name", KERNELS)
def test_the_target_is_invariant(name):
    start, moved = one_step(KERNELS[name][0])
    assert np.mean(np.any(moved != start, axis=1)) > 0.2
    assert distance(moved) < 1.0


@pytest.mark.parametrize("name", KERNELS)
def test_a_broken_kernel_is_caught(name, monkeypatch):
    settings, (module, attribute, instead) = KERNELS[name]
    monkeypatch.setattr(module, attribute, instead)
    assert distance(one_step(settings)[1]) > 1.0


@pytest.mark.parametrize("instead", [wide_y, sf.OverRelaxed("y", lambda p: (BEND * p["x"] ** 2, 0.7), -0.7)])
def test_a_wrong_conditional_is_caught(instead):
    assert distance(one_step(gibbs.Gibbs({"y": instead, "x": sf.RandomWalk(1.0)}))[1]) > 1.0


@pytest.mark.parametrize("broken", [False, True])
def test_tempered_chains_keep_their_laws(broken, monkeypatch):
    """From exact draws at both temperatures; broken: they exchange places whatever the densities say."""
    power = 0.5
    kernel_ = sf.Tempered(sf.RandomWalk(0.5), (1.0, power))
    algorithm = kernel_.build(log_density)
    if broken:
        monkeypatch.setattr(tempering.variates, "uniform", lambda key, shape=(), dtype=float: jnp.zeros(shape) + 1e-300)
    random = np.random.default_rng(0)
    cold = exact(random)
    x = random.normal(size=DRAWS) / np.sqrt(power)
    hot = np.stack([x, BEND * x**2 + SPREAD / np.sqrt(power) * random.normal(size=DRAWS)], axis=1)

    def step(key, cold, hot):
        state = algorithm.init(cold)
        states, info = state.memory
        ladder = states._replace(
            position=jnp.stack([cold, hot]), log_density=jnp.stack([log_density(cold), power * log_density(hot)])
        )
        return algorithm.step(key, state._replace(memory=(ladder, info)))[0].position

    moved = np.asarray(jax.jit(jax.vmap(step))(jax.random.split(jax.random.key(0), DRAWS), cold, hot))
    assert (distance(moved) > 1.0) == broken


def test_exact_draws_pass():
    assert distance(exact(np.random.default_rng(2))) < 1.0
