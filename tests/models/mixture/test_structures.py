"""Covariances that share volume, shape or orientation: each is the maximum of the complete likelihood in its set."""

import numpy as np
import pytest

import suffice as sf
from suffice.models.mixture.structures import NAMES, structure

RNG = np.random.default_rng(5)
K, D = 3, 3
N = np.array([50.0, 30.0, 80.0])
A = RNG.normal(size=(K, D, D))
W = N[:, None, None] * (A @ np.swapaxes(A, 1, 2) + 0.3 * np.eye(D))
BEFORE = np.broadcast_to(np.diag([1.0, 2.0, 3.0]), (K, D, D))


def value(covariances):
    """Complete log-likelihood up to a constant."""
    determinants = N @ np.linalg.slogdet(covariances)[1]
    return -0.5 * (determinants + np.trace(np.linalg.solve(covariances, W), axis1=1, axis2=2).sum())


FOUND = {name: structure(name).estimate(N, W, BEFORE) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_set_within_another_fits_no_better(name):
    """E is within V, and I within E: a structure whose every letter is as free fits at least as well."""
    rank = {"I": 0, "E": 1, "V": 2}
    for other in NAMES:
        if all(rank[a] <= rank[b] for a, b in zip(name, other, strict=True)):
            assert value(FOUND[name]) <= value(FOUND[other]) + 1e-9
            assert structure(name).dimension(K, D) <= structure(other).dimension(K, D)


@pytest.mark.parametrize("name", NAMES)
def test_estimated_again_it_does_not_fall(name):
    again = structure(name).estimate(N, W, FOUND[name])
    assert value(again) >= value(FOUND[name]) - 1e-9
    np.testing.assert_allclose(again, FOUND[name], rtol=2e-5, atol=1e-6)


def moved(covariances, direction, step):
    """Covariances moved along a direction of log D and U."""
    root = np.linalg.cholesky(covariances)
    diagonal = np.diagonal(root, axis1=1, axis2=2)
    below, right = np.tril_indices(D, -1)
    unit = root / diagonal[:, None, :]
    unit[:, below, right] += step * direction[:, D:]
    root = unit * (diagonal * np.exp(step * direction[:, :D]))[:, None, :]
    return root @ np.swapaxes(root, 1, 2)


@pytest.mark.parametrize("name", [n for n in NAMES if structure(n).linear])
def test_it_is_a_maximum_along_its_directions(name):
    directions = structure(name).directions(K, D)
    assert len(directions) == structure(name).dimension(K, D)
    for direction in directions:
        for step in (1e-3, -1e-3):
            assert value(moved(FOUND[name], direction, step)) < value(FOUND[name])


@pytest.mark.parametrize("name", [n for n in NAMES if not structure(n).linear])
def test_it_is_a_maximum_under_rotations(name):
    """Where orientation is shared or free: no small rotation of all components together raises the likelihood."""
    found = FOUND[name]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        for angle in (1e-3, -1e-3):
            turn = np.eye(D)
            turn[i, i] = turn[j, j] = np.cos(angle)
            turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
            assert value(turn @ found @ turn.T) < value(found)


def test_what_is_shared():
    volumes = {name: np.linalg.det(s) for name, s in FOUND.items()}
    for name, v in volumes.items():
        assert np.allclose(v, v[0], rtol=1e-9) == (name[0] == "E")
    for name, s in FOUND.items():
        shape = np.linalg.eigvalsh(s / volumes[name][:, None, None] ** (1.0 / D))
        assert np.allclose(shape, shape[0], rtol=1e-7) == (name[1] != "V")
        commuting = np.allclose(s[0] @ s[1], s[1] @ s[0], rtol=1e-6, atol=1e-6)
        assert commuting == (name[2] != "V")


def test_names():
    assert structure("full").name == "VVV"
    with pytest.raises(ValueError, match="covariance must be one of full, tied"):
        structure("round")


def test_each_climbs():
    """A short climb with every structure on data of two clusters: the trace does not fall, and the dimension is told."""
    x = np.concatenate([RNG.normal(0.0, [1.0, 0.4], (60, 2)), RNG.normal(4.0, [0.5, 1.5], (40, 2))])
    values = {}
    for name in NAMES:
        fit = sf.fit_mixture(sf.MultivariateNormal, 2, x, covariance=name, starts=2, max_iterations=200, tolerance=1e-6)
        assert np.all(np.diff(fit.trace) >= -1e-12 * (np.abs(fit.trace[1:]) + 100.0)), name
        assert fit.dimension == 5 + structure(name).dimension(2, 2)
        values[name] = fit.log_likelihood
    assert values["VVV"] >= max(values.values()) - 1e-6
    assert values["EII"] <= min(values.values()) + 1e-6
