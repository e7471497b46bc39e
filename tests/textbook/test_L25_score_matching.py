"""L25: the score needs no normaliser: score matching estimates unnormalised models; for the Gaussian it is the MLE."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(25)
X = RNG.normal(3.0, 2.0, 200)
V = RNG.multivariate_normal([1.0, -1.0], [[2.0, 0.6], [0.6, 1.0]], 150)


def bell(theta, x):
    """A normal without its normaliser."""
    return -0.5 * jnp.exp(-2.0 * theta["log_scale"]) * (x - theta["loc"]) ** 2


def bell_of_vectors(theta, x):
    """The same in two dimensions: location, and the entries a, b, c of a symmetric precision."""
    a, b, c = theta[2:]
    y = x - theta[:2]
    return -0.5 * (a * y[0] ** 2 + 2.0 * b * y[0] * y[1] + c * y[1] ** 2)


START = {"loc": 0.0, "log_scale": 0.0}


def test_gaussian_equals_maximum_likelihood():
    """Row L25: exactly the mean and the deviation with divisor n; errors of the mean are those of the MLE."""
    found = sf.score_match(bell, START, X)
    assert found.converged
    assert float(found.theta["loc"]) == pytest.approx(X.mean(), rel=1e-10)
    assert float(jnp.exp(found.theta["log_scale"])) == pytest.approx(X.std(), rel=1e-10)
    assert float(found.standard_errors["loc"]) == pytest.approx(X.std() / np.sqrt(200), rel=1e-9)
    z = (X - X.mean()) / X.std()  # the sandwich of log σ: √Var(z²)/(2 √n)
    assert float(found.standard_errors["log_scale"]) == pytest.approx((z**2).std() / 2.0 / np.sqrt(200), rel=1e-9)


def test_gaussian_of_vectors():
    """The mean and the inverse of the covariance with divisor n, which is the exact minimiser."""
    found = sf.score_match(bell_of_vectors, jnp.array([0.0, 0.0, 1.0, 0.0, 1.0]), V)
    precision = np.linalg.inv(np.cov(V.T, ddof=0))
    assert found.converged
    known = [*V.mean(0), precision[0, 0], precision[0, 1], precision[1, 1]]
    np.testing.assert_allclose(found.theta, known, rtol=1e-9)


def test_weights_are_copies():
    w = np.arange(200) % 3 + 0.0
    weighted = sf.score_match(bell, START, X, weights=w)
    copies = sf.score_match(bell, START, np.repeat(X, w.astype(int)))
    np.testing.assert_allclose(weighted.covariance, copies.covariance, rtol=1e-9)
    assert float(weighted.theta["loc"]) == pytest.approx(float(copies.theta["loc"]), rel=1e-10)


def test_sliced():
    """In one dimension a direction is all there is, so the same; in two within 6.2 of its own errors of the truth.

    False alarm 5 × 6e-10.
    """
    found = sf.score_match(bell, START, X, "sliced", rng=0)
    assert float(jnp.exp(found.theta["log_scale"])) == pytest.approx(X.std(), rel=1e-10)
    x = np.random.default_rng(1).multivariate_normal([1.0, -1.0], [[2.0, 0.6], [0.6, 1.0]], 500)
    found = sf.score_match(bell_of_vectors, jnp.array([0.0, 0.0, 1.0, 0.0, 1.0]), x, "sliced", projections=3, rng=1)
    precision = np.linalg.inv([[2.0, 0.6], [0.6, 1.0]])
    known = [1.0, -1.0, precision[0, 0], precision[0, 1], precision[1, 1]]
    assert found.converged
    assert np.all(np.abs(found.theta - np.array(known)) < 6.2 * np.asarray(found.standard_errors))


def test_denoising_fits_the_blurred_density():
    """The estimate is of N(loc, scale² + noise²), within 6.2 of its errors (false alarm 1e-9)."""
    x = np.random.default_rng(2).normal(3.0, 2.0, 2000)
    found = sf.score_match(bell, START, x, "denoising", noise=1.5, projections=8, rng=3)
    assert found.converged
    off = float(found.theta["log_scale"]) - 0.5 * np.log(4.0 + 1.5**2)
    assert abs(off) < 6.2 * float(found.standard_errors["log_scale"])
    assert abs(float(found.theta["loc"]) - 3.0) < 6.2 * float(found.standard_errors["loc"])


def test_a_model_without_a_normaliser():
    """p ∝ exp(−a x⁴ + b x²): score matching is linear in (a, b), so that its minimiser solves two equations.

    With T' the gradients of (−x⁴, x²): mean[T' T'ᵀ] (a, b) = −mean[T''] (Hyvärinen 2005, section 3.2).
    """
    x = np.random.default_rng(4).normal(0.0, 1.0, 500)
    first, second = np.stack([-4 * x**3, 2 * x], 1), np.stack([-12 * x**2, 2 + 0 * x], 1)
    known = np.linalg.solve(first.T @ first / 500, -second.mean(0))
    found = sf.score_match(lambda theta, x: -theta[0] * x**4 + theta[1] * x**2, jnp.zeros(2), x)
    assert found.converged
    np.testing.assert_allclose(found.theta, known, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "best"}, "kind must be one of"),
        ({"kind": "denoising", "rng": 0}, "noise must be > 0"),
        ({"noise": 1.0}, "is for nothing else"),
        ({"kind": "sliced"}, "rng is needed"),
        ({"weights": [1.0]}, "one entry for each observation"),
        ({"kind": "sliced", "rng": 0, "projections": 0}, "projections must be >= 1"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.score_match(bell, START, X, **arguments)
