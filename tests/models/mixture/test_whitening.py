"""One pass over rows against the same in extended precision, for clusters at any distance, in all ways of whitening."""

import numpy as np
import pytest

from suffice.models.mixture.model import Model, Params
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.rows import rows_of
from suffice.models.mixture.structures import structure
from suffice.models.mixture.whitening import Scaled, Separate, Shared

K, D, N = 3, 4, 20_000
WAYS = {"full": Separate, "tied": Shared, "diag": Scaled, "spherical": Scaled}


def clusters(distance, kind, seed=0):
    """Rows of clusters of unit size, pairwise near, all that far from the origin; weights; their parameters."""
    rng = np.random.default_rng(seed)
    means = distance * np.array([[1.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 1.0, 0.0], [0.0, -1.0, -1.0, 0.0]])
    means[2] = means[1] + [0.7, 0.2, -0.4, 0.9]
    turn = np.tril(rng.normal(size=(K, D, D)), -1)
    turn = {"full": turn, "tied": turn[:1]}.get(kind, 0.0 * turn)
    size = np.exp(0.3 * rng.normal(size={"full": (K, D), "diag": (K, D), "tied": (1, D), "spherical": (K, 1)}[kind]))
    root = np.broadcast_to(turn + size[..., None] * np.eye(D), (K, D, D)).copy()
    z = rng.integers(0, K, N)
    x = means[z] + np.einsum("nij,nj->ni", root[z], rng.normal(size=(N, D)))
    return x, rng.uniform(0.0, 2.0, N), means, root


def exact(x, w, means, root):
    """Log-likelihood, new weights, means and scatter about them of each component, in extended precision."""
    x, w, means, root = (np.asarray(a, np.longdouble) for a in (x, w, means, root))
    joint, kept = [], []
    for m, s in zip(means, root, strict=True):
        rest, z = (x - m).T.copy(), np.zeros((D, N), np.longdouble)
        for i in range(D):
            z[i] = (rest[i] - s[i, :i] @ z[:i]) / s[i, i]
        log_scale = np.log(np.diag(s)).sum() + np.longdouble(D) / 2 * np.log(8 * np.arctan(np.longdouble(1)))
        joint.append(-(z * z).sum(0) / 2 - log_scale - np.log(np.longdouble(K)))
        kept.append(x - m)
    joint = np.array(joint)
    top = joint.max(0)
    value = top + np.log(np.exp(joint - top).sum(0))
    r = w * np.exp(joint - value)
    n = r.sum(1)
    moved = [r[k] @ kept[k] / n[k] for k in range(K)]
    scatter = [(r[k][:, None] * (kept[k] - moved[k])).T @ (kept[k] - moved[k]) for k in range(K)]
    return w @ value, n, np.array(moved), np.array(scatter)


@pytest.mark.parametrize("distance", [3.0, 1e3, 1e6])
@pytest.mark.parametrize("kind", WAYS)
def test_a_step_is_exact(kind, distance):
    """What is lost to rounding grows like the distance of the centres in their standard deviations, not like its square."""
    x, w, means, root = clusters(distance, kind)
    rows = rows_of(x, w, "error")
    model = Model((NormalComponents(K, (0, D), structure(kind), rows.look.mean, rows.look.covariance),))
    p = Params(np.full((1, K), -np.log(K)), ({"loc": means[None] - rows.look.mean, "root": root[None]},))
    whitening = model.prepare(p)[0]["whitening"]
    assert type(whitening) is WAYS[kind]
    if isinstance(whitening, Scaled):
        assert whitening.near == (distance < 10.0)
    e = rows.evaluate(model, p)
    new = model.maximise(p, e)
    value, n, moved, scatter = exact(x, w, rows.look.mean + p.groups[0]["loc"][0], root)
    error = max(1e-12, np.finfo(float).eps * np.abs(whitening.offset).max())
    assert float(e.log_likelihood[0]) == pytest.approx(float(value), rel=error)
    np.testing.assert_allclose(e.counts[0], n.astype(float), rtol=error)
    np.testing.assert_allclose(new.groups[0]["loc"][0] - p.groups[0]["loc"][0], moved.astype(float), atol=error)
    covariance = new.groups[0]["root"][0] @ np.swapaxes(new.groups[0]["root"][0], 1, 2)
    expected = structure(kind).estimate(n.astype(float), scatter.astype(float), scatter.astype(float))
    np.testing.assert_allclose(covariance, expected, rtol=error, atol=error)
