"""What stands around the fit: how many components, streams read once, a Dirichlet process, regressions, bootstrap."""

import numpy as np
import pytest

import suffice as sf

TWO = np.asarray(sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6]).sample(250, rng=1))


@pytest.mark.parametrize("criterion", ["bic", "icl", "cv"])
def test_selection(criterion):
    found = sf.select_mixture(sf.Normal, (1, 2, 3), TWO, criterion=criterion, starts=4, folds=3)
    assert found.table[0]["components"] == 2
    assert [row["components"] for row in found.table if row["converged"]] != []
    values = [row[criterion] for row in found.table if row["converged"]]
    assert values == sorted(values)
    assert found.best.bic == pytest.approx(found.table[0]["bic"], abs=1e-4)


def test_icl_is_bic_and_twice_the_entropy():
    fit = sf.fit_mixture(sf.Normal, 2, TWO, starts=4)
    r = fit.responsibilities(TWO)
    assert fit.entropy == pytest.approx(-np.sum(r * np.log(np.where(r > 0, r, 1.0))), rel=1e-9)
    assert fit.icl == pytest.approx(fit.bic + 2.0 * fit.entropy, rel=1e-14)
    assert fit.aic == pytest.approx(2.0 * 5 - 2.0 * fit.log_likelihood, rel=1e-14)


def test_selection_refuses():
    with pytest.raises(ValueError, match="criterion must be"):
        sf.select_mixture(sf.Normal, (1, 2), TWO, criterion="best")
    with pytest.raises(ValueError, match="at least one number"):
        sf.select_mixture(sf.Normal, (), TWO)


def test_selection_of_listed_components():
    """Of as many as are listed, with structures where there are any."""
    x = np.abs(TWO) + 0.1
    found = sf.select_mixture([sf.Gamma, sf.Weibull], [2], x, covariance="auto", starts=2)
    assert [row["covariance"] for row in found.table] == ["full"]
    both = sf.select_mixture([sf.Gamma, sf.Normal], [2], x, covariance="auto", starts=2)
    assert {row["covariance"] for row in both.table} == {"full", "tied"}


def test_one_more_component():
    """One against two where there are two: twice the difference is beyond all replicates, so p is 1/(replicates + 1)."""
    found = sf.one_more_component(sf.Normal, 1, TWO, replicates=4, starts=2, prior=0.5)
    assert found.p_value == pytest.approx(0.2)
    assert found.statistic > 50.0


def test_bootstrap_agrees_with_louis():
    """Standard errors within a third of each other: those of 100 replicates have an error of 7 %, and 250 rows their own."""
    fit = sf.fit_mixture(sf.Normal, 2, TWO, starts=4)
    found = fit.bootstrap(100, rng=1)
    assert found.failed == 0
    for name, error in fit.standard_errors.items():
        assert found.standard_errors[name] == pytest.approx(error, rel=0.35)
    low, high = found.intervals(0.9)["components[0].loc"]
    assert low < fit.parameters["components[0].loc"] < high


def test_online():
    """Each block read once: near the truth, and near the fit to all, within 5 standard errors of the latter."""
    truth = sf.Mixture([sf.Normal(-2.0, 1.0), sf.Normal(3.0, 1.0)], [0.3, 0.7])
    blocks = [np.asarray(truth.sample(500, rng=t)) for t in range(16)]
    online = sf.OnlineMixture(sf.fit_mixture(sf.Normal, 2, blocks[0], starts=4), rate=0.9)
    for block in blocks[1:]:
        online.update(block)
    fit = sf.fit_mixture(sf.Normal, 2, np.concatenate(blocks), starts=4)
    assert online.count == fit.count
    for k in (0, 1):
        for name in ("loc", "scale"):
            gap = float(getattr(online.distribution.components[0], name)[k])
            gap -= fit.parameters[f"components[{k}].{name}"]
            assert abs(gap) < 5.0 * fit.standard_errors[f"components[{k}].{name}"]
    counts = sf.Mixture([sf.Poisson(2.0), sf.Poisson(9.0)], [0.3, 0.7])
    online = sf.OnlineMixture(sf.fit_mixture(sf.Poisson, 2, counts.sample(300, rng=0), starts=4))
    online.update(counts.sample(300, rng=1))
    assert float(online.distribution.mean()) == pytest.approx(float(counts.mean()), abs=0.9)
    with pytest.raises(ValueError, match="rate must be"):
        sf.OnlineMixture(fit, rate=0.5)


def test_dirichlet_process_of_one_component_is_exact():
    """With one component the variational posterior is the conjugate one, and the bound the evidence."""
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 1.0, (40, 2))
    found = sf.dirichlet_process_mixture(x, truncation=1, strength=0.5, df=5.0, scale=[[2.0, 0.3], [0.3, 1.0]])
    prior = sf.NormalInverseWishart(x.mean(0), 0.5, 5.0, [[2.0, 0.3], [0.3, 1.0]])
    exact = sf.update(prior, sf.MultivariateNormal, x)
    assert found.trace[-1] == pytest.approx(float(exact.log_evidence), rel=1e-12)
    np.testing.assert_allclose(found.predictive.log_prob(x), exact.predictive.log_prob(x), rtol=1e-10)


def test_dirichlet_process_finds_how_many():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(m, 1.0, (100, 2)) for m in (-6.0, 0.0, 6.0)])
    found = sf.dirichlet_process_mixture(x, truncation=8, starts=3)
    assert found.components == 3
    assert np.all(np.diff(found.trace) >= -1e-10 * np.abs(found.trace[1:]))
    assert found.counts[:3] == pytest.approx([100.0] * 3, abs=1.0)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="df must be > 1"):
        sf.dirichlet_process_mixture(x, df=0.5)


def test_regressions():
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.0, 1.0, 400), rng.random(400) < 0.3
    t = np.where(z, 1.0 + 4.0 * x, 3.0 - 2.0 * x) + rng.normal(0.0, 0.2, 400)
    fit = sf.fit_regression_mixture(2, x, t)
    truth = {"weights[0]": 0.3, "components[0].constant": 1.0, "components[0].x": 4.0, "components[0].scale": 0.2,
             "components[1].constant": 3.0, "components[1].x": -2.0, "components[1].scale": 0.2}  # fmt: skip
    found = dict(
        zip(fit.parameter_names, [*fit.weights, *np.column_stack([fit.coefficients, fit.scales]).ravel()], strict=True)
    )
    for name, value in truth.items():  # false alarm 7 · 6e-5
        assert abs(found[name] - value) < 4.0 * fit.standard_errors[name]
    assert (fit.responsibilities(x, t).argmax(1) == ~z).mean() > 0.9
    assert np.all(np.diff(fit.trace) >= -1e-12 * (np.abs(fit.trace[1:]) + 400.0))


def test_one_regression_is_least_squares():
    rng = np.random.default_rng(1)
    x = rng.normal(1e3, 1.0, (60, 2))
    t = x @ [1.0, -2.0] + rng.normal(0.0, 1.0, 60)
    one, line = sf.fit_regression_mixture(1, x, t), sf.LinearBasisModel().fit(x, t)
    np.testing.assert_allclose(one.coefficients[0], line.weights, rtol=1e-8)
    assert one.log_likelihood == pytest.approx(float(line.log_likelihood), rel=1e-10)
    with pytest.raises(ValueError, match="depend on each other"):
        sf.fit_regression_mixture(1, x[:, [0, 0]], t)
    with pytest.raises(ValueError, match="need at least 12 rows"):
        sf.fit_regression_mixture(3, x[:5], t[:5])


def test_regressions_leave_out_rows_of_frequency_0():
    """Wherever they lie, and however the targets of the others compare with them."""
    rng = np.random.default_rng(2)
    x, z = rng.uniform(0.0, 1.0, 300), rng.random(300) < 0.5
    t = np.where(z, 4.0 * x, 3.0) + rng.normal(0.0, 0.2, 300)
    w = rng.poisson(1.0, 300)
    some, fit = w > 0, sf.fit_regression_mixture(2, x, np.where(w > 0, t, 1e6), w)
    fewer = sf.fit_regression_mixture(2, x[some], t[some], w[some])
    assert fit.count == w.sum()
    np.testing.assert_array_equal(fit.coefficients, fewer.coefficients)
    with pytest.raises(ValueError, match="need at least 6 rows, got 5"):
        sf.fit_regression_mixture(2, x, t, np.arange(300) < 5)
