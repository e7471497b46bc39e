"""Filters: exact sets, HuggingFace's processors point by point, draws by chi-square, limits, order, bad settings."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf

RNG = np.random.default_rng(21)
REFERENCE = np.load(Path(__file__).parents[2] / "references" / "logits_processors.npz")
CASES = {
    "temperature": {"temperature": 0.7},
    "top_k": {"top_k": 7},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.05},
    "typical_p": {"typical_p": 0.6},
    "repetition_penalty": {"repetition_penalty": 1.3},
    "all": {"repetition_penalty": 1.2, "temperature": 1.4, "top_k": 40, "top_p": 0.95, "min_p": 0.02, "typical_p": 0.9},
}


@pytest.mark.parametrize("name", CASES)
def test_huggingface_point_by_point(name):
    """Outputs of transformers 4.45.2 (tests/references/generate_logits_processors.py): the same tokens stay, with the
    same probabilities; float32 logits up to 40 leave 40 eps in a logarithm, twice where they are scaled."""
    got = sf.filtered(REFERENCE["logits"], sf.standard_filters(**CASES[name]), REFERENCE["history"].astype(int))
    ours, theirs = np.asarray(got.logits, dtype=float), REFERENCE[name].astype(float)
    np.testing.assert_array_equal(np.isneginf(ours), np.isneginf(theirs))
    a, b = (np.asarray(jax.nn.log_softmax(x, axis=-1)) for x in (ours, theirs))
    kept = np.isfinite(b)
    assert np.abs(a[kept] - b[kept]).max() < 80 * 2.0**-23


def test_sets():
    """By hand, with ties: who stays."""

    def stays(filters, probs):
        return np.flatnonzero(np.asarray(sf.filtered(sf.Categorical.from_probs(probs), filters).probs)).tolist()

    p = [0.1, 0.4, 0.05, 0.25, 0.2]
    assert stays([sf.TopK(2)], p) == [1, 3]
    assert stays([sf.TopK(9)], p) == [0, 1, 2, 3, 4]
    assert stays([sf.TopP(0.6)], p) == [1, 3]
    assert stays([sf.TopP(0.7)], p) == [1, 3, 4]
    assert stays([sf.TopP(1e-9)], p) == [1]
    assert stays([sf.TopP(1.0)], [0.5, 0.5, 0.0]) == [0, 1]
    assert stays([sf.MinP(0.5)], p) == [1, 3, 4]
    assert stays([sf.MinP(0.0)], p) == [0, 1, 2, 3, 4]
    assert stays([sf.TopK(1)], [0.3, 0.3, 0.4 - 1e-9, 1e-9]) == [2]
    assert stays([sf.TopK(2)], [0.25, 0.25, 0.4, 0.1]) == [0, 1, 2]  # as probable as the second
    assert stays([sf.TopP(0.5)], [0.25] * 4) == [0, 1]
    # entropy 1.41 nats; information .92 (1), 1.39 (3), 1.61 (4), 2.30 (0), 3.00 (2)
    assert stays([sf.Typical(0.3)], p) == [3, 4]
    assert stays([sf.Typical(0.6)], p) == [1, 3, 4]


def test_draws_of_the_filtered_distribution():
    """1e6 draws by chi-square at false alarm 1e-9, and none of what was removed."""
    logits = RNG.normal(size=50)
    p = sf.filtered(logits, sf.standard_filters(temperature=0.8, top_p=0.9, min_p=0.02))
    draws = np.bincount(np.asarray(p.sample(1_000_000, rng=3)), minlength=50)
    probs = np.asarray(p.probs, dtype=float)
    kept = probs > 0
    assert 5 < kept.sum() < 50
    assert draws[~kept].sum() == 0
    statistic = ((draws[kept] - 1e6 * probs[kept]) ** 2 / (1e6 * probs[kept])).sum()
    assert statistic < stats.chi2.isf(1e-9, kept.sum() - 1)


def test_temperature_to_zero_is_argmax():
    logits = RNG.normal(size=(200, 30))
    for tau in (0.0, 1e-300, 1e-12):
        p = sf.filtered(logits, [sf.Temperature(tau)])
        np.testing.assert_array_equal(np.asarray(p.probs).argmax(-1), logits.argmax(-1))
        np.testing.assert_array_equal(np.asarray(p.probs).max(-1), 1.0)
    tied = sf.filtered([1.0, 2.0, 2.0, -np.inf], [sf.Temperature(0.0)])
    assert tied.probs.tolist() == [0.0, 0.5, 0.5, 0.0]
    np.testing.assert_allclose(
        sf.filtered(logits, [sf.Temperature(1.0)]).probs, sf.Categorical(logits).probs, rtol=1e-13
    )


def test_traced_settings_and_batches():
    """A temperature may be traced, with its gradient; leading axes are a batch."""
    logits = jnp.asarray(RNG.normal(size=(2, 3, 7)))
    history = jnp.array([[[0, 1, -1]] * 3] * 2)

    @jax.jit
    def f(t, p):
        return sf.filtered(logits, sf.standard_filters(1.2, t, 5, p), history).logits

    whole = f(0.5, 0.9)
    for i, j in np.ndindex(2, 3):
        one = sf.filtered(logits[i, j], sf.standard_filters(1.2, 0.5, 5, 0.9), history[i, j]).logits
        np.testing.assert_allclose(whole[i, j], one, rtol=1e-14)
    slope = jax.grad(lambda t: sf.filtered(logits, [sf.Temperature(t)]).entropy().sum())(0.7)
    step = 1e-6
    up, down = (float(sf.filtered(logits, [sf.Temperature(0.7 + s)]).entropy().sum()) for s in (step, -step))
    assert float(slope) == pytest.approx((up - down) / (2 * step), rel=1e-7)


def test_any_function_is_a_filter():
    p = sf.filtered([0.0, 1.0, 2.0], [lambda logits, history: logits.at[..., 2].set(-jnp.inf), sf.TopK(1)])
    assert p.probs.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sf.Temperature(-1.0), r"Temperature.temperature must be >= 0, got -1.0"),
        (lambda: sf.TopK(0), "TopK.k must be an integer >= 1, got 0"),
        (lambda: sf.TopP(0.0), r"TopP.p must be in \(0, 1\], got 0.0"),
        (lambda: sf.MinP(1.5), r"MinP.p must be in \[0, 1\], got 1.5"),
        (lambda: sf.Typical(np.nan), r"Typical.p must be in \(0, 1\], got nan"),
        (lambda: sf.RepetitionPenalty(0.0), r"RepetitionPenalty.penalty must be > 0, got 0.0"),
        (lambda: sf.TopP("0.9"), r"TopP.p must be in \(0, 1\], got 0.9"),
        (lambda: sf.TopP(np.array([[0.5], [1.5]])), r"TopP.p must be in \(0, 1\], got"),
        (lambda: sf.TopK(True), "TopK.k must be an integer >= 1, got True"),
        (lambda: sf.filtered([0.0, np.nan], []), "nan"),
        (
            lambda: sf.filtered(np.zeros((2, 3)), [], np.zeros((3, 1), int)),
            r"history must have shape \(2, L\), got \(3, 1\)",
        ),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_steps_are_what_each_filter_leaves():
    """Each step is what filters up to it make; the last is that of all; bare functions are named."""

    def nothing(logits, history):
        return logits

    logits = np.random.default_rng(0).normal(size=50)
    filters = [
        nothing,
        *sf.standard_filters(repetition_penalty=1.3, temperature=0.7, top_k=20, top_p=0.9, min_p=0.05),
    ]
    steps = sf.filter_steps(logits, filters, [3, 7])
    for i, law in enumerate(steps.distributions):
        np.testing.assert_array_equal(law.logits, sf.filtered(logits, filters[:i], [3, 7]).logits)
    np.testing.assert_array_equal(steps.distribution.logits, sf.filtered(logits, filters, [3, 7]).logits)
    assert steps.kept[:5] == [50, 50, 50, 50, 20]
    assert "→ nothing → RepetitionPenalty(penalty=1.3) → " in repr(steps)
    with pytest.raises(ValueError, match=r"p must be one distribution, with logits of shape \(V,\), got \(2, 3\)"):
        sf.filter_steps(np.zeros((2, 3)), [])
    with pytest.raises(ValueError, match="words must be 3, one for each token, got 2"):
        sf.filter_steps(np.zeros(3), [], words=["a", "b"])


def test_filters_given_wrongly():
    for filters, message in ((sf.TopK(1), "must be a list of filters"), ([0.5], "functions of logits and history")):
        with pytest.raises(TypeError, match=message):
            sf.filtered([0.0, 1.0], filters)
    with pytest.raises(TypeError, match="history must be integers, got float64"):
        sf.filtered([0.0, 1.0], [sf.RepetitionPenalty(2.0)], [0.5])


def test_all_that_is_possible_holds_one():
    """Tokens whose probability rounds away beside the others are still needed to hold all."""
    logits = [0.0, -40.0, -800.0, -np.inf, 1.0]
    for whole in (sf.TopP(1.0), sf.Typical(1.0)):
        assert sf.filtered(logits, [whole]).logits.tolist() == logits
    assert sf.filtered(logits, [sf.TopP(0.99)]).logits.tolist() == [0.0, -np.inf, -np.inf, -np.inf, 1.0]


def test_a_setting_for_each_distribution():
    logits = RNG.normal(size=(2, 9))
    history = [[3], [3]]
    for make, settings in (
        (sf.RepetitionPenalty, (1.5, 0.5)), (sf.Temperature, (0.7, 0.0)), (sf.TopP, (0.3, 0.9)), (sf.MinP, (0.0, 0.4)),
        (sf.Typical, (0.2, 0.8)),
    ):  # fmt: skip
        both = sf.filtered(logits, [make(np.array(settings)[:, None])], history).logits
        for row, one in enumerate(settings):
            assert np.array_equal(both[row], sf.filtered(logits[row], [make(one)], history[row]).logits)


def test_history_of_any_width():
    """Tokens of 8 bits, with −1 among them, in a vocabulary of 300; and no history at all."""
    logits = RNG.normal(size=300)
    changed = np.where(logits < 0, 2.0 * logits, logits / 2.0)
    seen = np.isin(np.arange(300), [3, 100])
    found = sf.filtered(logits, [sf.RepetitionPenalty(2.0)], np.array([-1, 3, 100], np.int8)).logits
    assert np.array_equal(found, np.where(seen, changed, logits))
    assert np.array_equal(sf.filtered(logits, [sf.RepetitionPenalty(2.0)], np.zeros(0, int)).logits, logits)
