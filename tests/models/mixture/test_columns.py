"""Columns by name: whatever holds them, and in whatever order they stand there."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import suffice as sf

rng = np.random.default_rng(0)
Z = rng.random(300) < 0.4
A = np.where(Z, rng.normal(0.0, 1.0, 300), rng.normal(4.0, 1.0, 300))
B = np.where(Z, rng.poisson(2.0, 300), rng.poisson(9.0, 300)).astype(float)
FRAME = pd.DataFrame({"a": A, "junk": 0.0, "b": B})
KINDS = {"b": sf.Poisson, "a": sf.Normal}


@pytest.fixture(scope="module")
def fit():
    return sf.fit_mixture((sf.Poisson, sf.Normal), 2, np.column_stack([B, A]), starts=2)


@pytest.mark.parametrize("data", [FRAME, pa.table(FRAME), FRAME[["b", "a"]]], ids=["pandas", "arrow", "in order"])
def test_a_mapping_takes_columns_by_name(fit, data):
    named = sf.fit_mixture(KINDS, 2, data, starts=2)
    assert named.log_likelihood == fit.log_likelihood
    assert named._data().names == ("b", "a")
    rows = np.column_stack([B, A])
    np.testing.assert_allclose(named.responsibilities(data), fit.responsibilities(rows), atol=1e-12)
    np.testing.assert_allclose(named.log_densities(FRAME[["a", "b"]]), fit.log_densities(rows), rtol=1e-12)
    listed = sf.fit_mixture([KINDS, KINDS], data, starts=2)
    assert listed.log_likelihood == fit.log_likelihood
    found = sf.select_mixture(KINDS, [1, 2], data, starts=2)
    assert found.best.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-9)


def test_files(tmp_path, fit):
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    table = sf.scan_table(tmp_path / "rows.csv", ["b", "a"])
    assert sf.fit_mixture(KINDS, 2, table, starts=2).log_likelihood == fit.log_likelihood
    with pytest.raises(ValueError, match=r"in their order: columns=\['b', 'a'\]"):
        sf.fit_mixture(KINDS, 2, sf.scan_table(tmp_path / "rows.csv", ["a", "b"]))
    FRAME.to_parquet(tmp_path / "rows.parquet")
    table = sf.scan_table(tmp_path / "rows.parquet", ["b", "a"])
    assert sf.fit_mixture(KINDS, 2, table, starts=2).log_likelihood == fit.log_likelihood


def test_names_are_kept():
    assert sf.fit_mixture(sf.Normal, 1, FRAME["a"])._data().names == ("a",)
    assert sf.fit_mixture((sf.Normal, sf.Poisson), 1, pa.table({"a": A, "b": B}))._data().names == ("a", "b")


def test_other_names_are_told():
    with pytest.raises(sf.DataError, match="there is no column 'c'; there are a, junk, b"):
        sf.fit_mixture({"c": sf.Normal}, 2, FRAME)
    with pytest.raises(ValueError, match="name the same columns in one order"):
        sf.fit_mixture([KINDS, {"a": sf.Normal, "b": sf.Poisson}], FRAME)


def test_one_more_component_counts_weights():
    """Rows with frequencies are as many observations: the same test as of rows written out."""
    x, w = np.arange(6.0), np.array([3.0, 5.0, 2.0, 0.0, 4.0, 6.0])
    asked = {"replicates": 3, "starts": 2, "prior": 1.0}
    weighted = sf.one_more_component(sf.Poisson, 1, x, w, **asked)
    repeated = sf.one_more_component(sf.Poisson, 1, np.repeat(x, w.astype(int)), **asked)
    assert weighted.statistic == pytest.approx(repeated.statistic, abs=1e-6)
    np.testing.assert_allclose(weighted.replicates, repeated.replicates, atol=1e-5)
