"""References for special functions: mpmath at 50 digits, and published tables."""

from pathlib import Path

import mpmath as mp
import numpy as np
import pytest


@pytest.fixture
def exact():
    """`exact(f, *columns)`: f of mpmath numbers, row by row, at 50 digits, rounded to double precision."""

    def evaluate(function, *columns, digits=50):
        with mp.workdps(digits):
            rows = zip(*(np.asarray(c, float).tolist() for c in columns), strict=True)
            return np.array([float(function(*map(mp.mpf, row))) for row in rows])

    return evaluate


@pytest.fixture
def table():
    """`table(name)`: the columns of references/boost/name.csv in double precision."""

    def load(name):
        path = Path(__file__).parents[2] / "references" / "boost" / f"{name}.csv"
        return np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)

    return load
