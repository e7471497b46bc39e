"""Digits right on NIST's linear regression sets, beside NumPy, SciPy and what else is installed.

    python benchmarks/nist.py

For each set the worst coefficient and the worst standard error, as −log10 of the relative error against values computed
with 60 digits from the same data; where the true standard error is 0, −log10 of the largest one. "7 rows" adds
statistics of 7 rows each.
"""

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

import suffice as sf

HOME = Path(__file__).parent.parent / "tests" / "references" / "nist"
CEILING = {
    "Norris": (14.0, 14.0), "Pontius": (13.5, 13.8), "NoInt1": (15.0, 15.0), "NoInt2": (15.0, 15.0), "Filip": (14.0, 15.0),
    "Longley": (14.6, 15.0), "Wampler1": (15.0, 15.0), "Wampler2": (13.2, 15.0), "Wampler3": (15.0, 15.0),
    "Wampler4": (15.0, 15.0), "Wampler5": (15.0, 15.0),
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """A set of NIST's: inputs, targets, model, and what is true of them to 40 digits."""

    name: str
    x: np.ndarray
    t: np.ndarray
    model: sf.LinearBasisModel
    weights: list[str]
    errors: list[str]

    @property
    def matrix(self) -> np.ndarray:
        """The design as other tools take it."""
        degree = len(self.weights) - 1
        phi = self.x if self.x.ndim == 2 else self.x[:, None] ** np.arange(1, max(degree, 1) + 1)
        return np.column_stack([np.ones(len(phi)), phi]) if self.model.intercept else phi


def problems() -> list[Problem]:
    """All eleven."""
    reference = json.loads((HOME / "linear_reference.json").read_text())
    return [_problem(name, found["mp60"]) for name, found in reference.items()]


def _problem(name: str, truth: dict) -> Problem:
    text = (HOME / "linear" / f"{name}.dat").read_text()
    first, last = map(int, re.search(r"Data\s*\(lines\s+(\d+) to\s+(\d+)\)", text).groups())
    rows = np.array([[float(v) for v in line.split()] for line in text.splitlines()[first - 1 : last] if line.strip()])
    x, t = rows[:, 1:], rows[:, 0]
    intercept, degree = not name.startswith("NoInt"), len(truth["est"]) - 1
    basis = sf.Linear() if x.shape[1] > 1 or degree <= 1 else sf.Polynomial(degree)
    x = x[:, 0] if x.shape[1] == 1 else x
    return Problem(name, x, t, sf.LinearBasisModel(basis, intercept), truth["est"], truth["se"])


def digits(found: np.ndarray, truth: list[str]) -> float:
    """The worst number of digits right; 17 for all. A truth below 1e-50 is 0."""
    from mpmath import mp, mpf

    with mp.workdps(60):
        worst = 17.0
        for a, b in zip(found, truth, strict=True):
            exact = mpf(b)
            gap = abs(mpf(float(a)) - exact)
            error = gap if abs(exact) < 1e-50 else gap / abs(exact)
            worst = min(worst, 17.0 if error == 0 else float(-mp.log10(error)))
    return worst


def in_sevens(problem: Problem) -> sf.LinearFit:
    """The fit from statistics of 7 rows each."""
    model = problem.model.settled(problem.x)
    careful = exact(problem)
    cuts = [slice(i, i + 7) for i in range(0, len(problem.t), 7)]
    return model.fit(reduce(add, (model.statistics(problem.x[c], problem.t[c], careful=careful) for c in cuts)))


def exact(problem: Problem) -> bool:
    """Whether the true residuals are 0, to which sums of products are blind."""
    return float(problem.errors[0]) < 1e-50


def _numpy(problem: Problem) -> tuple:
    return np.linalg.lstsq(problem.matrix, problem.t)[0], None


def _scipy(problem: Problem) -> tuple:
    import scipy.linalg

    return scipy.linalg.lstsq(problem.matrix, problem.t, lapack_driver="gelsy")[0], None


def _statsmodels(problem: Problem) -> tuple:
    import statsmodels.api

    fit = statsmodels.api.OLS(problem.t, problem.matrix).fit(method="qr")
    return fit.params, fit.bse


def _sklearn(problem: Problem) -> tuple:
    from sklearn.linear_model import LinearRegression

    first = int(problem.model.intercept)
    fit = LinearRegression(fit_intercept=bool(first)).fit(problem.matrix[:, first:], problem.t)
    return np.concatenate([[fit.intercept_] * first, fit.coef_]), None


OTHERS = {"numpy": _numpy, "scipy": _scipy, "statsmodels": _statsmodels, "sklearn": _sklearn}


def main() -> None:
    """Print the table."""
    others = {name: f for name, f in OTHERS.items() if importlib.util.find_spec(name)}
    heads = ["set", "ceiling", "suffice", "7 rows", *others]
    print("".join(f"{h:>14}" for h in heads), "   (coefficients/standard errors)")
    for problem in problems():
        fit, sevens = problem.model.fit(problem.x, problem.t), in_sevens(problem)
        found = [(fit.weights, fit.standard_errors), (sevens.weights, sevens.standard_errors)]
        found += [f(problem) for f in others.values()]
        cells = ["{:.1f}/{:.1f}".format(*CEILING[problem.name])]
        for weights, errors in found:
            w = digits(weights, problem.weights)
            cells.append(f"{w:.1f}" + ("" if errors is None else f"/{digits(errors, problem.errors):.1f}"))
        print("".join(f"{c:>14}" for c in [problem.name, *cells]))


if __name__ == "__main__":
    main()
