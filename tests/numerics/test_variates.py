"""Variates: their laws over extremes of the parameters, and what JAX users expect of them.

Laws are tested at 10⁶ draws. Continuous: the largest distance of the empirical from the true distribution function
against the band of Dvoretzky, Kiefer, Wolfowitz and Massart; discrete: chi-square. False-alarm rate of each test 1e-9.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from suffice.numerics import variates
from suffice.numerics.variates.alias import alias_table
from suffice.numerics.variates.bell import NORMAL_BOUND, bell, hat
from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.counts import _scale_and_bound
from suffice.numerics.variates.elementary import unit

ALARM = 1e-9
N = 1_000_000
KEY = jax.random.key(20261122)


def band(draws, cdf):
    """Distance of the empirical distribution function from the true one, over its critical value.

    The true one is evaluated at 10⁴ order statistics: between them it cannot differ by more than another 1e-4, a
    thirtieth of the critical distance.
    """
    x = np.sort(np.asarray(draws, float).ravel())
    assert not np.isnan(x).any()
    n = x.size
    rank = np.arange(0, n, max(n // 10_000, 1))
    p = cdf(x[rank])
    distance = max(((rank + 1) / n - p).max(), (p - rank / n).max())
    return distance / math.sqrt(math.log(2 / ALARM) / (2 * n))


def chi_square(draws, pmf, low, high):
    """p-value of the counts of low … high; cells of fewer than 20 expected draws, and all others, are one cell."""
    x = np.asarray(draws).ravel()
    expected = pmf(np.arange(low, high + 1)) * x.size
    inside = (x >= low) & (x <= high)
    observed = np.bincount(x[inside] - low, minlength=expected.size)
    large = expected >= 20
    observed = np.append(observed[large], x.size - observed[large].sum())
    expected = np.append(expected[large], x.size - expected[large].sum())
    if expected[-1] < 20:  # a rest too small for the approximation joins the smallest cell
        smallest = expected[:-1].argmin()
        observed[smallest] += observed[-1]
        expected[smallest] += expected[-1]
        observed, expected = observed[:-1], expected[:-1]
    return stats.chi2.sf(((observed - expected) ** 2 / expected).sum(), max(expected.size - 1, 1))


def chi_square_of(draws, law):
    return chi_square(draws, law.pmf, int(law.ppf(1e-10)), int(law.isf(1e-10)))


def log_gamma_cdf(a):
    """Distribution function of log X, X a gamma variate: gammainc(a, e^y), its first term where e^y underflows."""

    def cdf(y):
        return np.where(
            y < -600, np.exp(a * y - special.gammaln(a + 1)), special.gammainc(a, np.exp(np.maximum(y, -600)))
        )

    return cdf


# ---------------------------------------------------------------------------------------------------- continuous laws


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_uniform_exponential_normal(dtype):
    assert band(variates.uniform(KEY, (N,), dtype), stats.uniform.cdf) < 1
    assert band(variates.exponential(KEY, (N,), dtype), stats.expon.cdf) < 1
    assert band(variates.normal(KEY, (N,), dtype), stats.norm.cdf) < 1


def test_uniform_reaches_neither_end():
    for dtype, width in ((jnp.float64, 64), (jnp.float32, 32)):
        word = jnp.dtype(f"uint{width}")
        ends = unit(jnp.array([0, jnp.iinfo(word).max], word), dtype)
        assert ends[0] == 2.0 ** -(width + 1)
        assert ends[1] == np.nextafter(ends.dtype.type(1), ends.dtype.type(0))


@pytest.mark.parametrize("a", [0.3, 1.0, 2.5, 1e3, 1e7, 1e12])
def test_gamma(a):
    x = variates.gamma(KEY, a, (N,))
    # SciPy's gammainc loses digits from a = 1e10 on; there the law is normal to 1/(3 sqrt(a)) = 3e-7
    cdf = stats.gamma(a).cdf if a < 1e10 else stats.norm(a, math.sqrt(a)).cdf
    assert band(x, cdf) < 1


@pytest.mark.parametrize("a", [0.3, 2.5, 1e7])
def test_gamma_float32(a):
    x = variates.gamma(KEY, jnp.float32(a), (N,))
    assert x.dtype == jnp.float32
    half_step = np.spacing(np.float32(a)) / 2 if a > 1e6 else 0  # rounding moves the distribution function
    slack = half_step * stats.gamma(a).pdf(a) / math.sqrt(math.log(2 / ALARM) / (2 * N))
    assert band(x, stats.gamma(a).cdf) < 1 + slack


@pytest.mark.parametrize("a", [1e-300, 1e-5, 1e-3, 0.3, 1.0, 50.0])
def test_log_gamma(a):
    assert band(variates.log_gamma(KEY, a, (N,)), log_gamma_cdf(a)) < 1


def test_gamma_of_many_concentrations():
    a = np.exp(np.random.default_rng(0).uniform(-2, 4, N))
    assert band(special.gammainc(a, variates.gamma(KEY, a)), stats.uniform.cdf) < 1


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (0.3, 0.2), (1e-2, 5.0), (1e6, 1e5), (0.5, 1e4)])
def test_beta(a, b):
    assert band(variates.beta(KEY, a, b, (N,)), lambda x: special.betainc(a, b, x)) < 1


@pytest.mark.parametrize("a", [1e-5, 1e-160, 1e-305])
def test_beta_of_tiny_parameters_is_a_coin(a):
    x = np.asarray(variates.beta(KEY, a, 3 * a, (N,)))
    ones = (x == 1).sum()
    # at 1e-5 a share of order 1e-4 lies strictly between
    assert ones + (x < 1e-300).sum() > (1 - 1e-2) * N
    assert abs(ones / N - 0.25) < 6.2 * math.sqrt(0.25 * 0.75 / N) + 1e-3 * (a > 1e-100)
    assert not np.isnan(x).any()


@pytest.mark.parametrize("kappa", [0.0, 1e-9, 0.1, 2.0, 40.0])
def test_von_mises(kappa):
    cdf = stats.vonmises(kappa).cdf if kappa > 1e-8 else stats.uniform(-math.pi, 2 * math.pi).cdf
    assert band(variates.von_mises(KEY, kappa, (N,)), cdf) < 1


@pytest.mark.parametrize("kappa", [1e8, 1e15])
def test_von_mises_concentrated(kappa):
    assert band(math.sqrt(kappa) * variates.von_mises(KEY, kappa, (N,)), stats.norm.cdf) < 1


# ------------------------------------------------------------------------------------------------------ discrete laws


@pytest.mark.parametrize("rate", [1e-3, 0.5, 4.0, 9.99, 10.0, 40.0, 1e3, 2e4, 1e6])
@pytest.mark.parametrize("table", [True, False])
def test_poisson(rate, table):
    draws = variates.poisson(KEY, rate if table else jnp.full(N, rate), (N,))
    assert chi_square_of(draws, stats.poisson(rate)) > ALARM


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (10, 0.3), (20, 0.5), (40, 0.97), (10_000, 0.3), (10**6, 0.3), (10**9, 1e-8)]
)
@pytest.mark.parametrize("table", [True, False])
def test_binomial(n, p, table):
    draws = variates.binomial(KEY, n if table else jnp.full(N, n), p, (N,))
    assert chi_square_of(draws, stats.binom(n, p)) > ALARM


@pytest.mark.parametrize(("mean", "r"), [(12.0, 3.0), (0.5, 0.1), (1e4, 50.0)])
def test_negative_binomial(mean, r):
    assert chi_square_of(variates.negative_binomial(KEY, mean, r, (N,)), stats.nbinom(r, r / (r + mean))) > ALARM


@pytest.mark.parametrize("p", [0.999, 0.7, 0.01])
def test_geometric(p):
    assert chi_square_of(variates.geometric(KEY, p, (N,)), stats.geom(p, loc=-1)) > ALARM


@pytest.mark.parametrize("k", [1, 2, 5, 64, 1000])
def test_categorical(k):
    logits = np.random.default_rng(k).normal(size=k) * 3
    logits[:: max(k // 2, 2)] -= np.inf if k > 1 else 0
    p = special.softmax(logits)
    draws = np.asarray(variates.categorical(KEY, logits, (N,)))
    assert chi_square(draws, lambda i: p[i], 0, k - 1) > ALARM
    assert (p[np.unique(draws)] > 0).all()


def test_categorical_of_rows():
    p = np.array([[0.2, 0.3, 0.5, 0.0], [0.7, 0.1, 0.1, 0.1]])
    logits = jnp.log(p)
    few = variates.categorical(KEY, jnp.broadcast_to(logits, (N, 2, 4)))  # one draw each
    many = variates.categorical(KEY, logits, (N, 2))
    for draws in (np.asarray(few), np.asarray(many)):
        for row in range(2):
            assert chi_square(draws[:, row], lambda i, row=row: p[row][i], 0, 3) > ALARM


@pytest.mark.parametrize("word", ["uint32", "uint64"])
def test_words_are_those_of_jax(word):
    keys = jax.random.split(KEY, 3)
    for shape in ((), (0,), (7,), (3, 5)):
        np.testing.assert_array_equal(bits(KEY, shape, word), jax.random.bits(KEY, shape, word))
        each = jax.vmap(lambda key, shape=shape: bits(key, shape, word))(keys)
        np.testing.assert_array_equal(each, jax.vmap(lambda key, shape=shape: jax.random.bits(key, shape, word))(keys))
    for other in (jax.random.PRNGKey(5), jax.random.key(5, impl="rbg")):
        np.testing.assert_array_equal(bits(other, (9,), word), jax.random.bits(other, (9,), word))


@pytest.mark.parametrize("k", [1, 2, 1024, 4096])
def test_alias_table_represents_its_weights(k):
    w = np.exp(np.random.default_rng(k).normal(size=k) * 5)
    w[:: max(k // 3, 2)] *= 1 if k == 1 else 0
    longer = np.concatenate([w, np.full(3 * k, 7.0)])  # what is beyond the columns is not drawn
    for weights in (w, longer):
        table = jax.jit(alias_table)(weights, k.bit_length() - 1)
        keep, alias = np.asarray(table.keep)[:k], np.asarray(table.alias)[:k]
        got = (keep + np.bincount(alias, 1 - keep, minlength=k)) / k
        assert ((keep >= 0) & (keep <= 1)).all()
        # cumulative sums of k terms err by k eps of their total at worst
        np.testing.assert_allclose(got, w / w.sum(), rtol=0, atol=k * np.finfo(float).eps)
        assert (got[w == 0] == 0).all()


# --------------------------------------------------------------------------------------------- what the methods rest on


def test_the_hat_covers_the_normal():
    w = np.concatenate([np.logspace(-20, -3, 20_000), np.linspace(1e-3, 0.5, 20_000)])
    z, slope = hat(w)
    assert (slope * np.exp(-z * z / 2)).max() < NORMAL_BOUND


def laws_of_counts():
    for variance in (10.0, 12.5, 17.3, 30.0, 60.2, 100.0, 301.0, 1e3, 1e4, 1e6):
        yield stats.poisson(variance)
        for p in (0.05, 0.2, 0.35, 0.5):
            for mean in (max(variance, 10), max(variance / (1 - p), 10)):
                yield stats.binom(math.ceil(mean / p), p)


def test_the_hat_covers_counts():
    w = np.concatenate([np.logspace(-20, -3, 10_000), np.linspace(1e-3, 0.5, 50_000)[1:]])[::-1]
    z, slopes = map(np.asarray, hat(w))
    for law in laws_of_counts():
        mean, deviation = law.mean(), law.std()
        scale, bound = _scale_and_bound(deviation)
        k = np.unique(np.floor(np.linspace(max(mean - 40 - 14 * deviation, 0), mean + 40 + 14 * deviation, 4001)))
        # G' grows outwards: the outer edge of each cell counts
        farthest = np.maximum(np.abs(k + 0.5 - mean), np.abs(k - 0.5 - mean)) / scale
        assert (law.pmf(k) * scale * np.interp(farthest, z, slopes)).max() < bound, (mean, deviation)


# ------------------------------------------------------------------------------------------------ how JAX users call it

CALLS = {
    "uniform": (variates.uniform, ()),
    "exponential": (variates.exponential, ()),
    "normal": (variates.normal, ()),
    "gamma": (variates.gamma, (0.7,)),
    "log_gamma": (variates.log_gamma, (1.7,)),
    "beta": (variates.beta, (0.7, 2.0)),
    "von_mises": (variates.von_mises, (3.0,)),
    "poisson": (variates.poisson, (20.0,)),
    "binomial": (variates.binomial, (70, 0.3)),
    "negative_binomial": (variates.negative_binomial, (9.0, 2.0)),
    "geometric": (variates.geometric, (0.2,)),
    "categorical": (variates.categorical, (np.log([0.2, 0.3, 0.5]),)),
}
COUNTS = {"poisson", "binomial", "negative_binomial", "geometric", "categorical"}


@pytest.mark.parametrize("name", CALLS)
def test_shapes_dtypes_keys_jit_and_vmap(name):
    draw, parameters = CALLS[name]
    kind = jnp.int64 if name in COUNTS else jnp.float64

    def call(key, shape=(3, 2)):
        return draw(key, *parameters, shape=shape)

    for shape in ((), (2, 0), (3, 2)):
        assert call(KEY, shape).shape == shape
        assert call(KEY, shape).dtype == kind
    eager = call(KEY)
    np.testing.assert_array_equal(eager, call(KEY))
    keys = jax.random.split(KEY, 4)
    together = jax.jit(jax.vmap(call))(keys)
    # products are contracted differently: a few units in the last place, relative to 1 or the value
    np.testing.assert_allclose(together, jnp.stack([call(key) for key in keys]), rtol=1e-14, atol=1e-14)
    assert not (together[0] == together[1]).all()


def test_vmap_over_long_draws():
    keys = jax.random.split(KEY, 2)

    def draw(key):
        return variates.gamma(key, 2.5, (20_001,))  # three blocks

    np.testing.assert_allclose(jax.vmap(draw)(keys), jnp.stack([draw(key) for key in keys]), rtol=1e-14)


def test_blocks_one_by_one_and_together_agree():
    keys = jax.random.split(KEY, 5)

    def one(key):
        return bell(key, (100,), jnp.float64)[0]

    np.testing.assert_allclose(jax.lax.map(one, keys), jax.vmap(one)(keys), rtol=1e-14)  # contraction may differ


@pytest.mark.parametrize("name", ["gamma", "log_gamma", "beta", "von_mises"])
def test_float32(name):
    draw, parameters = CALLS[name]
    assert draw(KEY, *map(jnp.float32, parameters), shape=(5,)).dtype == jnp.float32
    assert draw(KEY, *parameters, shape=(5,), dtype=jnp.float32).dtype == jnp.float32


def test_parameters_broadcast():
    a = jnp.array([[1e-2], [5.0], [1e4]])
    x = np.asarray(variates.gamma(KEY, a, (1000, 3, 2)))
    assert x.shape == (1000, 3, 2)
    # means over 2,000 draws, 6.2 standard errors: 1e-9
    np.testing.assert_array_less(abs(x.mean((0, 2)) - a[:, 0]), 6.2 * np.sqrt(a[:, 0] / 2000) + 0.05 * (a[:, 0] < 1))
    assert variates.binomial(KEY, jnp.arange(3), 0.5).shape == (3,)


def test_the_law_of_an_element_is_its_own():
    """Many elements that are often rejected do not disturb the one that waits with them."""
    a = jnp.where(jnp.arange(N) % 100 == 0, 1.0, 1e6)
    x = variates.gamma(KEY, a)
    assert band(x[::100], stats.expon.cdf) < 1
    rates = jnp.where(jnp.arange(N) % 2 == 0, 12.0, 0.1)
    assert chi_square_of(variates.poisson(KEY, rates)[::2], stats.poisson(12.0)) > ALARM


def test_invalid_parameters():
    wrong = jnp.array([-1.0, jnp.nan, 0.0, 2.0])
    for draw in (variates.gamma, variates.log_gamma, lambda k, a: variates.beta(k, a, 1.0)):
        np.testing.assert_array_equal(jnp.isnan(draw(KEY, wrong)), [True, True, True, False])
    np.testing.assert_array_equal(jnp.isnan(variates.von_mises(KEY, wrong)), [True, True, False, False])
    assert variates.gamma(KEY, jnp.inf) == jnp.inf
    assert variates.von_mises(KEY, jnp.inf) == 0
    for count in (
        variates.poisson(KEY, jnp.array([-1.0, jnp.nan, jnp.inf])),
        variates.binomial(KEY, jnp.array([-1.0, 2.5, jnp.nan, 3.0]), jnp.array([0.5, 0.5, 0.5, 1.5])),
        variates.negative_binomial(KEY, jnp.array([-1.0, 1.0, jnp.nan]), jnp.array([1.0, 0.0, 1.0])),
        variates.geometric(KEY, jnp.array([0.0, 1.5, jnp.nan])),
        variates.categorical(KEY, jnp.array([[-jnp.inf, -jnp.inf], [jnp.nan, 0.0]])),
    ):
        assert (count == -1).all()
    assert (variates.poisson(KEY, -1.0, (20_000,)) == -1).all()


def test_limits_of_counts():
    assert variates.poisson(KEY, 0.0) == 0
    assert variates.binomial(KEY, 0, 0.5) == 0
    np.testing.assert_array_equal(variates.binomial(KEY, jnp.array([7, 1e12]), jnp.array([1.0, 0.0])), [7, 0])
    assert variates.negative_binomial(KEY, 0.0, 1.0) == 0
    assert variates.geometric(KEY, 1.0) == 0
    assert variates.geometric(KEY, 1e-300) == np.nextafter(2.0**63, 0)
    # 40 standard deviations
    assert abs(int(variates.poisson(KEY, 1e15)) - 10**15) < 40 * math.sqrt(1e15)


# ------------------------------------------------------------------------------------------------------------- power


def test_the_tests_can_fail():
    """A sampler wrong by half a per cent, or without the acceptance step, is found."""
    assert band(variates.gamma(KEY, 2.5 * 1.005, (N,)), stats.gamma(2.5).cdf) > 1
    assert band(bell(KEY, (N,), jnp.float64)[0], stats.norm.cdf) > 1
    assert chi_square_of(variates.poisson(KEY, 1005.0, (N,)), stats.poisson(1e3)) < ALARM
    assert chi_square_of(variates.binomial(KEY, 10, 0.303, (N,)), stats.binom(10, 0.3)) < ALARM
    assert (
        chi_square(variates.categorical(KEY, np.log([0.2, 0.8]), (N,)), lambda i: np.array([0.203, 0.797])[i], 0, 1)
        < ALARM
    )
