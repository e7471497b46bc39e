"""Covariances that hold whatever the noise's variances, beside their formulae and beside simulation."""

import numpy as np
import pandas as pd
import pytest

import suffice as sf

RNG = np.random.default_rng(5)
N = 120


@pytest.fixture(scope="module")
def data():
    x = RNG.normal(size=(N, 2)) + np.array([3.0, 0.0])
    return x, x @ [1.0, -2.0] + np.exp(0.5 * x[:, 1]) * RNG.normal(size=N)


def exact(phi, t, kind, b, g):
    """The formulae on rows, each g times."""
    phi, t, b = np.repeat(phi, g, axis=0), np.repeat(t, g), np.repeat(b, g)
    bread = np.linalg.inv(phi.T @ (b[:, None] * phi))
    r, h = t - phi @ bread @ phi.T @ (b * t), b * np.einsum("ij,jk,ik->i", phi, bread, phi)
    n, m = phi.shape
    factor = {"HC1": n / (n - m), "HC2": 1 / (1 - h), "HC3": 1 / (1 - h) ** 2}.get(kind, 1.0)
    return bread @ (phi.T @ ((b**2 * r**2 * factor)[:, None] * phi)) @ bread


@pytest.mark.parametrize("kind", ["sandwich", "HC0", "HC1", "HC2", "HC3"])
def test_formulae(data, kind, tmp_path):
    x, t = data
    g, b = RNG.integers(0, 4, N), RNG.uniform(0.5, 2.0, N)
    phi = np.column_stack([np.ones(N), x])
    fit = sf.LinearBasisModel().fit(x, t, g, precisions=b, covariance=kind)
    want = exact(phi, t, kind, b, g)
    assert np.allclose(fit.covariance, want, rtol=1e-9)
    assert np.allclose(fit.standard_errors, np.sqrt(np.diag(want)), rtol=1e-9)
    assert np.allclose(fit.mean_law(x).scale ** 2, np.einsum("ij,jk,ik->i", phi, want, phi), rtol=1e-9)
    spread = np.asarray(fit.predictive(x).scale) ** 2 - np.asarray(fit.mean_law(x).scale) ** 2
    assert np.allclose(spread, fit.residual_variance, rtol=1e-9)
    several = sf.LinearBasisModel().fit(x, np.stack([t, 2.0 * t], axis=1), g, precisions=b, covariance=kind)
    assert np.allclose(several.covariance, [want, 4.0 * want], rtol=1e-9)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "t": t})
    frame.to_parquet(tmp_path / "data.parquet", row_group_size=30)
    whole = sf.LinearBasisModel().fit(x, t, covariance=kind)
    for rows in (7, 1000):
        streamed = sf.LinearBasisModel().fit(
            sf.scan_table(tmp_path / "data.parquet", batch_rows=rows), "t", covariance=kind
        )
        assert np.allclose(streamed.standard_errors, whole.standard_errors, rtol=1e-12)


def test_what_it_is_for():
    """The sandwich's variance of a slope whose noise grows with x, over 100 samples, beside the truth.

    HC2 has no bias to first order; one such variance has a relative deviation of about 0.3 here, their mean 0.03, so five
    of these. The usual formula is far outside.
    """
    x = np.linspace(-1.0, 1.0, N)
    phi = np.column_stack([np.ones(N), x])
    deviation = 0.2 + np.abs(x) ** 2
    t = (RNG.normal(size=(100, N)) * deviation).T
    found, usual = (sf.LinearBasisModel().fit(x, t, covariance=kind) for kind in ("HC2", "noise"))
    bread = np.linalg.inv(phi.T @ phi)
    truth = (bread @ (phi.T @ (deviation[:, None] ** 2 * phi)) @ bread)[1, 1]
    assert (found.standard_errors[1] ** 2).mean() == pytest.approx(truth, rel=0.15)
    assert (usual.standard_errors[1] ** 2).mean() < 0.7 * truth


def test_what_cannot_be():
    model = sf.LinearBasisModel()
    with pytest.raises(ValueError, match="covariance must be one of noise, sandwich, HC0"):
        model.fit([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], covariance="hc4")
    summary = model.statistics([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match="a statistic is not enough"):
        model.fit(summary, covariance="HC3")
