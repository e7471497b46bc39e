"""Row by row: RLS equals the batch, with forgetting the weighted batch; LMS converges, or says that it does not."""

import itertools

import numpy as np
import pytest

import suffice as sf
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)


@pytest.mark.parametrize("forgetting", [1.0, 0.9])
def test_recursive_equals_batch(forgetting):
    x = RNG.uniform(-1.0, 1.0, 40)
    t = x**2 + 0.1 * RNG.normal(size=40)
    basis = sf.Chebyshev(3, domain=(-1.0, 1.0))
    rls = sf.RecursiveLeastSquares(basis, forgetting=forgetting)
    ends = [0, 1, 3, 4, 10, 40]
    for a, b in itertools.pairwise(ends):
        rls = rls.update(x[a:b], t[a:b])
        if b < 4:
            with pytest.raises(DataError, match="do not determine 4 weights"):
                rls.weights  # noqa: B018
            continue
        fade = forgetting ** np.arange(b - 1, -1, -1.0)
        batch = sf.LinearBasisModel(basis).fit(x[:b], t[:b], precisions=fade)
        assert np.allclose(rls.weights, batch.weights, rtol=1e-9, atol=1e-12)
    assert np.allclose(rls.predict(x), batch.predict(x))
    assert rls.count == 40


def test_forgetting_follows_a_drift():
    x = RNG.normal(size=400)
    t = np.where(np.arange(400) < 200, 1.0, -1.0) * x
    assert sf.RecursiveLeastSquares(forgetting=0.9).update(x, t).weights[1] == pytest.approx(-1.0, abs=1e-6)
    assert abs(sf.RecursiveLeastSquares().update(x, t).weights[1]) < 0.5


def test_least_mean_squares():
    """By hand over a few rows; near the batch after many; the same in pieces; too large a rate is told."""
    x, t = RNG.normal(size=(4000, 2)), RNG.normal(size=4000)
    t = t * 0.1 + 1.0 + x @ [2.0, -1.0]
    w = np.zeros(3)
    for row, target in zip(x[:5], t[:5], strict=True):
        phi = np.array([1.0, *row])
        w = w + 0.02 * (target - phi @ w) * phi
    lms = sf.LeastMeanSquares(rate=0.02)
    assert np.allclose(lms.update(x[:5], t[:5]).weights, w, rtol=1e-13)
    whole = lms.update(x, t)
    assert np.allclose(lms.update(x[:7], t[:7]).update(x[7:], t[7:]).weights, whole.weights, rtol=1e-13)
    assert np.allclose(whole.weights, [1.0, 2.0, -1.0], atol=0.1)
    assert np.allclose(whole.predict(x[:3]), np.column_stack([np.ones(3), x[:3]]) @ whole.weights)
    with pytest.raises(DataError, match="diverge"):
        sf.LeastMeanSquares(rate=5.0).update(x, t)


def test_bad_use():
    with pytest.raises(ValueError, match="rate must be > 0"):
        sf.LeastMeanSquares(rate=0.0)
    with pytest.raises(ValueError, match="forgetting must be > 0 and <= 1"):
        sf.RecursiveLeastSquares(forgetting=1.5)
    with pytest.raises(ValueError, match="one target"):
        sf.RecursiveLeastSquares().update([1.0, 2.0], np.ones((2, 2)))
    with pytest.raises(ValueError, match="update first"):
        sf.LeastMeanSquares().predict([1.0])


def test_a_rate_that_is_too_large_and_texts():
    x = RNG.normal(size=(60, 3))
    t = x @ [1.0, 2.0, 3.0]
    with pytest.raises(DataError, match=r"the weights diverge: rate must be well below 2/\|phi\|², got 5.0"):
        sf.LeastMeanSquares(rate=5.0).update(x, t)
    assert repr(sf.LeastMeanSquares(rate=0.1)) == "LeastMeanSquares(rate 0.1, n = 0)"
    assert "x3 " in repr(sf.LeastMeanSquares(rate=0.05).update(x, t))
    rls = sf.RecursiveLeastSquares()
    assert "2 rows do not determine 4 weights; forgetting 1, n = 2" in repr(rls.update(x[:2], t[:2]))
    assert "x2 2, x3 3; forgetting 1, n = 60" in repr(rls.update(x, t))
