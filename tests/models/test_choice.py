"""Classes, ordered or not: maxima beside direct evaluation, files however they are cut, separation proved."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import suffice as sf
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(8)
N = 300
X = RNG.normal(size=(N, 2)) + np.array([30.0, 0.0])
LATENT = (X[:, 0] - 30.0) - 0.7 * X[:, 1] + RNG.logistic(size=N)
T = np.digitize(LATENT, [-1.0, 0.3, 1.5])
PHI = np.column_stack([np.ones(N), X])
MODELS = {
    "logit": sf.OrdinalRegression(), "probit": sf.OrdinalRegression(link="probit"),
    "multinomial": sf.MultinomialRegression(),
}  # fmt: skip


def likelihood(name, t, g):
    """From the definitions, in the reported parameters."""

    def multinomial(p):
        eta = jnp.concatenate([jnp.zeros((N, 1)), PHI @ p.reshape(3, 3).T], axis=1)
        return (g * jax.nn.log_softmax(eta, axis=1)[jnp.arange(N), t]).sum()

    def ordinal(p):
        cdf = jax.nn.sigmoid if name == "logit" else jax.scipy.stats.norm.cdf
        below = cdf(p[None, :3] - (X @ p[3:])[:, None])
        edges = jnp.concatenate([jnp.zeros((N, 1)), below, jnp.ones((N, 1))], axis=1)
        return (g * jnp.log(jnp.diff(edges, axis=1)[jnp.arange(N), t])).sum()

    return multinomial if name == "multinomial" else ordinal


@pytest.mark.parametrize("name", MODELS)
def test_maximum(name):
    g = RNG.integers(0, 3, N)
    fit = MODELS[name].fit(X, T, g)
    assert fit.converged, fit.message
    value, p = likelihood(name, T, g), jnp.asarray(fit.parameters)
    score, information = np.asarray(jax.grad(value)(p)), -np.asarray(jax.hessian(value)(p))
    want = np.linalg.inv(information)
    assert np.abs(score * np.sqrt(np.diag(want))).max() < 1e-7
    assert fit.log_likelihood == pytest.approx(float(value(p)), rel=1e-11)
    assert np.allclose(fit.covariance, want, rtol=1e-5, atol=1e-9 * np.abs(want).max())
    found = np.asarray(fit.predict(X))
    assert np.allclose(found.sum(1), 1.0, rtol=1e-12)
    assert float((g * np.log(found[np.arange(N), T])).sum()) == pytest.approx(fit.log_likelihood, rel=1e-10)
    assert np.allclose(fit.predictive(X).prob(jnp.asarray(T)), found[np.arange(N), T], rtol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_files_however_they_are_cut(name, tmp_path):
    pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "t": 10.0 * T}).to_parquet(tmp_path / "data.parquet", row_group_size=90)
    want = MODELS[name].fit(X, T)
    for rows in (17, 10_000):
        fit = MODELS[name].fit(sf.scan_table(tmp_path / "data.parquet", batch_rows=rows), "t")
        assert fit.classes == (0.0, 10.0, 20.0, 30.0)
        scale = np.maximum(np.abs(want.parameters), want.standard_errors)
        assert (np.abs(fit.parameters - want.parameters) <= 1e-12 * scale).all()
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-10)


def test_two_classes_are_logistic_regression():
    t = (T > 1).astype(int)
    want = sf.GeneralizedLinearModel(sf.Bernoulli).fit(X, t)
    several = sf.MultinomialRegression().fit(X, t)
    assert np.allclose(several.parameters, want.weights, rtol=1e-9)
    assert np.allclose(several.standard_errors, want.standard_errors, rtol=1e-9)
    ordered = sf.OrdinalRegression().fit(X, t)
    assert np.allclose(ordered.parameters, [-want.weights[0], *want.weights[1:]], rtol=1e-9)
    assert np.allclose(ordered.standard_errors, want.standard_errors, rtol=1e-8)


def test_tails_of_ordered_classes():
    """The logarithm of a probability far out is not cancelled away."""
    for name in ("logit", "probit"):
        fit = MODELS[name].fit(X, T)
        far = np.array([[30.0 + 25.0, 0.0], [30.0 - 25.0, 0.0]])
        logs = np.asarray(fit.log_probabilities(far))
        assert np.isfinite(logs).all()
        assert logs[0].argmax() == 3
        assert logs[1].argmax() == 0
        assert logs[0, 0] < -15.0


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_separation_is_told(model):
    fit = model.fit([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], ["a", "a", "b", "b", "c", "c"])
    assert not fit.converged
    assert fit.message.startswith("separated: the likelihood has no maximum")


def test_labels():
    words = np.array(["low", "mid", "high", "top"])[T]
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "t": words})
    fit = sf.OrdinalRegression(classes=["low", "mid", "high", "top"]).fit(frame, "t")
    assert fit.names == ("<= low", "<= mid", "<= high", "a", "b")
    assert np.allclose(fit.parameters, MODELS["logit"].fit(X, T).parameters, rtol=1e-12)
    with pytest.raises(DataError, match="targets must be one of low, mid, high, got top"):
        sf.OrdinalRegression(classes=["low", "mid", "high"]).fit(frame, "t")
    with pytest.raises(DataError, match="2 to 1000 classes, got 1"):
        sf.MultinomialRegression().fit([1.0, 2.0], [1, 1])
    with pytest.raises(ValueError, match="every class must occur, but there is no 'none'"):
        sf.OrdinalRegression(classes=["low", "mid", "none", "high", "top"]).fit(frame, "t")
    with pytest.raises(ValueError, match="link must be one of logit, probit, got 'cloglog'"):
        sf.OrdinalRegression(link="cloglog")


def test_order_of_pandas_categories():
    marks = ["lo", "hi", "mid", "hi", "lo", "mid", "hi"]
    column = pd.Categorical(marks, categories=["lo", "mid", "huge", "hi"], ordered=True)
    x = [1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 1.0]
    for arguments in ((x, pd.Series(column)), (pd.DataFrame({"x": x, "mark": column}), "mark")):
        assert sf.OrdinalRegression().fit(*arguments).classes == ("lo", "mid", "hi")
    assert sf.OrdinalRegression().fit(x, marks).classes == ("hi", "lo", "mid")


def test_missing_labels_and_classes_of_no_weight():
    x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0]
    with pytest.raises(DataError, match=r"targets must not be missing, got None at row 2 \(counting from 1\)"):
        sf.MultinomialRegression().fit(x[:4], ["a", None, "a", "b"])
    with pytest.raises(DataError, match=r"targets must be finite, got nan at row 2 \(counting from 1\)"):
        sf.MultinomialRegression().fit(x[:4], [1.0, np.nan, 1.0, 2.0])
    labels, w = ["a", "b", "a", "b", "c", "c", "b"], [1, 1, 1, 1, 0, 0, 1]
    fit = sf.MultinomialRegression().fit(x, labels, w)
    want = sf.MultinomialRegression().fit([*x[:4], x[6]], [*labels[:4], labels[6]])
    assert fit.classes == want.classes == ("a", "b")
    assert np.allclose(fit.parameters, want.parameters, rtol=1e-9)
    assert fit.data.targets == ()
