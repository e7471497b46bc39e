"""Densities, tails and quantiles of every family, from one deep tail to the other, against 50 digits.

What counts as an error, and how much is promised, is written in ``benchmarks/accuracy.py``: beyond 8 eps (1 + kappa),
which follows from rounding the inputs and the result, 1e-13 in double precision — 1e-11 where a law is defined by a
series — and nothing in single precision. ``--full`` adds single precision, and families that compile for long.
"""

import jax
import numpy as np
from accuracy import METHODS, Reference, families

import suffice as sf
from suffice.distributions.counts import SummedCounts

SLOW = (SummedCounts, sf.BetaPrime, sf.F, sf.NoncentralChiSquared)


def pytest_generate_tests(metafunc):
    names = families()
    if metafunc.config.getoption("full"):
        cases = [(name, dtype) for name in names for dtype in (np.float64, np.float32)]
    else:
        cases = [(name, np.float64) for name in names if not issubclass(getattr(sf, name), SLOW)]
    metafunc.parametrize(("name", "dtype"), cases)


@jax.jit
def evaluate(law, arguments):
    """Every method in one program: what tails share is compiled once."""
    return {method: getattr(law, method)(argument) for method, argument in arguments.items()}


def test_errors_are_within_the_promise(name, dtype):
    reference = Reference(name)
    arguments = {method: reference.rounded(method, dtype) for method in METHODS}
    misses = {}
    for method, found in evaluate(reference.law(dtype), arguments).items():
        assert found.dtype == dtype
        errors, wrong = reference.excess(method, found, dtype)
        if wrong.any() or errors.max(initial=0.0) > reference.goal(dtype):
            misses[method] = (errors.max(initial=0.0), int(wrong.sum()))
    assert not misses
