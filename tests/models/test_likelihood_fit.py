"""What all fits by iterated maximum likelihood tell, by the same names."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.models.regression.iterated import wald

RNG = np.random.default_rng(31)
N = 200
X = RNG.normal(size=(N, 2))
MEAN = 0.5 + X @ [0.7, -0.4]
FITS = {
    "generalised": (sf.GeneralizedLinearModel(sf.Poisson), RNG.poisson(np.exp(MEAN)), 3),
    "dispersed": (sf.GeneralizedLinearModel(sf.Gamma), RNG.gamma(2.0, np.exp(MEAN)), 4),
    "noise": (sf.LinearBasisModel(noise="student_t"), MEAN + RNG.standard_t(4.0, N), 5),
    "df held": (sf.LinearBasisModel(noise=sf.StudentTNoise(5.0)), MEAN + RNG.standard_t(4.0, N), 4),
    "variance": (sf.LinearBasisModel(noise=sf.LogVariance(sf.Linear(0))), MEAN + np.exp(X[:, 0]) * RNG.normal(size=N), 5),
    "ordinal": (sf.OrdinalRegression(), np.digitize(MEAN + RNG.logistic(size=N), [0.0, 1.0]), 4),
    "multinomial": (sf.MultinomialRegression(), np.digitize(MEAN + RNG.logistic(size=N), [0.0, 1.0]), 6),
}  # fmt: skip


@pytest.mark.parametrize("kind", FITS)
def test_the_same_names(kind):
    model, t, dimension = FITS[kind]
    fit = model.fit(X, t)
    assert fit.converged, fit.message
    assert (fit.count, fit.dimension, fit.data.rows is not None) == (N, dimension, True)
    assert fit.aic == pytest.approx(2.0 * dimension - 2.0 * fit.log_likelihood, rel=1e-14)
    assert fit.bic == pytest.approx(dimension * np.log(N) - 2.0 * fit.log_likelihood, rel=1e-14)
    assert np.allclose(fit.standard_errors, np.sqrt(np.diag(fit.covariance)), rtol=1e-14)
    rows = fit.table(0.9)
    assert [r["name"] for r in rows] == list(fit.names)
    z = fit.parameters / fit.standard_errors
    reach = scipy.stats.norm.isf(0.05) * fit.standard_errors
    wanted = {
        "estimate": fit.parameters, "standard_error": fit.standard_errors, "z": z, "p_value": 2.0 * scipy.stats.norm.sf(np.abs(z)),
        "lower": fit.parameters - reach, "upper": fit.parameters + reach,
    }  # fmt: skip
    for name, values in wanted.items():
        assert [r[name] for r in rows] == pytest.approx(values.tolist(), rel=1e-11)
    assert fit.names[0] in repr(fit)
    assert f"converged in {fit.iterations} steps" in repr(fit)


def test_tails_of_tests_keep_their_digits():
    z = np.array([0.0, -1.0, 12.0, 37.0, np.nan])
    assert wald.p_value(z) == pytest.approx(2.0 * scipy.stats.norm.sf(np.abs(z)), rel=1e-12, nan_ok=True)
