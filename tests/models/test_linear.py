"""Least squares beside NumPy and SciPy, its statistics, ranks and refusals."""

import jax
import numpy as np
import pandas as pd
import pytest
import scipy.stats

import suffice as sf
from suffice.numerics.sliced_gram import FEW
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)


def data(n=60, d=3):
    x = RNG.normal(size=(n, d))
    return x, 1.0 + x @ np.arange(1.0, d + 1) + 0.5 * RNG.normal(size=n)


def design(x):
    return np.column_stack([np.ones(len(x)), x])


def test_against_the_normal_equations():
    x, t = data()
    phi, fit = design(x), sf.LinearBasisModel().fit(x, t)
    w = np.linalg.solve(phi.T @ phi, phi.T @ t)
    rss = ((t - phi @ w) ** 2).sum()
    assert np.allclose(fit.weights, w, rtol=1e-12)
    assert np.allclose(fit.covariance, rss / 56 * np.linalg.inv(phi.T @ phi), rtol=1e-11)
    assert np.allclose(fit.standard_errors**2, np.diag(fit.covariance), rtol=1e-14)
    assert fit.noise_precision == pytest.approx(60 / rss, rel=1e-12)
    assert fit.residual_variance == pytest.approx(rss / 56, rel=1e-12)
    log_density = scipy.stats.norm.logpdf(t, phi @ w, np.sqrt(rss / 60)).sum()
    assert fit.log_likelihood == pytest.approx(log_density, rel=1e-12)
    assert fit.aic == pytest.approx(10 - 2 * log_density)
    assert fit.r_squared == pytest.approx(1 - rss / ((t - t.mean()) ** 2).sum(), rel=1e-12)
    low, high = fit.interval(0.9)
    assert np.allclose(high - low, 2 * scipy.stats.t(56).ppf(0.95) * fit.standard_errors)
    assert (fit.rank, fit.dependencies, len(fit.table())) == (4, (), 4)
    one = scipy.stats.linregress(x[:, 0], t)
    assert sf.LinearBasisModel().fit(x[:, 0], t).table()[1]["p_value"] == pytest.approx(one.pvalue, rel=1e-10)


def test_several_targets_share_one_decomposition():
    x, t = data()
    both = sf.LinearBasisModel().fit(x, np.column_stack([t, t**2]))
    for k, target in enumerate((t, t**2)):
        alone = sf.LinearBasisModel().fit(x, target)
        assert np.allclose(both.weights[:, k], alone.weights, rtol=1e-14)
        assert np.allclose(both.standard_errors[:, k], alone.standard_errors, rtol=1e-14)
        assert np.allclose(both.predict(x)[:, k], alone.predict(x))
        assert np.allclose(both.predictive(x).scale[:, k], alone.predictive(x).scale)
    residuals = np.column_stack([t, t**2]) - both.predict(x)
    assert np.allclose(both.noise_covariance, residuals.T @ residuals / 56, rtol=1e-10)


def test_weights_precisions_and_offsets():
    x, t = data(20)
    often = np.arange(20) % 3
    repeated = sf.LinearBasisModel().fit(np.repeat(x, often, axis=0), np.repeat(t, often))
    counted = sf.LinearBasisModel().fit(x, t, often)
    assert np.allclose(counted.weights, repeated.weights, rtol=1e-14)
    assert np.allclose(counted.standard_errors, repeated.standard_errors, rtol=1e-14)
    assert counted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-13)
    b = RNG.uniform(0.5, 2.0, 20)
    fit, root = sf.LinearBasisModel().fit(x, t, precisions=b), np.sqrt(b)[:, None]
    w = np.linalg.lstsq(root * design(x), root[:, 0] * t)[0]
    assert np.allclose(fit.weights, w, rtol=1e-12)
    scale = 1 / np.sqrt(fit.noise_precision * b)
    assert fit.log_likelihood == pytest.approx(scipy.stats.norm.logpdf(t, design(x) @ w, scale).sum(), rel=1e-12)
    moved = sf.LinearBasisModel(sf.Linear([1, 2])).fit(x, t, offset=3.0 * x[:, 0])
    assert np.allclose(
        moved.weights, sf.LinearBasisModel(sf.Linear([1, 2])).fit(x, t - 3.0 * x[:, 0]).weights, rtol=1e-12
    )


def test_diagnostics():
    """Hat matrix, leverage, and Cook's distances against fits without each row."""
    x, t = data(15)
    fit = sf.LinearBasisModel().fit(x, t)
    found, hat = fit.diagnostics(x, t), fit.hat_matrix(x)
    assert np.allclose(hat @ hat, hat)
    assert np.allclose(found.fitted, hat @ t)
    assert np.allclose(found.leverage, np.diag(hat))
    assert found.leverage.sum() == pytest.approx(4.0)
    for i in range(15):
        rest = np.arange(15) != i
        without = sf.LinearBasisModel().fit(x[rest], t[rest])
        moved = fit.predict(x) - without.predict(x)
        assert found.cooks_distance[i] == pytest.approx((moved**2).sum() / (4 * fit.residual_variance), rel=1e-9)
        gap = t[i] - without.predict(x[i : i + 1])[0]
        assert found.studentised[i] == pytest.approx(gap / float(without.predictive(x[i : i + 1]).scale[0]), rel=1e-9)


def test_any_cut_and_order_gives_the_same():
    """Means far from 0: 1e-12 of the standard errors, for chunks of one row, and for pilots that differ."""
    x = RNG.normal(size=(300, 2)) + np.array([1e6, -1e3])
    t = 1e5 + x @ [1.0, 2.0] + RNG.normal(size=300)
    model = sf.LinearBasisModel()
    whole = model.fit(x, t)
    for size in (1, 7, 100):
        parts = [model.statistics(x[i : i + size], t[i : i + size]) for i in range(0, 300, size)]
        for ordered in (parts, parts[::-1]):
            total = ordered[0]
            for part in ordered[1:]:
                total = total + part
            fit = model.fit(total)
            assert np.abs(fit.weights - whole.weights).max() <= 1e-12 * np.abs(whole.weights).max()
            assert (
                np.abs(fit.weights - whole.weights) <= 1e-12 * whole.standard_errors + 1e-16 * np.abs(whole.weights)
            ).all()
            assert np.allclose(fit.standard_errors, whole.standard_errors, rtol=1e-14)


def test_many_rows_run_compiled():
    x, t = data(2 * FEW + 11, 4)
    fit = sf.LinearBasisModel().fit(x, t)
    phi = design(x)
    assert np.allclose(fit.weights, np.linalg.lstsq(phi, t)[0], rtol=1e-12)
    half = sf.LinearBasisModel().statistics(x[:FEW], t[:FEW]) + sf.LinearBasisModel().statistics(x[FEW:], t[FEW:])
    assert np.allclose(sf.LinearBasisModel().fit(half).weights, fit.weights, rtol=1e-15)


def test_dependent_columns_are_told():
    x, t = data(30, 2)
    x = np.column_stack([x, 2.0 * x[:, 0] - x[:, 1] + 1.0])
    with pytest.raises(DataError, match=r"x3 = 1 intercept \+ 2 x1 \+ -1 x2 to within .* of its size"):
        sf.LinearBasisModel().fit(x, t)
    pivot = sf.LinearBasisModel().fit(x, t, rank_deficient="pivot")
    assert (pivot.rank, pivot.dependencies[0].column, pivot.weights[3]) == (3, "x3", 0.0)
    assert np.allclose(pivot.weights[:3], sf.LinearBasisModel().fit(x[:, :2], t).weights, rtol=1e-12)
    least = sf.LinearBasisModel().fit(x, t, rank_deficient="minimum_norm")
    assert np.allclose(least.weights, np.linalg.pinv(design(x)) @ t, rtol=1e-11)
    residuals = t - least.predict(x)
    want = np.linalg.pinv(design(x).T @ design(x)) * (residuals @ residuals) / 27
    assert np.allclose(least.covariance, want, rtol=1e-10)
    assert np.allclose(least.predict(x), pivot.predict(x))


def test_fewer_rows_than_columns_and_repeated_inputs():
    with pytest.raises(DataError, match="x\\^3 = "):
        sf.LinearBasisModel(sf.Polynomial(3)).fit([1.0, 2.0, 3.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    fit = sf.LinearBasisModel(sf.Polynomial(3)).fit([1.0, 2.0, 3.0], [1.0, 4.0, 9.0], rank_deficient="minimum_norm")
    assert np.allclose(fit.weights, np.linalg.pinv(np.vander([1.0, 2.0, 3.0], 4, increasing=True)) @ [1.0, 4.0, 9.0])
    assert np.isnan(fit.residual_variance)


def test_constant_alone_and_constant_column():
    fit = sf.LinearBasisModel(None).fit(np.zeros(4), [1.0, 2.0, 3.0, 6.0])
    assert fit.weights.tolist() == [3.0]
    assert fit.standard_errors[0] == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    with pytest.raises(DataError, match="x = 5 intercept"):
        sf.LinearBasisModel().fit(np.full(4, 5.0), [1.0, 2.0, 3.0, 6.0])


def test_predictions_compile_and_differentiate():
    fit = sf.LinearBasisModel(sf.Polynomial(3)).fit(np.arange(8.0), np.arange(8.0) ** 3)
    value, slope = jax.vmap(jax.value_and_grad(lambda x: fit.predict(x[None])[0]))(np.array([1.5, 2.5]))
    assert np.allclose(value, [1.5**3, 2.5**3], rtol=1e-12)
    assert np.allclose(slope, [3 * 1.5**2, 3 * 2.5**2], rtol=1e-9)


def test_predictive_intervals_cover():
    """New targets inside 90 % intervals of 2,000 fits to 8 rows: binomial, false alarm 1e-9; plug-in falls short."""
    x = np.linspace(0.0, 1.0, 9)
    noise = RNG.normal(size=(9, 2000))
    many = sf.LinearBasisModel().fit(x[:8], 1.0 + 2.0 * x[:8, None] + noise[:8])
    for law, holds in ((many.predictive(x[8:]), True), (many.plug_in(x[8:]), False)):
        below = np.asarray(law.cdf(1.0 + 2.0 * x[8:, None] + noise[8:]))[0]
        inside = int((np.abs(below - 0.5) < 0.45).sum())
        assert (abs(inside - 1800) < 6.1 * np.sqrt(2000 * 0.9 * 0.1)) == holds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, np.nan], [1.0, 2.0]), "input 'x' must be finite, got nan at row 2"),
        (([1.0, 2.0], [1.0, np.inf]), "targets must be finite, got inf at row 2"),
        (([1.0, 2.0], [1.0]), "targets must have shape"),
        (([1.0, 2.0], [1.0, 2.0], [-1.0, 1.0]), "weights must be finite and >= 0, got -1 at index 0"),
        (([1.0, 2.0], [1.0, 2.0], [0.0, 0.0]), "at least one weight must be > 0"),
        (([], []), "at least one row"),
        ((np.zeros((2, 2, 2)), [1.0, 2.0]), "shape"),
        ((["a", "b"], [1.0, 2.0]), "holds text"),
        (([1.0, 2.0], np.array(["a", "b"])), "targets must be numbers"),
    ],
)
def test_bad_data(arguments, message):
    with pytest.raises(DataError, match=message):
        sf.LinearBasisModel().fit(*arguments)


def test_bad_use():
    with pytest.raises(ValueError, match="rank_deficient must be one of error, pivot, minimum_norm, got 'drop'"):
        sf.LinearBasisModel().fit([1.0, 2.0], [1.0, 2.0], rank_deficient="drop")
    with pytest.raises(TypeError, match="do not add"):
        sf.LinearBasisModel().statistics([1.0], [1.0]) + sf.LinearBasisModel(intercept=False).statistics([1.0], [1.0])
    near = np.column_stack([np.arange(9.0), np.arange(9.0) + 1e-8 * RNG.normal(size=9)])
    with pytest.raises(DataError, match="careful=True"):
        sf.LinearBasisModel().fit(sf.LinearBasisModel().statistics(near, np.arange(9.0)))
    with pytest.raises(ValueError, match="inputs must be x1, x2, got x"):
        sf.LinearBasisModel().fit(near, RNG.normal(size=9), rank_deficient="pivot").predict(np.ones(5))


@pytest.mark.parametrize("careful", [False, True])
def test_many_targets_are_those_fitted_alone(careful):
    """Beyond 16 targets only their squares are kept: weights, errors and residuals stay those of separate fits."""
    x, _ = data(120, 3)
    t = 100.0 + x @ RNG.normal(size=(3, 20)) + RNG.normal(size=(120, 20))
    w = RNG.integers(0, 4, size=120)
    model = sf.LinearBasisModel()
    cuts = [slice(0, 40), slice(40, 47), slice(47, 120)]
    parts = [model.statistics(x[c], t[c], w[c], careful=careful) for c in cuts]
    whole, added = model.fit(x, t, w), model.fit(parts[0] + parts[1] + parts[2])
    for fit in (whole, added):
        for k in (0, 19):
            alone = model.fit(x, t[:, k], w)
            assert np.allclose(fit.weights[:, k], alone.weights, rtol=1e-14)
            assert np.allclose(fit.standard_errors[:, k], alone.standard_errors, rtol=1e-14)
            assert fit.residual_variance[k] == pytest.approx(alone.residual_variance, rel=1e-14)
            assert fit.r_squared[k] == pytest.approx(alone.r_squared, rel=1e-13)
    left = t - whole.predict(x)
    assert np.allclose(whole.noise_covariance, left.T @ (w[:, None] * left) / (w.sum() - 4), rtol=1e-11)
    with pytest.raises(ValueError, match="needs the data"):
        _ = added.noise_covariance


def test_many_targets_in_compiled_blocks():
    n = FEW + 5000
    x, t = RNG.normal(size=(n, 2)), RNG.normal(size=(n, 17))
    fit, want = sf.LinearBasisModel().fit(x, t), np.linalg.lstsq(design(x), t)[0]
    assert np.allclose(fit.weights, want, rtol=1e-10, atol=1e-13)
    assert np.allclose(fit.residual_sum_of_squares, ((t - design(x) @ want) ** 2).sum(0), rtol=1e-12)


@pytest.mark.parametrize("basis", [sf.Polynomial(3), sf.Chebyshev(4), sf.Legendre(4)])
def test_a_polynomial_inside_a_spline_is_found(basis):
    """Splines of degree 3 hold the cubics: three columns too many, whatever the rounding of the splines."""
    x = np.sort(RNG.uniform(0.0, 10.0, 200))
    t = np.sin(x) + 0.1 * RNG.normal(size=200)
    both = basis + sf.BSpline(4)
    with pytest.raises(DataError, match="columns depend on each other"):
        sf.LinearBasisModel(both).fit(x, t)
    fit = sf.LinearBasisModel(both).fit(x, t, rank_deficient="pivot")
    assert len(fit.dependencies) == 3
    assert fit.condition_number < 1e6
    assert np.allclose(np.asarray(fit.predict(x)) + fit.diagnostics(x, t).residuals, t, atol=1e-12)


def test_small_parts_of_a_dependency_are_told():
    x = RNG.normal(size=(30, 2))
    with pytest.raises(DataError, match=r"x3 = 1 x1 \+ 1e-09 x2 to within"):
        sf.LinearBasisModel().fit(np.column_stack([x, x[:, 0] + 1e-9 * x[:, 1]]), x[:, 0])
    apart = x[:, 0] + 1e-9 * RNG.normal(size=30)
    assert sf.LinearBasisModel().fit(np.column_stack([x, apart]), x[:, 0] + x[:, 1] ** 2).rank == 4


def test_of_many_dependencies_the_first_are_told():
    fit = sf.LinearBasisModel().fit(RNG.normal(size=(5, 20)), RNG.normal(size=5), rank_deficient="pivot")
    assert "; and 13 more)" in repr(fit)


@pytest.mark.parametrize(("x", "t"), [(1e160, 1.0), (1e-250, 1.0), (1.0, 1e200)])
def test_scales_whose_squares_are_no_floats(x, t):
    rows, targets = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    told = "targets" if t > 1.0 else "column 'x1'"
    with pytest.raises(DataError, match=f"{told} must have a size between 1e-145 and 1e.145, got .*: rescale it"):
        sf.LinearBasisModel().fit(x * rows, t * targets)
    want = sf.LinearBasisModel().fit(rows, targets)
    fit = sf.LinearBasisModel().fit(1e100 * rows, 1e-100 * targets)
    assert np.allclose(1e200 * fit.weights[1:], want.weights[1:], rtol=1e-13)
    assert np.allclose(1e200 * fit.standard_errors[1:], want.standard_errors[1:], rtol=1e-13)


def test_no_residual_tells_of_the_noise():
    fit = sf.LinearBasisModel().fit([1.0, 2.0], [3.0, 5.0])
    (row, _) = fit.table()
    assert row["estimate"] == pytest.approx(1.0)
    assert all(np.isnan(row[name]) for name in ("standard_error", "t", "p_value", "lower"))
    with pytest.raises(
        ValueError, match="there is no law: 2 observations for a model of rank 2 tell nothing of the noise"
    ):
        fit.predictive([3.0])
    with pytest.raises(ValueError, match="there is no law: the model fits all targets exactly"):
        sf.LinearBasisModel().fit([1.0, 2.0, 3.0], np.ones(3)).predictive([3.0])


def test_names_of_inputs():
    x, t = RNG.normal(size=(20, 3)), RNG.normal(size=20)
    assert sf.LinearBasisModel().fit(pd.Series(x[:, 0], name="dose"), t).names == ("intercept", "dose")
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    fit = sf.LinearBasisModel().fit(frame, pd.DataFrame({"u": t, "v": t**2}))
    assert fit.data is not None
    assert fit.data.targets == ("u", "v")
    one = sf.LinearBasisModel().fit({"a": [0.0, 1.0, 3.0]}, [1.0, 2.0, 5.0])
    with pytest.raises(ValueError, match="inputs must be a, got d"):
        one.predict({"d": [0.0, 1.0]})
    series = pd.Series([0.0, 1.0], name="d")
    assert np.array_equal(one.predict(series), one.predict([0.0, 1.0]))
    with pytest.raises(ValueError, match="inputs must be a, b, c, got a, b, d"):
        fit.predict(pd.DataFrame(x, columns=["a", "b", "d"]))
    assert np.array_equal(fit.predict(x), fit.predict(frame[["c", "a", "b"]]))
    with pytest.raises(DataError, match="inputs must have different names, got 'a' more than once"):
        sf.LinearBasisModel().fit(pd.DataFrame(x, columns=["a", "b", "a"]), t)


@pytest.mark.parametrize("column", [["a", None, "b", "a"], pd.array(["a", None, "b", "a"], dtype="string")])
def test_missing_text(column):
    frame = pd.DataFrame({"c": column, "y": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(DataError, match=r"input 'c' must not be missing, got None at row 2 \(counting from 1\)"):
        sf.LinearBasisModel(sf.OneHot("c")).fit(frame, "y")


def test_text_for_targets():
    with pytest.raises(DataError, match="targets must be numbers, got text, 'a'"):
        sf.LinearBasisModel().fit([1.0, 2.0, 3.0], ["a", "b", "c"])
