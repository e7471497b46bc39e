"""The adapter for scikit-learn passes scikit-learn's own checks of estimators, without exceptions."""

import numpy as np
import pytest
import sklearn.mixture
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import suffice as sf
from suffice.sklearn import GaussianMixture, LinearBasisRegressor


@parametrize_with_checks(
    [
        LinearBasisRegressor(),
        LinearBasisRegressor(sf.Polynomial(2)),
        LinearBasisRegressor(fit_intercept=False),
        GaussianMixture(),
        GaussianMixture(2, covariance_type="diag", n_init=2),
    ]
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


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_drop_in(covariance_type, init_params):
    """From the same start the same steps, and the same optimum to 1e-9."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(m, s, (80, 2)) for m, s in ((0.0, 1.0), (3.0, 0.5), (6.0, 1.5))])
    how = {
        "covariance_type": covariance_type,
        "init_params": init_params,
        "random_state": 1,
        "tol": 1e-10,
        "max_iter": 3000,
    }
    ours, theirs = GaussianMixture(3, **how).fit(x), sklearn.mixture.GaussianMixture(3, **how).fit(x)
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_", "lower_bound_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-9)
    for method in ("predict", "predict_proba", "score_samples", "score", "bic", "aic"):
        np.testing.assert_allclose(getattr(ours, method)(x), getattr(theirs, method)(x), rtol=1e-9, atol=1e-12)


def test_given_starts_and_draws():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0.0, 1.0, (80, 2)), rng.normal(4.0, 0.5, (80, 2))])
    start = {
        "weights_init": [0.5, 0.5],
        "means_init": [[0.0, 1.0], [3.0, 3.0]],
        "precisions_init": [np.eye(2), 2.0 * np.eye(2)],
    }
    ours, theirs = GaussianMixture(2, **start).fit(x), sklearn.mixture.GaussianMixture(2, **start).fit(x)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-10)
    drawn, labels = ours.sample(4000)
    assert np.all(np.diff(labels) >= 0)
    assert np.abs(drawn[labels == 1].mean(0) - ours.means_[1]).max() < 5.0 * 0.5 / np.sqrt((labels == 1).sum())
    with pytest.raises(ValueError, match="means_init"):
        GaussianMixture(2, means_init=[[0.0, 1.0]]).fit(x)
