"""Draws per second beside NumPy's generator, one million draws at a time: `python benchmarks/drawing.py [name …]`.

Both are timed in turn and the medians compared, so other work on the machine touches both. NumPy runs on one core.
"""

import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics import variates

N = 1_000_000
ROUNDS = 9
SHAPE = (N,)
numpy = np.random.default_rng(0)
wide = numpy.uniform(1, 5, N)
rates = numpy.uniform(0, 10, N)
large_rates = numpy.uniform(10, 1000, N)
trials = numpy.integers(20, 2000, N)
weights = np.exp(np.arange(64) / 10)

CASES = {
    "uniform": (lambda k: variates.uniform(k, SHAPE), lambda: numpy.random(N)),
    "exponential": (lambda k: variates.exponential(k, SHAPE), lambda: numpy.exponential(size=N)),
    "normal": (lambda k: variates.normal(k, SHAPE), lambda: numpy.normal(size=N)),
    "gamma(2.5)": (lambda k: variates.gamma(k, 2.5, SHAPE), lambda: numpy.gamma(2.5, size=N)),
    "gamma(2.5) float32": (
        lambda k: variates.gamma(k, 2.5, SHAPE, jnp.float32),
        lambda: numpy.standard_gamma(2.5, size=N, dtype="float32"),
    ),
    "gamma(0.3)": (lambda k: variates.gamma(k, 0.3, SHAPE), lambda: numpy.gamma(0.3, size=N)),
    "gamma(array)": (lambda k: variates.gamma(k, wide), lambda: numpy.gamma(wide)),
    "beta(2, 3)": (lambda k: variates.beta(k, 2.0, 3.0, SHAPE), lambda: numpy.beta(2, 3, size=N)),
    "poisson(4)": (lambda k: variates.poisson(k, 4.0, SHAPE), lambda: numpy.poisson(4, size=N)),
    "poisson(1e3)": (lambda k: variates.poisson(k, 1e3, SHAPE), lambda: numpy.poisson(1e3, size=N)),
    "poisson(1e6)": (lambda k: variates.poisson(k, 1e6, SHAPE), lambda: numpy.poisson(1e6, size=N)),
    "poisson(array < 10)": (lambda k: variates.poisson(k, rates), lambda: numpy.poisson(rates)),
    "poisson(array > 10)": (lambda k: variates.poisson(k, large_rates), lambda: numpy.poisson(large_rates)),
    "binomial(10, .3)": (lambda k: variates.binomial(k, 10, 0.3, SHAPE), lambda: numpy.binomial(10, 0.3, size=N)),
    "binomial(1e4, .3)": (
        lambda k: variates.binomial(k, 10_000, 0.3, SHAPE),
        lambda: numpy.binomial(10_000, 0.3, size=N),
    ),
    "binomial(1e6, .3)": (
        lambda k: variates.binomial(k, 1e6, 0.3, SHAPE),
        lambda: numpy.binomial(N, 0.3, size=N),
    ),
    "binomial(array, .3)": (lambda k: variates.binomial(k, trials, 0.3), lambda: numpy.binomial(trials, 0.3)),
    "negative_binomial": (
        lambda k: variates.negative_binomial(k, 12.0, 3.0, SHAPE),
        lambda: numpy.negative_binomial(3, 0.2, size=N),
    ),
    "geometric(.2)": (lambda k: variates.geometric(k, 0.2, SHAPE), lambda: numpy.geometric(0.2, size=N)),
    "categorical(64)": (
        lambda k: variates.categorical(k, np.log(weights), SHAPE),
        lambda: numpy.choice(64, size=N, p=weights / weights.sum()),
    ),
    "von_mises(2)": (lambda k: variates.von_mises(k, 2.0, SHAPE), lambda: numpy.vonmises(0, 2, size=N)),
}


def seconds(draw) -> float:
    start = time.perf_counter()
    jax.block_until_ready(draw())
    return time.perf_counter() - start


def main(names: list[str]) -> None:
    key = jax.random.key(0)
    print(f"{'':22s}{'ours':>8s}{'NumPy':>8s}  million draws a second{'ratio':>8s}{'first call':>12s} s")
    for name in names or CASES:
        ours, theirs = CASES[name]
        first = seconds(lambda ours=ours: ours(key))
        pairs = [(seconds(lambda ours=ours: ours(key)), seconds(theirs)) for _ in range(ROUNDS)]
        mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:22s}{N / mine / 1e6:8.1f}{N / other / 1e6:8.1f}{other / mine:31.2f}{first:12.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
