"""What a first call costs in a new process: seconds with nothing compiled before, and of the same call again.

JAX compiles at first calls; ``sf.keep_compiled()`` keeps the code for later processes. The second column is a process
that finds all of it kept.

Run: python benchmarks/first_calls.py [name …]
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

rng = np.random.default_rng(0)
x = rng.gamma(3.0, 2.0, 1000)
counts = rng.poisson(4.0, 1000)
rows = rng.normal(size=(1000, 3))


def calls() -> dict:
    import suffice as sf

    chain = sf.HiddenMarkov([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], sf.Normal([0.0, 4.0], 1.0))
    fit = sf.fit(sf.Gamma, x)
    return {
        "Gamma.cdf": lambda: sf.Gamma(3.0, 0.5).cdf(4.0),
        "Beta.icdf": lambda: sf.Beta(2.0, 3.0).icdf(0.3),
        "StudentT.icdf": lambda: sf.StudentT(3.0).icdf(0.3),
        "Gamma.sample": lambda: sf.Gamma(3.0, 0.5).sample(1000, rng=0),
        "Poisson.sample": lambda: sf.Poisson(4.0).sample(1000, rng=0),
        "fit Weibull": lambda: sf.fit(sf.Weibull, x),
        "rank": lambda: sf.rank(x),
        "rank of integers": lambda: sf.rank(counts),
        "goodness of fit": lambda: sf.goodness_of_fit(fit, x, rng=0),
        "profile interval of a quantile": lambda: fit.interval_of(lambda p: p.icdf(0.99), method="profile"),
        "fit_mixture, normal": lambda: sf.fit_mixture(sf.Normal, 2, x),
        "fit_mixture, gamma": lambda: sf.fit_mixture(sf.Gamma, 2, x),
        "fit_mixture, vectors": lambda: sf.fit_mixture(sf.MultivariateNormal, 2, rows),
        "fit_hidden_markov": lambda: sf.fit_hidden_markov(sf.Normal, 2, x),
        "its standard errors": lambda: sf.fit_hidden_markov(sf.Normal, 2, x).standard_errors,
        "fit_state_space": lambda: sf.fit_state_space(sf.LocalLevel(), x[:100]),
        "sample, NUTS": lambda: sf.sample(lambda q: -0.5 * (q**2).sum(), np.zeros(3), rng=0, quiet=True),
        "least squares": lambda: sf.LinearBasisModel(sf.Linear()).fit(rows[:, :2], rows[:, 2]),
        "wasserstein": lambda: sf.wasserstein(sf.Gamma(2.0, 1.0), sf.Weibull(1.5, 2.0)),
        "chain.sample": lambda: chain.sample(100, rng=0),
    }


def one(name: str) -> None:
    """In a process of its own: the seconds of two calls."""
    import jax

    import suffice as sf

    sf.keep_compiled(os.environ["KEPT"])
    call, spent = calls()[name], []
    for _ in range(2):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        spent.append(time.perf_counter() - begin)
    print(json.dumps(spent))


def main(names: list[str]) -> None:
    print(f"{'':32}{'first call':>12}{'code kept':>12}{'again':>12}  s")
    for name in names or calls():
        with tempfile.TemporaryDirectory() as kept:
            command = [sys.executable, __file__, "--one", name]
            runs = [
                json.loads(
                    subprocess.run(command, env=os.environ | {"KEPT": kept}, check=True, capture_output=True).stdout
                )
                for _ in range(2)
            ]
        print(f"{name:32}{runs[0][0]:12.2f}{runs[1][0]:12.2f}{runs[1][1]:12.4f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2])
    else:
        main(sys.argv[1:])
