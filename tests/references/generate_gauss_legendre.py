"""Prints the lower half of a Gauss–Legendre rule on [0, 1], nodes then weights, from 40-digit arithmetic.

python tests/references/generate_gauss_legendre.py 36
"""

import sys

from mpmath import cos, mp, mpf, pi


def rule(n: int) -> list[tuple[mpf, mpf]]:
    """The n // 2 smallest (node, weight) pairs: Newton's method on the Legendre polynomial."""
    pairs = []
    for k in range(1, n // 2 + 1):
        x = cos(pi * (k - mpf(1) / 4) / (n + mpf(1) / 2))
        for _ in range(8):
            previous, current = mpf(1), x
            for j in range(2, n + 1):
                previous, current = current, ((2 * j - 1) * x * current - (j - 1) * previous) / j
            slope = n * (x * current - previous) / (x * x - 1)
            x -= current / slope
        pairs.append(((1 - x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return pairs


if __name__ == "__main__":
    mp.dps = 40
    pairs = rule(int(sys.argv[1]))
    for column in zip(*pairs, strict=True):
        print(", ".join(repr(float(v)) for v in column))
