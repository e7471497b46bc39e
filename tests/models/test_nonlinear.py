"""NIST's nonlinear sets from both starting points: at least 9 digits of every weight and standard error."""

import json
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from nist import HOME, digits

import suffice as sf
from suffice.runtime.errors import DataError

REFERENCE = json.loads((HOME / "nonlinear_reference.json").read_text())


def _gauss(x, b):
    bumps = b[2] * jnp.exp(-(((x - b[3]) / b[4]) ** 2)) + b[5] * jnp.exp(-(((x - b[6]) / b[7]) ** 2))
    return b[0] * jnp.exp(-b[1] * x) + bumps


def _lanczos(x, b):
    return b[0] * jnp.exp(-b[1] * x) + b[2] * jnp.exp(-b[3] * x) + b[4] * jnp.exp(-b[5] * x)


def _chwirut(x, b):
    return jnp.exp(-b[0] * x) / (b[1] + b[2] * x)


MODELS = {
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": _lanczos,
    "Lanczos3": _lanczos,
    "MGH17": lambda x, b: b[0] + b[1] * jnp.exp(-x * b[3]) + b[2] * jnp.exp(-x * b[4]),
    "Misra1a": lambda x, b: b[0] * -jnp.expm1(-b[1] * x),
    "Misra1b": lambda x, b: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda x, b: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda x, b: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda x, b: b[0] - b[1] * x[:, 0] * jnp.exp(-b[2] * x[:, 1]),
    "Rat42": lambda x, b: b[0] / (1 + jnp.exp(b[1] - b[2] * x)),
}


def data(name):
    text = (Path(HOME) / "nonlinear" / f"{name}.dat").read_text()
    first, last = map(int, re.search(r"Data\s*\(lines\s+(\d+) to\s+(\d+)\)", text).groups())
    rows = np.array([[float(v) for v in line.split()] for line in text.splitlines()[first - 1 : last]])
    t = np.log(rows[:, 0]) if name == "Nelson" else rows[:, 0]
    return rows[:, 1] if rows.shape[1] == 2 else rows[:, 1:], t


def test_all_sets_are_here():
    assert set(MODELS) == set(REFERENCE)


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("name", MODELS)
def test_nist(name, start):
    """Of Lanczos1 the residuals are rounding, of which no standard error can be told; its truth is of 1e-13."""
    truth = REFERENCE[name]["mp60"]
    fit = sf.nonlinear_least_squares(MODELS[name], *data(name), [float(v) for v in REFERENCE[name][start]])
    assert fit.converged
    assert digits(fit.weights, truth["est"]) >= 9.0
    if name != "Lanczos1":
        assert digits(fit.standard_errors, truth["sd"]) >= 9.0
        assert digits(np.array([fit.residual_sum_of_squares]), [truth["rss"]]) >= 9.0


def test_linear_functions_are_least_squares():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20)
    t = 1.0 + 2.0 * x + rng.normal(size=20)
    fit = sf.nonlinear_least_squares(lambda x, w: w[0] + w[1] * x, x, t, [0.0, 0.0])
    want = sf.LinearBasisModel().fit(x, t)
    assert np.allclose(fit.weights, want.weights, rtol=1e-13)
    assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-13)
    assert np.allclose(fit.predictive(x).scale, want.predictive(x).scale, rtol=1e-12)


def test_bad_use():
    f = lambda x, w: w[0] * x**0.5  # noqa: E731
    with pytest.raises(DataError, match="finite at the start"):
        sf.nonlinear_least_squares(f, [-1.0, 1.0], [1.0, 1.0], [1.0])
    with pytest.raises(DataError, match="do not determine"):
        sf.nonlinear_least_squares(lambda x, w: (w[0] + w[1]) * x, [1.0, 2.0, 3.0], [1.0, 2.0, 4.0], [1.0, 1.0])
    with pytest.raises(DataError, match="at least as many rows as weights, 2, got 1"):
        sf.nonlinear_least_squares(lambda x, w: w[0] + w[1] * x, [1.0], [1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="start must be finite"):
        sf.nonlinear_least_squares(f, [1.0], [1.0], [np.nan])
    with pytest.raises(ValueError, match="function must give an array of shape"):
        sf.nonlinear_least_squares(lambda x, w: w[0] * x.sum(), [1.0, 2.0], [1.0, 1.0], [1.0])
    stuck = sf.nonlinear_least_squares(
        lambda x, w: w[0] * jnp.exp(w[1] * x), [0.0, 1.0, 2.0], [1.0, 2.0, 4.0], [1.0, 0.1], steps=1
    )
    assert (stuck.converged, stuck.message) == (False, "stopped after 1 steps")


def test_intervals_of_a_linear_function_are_those_of_least_squares():
    x = np.linspace(0.0, 1.0, 12)
    t = 1.0 + 2.0 * x + 0.1 * np.sin(40.0 * x)
    fit = sf.nonlinear_least_squares(lambda x, w: w[0] + w[1] * x, x, t, [0.0, 0.0])
    want = sf.LinearBasisModel().fit(x, t)
    for got, exact in zip(fit.interval(0.9), want.interval(0.9), strict=True):
        assert got == pytest.approx(exact, rel=1e-9)


def test_functions_of_numpy_are_refused_and_those_of_jax_compiled_once():
    x = np.linspace(0.0, 1.0, 12)
    with pytest.raises(TypeError, match="function must be made of"):
        sf.nonlinear_least_squares(lambda x, w: w[0] * np.exp(-w[1] * x), x, x, [1.0, 1.0])
    traced = []

    def decay(x, w):
        traced.append(x)
        return w[0] * jnp.exp(-w[1] * x)

    for rate in (0.5, 1.0, 2.0):
        fit = sf.nonlinear_least_squares(decay, x, 2.0 * np.exp(-rate * x) + 0.01 * np.cos(9.0 * x), [1.0, 1.0])
        assert fit.converged
        if rate == 0.5:
            first = len(traced)
    assert len(traced) == first
