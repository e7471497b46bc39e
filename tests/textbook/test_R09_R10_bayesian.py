"""R9, R10: the straight line of Bishop's figure 3.7, its predictions and kernel, and the evidence (3.3, 3.5)."""

import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)
LINE = sf.BayesianLinearModel(weights=2.0, noise=25.0, shrink_intercept=True)


def line(n):
    x = RNG.uniform(-1.0, 1.0, n)
    return x, -0.3 + 0.5 * x + 0.2 * RNG.normal(size=n)


def test_the_straight_line():
    """Figure 3.7: the posterior narrows row by row, is normal as 3.53 and 3.54 say, and holds the truth as often as it says.

    False alarm of the share of 2,000 standardised distances below the 90 % quantile: 1e-9.
    """
    x, t = line(20)
    found = LINE.fit(x[:1], t[:1])
    for n in range(1, 20):
        narrower = found.update(x[n : n + 1], t[n : n + 1])
        assert np.linalg.slogdet(narrower.covariance)[1] < np.linalg.slogdet(found.covariance)[1]
        found = narrower
    phi = np.column_stack([np.ones(20), x])
    s = np.linalg.inv(2.0 * np.eye(2) + 25.0 * phi.T @ phi)
    assert np.allclose(found.mean, 25.0 * s @ phi.T @ t, rtol=1e-12)
    assert np.allclose(found.covariance, s, rtol=1e-12)
    w = RNG.normal(size=(2000, 2)) / np.sqrt(2.0)
    noisy = w @ phi.T + 0.2 * RNG.normal(size=(2000, 20))
    distance = np.einsum("ni,ij,nj->n", 25.0 * noisy @ phi @ s - w, np.linalg.inv(s), 25.0 * noisy @ phi @ s - w)
    inside = int((distance < -2 * np.log(0.1)).sum())
    assert abs(inside - 1800) < 6.1 * np.sqrt(2000 * 0.9 * 0.1)


def test_predictive_variance_and_kernel():
    """3.59 falls with rows towards 1/beta; 3.62 and 3.63: kernels sum to 1 for a flat prior and are covariances."""
    x, t = line(200)
    places = np.linspace(-1.0, 1.0, 5)
    few, many = (np.asarray(LINE.fit(x[:n], t[:n]).predictive(places).variance()) for n in (5, 200))
    assert (many < few).all()
    assert np.allclose(many, 1 / 25.0, rtol=0.05)
    flat = sf.BayesianLinearModel(sf.Polynomial(3), noise=25.0).fit(x, t)
    kernel = np.asarray(flat.equivalent_kernel(places, x))
    assert np.allclose(kernel.sum(1), 1.0, rtol=1e-10)
    assert np.allclose(kernel @ t, flat.predict(places), rtol=1e-9)


def test_evidence_finds_the_noise_and_the_order():
    """3.86: gamma between 0 and M; with many rows it is M and 1/beta tends to the noise's variance; a cubic is found."""
    x = RNG.uniform(-1.0, 1.0, 3000)
    t = x - 2.0 * x**3 + 0.5 * RNG.normal(size=3000)
    few, many = sf.evidence_fit(sf.Gaussian(9), x[:20], t[:20]), sf.evidence_fit(sf.Gaussian(9), x, t)
    assert 0.0 < few.gamma < many.gamma < 9.0
    assert 1 / many.beta == pytest.approx(0.25, abs=6 * 0.25 * np.sqrt(2 / 3000))
    order = sf.order_by_evidence([sf.Polynomial(m) for m in range(1, 8)], x[:300], t[:300])
    assert order.labels[order.best] == "Polynomial(degree=3)"
