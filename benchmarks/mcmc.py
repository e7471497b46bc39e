"""Effective draws per second of NUTS beside NumPyro and BlackJAX: `python benchmarks/mcmc.py [runs]`, some minutes.

Three targets in float64, 4 chains of 1,000 steps of warm-up and 1,000 draws. Each library runs in a process of its own: a
first run with all that is compiled (nothing is cached on disk), then a few with other seeds, of which the median counts. What
a later run spends on tracing and compiling again (NumPyro does at each) is taken off its time.
The smallest bulk effective sample size over all coordinates is found by ArviZ, for all alike.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

CHAINS, WARMUP, DRAWS = 4, 1000, 1000
LIBRARIES = ("suffice", "numpyro", "blackjax")


def targets():
    """Log-densities of flat vectors, by name, with the number of coordinates."""
    import jax
    import jax.numpy as jnp

    effect = jnp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
    error = jnp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])

    def eight_schools(v):
        mu, log_tau, z = v[0], v[1], v[2:]
        tau = jnp.exp(log_tau)
        prior = -0.5 * (mu / 5.0) ** 2 - jnp.log1p((tau / 5.0) ** 2) + log_tau - 0.5 * (z**2).sum()
        return prior - 0.5 * (((effect - mu - tau * z) / error) ** 2).sum()

    def autoregression(v):
        return -0.5 * v[0] ** 2 - 0.5 * ((v[1:] - 0.9 * v[:-1]) ** 2).sum() / (1.0 - 0.9**2)

    random = np.random.default_rng(0)
    common = random.normal(size=(569, 5))
    x = common @ random.normal(size=(5, 30)) * 0.6 + random.normal(size=(569, 30))
    x = np.concatenate([np.ones((569, 1)), (x - x.mean(0)) / x.std(0)], axis=1)
    y = (random.uniform(size=569) < 1.0 / (1.0 + np.exp(-x @ random.normal(0.0, 0.5, 31)))).astype(float)
    x, sign = jnp.asarray(x), jnp.asarray(2.0 * y - 1.0)

    def logistic(w):
        return -jax.nn.softplus(-sign * (x @ w)).sum() - 0.5 * (w**2).sum()

    return {
        "eight schools": (eight_schools, 10),
        "AR(1) 100-d": (autoregression, 100),
        "logistic 569 x 31": (logistic, 31),
    }


def smallest(draws):
    """Smallest bulk effective sample size of (chain, draw, d), and largest R-hat."""
    from arviz_stats.base import array_stats

    x = np.asarray(draws, float)
    sizes = [float(array_stats.ess(x[:, :, i])) for i in range(x.shape[2])]
    return min(sizes), max(float(array_stats.rhat(x[:, :, i])) for i in range(x.shape[2]))


def by_suffice(f, d):
    import suffice as sf

    def run(seed):
        chains = sf.sample(f, np.zeros(d), chains=CHAINS, warmup=WARMUP, draws=DRAWS, rng=seed, quiet=True)
        return np.asarray(chains.draws), int(chains.info.evaluations.sum())

    return run


def by_numpyro(f, d):
    import jax
    import jax.numpy as jnp
    from numpyro.infer import MCMC, NUTS

    mcmc = MCMC(
        NUTS(potential_fn=lambda v: -f(v)), num_warmup=WARMUP, num_samples=DRAWS, num_chains=CHAINS, chain_method="parallel", progress_bar=False,
    )  # fmt: skip

    def run(seed):
        mcmc.run(jax.random.PRNGKey(seed), init_params=jnp.zeros((CHAINS, d)), extra_fields=("num_steps",))
        return np.asarray(mcmc.get_samples(group_by_chain=True)), int(mcmc.get_extra_fields()["num_steps"].sum())

    return run


def by_blackjax(f, d):
    import blackjax
    import jax
    import jax.numpy as jnp

    @jax.jit
    def all_chains(keys):
        def chain(key):
            of_warmup, of_draws = jax.random.split(key)
            warmup = blackjax.window_adaptation(blackjax.nuts, f)
            (state, settings), _ = warmup.run(of_warmup, jnp.zeros(d), WARMUP)
            step = blackjax.nuts(f, **settings).step

            def one(state, key):
                state, info = step(key, state)
                return state, (state.position, info.num_integration_steps)

            return jax.lax.scan(one, state, jax.random.split(of_draws, DRAWS))[1]

        return jax.vmap(chain)(keys)

    def run(seed):
        draws, steps = all_chains(jax.random.split(jax.random.key(seed), CHAINS))
        return np.asarray(draws), int(steps.sum())

    return run


def worker(library, runs):
    """Measure one library in this process."""
    if library == "numpyro":
        os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={CHAINS}"
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    compiling = [0.0]

    def listen(event, seconds, **_):
        if event.startswith("/jax/core/compile/"):
            compiling[0] += seconds

    jax.monitoring.register_event_duration_secs_listener(listen)
    for name, (f, d) in targets().items():
        run = globals()[f"by_{library}"](f, d)
        begin = time.perf_counter()
        run(0)
        first, found = time.perf_counter() - begin, []
        for seed in range(1, runs + 1):
            begin, compiling[0] = time.perf_counter(), 0.0
            draws, steps = run(seed)
            seconds = time.perf_counter() - begin - compiling[0]
            size, rhat = smallest(draws)
            found.append((size / seconds, seconds, size, rhat, steps, size / first))
        print(json.dumps({"target": name, "first": first, "runs": found}), flush=True)


def main(runs=5):
    rows = {}
    for library in LIBRARIES:
        command = [sys.executable, __file__, "--worker", library, str(runs)]
        for line in subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
            if line.startswith("{"):
                found = json.loads(line)
                rows[found["target"], library] = found
    print(
        f"{'target':20} {'library':10} {'ESS/s':>9} {'with compiling':>15} {'s':>7} {'ESS':>6} {'R-hat':>6} {'gradients':>10}"
    )
    for (target, library), found in sorted(rows.items(), key=lambda item: item[0]):
        rate, seconds, size, rhat, steps, first = (
            statistics.median(column) for column in zip(*found["runs"], strict=True)
        )
        print(
            f"{target:20} {library:10} {rate:9,.0f} {first:15,.0f} {seconds:7.3f} {size:6.0f} {rhat:6.3f} {steps:10,.0f}"
        )
        if library != "suffice":
            ours = statistics.median(r[0] for r in rows[target, "suffice"]["runs"])
            print(
                f"{'':20} ours over {library}: {ours / rate:.1f} x, with compiling {statistics.median(r[5] for r in rows[target, 'suffice']['runs']) / first:.1f} x"
            )


if __name__ == "__main__":
    if "--worker" in sys.argv:
        worker(sys.argv[2], int(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
