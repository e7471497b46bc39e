"""Small results to draw and to write about."""

import numpy as np
import pytest

import suffice as sf


@pytest.fixture(scope="session")
def gamma_values():
    return np.random.default_rng(4).gamma(2.0, 3.0, 200)


@pytest.fixture(scope="session")
def ranking(gamma_values):
    return sf.rank(gamma_values, [sf.Gamma, sf.Exponential, sf.Uniform, sf.Beta])


@pytest.fixture(scope="session")
def counts():
    """Counts of alpha particles in 2608 intervals (Rutherford, Geiger and Bateman 1910)."""
    return sf.rank(
        np.arange(15),
        [sf.Poisson, sf.Geometric, sf.Normal],
        weights=[57, 203, 383, 525, 532, 408, 273, 139, 45, 27, 10, 4, 0, 1, 1],
    )
