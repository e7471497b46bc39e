"""Writes incomplete_beta.csv: log tails of the beta distribution with derivatives, and of Student's t, at 60 digits.

I_x(a, b) = x^a (1 − x)^b/(a B(a, b)) Σ_k (a + b)_k/(a + 1)_k x^k for the smaller tail, all terms positive; derivatives
of the logarithm of the lower tail by differences at 60 digits.

python tests/references/generate_incomplete_beta.py
"""

from pathlib import Path

import numpy as np
from mpmath import diff, log, log1p, loggamma, mp, mpf

mp.dps = 60


def log_series(a, b, x):
    """log I_x(a, b) by the positive series."""
    term = total = mpf(1)
    k = 0
    while term > total * mpf(10) ** -58:
        term *= x * (a + b + k) / (a + 1 + k)
        total += term
        k += 1
    lead = a * log(x) + b * log1p(-x) - log(a) - loggamma(a) - loggamma(b) + loggamma(a + b)
    return lead + log(total)


def log_tails(a, b, x):
    """(log I, log(1 − I)): the side with the faster series, and its complement, with digits to spare for deep tails."""
    if x > mpf(1) / 2:
        return log_tails(b, a, 1 - x)[::-1]
    lower = log_series(a, b, x)
    rest = -mp.expm1(lower)
    if rest < mpf(10) ** -30:
        return lower, log_series(b, a, 1 - x)
    return lower, log(rest)


def points():
    """Shapes of every size, equal and unequal; positions through the bulk and both tails."""
    rng = np.random.default_rng(20)
    for low, high, count in ((-5, 0, 50), (-1, 2, 50), (1, 4, 40), (-4, 6, 30), (5, 8, 8)):
        for _ in range(count):
            a, b = 10.0 ** rng.uniform(low, high, 2)
            if rng.random() < 0.3:
                b = a * 10.0 ** rng.uniform(-0.5, 0.5)
            spread = np.sqrt(1 / a + 1 / a**2 + 1 / b + 1 / b**2)
            u = np.log(a / b) + rng.normal() * rng.choice([0.3, 1, 3]) * spread
            x = float(1 / (1 + np.exp(-np.clip(u, -600, 25))))
            yield float(a), float(b), x


if __name__ == "__main__":
    rows = []
    for a, b, x in points():
        exact = [mpf(t) for t in (a, b, x)]
        row = [a, b, x, *log_tails(*exact)]
        orders = ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2)) if max(a, b) < 200 and 1e-3 < x < 0.999 else ()
        for i, j in orders:
            # Differences of step h err by h², at 60 digits with room for the second derivative.
            row.append(diff(lambda s, t, x=exact[2]: log_tails(s, t, x)[0], tuple(exact[:2]), (i, j)))
        rows.append(row + [mpf("nan")] * (10 - len(row)))
    with (Path(__file__).parent / "incomplete_beta.csv").open("w") as out:
        print("a,b,x,log_p,log_q,d_a,d_b,d_aa,d_ab,d_bb", file=out)
        for row in rows:
            print(",".join([*(repr(t) for t in row[:3]), *(mp.nstr(t, 20) for t in row[3:])]), file=out)
