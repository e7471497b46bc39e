"""Tests of fit of censored and truncated data: samples are drawn as the data were, and the tests hold their level."""

import jax
import numpy as np
import pytest

import suffice as sf
from suffice.inference.testing.mechanism import Mechanism, Times
from suffice.inference.testing.self_consistency import ROWS
from suffice.streams.intervals import rows_of

RNG = np.random.default_rng(20)
INF = np.inf


def right_censored(x, c):
    return sf.Data(left=np.minimum(x, c), right=np.where(x <= c, x, np.nan))


def draws(rows, p, times=400):
    mechanism = Mechanism.of(rows, len(rows))
    drawn = jax.vmap(lambda key: mechanism.draw(p, key))(jax.random.split(jax.random.key(0), times))
    return np.asarray(drawn)


def test_statistics_of_known_values_are_the_classical_ones():
    x = np.sort(RNG.normal(size=60))
    p = sf.Normal(0.1, 1.2)
    rows, w = rows_of(x, x), np.ones(60)
    u = np.asarray(p.cdf(x))
    i = np.arange(1, 61)
    w2 = 1 / 720 + np.sum((u - (2 * i - 1) / 120) ** 2)
    a2 = -60 - np.mean((2 * i - 1) * (np.log(u) + np.log(np.asarray(p.sf(x))[::-1])))
    d = max(np.max(i / 60 - u), np.max(u - (i - 1) / 60))
    # the integrals are sums over 512 nodes, the maximum is one over them
    assert ROWS["cramer-von-mises"](p, rows, w) == pytest.approx(w2, rel=0.02)
    assert ROWS["watson"](p, rows, w) == pytest.approx(w2 - 60 * (u.mean() - 0.5) ** 2, rel=0.02)
    assert ROWS["anderson-darling"](p, rows, w) == pytest.approx(a2, rel=0.02)
    assert ROWS["kolmogorov-smirnov"](p, rows, w) == pytest.approx(d, abs=0.002)


def test_censoring_that_says_nothing_is_consistent_with_everything():
    rows, w = np.tile([0.5, 1.5, 0.5, 1.5], (20, 1)), np.ones(20)
    for statistic in ROWS.values():
        assert statistic(sf.Exponential(1.0), rows, w) == pytest.approx(0.0, abs=1e-12)


def test_known_censoring_times_stay_and_others_are_drawn_beyond_what_was_seen():
    left, right = np.array([1.0, 2.0, 3.0, 1.5, 5.0]), np.array([1.0, INF, 3.0, INF, 5.0])
    drawn = draws(rows_of(left, right), sf.Exponential(0.1))
    is_censored = drawn[:, :, 1] == INF
    assert set(drawn[:, 1, 0][is_censored[:, 1]]) == {2.0}
    assert set(drawn[:, 3, 0][is_censored[:, 3]]) == {1.5}
    # seen at 1 of times 1.5 (4 at risk) and 2 (3 at risk): P(C = 1.5) = 1/4, P(C = 2) = 3/4 · 1/3, none later
    assert set(drawn[:, 0, 0][is_censored[:, 0]]) == {1.5, 2.0}
    assert not is_censored[:, 2].any()
    times = Times.of(left, right == INF, np.full(5, -INF), np.asarray)
    np.testing.assert_allclose(np.asarray(times.left)[:2], [3 / 4, 1 / 2])
    np.testing.assert_allclose(times.beyond, [1.0, 1 / 2, 1 / 2, 3 / 4, 1 / 2])


def test_censoring_from_below_mirrors():
    left, right = np.array([-1.0, -INF, -3.0]), np.array([-1.0, -2.0, -3.0])
    drawn = draws(rows_of(left, right), sf.Normal(-3.0, 2.0))
    hidden = drawn[:, :, 0] == -INF
    assert hidden[:, 1].any()
    assert set(drawn[:, 1, 1][hidden[:, 1]]) == {-2.0}
    assert set(drawn[:, 0, 1][hidden[:, 0]]) == {-2.0}
    assert not hidden[:, 2].any()
    assert (drawn[:, 1, 1] >= -2.0).all()


def test_intervals_that_part_the_line_are_drawn_in_all_of_it():
    left, right = np.array([-INF, 1.0, 2.0, 4.0, 1.0]), np.array([1.0, 2.0, 4.0, INF, 2.0])
    drawn = draws(rows_of(left, right), sf.Exponential(0.5))
    assert {tuple(row) for row in drawn[:, 0, :2].tolist()} == {(-INF, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, INF)}


def test_values_looked_for_once_are_looked_for_at_the_same_time():
    left, right = np.array([1.0, -INF, 2.5]), np.array([INF, 1.5, INF])
    drawn = draws(rows_of(left, right), sf.Exponential(0.5))
    assert {tuple(row) for row in drawn[:, 0, :2].tolist()} == {(-INF, 1.0), (1.0, INF)}
    assert {tuple(row) for row in drawn[:, 1, :2].tolist()} == {(-INF, 1.5), (1.5, INF)}


def test_values_stay_within_their_truncation_limits():
    rows = rows_of([40.0, 5.0, -31.0], [40.0, INF, -31.0], [39.0, 1.0, -INF], [INF, INF, -30.0])
    drawn = draws(rows, sf.Normal(0.0, 1.0))
    assert (drawn[:, 0, 0] > 39.0).all()
    assert (drawn[:, 2, 0] <= -30.0).all()
    # the mean beyond 39 is 39 + 1/39 − 2/39³ + …; of 400 draws to 5 standard errors, a false alarm of 6e-7
    assert abs(drawn[:, 0, 0].mean() - 39.02560) < 5 * 0.0256 / 20


@pytest.mark.parametrize("kind", ["right", "truncated"])
def test_level_and_power(kind):
    """Of 60 samples that obey the family, 20 with p <= 0.1 or more come up with probability 1e-6; so do 30 or fewer of
    60 from another, that the test rejects with probability .8."""
    rejected = dict.fromkeys(("true", "false"), 0)
    for name, draw in (("true", lambda: RNG.exponential(2.0, 400)), ("false", lambda: 2.0 * RNG.weibull(2.5, 400))):
        for i in range(60):
            if kind == "right":
                data = right_censored(draw()[:60], RNG.exponential(4.0, 60))
            else:
                x, lower = draw(), RNG.uniform(0.0, 1.0, 400)
                kept = np.flatnonzero(x > lower)[:60]
                data = sf.Data(left=x[kept], right=x[kept], lower=lower[kept])
            fit = sf.fit(sf.Exponential, data)
            rejected[name] += sf.goodness_of_fit(fit, replicates=59, rng=i).p_value <= 0.1
    assert rejected["true"] < 20
    assert rejected["false"] > 30


def test_what_cannot_be_tested_says_why():
    fit = sf.fit(sf.Exponential, right_censored(RNG.exponential(size=40), np.full(40, 1.0)))
    test = sf.goodness_of_fit(fit, statistic="chi-square", replicates=9)
    assert np.isnan(test.p_value)
    assert "cannot be counted in cells" in test.reason
    visited = sf.Data(left=[0.0, 0.5, 1.0, 0.2], right=[1.0, 2.5, INF, 0.9])
    test = sf.goodness_of_fit(sf.fit(sf.Exponential, visited), replicates=9)
    assert np.isnan(test.p_value)
    assert "when they would have been looked for" in test.reason
    half = sf.Data(left=[1.0, 2.0, 3.0], right=[1.0, 2.0, INF], weights=[0.5, 1.0, 1.0])
    assert "not frequencies" in sf.goodness_of_fit(sf.fit(sf.Exponential, half), replicates=9).reason
