"""The climb never falls, and sums come to the same in whatever pieces rows are read."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import jax
import numpy as np
import pytest

import suffice as sf
from suffice.models.mixture.climb import climb
from suffice.models.mixture.expectation import Rows
from suffice.models.mixture.model import Expected, Model, joined
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.rows import rows_of
from suffice.models.mixture.structures import structure
from suffice.numerics.newton import CONVERGED, DEGENERATE

RUNS, ROWS = 125, 80


@pytest.mark.parametrize("tails", [None, np.nan])
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "VEE"])
def test_monotone(covariance, tails):
    """1,000 random problems in all: each with its own frequencies of rows and its own start."""
    rng = np.random.default_rng(11)
    x = np.concatenate([rng.normal(rng.normal(0.0, 3.0, 2), rng.gamma(2.0, 0.5, 2), (ROWS // 4, 2)) for _ in range(4)])
    w = rng.poisson(1.0, (RUNS, ROWS)).astype(float)
    look = rows_of(x, None, "error").look
    model = Model((NormalComponents(3, (0, 2), structure(covariance), look.mean, look.covariance, df=tails),))
    begin = joined([model.start(x, w[i] + 0.05, rng.dirichlet(np.ones(3) * 0.3, ROWS).T) for i in range(RUNS)])
    piece = Rows(x, w)

    def evaluate(p):
        return Expected(*jax.device_get(piece.expected(model.kernels, model.prepare(p), p.log_weights)))

    end = climb(model, evaluate, begin, w.sum(1), most=60, tolerance=1e-8)
    lengths = np.array([len(t) for t in end.traces])
    assert lengths.min() >= 1
    assert np.median(lengths) > 10
    for trace, count in zip(end.traces, w.sum(1), strict=True):
        trace = np.array(trace)
        assert np.all(np.diff(trace) >= -1e-12 * (np.abs(trace[1:]) + count))


def test_the_lengthened_climb_ends_where_the_plain_one_does_and_sooner():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(0.0, 1.0, 300), rng.normal(2.2, 1.0, 200)])
    start = sf.Mixture([sf.Normal(-0.5, 1.0), sf.Normal(2.5, 1.0)], [0.5, 0.5])
    plain = sf.fit_mixture(sf.Normal, 2, x, start=start, accelerate=False, max_iterations=100_000)
    fast = sf.fit_mixture(sf.Normal, 2, x, start=start)
    assert plain.converged
    assert fast.converged
    assert fast.passes < plain.passes / 5
    for name, value in plain.parameters.items():
        assert fast.parameters[name] == pytest.approx(value, rel=1e-7)


def model_and_start(x):
    look = rows_of(x, None, "error").look
    model = Model((NormalComponents(3, (0, 2), structure("full"), look.mean, look.covariance),))
    share = np.random.default_rng(0).dirichlet(np.ones(3), len(x)).T
    return model, model.start(x, np.ones(len(x)), share)


def test_pieces_and_their_order_change_nothing():
    """Within 1e-12: sums of rows in another order, in pieces, and as frequencies."""
    rng = np.random.default_rng(8)
    x = rng.normal(0.0, 1.0, (4000, 2)) + 1e4  # far off centre
    model, p = model_and_start(x)
    whole = rows_of(x, None, "error").evaluate(model, p)
    shuffled = rows_of(x[rng.permutation(len(x))], None, "error").evaluate(model, p)
    pieces = [rows_of(part, None, "error").evaluate(model, p) for part in np.split(x, [17, 900, 2500])]
    merged = jax.tree.map(lambda *a: sum(a), *pieces[::-1])
    twice = rows_of(x, np.full(len(x), 2.0), "error").evaluate(model, p)
    halved = jax.tree.map(lambda a: a / 2.0, twice)
    for other in (shuffled, merged, halved):
        new, old = model.maximise(p, other), model.maximise(p, whole)
        assert other.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
        np.testing.assert_allclose(new.log_weights, old.log_weights, atol=1e-12)
        np.testing.assert_allclose(new.groups[0]["loc"], old.groups[0]["loc"], atol=1e-12)
        np.testing.assert_allclose(new.groups[0]["root"], old.groups[0]["root"], atol=1e-12)


def test_streams_of_any_chunks_give_the_fit_in_memory():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0.0, 1.0, (600, 2)), rng.normal(4.0, 1.5, (400, 2))])[rng.permutation(1000)]
    start = sf.Mixture([sf.MultivariateNormal(m, np.eye(2)) for m in ([0.0, 1.0], [3.0, 4.0])], [0.5, 0.5])
    fit = sf.fit_mixture(sf.MultivariateNormal, 2, x, start=start)
    import suffice.models.mixture.rows as rows

    held, rows.HELD = rows.HELD, 100  # so that the source is read anew at each pass
    try:
        stream = sf.fit_mixture(sf.MultivariateNormal, 2, lambda: iter(np.array_split(x, 7)), start=start)
    finally:
        rows.HELD = held
    assert stream.converged
    assert not stream._data().in_memory
    assert stream._data().passes > stream.passes
    assert stream.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-13)
    for name, value in fit.parameters.items():
        assert stream.parameters[name] == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert stream.standard_errors["weights[0]"] == pytest.approx(fit.standard_errors["weights[0]"], rel=1e-7)


def test_far_off_centre_data_keep_their_digits():
    """Data of deviation 1 at 1e8 (exact in float64): covariances as of the same data at 0, to what the shift leaves."""
    rng = np.random.default_rng(4)
    x = np.round(np.concatenate([rng.normal(0.0, 1.0, 300), rng.normal(6.0, 2.0, 300)]) * 2**20) / 2**20
    near = sf.fit_mixture(sf.Normal, 2, x)
    far = sf.fit_mixture(sf.Normal, 2, x + 1e8)
    assert far.log_likelihood == pytest.approx(near.log_likelihood, rel=1e-12)
    for k in (0, 1):
        assert far.components[k].scale == pytest.approx(float(near.components[k].scale), rel=1e-9)
        assert far.components[k].loc - 1e8 == pytest.approx(float(near.components[k].loc), abs=5e-8)


def test_single_precision():
    """Rows of float32 are worked on in float32, and sums in float64: within 1e-6 relative of the log-likelihood."""
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(m, 1.0, (5000, 4)) for m in (-3.0, 0.0, 3.0)]).astype(np.float32)
    model, p = model_and_start(x[:, :2].astype(float))
    wide = rows_of(x[:, :2].astype(float), None, "error").evaluate(model, p)
    narrow = rows_of(np.ascontiguousarray(x[:, :2]), None, "error").evaluate(model, p)
    assert narrow.log_likelihood.dtype == np.float64
    assert narrow.log_likelihood == pytest.approx(wide.log_likelihood, rel=1e-6)
    new, old = model.maximise(p, narrow), model.maximise(p, wide)
    np.testing.assert_allclose(new.groups[0]["root"], old.groups[0]["root"], atol=2e-5)


class Points(NamedTuple):
    """Points of several runs, (R, m)."""

    at: np.ndarray

    @property
    def log_weights(self):
        return self.at

    def run(self, which):
        return Points(self.at[which])


@dataclass(frozen=True)
class Steps:
    """Steps by a share of the way to the top of −Σ v²/2, for each coordinate; infinite ones stay."""

    share: np.ndarray
    accelerates: bool = True

    def value(self, p):
        return -0.5 * (np.where(np.isfinite(p.at), p.at, 0.0) ** 2).sum(1)

    def maximise(self, p, e):
        return Points(p.at - self.share * np.where(np.isfinite(p.at), p.at, 0.0))

    def penalty(self, p):
        return np.zeros(len(p.at))

    def vector(self, p):
        return p.at

    def build(self, v, like):
        return Points(v)

    def sound(self, p):
        return ~np.isnan(p.at)


def climbed(share, start, count, **how):
    """The climb, and every point that was evaluated."""
    model, seen = Steps(np.array(share), **how), []

    def evaluate(p):
        seen.append(p.at.copy())
        # no likelihood beyond the top of the first coordinate
        return SimpleNamespace(log_likelihood=np.where(p.at[:, 0] < -1e-3, np.nan, model.value(p)))

    return climb(model, evaluate, Points(np.array(start, float)), count, most=1000, tolerance=1e-6), seen


@pytest.mark.parametrize("accelerates", [True, False])
def test_coordinates_without_end_and_points_without_likelihood(accelerates):
    """Runs end at their tops whatever the others do; a start without likelihood ends at once, and none is moved after."""
    start = [[3.0, -np.inf, 4.0], [0.0, -np.inf, 0.0], [-5.0, -np.inf, 1.0]]
    end, seen = climbed([0.5, 0.5, 0.3], start, 1e6, accelerates=accelerates)
    assert end.status.tolist() == [CONVERGED, CONVERGED, DEGENERATE]
    np.testing.assert_allclose(end.params.at[0], [0.0, -np.inf, 0.0], atol=1e-6)
    assert np.all(np.diff(end.traces[0]) >= -2e-6)
    for points in seen:
        np.testing.assert_array_equal(points[1:], start[1:])
    assert end.evaluations < (20 if accelerates else 80)


def test_steps_that_fall_are_halved():
    """Steps 3 and 7 times too long: the plain one falls, and halves of it are taken."""
    end, seen = climbed([7.0, 0.0, 3.0], [[2.0, 0.0, 2.0]], 1e-6, accelerates=False)
    assert end.status.tolist() == [CONVERGED]
    np.testing.assert_allclose(end.params.at, 0.0, atol=1e-6)
    assert len(seen) > len(end.traces[0])
    np.testing.assert_array_equal(seen[1] - seen[0], 2.0 * (seen[2] - seen[0]))
