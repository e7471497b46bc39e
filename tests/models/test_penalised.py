"""Paths beside their definitions: minima, limits, cross-validation by hand."""

import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)


def data(n=60, d=8):
    x = RNG.normal(size=(n, d)) + 3.0
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
    return x, 2.0 + x[:, 0] - 2.0 * x[:, 2] + RNG.normal(size=n)


@pytest.mark.parametrize("standardise", [True, False])
def test_ridge_is_the_penalised_solution(standardise):
    x, t = data()
    lambdas = [10.0, 1.0, 0.01]
    path = sf.penalty_path(None, x, t, penalties=lambdas, standardise=standardise)
    centred = x - x.mean(0)
    s = centred.std(0) if standardise else np.ones(8)
    z = centred / s
    for i, value in enumerate(lambdas):
        w = np.linalg.solve(z.T @ z + 60 * value * np.eye(8), z.T @ (t - t.mean())) / s
        assert np.allclose(path.weights[i, 1:], w, rtol=1e-10)
        assert path.weights[i, 0] == pytest.approx(t.mean() - x.mean(0) @ w, rel=1e-10)
        hat = z @ np.linalg.solve(z.T @ z + 60 * value * np.eye(8), z.T)
        assert path.degrees_of_freedom[i] == pytest.approx(1.0 + np.trace(hat), rel=1e-10)
        rss = ((t - path.predict(x, i)) ** 2).sum()
        assert path.residual_sums[i] == pytest.approx(rss, rel=1e-9)
        assert path.gcv[i] == pytest.approx(60 * rss / (60 - path.degrees_of_freedom[i]) ** 2, rel=1e-9)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_optimality(l1_ratio):
    """The subgradient of the objective holds 0 at each penalty, to rounding; nothing beside has a lower objective."""
    x, t = data()
    path = sf.penalty_path(None, x, t, l1_ratio=l1_ratio)
    assert path.optimality < 1e-9
    assert (path.weights[0, 1:] == 0.0).all()
    assert (path.weights[1, 1:] != 0.0).sum() == 1
    s = x.std(0)

    def objective(w, value):
        r = t - w[0] - x @ w[1:]
        v = w[1:] * s
        return (r @ r) / 120 + value * (l1_ratio * np.abs(v).sum() + 0.5 * (1 - l1_ratio) * v @ v)

    for i in (5, 40, 99):
        least = objective(path.weights[i], path.penalties[i])
        for _ in range(50):
            step = RNG.normal(size=9) * 10.0 ** RNG.uniform(-6, -1)
            assert objective(path.weights[i] + step, path.penalties[i]) >= least - 1e-13
    small = sf.penalty_path(None, x, t, l1_ratio=l1_ratio, penalties=[1e-12])
    assert np.allclose(small.weights[0], sf.LinearBasisModel().fit(x, t).weights, rtol=1e-8)


def test_orthogonal_columns_are_soft_thresholded():
    q = np.linalg.qr(RNG.normal(size=(32, 5)) - 0.0)[0]
    q = np.linalg.qr(np.column_stack([np.ones(32), q]))[0][:, 1:5] * np.sqrt(32)
    t = q @ [3.0, -1.0, 0.2, 0.0] + RNG.normal(size=32)
    c = q.T @ (t - t.mean()) / 32
    path = sf.penalty_path(None, q, t, l1_ratio=1.0, penalties=[0.5])
    assert np.allclose(path.weights[0, 1:], np.sign(c) * np.maximum(np.abs(c) - 0.5, 0.0), atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_cross_validation_by_hand(l1_ratio):
    x, t = data(40)
    lambdas = [1.0, 0.1]
    path = sf.penalty_path(None, x, t, l1_ratio=l1_ratio, penalties=lambdas, folds=5, rng=3)
    label = np.random.default_rng(3).permutation(40) % 5
    for k in range(5):
        kept = label != k
        alone = sf.penalty_path(None, x[kept], t[kept], l1_ratio=l1_ratio, penalties=lambdas)
        for i in range(2):
            want = ((t[~kept] - alone.predict(x[~kept], i)) ** 2).mean()
            assert path.cv_errors[i, k] == pytest.approx(want, rel=1e-9)
    assert path.best("cv") == path.cv_errors.mean(1).argmin()
    assert path.penalties[path.best("one_se")] >= path.penalties[path.best("cv")]


def test_bad_use():
    x, t = data(10)
    for options, message in [
        ({"l1_ratio": 2.0}, "l1_ratio must be between 0 and 1"),
        ({"folds": 1}, "folds must be 0 or at least 2"),
        ({"folds": 11}, "at most the number of rows"),
        ({"penalties": [0.0]}, "penalties must be numbers > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            sf.penalty_path(None, x, t, **options)
    with pytest.raises(ValueError, match="no cross-validation"):
        sf.penalty_path(None, x, t, penalties=[1.0]).best("cv")
    with pytest.raises(ValueError, match="criterion must be one of"):
        sf.penalty_path(None, x, t, penalties=[1.0]).best("r2")


def test_the_text_of_a_path_is_short():
    x = np.random.default_rng(5).normal(size=(30, 3))
    path = sf.penalty_path(None, x, x[:, 0], penalties=[0.1, 1.0], folds=3)
    assert repr(path) == "PenaltyPath(2 penalties from 1 to 0.1 of 4 weights, n = 30, 3 folds)"
