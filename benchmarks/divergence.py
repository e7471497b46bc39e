"""KL of a million pairs of gammas: ours, the closed form written by hand in jitted JAX, a loop of SciPy's quad (a sample of it).

`python benchmarks/divergence.py`. Ours and the hand-written one are timed in turn and the medians compared.
"""

import statistics
import time

import jax
import numpy as np
from jax.scipy.special import digamma, gammaln
from scipy import integrate, stats

import suffice as sf

N, LOOP, ROUNDS = 1_000_000, 100, 11
random = np.random.default_rng(0)


@jax.jit
def by_hand(a, b, c, d):
    return (a - c) * digamma(a) - gammaln(a) + gammaln(c) + c * jax.numpy.log(b / d) + a * (d - b) / b


def by_quad(a, b, c, d):
    p, q = stats.gamma(a, scale=1.0 / b), stats.gamma(c, scale=1.0 / d)
    return integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), 0.0, np.inf)[0]


def seconds(call) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def main() -> None:
    values = [jax.numpy.asarray(v) for v in random.gamma(2.0, 2.0, size=(4, N)) + 0.1]
    a, b, c, d = values
    p, q = sf.Gamma(a, b), sf.Gamma(c, d)
    ours, hand = (lambda: sf.kl(p, q).value), (lambda: by_hand(*values))
    seconds(ours), seconds(hand)
    mine, other = (
        statistics.median(t) for t in zip(*((seconds(ours), seconds(hand)) for _ in range(ROUNDS)), strict=True)
    )
    rows = np.stack(values, 1)[:LOOP]
    start = time.perf_counter()
    looped = [by_quad(*row) for row in np.asarray(rows)]
    loop = (time.perf_counter() - start) * N / LOOP
    worst = float(np.max(np.abs(np.asarray(ours())[:LOOP] / looped - 1.0)))
    print(f"{N:,} pairs: ours {mine:.3f} s, by hand {other:.3f} s ({mine / other:.2f} x)")
    print(
        f"loop of SciPy's quad, {LOOP} pairs scaled: {loop:,.0f} s ({loop / mine:,.0f} x); farthest from it {worst:.1e}"
    )


if __name__ == "__main__":
    main()
