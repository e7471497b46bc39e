"""Draws of univariate densities beside UNU.RAN's (scipy.stats.sampling), one million at a time: `python benchmarks/univariate.py`.

Each is timed in turn and the medians compared, so other work on the machine touches all. UNU.RAN runs on one core.
"""

import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import sampling

import suffice as sf

N = 1_000_000
ROUNDS = 15


class Gamma:
    """x^1.5 e^(−x)."""

    def pdf(self, x: float) -> float:
        return x**1.5 * np.exp(-x) if 0 < x < 700 else 0.0

    def dpdf(self, x: float) -> float:
        return (1.5 * x**0.5 - x**1.5) * np.exp(-x) if 0 < x < 700 else 0.0

    def support(self) -> tuple[float, float]:
        return 0.0, np.inf


class Quartic:
    """exp(−x⁴/4 − x²/2 + x)."""

    def pdf(self, x: float) -> float:
        return np.exp(-(x**4) / 4 - x**2 / 2 + x)

    def dpdf(self, x: float) -> float:
        return (-(x**3) - x + 1) * self.pdf(x)

    def support(self) -> tuple[float, float]:
        return -np.inf, np.inf


def log_gamma(x: jax.Array) -> jax.Array:
    return 1.5 * jnp.log(x) - x


def log_quartic(x: jax.Array) -> jax.Array:
    return -(x**4) / 4 - x**2 / 2 + x


CASES = {
    "gamma(2.5)": (Gamma(), log_gamma, 0.0, 1.5),
    "exp(-x^4/4 - x^2/2 + x)": (Quartic(), log_quartic, -np.inf, 0.7),
}


def seconds(draw) -> float:
    start = time.perf_counter()
    jax.block_until_ready(draw())
    return time.perf_counter() - start


def main() -> None:
    print(
        f"{'million draws a second (median, best)':26s}{'adaptive rejection':>22s}{'TDR':>16s}{'inversion':>20s}{'PINV':>16s}"
    )
    for name, (theirs, log_density, lower, centre) in CASES.items():
        hat = sf.adaptive_rejection(log_density, lower)
        table = sf.inverse_transform(sf.from_density(log_density, lower))
        rejection = sampling.TransformedDensityRejection(theirs, random_state=np.random.default_rng(0))
        inversion = sampling.NumericalInversePolynomial(theirs, center=centre, random_state=np.random.default_rng(0))
        draws = [
            lambda hat=hat: hat.sample(N, rng=0),
            lambda rejection=rejection: rejection.rvs(N),
            lambda table=table: table.sample(N, rng=0),
            lambda inversion=inversion: inversion.rvs(N),
        ]
        for draw in draws:
            seconds(draw)
        rounds = [[seconds(draw) for draw in draws] for _ in range(ROUNDS)]
        columns = list(zip(*rounds, strict=True))
        told = [f"{N / statistics.median(c) / 1e6:8.1f},{N / min(c) / 1e6:6.1f}" for c in columns]
        print(f"{name:37s}{told[0]:>11s}{told[1]:>16s}{told[2]:>20s}{told[3]:>16s}", flush=True)
        print(
            f"{'':37s}largest error of F: ours {table.u_error:.1e}, relative to the smaller tail; PINV 1e-10, absolute"
        )


if __name__ == "__main__":
    main()
