"""Fits: the same from any container, cut, order or weight; held parameters, limits, boundaries, errors that help."""

import gzip

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

import suffice as sf

RNG = np.random.default_rng(20)
GAMMA = RNG.gamma(3.0, 2.0, size=800)
HEAVY = RNG.standard_t(4.0, size=800) * 2.0 + 1.0
COUNTS = RNG.negative_binomial(3, 0.4, size=800)
# One family for each way of fitting: closed form, moment matching, Newton's method, order statistics, extremes.
WAYS = [
    pytest.param(sf.Normal, GAMMA, id="Normal"),
    pytest.param(sf.Gamma, GAMMA, id="Gamma"),
    pytest.param(sf.Weibull, GAMMA, id="Weibull"),
    pytest.param(sf.StudentT, HEAVY, id="StudentT"),
    pytest.param(sf.Laplace, HEAVY, id="Laplace"),
    pytest.param(sf.Pareto, GAMMA, id="Pareto"),
    pytest.param(sf.NegativeBinomial, COUNTS, id="NegativeBinomial"),
]


def assert_same(fit, reference, tolerance=1e-12):
    """Estimates within 1e-12 of max(abs(theta), its standard error); the rest, which depends on them, relative to size."""
    assert fit.converged == reference.converged
    assert fit.parameter_names == reference.parameter_names
    for name, theta in reference.parameters.items():
        error = np.nan_to_num(reference.standard_errors[name])
        assert abs(fit.parameters[name] - theta) <= tolerance * max(abs(theta), error), name
    np.testing.assert_allclose(
        list(fit.standard_errors.values()), list(reference.standard_errors.values()), rtol=100 * tolerance
    )
    assert float(fit.log_likelihood) == pytest.approx(float(reference.log_likelihood), rel=10 * tolerance)
    assert float(fit.count) == float(reference.count)


# -- the same data in any form -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def containers(tmp_path_factory):
    """The same 800 values in every form that ``fit`` takes."""
    folder = tmp_path_factory.mktemp("columns")
    frame = pd.DataFrame({"loss": GAMMA, "other": "a"})
    table = pa.table({"loss": GAMMA, "other": ["a"] * len(GAMMA)})
    frame.to_csv(folder / "x.csv", index=False)
    frame.to_csv(folder / "x.tsv", index=False, sep="\t")
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes()))
    pyarrow.parquet.write_table(table, folder / "x.parquet", row_group_size=100)
    pyarrow.feather.write_feather(table, folder / "x.arrow", compression="uncompressed", chunksize=90)
    read_only = GAMMA.copy()
    read_only.flags.writeable = False
    return {
        "list": GAMMA.tolist(),
        "tuple": tuple(GAMMA),
        "jax": jnp.asarray(GAMMA),
        "strided": np.stack([GAMMA, GAMMA])[::-1].T[:, 0],
        "big-endian": GAMMA.astype(">f8"),
        "read-only": read_only,
        "object": GAMMA.astype(object),
        "pandas": frame["loss"],
        "polars": pl.Series("loss", GAMMA),
        "arrow": pa.array(GAMMA),
        "chunked": table["loss"],
        "csv": sf.scan(folder / "x.csv"),
        "tsv": sf.scan(folder / "x.tsv", column="loss"),
        "gzip": sf.scan(folder / "x.csv.gz", batch_rows=70),
        "parquet": sf.scan(folder / "x.parquet", batch_rows=110),
        "feather": sf.scan(folder / "x.arrow"),
        "chunks": sf.chunks(lambda: np.array_split(GAMMA, 7)),
        "statistics": sf.statistics(sf.Gamma, GAMMA),
        "weights": None,
    }


def test_every_container_gives_the_same_fit(containers):
    reference = sf.fit(sf.Gamma, GAMMA)
    assert set(reference.parameters) == {"concentration", "rate"}
    for name, data in containers.items():
        fit = sf.fit(sf.Gamma, GAMMA, weights=np.ones(800)) if name == "weights" else sf.fit(sf.Gamma, data)
        assert_same(fit, reference)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_short_floats_are_fitted_in_double_precision(dtype):
    short = GAMMA.astype(dtype)
    for family in (sf.Gamma, sf.Weibull):
        assert_same(sf.fit(family, short), sf.fit(family, short.astype(float)))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, bool])
def test_integers_and_truth_values(dtype):
    counts = (np.minimum(COUNTS, 1) if dtype is bool else COUNTS).astype(dtype)
    assert_same(sf.fit(sf.Poisson, counts), sf.fit(sf.Poisson, counts.astype(float)))


@pytest.mark.parametrize(("family", "x"), WAYS)
def test_order_and_frequencies_change_nothing(family, x):
    reference = sf.fit(family, x)
    assert_same(sf.fit(family, np.sort(x)[::-1]), reference)
    assert_same(sf.fit(family, np.repeat(x, 2)[::2], weights=np.ones(len(x))), reference)
    times = np.arange(len(x)) % 3
    repeated = sf.fit(family, np.repeat(x, times))
    assert_same(sf.fit(family, x, weights=times), repeated)
    assert_same(sf.fit(family, pl.Series(x), weights=pd.Series(times)), repeated)


@pytest.mark.parametrize(("family", "x"), WAYS[:3])
def test_fractional_frequencies(family, x):
    """Weights count as observations: doubling them halves the variance and leaves the estimate."""
    once, twice = sf.fit(family, x, weights=np.full(len(x), 0.25)), sf.fit(family, x, weights=np.full(len(x), 0.5))
    assert float(once.count) == 200.0
    for name, theta in once.parameters.items():
        assert twice.parameters[name] == pytest.approx(theta, rel=1e-13)
        assert twice.standard_errors[name] == pytest.approx(once.standard_errors[name] / np.sqrt(2), rel=1e-11)
    assert float(twice.log_likelihood) == pytest.approx(2 * float(once.log_likelihood), rel=1e-13)


def exact_normal(x):
    with mpmath.workdps(50):
        values = [mpmath.mpf(float(v)) for v in x]
        mean = mpmath.fsum(values) / len(values)
        return float(mean), float(mpmath.sqrt(mpmath.fsum((v - mean) ** 2 for v in values) / len(values)))


def test_far_from_zero():
    """Mean 1e8, deviation 1: estimates within 1e-12 of max(abs(theta), se) of those of 50 digits, however it is cut."""
    x = 1e8 + RNG.normal(size=5000)
    loc, scale = exact_normal(x)
    parts = [sf.statistics(sf.Normal, piece) for piece in np.split(x, [1, 7, 1000, 1001, 4000])]
    forwards, backwards = parts[0], parts[-1]
    for part, other in zip(parts[1:], parts[-2::-1], strict=True):
        forwards, backwards = forwards + part, backwards + other
    for data in (x, np.sort(x), sf.chunks(lambda: np.array_split(x, 999)), forwards, backwards):
        fit = sf.fit(sf.Normal, data)
        assert abs(fit.parameters["loc"] - loc) <= 1e-12 * loc
        assert abs(fit.parameters["scale"] - scale) <= 1e-12 * max(scale, fit.standard_errors["scale"])


def test_gamma_of_shape_a_million():
    """log mean − mean log is 5e-7 here: computed from raw moments it would keep nine digits, and so would the shape."""
    x = RNG.gamma(1e6, 1e-6, size=3000)
    with mpmath.workdps(50):
        values = [mpmath.mpf(float(v)) for v in x]
        mean = mpmath.fsum(values) / len(values)
        gap = mpmath.log(mean) - mpmath.fsum(map(mpmath.log, values)) / len(values)
        shape = mpmath.findroot(lambda a: mpmath.log(a) - mpmath.digamma(a) - gap, 1 / (2 * gap))
        concentration, rate = float(shape), float(shape / mean)
    # The gap is a mean of squares of deviations of about 1e-3, each known to eps/1e-3: so to 1e-12 and better in the mean.
    for data in (
        x,
        sf.chunks(lambda: np.array_split(x, 100)),
        sf.statistics(sf.Gamma, x[:1000]) + sf.statistics(sf.Gamma, x[1000:]),
    ):
        fit = sf.fit(sf.Gamma, data)
        assert fit.parameters["concentration"] == pytest.approx(concentration, rel=1e-12)
        assert fit.parameters["rate"] == pytest.approx(rate, rel=1e-12)
        assert fit.converged


@pytest.mark.parametrize("family", [sf.Logistic, sf.Cauchy, sf.Gumbel, sf.StudentT])
def test_units_of_the_data_change_nothing(family):
    """Locations and scales in micrometres or gigametres: the fit is the same in its unit."""
    reference = sf.fit(family, HEAVY)
    for unit in (2.0**-40, 2.0**40):
        fit = sf.fit(family, HEAVY * unit)
        assert fit.converged
        for name in ("loc", "scale"):
            assert fit.parameters[name] / unit == pytest.approx(reference.parameters[name], rel=1e-12)
            assert fit.standard_errors[name] / unit == pytest.approx(reference.standard_errors[name], rel=1e-10)


# -- what a fit says -------------------------------------------------------------------------------------------------


def test_criteria():
    fit = sf.fit(sf.Gamma, GAMMA)
    k, n, value = 2, 800, float(sf.Gamma(*fit.parameters.values()).log_prob(GAMMA).sum())
    assert float(fit.log_likelihood) == pytest.approx(value, rel=1e-13)
    assert fit.dimension == k
    assert fit.aic == pytest.approx(2 * k - 2 * value, rel=1e-13)
    assert fit.aicc == pytest.approx(2 * k - 2 * value + 2 * k * (k + 1) / (n - k - 1), rel=1e-13)
    assert fit.bic == pytest.approx(k * np.log(n) - 2 * value, rel=1e-13)
    assert sf.fit(sf.Gamma, GAMMA[:3]).aicc == np.inf
    assert sf.fit(sf.family(sf.Gamma, rate=0.5), GAMMA).dimension == 1


def test_a_fit_is_a_value_that_says_what_it_is():
    fit = sf.fit(sf.Gamma, GAMMA)
    assert fit.converged
    assert fit.message == "converged"
    assert fit.regular
    assert isinstance(fit.distribution, sf.Gamma)
    assert fit.covariance.shape == (2, 2)
    np.testing.assert_allclose(fit.covariance, fit.covariance.T)
    assert repr(fit).startswith("Fit(Gamma: concentration = ")
    leaves, structure = jax.tree.flatten(fit)
    assert_same(jax.tree.unflatten(structure, leaves), fit, 0.0)


@pytest.mark.parametrize(
    ("family", "x", "density"),
    [
        (sf.Weibull, GAMMA[:40], lambda x, c, s: mpmath.log(c / s) + (c - 1) * mpmath.log(x / s) - (x / s) ** c),
        (
            sf.StudentT,
            HEAVY[70:110],
            lambda x, v, m, s: mpmath.loggamma((v + 1) / 2) - mpmath.loggamma(v / 2) - mpmath.log(s)
            - mpmath.log(v * mpmath.pi) / 2 - (v + 1) / 2 * mpmath.log1p(((x - m) / s) ** 2 / v),
        ),
    ],
    ids=["Weibull", "StudentT"],
)  # fmt: skip
def test_covariance_is_the_inverse_of_the_observed_information(family, x, density):
    """Against a Hessian by central differences with 50 digits at our estimate, where the gradient vanishes as well."""
    fit = sf.fit(family, x)
    with mpmath.workdps(50):
        theta = [mpmath.mpf(v) for v in fit.parameters.values()]
        values, h = [mpmath.mpf(float(v)) for v in x], mpmath.mpf("1e-12")

        def total(*steps):
            at = [t + h * s for t, s in zip(theta, steps, strict=True)]
            return mpmath.fsum(density(v, *at) for v in values)

        unit = np.eye(len(theta), dtype=int)
        gradient = [(total(*e) - total(*-e)) / (2 * h) for e in unit]
        hessian = mpmath.matrix(len(theta))
        for i, a in enumerate(unit):
            for j, b in enumerate(unit):
                hessian[i, j] = (total(*a + b) - total(*a - b) - total(*b - a) + total(*-a - b)) / (4 * h * h)
        covariance = np.array((-hessian) ** -1, float).reshape(len(theta), -1)
        value = float(total(*np.zeros(len(theta), int)))
    errors = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(np.array(gradient, float)) * errors < 1e-11)  # the next step, in standard errors
    np.testing.assert_allclose(fit.covariance, covariance, atol=1e-9 * np.outer(errors, errors).min())
    assert float(fit.log_likelihood) == pytest.approx(value, rel=1e-13)


def test_interval_is_walds_on_the_unconstrained_scale():
    fit = sf.fit(sf.Gamma, GAMMA)
    z = 1.959963984540054235524594  # the normal quantile at 0.975
    for name, (lower, upper) in fit.interval().items():
        theta, error = fit.parameters[name], fit.standard_errors[name]
        assert lower == pytest.approx(theta * np.exp(-z * error / theta), rel=1e-14)
        assert upper == pytest.approx(theta * np.exp(z * error / theta), rel=1e-14)
    fit = sf.fit(sf.Normal, GAMMA)
    lower, upper = fit.interval(level=0.5)["loc"]
    reach = 0.6744897501960817432022 * fit.standard_errors["loc"]
    assert lower == pytest.approx(fit.parameters["loc"] - reach, rel=1e-14)
    assert upper == pytest.approx(fit.parameters["loc"] + reach, rel=1e-14)
    fit = sf.fit(sf.Bernoulli, [0, 1, 1, 1])
    lower, upper = fit.interval()["probs"]
    logit, reach = np.log(3.0), z / np.sqrt(4 * 0.75 * 0.25)
    assert lower == pytest.approx(1 / (1 + np.exp(reach - logit)), rel=1e-13)
    assert upper == pytest.approx(1 / (1 + np.exp(-reach - logit)), rel=1e-13)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 95.0, np.nan])
def test_interval_level(level):
    with pytest.raises(ValueError, match=f"level must be between 0 and 1, got {level}"):
        sf.fit(sf.Exponential, [1.0, 2.0]).interval(level)


# -- parameters held, origins free, limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "x"),
    [
        (sf.family(sf.Normal, loc=1.0), HEAVY),
        (sf.family(sf.Normal, scale=2.0), HEAVY),
        (sf.family(sf.Gamma, rate=0.5), GAMMA),
        (sf.family(sf.Gamma, concentration=3.0), GAMMA),
        (sf.family(sf.Weibull, concentration=2.0), GAMMA),
        (sf.family(sf.StudentT, df=4.0), HEAVY),
        (sf.family(sf.Laplace, loc=0.5), HEAVY),
        (sf.family(sf.Laplace, scale=2.0), HEAVY),
        (sf.family(sf.NegativeBinomial, concentration=3.0), COUNTS),
        (sf.family(sf.NegativeBinomial, mean=4.5), COUNTS),
    ],
    ids=lambda case: str(case) if isinstance(case, sf.Family) else "",
)
def test_held_parameters_stay_and_the_rest_is_a_maximum(target, x):
    """The likelihood rises on neither side; between the two middle values Laplace's is flat."""
    fit = sf.fit(target, x)
    assert fit.converged
    held = {name for name in target.kind.field_names() if (name,) not in target.free}
    for name in held:
        assert getattr(fit.distribution, name) == getattr(target.member, name)
    assert fit.dimension == len(fit.parameters)
    vector = np.asarray(fit.family.vector(fit.distribution))
    top = float(fit.distribution.log_prob(x).sum())
    assert float(fit.log_likelihood) == pytest.approx(top, rel=1e-12)
    for i in range(len(vector)):
        for side in (-1e-4, 1e-4):
            moved = fit.family.build(jnp.asarray(vector + side * np.eye(len(vector))[i]))
            assert float(moved.log_prob(x).sum()) < top + 1e-9 * (target.kind is sf.Laplace)


def test_everything_else_held():
    with pytest.raises(ValueError, match="all parameters are held, nothing is left to fit"):
        sf.family(sf.Normal, loc=0.0, scale=1.0)
    fit = sf.fit(sf.family(sf.Uniform, low=0.0), [1.0, 3.0])
    assert fit.parameters == {"high": 3.0}
    with pytest.raises(sf.DataError, match=r"Pareto\(scale=2\) cannot be fitted: data from 1 to 3 are outside"):
        sf.fit(sf.family(sf.Pareto, scale=2.0), [1.0, 3.0])


@pytest.mark.parametrize("family", [sf.Gamma, sf.Weibull, sf.LogNormal])
def test_a_free_origin_without_a_maximum(family):
    """The likelihood of three parameters grows without bound; the local maximum is named for what it is."""
    x = GAMMA + 5.0
    fit = sf.fit(sf.family(family, loc="free"), x)
    assert not fit.converged
    assert "the likelihood grows without bound as loc rises to the smallest observation" in fit.message
    assert "not converged" in repr(fit)
    origin = fit.parameters["origin" if family is sf.LogNormal else "loc"]
    assert origin < x.min()
    assert float(fit.log_likelihood) > float(sf.fit(family, x).log_likelihood)
    assert float(fit.log_likelihood) == pytest.approx(float(fit.distribution.log_prob(x).sum()), rel=1e-12)


def test_a_free_origin_where_the_density_jumps():
    """The exponential's origin is the smallest observation, its rate the mean beyond it; the usual theory is void."""
    x = GAMMA + 5.0
    fit = sf.fit(sf.family(sf.Exponential, loc="free"), x)
    assert fit.converged
    assert not fit.regular
    assert fit.parameters["loc"] == x.min()
    assert fit.parameters["rate"] == pytest.approx(1 / (x.mean() - x.min()), rel=1e-13)
    assert np.isnan(list(fit.standard_errors.values())).all()
    assert float(fit.log_likelihood) == pytest.approx(float(fit.distribution.log_prob(x).sum()), rel=1e-12)


@pytest.mark.parametrize("family", [sf.Rayleigh, sf.InverseGamma])
def test_a_free_origin_with_a_maximum(family):
    """A density that vanishes at the origin fast enough has a maximum: the gradient there is zero."""
    x = 1.0 / GAMMA + 5.0 if family is sf.InverseGamma else np.sqrt(GAMMA) + 5.0
    fit = sf.fit(sf.family(family, loc="free"), x)
    assert fit.converged
    assert fit.regular
    assert np.isfinite(list(fit.standard_errors.values())).all()
    top = float(fit.distribution.log_prob(x).sum())
    for side in (-1e-3, 1e-3):
        moved = sf.Affine(fit.distribution.base, fit.distribution.loc + side)
        assert float(moved.log_prob(x).sum()) < top


def test_counts_less_variable_than_poisson():
    """The supremum is the Poisson's likelihood, which no negative binomial reaches."""
    x = RNG.binomial(10, 0.5, size=500)
    fit, poisson = sf.fit(sf.NegativeBinomial, x), sf.fit(sf.Poisson, x)
    assert not fit.converged
    assert isinstance(fit.limit.distribution, sf.Poisson)
    assert_same(fit.limit, poisson)
    assert "the likelihood rises towards a limit of the family, Poisson(rate=" in fit.message
    assert f"{float(poisson.log_likelihood):.10g}" in fit.message
    assert float(fit.log_likelihood) < float(poisson.log_likelihood)
    assert np.isnan(list(fit.standard_errors.values())).all()
    assert all(np.isnan(ends).all() for ends in fit.interval().values())


def test_student_of_light_tails():
    x = RNG.uniform(size=500)
    fit, normal = sf.fit(sf.StudentT, x), sf.fit(sf.Normal, x)
    assert not fit.converged
    assert_same(fit.limit, normal)
    assert float(fit.log_likelihood) <= float(normal.log_likelihood)
    held = sf.fit(sf.family(sf.StudentT, loc=0.5), x)
    assert_same(held.limit, sf.fit(sf.family(sf.Normal, loc=0.5), x))


@pytest.mark.parametrize("family", [sf.Uniform, sf.Pareto])
def test_estimated_support(family):
    fit = sf.fit(family, GAMMA)
    assert fit.converged
    assert not fit.regular
    assert np.isnan(list(fit.standard_errors.values())).all()
    assert all(np.isnan(ends).all() for ends in fit.interval().values())
    assert float(fit.log_likelihood) == pytest.approx(float(fit.distribution.log_prob(GAMMA).sum()), rel=1e-12)
    if family is sf.Pareto:
        assert fit.parameters["scale"] == GAMMA.min()
        assert fit.parameters["concentration"] == pytest.approx(1 / np.log(GAMMA / GAMMA.min()).mean(), rel=1e-12)
    else:
        assert fit.parameters == {"low": GAMMA.min(), "high": GAMMA.max()}


# -- inside compiled code --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [sf.Gamma, sf.Weibull, sf.StudentT, sf.Laplace])
def test_compiled_and_vectorised(family):
    """A fit under ``jit`` and ``vmap`` is the eager one, row by row."""
    x = (GAMMA if family in (sf.Gamma, sf.Weibull) else HEAVY).reshape(4, 200)
    fits = jax.jit(jax.vmap(lambda row: sf.fit(family, row)))(x)
    for i, row in enumerate(x):
        assert_same(jax.tree.map(lambda leaf, i=i: leaf[i], fits), sf.fit(family, row), 1e-11)


def test_traced_weights_and_shapes():
    weights = np.arange(800) % 3

    @jax.jit
    def fitted(x, w):
        return sf.fit(sf.Gamma, x, weights=w)

    assert_same(fitted(GAMMA, weights), sf.fit(sf.Gamma, GAMMA, weights=weights), 1e-11)
    with pytest.raises(ValueError, match=r"data must have shape \(n,\), got \(2, 400\)"):
        jax.jit(lambda x: sf.fit(sf.Normal, x))(GAMMA.reshape(2, 400))


def test_traced_bad_data_are_nan():
    """Compiled code cannot raise: data outside the support give NaN, which callers see and count."""
    fit = jax.jit(lambda x: sf.fit(sf.Gamma, x).distribution.rate)(jnp.array([1.0, -1.0, 2.0]))
    assert np.isnan(fit)


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "data", "message"),
    [
        (sf.Normal, [], "data has no rows"),
        (sf.Weibull, np.array([]), "data has no rows"),
        (sf.Normal, [1.0, np.nan, 2.0, np.nan], r"data has 2 missing values, the first at row 2 \(counting from 1\); missing="),
        (sf.StudentT, np.array([1.0, np.nan]), r"data has 1 missing value, the first at row 2"),
        (sf.Laplace, np.array([1.0, np.nan]), r"data has 1 missing value, the first at row 2"),
        (sf.Uniform, np.array([1.0, np.nan]), r"data has 1 missing value, the first at row 2"),
        (sf.Poisson, [1, None], r"data has 1 missing value, the first at row 2"),
        (sf.Normal, np.array([1.0, np.inf]), r"data has 1 infinite value, the first at row 2 \(counting from 1\): inf"),
        (sf.Weibull, [3.0, 1.0, -np.inf], r"data has 1 infinite value, the first at row 3 \(counting from 1\): -inf"),
        (sf.Uniform, np.array([3.0, -np.inf]), r"data has 1 infinite value, the first at row 2 \(counting from 1\): -inf"),
        (sf.Gamma, [1.0, 2.0, -3.5, -4.0], "Gamma needs values > 0, got -3.5 in row 3"),
        (sf.Weibull, [0.0, 2.0], "Weibull needs values > 0, got 0 in row 1"),
        (sf.Beta, [0.5, 1.0], r"Beta needs values in \(0, 1\), got 1 in row 2"),
        (sf.Poisson, [1.0, 2.5], "Poisson needs values an integer >= 0, got 2.5 in row 2"),
        (sf.Bernoulli, [1, 2], "Bernoulli needs values an integer from 0 to 1, got 2 in row 2"),
        (sf.NegativeBinomial, [3, -1], "NegativeBinomial needs values an integer >= 0, got -1 in row 2"),
        (sf.Normal, ["a", "b"], "data holds text, not numbers"),
        (sf.Normal, np.array(["a", 1.0], object), "data must hold numbers"),
        (sf.Normal, [1j, 2.0], "data holds complex numbers"),
        (sf.Normal, pd.Series(["2020-01-01"], dtype="datetime64[ns]", name="day"), "column 'day' holds dates"),
        (sf.Normal, pl.Series("who", ["a"]), "column 'who' holds .*string.*, not numbers"),
        (sf.Normal, [[1.0, 2.0], [3.0, 4.0]], r"data must be one-dimensional, got shape \(2, 2\)"),
        (sf.Normal, [[1.0, 2.0], [3.0]], "data must be one column of numbers"),
        (sf.Normal, 3.0, r"data must be one-dimensional, got shape \(\)"),
        (sf.Normal, pd.DataFrame({"a": [1.0], "b": [2.0]}), "a.*b|shape"),
    ],
)  # fmt: skip
def test_bad_data(family, data, message):
    with pytest.raises(sf.DataError, match=message):
        sf.fit(family, data)


@pytest.mark.parametrize(
    "family", [sf.Normal, sf.Gamma, sf.Beta, sf.Weibull, sf.StudentT, sf.Laplace, sf.Cauchy, sf.Uniform, sf.Pareto]
)
@pytest.mark.parametrize("x", [[0.5], [0.5, 0.5, 0.5]], ids=["one", "constant"])
def test_no_spread(family, x):
    with pytest.raises(sf.DataError, match=rf"{family.__name__} cannot be fitted: .* all equal, .* \(n = {len(x)}\)"):
        sf.fit(family, x)


def test_one_observation_is_enough_for_one_parameter():
    assert sf.fit(sf.Exponential, [0.5]).parameters == {"rate": 2.0}
    assert sf.fit(sf.Poisson, [3]).parameters == {"rate": 3.0}
    assert sf.fit(sf.Rayleigh, [2.0, 2.0]).parameters["scale"] == pytest.approx(np.sqrt(2.0))
    assert sf.fit(sf.family(sf.Normal, scale=3.0), [0.5]).parameters == {"loc": 0.5}
    assert sf.fit(sf.family(sf.Laplace, scale=3.0), [0.5, 0.5]).parameters == {"loc": 0.5}
    assert sf.fit(sf.family(sf.Uniform, low=0.0), [0.5]).parameters == {"high": 0.5}
    fit = sf.fit(sf.family(sf.Weibull, concentration=2.0), [0.5, 0.5])
    assert fit.parameters["scale"] == pytest.approx(0.5)
    with pytest.raises(sf.DataError, match=r"Normal\(loc=0.5\) cannot be fitted: .* not inside, scale = 0"):
        sf.fit(sf.family(sf.Normal, loc=0.5), [0.5, 0.5])


def test_all_zero_counts():
    """A rate of 0 is no Poisson; a probability of 1 is a geometric distribution, and 0 a Bernoulli's."""
    for family in (sf.Poisson, sf.NegativeBinomial):
        with pytest.raises(sf.DataError, match=f"{family.__name__} cannot be fitted: .* not inside, (rate|mean) = 0"):
            sf.fit(family, np.zeros(20))
    for family, probs in ((sf.Geometric, 1.0), (sf.Bernoulli, 0.0)):
        fit = sf.fit(family, np.zeros(20))
        assert fit.parameters == {"probs": probs}
        assert float(fit.log_likelihood) == 0.0


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([0, 0, 0], sf.DataError, "every row has weight 0 or is missing; at least one weight must be > 0"),
        ([1, -1, 1], sf.DataError, r"weights must be finite and >= 0, got -1 at row 2 \(counting from 1\) \(1 such\)"),
        ([1, np.nan, 1], sf.DataError, "weights must be finite and >= 0, got nan at row 2"),
        ([1, 1, np.inf], sf.DataError, "weights must be finite and >= 0, got inf at row 3"),
        ([1, 2], ValueError, "weights must have as many rows as the data, 3, got 2"),
        ([[1, 2, 3]], sf.DataError, "weights must be one-dimensional"),
        (["a", "b", "c"], sf.DataError, "weights holds text, not numbers"),
    ],
)
def test_bad_weights(weights, error, message):
    for family in (sf.Normal, sf.Weibull):
        with pytest.raises(error, match=message):
            sf.fit(family, [1.0, 2.0, 4.0], weights=weights)


def test_weight_zero_is_no_observation():
    for family in (sf.Gamma, sf.Weibull, sf.Laplace, sf.Uniform):
        with_zero = sf.fit(family, [1.0, -7.0, 4.0, 2.0], weights=[2, 0, 1, 1])
        assert_same(with_zero, sf.fit(family, [1.0, 1.0, 4.0, 2.0]))
    with pytest.raises(sf.DataError, match="equal"):
        sf.fit(sf.Normal, [1.0, 5.0], weights=[3, 0])


def test_missing_values_are_dropped_on_request():
    holes = np.insert(GAMMA, [0, 17, 800], np.nan)
    for family in (sf.Gamma, sf.Weibull, sf.Laplace):
        assert_same(sf.fit(family, holes, missing="drop"), sf.fit(family, GAMMA))
    weights = np.insert(np.arange(800) % 3, [0, 17, 800], 1)
    assert_same(
        sf.fit(sf.Gamma, holes, weights=weights, missing="drop"), sf.fit(sf.Gamma, GAMMA, weights=np.arange(800) % 3)
    )
    with pytest.raises(sf.DataError, match="all 2 values are missing"):
        sf.fit(sf.Gamma, [np.nan, np.nan], missing="drop")
    with pytest.raises(sf.DataError, match="1 infinite value"):
        sf.fit(sf.Gamma, [np.nan, np.inf], missing="drop")


def test_wrong_calls():
    with pytest.raises(TypeError, match=r"a family must be a class of distributions or sf.family\(...\), got 'gamma'"):
        sf.fit("gamma", GAMMA)
    with pytest.raises(ValueError, match="missing must be 'error' or 'drop', got 'ignore'"):
        sf.fit(sf.Gamma, GAMMA, missing="ignore")
    with pytest.raises(TypeError, match="weights of a source are named when it is made"):
        sf.fit(sf.Gamma, sf.chunks(lambda: [GAMMA]), weights=np.ones(800))
    with pytest.raises(TypeError, match="these are not statistics of Weibull"):
        sf.fit(sf.Weibull, sf.statistics(sf.Gamma, GAMMA))
    with pytest.raises(TypeError, match=r"Gamma has no parameter 'scale'; it has concentration, rate"):
        sf.family(sf.Gamma, scale=1.0)


@pytest.mark.parametrize("value", [2.5, 1e-3, 0.3, 1e9])
@pytest.mark.parametrize("n", [5, 10, 12])
def test_a_constant_column_has_no_spread(value, n):
    fitted = {c.name for c in sf.rank(np.full(n, value), kind="continuous").candidates}
    assert fitted <= {"Exponential", "Rayleigh"}


def test_limits_keep_what_is_held():
    light = np.random.default_rng(0).uniform(-1, 1, 300)
    t = sf.fit(sf.family(sf.StudentT, loc=0.0, scale=1.0), light)
    assert t.limit.distribution.loc == 0.0
    assert t.limit.distribution.scale == 1.0
    assert t.limit.log_likelihood == pytest.approx(float(sf.Normal().log_prob(light).sum()), rel=1e-12)
    counts = np.random.default_rng(0).binomial(10, 0.5, 500)
    poisson = sf.fit(sf.family(sf.NegativeBinomial, mean=5.5), counts).limit
    assert poisson.distribution.rate == 5.5
    assert poisson.log_likelihood == pytest.approx(float(sf.Poisson(5.5).log_prob(counts).sum()), rel=1e-9)


def test_an_estimate_on_the_boundary_has_no_standard_error():
    fit = sf.fit(sf.Bernoulli, [1, 1, 1])
    assert fit.parameters == {"probs": 1.0}
    assert np.isnan(fit.standard_errors["probs"])


@pytest.mark.parametrize(
    ("family", "x"),
    [
        (sf.Exponential, [1.0, -2.0, 6.0]),
        (sf.Poisson, [1.5, 2.2, 6.0]),
        (sf.Normal, [1.0, 1.0, 1.0]),
        (sf.Normal, [1.0, np.nan, 2.0]),
        (sf.Weibull, [1.0, -1.0, 2.0]),
    ],
)
def test_compiled_fits_of_impossible_data_are_not_a_number(family, x):
    fit = jax.jit(lambda x: sf.fit(family, x))(np.array(x))
    assert not fit.converged
    assert np.isnan(fit.log_likelihood)
    assert all(np.isnan(v) for v in fit.parameters.values())


def test_compiled_fits_take_weights_and_batches_show_their_shape():
    weighted = jax.jit(lambda w: sf.fit(sf.Gamma, [1.0, 2.0, 3.5], w).log_likelihood)(np.array([1.0, 2.0, 1.0]))
    assert weighted == pytest.approx(float(sf.fit(sf.Gamma, [1.0, 2.0, 2.0, 3.5]).log_likelihood), rel=1e-12)
    batch = jax.vmap(lambda x: sf.fit(sf.Exponential, x))(np.array([[1.0, 2.0], [3.0, 5.0]]))
    assert repr(batch) == "Fit(Exponential: a batch of shape (2,))"
    with pytest.raises(ValueError, match="Categorical is not fitted inside compiled code"):
        jax.jit(lambda x: sf.fit(sf.Categorical, x).log_likelihood)(np.array([0, 1, 2]))


def test_what_is_held_need_not_suit_an_invented_value_of_the_rest():
    assert sf.fit(sf.family(sf.Uniform, low=1.0), [1.5, 2.0, 4.0]).parameters == {"high": 4.0}
    with pytest.raises(ValueError, match="must be a single value to be held"):
        sf.family(sf.Normal, loc=[0.0, 1.0])


def test_missing_values_of_a_source_are_dropped_on_request():
    source = sf.chunks(lambda: iter([np.array([1.0, np.nan, 2.0, 4.0])]))
    assert sf.fit(sf.Normal, source, missing="drop").count == 3
    with pytest.raises(ValueError, match="missing must be 'error' or 'drop', got 'ignore'"):
        sf.fit(sf.Normal, source, missing="ignore")
    with pytest.raises(TypeError, match="weights and missing are for data"):
        sf.fit(sf.Gamma, sf.statistics(sf.Gamma, GAMMA), weights=np.ones(3))


def test_categories_have_an_end():
    with pytest.raises(sf.DataError, match="Categorical takes classes below 1024, got 50000"):
        sf.fit(sf.Categorical, [0, 50_000])


def test_a_free_origin_with_a_held_rate():
    fit = sf.fit(sf.family(sf.Exponential, rate=2.0, loc="free"), [3.0, 3.5, 4.7])
    assert fit.parameters == {"loc": 3.0}
    assert fit.distribution.base.rate == 2.0


def test_a_free_origin_inside_compiled_code():
    family, x = sf.family(sf.Exponential, loc="free"), np.array([3.0, 3.5, 4.7])
    compiled, plain = jax.jit(lambda x: sf.fit(family, x))(x), sf.fit(family, x)
    assert compiled.parameters == pytest.approx(plain.parameters, rel=1e-14)
    assert float(compiled.log_likelihood) == pytest.approx(float(plain.log_likelihood), rel=1e-14)
