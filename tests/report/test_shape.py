"""The plane of skewness and kurtosis: the numbers behind the figure, and what is refused."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.report.shape import _curves, point, skewness_kurtosis

RNG = np.random.default_rng(21)


def test_the_sample_is_where_scipy_puts_it():
    x = RNG.gamma(3.0, 2.0, size=(4, 50))
    square, kurtosis = point(x)
    assert square == pytest.approx(scipy.stats.skew(x, axis=1) ** 2, rel=1e-12)
    assert kurtosis == pytest.approx(scipy.stats.kurtosis(x, axis=1) + 3.0, rel=1e-12)


def test_lines_are_those_of_the_families():
    square, kurtosis = _curves(4.0, False)["Gamma"]
    p = sf.Gamma(4.0 / square[-1], 1.0)
    assert (float(p.skewness()) ** 2, float(p.kurtosis()) + 3.0) == pytest.approx((square[-1], kurtosis[-1]))
    square, kurtosis = _curves(2.0, True)["Poisson"]
    p = sf.Poisson(1.0 / square[-1])
    assert (float(p.skewness()) ** 2, float(p.kurtosis()) + 3.0) == pytest.approx((square[-1], kurtosis[-1]))
    square, kurtosis = _curves(4.0, False)["Weibull"]
    assert np.any(np.isclose(square, 4.0, atol=0.2) & np.isclose(kurtosis, 9.0, atol=0.5))  # the exponential


def test_what_the_figure_says():
    x = RNG.exponential(size=3000)
    figure = skewness_kurtosis(x, replicates=20)
    rows = {row[0]: row[1:] for row in figure.table.rows}
    assert rows["Exponential"] == ("4", "9")
    assert rows["Uniform"] == ("0", "1.8")
    assert float(rows["the sample"][0]) == pytest.approx(scipy.stats.skew(x) ** 2, rel=1e-3)
    assert "(beta)" in figure.caption
    counts = skewness_kurtosis(RNG.poisson(3.0, size=100), replicates=20)
    assert "(negative binomial)" in counts.caption
    assert len(sf.skewness_kurtosis(x, replicates=9).to_dict()["layer"]) > 5


@pytest.mark.parametrize("data", [[1.0, 2.0, 3.0], [2.0] * 9])
def test_what_is_refused(data):
    with pytest.raises(sf.DataError, match="need four observations that differ"):
        skewness_kurtosis(data)
