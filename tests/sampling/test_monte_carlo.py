"""Expectations are within 6.2 standard errors of the truth (false alarm 5.6e-10 for a normal error; for the mean of
16 strata or nets 13, by the t distribution of 15 degrees of freedom 1.4e-9), and standard errors say what errors are."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.numerics.sobol import _BITS, directions, sobol

LIMIT = {"plain": 6.2, "antithetic": 6.2, "stratified": 13.0, "sobol": 13.0}


@pytest.mark.parametrize("method", LIMIT)
def test_known_expectations(method):
    """E x² of a normal, E exp(x) of a gamma, and a vector of two: within their errors."""
    gamma = sf.Gamma(2.0, rate=3.0)
    found = sf.expectation(lambda x: jnp.stack([jnp.exp(x), x]), gamma, n=20_000, method=method, rng=1)
    off = np.abs(found.value - np.array([2.25, 2.0 / 3.0])) / found.standard_error
    assert np.all(off <= LIMIT[method])
    laws = [sf.Normal(0.0, 2.0), sf.Exponential(1.0), sf.Uniform(0.0, 1.0)]
    found = sf.expectation(lambda x: x[0] ** 2 * x[1] + x[2], laws, n=20_000, method=method, rng=2)
    assert abs(found.value - 4.5) <= LIMIT[method] * found.standard_error


@pytest.mark.parametrize("method", LIMIT)
def test_standard_errors_are_calibrated(method):
    """40 runs: the sum of squared standardised errors is chi-square, or that of t₁₅, within a band of 1e-9 a side.

    The t's second moment is 15/13; its band by the normal limit with the t's fourth moment, 6.1 deviations.
    """
    f = lambda x: jnp.exp(0.5 * x)  # noqa: E731
    runs = [sf.expectation(f, sf.Normal(), n=512, method=method, rng=i) for i in range(40)]
    z = np.array([(r.value - np.exp(0.125)) / r.standard_error for r in runs])
    if method in ("stratified", "sobol"):
        mean, fourth = 15.0 / 13.0, 3.0 * 15.0**2 / (13.0 * 11.0)
        band = 6.1 * np.sqrt((fourth - mean**2) / 40.0)
        assert abs((z**2).mean() - mean) <= band
    else:
        assert scipy.stats.chi2.ppf(1e-9, 40) <= (z**2).sum() <= scipy.stats.chi2.isf(1e-9, 40)


def test_variance_is_reduced():
    """Of exp(x) on (0, 1): by pairs, strata, nets, and a control whose part is exact."""
    f, p = jnp.exp, sf.Uniform(0.0, 1.0)
    plain = sf.expectation(f, p, n=4096, rng=3)
    errors = {m: sf.expectation(f, p, n=4096, method=m, rng=3).standard_error for m in LIMIT}
    # true ratios: 5.6 for pairs; strata and nets fall faster than 1/√n
    assert errors["antithetic"] < plain.standard_error / 4
    assert errors["stratified"] < plain.standard_error / 50
    assert errors["sobol"] < plain.standard_error / 100
    controlled = sf.expectation(f, p, n=4096, control=lambda x: x, control_mean=0.5, rng=3)
    # 1 − correlation² is 1/62
    assert controlled.standard_error < plain.standard_error / 6
    assert abs(controlled.value - np.expm1(1.0)) <= 6.2 * controlled.standard_error


NORMAL = {
    "x": (lambda x: x, 0.0),
    "x²": (lambda x: x**2, 1.0),
    "exp x": (jnp.exp, np.exp(0.5)),
    "exp(x²/5)": (lambda x: jnp.exp(0.2 * x**2), 1.0 / np.sqrt(0.6)),
    "x > 1": (lambda x: jnp.where(x > 1.0, 1.0, 0.0), scipy.stats.norm.sf(1.0)),
}


@pytest.mark.parametrize("name", NORMAL)
@pytest.mark.parametrize("method", ["stratified", "sobol"])
def test_intervals_cover(method, name):
    """Of 200 intervals at 0.9 more than 151 cover: as few have a probability of 3e-9. Intervals from equal strata cover
    exp(x²/5), whose largest draws are in the last of them and seldom seen, with 0.77: they pass in two of three tries, and
    both methods in less than half."""
    f, truth = NORMAL[name]
    ends = [sf.expectation(f, sf.Normal(), n=1024, method=method, rng=i).interval(0.9) for i in range(200)]
    assert sum(low <= truth <= high for low, high in ends) > 151


def test_jumps_near_the_edge_of_a_cell():
    """P(u > 0.3003) by 64 cells of which one is cut near its edge, at 0.22, or at 0.02: no error is 0."""
    for edge in (0.3003, (19.0 + 0.02) / 64.0):
        f = functools.partial(lambda u, edge: jnp.where(u > edge, 1.0, 0.0), edge=edge)
        for method in ("stratified", "sobol"):
            found = [sf.expectation(f, sf.Uniform(), n=1024, method=method, rng=i) for i in range(20)]
            assert min(e.standard_error for e in found) > 0.0
            assert all(abs(e.value - 1.0 + edge) <= LIMIT[method] * e.standard_error for e in found)


@pytest.mark.parametrize("method", ["stratified", "sobol"])
def test_a_function_may_be_infinite_at_the_end_of_an_interval(method):
    """u^−0.4 on (0, 1): 40 errors by the second moment of t₁₅ within 6.1 deviations, and smaller than those of equal strata."""
    runs = [sf.expectation(steep, sf.Uniform(), n=1024, method=method, rng=i) for i in range(40)]
    z = np.array([(r.value - 1.0 / 0.6) / r.standard_error for r in runs])
    mean, fourth = 15.0 / 13.0, 3.0 * 15.0**2 / (13.0 * 11.0)
    assert abs((z**2).mean() - mean) <= 6.1 * np.sqrt((fourth - mean**2) / 40.0)
    assert np.median([r.standard_error for r in runs]) < 0.003


def steep(u):
    return u**-0.4


def test_a_constant_is_exact():
    for method in LIMIT:
        for law in (sf.Normal(), sf.Exponential(1.0), sf.Uniform(), [sf.Normal(), sf.Gumbel()], [sf.Normal()] * 5):
            found = sf.expectation(seven, law, n=1000, method=method, rng=0)
            assert found.value == 7.0
            assert found.standard_error == 0.0


def seven(x):
    return 7.0 + 0.0 * jnp.sum(x)


def test_tails_of_several_coordinates():
    """Three laws of which the quantiles are infinite at both, one and no end: within errors, and with less than half the
    error of plain draws."""
    laws = [sf.Normal(), sf.Exponential(1.0), sf.Uniform()]
    f, truth = lambda x: jnp.exp(0.5 * x[0]) + x[1] ** 2 * x[2], np.exp(0.125) + 1.0
    plain = sf.expectation(f, laws, n=16_384, rng=0).standard_error
    for method in ("stratified", "sobol"):
        found = sf.expectation(f, laws, n=16_384, method=method, rng=1)
        assert abs(found.value - truth) <= LIMIT[method] * found.standard_error
        assert found.standard_error < 0.5 * plain


def test_a_standard_error_that_is_asked_for():
    for method in ("plain", "sobol"):
        found = sf.expectation(lambda x: x, sf.Exponential(1.0), standard_error=2e-3, method=method, rng=4)
        assert found.standard_error <= 2e-3
        assert abs(found.value - 1.0) <= LIMIT[method] * found.standard_error


def test_heavy_tails_are_told():
    """The mean of a Cauchy does not exist: its Pareto k is above 0.7; a normal's is not."""
    assert sf.expectation(lambda x: x, sf.Cauchy(), n=50_000, rng=5).pareto_k > 0.7
    assert sf.expectation(lambda x: x, sf.Normal(), n=50_000, rng=5).pareto_k < 0.5


def test_sobol_numbers():
    """Those of SciPy; and scrambled nets put one point in each of 2ᵐ cells of every coordinate."""
    reference = scipy.stats.qmc.Sobol(21, scramble=False, bits=30)
    words = (reference._sv.astype(np.uint64) << np.uint64(_BITS - 30))[:, :30]
    np.testing.assert_array_equal(directions(21)[:, :30] >> np.uint64(_BITS - 30), words >> np.uint64(_BITS - 30))
    points = sobol(8, 21, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.floor(256 * points), axis=0), np.arange(256.0)[:, None].repeat(21, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 10, "standard_error": 0.1}, "give n or standard_error, not both"),
        ({"n": 1}, "n must be an integer of at least 2, got 1"),
        ({"n": 2, "method": "antithetic"}, "n must be an integer of at least 4, got 2"),
        ({"n": 1e3}, "n must be an integer of at least 2, got 1000"),
        ({"f": lambda x: jnp.exp(1j * x)}, "f must be real, got complex128"),
        ({"standard_error": 0.0}, "standard_error must be > 0, got 0"),
        ({"standard_error": 1e-9}, "standard_error 1e-09 needs .* draws"),
        ({"method": "magic"}, "method must be one of plain, antithetic, stratified, sobol, got 'magic'"),
        ({"control": lambda x: x}, "control and control_mean go together"),
        ({"control": lambda x: x, "control_mean": 0.0, "method": "sobol"}, "control goes with method plain"),
        ({"p": sf.MultivariateNormal(np.zeros(2), np.eye(2)), "method": "sobol"}, "univariate laws|with icdf"),
        (
            {"p": sf.Normal(np.zeros(2)), "method": "sobol"},
            r"method sobol needs univariate laws, got one of shape \(2,\)",
        ),
        (
            {"p": [sf.Normal(np.zeros(2)), sf.Normal()]},
            r"a sequence of laws needs univariate laws, got one of shape \(2,\)",
        ),
        ({"p": []}, "p must have at least one law"),
        ({"f": lambda x: x * jnp.nan, "n": 10}, "f must be finite, got nan at a draw"),
        ({"p": [sf.Normal()] * 22, "method": "sobol"}, "at most 21 dimensions, got 22"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.expectation(**{"f": lambda x: x, "p": sf.Normal(), "rng": 0, **arguments})


@pytest.mark.parametrize("method", LIMIT)
def test_heavy_tails_are_told_by_every_method(method):
    found = sf.expectation(lambda x: x**2, sf.StudentT(2.0), n=50_000, method=method, rng=6)
    assert found.pareto_k > 0.7
    assert sf.expectation(jnp.tanh, sf.StudentT(2.0), n=50_000, method=method, rng=6).pareto_k < 0.5


def test_strata_in_many_dimensions_use_all_draws():
    """In 20 dimensions there is one cell: no better than plain draws then, and no worse; nor are there in 100."""
    laws, f = [sf.Normal()] * 20, lambda v: (v**2).sum()
    found = sf.expectation(f, laws, n=16_000, method="stratified", rng=7)
    assert abs(found.value - 20.0) <= LIMIT["stratified"] * found.standard_error
    # 40/16000 is the variance; 1.04 of it by weights; that of 30 runs by chi-square of 450, too large once in 1e9
    runs = [sf.expectation(f, laws, n=16_000, method="stratified", rng=i).standard_error for i in range(30)]
    assert np.mean(np.square(runs)) < 1.04 * 0.0025 * scipy.stats.chi2.isf(1e-9, 450) / 450
    many = sf.expectation(f, [sf.Normal()] * 100, n=1000, method="stratified", rng=7)
    assert abs(many.value - 100.0) <= LIMIT["stratified"] * many.standard_error < 10.0


def test_one_program_for_all_calls():
    """Another seed, another parameter: nothing is compiled again."""
    traced = []

    def f(x):
        traced.append(None)
        return x**2

    sf.expectation(f, sf.Normal(0.0, 1.0), n=1000, rng=0)
    sf.expectation(f, sf.Normal(0.0, 1.0), n=1000, rng=1)
    once = len(traced)
    sf.expectation(f, sf.Normal(0.0, 1.0), n=1000, rng=2)
    assert len(traced) == once + 1  # its shape is asked for


def test_a_law_of_ones_own():
    class Laplace:
        def sample(self, shape=(), *, rng):
            return jax.random.laplace(rng, shape)

        def log_prob(self, x):
            return -abs(x) - jnp.log(2.0)

    law, f = Laplace(), lambda x: -0.5 * x**2
    found = sf.expectation(lambda x: x**2, law, n=20_000, rng=0)
    assert abs(found.value - 2.0) <= LIMIT["plain"] * found.standard_error
    for log_z in (
        sf.importance(f, law, rng=1).log_normaliser,
        sf.rejection(f, law, 1000, rng=1).log_normaliser,
        sf.bridge_sampling(f, sf.Normal().sample((4, 500), rng=2), law, rng=1),
        sf.annealed_importance(f, law, sf.RandomWalk(step_size=1.0), rng=1),
        sf.thermodynamic_integration(f, law, sf.RandomWalk(step_size=1.0), rng=1),
        sf.sequential_monte_carlo(f, law, n=500, rng=1).log_z,
    ):
        # runs of SMC: t with 9 degrees of freedom beyond 20 has 1e-8
        assert abs(log_z.value - 0.5 * np.log(2.0 * np.pi)) <= 20.0 * log_z.standard_error < 2.0
    with pytest.raises(TypeError, match="a law must have sample"):
        sf.importance(f, 3.0, rng=0)
    with pytest.raises(TypeError, match="got the class Normal"):
        sf.expectation(f, sf.Normal, rng=0)
