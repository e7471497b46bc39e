"""Bayesian regression and the evidence approximation beside direct formulae and brute force."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

import suffice as sf
from suffice.models.bases.inputs import Inputs
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)


def data(n=30):
    x = RNG.uniform(0.0, 1.0, n)
    return x, np.sin(2.0 * np.pi * x) + 0.2 * RNG.normal(size=n)


def design(basis, x):
    inputs = Inputs.of(x)
    return np.column_stack([np.ones(len(x)), np.asarray(basis.settled(inputs).columns(inputs).hi)])


BASES = [sf.Gaussian(7), sf.Polynomial(4)]


@pytest.mark.parametrize("basis", BASES, ids=lambda b: type(b).__name__)
def test_known_noise(basis):
    """Bishop 3.49 to 3.59, and the evidence as the density of all targets together."""
    x, t = data()
    phi = design(basis, x)
    alpha, beta = 2.0, 11.0
    p = sf.BayesianLinearModel(basis, weights=alpha, noise=beta, shrink_intercept=True).fit(x, t)
    s = np.linalg.inv(alpha * np.eye(phi.shape[1]) + beta * phi.T @ phi)
    assert np.allclose(p.covariance, s, rtol=1e-9, atol=1e-12)
    assert np.allclose(p.mean, beta * s @ phi.T @ t, rtol=1e-9, atol=1e-11)
    assert np.allclose(p.weights.mean(), p.mean)
    assert np.allclose(p.weights.covariance(), s, rtol=1e-9, atol=1e-12)
    law = p.predictive(x)
    assert np.allclose(law.mean(), phi @ p.mean, atol=1e-11)
    assert np.allclose(law.variance(), 1 / beta + np.einsum("nm,mk,nk->n", phi, s, phi), rtol=1e-10)
    assert np.allclose(p.mean_law(x).variance(), law.variance() - 1 / beta, rtol=1e-8)
    joint = scipy.stats.multivariate_normal(np.zeros(30), np.eye(30) / beta + phi @ phi.T / alpha)
    assert p.log_evidence == pytest.approx(joint.logpdf(t), rel=1e-11)
    kernel = np.asarray(p.equivalent_kernel(x, x))
    assert np.allclose(kernel @ t, p.predict(x), atol=1e-10)
    assert np.allclose(kernel, beta * phi @ s @ phi.T, atol=1e-10)


def test_unknown_noise():
    """Normal–inverse-gamma: the evidence is a multivariate t; weights and predictions are t; a correlated prior."""
    x, t = data()
    phi, m0, v0 = design(sf.Polynomial(3), x), 0.1 * np.arange(4.0), 2.0 * np.eye(4) + 0.3
    spec = sf.BayesianLinearModel(
        sf.Polynomial(3), weights=sf.MultivariateNormal(m0, v0), noise=sf.InverseGamma(3.0, 2.0)
    )
    p = spec.fit(x, t)
    joint = scipy.stats.multivariate_t(phi @ m0, (np.eye(30) + phi @ v0 @ phi.T) * 2.0 / 3.0, df=6.0)
    assert p.log_evidence == pytest.approx(joint.logpdf(t), rel=1e-11)
    vn = np.linalg.inv(np.linalg.inv(v0) + phi.T @ phi)
    mn = vn @ (np.linalg.solve(v0, m0) + phi.T @ t)
    bn = 2.0 + 0.5 * (t @ t + m0 @ np.linalg.solve(v0, m0) - mn @ np.linalg.solve(vn, mn))
    assert np.allclose(p.mean, mn, rtol=1e-9)
    assert np.allclose(p.covariance, vn * bn / 17.0, rtol=1e-9)
    assert float(p.noise_variance.scale) == pytest.approx(bn, rel=1e-10)
    law = p.predictive(x[:2])
    assert np.allclose(law.scale, np.sqrt(bn / 18.0 * (1 + np.einsum("nm,mk,nk->n", phi[:2], vn, phi[:2]))), rtol=1e-9)
    assert np.allclose(law.df, 36.0)
    assert np.allclose(p.weights.covariance(), p.covariance, rtol=1e-9)


def test_flat_priors_are_least_squares():
    x, t = data()
    fit = sf.LinearBasisModel(sf.Polynomial(3)).fit(x, t)
    p = sf.BayesianLinearModel(sf.Polynomial(3)).fit(x, t)
    assert np.allclose(p.mean, fit.weights, rtol=1e-14)
    assert np.allclose(p.standard_deviations, fit.standard_errors * np.sqrt(26 / 24), rtol=1e-12)
    assert np.allclose(p.predictive(x).scale, fit.predictive(x).scale, rtol=1e-12)
    with pytest.raises(DataError, match="depend on each other"):
        sf.BayesianLinearModel().fit(np.column_stack([x, x]), t)
    proper = sf.BayesianLinearModel(weights=1.0, noise=25.0).fit(np.column_stack([x, x]), t)
    assert proper.mean[1] == pytest.approx(proper.mean[2], rel=1e-12)


@pytest.mark.parametrize("noise", [9.0, sf.InverseGamma(2.0, 1.0), None])
def test_sequential_equals_batch(noise):
    """One row at a time, in either order, and by taking the posterior as the next prior."""
    x, t = data(12)
    spec = sf.BayesianLinearModel(sf.Chebyshev(3, domain=(0.0, 1.0)), weights=1.5, noise=noise)
    batch = spec.fit(x, t)
    for order in (range(12), range(11, -1, -1)):
        found = None
        for i in order:
            row = x[i : i + 1], t[i : i + 1]
            found = spec.fit(*row) if found is None else found.update(*row)
        assert np.allclose(found.mean, batch.mean, rtol=1e-12)
        assert np.allclose(
            found.solution.weights_root @ found.solution.weights_root.T,
            batch.solution.weights_root @ batch.solution.weights_root.T,
            rtol=1e-12,
        )
        assert found.log_evidence == pytest.approx(batch.log_evidence, rel=1e-12)
    if isinstance(noise, float):
        first = spec.fit(x[:7], t[:7])
        second = sf.BayesianLinearModel(spec.basis, weights=first.weights, noise=noise).fit(x[7:], t[7:])
        assert np.allclose(second.mean, batch.mean, rtol=1e-10)
        assert first.log_evidence + second.log_evidence == pytest.approx(batch.log_evidence, rel=1e-10)


@pytest.mark.parametrize("noise", [9.0, None])
def test_curves(noise):
    """Mean and covariance of 20,000 curves at three places; six standard errors."""
    x, t = data()
    p = sf.BayesianLinearModel(sf.Gaussian(5), weights=1.0, noise=noise).fit(x, t)
    places = np.array([0.1, 0.5, 0.9])
    curves = np.asarray(p.sample_curves(places, (20_000,), rng=0))
    law = p.mean_law(places)
    sd = np.asarray(law.stddev())
    assert (np.abs(curves.mean(0) - np.asarray(law.mean())) < 6 * sd / np.sqrt(20_000)).all()
    assert (np.abs(curves.std(0) / sd - 1.0) < 6 * np.sqrt(0.75 / 20_000)).all()
    assert p.sample_curves(places, rng=0).shape == (3,)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("shrink", [True, False])
def test_evidence_against_brute_force(basis, shrink):
    """The density of all targets maximised from many starts by another method finds nothing above, and the same place."""
    x, t = data()
    phi = design(basis, x)
    free = 0 if shrink else 1
    if free:  # the flat intercept: the density of contrasts
        q = np.linalg.qr(np.ones((30, 1)), mode="complete")[0][:, 1:]
        phi, t2 = q.T @ phi[:, 1:], q.T @ t
    else:
        t2 = t

    values, vectors = np.linalg.eigh(phi @ phi.T)
    turned = (vectors.T @ t2) ** 2

    def log_density(v):
        variances = np.maximum(values, 0.0) * np.exp(-v[0]) + np.exp(-v[1])
        return -0.5 * (np.log(2 * np.pi * variances) + turned / variances).sum()

    runs = [
        scipy.optimize.minimize(
            lambda v: -log_density(v),
            [a, 3.0],
            method="Nelder-Mead",
            options={"xatol": 1e-11, "fatol": 1e-13, "maxiter": 4000},
        )
        for a in (-10.0, -3.0, 2.0)
    ]
    best = min(runs, key=lambda r: r.fun)
    fit = sf.evidence_fit(basis, x, t, shrink_intercept=shrink)
    assert fit.converged
    at = np.log([fit.alpha, fit.beta])
    assert log_density(at) == pytest.approx(-best.fun, abs=1e-8)
    assert np.allclose(at, best.x, atol=2e-5)  # as far as a maximum shows in values
    gradient = scipy.optimize.approx_fprime(at, log_density, 1e-6)
    assert np.abs(gradient).max() < 1e-4
    m = fit.posterior.mean[free:]
    residuals = t - np.asarray(fit.predict(x))
    assert fit.alpha == pytest.approx(fit.gamma / (m @ m), rel=1e-8)  # Bishop 3.92
    assert 1 / fit.beta == pytest.approx(residuals @ residuals / (30 - free - fit.gamma), rel=1e-8)  # 3.95
    constant = 0.5 * np.log(30.0) if free else 0.0
    assert fit.log_evidence == pytest.approx(log_density(at) - constant, rel=1e-9)


def test_relevance():
    """Two of six inputs matter: the others are pruned or held small; each precision is a maximum."""
    x = RNG.normal(size=(100, 6))
    t = 1.0 + 2.0 * x[:, 0] + x[:, 2] + 0.3 * RNG.normal(size=100)
    fit = sf.evidence_fit(None, x, t, ard=True)
    assert fit.converged
    assert fit.alpha[0] == 0.0
    assert np.abs(fit.posterior.mean[[2, 4, 5, 6]]).max() < 0.06
    assert np.isinf(fit.alpha).any()
    assert np.allclose(fit.posterior.mean[[1, 3]], [2.0, 1.0], atol=0.15)

    def evidence(alpha):
        return sf.BayesianLinearModel(weights=alpha, noise=fit.beta).fit(x, t).log_evidence

    alpha = np.where(np.isfinite(fit.alpha), fit.alpha, 1e30)
    top = evidence(alpha)
    assert top == pytest.approx(fit.log_evidence, abs=1e-9)
    for j in range(1, 7):
        for factor in (0.9, 1.1):
            assert evidence(np.where(np.arange(7) == j, alpha * factor, alpha)) <= top + 1e-12


def test_noise_alone_prunes_all():
    x, t = RNG.normal(size=(50, 3)), RNG.normal(size=50)
    t = t - np.column_stack([np.ones(50), x]) @ np.linalg.lstsq(np.column_stack([np.ones(50), x]), t)[0]
    fit = sf.evidence_fit(None, x, t)
    assert (fit.converged, "infinity" in fit.message) == (False, True)
    assert np.isinf(sf.evidence_fit(None, x, t, ard=True).alpha[1:]).all()
    with pytest.raises(DataError, match="exactly"):
        sf.evidence_fit(None, x, 1.0 + x[:, 0])


def test_model_order():
    x = np.linspace(-1.0, 1.0, 40)
    t = x - 2.0 * x**3 + 0.1 * RNG.normal(size=40)
    order = sf.order_by_evidence([sf.Polynomial(m) for m in range(1, 8)], x, t)
    assert order.labels[order.best] == "Polynomial(degree=3)"
    assert order.probabilities.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sf.BayesianLinearModel(noise=-1.0), "noise must be a precision > 0"),
        (lambda: sf.BayesianLinearModel(weights=-1.0).fit([1.0, 2.0], [1.0, 2.0]), "precision >= 0"),
        (
            lambda: sf.BayesianLinearModel(weights=sf.MultivariateNormal(np.zeros(3), np.eye(3))).fit(
                [1.0, 2.0], [1.0, 2.0]
            ),
            "a law of 2 numbers",
        ),
        (lambda: sf.BayesianLinearModel().fit([1.0, 2.0], np.ones((2, 2))), "one target"),
        (lambda: sf.BayesianLinearModel(noise=1.0).fit([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]).noise_variance, "is known"),
        (lambda: sf.order_by_evidence([], [1.0], [1.0]), "at least one member"),
    ],
)
def test_bad_use(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_evidence_of_more_weights_than_rows():
    """Beside the marginal likelihood of the targets, constant integrated out, maximised by brute force."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(15, 40))
    t = 2.0 * x[:, 0] + x[:, 1] + 0.5 * rng.normal(size=15)
    one = np.ones(15)

    def lost(logs):
        alpha, beta = np.exp(logs)
        covariance = np.eye(15) / beta + x @ x.T / alpha
        inverse = np.linalg.inv(covariance)
        height = one @ inverse @ one
        left = t - (one @ inverse @ t) / height
        size = np.linalg.slogdet(covariance)[1] + np.log(height) + 14.0 * np.log(2.0 * np.pi)
        return 0.5 * (size + left @ inverse @ left)

    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000}
    starts = ([0.0, 0.0], [2.0, 2.0], [-2.0, 3.0])
    best = min(
        (scipy.optimize.minimize(lost, s, method="Nelder-Mead", options=options) for s in starts), key=lambda r: r.fun
    )
    fit = sf.evidence_fit(None, x, t)
    assert fit.converged, fit.message
    assert fit.log_evidence == pytest.approx(-best.fun, abs=1e-9)
    assert [fit.alpha, fit.beta] == pytest.approx(np.exp(best.x), rel=1e-5)
    assert fit.log_evidence >= -best.fun - 1e-11
    for v in np.linspace(-1.0, 1.0, 5):  # nothing beats it near by
        assert lost(np.log([fit.alpha * (1.0 + 0.1 * v), fit.beta * (1.0 - 0.1 * v)])) >= -fit.log_evidence - 1e-11


def test_evidence_that_nothing_bounds():
    x = np.random.default_rng(12).normal(size=(30, 3))
    with pytest.raises(DataError, match="fits all 30 targets exactly"):
        sf.evidence_fit(None, x, 1.0 + x @ [1.0, 2.0, 3.0])
    fit = sf.BayesianLinearModel(weights=1.0).fit([1.0], [2.0])
    assert fit.log_evidence == np.inf
    assert "n = 1, log evidence inf" in repr(fit)


def test_a_posterior_tells_a_table():
    x = np.random.default_rng(13).normal(size=(20, 2))
    fit = sf.BayesianLinearModel(weights=1.0).fit(x, x[:, 0] ** 2)
    low, high = fit.interval(0.8)
    rows = fit.table(0.8)
    wanted = zip(fit.names, fit.mean, fit.standard_deviations, low, high, strict=True)
    assert [tuple(r.values()) for r in rows] == list(wanted)
