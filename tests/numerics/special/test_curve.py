"""Tables made on the spot give what the functions themselves give, and know where they can't."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.numerics.special.chunks import CHUNK
from suffice.numerics.special.curve import MANY

LAWS = [
    sf.Gamma(0.05), sf.Gamma(0.3), sf.Gamma(2.5), sf.Gamma(1e6, 3.0),
    sf.Beta(0.5, 0.5), sf.Beta(50.0, 0.7), sf.Beta(0.02, 3.0), sf.Beta(1e3, 2e3),
    sf.StudentT(0.3), sf.StudentT(4.0), sf.StudentT(1e5, 2.0, scale=3.0), sf.StudentT(1e40),
]  # fmt: skip
QUANTILES = ("icdf", "isf")
TAILS = ("cdf", "sf", "log_cdf", "log_sf")


def in_few(function, x):
    """The function of so few points at a time that no table is made."""
    return np.concatenate([function(piece) for piece in x.reshape(-1, CHUNK)])


def condition(law, method, x, y):
    """How a relative error of the argument grows, in the value."""
    log_density = np.asarray(law.log_prob(jnp.where(method in QUANTILES, y, x)))
    value = np.asarray(y if method in TAILS else x)
    with np.errstate(all="ignore"):
        if method in QUANTILES:
            return np.abs(np.minimum(x, 1 - x) / y / np.exp(log_density))
        if method.startswith("log"):
            tail = np.exp(value)
            return np.abs(x * np.exp(log_density) / tail / value)
        return np.abs(x * np.exp(log_density) / value)


@pytest.mark.parametrize("law", LAWS, ids=repr)
@pytest.mark.parametrize("method", TAILS + QUANTILES)
def test_many_points_are_as_exact_as_few(law, method):
    random = np.random.default_rng(1)
    levels = random.uniform(size=MANY)
    levels[:2000] = 10.0 ** random.uniform(-290, 0, 2000)
    points = levels if method in QUANTILES else np.asarray(in_few(law.icdf, levels))
    function = getattr(law, method)
    many, few = np.asarray(function(points)), in_few(function, points)
    assert np.array_equal(np.isfinite(many), np.isfinite(few))
    known = np.isfinite(few) & (few != 0)
    error = np.abs(many[known] / few[known] - 1)
    bound = np.fmax(1e-13, 8 * np.finfo(float).eps * condition(law, method, points, few)[known])
    assert (error <= bound).all(), (error / bound).max()


def test_ends_of_the_domain_and_wrong_points():
    x = np.full(MANY, 0.3)
    x[:4] = 0.0, 1.0, -1.0, np.nan
    few = sf.Beta(2.0, 3.0).cdf(x[:5])
    assert np.array_equal(sf.Beta(2.0, 3.0).cdf(x)[:4], few[:4], equal_nan=True)
    few = sf.StudentT(4.0).icdf(x[:5])
    assert np.array_equal(sf.StudentT(4.0).icdf(x)[:4], few[:4], equal_nan=True)


def test_derivatives_are_those_of_the_function():
    x = np.random.default_rng(2).gamma(2.5, size=MANY)

    def total(a, x):
        return jnp.sum(sf.Gamma(a).log_cdf(x)) + jnp.sum(sf.Beta(a, 0.5).cdf(x / 50)) + jnp.sum(sf.StudentT(a).sf(x))

    many = jax.grad(total)(2.5, x)
    few = sum(jax.grad(total)(2.5, piece) for piece in x.reshape(-1, CHUNK))
    np.testing.assert_allclose(many, few, rtol=1e-12)
    slope = jax.vmap(jax.grad(lambda x: sf.Beta(2.0, 3.0).icdf(x)))(x / 50)
    wide = jax.jvp(sf.Beta(2.0, 3.0).icdf, (x / 50,), (np.ones_like(x),))[1]
    np.testing.assert_allclose(wide, slope, rtol=1e-10)


def test_a_batch_of_parameters_over_many_points():
    x = np.random.default_rng(3).gamma(2.5, size=MANY)
    shapes = jnp.array([0.7, 2.5])
    batch = jax.vmap(lambda a: sf.Gamma(a).sf(x))(shapes)
    for a, row in zip(shapes, batch, strict=True):
        np.testing.assert_allclose(row, in_few(sf.Gamma(a).sf, x), rtol=1e-13)


def test_single_precision():
    x = np.random.default_rng(4).uniform(size=MANY).astype(np.float32)
    for law in (sf.Gamma(2.5), sf.Beta(2.0, 3.0), sf.StudentT(4.0)):
        for method in (*TAILS, *QUANTILES):
            many, few = getattr(law, method)(x), in_few(getattr(law, method), x)
            assert many.dtype == np.float32
            np.testing.assert_allclose(many, few, rtol=2e-5)
