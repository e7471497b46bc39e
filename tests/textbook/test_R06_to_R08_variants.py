"""R6 to R8: sequential learning, regularisation, several outputs (Bishop 3.1.3 to 3.1.5)."""

import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)


def test_sequential_learning():
    """LMS is 3.23; it nears the least-squares solution; RLS is that solution after each row."""
    x = RNG.uniform(-1.0, 1.0, 5000)
    t = 0.5 - 0.3 * x + 0.1 * RNG.normal(size=5000)
    batch = sf.LinearBasisModel().fit(x, t).weights
    assert np.allclose(sf.LeastMeanSquares(rate=0.005).update(x, t).weights, batch, atol=0.05)
    rls = sf.RecursiveLeastSquares()
    for i in range(0, 5000, 500):
        rls = rls.update(x[i : i + 500], t[i : i + 500])
    assert np.allclose(rls.weights, batch, rtol=1e-11)


def test_quadratic_regulariser():
    """3.28: w = (lambda I + Phi'Phi)⁻¹ Phi't; n times the path's penalty. The lasso (q = 1) gives weights of 0."""
    x = RNG.normal(size=(50, 6))
    t = x[:, 0] + RNG.normal(size=50)
    path = sf.penalty_path(None, x, t, penalties=[2.0 / 50], standardise=False, intercept=False)
    assert np.allclose(path.weights[0], np.linalg.solve(2.0 * np.eye(6) + x.T @ x, x.T @ t), rtol=1e-11)
    ridge, lasso = (sf.penalty_path(None, x, t, l1_ratio=q, folds=5) for q in (0.0, 1.0))
    assert (ridge.weights[50] != 0).all()
    assert (lasso.weights[20] == 0).any()
    assert (np.diff(np.linalg.norm(ridge.weights[:, 1:], axis=1)) > 0).all()
    assert lasso.weights[lasso.best("cv"), 1] == pytest.approx(1.0, abs=0.6)


def test_several_outputs():
    """3.35: each output has the weights of a fit alone."""
    x, t = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 3))
    together = sf.LinearBasisModel(sf.Polynomial(2)).fit(x, t)
    for k in range(3):
        assert np.allclose(
            together.weights[:, k], sf.LinearBasisModel(sf.Polynomial(2)).fit(x, t[:, k]).weights, rtol=1e-13
        )
