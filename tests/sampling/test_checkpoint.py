"""A run on disk: streamed, killed, resumed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import suffice as sf
from suffice.numerics import domain

PROGRAM = """
import sys
import jax, suffice as sf
from suffice.numerics import domain
jax.config.update("jax_compilation_cache_dir", sys.argv[2])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
def log_density(p):
    return -0.5 * (p["mu"] ** 2).sum() - p["tau"]
print("ready", flush=True)
sf.sample(log_density, domains={"mu": domain.real.array(3), "tau": domain.positive}, draws=int(sys.argv[3]), warmup=500, rng=7,
          checkpoint=sys.argv[1], quiet=True)
print("done", flush=True)
"""


def log_density(p):
    return -0.5 * (p["mu"] ** 2).sum() - p["tau"]


DOMAINS = {"mu": domain.real.array(3), "tau": domain.positive}


def run(path, **more):
    return sf.sample(log_density, domains=DOMAINS, warmup=100, rng=7, checkpoint=path, quiet=True, **more)


def test_a_stored_run_is_the_same(tmp_path):
    stored = run(tmp_path / "run.zarr", draws=1500)
    kept = sf.sample(log_density, domains=DOMAINS, draws=1500, warmup=100, rng=7, quiet=True)
    for name in DOMAINS:
        np.testing.assert_array_equal(stored.draws[name][:], kept.draws[name])
    assert stored.summary() == kept.summary()
    longer = stored.extend(700)
    assert longer.shape == (4, 2200)
    np.testing.assert_array_equal(longer.draws["tau"][:], kept.extend(700).draws["tau"])
    again = run(tmp_path / "run.zarr", draws=2200)  # nothing is left to do
    np.testing.assert_array_equal(again.draws["tau"][:], longer.draws["tau"][:])


def test_another_run_is_refused(tmp_path):
    run(tmp_path / "run.zarr", draws=10)
    with pytest.raises(ValueError, match="holds another run: its density"):
        sf.sample(
            lambda p: 2 * log_density(p), domains=DOMAINS, draws=10, warmup=100, rng=7, checkpoint=tmp_path / "run.zarr"
        )
    with pytest.raises(ValueError, match="start are not"):
        sf.sample(
            log_density,
            {"mu": np.ones(3), "tau": 2.0},
            DOMAINS,
            draws=10,
            warmup=100,
            rng=7,
            checkpoint=tmp_path / "run.zarr",
        )
    with pytest.raises(ValueError, match="key"):
        sf.sample(log_density, domains=DOMAINS, draws=10, warmup=100, rng=8, checkpoint=tmp_path / "run.zarr")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(ValueError, match="exists and is not a run"):
        run(tmp_path / "other")


def test_a_killed_run_resumes_bit_for_bit(tmp_path, pytestconfig):
    """Killed at four random moments (--full: at twenty), then run to its end: the draws of a run that was never killed."""
    kills, draws = (20, 400_000) if pytestconfig.getoption("--full") else (4, 40_000)
    cache = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "cache"))
    random = np.random.default_rng(0)

    def started(path):
        call = [sys.executable, "-c", PROGRAM, str(path), cache, str(draws)]
        return subprocess.Popen(call, stdout=subprocess.PIPE, text=True)

    whole = started(tmp_path / "whole.zarr")
    assert whole.stdout.readline() == "ready\n"
    begin = time.perf_counter()
    assert whole.communicate(timeout=600)[0] == "done\n"
    assert whole.returncode == 0
    seconds = time.perf_counter() - begin
    killed = 0
    for _ in range(kills):
        process = started(tmp_path / "killed.zarr")
        process.stdout.readline()
        time.sleep(random.uniform(0.1, 2.0) * seconds / kills)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        process.stdout.close()
    print(f"killed at {killed} of {kills} moments")
    assert killed
    last = started(tmp_path / "killed.zarr")
    last.communicate(timeout=600)
    assert last.returncode == 0
    import zarr

    one, other = (zarr.open_group(str(tmp_path / f"{name}.zarr"), mode="r") for name in ("whole", "killed"))
    for name in ("posterior/mu", "posterior/tau", "sample_stats/lp", "sample_stats/energy", "sample_stats/n_steps"):
        np.testing.assert_array_equal(one[name][:], other[name][:])
    assert not np.any(np.isnan(one["posterior/tau"][:]))


def test_data_in_compiled_functions_count(tmp_path):
    import jax
    import jax.numpy as jnp

    def model(data):
        return jax.jit(lambda x: -0.5 * ((x - jnp.asarray(data)) ** 2).sum())

    begin = np.zeros(())
    sf.sample(model(np.arange(5.0)), begin, draws=10, warmup=10, rng=0, checkpoint=tmp_path / "run.zarr")
    with pytest.raises(ValueError, match="its density"):
        sf.sample(model(np.arange(5.0) + 1.0), begin, draws=10, warmup=10, rng=0, checkpoint=tmp_path / "run.zarr")


def test_vectorised_chains_at_unlike_steps_come_level(tmp_path):
    """As after a kill between the writes of two chains."""
    kept = sf.sample(log_density, domains=DOMAINS, draws=300, warmup=100, rng=7, quiet=True, parallel="vectorized")
    run(tmp_path / "run.zarr", draws=200, parallel="vectorized")
    early = (tmp_path / "run.zarr" / "state" / "chain-1.npz").read_bytes()
    run(tmp_path / "run.zarr", draws=250, parallel="vectorized")
    (tmp_path / "run.zarr" / "state" / "chain-1.npz").write_bytes(early)
    again = run(tmp_path / "run.zarr", draws=300, parallel="vectorized")
    np.testing.assert_array_equal(again.draws["tau"][:], kept.draws["tau"])
