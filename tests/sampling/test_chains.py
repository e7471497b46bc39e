"""The run loop: what it draws, how it goes on, what it says when it cannot be trusted, and what it refuses."""

import signal
import threading
from types import SimpleNamespace

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.numerics import domain
from suffice.numerics.array_domain import ordered, simplex
from suffice.numerics.matrix_domain import correlation, positive_definite
from suffice.numerics.space import Space
from suffice.sampling import diagnostics
from suffice.sampling.loop import advance
from suffice.sampling.recorder import Memory


def normal(x):
    return -0.5 * (x**2).sum()


def half_normal(p):
    return -0.5 * p["mu"] ** 2 - 0.5 * p["tau"] ** 2


HALF = {"mu": domain.real, "tau": domain.positive}


def within(chains, name, exact, sigmas=5.5):
    """Whether a mean lies within so many of its standard errors: false alarm 4e-8."""
    return abs(chains.mean[name] - exact) < sigmas * chains.mcse[name]


def test_a_half_normal_law():
    chains = sf.sample(half_normal, domains=HALF, rng=0)
    assert chains.shape == (4, 1000)
    assert within(chains, "mu", 0.0)
    assert within(chains, "tau", np.sqrt(2 / np.pi))
    assert "tau" in repr(chains)
    assert sf.sample(normal, np.zeros(3), rng=0).doubts == []
    assert [row["name"] for row in chains.summary()] == ["mu", "tau"]


def test_extending_is_one_longer_run():
    short = sf.sample(half_normal, domains=HALF, draws=120, warmup=100, rng=1)
    longer, whole = short.extend(80), sf.sample(half_normal, domains=HALF, draws=200, warmup=100, rng=1)
    for name in HALF:
        np.testing.assert_array_equal(longer.draws[name], whole.draws[name])
    np.testing.assert_array_equal(longer.info.energy, whole.info.energy)
    assert longer.shape == (4, 200)


def test_vectorised_chains_draw_from_the_same_law():
    chains = sf.sample(half_normal, domains=HALF, parallel="vectorized", rng=2)
    assert within(chains, "tau", np.sqrt(2 / np.pi))
    again = chains.extend(10)
    np.testing.assert_array_equal(again.draws["tau"][:, :1000], chains.draws["tau"])


def test_one_program_for_all_runs():
    sf.sample(normal, np.zeros(3), draws=20, warmup=20, rng=0)
    before = advance._cache_size()
    sf.sample(normal, np.ones(3), draws=31, warmup=13, chains=2, rng=5)
    assert advance._cache_size() == before


def test_blackjax_in_our_loop():
    def kernel(log_density):
        return blackjax.nuts(log_density, step_size=0.5, inverse_mass_matrix=jnp.ones(2))

    chains = sf.sample(normal, np.zeros(2), kernel=kernel, warmup=50, rng=0)
    assert within(chains, "x[0]", 0.0)
    assert 0.5 < float(np.mean(chains.info.acceptance)) < 1.0


def test_our_kernel_in_the_loop_of_blackjax():
    algorithm = sf.NUTS(0.5).build(lambda p: -0.5 * p["a"] ** 2 - 0.5 * (p["b"] ** 2).sum())
    state = algorithm.init({"a": jnp.asarray(0.0), "b": jnp.zeros(2)})
    _, history = blackjax.util.run_inference_algorithm(
        jax.random.key(0), algorithm, 500, initial_state=state, transform=lambda state, info: state.position
    )
    assert history["b"].shape == (500, 2)
    for b in np.asarray(history["b"]).T[:, None]:
        assert abs((b**2).mean() - 1.0) < 5.5 * diagnostics.mcse(b**2)


def test_domains_of_arrays():
    """Means of the uniform law on the simplex, of ordered normals, of LKJ(1) correlations, within 5.5 standard errors."""

    def log_density(p):
        return -0.5 * (p["o"] ** 2).sum() + 0.0 * p["s"].sum() + 0.0 * p["c"].sum()

    domains = {"s": simplex.array(3), "o": ordered.array(2), "c": correlation.array(3, 3)}
    chains = sf.sample(log_density, domains=domains, rng=3)
    for k in range(3):
        assert within(chains, f"s[{k}]", 1 / 3)
    assert within(chains, "o[1]", 1 / np.sqrt(np.pi))  # the larger of two standard normal numbers
    for i, j in ((1, 0), (2, 0), (2, 1)):
        assert within(chains, f"c[{i},{j}]", 0.0)
    squares = chains.draws["c"][..., 1, 0] ** 2  # of the uniform law on 3 × 3 correlations: 1/4
    assert abs(squares.mean() - 0.25) < 5.5 * diagnostics.mcse(squares)
    space = Space.of(domains, {name: x[0, 0] for name, x in chains.draws.items()})
    v = space.to_real({name: x[0, 0] for name, x in chains.draws.items()})
    for name, x in space.from_real(jnp.asarray(v)).items():
        np.testing.assert_allclose(x, chains.draws[name][0, 0], rtol=1e-9)


def test_a_covariance_is_a_wishart():
    """exp(−tr S/2) |S|^((5−2−1)/2) is Wishart(5, I): its mean is 5 I."""

    def log_density(s):
        return jnp.linalg.slogdet(s)[1] * (5 - 2 - 1) / 2 - 0.5 * jnp.trace(s)

    chains = sf.sample(log_density, domains=positive_definite.array(2, 2), rng=4)
    assert within(chains, "x[0,0]", 5.0)
    assert within(chains, "x[1,0]", 0.0)


def test_gibbs_of_constrained_parts():
    """Conditionals see points as the user wrote them: τ given μ and the other way round, of a normal sample."""
    x = np.array([1.2, 0.3, 2.2, 1.7, 0.9])

    def log_density(p):
        return 0.5 * 5 * jnp.log(p["tau"]) - 0.5 * p["tau"] * ((x - p["mu"]) ** 2).sum() - p["tau"]

    def tau(key, p):
        return jax.random.gamma(key, 3.5) / (1.0 + 0.5 * ((x - p["mu"]) ** 2).sum())

    exact = sf.sample(
        log_density, {"mu": 0.0, "tau": 1.0}, {"tau": "positive"}, kernel=sf.Gibbs({"tau": tau, "mu": sf.NUTS()}), rng=0
    )
    nuts = sf.sample(log_density, {"mu": 0.0, "tau": 1.0}, {"tau": "positive"}, rng=1)
    for name in ("mu", "tau"):
        error = np.hypot(exact.mcse[name], nuts.mcse[name])
        assert abs(exact.mean[name] - nuts.mean[name]) < 5.5 * error


def test_divergences_are_reported():
    """Neal's funnel from a step that is too long for its neck."""

    def funnel(p):
        return -0.5 * (p[0] / 3.0) ** 2 - 0.5 * (p[1:] ** 2).sum() * jnp.exp(-p[0]) - 0.5 * 9 * p[0]

    chains = sf.sample(funnel, np.zeros(10), rng=0)
    assert chains.divergences > 0
    assert any("diverged" in doubt for doubt in chains.doubts)


def test_to_arviz():
    tree = sf.sample(half_normal, domains=HALF, draws=50, warmup=50, rng=0).to_arviz()
    assert tree["posterior"]["tau"].shape == (4, 50)
    assert "diverging" in tree["sample_stats"]


def test_bad_starts():
    def log_density(p):
        return jnp.log(p["a"] - 1.0) - p["a"] - p["b"] ** 2

    with pytest.raises(ValueError, match=r"chain 0: the log-density is -inf at the start a = 0.5, b = 0"):
        sf.sample(log_density, {"a": 0.5, "b": 0.0}, rng=0)
    with pytest.raises(ValueError, match=r"chain 0: the gradient of the log-density in x\[1\] is"):
        sf.sample(lambda x: -(x[0] ** 2) - jnp.sqrt(x[1]), [1.0, 0.0], rng=0)
    with pytest.raises(ValueError, match="start: tau must be > 0, got -1"):
        sf.sample(half_normal, {"mu": 0.0, "tau": -1.0}, HALF, rng=0)
    points = [{"mu": 0.0, "tau": 1.0}] * 2 + [{"mu": 0.0, "tau": np.nan}] * 2
    with pytest.raises(ValueError, match="start of chain 2: tau must be > 0, got nan"):
        sf.sample(half_normal, points, HALF, rng=0)
    with pytest.raises(ValueError, match="chain 0: none of 100 random starts will do"):
        sf.sample(lambda x: jnp.where(x > 5.0, -x, -jnp.inf), domains=domain.real, rng=0)
    chains = sf.sample(lambda x: jnp.where(x > 0.0, -x, -jnp.inf), domains=domain.real, draws=50, warmup=10, rng=0)
    assert chains.redrawn > 0


def test_what_is_refused():
    with pytest.raises(ValueError, match="draws must be >= 1, got 0"):
        sf.sample(normal, np.zeros(2), draws=0)
    with pytest.raises(TypeError, match="log_density must be a function, got int"):
        sf.sample(3, np.zeros(2))
    with pytest.raises(TypeError, match=r"draws must be an integer, got 10\.5"):
        sf.sample(normal, np.zeros(2), draws=10.5)
    with pytest.raises(TypeError, match="kernel must be settings"):
        sf.sample(normal, np.zeros(2), kernel=3)
    with pytest.raises(TypeError, match=r"kernel must be settings .* got the class NUTS"):
        sf.sample(normal, np.zeros(2), kernel=sf.NUTS)
    with pytest.raises(ValueError, match="start is needed"):
        sf.sample(normal)
    with pytest.raises(ValueError, match="start must hold a point for each of the 4 chains, got 2"):
        sf.sample(normal, [np.zeros(2), np.ones(2)])
    with pytest.raises(ValueError, match="step_size must be > 0, got -1"):
        sf.NUTS(-1.0)
    with pytest.raises(ValueError, match="parallel must be"):
        sf.sample(normal, np.zeros(2), parallel="gpu")
    with pytest.raises(ValueError, match="needs a rule for each part"):
        sf.sample(half_normal, domains=HALF, kernel=sf.Gibbs({"mu": sf.Slice()}))


def test_what_is_given_is_not_tuned():
    for warmup in (0, 50):
        kernel = sf.NUTS(0.5, scale=[1.0, 10.0])
        found = sf.sample(normal, np.zeros(2), kernel=kernel, warmup=warmup, draws=5, rng=0).kernels
        for settings in found:
            np.testing.assert_array_equal(settings.scale, [1.0, 10.0])
            assert settings.step_size == 0.5
    (free, *_) = sf.sample(
        lambda x: normal(2.0 * x), np.zeros(2), kernel=sf.NUTS(0.5), warmup=50, draws=5, rng=0
    ).kernels
    assert free.step_size == 0.5
    assert not np.array_equal(free.scale, [1.0, 1.0])
    with pytest.raises(ValueError, match="a scale that is a matrix needs metric"):
        sf.sample(normal, np.zeros(2), kernel=sf.RandomWalk(1.0, np.eye(2)), rng=0)
    dense = sf.sample(normal, np.zeros(2), kernel=sf.NUTS(scale=[1.0, 2.0], metric="dense"), warmup=20, draws=5, rng=0)
    np.testing.assert_array_equal(dense.kernels[0].scale, np.diag([1.0, 2.0]))


def test_kernels_that_remember_cannot_be_parts():
    with pytest.raises(TypeError, match="Tempered cannot be a part"):
        sf.Gibbs({"mu": sf.Tempered(), "tau": sf.Slice()})
    with pytest.raises(TypeError, match="kernel must be one that moves a point by itself, got Gibbs"):
        sf.Tempered(sf.Gibbs({"mu": sf.Slice()}))


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("parallel", ["threads", "vectorized"])
def test_an_interrupted_run_goes_on(monkeypatch, parallel):
    """Ctrl-C after some blocks: draws of all chains are kept, and extending gives what an unbroken run would have.

    The signal comes when each chain has drawn a block, and none draws another before the loop has heard it.
    """
    wanted = {"domains": HALF, "draws": 5_000, "warmup": 50, "rng": 3, "parallel": parallel}
    whole = sf.sample(half_normal, **wanted)
    heard, drawn = threading.Event(), set()

    def add(self, c, block, chain, add=Memory.add):
        add(self, c, block, chain)
        if block is None or heard.is_set():
            return
        drawn.add(c)
        if len(drawn) == 4:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        if len(drawn) == 4 or parallel == "threads":
            assert heard.wait(60)

    monkeypatch.setattr(Memory, "add", add)
    monkeypatch.setattr("suffice.sampling.run.threading", SimpleNamespace(Event=lambda: heard))
    short = sf.sample(half_normal, **wanted)
    monkeypatch.undo()
    assert short.interrupted
    assert "interrupted" in short.doubts[0]
    n = short.shape[1]
    assert 0 < n <= 1000
    again = short.extend(5_000 - n)
    assert not again.interrupted
    np.testing.assert_array_equal(again.draws["tau"], whole.draws["tau"])


def test_the_diagonal_of_a_correlation_is_no_number():
    chains = sf.sample(lambda c: 0.0 * c.sum(), domains=correlation.array(3, 3), draws=400, warmup=300, rng=0)
    assert set(chains.rhat) == {"x[1,0]", "x[2,0]", "x[2,1]"}


def test_domains_that_cannot_be_sampled():
    from suffice.numerics.array_domain import sphere

    with pytest.raises(ValueError, match="x must be continuous, got an integer >= 0"):
        sf.sample(normal, domains=domain.count)
    with pytest.raises(ValueError, match="Sphere has no map"):
        sf.sample(normal, domains=sphere.array(3))
    with pytest.raises(ValueError, match="at least one number"):
        sf.sample(normal, domains=domain.real.array(0))
    with pytest.raises(ValueError, match=r"log_density must return one number, got shape \(2,\)"):
        sf.sample(lambda x: -(x**2), np.zeros(2))
    with pytest.raises(TypeError, match="a must be an array"):
        sf.sample(normal, {"a": {"b": 0.0}})


def test_without_64_bit_numbers():
    import os
    import subprocess
    import sys

    program = "import numpy as np, suffice as sf; c = sf.sample(lambda x: -0.5 * (x**2).sum(), np.zeros(2), draws=50, warmup=50, rng=0); assert c.draws.dtype == np.float32"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "JAX_ENABLE_X64": "0"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_short_warm_up_ends_with_a_step_that_moves():
    """Mean acceptance of 64 chains after 20 steps of warm-up: about 0.9 ± 0.02, and 0.5 where the last steps reach for ten times
    the step size; a deviation of 0.15 between chains makes 0.7 ten errors from either."""
    found = sf.sample(normal, np.zeros(2), chains=64, warmup=20, draws=50, rng=2)
    assert found.info.acceptance.mean() > 0.7


def test_a_random_scan_ends_its_warm_up_in_every_part():
    """The step size after warm-up is the averaged one, also of a part that the last step did not choose."""
    log_density = lambda p: -0.5 * (p["a"] ** 2 + p["b"] ** 2 + p["c"] ** 2)  # noqa: E731
    kernel = sf.Gibbs({name: sf.NUTS() for name in "abc"}, scan="random")
    start = dict.fromkeys("abc", 0.0)
    found = sf.sample(log_density, start, kernel=kernel, chains=8, warmup=200, draws=5, rng=0)
    for c in found.chains:
        for name, part in c.kernel.kernels.items():
            assert part.step_size == pytest.approx(np.exp(c.tuning[name].averages.mean), rel=1e-12)


def test_chains_that_stand_still_apart_do_not_agree():
    """Each at a place of its own: R-hat is infinite, and the doubt says so."""
    stuck = sf.MetropolisHastings(lambda key, v: v)
    found = sf.sample(lambda x: -0.5 * x**2, domains="real", kernel=stuck, warmup=0, draws=50, rng=0)
    assert found.rhat["x"] == np.inf
    assert any("R-hat of x is inf" in doubt for doubt in found.doubts)
