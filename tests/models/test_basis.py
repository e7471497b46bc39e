"""Bases: what they are, how they compose, what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.interpolate

import suffice as sf
from suffice.models.bases.inputs import Inputs
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)
X = np.linspace(-1.0, 3.0, 41)

BASES = [
    sf.Linear(), sf.Polynomial(4), sf.Chebyshev(4), sf.Legendre(4), sf.Gaussian(5), sf.Sigmoid([0.0, 1.0], scale=0.3),
    sf.Fourier(2, period=4.0), sf.BSpline(3), sf.BSpline([0.5, 1.5], degree=2), sf.NaturalSpline(3), sf.Piecewise([0.0, 1.0]),
    sf.Piecewise([0.0, 1.0], degree=1), sf.OneHot(), sf.Function(jnp.tanh), sf.Linear() + sf.Fourier(1, period=2.0),
    sf.Polynomial(2) * sf.Fourier(1, period=4.0),
]  # fmt: skip


def columns(basis, x):
    inputs = Inputs.of(x)
    return np.asarray(basis.settled(inputs).columns(inputs).hi)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: type(b).__name__)
def test_contract(basis):
    """One name for each column; no constant in the span with equal weights; the same values compiled."""
    inputs = Inputs.of(X)
    settled = basis.settled(inputs)
    found = np.asarray(settled.columns(inputs).hi)
    assert found.shape == (41, len(settled.terms(inputs)))
    assert len({t.key for t in settled.terms(inputs)}) == found.shape[1]
    assert np.isfinite(found).all()
    assert settled.settled(Inputs.of(X[:3])) == settled  # what it has it keeps
    assert hash(settled) == hash(basis.settled(inputs))
    traced = jax.jit(lambda x: settled.columns(Inputs.of(x)).hi)(jnp.asarray(X))
    assert np.allclose(traced, found, rtol=1e-13, atol=1e-13)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(41), found])) == found.shape[1] + 1
    whole = settled.computed(inputs)
    if (conversion := settled.conversion()) is not None:
        span = np.column_stack([np.ones(41), np.asarray(whole.hi)])
        shown = np.column_stack([np.ones(41), found]) @ np.array(conversion, dtype=float)
        assert np.allclose(span, shown, atol=1e-12)


def test_polynomials_against_numpy():
    u = (X - 1.0) / 2.0
    assert np.allclose(columns(sf.Chebyshev(6), X), np.polynomial.chebyshev.chebvander(u, 6)[:, 1:], atol=1e-14)
    assert np.allclose(columns(sf.Legendre(6), X), np.polynomial.legendre.legvander(u, 6)[:, 1:], atol=1e-14)
    assert np.allclose(columns(sf.Polynomial(6), X), np.vander(X, 7, increasing=True)[:, 1:], rtol=1e-15)


def test_bumps_and_waves():
    assert np.allclose(columns(sf.Gaussian([0.5], scale=0.2), X)[:, 0], np.exp(-((X - 0.5) ** 2) / 0.08), rtol=1e-13)
    assert np.allclose(columns(sf.Sigmoid([0.5], scale=0.2), X)[:, 0], 1 / (1 + np.exp(-(X - 0.5) / 0.2)), rtol=1e-12)
    waves = columns(sf.Fourier(2, period=3.0), X)
    assert np.allclose(
        waves, np.stack([f(2 * np.pi * k * X / 3.0) for k in (1, 2) for f in (np.sin, np.cos)], 1), atol=1e-14
    )


def test_splines():
    """B-splines against SciPy's; natural splines span all cubic splines that are straight outside."""
    knots = np.array([0.5, 1.0, 2.0])
    t = np.concatenate([[-1.0] * 4, knots, [3.0] * 4])
    want = scipy.interpolate.BSpline.design_matrix(X, t, 3).toarray()
    assert np.allclose(columns(sf.BSpline(knots), X), want[:, 1:], atol=1e-14)
    basis = sf.NaturalSpline(knots).settled(Inputs.of(X))
    assert columns(basis, X).shape[1] == 4
    y = RNG.normal(size=5)
    places = np.array([-1.0, *knots, 3.0])
    spline = scipy.interpolate.CubicSpline(places, y, bc_type="natural")
    w = np.linalg.solve(np.column_stack([np.ones(5), columns(basis, places)]), y)
    assert np.allclose(np.column_stack([np.ones(41), columns(basis, X)]) @ w, spline(X), atol=1e-12)
    far = columns(basis, np.array([4.0, 5.0, 6.0]))
    assert np.allclose(far[0] - 2 * far[1] + far[2], 0.0, atol=1e-12)


def test_tables_names_and_text():
    frame = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "town": ["b", "a", "b", "c"]})
    fit = sf.LinearBasisModel(sf.Linear("age") + sf.OneHot("town", categories=("a", "b", "c"))).fit(
        frame, [1.0, 2.0, 4.0, 3.0]
    )
    assert fit.names == ("intercept", "age", "town = b", "town = c")
    again = fit.predict(frame[["town", "age"]])
    assert np.allclose(again, fit.predict(frame))
    with pytest.raises(DataError, match="'town' holds text"):
        sf.LinearBasisModel().fit(frame, [1.0, 2.0, 4.0, 3.0])
    with pytest.raises(ValueError, match="'town' must be one of a, b, c, got d at row 1 "):
        fit.predict({"age": [1.0], "town": ["d"]})
    with pytest.raises(ValueError, match="inputs must be among age, town"):
        sf.LinearBasisModel(sf.Linear("aeg")).fit(frame, [1.0, 2.0, 4.0, 3.0])


def test_composition():
    x = RNG.normal(size=(30, 2))
    both = sf.Linear() * sf.Linear()
    assert both.names(Inputs.of(x)) == ("x1·x1", "x1·x2", "x2·x2")
    assert np.allclose(columns(both, x), np.stack([x[:, 0] ** 2, x[:, 0] * x[:, 1], x[:, 1] ** 2], 1), rtol=1e-15)
    assert np.allclose(columns(sf.Interaction(0, 1), x)[:, 0], x[:, 0] * x[:, 1], rtol=1e-15)
    assert np.allclose(columns(np.sin + sf.Linear(0), x), np.column_stack([np.sin(x), x[:, 0]]), rtol=1e-15)
    with pytest.warns(UserWarning, match="occur twice were dropped: x1, x2"):
        fit = sf.LinearBasisModel(sf.Polynomial(2) + sf.Linear()).fit(x, x[:, 0] ** 2)
    assert fit.names == ("intercept", "x1", "x1^2", "x2", "x2^2")
    assert np.allclose(fit.weights, [0, 0, 1, 0, 0], atol=1e-14)
    with pytest.warns(UserWarning, match="dropped: x1"):
        fit = sf.LinearBasisModel(sf.Linear(0) + sf.Polynomial(3, inputs=0)).fit(x, x[:, 0] ** 3)
    assert np.allclose(fit.weights, [0, 0, 0, 1], atol=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sf.Polynomial(0), "Polynomial.degree must be an integer >= 1, got 0"),
        (lambda: sf.Gaussian(3, scale=-1.0), "Gaussian.scale must be > 0, got -1.0"),
        (lambda: sf.Gaussian(0), "Gaussian.centres must be >= 1"),
        (lambda: sf.Fourier(1, period=0.0), "Fourier.period must be > 0"),
        (lambda: sf.Piecewise([0.0], degree=2), "Piecewise.degree must be 0 or 1"),
        (lambda: sf.Interaction(0), "at least 2 inputs"),
        (lambda: sf.BSpline(3)(np.ones(4)), "has one value only, 1"),
        (lambda: sf.Chebyshev(2, domain=(1.0, 1.0))(X), "lower < upper"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_function_must_keep_rows():
    with pytest.raises(ValueError, match="shape \\(n,\\) or \\(n, m\\)"):
        sf.Function(np.sum)(X)
    with pytest.raises(TypeError, match="a basis must be"):
        sf.Linear() + 3
