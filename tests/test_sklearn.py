"""The adapter for scikit-learn passes scikit-learn's own checks of estimators, without exceptions."""

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import suffice as sf
from suffice.sklearn import LinearBasisRegressor


@parametrize_with_checks(
    [LinearBasisRegressor(), LinearBasisRegressor(sf.Polynomial(2)), LinearBasisRegressor(fit_intercept=False)]
)
def test_checks(estimator, check):
    check(estimator)


def test_in_a_search():
    x = np.linspace(-1.0, 1.0, 60)[:, None]
    t = x[:, 0] ** 3 + 0.05 * np.random.default_rng(0).normal(size=60)
    search = GridSearchCV(
        LinearBasisRegressor(), {"basis": [sf.Polynomial(m, domain=(-1.0, 1.0)) for m in (1, 3)]}
    ).fit(x, t)
    assert search.best_params_["basis"] == sf.Polynomial(3, domain=(-1.0, 1.0))
    fit = search.best_estimator_.fit_
    assert np.allclose(
        fit.weights, sf.LinearBasisModel(sf.Polynomial(3)).fit(x[:, 0], t).weights, rtol=1e-10, atol=1e-12
    )
