"""The contract of distributions of vectors and matrices: what ``contract.py`` is for numbers.

A family adds one line to ``MEMBERS``: three members, stacked, and one to ``SCIPY`` where SciPy has it. Statistical tests
have a false-alarm rate of 1e-9 each: standardised errors of means over 20,000 draws stay below 6.2.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.distributions import generic
from suffice.distributions.catalogue import CATALOGUE

DRAWS = 20_000
LARGEST = 6.2  # a standard normal is beyond with probability 6e-10
SUMMARIES = ("mean", "variance", "stddev", "mode", "entropy")


def spd(rng, d):
    root = rng.normal(size=(d, d + 2))
    return root @ root.T / d


def covariances(rng, d, count=3):
    return np.stack([spd(rng, d) for _ in range(count)])


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


MEMBERS = {
    "MultivariateNormal": lambda r: sf.MultivariateNormal(r.normal(size=(3, 3)), covariances(r, 3)),
    "MultivariateT": lambda r: sf.MultivariateT(np.array([5.0, 9.0, 40.0]), r.normal(size=(3, 3)), covariances(r, 3)),
    "Dirichlet": lambda r: sf.Dirichlet(np.array([[1.0, 1.0, 1.0], [0.6, 2.0, 7.0], [30.0, 100.0, 3.0]])),
    "Multinomial": lambda r: sf.Multinomial(np.array([1, 10, 300]), r.normal(size=(3, 4))),
    "DirichletMultinomial": lambda r: sf.DirichletMultinomial(np.array([1, 10, 300]), r.uniform(0.5, 5, (3, 4))),
    "Wishart": lambda r: sf.Wishart(np.array([3.5, 5.0, 50.0]), covariances(r, 3)),
    "InverseWishart": lambda r: sf.InverseWishart(np.array([11.0, 15.0, 50.0]), covariances(r, 3)),
    "LKJ": lambda r: sf.LKJ(4, np.array([1.0, 1.5, 20.0])),
    "MatrixNormal": lambda r: sf.MatrixNormal(r.normal(size=(3, 2, 3)), covariances(r, 2), covariances(r, 3)),
    "NormalInverseGamma": lambda r: sf.NormalInverseGamma(
        r.normal(size=3), np.array([1.0, 0.5, 30.0]), np.array([5.0, 6.0, 40.0]), np.array([1.0, 4.0, 9.0])
    ),
    "NormalInverseWishart": lambda r: sf.NormalInverseWishart(
        r.normal(size=(3, 2)), np.array([1.0, 0.5, 30.0]), np.array([10.0, 12.0, 40.0]), covariances(r, 2)
    ),
    "VonMisesFisher": lambda r: sf.VonMisesFisher(unit(r.normal(size=(3, 4))), np.array([0.0, 2.0, 500.0])),
}

SCIPY = {
    "MultivariateNormal": lambda p: scipy.stats.multivariate_normal(p.loc, p.covariance()),
    "MultivariateT": lambda p: scipy.stats.multivariate_t(p.loc, p._scale, p.df),
    "Dirichlet": lambda p: scipy.stats.dirichlet(p.concentration),
    "Multinomial": lambda p: scipy.stats.multinomial(int(p.total_count), p.probs),
    "DirichletMultinomial": lambda p: scipy.stats.dirichlet_multinomial(p.concentration, int(p.total_count)),
    "Wishart": lambda p: scipy.stats.wishart(float(p.df), p._scale),
    "InverseWishart": lambda p: scipy.stats.invwishart(float(p.df), p._scale),
    "MatrixNormal": lambda p: scipy.stats.matrix_normal(p.loc, p._rows, p._columns),
    "VonMisesFisher": lambda p: scipy.stats.vonmises_fisher(p.direction, float(p.concentration)),
}


class Case:
    """A family with three members stacked, and draws from each of them."""

    def __init__(self, kind):
        self.kind, self.name = kind, kind.__name__
        self.p = MEMBERS[self.name](np.random.default_rng(len(self.name)))
        self.event = tuple(range(-kind.event_ndim, 0))
        self.draws = np.asarray(self.p.sample((DRAWS,), rng=17)).astype(float)
        self.log_prob = np.asarray(self.p.log_prob(self.draws))
        held = kind.held + tuple(f.name for f in dataclasses.fields(kind) if f.metadata.get("static"))
        self.held = held

    def member(self, i):
        """One of the members, its parameters as arrays."""
        return jax.tree.map(lambda v: jnp.asarray(v)[i], self.p)

    def family(self, i):
        """The family with what is always held at the values of a member."""
        p = self.member(i)
        known = {f.name: f for f in dataclasses.fields(self.kind) if f.name in self.held}
        names = {f.metadata["alias"] or name: p._public(f) for name, f in known.items()}
        return sf.family(self.kind, **names) if names else self.kind


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        kinds = [e.kind for e in CATALOGUE if e.kind.event_ndim]
        metafunc.parametrize("case", kinds, ids=[k.__name__ for k in kinds], indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request):
    yield Case(request.param)
    jax.clear_caches()


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def standardised(values):
    """Mean over draws in units of its standard error."""
    error = np.maximum(values.std(0) / np.sqrt(len(values)), 1e-13)  # a constant is known to its rounding
    return values.mean(0) / error


# -- densities ------------------------------------------------------------------------------------------------------


def test_scipy(case):
    """Densities agree with SciPy's, which keeps about 1e-10 of them."""
    if case.name not in SCIPY:
        return
    for i in range(3):
        p, x = case.member(i), case.draws[:20, i]
        if case.name == "VonMisesFisher" and float(p.concentration) == 0.0:  # which SciPy refuses
            continue
        other = SCIPY[case.name](jax.tree.map(np.asarray, p))
        if case.name == "Dirichlet":
            expected = np.array([other.logpdf(row / row.sum()) for row in x])
        elif case.name in ("Wishart", "InverseWishart"):
            expected = other.logpdf(np.moveaxis(x, 0, -1))
        elif case.kind.discrete:
            expected = other.logpmf(x.astype(int))
        else:
            expected = other.logpdf(x)
        np.testing.assert_allclose(p.log_prob(x), expected, rtol=1e-10, atol=1e-10)


def test_draws_lie_in_the_support(case):
    """Every draw does, and has a finite density; NaN gives NaN, what lies outside −inf."""
    assert all(np.all(np.asarray(case.member(i).support().contains(case.draws[:, i]))) for i in range(3))
    assert np.all(np.isfinite(case.log_prob))
    p, x = case.member(1), case.draws[0, 1].copy()
    bad = x.copy()
    bad.flat[0] = np.nan
    assert np.isnan(p.log_prob(bad))
    if not np.all(np.asarray(p.support().contains(np.full_like(x, -3.5)))):
        assert float(p.log_prob(np.full_like(x, -3.5))) == -np.inf


def test_moments_of_draws(case):
    """Means, variances and minus the mean log-density of draws agree with mean, variance and entropy."""
    mean, variance = np.asarray(case.p.mean()), np.asarray(case.p.variance())
    assert np.all(np.abs(standardised(case.draws - mean)) < LARGEST)
    square = (case.draws - mean) ** 2
    steady = np.abs(square - variance).max(0) < 0.05 * DRAWS * np.where(variance > 0, variance, 1.0)
    assert np.all(np.abs(standardised(square - variance)[steady]) < LARGEST)
    assert np.all(np.abs(standardised(-case.log_prob - np.asarray(case.p.entropy()))) < LARGEST)
    if case.kind.event_ndim == 1:
        step = case.draws - mean
        products = step[..., :, None] * step[..., None, :] - np.asarray(case.p.covariance())
        assert np.all(np.abs(standardised(products)) < LARGEST)


def unconstrained(case, p):
    """Fields that vary, as real numbers."""
    domains = p._domains()
    return {name: domains[name].to_real(jnp.asarray(getattr(p, name))) for name in domains if name not in case.held}


def rebuilt(p, v):
    return p._replaced({name: p._domains()[name].from_real(u) for name, u in v.items()})


def test_score(case):
    """The derivative of the log-density in every parameter has mean 0 over draws, and agrees with differences."""
    for i in (1, 2):
        p = case.member(i)
        v = unconstrained(case, p)
        x = jnp.asarray(case.draws[:, i])
        score = jax.jit(jax.vmap(jax.grad(lambda v, x, p=p: rebuilt(p, v).log_prob(x)), in_axes=(None, 0)))(v, x)
        for u in score.values():
            assert np.all(np.abs(standardised(np.asarray(u))) < LARGEST)
        h = 1e-4
        rng = np.random.default_rng(i)
        direction = {n: jnp.asarray(rng.normal(size=u.shape)) for n, u in v.items()}
        moved = jax.jit(lambda s, p=p, v=v, d=direction, x=x: rebuilt(p, {n: v[n] + s * d[n] for n in v}).log_prob(x))
        difference = (np.asarray(moved(h)) - np.asarray(moved(-h))) / (2 * h)
        slope = sum(
            (np.asarray(score[n]) * np.asarray(direction[n])).sum(tuple(range(1, score[n].ndim))) for n in score
        )
        np.testing.assert_allclose(slope, difference, rtol=1e-4, atol=1e-4 * np.abs(slope).max())


def test_gradient_in_the_argument(case):
    """The derivative of the log-density in x agrees with differences along directions that stay in the support."""
    if case.kind.discrete:
        return
    p, space = case.member(1), case.kind.sample_space
    if case.name == "LKJ":
        space = p.support()
    v = space.to_real(jnp.asarray(case.draws[:50, 1]))
    direction = jnp.asarray(np.random.default_rng(0).normal(size=v.shape[1:]))
    f = jax.jit(lambda s: p.log_prob(space.from_real(v + s * direction[None])))
    value, slope = jax.jvp(f, (0.0,), (1.0,))
    h = 1e-4
    difference = (np.asarray(f(h)) - np.asarray(f(-h))) / (2 * h)
    assert np.all(np.isfinite(value))
    np.testing.assert_allclose(slope, difference, rtol=1e-4, atol=1e-4 * np.abs(np.asarray(slope)).max())


def test_mode(case):
    """No draw is likelier than the mode."""
    mode = np.asarray(case.p.mode())
    at_mode = np.asarray(case.p.log_prob(mode))
    finite = np.isfinite(at_mode)
    assert np.any(finite)
    assert np.all(case.log_prob[:, finite] <= at_mode[finite] + 1e-9)


# -- what goes in, and what comes out -------------------------------------------------------------------------------


def test_shapes(case):
    """Members (3, 1) against points (4, event) give (3, 4); empty arrays give empty arrays; one member a number."""
    event = case.p.event_shape
    wide = jax.tree.map(lambda v: jnp.asarray(v)[:, None], case.p)
    x = np.broadcast_to(case.draws[0, 1], (4, *event))
    first = case.member(1)
    assert wide.batch_shape == (3, 1)
    assert wide.log_prob(x).shape == (3, 4)
    assert first.log_prob(x[0]).shape == ()
    assert first.log_prob(np.zeros((0, *event))).shape == (0,)
    assert case.p.log_prob(np.zeros((0, 1, *event))).shape == (0, 3)
    np.testing.assert_allclose(wide.log_prob(case.draws[0])[1, 1], case.log_prob[0, 1], rtol=1e-12)
    for name in SUMMARIES:
        expected = () if name == "entropy" else event
        assert getattr(wide, name)().shape == (3, 1, *expected), name
        assert getattr(first, name)().shape == expected, name
    assert wide.sample((2, 5), rng=0).shape == (2, 5, 3, 1, *event)
    assert first.sample(rng=0).shape == event
    with pytest.raises(ValueError, match=case.name):
        first.log_prob(np.zeros((7,) * len(event)))


def test_vmap_and_jit(case):
    """One call over the batch equals ``vmap`` over its members, compiled."""

    def everything(p, x):
        return p.log_prob(x), {name: getattr(p, name)() for name in SUMMARIES}

    x = case.draws[:5]
    log_prob, summaries = jax.jit(jax.vmap(everything, in_axes=(0, 1)))(case.p, x)
    np.testing.assert_allclose(log_prob.T, case.log_prob[:5], rtol=1e-11, atol=1e-11)
    for name, value in summaries.items():
        np.testing.assert_allclose(value, getattr(case.p, name)(), rtol=1e-10, atol=1e-12, err_msg=name)
    keys = jax.random.split(jax.random.key(0), 3)
    assert jax.vmap(lambda p, key: p.sample((2,), rng=key))(case.p, keys).shape == (3, 2, *case.p.event_shape)


def test_float32(case):
    """float32 parameters and points give float32 results, near those of the same numbers in float64."""
    narrow = jax.tree.map(lambda v: jnp.asarray(v, jnp.float32), case.p)
    x = jnp.asarray(case.draws[:20], jnp.float32)
    value = narrow.log_prob(x)
    assert value.dtype == jnp.float32
    wide = jax.tree.map(lambda v: jnp.asarray(v, jnp.float64), narrow)
    if case.kind.discrete or case.name in ("MultivariateNormal", "MultivariateT", "MatrixNormal"):
        expected = np.asarray(wide.log_prob(np.asarray(x, float)))
        np.testing.assert_allclose(value, expected, rtol=2e-4, atol=2e-4)
    else:  # rounded points leave the support
        np.testing.assert_allclose(value, case.log_prob[:20], rtol=5e-3, atol=5e-3)
    assert narrow.mean().dtype == jnp.float32
    assert narrow.entropy().dtype == jnp.float32


def test_invalid_parameters(case):
    """Traced, NaN everywhere; eagerly, an error that names class, parameter and condition."""
    for field in dataclasses.fields(case.kind):
        domain = field.metadata["domain"]
        if domain is None:
            continue
        values = {
            f.name: np.asarray(getattr(case.p, f.name))
            for f in dataclasses.fields(case.kind)
            if not f.metadata.get("static")
        }
        bad = np.full_like(values[field.name], np.nan, float)
        p = case.p._replaced({field.name: jnp.asarray(bad)})
        assert np.all(np.isnan(p.log_prob(case.draws[0])))
        assert np.all(np.isnan(p.mean()))
        draws = np.asarray(p.sample(2, rng=0))
        assert np.all(np.isnan(draws) | (draws == -1))
        fixed = {f.name: getattr(case.p, f.name) for f in dataclasses.fields(case.kind) if f.metadata.get("static")}
        public = field.metadata["alias"] or field.name
        with pytest.raises(ValueError, match=f"{case.name}.{public} must be"):
            case.kind(**fixed, **{n: v for n, v in values.items() if n != field.name}, **{public: bad})


def test_what_does_not_exist(case):
    """Arrays are not ordered: tails and quantiles are refused with a reason."""
    for name in ("cdf", "sf", "log_cdf", "log_sf", "icdf", "isf"):
        with pytest.raises(sf.DoesNotExistError, match="not ordered"):
            getattr(case.p, name)(0.5)
    for name in ("median", "skewness", "kurtosis"):
        with pytest.raises(sf.DoesNotExistError, match="not ordered"):
            getattr(case.p, name)()


def test_transforms(case):
    """Where they have a closed form, transforms are the means over draws."""
    if generic.own(case.p, "_cumulant") is None:
        with pytest.raises(NotImplementedError, match="no closed form"):
            case.p.cumulant(np.zeros(case.p.event_shape))
        return
    deviation = np.asarray(case.p.stddev())
    t = 0.3 / np.where(deviation > 0, deviation, 1.0)
    phase = (case.draws * t).sum(case.event)
    wave = np.exp(1j * phase) - np.asarray(case.p.cf(t))
    assert np.all(np.abs(standardised(wave.real)) < LARGEST)
    assert np.all(np.abs(standardised(wave.imag)) < LARGEST)
    assert np.all(np.abs(standardised(np.exp(phase) - np.asarray(case.p.mgf(t)))) < LARGEST)


# -- exponential families and estimation ----------------------------------------------------------------------------


def test_exponential_family(case):
    """The natural form is the density, its map inverts, its gradient and Hessian are moments of the statistic."""
    if not issubclass(case.kind, sf.ExponentialFamily):
        assert not hasattr(case.kind, "natural")
        return
    p, x = case.p, case.draws
    eta = np.asarray(p.natural())
    np.testing.assert_allclose(p.natural_log_prob(x[:50]), case.log_prob[:50], rtol=1e-9, atol=1e-9)
    held = {name: getattr(p, name) for name in case.held}
    again = case.kind.from_natural(eta, **held)
    np.testing.assert_allclose(again.log_prob(x[:50]), case.log_prob[:50], rtol=1e-9, atol=1e-9)
    statistic = np.asarray(p.statistic(x))
    assert np.all(np.abs(standardised(statistic - np.asarray(p.mean_parameters()))) < LARGEST)
    for i in range(3):
        information = np.asarray(case.member(i).natural_fisher_information())
        step = statistic[:, i] - np.asarray(case.member(i).mean_parameters())
        square = (step**2 - np.diagonal(information)) / np.where(
            np.diagonal(information) > 0, np.diagonal(information), 1.0
        )
        steady = np.abs(square).max(0) < 0.05 * DRAWS
        assert np.all(np.abs(standardised(square)[steady]) < LARGEST)
        assert np.all(np.linalg.eigvalsh(information) >= -1e-8 * np.abs(information).max())


def test_fit(case):
    """The fit is the maximum, near the truth within its errors; statistics of pieces add up to the whole."""
    i, n = 1, 4_000
    family, x = case.family(i), case.draws[:n, i]
    fit = sf.fit(family, x)
    assert fit.converged, fit.message
    p = fit.distribution
    best = float(np.asarray(p.log_prob(x)).sum())
    assert float(fit.log_likelihood) == pytest.approx(best, rel=1e-11, abs=1e-8)
    assert best >= case.log_prob[:n, i].sum() - 1e-8
    v = fit.family.vector(p)
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(30, len(v))) * 10.0 ** rng.uniform(-4, -1, (30, 1))
    others = jax.jit(jax.vmap(lambda s: fit.family.build(v + s).log_prob(x).sum()))(steps)
    assert np.all(np.asarray(others) <= best + 1e-8)
    truth = fit.family.report(case.member(i))
    found = np.array(list(fit.parameters.values()))
    errors = np.array(list(fit.standard_errors.values()))
    if case.name != "Multinomial":  # whose logits are determined up to a constant, reported as probabilities
        assert np.all(np.abs(found - truth) <= 6.5 * errors), (found, truth, errors)
    doubled = sf.fit(family, x, weights=np.full(n, 2.0))
    np.testing.assert_allclose(list(doubled.parameters.values()), found, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(list(doubled.standard_errors.values()), errors / np.sqrt(2.0), rtol=1e-5)
    if generic.own(case.kind, "_estimate") is not None:
        parts = [sf.statistics(family, piece) for piece in np.split(x, [7, 900])]
        merged = sf.fit(family, parts[2] + parts[0] + parts[1])
        np.testing.assert_allclose(list(merged.parameters.values()), found, rtol=1e-11, atol=1e-12)
