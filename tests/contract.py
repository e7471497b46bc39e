"""The contract every family of the catalogue keeps.

What is tested follows from what a family declares: its parameters' domains, its hooks, whether it is discrete, whether
it is an exponential family, whether it has a sufficient statistic. Adding a family adds one line of the catalogue, and
no line here. Parameter sets are stacked along the last axis and points along the first, so that each method is one
compiled call per family; ``--full`` takes all families and many more sets.

Tolerances: the library promises 1e-13 relative where the conditioning allows. ``Case`` computes condition numbers
from the family's own density: moving x by eps·|x| moves log F by eps·|x| f/F, and log f by eps·|x| |(log f)'|.
"""

import dataclasses
import functools
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.distributions import generic
from suffice.distributions.catalogue import CATALOGUE
from suffice.numerics import quadrature
from suffice.numerics.newton import AT_LIMIT

PROMISE = 1e-13
# One of each make, with every hook that the base calls; the others come with --full, since each compiles all methods
# anew, which takes a minute or more. Their values are tested in test_accuracy.py, their fits in test_every_family.py.
REPRESENTATIVES = (
    sf.Normal, sf.Gamma, sf.StudentT, sf.Uniform, sf.GeneralizedPareto, sf.VonMises, sf.Categorical, sf.Poisson, sf.NegativeBinomial,
)  # fmt: skip
FALSE_ALARM = 1e-9  # of each statistical test
DRAWS = 20_000

TAILS = np.array([1e-290, 1e-100, 1e-20, 1e-8, 1e-3, 0.02, 0.2, 0.47])
ODD_POINTS = np.array([np.nan, np.inf, -np.inf])
ODD_LEVELS = np.array([np.nan, -0.1, 1.1, 0.0, 1.0])
AT_POINTS = ("log_prob", "prob", "cdf", "sf", "log_cdf", "log_sf")
AT_LEVELS = ("icdf", "isf")
AT_ARGUMENTS = ("cumulant", "mgf", "cf")
SUMMARIES = ("mean", "variance", "stddev", "skewness", "kurtosis", "median", "mode", "entropy")


# -- parameter sets from declared domains -------------------------------------------------------------------------


def drawn(domain, rng, count):
    """Random members of a domain, over several orders of magnitude."""
    if domain.event_ndim:
        return np.asarray(domain.from_real(jnp.asarray(3.0 * rng.normal(size=(count, 4)))))
    if domain.integer:
        return np.ceil(drawn(dataclasses.replace(domain, integer=False), rng, count))
    low, high = domain._bounded()
    if low and high:
        return domain.lower + (domain.upper - domain.lower) / (1.0 + np.exp(-2.0 * rng.normal(size=count)))
    if low:
        return domain.lower + 10.0 ** rng.uniform(-1.0, 2.0, count)
    return 10.0 * rng.normal(size=count)


def edges(domain):
    """Members of a domain where formulae change: large, small, 1, and ends that belong to it."""
    if domain.event_ndim:
        return [np.zeros(5), np.array([0.0, -30.0, 5.0, -np.inf, 1.0])]
    low, high = domain._bounded()
    if low and high:
        inner = [domain.lower + s * (domain.upper - domain.lower) for s in (0.03, 0.5, 0.97)]
    else:
        inner = [domain.lower + s for s in (0.03, 1.0, 1e4)] if low else [0.0, -300.0, 7.0]
    inner = [np.ceil(v) for v in inner] if domain.integer else inner
    ends = [float(e) for e, c in zip((domain.lower, domain.upper), domain.closed, strict=True) if c]
    return inner + [e for e in ends if np.isfinite(e)]


def outside(domain):
    """Values that do not belong to a domain."""
    if domain.event_ndim:
        return [np.full(5, np.nan), np.full(5, np.inf)]
    bad = [np.nan, 0.5] if domain.integer else [np.nan]
    for end, closed, step in zip((domain.lower, domain.upper), domain.closed, (-1.0, 1.0), strict=True):
        if np.isfinite(end):
            bad.append(end + step if closed else end)
        elif not closed:
            bad.append(end)
    return bad


def unchecked(kind, values):
    """A member built past the constructor, as traced code would."""
    p = object.__new__(kind)
    p.__dict__.update({name: jnp.asarray(v) for name, v in values.items()})
    return p


def consistent(kind, values):
    condition = generic.own(unchecked(kind, values), "_condition")
    return np.asarray(True) if condition is None else np.asarray(condition()[0])


def parameter_sets(kind, full):
    """Stacked valid parameters: random ones, and edges combined by a Latin square (all of them with ``--full``)."""
    rng = np.random.default_rng(zlib.crc32(kind.__name__.encode()))
    domains = kind._domains()
    lists = {name: edges(domain) for name, domain in domains.items()}
    if any(domain.event_ndim for domain in domains.values()):
        return {name: np.stack([*drawn_rows(domain, rng, lists[name])]) for name, domain in domains.items()}
    if full:
        grid = np.meshgrid(*lists.values(), indexing="ij")
        corners = {name: g.ravel() for name, g in zip(domains, grid, strict=True)}
    else:
        most = max(map(len, lists.values()))
        corners = {
            name: np.array([values[(i * (place + 1) + place) % len(values)] for i in range(most)])
            for place, (name, values) in enumerate(lists.items())
        }
    random = {name: drawn(domain, rng, 400) for name, domain in domains.items()}
    usable = np.flatnonzero(np.broadcast_to(consistent(kind, random), 400))[: 60 if full else 5]
    good = np.broadcast_to(consistent(kind, corners), len(next(iter(corners.values()))))
    return {name: np.concatenate([corners[name][good], random[name][usable]]) for name in domains}


def drawn_rows(domain, rng, corners):
    width = len(corners[0])
    yield from corners
    for _ in range(4):
        yield np.asarray(domain.from_real(jnp.asarray(3.0 * rng.normal(size=width - 1))))


def ends(p):
    """Lower and upper end of the support as NumPy numbers, which broadcast freely."""
    support = p.support()
    return np.asarray(support.lower, float), np.asarray(support.upper, float)


def representable(p):
    """Whether moderate quantiles are numbers at all: a log-normal with scale 1e4 has almost all its mass at 0 or inf."""
    if p.discrete:
        return np.ones(p.batch_shape, bool)
    x = np.abs(np.stack([np.asarray(getattr(p, m)(np.full(p.batch_shape, 1e-3))) for m in AT_LEVELS]))
    return ~np.any(((x < 1e-300) & (x != 0.0)) | ((x == 0.0) & (ends(p)[0] == 0.0)) | np.isinf(x), axis=0)


class Case:
    """A family with stacked parameters, and every method's values at stacked points, each computed in one call."""

    def __init__(self, entry, full):
        self.entry, self.kind, self.name = entry, entry.kind, entry.name
        sets = parameter_sets(entry.kind, full)
        usable = representable(unchecked(self.kind, sets))
        self.sets = {name: values[usable] for name, values in sets.items()}
        self.p = unchecked(self.kind, self.sets)
        self.columns = self.p.batch_shape[0]
        self.seed = zlib.crc32(self.name.encode())
        self.target = self.kind
        if set(self.kind.held) < set(self.sets):
            known = {name: self.sets[name][-1] for name in self.kind.held}
            self.target = sf.family(self.kind, **known) if known else self.kind

    @functools.cached_property
    def with_invalid(self):
        """The good columns, and after them columns in which one parameter is invalid."""
        wrong = [(name, value) for name, domain in self.kind._domains().items() for value in outside(domain)]
        rows = {n: [*v, *([v[0]] * len(wrong))] for n, v in self.sets.items()}
        for place, (name, value) in enumerate(wrong, start=self.columns):
            rows[name][place] = value
        return unchecked(self.kind, {n: np.stack(v) for n, v in rows.items()})

    @functools.cached_property
    def levels(self):
        return np.broadcast_to(
            np.concatenate([TAILS, ODD_LEVELS])[:, None], (len(TAILS) + len(ODD_LEVELS), *self.with_invalid.batch_shape)
        ).copy()

    @functools.cached_property
    def x(self):
        """Rows: quantiles from the lower tail, from the upper tail, odd points, points outside the support."""
        quantiles = [np.asarray(getattr(self.with_invalid, m)(self.levels))[: len(TAILS)] for m in AT_LEVELS]
        low, high = ends(self.with_invalid)
        out = (
            [low - 1.0, high + 1.0]
            if self.kind.discrete
            else [v + s * 1e-15 * np.maximum(np.abs(v), 1.0) for v, s in ((low, -1), (high, 1))]
        )
        width = self.levels.shape[1]
        odd = [np.broadcast_to(v, width) for v in (*ODD_POINTS, *out)]
        return np.concatenate([*quantiles, np.stack(odd)])

    @functools.cached_property
    def t(self):
        """Arguments of transforms, in units of a width of the family."""
        width = self.spread
        share = np.array([0.0, -3.0, -0.5, -0.01, 0.01, 0.5, 3.0, np.nan])
        return share[:, None] / np.concatenate([width, np.ones(self.levels.shape[1] - len(width))])

    @functools.cached_property
    def spread(self):
        """A robust width: the distance of two quantiles, or 1 where they agree."""
        width = np.asarray(self.p.isf(np.full(self.columns, 0.2)) - self.p.icdf(np.full(self.columns, 0.2)))
        return np.where(width > 0, width, 1.0)

    @functools.cached_property
    def values(self):
        """Values of every method on all rows and columns; an exception where a quantity does not exist."""
        found = {}
        for names, argument in ((AT_POINTS, "x"), (AT_LEVELS, "levels"), (AT_ARGUMENTS, "t"), (SUMMARIES, None)):
            for name in names:
                arguments = () if argument is None else (getattr(self, argument),)
                try:
                    found[name] = np.asarray(getattr(self.with_invalid, name)(*arguments))
                except sf.DoesNotExistError as error:
                    found[name] = error
        return found

    def __getitem__(self, name):
        """Values on the regular rows and good columns."""
        value = self.values[name]
        if isinstance(value, Exception) or value.ndim == 1:
            return value if isinstance(value, Exception) else value[: self.columns]
        rows = {"icdf": len(TAILS), "isf": len(TAILS), "cumulant": 7, "mgf": 7, "cf": 7}.get(name, 2 * len(TAILS))
        return value[:rows, : self.columns]

    @functools.cached_property
    def points(self):
        return self.x[: 2 * len(TAILS), : self.columns]

    @functools.cached_property
    def inner(self):
        """Whether a point is a usable number strictly inside the support: deep quantiles may underflow to its ends."""
        (low, high), x = ends(self.p), self.points
        return (x > low) & (x < high) & np.isfinite(x) & ((np.abs(x) > 1e-290) | (x == 0))

    @functools.cached_property
    def score(self):
        """d log p / dx at the points, continuous families."""
        return np.asarray(derivative(sf.Distribution.log_prob)(self.p, self.points))

    @functools.cached_property
    def sensitivity(self):
        """Σ |theta ∂ log p/∂ theta| at the points: how far rounding of the parameters moves log p, in units of eps."""
        leaves, structure = jax.tree.flatten(self.p)

        @jax.jit
        def change(leaves, x):
            total = 0.0
            for i in range(len(leaves)):
                moved = [
                    jnp.where(jnp.isfinite(v), v, 0.0) if j == i else jnp.zeros_like(v) for j, v in enumerate(leaves)
                ]
                f = lambda *v: jax.tree.unflatten(structure, v).log_prob(x)  # noqa: E731
                total = total + jnp.abs(jax.jvp(f, tuple(leaves), tuple(moved))[1])
            return total

        return np.nan_to_num(np.asarray(change(leaves, self.points)), posinf=0.0)

    @functools.cached_property
    def reach(self):
        """|x| and the numbers x is made of: what rounding is relative to."""
        median = np.abs(np.asarray(self.p.median()))
        return np.abs(self.points) + np.abs(self.points - median) + median


@functools.cache
def derivative(method):
    """d method / dx elementwise, compiled."""

    def tangent(p, x):
        return jax.jvp(lambda x: method(p, x), (x,), (jnp.ones_like(x),))[1]

    return jax.jit(tangent)


@pytest.fixture(autouse=True)
def quiet():
    """NaN and infinities are looked at here, not stumbled over."""
    with np.errstate(all="ignore"):
        yield


def pytest_generate_tests(metafunc):
    """Every family in turn with ``--full``, else one of each make."""
    if "case" in metafunc.fixturenames:
        full = metafunc.config.getoption("full")
        numbers = [e for e in CATALOGUE if not e.kind.event_ndim]
        entries = [e for e in numbers if full or e.kind in REPRESENTATIVES]
        metafunc.parametrize("case", entries, ids=[e.name for e in entries], indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request):
    yield Case(request.param, request.config.getoption("full"))
    jax.clear_caches()  # a process may map only so many programs


def close(value, expected, tolerance, where=True):
    """All entries agree within an absolute tolerance where asked; what is not finite agrees with itself."""
    value, expected, tolerance, where = np.broadcast_arrays(value, expected, tolerance, where)
    same = (value == expected) | (np.isnan(value) & np.isnan(expected))
    gap = np.where(same, 0.0, np.abs(value - expected))
    bad = where & ~(gap <= np.nan_to_num(tolerance, nan=0.0, posinf=np.inf))
    if np.any(bad):
        i = np.unravel_index(np.argmax(np.where(bad, np.nan_to_num(gap / tolerance, nan=np.inf), -1.0)), bad.shape)
        raise AssertionError(
            f"{bad.sum()} of {where.sum()} disagree, worst at {tuple(map(int, i))}: "
            f"{value[i]!r} against {expected[i]!r}, tolerance {tolerance[i]:.3g}"
        )


def skewed_rows(case):
    """Rows of points at moderate levels: from 1e-3 on, both sides."""
    return np.tile(TAILS >= 1e-3, 2)


# -- values -------------------------------------------------------------------------------------------------------


def test_tails_are_a_probability(case):
    """cdf + sf = 1, and both have the sign and range of probabilities."""
    cdf, survival = case["cdf"], case["sf"]
    assert np.all((cdf >= 0) & (cdf <= 1) & (survival >= 0) & (survival <= 1))
    close(cdf + survival, 1.0, PROMISE)


def test_logarithms(case):
    """log_cdf and log_sf are the logarithms of the tails; finite at the deepest points."""
    for log_name, name in (("log_cdf", "cdf"), ("log_sf", "sf"), ("log_prob", "prob")):
        value, log_value = case[name], case[log_name]
        normal = value > 1e-280
        close(log_value, np.log(np.where(normal, value, 1.0)), PROMISE * (1.0 + np.abs(log_value)), normal)
    assert np.all(np.isfinite(case["log_cdf"][case.inner]))
    assert np.all(np.isfinite(case["log_sf"][case.inner]))


def test_quantiles_invert(case):
    """cdf(icdf(q)) = q and sf(isf(q)) = q, each as far as rounding x allows; for counts the smallest such integer."""
    n, q = len(TAILS), TAILS[:, None]
    if case.kind.discrete:
        for tail, at in (("cdf", slice(0, n)), ("sf", slice(n, 2 * n))):
            x = case.points[at]
            # beyond 2⁵³ not every integer is a number, nor is any beyond the largest: the one before is what is
            previous = np.minimum(x - 1.0, np.nextafter(x, -np.inf))
            here, before = (np.asarray(getattr(case.p, tail)(at)) for at in (x, previous))
            slack = PROMISE * q
            if tail == "cdf":
                assert np.all((here >= q - slack) & (before < q + slack))
            else:
                assert np.all((here <= q + slack) & (before > q - slack))
        return
    condition = 1.0 + case.reach * np.exp(case["log_prob"] - np.concatenate([case["log_cdf"][:n], case["log_sf"][n:]]))
    close(case["cdf"][:n] / q, 1.0, PROMISE * condition[:n], case.inner[:n])
    close(case["sf"][n:] / q, 1.0, PROMISE * condition[n:], case.inner[n:])


def test_density_is_the_slope_of_the_cdf(case):
    """d cdf/dx = p and d sf/dx = −p; for counts, differences of tails are probabilities."""
    x, density = case.points, case["prob"]
    if case.kind.discrete:
        for tail, sign in (("cdf", 1.0), ("sf", -1.0)):
            here, before = case[tail], np.asarray(getattr(case.p, tail)(x - 1.0))
            # a relative change eps of the centre moves log p by eps times the distance times the slope of log p
            slope = case["log_prob"] - np.asarray(case.p.log_prob(x - 1.0))
            condition = 1.0 + np.abs(x - np.asarray(case.p.median())) * np.where(np.isfinite(slope), np.abs(slope), 0.0)
            close(sign * (here - before), density, PROMISE * (here + before) * condition)
        return
    condition = 1.0 + case.reach * np.abs(case.score) + np.abs(case["log_prob"]) + case.sensitivity
    tolerance = PROMISE * density * condition + 1e-305
    inner = case.inner & (np.abs(x) < 1e150)  # where the chain rule may divide by the square of x
    close(derivative(sf.Distribution.cdf)(case.p, x), density, tolerance, inner)
    close(-derivative(sf.Distribution.sf)(case.p, x), density, tolerance, inner)


def test_total_probability(case):
    """Probabilities sum to 1, densities integrate to 1 between quantiles."""
    ones = generic.expectation(case.p, lambda x: jnp.ones_like(x))
    close(ones, 1.0, 1e-12)  # a sum of a thousand terms


def test_scipy(case):
    """Agreement with SciPy at moderate points: 1e-8 is what SciPy itself keeps for these families."""
    rows = skewed_rows(case)
    for j in range(case.columns):
        p = jax.tree.map(lambda v, j=j: np.asarray(v)[j], case.p)
        names = {n: np.asarray(getattr(p, f.name)) for n, f in zip(p._fields(), dataclasses.fields(p), strict=True)}
        names |= {public: np.asarray(getattr(p, public)) for public, _ in case.kind.reported.values()}
        names["k"] = np.arange(np.size(next(iter(names.values()))))
        if not case.entry.scipy:  # SciPy lacks the family
            return
        family, arguments = case.entry.scipy.split("(", 1)
        other = getattr(scipy.stats, family)(**eval(f"dict({arguments}", {"exp": np.exp}, names))
        x = case.points[rows, j]
        x = x[case.inner[rows, j]] if not case.kind.discrete else x
        log_density = other.logpmf(x) if case.kind.discrete else other.logpdf(x)
        told = np.isfinite(log_density)  # far out SciPy may underflow
        told &= (np.abs(x) < 1e6) if case.kind.discrete else True  # and it adds up counts one by one
        x, log_density = x[told], log_density[told]
        scale = 1.0 + np.abs(log_density)
        np.testing.assert_allclose(np.asarray(p.log_prob(x)) / scale, log_density / scale, rtol=0, atol=1e-8)
        np.testing.assert_allclose(p.cdf(x), other.cdf(x), rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(p.sf(x), other.sf(x), rtol=1e-8, atol=1e-10)


# -- what goes in, and what comes out -----------------------------------------------------------------------------


def test_limits_and_outsiders(case):
    """NaN gives NaN; outside the support −inf, 0 and 1; levels 0 and 1 give the ends of the support."""
    m, x, values = case.columns, case.x[2 * len(TAILS) :, : case.columns], case.values
    rows = {name: values[name][2 * len(TAILS) :, :m] for name in AT_POINTS}
    assert all(np.all(np.isnan(v[0])) for v in rows.values())
    sides = {"log_prob": (-np.inf, -np.inf), "prob": (0, 0), "cdf": (1, 0), "sf": (0, 1), "log_cdf": (0, -np.inf)}
    for name, (above, below) in (sides | {"log_sf": (-np.inf, 0)}).items():
        is_above, is_below = x == np.inf, x == -np.inf
        is_above |= x > ends(case.p)[1]
        is_below |= x < ends(case.p)[0]
        assert np.all(rows[name][is_above] == above), name
        assert np.all(rows[name][is_below] == below), name
    low, high = ends(case.p)
    for name, limits in (("icdf", (low, high)), ("isf", (high, low))):
        nan, below, above, zero, one = values[name][len(TAILS) :, :m]
        assert np.all(np.isnan([nan, below, above]))
        assert np.all(zero == limits[0])
        assert np.all(one == limits[1])
    if case.kind.discrete:
        between = low + 0.5
        assert np.all(np.asarray(case.p.log_prob(between)) == -np.inf)
        assert np.all(np.asarray(case.p.cdf(between)) == np.asarray(case.p.cdf(between - 0.5)))
    for name in AT_ARGUMENTS:
        if not isinstance(values[name], Exception):
            assert np.all(np.isnan(values[name][-1, :m])), name


def test_invalid_parameters(case):
    """Eagerly an error that names class, parameter, condition and value; in traced code NaN everywhere."""
    for field in dataclasses.fields(case.kind):
        domain = field.metadata["domain"]
        good = {f.name: v[0] for f, v in zip(dataclasses.fields(case.kind), case.sets.values(), strict=True)}
        name = f"{case.name}.{field.metadata['alias'] or field.name}"
        for value in outside(domain):
            with pytest.raises(ValueError, match=name) as caught:
                case.kind(**{**good, field.name: value})
            assert str(domain) in str(caught.value)
            assert "got" in str(caught.value)
    for name, value in case.values.items():
        if not isinstance(value, Exception):
            assert np.all(np.isnan(value[..., case.columns :])), name
    draws = np.asarray(case.with_invalid.sample((3,), rng=0))[:, case.columns :]
    assert np.all(np.isnan(draws) | (draws == -1))


def test_shapes(case):
    """Parameters (3, 1) against points (4,) give (3, 4); empty arrays give empty arrays; scalars stay scalars."""
    wide = jax.tree.map(lambda v: jnp.asarray(v)[:3, None], case.p)
    first = jax.tree.map(lambda v: jnp.asarray(v)[0], case.p)
    x = jnp.asarray(np.broadcast_to(case.points[5, 0], 4))
    rank = wide.batch_shape
    for name in (*AT_POINTS, *AT_LEVELS):
        at = x if name in AT_POINTS else jnp.full(4, 0.3)
        method = getattr(case.kind, name)
        value = jax.eval_shape(method, wide, at)
        assert (value.shape, value.dtype) == ((3, 4), jnp.float64), name
        assert jax.eval_shape(method, first, 0.5).shape == ()
        assert jax.eval_shape(method, first, jnp.zeros((0, 2))).shape == (0, 2)
    assert case.p.log_prob(np.zeros((0, 1))).shape == (0, case.columns)
    for name in SUMMARIES:
        if not isinstance(case.values[name], Exception):
            assert jax.eval_shape(getattr(case.kind, name), wide).shape == rank
    assert wide.sample((2, 5), rng=0).shape == (2, 5, 3, 1)
    assert first.sample(rng=0).shape == ()


def everything(p, x, q, missing):
    found = {name: getattr(p, name)(x) for name in AT_POINTS}
    found |= {name: getattr(p, name)(q) for name in AT_LEVELS}
    return found | {name: getattr(p, name)() for name in SUMMARIES if name not in missing}


def test_vmap_and_jit(case):
    """One call over the batch equals ``vmap`` over its members, compiled in another context."""
    missing = tuple(name for name in SUMMARIES if isinstance(case.values[name], Exception))
    q = np.tile(TAILS, 2)[:, None] + np.zeros(case.columns)
    mapped = jax.jit(jax.vmap(everything, in_axes=(0, 1, 1, None), out_axes=-1), static_argnums=3)
    found = mapped(case.p, case.points, q, missing)
    for name, value in found.items():
        expected = case[name]
        value = value if name not in AT_LEVELS else value[: len(TAILS)]
        finite = np.isfinite(expected)
        assert np.all(finite == np.isfinite(value)), name
        # a probability is often the exponential of its logarithm, and rounded with that; skewness and kurtosis are
        # differences of numbers about 1
        scale = (
            np.abs(expected) + 1.0
            if name.startswith("log") or name in ("skewness", "kurtosis")
            else np.where(expected == 0.0, 0.0, np.abs(expected) * (1.0 + np.abs(np.log(np.abs(expected)))))
        )
        close(value, expected, PROMISE * scale, finite)


def test_float32(case):
    """float32 parameters and points give float32 results, which agree as far as their conditioning allows."""
    missing = tuple(name for name in SUMMARIES if isinstance(case.values[name], Exception))
    rows = skewed_rows(case)
    q = np.tile(TAILS, 2)[rows][:, None] + np.zeros(case.columns)
    narrow = jax.tree.map(lambda v: jnp.asarray(v, jnp.float32), case.p)
    x, q = jnp.asarray(case.points[rows], jnp.float32), jnp.asarray(q, jnp.float32)
    single = jax.jit(everything, static_argnums=3)(narrow, x, q, missing)
    assert {name: v.dtype for name, v in single.items() if v.dtype != jnp.float32} == {}
    wide = jax.tree.map(lambda v: jnp.asarray(v, jnp.float64), narrow)
    inner = case.inner[rows] & np.isfinite(x) & ((np.abs(x) > 1e-30) | (x == 0.0))
    for name in ("log_prob", "cdf", "sf", "log_cdf", "log_sf"):
        expected = np.asarray(getattr(wide, name)(x.astype(float)))
        slope = np.asarray(derivative(getattr(sf.Distribution, name))(wide, x.astype(float)))
        condition = 1.0 + np.abs(expected) * name.startswith("log") + case.reach[rows] * np.abs(slope)
        if case.kind.discrete:
            condition = 1.0 + np.abs(expected) + np.abs(case.points[rows])
        # rounding may carry a point across a finite end of the support
        usable = np.isfinite(single[name]) | (condition < 1e5)
        close(single[name], expected, 2.0**-23 * 16 * condition, (inner | case.kind.discrete) & usable)


# -- derivatives --------------------------------------------------------------------------------------------------


def unconstrained(case, p):
    """Names of the regular parameters, and their coordinates on the real line."""
    domains = case.kind._domains()
    return {
        name: domain.to_real(jnp.asarray(getattr(p, name)))
        for name, domain in domains.items()
        if name not in (*case.kind.irregular, *case.kind.held)
    }


def test_gradient(case):
    """The derivative of log_prob in every parameter, and in x, is finite and agrees with differences.

    Central differences with steps h and 2h, extrapolated; their disagreement bounds the error of the extrapolation.
    """
    rows = skewed_rows(case)
    finite = np.asarray(case["log_prob"][rows] > -np.inf) & (case.inner[rows] | case.kind.discrete)
    x = jnp.asarray(np.where(finite, case.points[rows], np.asarray(case.p.median())))
    v = unconstrained(case, case.p)
    domains = case.kind._domains()
    held = {n: jnp.asarray(getattr(case.p, n)) for n in domains if n not in v}
    usable = np.all([np.all(np.isfinite(u).reshape(case.columns, -1), 1) for u in v.values()], axis=0)
    v = {n: jnp.where(jnp.isfinite(u), u, 0.0) for n, u in v.items()}

    def along(s, v, direction, x):
        s = jnp.reshape(s, (-1,))
        moved = {n: domains[n].from_real(u + s.reshape(-1, *(1,) * (u.ndim - 1)) * direction[n]) for n, u in v.items()}
        return unchecked(case.kind, {**held, **moved}).log_prob(x)

    rng = np.random.default_rng(case.seed)
    direction = {n: jnp.asarray(rng.normal(size=np.shape(u))) for n, u in v.items()}

    @jax.jit
    def both(v, direction, x):
        f = lambda s: along(s, v, direction, x)  # noqa: E731
        exact = jax.jvp(f, (jnp.zeros(case.columns),), (jnp.ones(case.columns),))
        steepest = jnp.max(jnp.where(finite & jnp.isfinite(exact[1]), jnp.abs(exact[1]), 0.0), axis=0)
        h = jnp.minimum(2e-3, 0.2 / steepest)  # a narrow density is seen with small steps
        near, far = (f(h) - f(-h)) / (2 * h[None]), (f(2 * h) - f(-2 * h)) / (4 * h[None])
        backward = jax.grad(lambda v: jnp.where(finite, along(0.0, v, direction, x), 0.0).sum())(v)
        return exact, (4 * near - far) / 3, jnp.abs(near - far), backward, h

    (value, slope), difference, gap, backward, h = both(v, direction, x)
    rounding = 2.0**-52 * (64.0 + np.abs(value) * 8.0 + 4.0 * case.reach[rows] * np.abs(slope)) / h[None]
    # a support that moves with the parameters may leave a point behind
    close(slope, difference, gap + rounding, finite & usable & np.isfinite(difference))
    assert all(np.all(np.isfinite(np.asarray(b)[usable])) for b in backward.values())
    if not case.kind.discrete:
        assert np.all(np.isfinite(case.score[case.inner]))
        y, score = case.points[rows], case.score[rows]
        # a density may have a kink at the median or the mode
        places = (*ends(case.p), case["median"], case["mode"])
        h = 1e-3 * np.minimum.reduce([np.abs(y - at) for at in places])
        h = np.minimum(h, 1e-3 * case.spread)
        step = lambda s: np.asarray(case.p.log_prob(y + s * h))  # noqa: E731
        near, far = (step(1.0) - step(-1.0)) / (2 * h), (step(2.0) - step(-2.0)) / (4 * h)
        inside = case.inner[rows] & np.isfinite(near) & np.isfinite(far)
        near, far = np.where(inside, near, 0.0), np.where(inside, far, 0.0)
        rounding = 2.0**-52 * (64.0 + 8.0 * np.abs(value) + 8.0 * case.reach[rows] * np.abs(score)) / h
        close(score, (4 * near - far) / 3, np.abs(near - far) + rounding, inside)


# -- summaries and transforms -------------------------------------------------------------------------------------


def test_summaries_against_quadrature(case):
    """Moments and entropy written out agree with quadrature over quantiles, where that has converged.

    The rule is accurate to 1e-10 where the last of its terms no longer matters: for moments of a tail too heavy it
    does, and these are left to the moments of other members.
    """
    if isinstance(case["mean"], Exception):
        assert "not exist" in str(case["mean"]) or "infinite" in str(case["mean"])
        found = np.asarray(generic.expectation(case.p, lambda x: -generic.column(case.p)._log_prob(x)))
        close(case["entropy"], found, 1e-10 * (1.0 + np.abs(found)))
        return
    mean, deviation = case["mean"], case["stddev"]
    usable = np.isfinite(mean) & np.isfinite(deviation) & (deviation > 0)
    centre, unit = (np.where(usable, v, 1.0)[:, None] for v in (mean, deviation))
    moments = {"mean": 1, "variance": 2, "skewness": 3, "kurtosis": 4}
    expected = {"mean": 0.0, "variance": 1.0, "skewness": case["skewness"], "kurtosis": case["kurtosis"] + 3.0}

    @jax.jit
    def standardised(p):
        found = {n: generic.expectation(p, lambda x, k=k: ((x - centre) / unit) ** k) for n, k in moments.items()}
        return found | {"entropy": generic.expectation(p, lambda x: -generic.column(p)._log_prob(x))}

    found = standardised(case.p)
    # where deep quantiles underflow to an end of the support, the density there is lost to quadrature
    reached = np.isfinite(found["entropy"])
    assert np.any(reached)
    close(case["entropy"], found["entropy"], 1e-10 * (1.0 + np.abs(case["entropy"])), reached)
    converged = converged_moments(case, centre, unit)
    size = 1.0 + np.abs(centre / unit)[:, 0]  # the mean in units of the deviation: what rounding sees
    for name, order in moments.items():
        where = usable & converged[order]
        scale = np.maximum(1.0, np.abs(expected[name])) * size
        close(found[name], expected[name], 1e-10 * scale, where & np.isfinite(expected[name]))
        assert np.all(np.isfinite(np.broadcast_to(expected[name], where.shape)[where])), name


def converged_moments(case, centre, unit):
    """Whether quadrature over quantiles has converged for E[z^k], k = 1 … 4: its last term has vanished."""
    if hasattr(case.kind, "_rule"):
        points, weights = (np.asarray(v) for v in generic.column(case.p)._rule(160))
        x, w = points[:, -1], weights[:, -1]
    elif case.kind.discrete:
        return {k: np.ones(case.columns, bool) for k in range(1, 5)}
    else:
        u, w = (v[-1] for v in quadrature.half_unit_nodes())
        x = np.stack([np.asarray(getattr(case.p, m)(u)) for m in AT_LEVELS])
    last = np.abs(x - centre[:, 0]) / unit[:, 0]
    with np.errstate(over="ignore"):
        return {k: np.all(np.atleast_2d(last**k * w < 1e-13), axis=0) for k in range(1, 5)}


def test_median_and_mode(case):
    """The median is the quantile at one half; no quantile is likelier than the mode."""
    half = np.asarray(case.p.icdf(0.5))
    close(case["median"], half, 4 * PROMISE * (np.abs(half) + case.spread))
    at_mode, log_density = np.asarray(case.p.log_prob(case["mode"])), case["log_prob"]
    is_number = np.asarray(case.p.support().contains(case["mode"]))  # and did not underflow
    assert np.any(is_number)
    likelier = log_density - PROMISE * (1.0 + np.abs(log_density)) > at_mode
    assert not np.any(likelier & is_number)


def test_cumulants_are_derivatives(case):
    """The derivatives of the cumulant generating function at 0 are mean, variance, and so on."""
    cumulant = case["cumulant"]
    if isinstance(cumulant, Exception):
        assert "characteristic function exists" in str(cumulant)
        return
    assert np.all(np.abs(cumulant[0]) <= PROMISE)
    close(
        case["mgf"], np.exp(np.minimum(cumulant, 700.0)), PROMISE * np.exp(np.minimum(cumulant, 700.0)), cumulant < 700
    )
    exists = np.isfinite(cumulant[3]) & np.isfinite(cumulant[4]) & (case["stddev"] > 0)
    deviation = np.where(exists, case["stddev"], 1.0)

    @jax.jit
    def derivatives(p, t):
        f = lambda t: sf.Distribution.cumulant(p, t)  # noqa: E731
        found = []
        for _ in range(4):
            f = (lambda g: lambda t: jax.jvp(g, (t,), (jnp.ones_like(t),))[1])(f)
            found.append(f(t))
        return found

    k1, k2, k3, k4 = (np.asarray(v) for v in derivatives(case.p, np.zeros(case.columns)))
    size = 1.0 + np.abs(case["mean"]) / deviation
    close(k1, case["mean"], 1e-10 * (deviation + np.abs(case["mean"])), exists)
    close(k2 / deviation**2, 1.0, 1e-10 * size, exists)
    close(k3 / deviation**3, case["skewness"], 1e-13 * (1.0 + np.abs(case["skewness"])) * (10.0 + size) ** 3, exists)
    close(k4 / deviation**4, case["kurtosis"], 1e-13 * (1.0 + np.abs(case["kurtosis"])) * (10.0 + size) ** 4, exists)


def test_characteristic_function(case):
    """|cf| <= 1, cf(0) = 1, cf(−t) = conj cf(t), and it is E[cos tX] + i E[sin tX] by quadrature or summation."""
    cf = case["cf"]
    assert np.all(np.abs(cf) <= 1.0 + PROMISE)
    close(cf[0], 1.0, PROMISE)
    close(cf[1:4], np.conj(cf[:3:-1]), PROMISE)
    t = case.t[4:7, : case.columns]
    found, error = expectation_of_waves(case, t)
    close(cf[4:7], found, 10.0 * error + 1e-10, error < 1e-3)


def expectation_of_waves(case, t):
    """E[exp(itX)] and an error estimate: quadrature over quantiles with all its nodes against every second one."""

    def waves(count):
        wave = lambda s: lambda x: jnp.exp(1j * jnp.asarray(s)[:, None] * x)  # noqa: E731
        return np.stack([generic.expectation(case.p, wave(s), count) for s in t])

    if hasattr(case.kind, "_rule"):
        return waves(801), np.abs(waves(801) - waves(401))
    if case.kind.discrete:
        return waves(0), 0.0
    rules = []
    for count in (401, 801):
        u, w = quadrature.half_unit_nodes(count)
        low, high = (np.asarray(getattr(case.p, m)(u[:, None] + np.zeros(case.columns))) for m in AT_LEVELS)
        waves = np.exp(1j * t[:, None] * low) + np.exp(1j * t[:, None] * high)
        rules.append(np.einsum("n,tnm->tm", w, waves))
    return rules[1], np.abs(rules[1] - rules[0])


# -- drawing ------------------------------------------------------------------------------------------------------


def test_sampling(case):
    """Draws follow the cdf, with a false alarm of 1e-9 in all: the band of Dvoretzky, Kiefer, Wolfowitz and Massart.

    P(sup |F_n − F| > e) <= 2 exp(−2 n e²), for counts as well. The same key gives the same draws.
    """
    few = jax.tree.map(lambda v: jnp.asarray(v)[:6], case.p)
    draws = np.asarray(few.sample((DRAWS,), rng=7))
    assert np.array_equal(draws, few.sample((DRAWS,), rng=7))
    random = np.any(np.ptp(draws, axis=0) > 0)  # parameters may leave nothing to chance
    assert np.array_equal(draws, few.sample((DRAWS,), rng=8)) != random
    low, high = ends(few)
    assert np.all((draws >= low) & (draws <= high) & np.isfinite(draws))
    ordered = np.sort(draws, axis=0)
    at = np.asarray(few.cdf(ordered))
    before = ordered - 1.0 if case.kind.discrete else np.nextafter(ordered, -np.inf)  # draws are rounded, say to 1
    below = np.asarray(few.cdf(before))
    distance = np.maximum(last_of_ties(ordered) - at, below - first_of_ties(ordered))
    assert np.max(distance) <= np.sqrt(np.log(2.0 * draws.shape[1] / FALSE_ALARM) / (2.0 * DRAWS))


def last_of_ties(ordered):
    """Share of draws at or below each value."""
    return np.stack([np.searchsorted(c, c, side="right") / len(c) for c in ordered.T], axis=1)


def first_of_ties(ordered):
    """Share of draws strictly below each value."""
    return np.stack([np.searchsorted(c, c, side="left") / len(c) for c in ordered.T], axis=1)


def test_frequencies(case):
    """Cells between quantiles are hit as often as they should be: chi-square, false alarm 1e-9 in all."""
    few = jax.tree.map(lambda v: jnp.asarray(v)[:6], case.p)
    draws = np.asarray(few.sample((DRAWS,), rng=9))
    levels = np.linspace(0.0, 1.0, 33)[1:-1, None]
    cuts = np.asarray(few.icdf(levels + np.zeros(draws.shape[1])))
    at_cuts = np.asarray(few.cdf(cuts))
    for j in range(draws.shape[1]):
        cut, keep = np.unique(cuts[:, j], return_index=True)
        mass = np.diff(np.concatenate([[0.0], at_cuts[keep, j], [1.0]]))
        seen = np.bincount(np.searchsorted(cut, draws[:, j]), minlength=len(cut) + 1)
        assert np.all(seen[mass == 0.0] == 0)
        large = DRAWS * mass >= 5.0
        mass, seen = np.append(mass[large], mass[~large].sum()), np.append(seen[large], seen[~large].sum())
        expected = np.maximum(DRAWS * mass, 1e-9)
        statistic = ((seen - DRAWS * mass) ** 2 / expected)[DRAWS * mass >= 5.0].sum()
        freedom = max(large.sum() - 1, 1)
        assert scipy.stats.chi2.sf(statistic, freedom) >= FALSE_ALARM / draws.shape[1]


# -- structure ----------------------------------------------------------------------------------------------------


def test_pytree_and_repr(case):
    """A member is a pytree of its parameters; it survives a round trip, and its repr names class and values."""
    leaves, structure = jax.tree.flatten(case.p)
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is case.kind
    assert all(np.array_equal(a, b) for a, b in zip(leaves, jax.tree.leaves(again), strict=True))
    assert len(leaves) == len(case.kind.field_names())
    first = jax.tree.map(lambda v: v[0], case.p)
    assert repr(first).startswith(f"{case.name}(")
    assert all(f"{name}=" in repr(first) for name in first._fields())
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.something = 1


# -- exponential families -----------------------------------------------------------------------------------------


def test_exponential_family(case):
    """The natural form is the density; its map inverts; its gradient and Hessian are moments of the statistic."""
    if not issubclass(case.kind, sf.ExponentialFamily):
        assert not hasattr(case.kind, "natural")
        return
    finite = np.all([np.all(np.isfinite(v).reshape(case.columns, -1), 1) for v in case.sets.values()], axis=0)
    p = jax.tree.map(lambda v: jnp.asarray(v)[finite], case.p)
    rows = skewed_rows(case)
    x, eta = case.points[rows][:, finite], p.natural()
    inside = case.inner[rows][:, finite] | ((x >= ends(p)[0]) & case.kind.discrete)
    x = np.where(inside, x, np.asarray(p.support().interior()))
    # the form adds the terms h, eta·T and A, each rounded
    eta = np.asarray(eta)
    regular = np.all(np.isfinite(eta), axis=-1)
    finite_eta = np.where(np.isfinite(eta), eta, -1.0)
    terms = np.abs(p.log_base_measure(x)) + np.abs(finite_eta * np.asarray(p.statistic(x))).sum(-1)
    terms = terms + np.abs(np.asarray(p.log_partition(finite_eta)))
    close(p.natural_log_prob(x), p.log_prob(x), PROMISE * (1.0 + terms), regular)
    again = case.kind.from_natural(eta, **{name: getattr(p, name) for name in case.kind.held})
    for name in case.kind.field_names():
        value, expected = np.asarray(getattr(again, name)), np.asarray(getattr(p, name))
        # 1 + |eta|: a parameter that is eta plus a constant loses what the constant takes
        size = np.abs(expected) * (
            1.0 + np.abs(np.asarray(eta)).max(-1).reshape(regular.shape + (1,) * (expected.ndim - 1))
        )
        close(value, expected, PROMISE * (size + 1.0), regular.reshape(regular.shape + (1,) * (expected.ndim - 1)))

    mean, information = np.asarray(p.mean_parameters()), np.asarray(p.natural_fisher_information())
    count = mean.shape[-1]

    @jax.jit
    def moments(p):
        wide = generic.column(p)
        statistic = lambda i: lambda x: wide.statistic(x)[..., i]  # noqa: E731
        first = jnp.stack([generic.expectation(p, statistic(i)) for i in range(count)], -1)
        pairs = [
            generic.expectation(
                p, lambda x, i=i, j=j: (statistic(i)(x) - first[:, i, None]) * (statistic(j)(x) - first[:, j, None])
            )
            for i in range(count)
            for j in range(count)
        ]
        return first, jnp.stack(pairs, -1).reshape(*first.shape, count)

    first, second = (np.asarray(v) for v in moments(p))
    deviation = np.sqrt(np.abs(np.einsum("...ii->...i", information)))
    # quadrature leaves out members whose quantiles underflow within its reach, where log x is lost
    usable = regular & np.all(np.isfinite(first), -1) & np.all(np.isfinite(second), (-1, -2))
    assert np.any(usable)
    close(mean, first, 1e-9 * (np.abs(mean) + deviation), usable[:, None])
    # the centre of the second moments is rounded relative to the mean
    unit = deviation[:, :, None] * deviation[:, None, :]
    rough = unit + 1e-4 * np.abs(mean[:, :, None] * mean[:, None, :])
    close(information, second, 1e-8 * rough, usable[:, None, None])
    correlation = np.where(regular[:, None, None], information / np.where(unit > 0, unit, 1.0), 0.0)
    assert np.all(np.linalg.eigvalsh(correlation)[:, 0] >= -1e-7)


# -- estimation ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(case):
    """Four hundred draws, not all alike, from a random member with finite parameters."""
    for column in reversed(range(case.columns)):
        p = jax.tree.map(lambda v, column=column: jnp.asarray(v)[column], case.p)
        draws = np.asarray(p.sample((400,), rng=11)).astype(float)
        if np.ptp(draws, axis=0).any():
            break
    return draws


def refuses_to_fit(case, sample):
    """Whether all parameters are known; a parameter that must be known is asked for."""
    if case.kind.held:
        with pytest.raises(ValueError, match=f"{case.kind.held[0]} is not estimated and must be given"):
            sf.fit(case.kind, sample)
    return set(case.kind.held) == set(case.sets)


def test_statistics_add(case, sample):
    """Chunks add up to the whole, in any order; a weight is a repetition; a fit needs no more than the statistic."""
    if refuses_to_fit(case, sample):
        return
    if not hasattr(case.kind, "_estimate"):
        with pytest.raises(ValueError, match="no sufficient statistic"):
            sf.statistics(case.target, sample)
        at = sf.fit(case.target, sample).distribution
        whole = sf.statistics(case.target, sample, at=at)
        parts = [sf.statistics(case.target, c, at=at) for c in np.split(sample, [7, 150])]
        assert float((parts[2] + parts[0] + parts[1]).log_likelihood) == pytest.approx(
            float(whole.log_likelihood), 1e-12
        )
        return
    whole = sf.statistics(case.target, sample)
    cuts = np.split(np.concatenate([[sample.max()], sample]), [8, 150])
    parts = [sf.statistics(case.target, c) for c in cuts]
    parts = parts if len({np.shape(s.mean) for s in parts}) == 1 else [whole, whole, whole]
    one, two = parts[0] + parts[1] + parts[2], parts[2] + parts[0] + parts[1]
    for name in ("mean", "gap", "count", "log_base"):
        value, other = np.asarray(getattr(one, name)), np.asarray(getattr(two, name))
        np.testing.assert_allclose(value, other, rtol=1e-12, atol=1e-12)
    weights = np.random.default_rng(5).integers(1, 5, len(sample)).astype(float)
    fits = [
        (sf.fit(case.target, sample), sf.fit(case.target, whole)),
        (sf.fit(case.target, sample, weights=weights), sf.fit(case.target, np.repeat(sample, weights.astype(int)))),
    ]
    for a, b in fits:
        same_fit(a, b)


def same_fit(a, b):
    assert a.converged
    assert b.converged
    assert float(a.count) == float(b.count)
    for name, value in a.parameters.items():
        error = np.nan_to_num(a.standard_errors[name])
        assert abs(value - b.parameters[name]) <= 1e-11 * max(abs(value), error)
    assert float(a.log_likelihood) == pytest.approx(float(b.log_likelihood), rel=1e-12, abs=1e-10)


def test_fit_is_the_maximum(case, sample):
    """No perturbation of the estimate is likelier; the score vanishes there; standard errors are those of the score."""
    if refuses_to_fit(case, sample):
        return
    fit = sf.fit(case.target, sample)
    assert fit.converged or fit.result == AT_LIMIT, fit.message
    p = fit.distribution
    at_best = float(np.asarray(p.log_prob(sample)).sum())
    assert float(fit.log_likelihood) == pytest.approx(at_best, rel=1e-12, abs=1e-9)
    v = np.asarray(fit.family.vector(p))
    keep = np.isfinite(v)
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(64, len(v))) * 10.0 ** rng.uniform(-4, -0.5, (64, 1)) * keep
    whole = [getattr(domain, "integer", False) for domain in fit.family.parameter_domains]
    if any(whole):
        directions = np.where(whole, np.sign(directions) * np.ceil(np.abs(directions)), directions)

    @jax.jit
    def log_likelihoods(points):
        return jax.vmap(lambda v: fit.family.build(v).log_prob(sample).sum())(points)

    found = np.asarray(log_likelihoods(v + directions))
    assert np.all(found <= at_best + 1e-11 * (abs(at_best) + len(sample)))
    if fit.regular and not hasattr(case.kind, "_from_sides") and fit.converged:
        score = np.asarray(jax.jit(jax.grad(lambda v: fit.family.build(v).log_prob(sample).sum()))(jnp.asarray(v)))
        assert np.all(np.abs(score[keep]) <= 1e-6 * len(sample))
        on_boundary = not np.all(keep)  # such as a probability of 0
        assert all(error > 0 or on_boundary for error in fit.standard_errors.values())
