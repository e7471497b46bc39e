"""Tails and intervals of Student's t beside SciPy's."""

import numpy as np
import pytest
import scipy.stats

from suffice.models.regression.least_squares import student


@pytest.mark.parametrize("free", [0.3, 1.0, 3.5, 147.0, 1e4, 1e8, 1e17])
def test_tails_and_intervals(free):
    t = np.linspace(-5.0, 40.0, 300).reshape(3, 100)
    assert student.tail(free, t) == pytest.approx(scipy.stats.t(free).sf(t), rel=1e-10)
    for level in (0.1, 0.5, 0.95, 0.999, 1.0 - 1e-9):
        assert student.reach(free, level) == pytest.approx(scipy.stats.t(free).isf(0.5 - 0.5 * level), rel=1e-12)


def test_no_freedom_and_bad_levels():
    assert np.isnan(student.reach(0.0, 0.95))
    assert student.tail(3.0, np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 1"):
        student.reach(3.0, 1.0)
