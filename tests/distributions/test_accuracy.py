"""Densities, tails and quantiles of every family, from one deep tail to the other, against 50 digits.

What counts as an error, and how much is promised, is written in ``benchmarks/accuracy.py``: beyond 8 eps (1 + kappa),
which follows from rounding the inputs and the result, 1e-13 in double precision — 1e-11 where a law is defined by a
series — and nothing in single precision.
"""

import numpy as np
import pytest
from accuracy import METHODS, Reference, by_suffice, families


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", families())
def test_errors_are_within_the_promise(name, dtype):
    reference = Reference(name)
    misses = {}
    for method in METHODS:
        errors, wrong = reference.excess(method, by_suffice(reference, method, dtype), dtype)
        if wrong.any() or errors.max(initial=0.0) > reference.goal(dtype):
            misses[method] = (errors.max(initial=0.0), int(wrong.sum()))
    assert not misses
