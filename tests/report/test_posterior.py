"""The page of a posterior: the likelihood drawn is the one it says it is."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.report.posterior import parameter_figures


def column(figure, name):
    i = figure.table.headers.index(name)
    return np.array([float(row[i].replace(",", "").replace("−", "-")) for row in figure.table.rows])


def test_one_parameter_has_its_own_likelihood():
    figure = parameter_figures(sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, [3, 5, 4]))[0]
    rate, drawn = column(figure, "rate"), column(figure, "Likelihood")
    exact = rate**12 * np.exp(-3.0 * rate)
    assert drawn / drawn.max() == pytest.approx(exact / exact.max(), rel=5e-3, abs=2e-3)
    assert "averaged" not in figure.caption


def test_of_several_parameters_the_others_are_averaged_over():
    """Of (loc, scale²) the likelihood of loc is ∫ p(x | loc, s) p(s | loc) ds: here by the trapezoidal rule in log s."""
    x = np.array([0.5, -0.7, 2.1, 0.9])
    figures = {
        f.title: f for f in parameter_figures(sf.update(sf.NormalInverseGamma(0.3, 1.5, 3.0, 2.0), sf.Normal, x))
    }
    loc, drawn = column(figures["loc"], "loc"), column(figures["loc"], "Likelihood")
    s = np.exp(np.linspace(-8.0, 8.0, 4001))[:, None]
    given = scipy.stats.invgamma(3.5, scale=2.0 + 0.75 * (loc - 0.3) ** 2).pdf(s)
    likelihood = np.prod([scipy.stats.norm(loc, np.sqrt(s)).pdf(v) for v in x], axis=0)
    exact = (likelihood * given * s).sum(0)
    assert drawn / drawn.max() == pytest.approx(exact / exact.max(), rel=5e-3, abs=2e-3)
    assert "averaged over the other parameters" in figures["loc"].caption
