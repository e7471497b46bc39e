"""The table of Temme's expansion in `incomplete_gamma.py`, and the references of its tests.

python tests/references/generate_incomplete_gamma.py table    prints the coefficients
python tests/references/generate_incomplete_gamma.py values   writes incomplete_gamma.csv beside this file
"""

import sys
from pathlib import Path

from mpmath import cos, diff, erfc, exp, gammainc, inverse, log, log1p, matrix, mp, mpf, nstr, pi, polyval, sign, sqrt

ORDER, DEGREE = 24, 60
ROWS, COLUMNS, ETA, SHAPE = 14, 6, "0.4475", 40
SHAPES = (1e-10, 1e-5, 0.01, 0.3, 0.9, 1.0, 1.5, 3.0, 7.9, 39.9, 40.1, 300.0, 1e4, 1e6, 1e8, 1e10)


def temme() -> list[list[mpf]]:
    """Taylor coefficients in η of C₀ = 1/(λ − 1) − 1/η and Cₖ = Cₖ₋₁'/η + γₖ/(λ − 1), γₖ cancelling the pole at 0."""
    count = DEGREE + 2 * ORDER + 4
    root = [mpf(0), mpf(1)]  # λ − 1 = Σ rootₙ ηⁿ, from (λ − 1) dλ/dη = ηλ
    for n in range(2, count + 3):
        inner = sum(root[i] * (n + 1 - i) * root[n + 1 - i] for i in range(2, n))
        root.append((root[n - 1] - inner) / (n + 1))
    reciprocal = [mpf(1)]  # η/(λ − 1)
    for n in range(1, count + 2):
        reciprocal.append(-sum(root[j + 1] * reciprocal[n - j] for j in range(1, n + 1)))
    rows = [reciprocal[1:]]
    for _ in range(1, ORDER):
        slope = [n * c for n, c in enumerate(rows[-1])][1:]
        rows.append([slope[n + 1] - slope[0] * reciprocal[n + 1] for n in range(len(slope) - 1)])
    return [row[:DEGREE] for row in rows]


def correction(coefficients: list[list[mpf]], eta: mpf, inverse_shape: mpf) -> mpf:
    """S(η, a) = Σ Cₖ(η) a^(−k)."""
    return sum(inverse_shape**k * polyval(row[::-1], eta) for k, row in enumerate(coefficients))


def table() -> matrix:
    """S interpolated at Chebyshev nodes in η and 1/a."""
    coefficients = temme()
    node = lambda i, n: cos(pi * (2 * i + 1) / (2 * n))  # noqa: E731
    etas = [mpf(ETA) * node(i, ROWS) for i in range(ROWS)]
    inverses = [(1 + node(i, COLUMNS)) / (2 * SHAPE) for i in range(COLUMNS)]
    values = matrix([[correction(coefficients, eta, b) for b in inverses] for eta in etas])
    left = matrix([[eta**n for n in range(ROWS)] for eta in etas])
    right = matrix([[b**k for k in range(COLUMNS)] for b in inverses])
    return inverse(left) * values * inverse(right).T


def tails(a: mpf, x: mpf, coefficients: list[list[mpf]]) -> tuple[mpf, mpf]:
    """(P, Q); by the expansion from a = 5000 on, where mpmath's series no longer converge."""
    if a < 5000:
        return gammainc(a, 0, x, regularized=True), gammainc(a, x, regularized=True)
    mu = (x - a) / a
    eta = sign(mu) * sqrt(2 * (mu - log1p(mu)))
    rest = exp(-a * eta**2 / 2) / sqrt(2 * pi * a) * correction(coefficients, eta, 1 / a)
    return erfc(-eta * sqrt(a / 2)) / 2 - rest, erfc(eta * sqrt(a / 2)) / 2 + rest


def points(a: float) -> list[float]:
    if a < 1:
        return [1e-300, 1e-30, 1e-5, 0.1, 0.56, 1.2, 1.99, 2.01, 10.0, 600.0]
    steps = (-26, -8, -2.9, -2.7, -1, 0, 0.5, 2.7, 2.9, 8, 26)
    return [float(a * mp.exp(z / a) if z <= -(a**0.5) else a + z * a**0.5) for z in steps]


def write() -> None:
    coefficients = temme()
    lines = ["a,x,p,q,log_p,log_q,score,curvature"]
    for a in SHAPES:
        for x in points(a):
            pair = tails(mpf(a), mpf(x), coefficients)
            side = int(pair[1] < pair[0])
            smaller = lambda s, x=x, side=side: log(tails(s, mpf(x), coefficients)[side])  # noqa: E731
            # log(1 − p) would lose the digits of a tiny p.
            logs = [log(v) if v < 0.5 else log1p(-pair[1 - k]) for k, v in enumerate(pair)]
            row = [*pair, *logs, *(diff(smaller, mpf(a), n, h=mpf(a) * mpf(10) ** -25) for n in (1, 2))]
            lines.append(",".join([repr(a), repr(x), *(nstr(v, 20) for v in row)]))
    Path(__file__).with_name("incomplete_gamma.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    mp.dps = 100
    if sys.argv[1] == "table":
        mp.dps = 50
        for row in table().tolist():
            print("    [" + ", ".join(repr(float(c)) for c in row) + "],")
    else:
        write()
