"""L28: Laplace's approximation and variational inference: normal targets are exact; Pareto k tells where they fail."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

import suffice as sf

EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
BEGIN = {"mu": 0.0, "tau": 2.0, "theta": np.zeros(8)}


def eight_schools(p):
    """Rubin (1981), centred."""
    prior = sf.Normal(0.0, 5.0).log_prob(p["mu"]) + sf.HalfCauchy(5.0).log_prob(p["tau"])
    groups = sf.Normal(p["mu"], p["tau"]).log_prob(p["theta"]).sum()
    return prior + groups + sf.Normal(p["theta"], ERRORS).log_prob(EFFECTS).sum()


def funnel(x):
    """Neal (2003): x0 ~ N(0, 3²), the others N(0, exp(x0))."""
    return sf.Normal(0.0, 3.0).log_prob(x[0]) + sf.Normal(0.0, jnp.exp(0.5 * x[0])).log_prob(x[1:]).sum()


def normal_target(d, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(d, d))
    return sf.MultivariateNormal(rng.normal(size=d), a @ a.T + 0.2 * np.eye(d))


@pytest.mark.parametrize("d", [1, 6])
def test_laplace_is_exact_on_normal_targets(d):
    p = normal_target(d)
    found = sf.laplace(lambda x: p.log_prob(x) + 3.0, np.zeros(d))
    assert found.reliable
    assert found.pareto_k == -np.inf
    np.testing.assert_allclose(found.mode, p.loc, atol=1e-10)
    np.testing.assert_allclose(found.normal.covariance(), p.covariance(), atol=1e-10)
    assert found.log_evidence == pytest.approx(3.0, abs=1e-10)
    assert found.correction == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("form", ["mean_field", "full_rank", "low_rank"])
def test_variational_inference_on_normal_targets(form):
    """Full rank is the target; mean field has its mean and the inverse diagonal of its precision, in closed form."""
    p = normal_target(5)
    if form == "low_rank":  # a target of that form
        b = np.random.default_rng(1).normal(size=(5, 2))
        p = sf.MultivariateNormal(p.loc, b @ b.T + np.diag([0.5, 1.0, 0.3, 0.8, 0.4]))
    found = sf.variational(lambda x: p.log_prob(x) + 3.0, np.zeros(5), form=form)
    assert found.converged
    np.testing.assert_allclose(found.normal.loc, p.loc, atol=1e-4)
    precision = np.linalg.inv(p.covariance())
    exact = np.diag(1.0 / np.diagonal(precision)) if form == "mean_field" else np.asarray(p.covariance())
    np.testing.assert_allclose(found.normal.covariance(), exact, atol=1e-4)
    lost = (
        0.5 * (np.log(np.diagonal(precision)).sum() - np.linalg.slogdet(precision)[1]) if form == "mean_field" else 0.0
    )
    # 6 standard errors: false alarm 2e-9
    assert abs(found.elbo - (3.0 - lost)) <= 6.0 * found.elbo_error + 1e-6
    assert found.elbo <= 3.0 + 6.0 * found.elbo_error + 1e-6


def test_pareto_k_flags_the_centred_eight_schools():
    laplace = sf.laplace(eight_schools, BEGIN, {"tau": "positive"})
    assert not laplace.converged  # the density has no mode: it is unbounded as tau falls to 0
    assert laplace.pareto_k == np.inf
    assert "draw from it" in laplace.advice
    for form in ("mean_field", "full_rank"):
        found = sf.variational(eight_schools, BEGIN, {"tau": "positive"}, form=form)
        assert found.converged
        assert found.pareto_k > 0.7
        assert not found.reliable
        assert "draw from it" in repr(found)


def test_pareto_k_flags_the_funnel():
    laplace = sf.laplace(funnel, np.zeros(10))
    assert laplace.converged
    assert laplace.pareto_k > 0.7
    for form in ("mean_field", "full_rank"):
        assert sf.variational(funnel, np.zeros(10), form=form).pareto_k > 0.7


def test_pareto_k_passes_a_posterior_near_normal():
    """Gamma–Poisson with 200 counts, in log rate: evidence by all three corrections."""
    x = np.asarray(sf.Poisson(3.0).sample(200, rng=0), float)
    exact = float(sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, x).log_evidence)

    def log_density(rate):
        return sf.Gamma(2.0, 1.0).log_prob(rate) + sf.Poisson(rate).log_prob(x).sum()

    laplace = sf.laplace(log_density, 1.0, "positive")
    found = sf.variational(log_density, 1.0, "positive")
    assert laplace.reliable
    assert found.reliable
    assert abs(laplace.corrected_log_evidence - exact) < 1e-7
    assert abs(laplace.ratios.log_evidence - exact) < 6.0 * laplace.ratios.standard_error + 1e-6
    assert found.elbo <= exact + 6.0 * found.elbo_error
    assert abs(found.corrected_log_evidence - exact) < 6.0 * found.ratios.standard_error + 1e-6


def test_second_order_corrections_converge_as_they_should():
    """Of Gamma(n) normalisers: Laplace errs like 1/(12 n), corrected like 1/(360 n³) as Stirling's series; of E[g], 1/n²."""
    errors, means = [], []
    for n in (10.0, 20.0):
        found = sf.laplace(lambda r, n=n: (n - 1.0) * jnp.log(r) - r, 1.0, "positive")
        assert found.log_evidence - math.lgamma(n) == pytest.approx(-1.0 / (12.0 * n), rel=0.01)
        errors.append(abs(found.corrected_log_evidence - math.lgamma(n)))
        means.append(abs(float(found.expectation(jnp.log)) - _digamma(n)))
    assert errors[0] / errors[1] == pytest.approx(8.0, rel=0.05)
    assert means[0] / means[1] == pytest.approx(4.0, rel=0.1)


def _digamma(n):
    return -np.euler_gamma + sum(1.0 / k for k in range(1, int(n)))


@pytest.mark.parametrize("form", ["mean_field", "full_rank"])
def test_natural_steps_are_few(form):
    """On normal targets the second step has nothing left to do; elsewhere they end where BFGS does, but for the draws."""
    p = normal_target(4)
    found = sf.variational(lambda x: p.log_prob(x), np.zeros(4), form=form, steps="natural")
    assert found.converged
    assert found.iterations <= (2 if form == "full_rank" else 60)
    np.testing.assert_allclose(found.normal.loc, p.loc, atol=1e-6)
    precision = np.linalg.inv(p.covariance())
    exact = np.diag(1.0 / np.diagonal(precision)) if form == "mean_field" else np.asarray(p.covariance())
    np.testing.assert_allclose(found.normal.covariance(), exact, atol=1e-6)


def test_natural_steps_on_a_skewed_target():
    """Of log Gamma(5, 1): E_q[5 v − e^v] is maximal at mean log 5 − s²/2 and s² = 1/5, by hand."""
    found = sf.variational(lambda v: 5.0 * v - jnp.exp(v), 0.0, steps="natural", samples=4000)
    assert found.converged
    assert float(found.normal.loc[0]) == pytest.approx(np.log(5.0) - 0.1, abs=0.01)
    assert float(found.normal.stddev()[0]) == pytest.approx(5.0**-0.5, abs=0.01)
    with pytest.raises(ValueError, match='steps must be "bfgs"'):
        sf.variational(lambda v: -(v**2), 0.0, form="low_rank", steps="natural")


def test_the_low_rank_law_is_the_nearest_of_its_form():
    """KL in closed form of a target of another form: between mean field and full rank, and larger at any law nearby."""
    d, rank = 5, 1
    p = normal_target(d, seed=3)
    lost = {
        form: float(sf.kl(sf.variational(lambda x: p.log_prob(x), np.zeros(d), form=form, rank=rank).normal, p))
        for form in ("mean_field", "full_rank")
    }
    law = sf.variational(lambda x: p.log_prob(x), np.zeros(d), form="low_rank", rank=rank, samples=400).normal
    best = float(sf.kl(law, p))
    assert lost["full_rank"] < 1e-8 < best < lost["mean_field"] - 1e-3
    # covariance = diagonal + b bᵀ: found back from its off-diagonal, and moved a little
    c, rng = np.asarray(law.covariance()), np.random.default_rng(0)
    i, j, k = 0, 1, 2
    b = c[i] / np.sqrt(c[i, j] * c[i, k] / c[j, k])
    b[i] = np.sqrt(c[i, j] * c[i, k] / c[j, k])
    diagonal = np.diagonal(c) - b**2
    np.testing.assert_allclose(np.diag(diagonal) + np.outer(b, b), c, atol=1e-8)
    for _ in range(20):
        step = b + 0.02 * rng.normal(size=d), diagonal * np.exp(0.02 * rng.normal(size=d))
        moved = sf.MultivariateNormal(law.loc, np.diag(step[1]) + np.outer(step[0], step[0]))
        assert float(sf.kl(moved, p)) > best


def test_pathfinder_on_normal_targets():
    """Evidence within 6 standard errors of its own (false alarm 2e-9), the ELBO below it, draws of the target."""
    p = normal_target(4)
    found = sf.pathfinder(lambda x: p.log_prob(x) + 3.0, np.zeros(4), paths=2)
    assert found.reliable
    assert abs(found.corrected_log_evidence - 3.0) < 6.0 * found.ratios.standard_error + 1e-9
    assert found.elbo < 3.0 + 0.1
    x = np.asarray(found.sample(4000, rng=1))
    assert x.shape == (4000, 4)
    # of 2,000 weighted draws of two laws, so of an effective size of some hundreds
    gap = (x.mean(0) - np.asarray(p.loc)) / np.sqrt(np.diagonal(p.covariance()))
    assert np.abs(gap).max() < 6.0 / np.sqrt(300.0)


def test_pathfinder_may_begin_at_the_mode():
    found = sf.pathfinder(lambda x: -0.5 * (x @ x), np.zeros(2), paths=1)
    assert found.reliable
    assert found.corrected_log_evidence == pytest.approx(np.log(2.0 * np.pi), abs=1e-9)
    np.testing.assert_allclose(found.normal.covariance(), np.eye(2), atol=1e-9)


def test_pathfinder_flags_eight_schools_and_says_so():
    found = sf.pathfinder(eight_schools, BEGIN, {"tau": "positive"}, paths=2)
    assert not found.reliable
    assert "draw from it" in repr(found)
    assert found.sample((3,), rng=0)["theta"].shape == (3, 8)
    with pytest.raises(ValueError, match="paths must be at least 1, got 0"):
        sf.pathfinder(funnel, np.zeros(3), paths=0)


def test_draws_have_the_form_of_the_point():
    found = sf.variational(eight_schools, BEGIN, {"tau": "positive"}, form="mean_field", samples=40)
    draws = found.sample((7,), rng=1)
    assert {name: value.shape for name, value in draws.items()} == {"mu": (7,), "tau": (7,), "theta": (7, 8)}
    assert bool((draws["tau"] > 0).all())
    assert set(found.marginals) == {"mu", "tau", *(f"theta[{i}]" for i in range(8))}


@pytest.mark.parametrize("method", [sf.laplace, sf.variational])
def test_errors_name_the_argument(method):
    with pytest.raises(TypeError, match="log_density must be a function"):
        method(3.0, 0.0)
    with pytest.raises(ValueError, match=r"start: x must be > 0, got -1"):
        method(lambda x: -x, -1.0, "positive")
    with pytest.raises(ValueError, match="finite at the start"):
        method(lambda x: jnp.log(x), -1.0)
    with pytest.raises(ValueError, match="one number"):
        method(lambda x: -x, np.zeros(2))
    with pytest.raises(ValueError, match="tau is not in the point"):
        method(lambda p: -(p["mu"] ** 2), {"mu": 0.0}, {"tau": "positive"})
    with pytest.raises(ValueError, match="a domain must be among"):
        method(lambda x: -(x**2), 1.0, "whole")


def test_arrays_in_domains_of_their_own():
    """A Dirichlet law on the simplex, a Wishart law of matrices: modes of the coordinates and evidences in closed form."""
    a = np.array([20.0, 50.0, 30.0])
    found = sf.laplace(lambda p: ((a - 1.0) * jnp.log(p)).sum(), np.full(3, 1.0 / 3.0), "simplex")
    np.testing.assert_allclose(found.mode, a / a.sum(), rtol=1e-10)  # the Jacobian adds one to each exponent
    exact = scipy.special.gammaln(a).sum() - scipy.special.gammaln(a.sum())
    assert abs(found.log_evidence - exact) < 0.02
    assert abs(found.corrected_log_evidence - exact) < 1e-4  # of order 1/n²
    draws = found.sample((50,), rng=0)
    np.testing.assert_allclose(draws.sum(-1), 1.0, rtol=1e-12)
    df = 60.0
    scale = np.array([[2.0, 0.6], [0.6, 1.0]]) / df

    def wishart(s):
        return 0.5 * (df - 3.0) * jnp.linalg.slogdet(s)[1] - 0.5 * jnp.trace(jnp.linalg.solve(scale, s))

    found = sf.laplace(wishart, np.eye(2), "positive_definite")
    exact = 0.5 * df * (2.0 * np.log(2.0) + np.linalg.slogdet(scale)[1]) + scipy.special.multigammaln(0.5 * df, 2)
    assert abs(found.corrected_log_evidence - exact) < 1e-3
    assert found.sample((7,), rng=0).shape == (7, 2, 2)
    with pytest.raises(ValueError, match="a grid is for parameters that are numbers by themselves, got x"):
        sf.grid_posterior(lambda p: jnp.log(p).sum(), start=np.full(3, 1.0 / 3.0), domains="simplex")


def test_too_many_parameters_are_refused():
    with pytest.raises(ValueError, match="5150 parameters for 100 numbers"):
        sf.variational(lambda x: -(x @ x), np.zeros(100))
    assert sf.variational(lambda x: -0.5 * (x @ x), np.ones(100), form="mean_field").converged
