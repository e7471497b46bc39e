"""R1: y(x, w) = Σ w_j phi_j(x), phi_0 = 1 (Bishop 3.3 to 3.6), and products of bases."""

import jax.numpy as jnp
import numpy as np

import suffice as sf

X = np.linspace(-1.0, 1.0, 21)


def test_the_formulae_of_the_book():
    for basis, phi in [
        (sf.Polynomial(3), lambda x: np.stack([x, x**2, x**3], 1)),
        (sf.Gaussian([-0.5, 0.5], scale=0.2), lambda x: np.exp(-((x[:, None] - [[-0.5, 0.5]]) ** 2) / (2 * 0.04))),
        (sf.Sigmoid([-0.5, 0.5], scale=0.1), lambda x: 1 / (1 + np.exp(-(x[:, None] - [[-0.5, 0.5]]) / 0.1))),
        (sf.Fourier(1, period=2.0), lambda x: np.stack([np.sin(np.pi * x), np.cos(np.pi * x)], 1)),
    ]:
        want = np.column_stack([np.ones(21), phi(X)])
        w = np.arange(1.0, want.shape[1] + 1)
        fit = sf.LinearBasisModel(basis).fit(X, want @ w)
        assert np.allclose(basis(X), want[:, 1:], rtol=1e-12, atol=1e-15)
        assert np.allclose(fit.weights, w, rtol=1e-11)


def test_tensor_products_and_any_function():
    x, y = np.meshgrid(X[::4], X[::4])
    points = np.column_stack([x.ravel(), y.ravel()])
    bumps = sf.Gaussian([-0.5, 0.5], scale=0.5, inputs=0) * sf.Gaussian([-0.5, 0.5], scale=0.5, inputs=1)
    t = np.exp(-((points[:, 0] - 0.5) ** 2 + (points[:, 1] + 0.5) ** 2) / 0.5)
    fit = sf.LinearBasisModel(bumps).fit(points, t)
    assert np.allclose(fit.weights, [0, 0, 0, 1, 0], atol=1e-13)
    any_function = sf.LinearBasisModel([jnp.sin, jnp.exp], intercept=False).fit(X, 2 * np.sin(X) - np.exp(X))
    assert np.allclose(any_function.weights, [2.0, -1.0], rtol=1e-13)
