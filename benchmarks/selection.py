"""How often is the right family ranked first? Six truths, 15 replicates each, ten candidates, at n = 200 and 2000.

Positive families are candidates only where all data are positive, with their origin at 0.
Run: python benchmarks/selection.py
"""

import numpy as np

import suffice as sf

TRUTHS = {
    "Normal": lambda rng, n: rng.normal(5.0, 1.0, n),
    "Gamma": lambda rng, n: rng.gamma(3.0, 2.0, n),
    "LogNormal": lambda rng, n: rng.lognormal(1.0, 0.5, n),
    "Weibull": lambda rng, n: 3.0 * rng.weibull(1.7, n),
    "Logistic": lambda rng, n: rng.logistic(0.0, 1.0, n),
    "Laplace": lambda rng, n: rng.laplace(0.0, 1.0, n),
}
CANDIDATES = (
    sf.Normal, sf.Exponential, sf.Gamma, sf.LogNormal, sf.Weibull, sf.Logistic, sf.Laplace, sf.Gumbel, sf.Rayleigh,
    sf.StudentT,
)  # fmt: skip


def main() -> None:
    for n in (200, 2000):
        right = {criterion: dict.fromkeys(TRUTHS, 0) for criterion in ("aic", "aicc", "bic")}
        for truth, draw in TRUTHS.items():
            for i in range(15):
                ranking = sf.rank(draw(np.random.default_rng(1000 + i), n), CANDIDATES)
                for criterion, counts in right.items():
                    best = min(ranking.candidates, key=lambda c: getattr(c.fit, criterion))
                    counts[truth] += best.name == truth
        print(f"n = {n}: right family out of 90")
        print(f"{'':8}" + "".join(f"{truth:>11}" for truth in TRUTHS) + f"{'all':>8}")
        for criterion, counts in right.items():
            print(f"{criterion:8}" + "".join(f"{c:11d}" for c in counts.values()) + f"{sum(counts.values()):8d}")


if __name__ == "__main__":
    main()
