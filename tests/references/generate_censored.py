"""Maximum-likelihood fits of censored and truncated data with mpmath at 50 digits: writes ``censored.json``.

Each log-likelihood is the defining formula: log density of known values, log of a difference of distribution functions
for intervals, less the log of that between truncation limits. The maximum is where its gradient vanishes, by Newton's
method on derivatives that mpmath takes numerically at that precision; standard errors are those of the inverse Hessian.
"""

import csv
import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 50
HERE = Path(__file__).parent
INF = mp.inf


def normal(theta):
    loc, scale = theta
    return lambda x: -((x - loc) ** 2) / (2 * scale**2) - mp.log(scale * mp.sqrt(2 * mp.pi)), (
        lambda x: mp.mpf(0) if x == -INF else mp.ncdf((x - loc) / scale) if x != INF else mp.mpf(1)
    )


def weibull(theta):
    k, s = theta
    return lambda x: mp.log(k / s) + (k - 1) * mp.log(x / s) - (x / s) ** k, (
        lambda x: mp.mpf(0) if x <= 0 else mp.mpf(1) if x == INF else -mp.expm1(-((x / s) ** k))
    )


def exponential(theta):
    (rate,) = theta
    return lambda x: mp.log(rate) - rate * x, (
        lambda x: mp.mpf(0) if x <= 0 else mp.mpf(1) if x == INF else -mp.expm1(-rate * x)
    )


def gamma(theta):
    a, b = theta
    return lambda x: a * mp.log(b) - mp.loggamma(a) + (a - 1) * mp.log(x) - b * x, (
        lambda x: mp.mpf(0) if x <= 0 else mp.mpf(1) if x == INF else mp.gammainc(a, 0, b * x, regularized=True)
    )


def logistic(theta):
    loc, scale = theta
    return lambda x: -(x - loc) / scale - mp.log(scale) - 2 * mp.log1p(mp.exp(-(x - loc) / scale)), (
        lambda x: mp.mpf(0) if x == -INF else mp.mpf(1) if x == INF else 1 / (1 + mp.exp(-(x - loc) / scale))
    )


def log_likelihood(law, rows, theta):
    log_density, cdf = law(theta)
    total = mp.mpf(0)
    for left, right, lower, upper, weight in rows:
        term = log_density(left) if left == right else mp.log(cdf(right) - cdf(left))
        if lower > -INF or upper < INF:
            term -= mp.log(cdf(upper) - cdf(lower))
        total += weight * term
    return total


def maximum(law, rows, theta):
    """Newton's method with derivatives from differences at 50 digits."""
    d, step = len(theta), mp.mpf(10) ** -12
    theta = [mp.mpf(t) for t in theta]
    for _ in range(60):
        h = [step * max(abs(t), 1) for t in theta]

        def at(*moves, theta=theta, h=h):
            return log_likelihood(law, rows, [t + m * s for t, m, s in zip(theta, moves, h, strict=True)])

        unit = [[int(i == j) for j in range(d)] for i in range(d)]
        middle = at(*[0] * d)
        gradient, hessian = mp.matrix(d, 1), mp.matrix(d, d)
        for i in range(d):
            up, down = at(*unit[i]), at(*[-u for u in unit[i]])
            gradient[i] = (up - down) / (2 * h[i])
            hessian[i, i] = (up - 2 * middle + down) / h[i] ** 2
            for j in range(i):
                pp, mm = (
                    at(*[a + b for a, b in zip(unit[i], unit[j], strict=True)]),
                    at(*[-a - b for a, b in zip(unit[i], unit[j], strict=True)]),
                )
                pm, m_p = (
                    at(*[a - b for a, b in zip(unit[i], unit[j], strict=True)]),
                    at(*[b - a for a, b in zip(unit[i], unit[j], strict=True)]),
                )
                hessian[i, j] = hessian[j, i] = (pp + mm - pm - m_p) / (4 * h[i] * h[j])
        move = mp.lu_solve(-hessian, gradient)
        share = min(mp.mpf(1), *[abs(t) / (2 * abs(m) + mp.mpf(10) ** -40) for t, m in zip(theta, move, strict=True)])
        theta = [t + share * m for t, m in zip(theta, move, strict=True)]
        if max(abs(m) for m in move) < mp.mpf(10) ** -22:
            break
    covariance = mp.inverse(-hessian)
    return theta, [mp.sqrt(covariance[i, i]) for i in range(d)], log_likelihood(law, rows, theta)


def fremale():
    with open(HERE / "classics" / "fremale.csv", newline="") as file:
        table = list(csv.DictReader(file))
    rows = []
    for r in table:
        end = mp.mpf(float(r["AgeOut"]))
        rows.append((end, end if float(r["Death"]) == 1.0 else INF, mp.mpf(float(r["AgeIn"])), INF, 1))
    return rows


# all four kinds of censoring, weights, truncation on one or both sides: left, right, lower, upper, weight
MIXED = [
    (0.5, 0.5, None, None, 1), (1.25, 1.25, None, None, 2), (2.0, 2.0, None, None, 1), (3.5, 3.5, None, None, 1),
    (0.75, 0.75, None, None, 1), (None, 1.0, None, None, 2), (None, 0.25, None, None, 1), (2.5, None, None, None, 3),
    (4.0, None, None, None, 1), (1.0, 2.0, None, None, 2), (1.5, 1.75, None, None, 1), (3.0, 8.0, None, None, 1),
    (1.5, 1.5, 0.5, None, 1), (2.25, 2.25, 1.0, 5.0, 2), (0.75, 2.0, 0.25, 4.0, 1), (2.0, None, 0.5, None, 1),
]  # fmt: skip


def mixed():
    def end(value, absent):
        return absent if value is None else mp.mpf(value)

    return [(end(a, -INF), end(b, INF), end(c, -INF), end(d, INF), w) for a, b, c, d, w in MIXED]


CASES = {
    "fremale": (fremale(), {"Weibull": (weibull, (2.8, 45.0)), "Normal": (normal, (38.0, 16.6)),
                            "Exponential": (exponential, (0.12,))}),
    "mixed": (mixed(), {"Weibull": (weibull, (1.4, 2.4)), "Normal": (normal, (1.8, 1.5)),
                        "Exponential": (exponential, (0.45,)), "Gamma": (gamma, (1.6, 0.7)),
                        "Logistic": (logistic, (1.8, 0.9))}),
}  # fmt: skip


def main():
    written = {"mixed_rows": MIXED}
    for name, (rows, laws) in CASES.items():
        written[name] = {}
        for law, (function, begin) in laws.items():
            theta, errors, value = maximum(function, rows, begin)
            written[name][law] = {
                "parameters": [mp.nstr(t, 20) for t in theta],
                "standard_errors": [mp.nstr(e, 16) for e in errors],
                "log_likelihood": mp.nstr(value, 20),
            }
            print(name, law, written[name][law], flush=True)
    (HERE / "censored.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
