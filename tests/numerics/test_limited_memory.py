"""L-BFGS: its matrix against the update it stands for, draws of it, and the path to known minima."""

import itertools

import numpy as np
import pytest

from suffice.numerics.limited_memory import descend

RNG = np.random.default_rng(5)


def rosenbrock(x):
    a, b = x[:-1], x[1:]
    gradient = np.zeros_like(x)
    gradient[:-1] = -400.0 * a * (b - a**2) - 2.0 * (1.0 - a)
    gradient[1:] += 200.0 * (b - a**2)
    return float((100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2).sum()), gradient


@pytest.mark.parametrize("d", [2, 10])
def test_the_path_ends_at_the_minimum(d):
    path = descend(rosenbrock, np.full(d, -1.0))
    np.testing.assert_allclose(path[-1].point, 1.0, atol=1e-4)
    assert np.all(np.diff([at.value for at in path]) <= 0.0)


def test_the_matrix_is_that_of_the_updates():
    """Of fewer pairs than the history it is BFGS from the diagonal; it solves the secant equation, and is spread by draws."""
    root = RNG.normal(size=(5, 5))
    a = root @ root.T + np.eye(5)
    path = descend(lambda x: (float(0.5 * x @ a @ x), a @ x), RNG.normal(size=5), history=8)
    steps = [(q.point - p.point, q.gradient - p.gradient) for p, q in itertools.pairwise(path)][:4]
    at = path[4]
    expected = np.diag(at.inverse.alpha)
    for s, y in steps:
        turn = np.eye(5) - np.outer(s, y) / (s @ y)
        expected = turn @ expected @ turn.T + np.outer(s, s) / (s @ y)
    np.testing.assert_allclose(at.inverse.dense(), expected, rtol=1e-9, atol=1e-12)
    s, y = steps[-1]
    np.testing.assert_allclose(at.inverse.times(y), s, rtol=1e-9)
    x, half_log_det = at.inverse.spread(np.eye(5))
    np.testing.assert_allclose(x.T @ x, expected, rtol=1e-9, atol=1e-12)
    assert half_log_det == pytest.approx(0.5 * np.linalg.slogdet(expected)[1], rel=1e-12)
    np.testing.assert_allclose(at.inverse.whitened(x), np.eye(5), atol=1e-10)


def test_a_point_that_is_a_minimum_is_the_whole_path():
    assert len(descend(lambda x: (float(x @ x), 2.0 * x), np.zeros(3))) == 1
