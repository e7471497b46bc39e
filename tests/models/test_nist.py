"""NIST's linear sets: every coefficient and standard error as right as exact arithmetic on float64 inputs allows."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from nist import CEILING, digits, exact, in_sevens, problems

import suffice as sf

PROBLEMS = {p.name: p for p in problems()}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("whole", [True, False])
def test_at_the_ceiling(name, whole):
    """Within 0.3 digits of it, from all rows at once and from statistics of 7 rows each; zero errors below 1e-15."""
    problem = PROBLEMS[name]
    fit = problem.model.fit(problem.x, problem.t) if whole else in_sevens(problem)
    ceiling = CEILING[name]
    assert digits(fit.weights, problem.weights) >= ceiling[0] - 0.3
    errors = digits(fit.standard_errors, problem.errors)
    assert errors >= ceiling[1] - 0.3
    assert exact(problem) == (name in ("Wampler1", "Wampler2"))


@pytest.mark.parametrize("name", ["Norris", "Filip", "Longley", "Wampler4"])
def test_the_careful_way(name):
    """Orthogonalisation in double-double, in chunks of 7 rows of which the first lack rank."""
    problem = PROBLEMS[name]
    model = problem.model.settled(problem.x)
    cuts = [slice(i, i + 7) for i in range(0, len(problem.t), 7)]
    fit = model.fit(reduce(add, (model.statistics(problem.x[c], problem.t[c], careful=True) for c in cuts)))
    assert digits(fit.weights, problem.weights) >= CEILING[name][0] - 0.3
    assert digits(fit.standard_errors, problem.errors) >= CEILING[name][1] - 0.3
    assert fit.method.startswith("orthogonalisation")


def test_raw_powers_are_orthogonalised():
    """Filip's powers as the user's own columns: a condition number of 5e9 is measured, and the data are read again."""
    problem = PROBLEMS["Filip"]
    fit = sf.LinearBasisModel(sf.Polynomial(10) * sf.Function(np.ones_like)).fit(problem.x, problem.t)
    assert fit.reading == 2
    assert fit.computed_condition > 1e9
    assert digits(fit.weights, problem.weights) >= 13.7
    assert digits(fit.standard_errors, problem.errors) >= 14.7


def test_condition_number_of_the_reported_columns():
    """Of Filip's powers with columns of length 1, as 50 digits give it: 5.2e9."""
    from mpmath import mp

    problem = PROBLEMS["Filip"]
    with mp.workdps(50):
        phi = mp.matrix([[mp.mpf(float(x)) ** k for k in range(11)] for x in problem.x])
        for j in range(11):
            size = mp.sqrt(sum(phi[i, j] ** 2 for i in range(82)))
            for i in range(82):
                phi[i, j] /= size
        values = mp.eigsy(phi.T * phi, eigvals_only=True)
        want = float(mp.sqrt(max(values) / min(values)))
    fit = problem.model.fit(problem.x, problem.t)
    assert fit.condition_number == pytest.approx(want, rel=1e-3)
    assert fit.computed_condition < 100.0
