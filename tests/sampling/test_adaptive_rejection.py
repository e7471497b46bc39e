"""Draws under adapted envelopes follow the density; densities that are not log-concave are named with the place.

Bands by Dvoretzky, Kiefer, Wolfowitz and Massart: P(sup |F_n − F| > e) <= 2 exp(−2 n e²), 1e-9 here.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

COUNT = 200_000


def gap(draws, cdf):
    x = np.sort(np.asarray(draws).ravel())
    f, steps = np.asarray(cdf(x)), np.arange(len(x) + 1) / len(x)
    return max(np.max(steps[1:] - f), np.max(f - steps[:-1]))


def follows(draws, cdf):
    return gap(draws, cdf) <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * np.size(draws)))


def quartic(x):
    return -(x**4) / 4 - x**2 / 2 + x


def wells(x):
    return -(x**4)


def between(x):
    return 2.0 * x**2


def cdf_of(log_density, lower, upper):
    grid = np.linspace(lower, upper, 400_001)
    density = np.exp(np.asarray(log_density(jnp.asarray(grid))))
    sums = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return lambda x: np.interp(x, grid, sums / sums[-1])


def half_normal(x):
    return -0.5 * x**2


def narrow(x):
    return -0.5 * ((x - 1e4) / 1e-3) ** 2


def gamma(x):
    return 1.5 * jnp.log(x) - x


def flat(x):
    return 0.0 * x


CASES = {
    "gamma": (gamma, 0.0, np.inf, None, scipy.stats.gamma(2.5).cdf),
    "quartic": (quartic, -np.inf, np.inf, None, cdf_of(quartic, -6.0, 6.0)),
    "kink": (lambda x: -jnp.abs(x - 0.3), -np.inf, np.inf, None, scipy.stats.laplace(0.3).cdf),
    "half": (half_normal, 1.0, np.inf, None, scipy.stats.truncnorm(1.0, np.inf).cdf),
    "flat": (flat, 2.0, 3.0, None, scipy.stats.uniform(2.0).cdf),
    "narrow and far": (narrow, -np.inf, np.inf, None, scipy.stats.norm(1e4, 1e-3).cdf),
    "two wells": (wells, -3.0, 3.0, between, cdf_of(lambda x: wells(x) + between(x), -3.0, 3.0)),
}


@pytest.mark.parametrize("method", ["tangent", "chord"])
@pytest.mark.parametrize("name", CASES)
def test_draws_follow_the_density(name, method):
    """Many draws, by strips, and few, under the envelope itself; the squeeze is 99 % of the envelope."""
    log_density, lower, upper, convex, cdf = CASES[name]
    sampler = sf.adaptive_rejection(log_density, lower, upper, convex=convex, method=method)
    assert float(sampler.acceptance) > 0.99
    assert follows(sampler.sample(COUNT, rng=1), cdf)
    assert follows(sampler.sample(4000, rng=2), cdf)


def test_the_band_has_power():
    """It finds draws from under the envelope without the test of rejection."""
    sampler = sf.adaptive_rejection(quartic)
    coarse = sampler.step(3)
    draws, _ = coarse.propose(jax.random.key(0), (COUNT,))
    assert not follows(draws, CASES["quartic"][-1])


def test_bounds_hold_at_every_step():
    """log lower <= log p <= log upper for any number of knots, and the areas close in on the normaliser."""
    x = np.linspace(0.001, 30.0, 5001)
    log_p = 1.5 * np.log(x) - x
    sampler = sf.adaptive_rejection(gamma, 0.0)
    areas = []
    for count in range(3, int(np.isfinite(sampler.order).sum()) + 1, 5):
        bounds = sampler.step(count)
        assert np.all(bounds.log_upper(x) >= log_p - 1e-12)
        assert np.all(bounds.log_lower(x) <= log_p + 1e-12)
        areas.append((float(bounds.log_lower_area), float(bounds.log_upper_area)))
    lower, upper = np.array(areas).T
    assert np.all(np.diff(lower) > 0)
    assert np.all(np.diff(upper) < 0)
    assert lower[-1] <= scipy.special.gammaln(2.5) <= upper[-1]
    with pytest.raises(ValueError, match="count must be from 2 to"):
        sampler.step(1)


def test_thousands_of_densities_at_once():
    """Under vmap and jit each density has its own envelope; a bad one gives NaN and leaves the others alone."""
    shapes = np.exp(np.random.default_rng(0).uniform(0.05, 6.0, 4000))
    shapes[17] = 0.5  # not log-concave

    @jax.jit
    @jax.vmap
    def draws(key, a):
        sampler = sf.adaptive_rejection(lambda x: (a - 1.0) * jnp.log(x) - x, 0.0, start=a, efficiency=0.8, knots=16)
        return sampler.sample(5, rng=key)

    x = np.asarray(draws(jax.random.split(jax.random.key(3), 4000), shapes))
    assert np.all(np.isnan(x[17]))
    good = np.arange(4000) != 17
    assert follows(scipy.stats.gamma(shapes[good, None]).cdf(x[good]), scipy.stats.uniform.cdf)


@pytest.mark.parametrize(
    ("log_density", "where"),
    [
        (lambda x: -jnp.log1p(x**2), r"near (-?\d)"),
        (lambda x: jnp.logaddexp(-2 * (x - 2) ** 2, -2 * (x + 2) ** 2), "near"),
    ],
)
@pytest.mark.parametrize("method", ["tangent", "chord"])
def test_a_density_that_is_not_log_concave_is_named(log_density, where, method):
    """Cauchy, and two normals: with the place, which lies where the second derivative is positive or next to it."""
    with pytest.raises(ValueError, match="log_density is not concave " + where):
        sf.adaptive_rejection(log_density, method=method)


def test_a_dent_that_the_knots_do_not_see():
    """A narrow dip between knots is found by the look at the bounds, not only by the slopes of the knots."""
    with pytest.raises(ValueError, match=r"not concave near 0\.3"):
        sf.adaptive_rejection(lambda x: -0.5 * x**2 - 3.0 * jnp.exp(-(((x - 0.3) / 2e-3) ** 2)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"log_density": lambda x: x}, "does not fall towards both ends"),
        ({"log_density": lambda x: x * jnp.nan}, "must be finite at start, got nan at 0"),
        ({"log_density": flat, "lower": 1.0, "upper": 0.0}, "lower must be below upper, got 1 and 0"),
        ({"log_density": flat, "lower": 0.0, "upper": 1.0, "start": 2.0}, "start must lie between .* got 2"),
        ({"log_density": flat, "method": "newton"}, "method must be one of tangent, chord, got 'newton'"),
        ({"log_density": flat, "efficiency": 1.0}, r"efficiency must be in \(0, 1\), got 1"),
        ({"log_density": flat, "knots": 3}, "knots must be at least 5, got 3"),
        ({"log_density": wells, "convex": between}, "a convex part needs finite ends"),
        ({"log_density": jnp.log, "convex": between, "lower": 0.0, "upper": 1.0}, "finite at both ends"),
        ({"log_density": wells, "convex": wells, "lower": -1.0, "upper": 1.0}, "concave, or convex not convex, near"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.adaptive_rejection(**arguments)


def test_shapes_and_keys():
    """Scalars, empty arrays, generators; one key gives the same draws."""
    sampler = sf.adaptive_rejection(quartic)
    assert sampler.sample(rng=0).shape == ()
    assert sampler.sample((0, 3), rng=0).shape == (0, 3)
    assert sampler.sample((2, 3), rng=np.random.default_rng(0)).shape == (2, 3)
    np.testing.assert_array_equal(sampler.sample(5000, rng=jax.random.key(7)), sampler.sample(5000, rng=7))


def test_single_precision():
    """float32 ends give float32 draws."""
    sampler = sf.adaptive_rejection(gamma, jnp.float32(0.0), jnp.float32(jnp.inf), start=jnp.float32(1.0))
    draws = sampler.sample(COUNT, rng=4)
    assert draws.dtype == jnp.float32
    assert follows(draws, scipy.stats.gamma(2.5).cdf)
