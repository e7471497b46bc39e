"""The bottom-k sample: uniform, and the same however the rows are cut, ordered and bounded.

Statistical tests use fixed seeds and refuse beyond the 1 − 1e-8 quantile: a false alarm in 1e8.
"""

import functools
import operator

import numpy as np
import pytest
from scipy import stats

from suffice.streams import BottomK, Bound, fold, from_array
from suffice.streams.sample import GROUP
from suffice.streams.source import Chunk

ALARM = 1e-8


def cut(values: np.ndarray, edges: list[int], weights: np.ndarray | None = None) -> list[Chunk]:
    """Chunks between the edges."""
    pairs = zip([0, *edges], [*edges, len(values)], strict=True)
    return [Chunk(values[a:b], None if weights is None else weights[a:b], a, b - a) for a, b in pairs]


def sample(parts: list[Chunk], **options) -> BottomK:
    return functools.reduce(operator.add, [BottomK.of(part, **options) for part in parts])


@pytest.mark.parametrize("edges", [[1, 2, 3], [17, 32, 64, 5000], list(range(70, 20_000, 70))])
def test_cuts_and_order_change_nothing(edges):
    values, weights = np.arange(20_000.0), np.arange(20_000.0) + 0.5
    whole = BottomK.of(Chunk(values, weights, 0, len(values)), 500, seed=3)
    assert whole.seen == 20_000
    assert len(set(whole.values)) == 500
    np.testing.assert_array_equal(whole.weights, whole.values + 0.5)
    parts = cut(values, edges, weights)
    for order in (parts, parts[::-1]):
        for bound in (None, Bound()):
            other = sample(order, k=500, seed=3, bound=bound)
            assert other.seen == 20_000
            np.testing.assert_array_equal(other.values, whole.values)
            np.testing.assert_array_equal(other.weights, whole.weights)


def test_in_a_fold():
    values = np.random.default_rng(0).normal(size=3_000_000)
    bound = Bound()
    found = fold(from_array(values), lambda chunk: BottomK.of(chunk, 1000, bound=bound))
    assert found.seen == len(values)
    np.testing.assert_array_equal(found.values, sample(cut(values, [10**6]), k=1000).values)


def test_dropped_rows_do_not_move_the_others():
    values = np.arange(5000.0)
    values[::3] = np.nan
    values[4000:4100] = np.nan
    (chunk,) = from_array(values, missing="drop").chunks()
    found = BottomK.of(chunk, 300)
    everything = BottomK.of(Chunk(values, None, 0, 5000), 5000).values
    assert found.seen == np.isfinite(values).sum()
    np.testing.assert_array_equal(found.values, everything[np.isfinite(everything)][:300])


def test_fewer_rows_than_k():
    found = BottomK.of(Chunk(np.arange(10.0), None, 0, 10), 100)
    assert sorted(found.values) == list(range(10))
    assert found.weights is None
    empty = BottomK.of(Chunk(np.empty(0), None, 10, 0), 100)
    assert len(empty.values) == 0
    np.testing.assert_array_equal((found + empty).values, found.values)


def test_refuses_to_add_unlike_samples():
    chunk = Chunk(np.arange(10.0), None, 0, 10)
    with pytest.raises(ValueError, match="the same k"):
        BottomK.of(chunk, 5) + BottomK.of(chunk, 6)
    with pytest.raises(ValueError, match="both or neither have weights"):
        BottomK.of(chunk, 5) + BottomK.of(Chunk(np.arange(10.0), np.ones(10), 10, 10), 5)


def test_keys_are_independent_unit_exponentials():
    n = GROUP * 20_000
    order = BottomK.of(Chunk(np.arange(float(n)), None, 0, n), n, seed=1)
    keys = np.empty(n)
    keys[order.values.astype(int)] = np.sort(order._keys)
    assert stats.kstest(keys, "expon").pvalue > ALARM
    groups = keys.reshape(-1, GROUP)
    assert stats.kstest(groups.min(axis=1) * GROUP, "expon").pvalue > ALARM
    assert stats.chisquare(np.bincount(groups.argmin(axis=1), minlength=GROUP)).pvalue > ALARM
    assert stats.kstest(np.diff(np.sort(groups)[:, :2]).ravel() * (GROUP - 1), "expon").pvalue > ALARM
    for lag in (1, 2, GROUP):
        assert abs(np.corrcoef(keys[lag:], keys[:-lag])[0, 1]) * np.sqrt(n) < stats.norm.isf(ALARM / 2)


def test_rows_have_the_same_chance():
    chosen = BottomK.of(Chunk(np.arange(1e6), None, 0, 10**6), 20_000, seed=2).values
    assert stats.chisquare(np.bincount((chosen // 10_000).astype(int), minlength=100)).pvalue > ALARM
    assert stats.chisquare(np.bincount((chosen % GROUP).astype(int), minlength=GROUP)).pvalue > ALARM
    head = chosen[:2000]  # in the order of the keys: itself a uniform sample
    assert stats.chisquare(np.bincount((head // 50_000).astype(int), minlength=20)).pvalue > ALARM


def test_seeds_are_independent():
    chunk = Chunk(np.arange(1e5), None, 0, 10**5)
    first, second = (BottomK.of(chunk, 10_000, seed=seed).values for seed in (0, 2**64 - 1))
    shared = len(np.intersect1d(first, second))
    law = stats.hypergeom(10**5, 10_000, 10_000)
    assert law.isf(1 - ALARM / 2) <= shared <= law.isf(ALARM / 2)
