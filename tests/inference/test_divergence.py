"""Divergences between any two laws: ways, limits, symmetries, bounds on random pairs, batches, derivatives, bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.inference.divergence import closed

LOG_2 = np.log(2.0)
RNG = np.random.default_rng(31)
PAIR = sf.Normal(0.3, 1.2), sf.Normal(-0.5, 2.0)
VECTORS = (
    sf.MultivariateNormal([0.3, 1.0], [[2.0, 0.5], [0.5, 1.0]]),
    sf.MultivariateNormal([0.0, 0.0], [[1.0, -0.3], [-0.3, 0.8]]),
)
MEASURES = {
    "kl": sf.kl,
    "renyi": lambda p, q, **k: sf.renyi(p, q, 0.7, **k),
    "alpha": lambda p, q, **k: sf.alpha_divergence(p, q, 0.7, **k),
    "hellinger": sf.hellinger,
    "bhattacharyya": sf.bhattacharyya,
    "jensen_shannon": sf.jensen_shannon,
    "total_variation": sf.total_variation,
}
SYMMETRIC = ("hellinger", "bhattacharyya", "jensen_shannon", "total_variation")


# -- the ways ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kl", "renyi", "alpha", "hellinger", "bhattacharyya"])
def test_quadrature_agrees_with_the_closed_form(name, monkeypatch):
    """The same pairs with the table closed: within the error that is told, which is small."""
    measure = MEASURES[name]
    pairs = [PAIR, (sf.Normal(0.0, 1.0), sf.Normal(0.0, 1e-4)), (sf.Laplace(0.0, 1.0), sf.Laplace(3.0, 0.2))]
    exact = [float(measure(*pair)) for pair in pairs[:2]]
    monkeypatch.setattr("suffice.inference.divergence.closed.has_kl", lambda p, q: False)
    monkeypatch.setattr("suffice.inference.divergence.closed.has_renyi", lambda p, q: False)
    for pair, value in zip(pairs, exact, strict=False):
        found = measure(*pair)
        assert found.how == "quadrature"
        assert abs(float(found) - value) <= max(float(found.standard_error), 1e-11 * value)
        assert float(found.standard_error) < 1e-9 * value
    d, r = 15.0, 5.0  # |Δ|/scale and the ratio of scales
    if name == "kl":
        assert float(measure(*pairs[2][::-1])) == pytest.approx(np.log(r) + 3.0 + 0.2 * np.exp(-d) - 1.0, rel=1e-12)


@pytest.mark.parametrize("name", ["kl", "renyi", "alpha", "hellinger", "bhattacharyya"])
def test_draws_agree_with_the_closed_form(name, monkeypatch):
    """Within 6 standard errors: false alarm 2e-9."""
    measure = MEASURES[name]
    exact = float(measure(*VECTORS))
    monkeypatch.setattr("suffice.inference.divergence.closed.has_kl", lambda p, q: False)
    monkeypatch.setattr("suffice.inference.divergence.closed.has_renyi", lambda p, q: False)
    found = measure(*VECTORS, draws=20_000, rng=5)
    assert found.how == "Monte Carlo"
    assert abs(float(found) - exact) < 6.0 * float(found.standard_error) < 0.2 * exact
    assert (found.pareto_k is None) == (name != "kl")


def test_an_average_without_variance_is_refused():
    heavy = sf.MultivariateT(2.5, [0.0, 0.0], np.eye(2))
    with pytest.raises(ValueError, match=r"no variance at alpha = 1\.5 \(Pareto k"):
        sf.renyi(heavy, VECTORS[1], 1.5)
    assert float(sf.kl(heavy, VECTORS[1]).pareto_k) > 0.7


def test_infinite_where_supports_or_tails_say_so():
    assert sf.kl(sf.Uniform(0.0, 3.0), sf.Uniform(1.0, 2.0)).value == np.inf
    assert sf.kl(sf.Cauchy(), sf.Normal()).value == np.inf  # a second moment of a Cauchy
    assert sf.kl(sf.StudentT(2.0), sf.Normal()).value == np.inf
    assert np.isfinite(sf.kl(sf.StudentT(2.2), sf.Normal()).value)
    assert sf.kl(sf.Normal(), sf.Exponential(1.0)).value == np.inf
    assert sf.kl(sf.Pareto(2.0, 1.0), sf.Pareto(2.0, 1.5)).value == np.inf
    assert sf.kl(sf.Bernoulli.from_probs(0.5), sf.Bernoulli.from_probs(0.0)).value == np.inf
    assert sf.renyi(sf.Normal(0.0, 2.0), sf.Normal(0.0, 1.0), 1.5).value == np.inf
    for p, q in ((sf.Uniform(0.0, 1.0), sf.Uniform(2.0, 3.0)), (sf.Normal(), sf.Poisson(1.0))):  # disjoint
        assert sf.renyi(p, q, 0.5).value == sf.bhattacharyya(p, q).value == np.inf
        assert float(sf.total_variation(p, q)) == pytest.approx(1.0, rel=1e-13)
        assert float(sf.jensen_shannon(p, q)) == pytest.approx(LOG_2, rel=1e-13)
        assert float(sf.hellinger(p, q)) == pytest.approx(1.0, rel=1e-13)


def test_alpha_from_half_to_one_and_to_zero():
    """At 1 and 0 Kullback and Leibler's, continuous there to the order of the step; α and 1 − α are mirrored."""
    orders = np.array([0.0, 1e-9, 0.4, 0.6, 1.0 - 1e-9, 1.0, 1.0 + 1e-9])
    for p, q in (PAIR, (sf.Logistic(), sf.Laplace(0.5, 1.5)), (sf.Poisson(2.0), sf.Geometric(0.3))):
        found = np.asarray(sf.alpha_divergence(p, q, orders).value)
        forward, backward = float(sf.kl(p, q)), float(sf.kl(q, p))
        np.testing.assert_allclose(found[[1, 0]], backward, rtol=1e-7)
        np.testing.assert_allclose(found[4:], forward, rtol=1e-7)
        np.testing.assert_allclose(found[[0, 5]], [backward, forward], rtol=1e-12)
        mirrored = np.asarray(sf.alpha_divergence(q, p, 1.0 - orders).value)
        np.testing.assert_allclose(found, mirrored, rtol=1e-12)
        renyi = np.asarray(sf.renyi(p, q, orders[2:]).value)
        np.testing.assert_allclose(renyi[2:], forward, rtol=1e-7)
        np.testing.assert_allclose(renyi[3], forward, rtol=1e-12)
        a, d = orders[2:4], found[2:4]
        np.testing.assert_allclose(renyi[:2], np.log1p(a * (a - 1.0) * d) / (a - 1.0), rtol=1e-12)


def test_known_values():
    p, q = sf.Normal(0.0, 1.0), sf.Normal(2.0, 1.0)
    assert float(sf.total_variation(p, q)) == pytest.approx(2.0 * scipy.stats.norm.cdf(1.0) - 1.0, rel=1e-12)
    assert float(sf.hellinger(p, q)) ** 2 == pytest.approx(1.0 - np.exp(-0.5), rel=1e-14)
    far = sf.Normal(60.0, 1.0)  # ∫ √(p q) = exp(−450)
    assert float(sf.bhattacharyya(p, far)) == pytest.approx(450.0, rel=1e-14)
    assert float(sf.cross_entropy(p, q)) == pytest.approx(0.5 * np.log(2.0 * np.pi) + 2.5, rel=1e-14)
    counts = sf.Empirical([0.0, 1.0, 1.0, 3.0]), sf.Poisson(1.3)
    mass = np.asarray(counts[1].prob(np.array([0.0, 1.0, 3.0])))
    share = np.array([0.25, 0.5, 0.25])
    assert float(sf.kl(*counts)) == pytest.approx(float(share @ np.log(share / mass)), rel=1e-13)
    assert float(sf.total_variation(*counts)) == pytest.approx(1.0 - np.minimum(share, mass).sum(), rel=1e-13)


@pytest.mark.parametrize("name", MEASURES)
def test_zero_for_equal_laws_and_symmetric_where_promised(name):
    measure = MEASURES[name]
    p, q = sf.Gumbel(0.0, 1.0), sf.Logistic(0.4, 0.8)
    assert abs(float(measure(p, p))) < 1e-12
    if name in SYMMETRIC:
        assert float(measure(p, q)) == pytest.approx(float(measure(q, p)), rel=1e-11)
    else:
        assert abs(float(measure(p, q)) / float(measure(q, p)) - 1.0) > 1e-3


# -- bounds ------------------------------------------------------------------------------------------------------------


def random_tables():
    """10,000 pairs of laws on six points, some nearly degenerate."""
    logits = RNG.normal(size=(2, 10_000, 6)) * 10.0 ** RNG.uniform(-2.0, 1.2, size=(2, 10_000, 1))
    return tuple(sf.Categorical(v) for v in logits)


def test_bounds_on_ten_thousand_pairs():
    """Pinsker, Bretagnolle–Huber, H² <= TV <= √2 H, JS <= TV log 2, the tight bound of KL by JS, the order of Rényi's."""
    p, q = random_tables()
    kl, js, tv, h = (np.asarray(f(p, q).value) for f in (sf.kl, sf.jensen_shannon, sf.total_variation, sf.hellinger))
    low, high = (np.asarray(sf.renyi(p, q, order).value) for order in (0.5, 1.5))
    slack = 1e-12
    assert kl.min() >= 0.0
    assert np.all(kl >= 2.0 * tv**2 - slack)
    assert np.all(tv <= np.sqrt(-np.expm1(-kl)) + slack)
    assert np.all((h**2 <= tv + slack) & (tv <= np.sqrt(2.0) * h + slack))
    assert np.all((js <= LOG_2 * tv + slack) & (js >= 0.0))
    assert np.all((low <= kl * (1.0 + slack) + slack) & (kl <= high * (1.0 + slack) + slack))
    bound = np.asarray(sf.kl_lower_bound(np.minimum(js, LOG_2)))
    inner = LOG_2 - js > 1e-9  # beyond, JS itself is known to no more digits
    assert np.all(bound[inner] <= kl[inner] * (1.0 + 1e-6) + slack)


def test_merging_cells_loses():
    """Data processing: of merged cells every divergence is at most as large."""
    p, q = random_tables()
    merged = [sf.Categorical(jax.nn.logsumexp(v.logits.reshape(10_000, 3, 2), axis=-1)) for v in (p, q)]
    for name, measure in MEASURES.items():
        before, after = np.asarray(measure(p, q).value), np.asarray(measure(*merged).value)
        assert np.all(after <= before * (1.0 + 1e-11) + 1e-12), name


def test_the_bound_is_tight():
    """Reached by (1, 0) and (t, 1 − t); its two ends, and no smaller KL on a grid of 250,000 pairs of two points."""
    t = np.array([1.0 - 1e-9, 0.9, 0.3, 1e-3, 1e-8])
    p, q = sf.Bernoulli.from_probs(1.0), sf.Bernoulli.from_probs(t)
    np.testing.assert_allclose(sf.kl_lower_bound(sf.jensen_shannon(p, q).value), -np.log(t), rtol=1e-6)
    assert sf.kl_lower_bound(0.0) == 0.0
    assert sf.kl_lower_bound(LOG_2) == np.inf
    x = np.linspace(1e-3, 1.0 - 1e-3, 500)
    a, b = np.meshgrid(x, x)
    m = 0.5 * (a + b)
    kl = lambda u, v: u * np.log(u / v) + (1.0 - u) * np.log((1.0 - u) / (1.0 - v))  # noqa: E731
    js = 0.5 * (kl(a, m) + kl(b, m))
    assert np.all(np.asarray(sf.kl_lower_bound(np.maximum(js, 0.0))) <= kl(a, b) * (1.0 + 1e-9) + 1e-13)
    with pytest.raises(ValueError, match=r"jensen_shannon must be in \[0, log 2\], got 0.8"):
        sf.kl_lower_bound(0.8)


# -- arrays of laws, compiled code, bad input --------------------------------------------------------------------------


def test_batches_and_transformations():
    loc = np.array([0.0, 1.0, 2.0])
    p, q = sf.Normal(loc, 1.0), sf.Normal(np.zeros((2, 1)), 2.0)
    whole = sf.kl(p, q)
    assert whole.value.shape == (2, 3)
    each = [float(sf.kl(sf.Normal(v, 1.0), sf.Normal(0.0, 2.0))) for v in loc]
    np.testing.assert_allclose(whole.value, [each, each], rtol=1e-14)
    mapped = jax.jit(jax.vmap(lambda v: sf.kl(sf.Normal(v, 1.0), sf.Normal(0.0, 2.0)).value))(loc)
    np.testing.assert_allclose(mapped, each, rtol=1e-14)
    slope = jax.grad(lambda v: sf.kl(sf.Normal(v, 1.0), sf.Normal(0.0, 2.0)).value)(1.0)
    assert float(slope) == pytest.approx(0.25, rel=1e-14)
    # at equal laws the gradient is 0 and the Hessian is the Fisher information
    a = jnp.asarray([2.5, 1.5])
    loss = lambda v: sf.kl(sf.Weibull(a[0], a[1]), sf.Weibull(v[0], v[1])).value  # noqa: E731
    np.testing.assert_allclose(jax.grad(loss)(a), 0.0, atol=1e-15)
    np.testing.assert_allclose(jax.hessian(loss)(a), sf.fisher_information(sf.Weibull(2.5, 1.5)), rtol=1e-12)
    # by quadrature, of laws whose quantiles are quickly compiled; one entry by the trapezoidal rule
    several = sf.jensen_shannon(sf.Logistic(loc, 1.0), sf.Logistic(np.zeros((2, 1)), 2.0))
    assert several.value.shape == several.standard_error.shape == (2, 3)
    x = np.linspace(-150.0, 150.0, 60_001)
    a, b = (scipy.stats.logistic(m, s).logpdf(x) for m, s in ((2.0, 1.0), (0.0, 2.0)))
    m = np.logaddexp(a, b) - LOG_2
    exact = 0.5 * 0.005 * (np.exp(a) @ (a - m) + np.exp(b) @ (b - m))
    assert float(several.value[1, 2]) == pytest.approx(exact, rel=1e-11)
    empty = sf.kl(sf.Normal(np.zeros(0), 1.0), sf.Normal())
    assert empty.value.shape == (0,)
    single = sf.kl(sf.Normal(np.float32(0.0), np.float32(1.0)), sf.Normal(np.float32(1e-3), np.float32(1.0)))
    assert single.value.dtype == jnp.float32
    assert float(single) == pytest.approx(5e-7, rel=1e-6)


def test_invalid_parameters_in_compiled_code_are_nan():
    found = jax.jit(lambda s: sf.kl(sf.Normal(0.0, s), sf.Normal()).value)(jnp.asarray([1.0, -1.0, jnp.nan]))
    np.testing.assert_array_equal(np.isnan(found), [False, True, True])
    n = jax.jit(lambda n: sf.kl(sf.Binomial(n, 0.2), sf.Binomial(5.0, 0.3)).value)(jnp.asarray([5.0, 4.0]))
    np.testing.assert_array_equal(np.isnan(n), [False, True])  # of unequal numbers of trials there is no formula
    assert not closed.has_kl(sf.Binomial(4, 0.2), sf.Binomial(5, 0.3))  # but a sum


def test_the_term_of_a_variational_autoencoder():
    """Diagonal normals to the standard normal, three ways: ½ Σ (μ² + σ² − 1 − log σ²)."""
    mu, sigma = RNG.normal(size=(7, 4)), RNG.gamma(2.0, size=(7, 4))
    exact = 0.5 * (mu**2 + sigma**2 - 1.0 - np.log(sigma**2)).sum(-1)
    each = sf.kl(sf.Independent(sf.Normal(mu, sigma)), sf.Independent(sf.Normal(np.zeros(4), 1.0)))
    whole = sf.kl(
        sf.MultivariateNormal.from_cholesky(mu, sigma[..., None] * np.eye(4)),
        sf.MultivariateNormal(np.zeros(4), np.eye(4)),
    )
    for found in (each, whole):
        assert found.how == "closed form"
        np.testing.assert_allclose(found.value, exact, rtol=1e-12)
    parts = [sf.Product([sf.Normal(a, b), sf.Gamma(2.0, c)]) for a, b, c in ((0.0, 1.0, 1.0), (1.0, 2.0, 3.0))]
    split = sf.kl(sf.Normal(0.0, 1.0), sf.Normal(1.0, 2.0)).value + sf.kl(sf.Gamma(2.0, 1.0), sf.Gamma(2.0, 3.0)).value
    np.testing.assert_allclose(sf.kl(*parts).value, split, rtol=1e-14)


def test_bad_input():
    with pytest.raises(TypeError, match="q must be a distribution, got float"):
        sf.kl(sf.Normal(), 1.0)
    with pytest.raises(ValueError, match=r"values of one shape, got \(\) and \(2,\)"):
        sf.kl(sf.Normal(), VECTORS[0])
    with pytest.raises(ValueError, match="order must be a finite number > 0, got 0"):
        sf.renyi(*PAIR, 0.0)
    with pytest.raises(ValueError, match="alpha must be a finite number, got inf"):
        sf.alpha_divergence(*PAIR, np.inf)
    with pytest.raises(ValueError, match="draws must be >= 100, got 10"):
        sf.jensen_shannon(*VECTORS, draws=10)


def test_estimates():
    assert repr(sf.kl(*PAIR)) == "Estimate(0.270826, closed form)"
    found = sf.Estimate(1.0, 0.1, "Monte Carlo", 0.3)
    assert (float(found), repr(found)) == (1.0, "Estimate(1 ± 0.1, Monte Carlo, pareto_k=0.3)")
    doubled = jax.tree.map(lambda v: 2.0 * v, found)
    assert (doubled.value, doubled.standard_error, doubled.how) == (2.0, 0.2, "Monte Carlo")
