"""Log-probability of sequences: against float64 by hand, masks and ragged lists against loops, extremes, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.models.language import likelihood, normaliser

RNG = np.random.default_rng(21)


def by_hand(logits, tokens):
    x = np.asarray(logits, dtype=float)
    top = x.max(-1, keepdims=True)
    chosen = np.take_along_axis(x, np.asarray(tokens)[..., None], -1)[..., 0]
    return (chosen - top[..., 0]) - np.log(np.exp(x - top).sum(-1))


@pytest.mark.parametrize(
    ("dtype", "error"),
    # a row's terms carry the rounding of x − x_token, |difference| eps/2 <= 60 eps; the sum of a piece adds a few eps
    [(jnp.float64, 60 * 2.0**-52), (jnp.float32, 60 * 2.0**-23), (jnp.bfloat16, 60 * 2.0**-23)],
)
def test_each_precision_against_float64(dtype, error):
    """Rows that slices divide, leave a rest of, are too few for; 600 rows of 8,192 are two blocks that overlap."""
    for rows, classes in ((130, 1031), (600, 8192), (130, 12)):
        logits = jnp.asarray(5.0 * RNG.normal(size=(rows, classes))).astype(dtype)
        tokens = RNG.integers(0, classes, rows)
        each = np.asarray(likelihood._log_probs(logits, jnp.asarray(tokens), None))
        assert each.dtype == np.float64
        assert np.abs(each - by_hand(logits, tokens)).max() < error


def test_exponential_of_32_bits():
    """Within a unit of the last place, 2^-23 of it at most, wherever it is normal."""
    x = np.linspace(-87.0, 88.0, 1_000_003, dtype=np.float32)
    exact = np.exp(x.astype(float))
    assert np.abs(np.asarray(jax.jit(normaliser._exp)(x)) / exact - 1.0).max() < 2.0**-23
    told = np.asarray(normaliser._exp(jnp.array([0.0, -0.0, -np.inf, -88.0, np.inf, np.nan], jnp.float32)))
    assert told[:4].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert told[4] > normaliser.limit(np.dtype(np.float32))
    assert np.isnan(told[5])


def test_derivative_of_half_precision():
    """Shares of the softmax, rounded once at the end: within half a unit of bfloat16's last place, 2^-9 of each."""
    logits = jnp.asarray(3.0 * RNG.normal(size=(4, 300))).astype(jnp.bfloat16)
    tokens = jnp.asarray(RNG.integers(0, 300, 4))
    slope = np.asarray(jax.grad(lambda x: sf.sequence_log_prob(x, tokens).astype(float))(logits), float)
    wide = np.asarray(logits, float)
    exact = np.eye(300)[tokens] - np.exp(wide - np.log(np.exp(wide).sum(1, keepdims=True)))
    np.testing.assert_allclose(slope, exact, rtol=2.0**-8)


def test_extremes():
    """Logits of ±1e4 and −inf: exact, and the derivative is that of the softmax."""
    big = np.array([[1e4, 0.0, -1e4], [1e4, -np.inf, 0.0]])
    assert float(sf.sequence_log_prob(big, [0, 0])) == 0.0
    assert float(sf.sequence_log_prob(big, [2, 2])) == -3e4
    assert float(sf.sequence_log_prob(big, [0, 1])) == -np.inf
    assert float(sf.perplexity(big, [0, 1])) == np.inf
    slope = jax.grad(lambda x: sf.sequence_log_prob(x, jnp.array([2, 0])))(jnp.array(big))
    np.testing.assert_array_equal(slope, [[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    single = big.astype(np.float32)
    assert float(sf.sequence_log_prob(single, [2, 2])) == -3e4
    # a thousand nats below: overflow of one row leaves the others as they were
    mixed = np.stack([np.zeros(3), [0.0, 1000.0, 0.0]]).astype(np.float32)
    assert float(sf.sequence_log_prob(mixed, [0, 0])) == pytest.approx(-np.log(3.0) - 1000.0, rel=1e-6)


def test_batches_masks_and_ragged_lists_against_loops():
    logits, tokens = RNG.normal(size=(3, 4, 7, 11)), RNG.integers(0, 11, (3, 4, 7))
    mask = RNG.random((3, 4, 7)) < 0.6
    mask[..., 0] = True
    spoiled, wild = np.where(mask[..., None], logits, np.nan), np.where(mask, tokens, -7)
    got = np.asarray(sf.sequence_log_prob(spoiled, wild, mask))
    score = sf.score_sequences(spoiled, wild, mask)
    for i, j in np.ndindex(3, 4):
        kept = mask[i, j]
        expected = by_hand(logits[i, j][kept], tokens[i, j][kept]).sum()
        assert got[i, j] == pytest.approx(expected, rel=1e-13)
        assert score.tokens.reshape(3, 4)[i, j] == kept.sum()
    rows = [(logits[0, j][: j + 1], tokens[0, j][: j + 1]) for j in range(4)]
    ragged = sf.score_sequences([r[0] for r in rows], [r[1] for r in rows])
    assert np.asarray(ragged.log_prob) == pytest.approx([by_hand(*r).sum() for r in rows], rel=1e-13)
    assert ragged.tokens.tolist() == [1, 2, 3, 4]
    traced = jax.jit(jax.vmap(sf.sequence_log_prob))(logits[0], tokens[0])
    assert np.asarray(traced) == pytest.approx(by_hand(logits[0], tokens[0]).sum(-1), rel=1e-13)


def test_derivatives_against_log_softmax():
    logits, tokens = jnp.asarray(RNG.normal(size=(2, 5))), jnp.array([3, 0])

    def plain(x):
        return jnp.take_along_axis(jax.nn.log_softmax(x, -1), tokens[:, None], 1).sum()

    def ours(x):
        return sf.sequence_log_prob(x, tokens)

    for derivative in (jax.grad, jax.hessian):  # backward, and forward over it
        ours_at, plain_at = (jax.jit(derivative(f))(logits) for f in (ours, plain))
        np.testing.assert_allclose(ours_at, plain_at, atol=1e-15)


def test_standard_error_between_documents():
    """The delta method's error against the spread over 2,000 corpora of 200 documents drawn anew: z below 4.9 (1e-6)."""
    lengths = RNG.integers(1, 30, (2000, 200))
    level = 1.0 + 0.3 * RNG.normal(size=(2000, 200))  # nats per token differ between documents
    loss = lengths * level
    h = loss.sum(1) / lengths.sum(1)
    told = np.array([
        float(sf.SequenceScore(-loss[i], lengths[i]).cross_entropy.standard_error) for i in range(0, 2000, 50)
    ])  # fmt: skip
    spread = h.std()
    # the deviation of 2,000 has relative error 1/sqrt(4000); that of the mean of 40 told ones is added, and 1 % of bias
    error = np.hypot(1.0 / np.sqrt(4000), told.std() / told.mean() / np.sqrt(40))
    assert abs(told.mean() / spread - 1.0) < 4.9 * error + 0.01
    one = sf.SequenceScore([-3.0], [2], [7])
    assert np.isnan(one.perplexity.standard_error)
    assert float(one.bits_per_byte) == pytest.approx(3.0 / 7.0 / np.log(2.0))


def test_scores_add_and_group():
    a, b = sf.SequenceScore([-1.0, -2.0], [1, 2], [5, 6], [0, 1]), sf.SequenceScore([-3.0], [3], [7], [0])
    both = a + b
    assert both.log_prob.tolist() == [-1.0, -2.0, -3.0]
    assert float(both.perplexity) == pytest.approx(np.e)
    assert both.by(["x", "y", "x"]).bytes.tolist() == [12.0, 6.0]
    assert (a + sf.SequenceScore([-1.0], [1])).bytes is None
    with pytest.raises(ValueError, match=r"labels must have shape \(3,\), got \(2,\)"):
        both.by([1, 2])
    with pytest.raises(ValueError, match=r"bytes must be one number for each sequence, shape \(2,\), got \(1,\)"):
        sf.score_sequences(np.zeros((2, 3, 4)), np.zeros((2, 3), int), bytes=[5])
    with pytest.raises(ValueError, match="give bytes="):
        _ = sf.SequenceScore([-1.0], [1]).bits_per_byte


ZERO = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((ZERO, [0, 3]), ValueError, "tokens must be in 0, …, 2, got 3 at position 1"),
        ((np.zeros((4, 2, 3)), [[0, 1]] * 3 + [[0, -1]]), ValueError, r"got -1 at position \(3, 1\)"),
        ((ZERO, [0]), ValueError, r"got \(2, 3\) with tokens \(1,\)"),
        ((np.zeros(3), 0), ValueError, r"\(\.\.\., T, V\)"),
        ((np.zeros((0, 3)), np.zeros(0, int)), ValueError, "at least one token of each sequence"),
        (([], []), ValueError, "empty list"),
        (([ZERO], [[0, 1], [0, 1]]), ValueError, "a list as long as that of logits, 1"),
        ((ZERO, [0, 1], [False, False]), ValueError, "mask must keep at least one token"),
        ((ZERO, [0, 1], [True]), ValueError, r"mask must have the shape of tokens, \(2,\), got \(1,\)"),
        ((np.array([[0.0, 0.0], [0.0, np.nan]]), [0, 0]), ValueError, r"got nan at index \(1, 1\)"),
        ((np.array([[0.0, np.inf]]), [0]), ValueError, r"got inf at index \(0, 1\)"),
        ((np.full((1, 2), -np.inf), [0]), ValueError, "all are -inf at position 0"),
        ((ZERO, [0, 1], [1.0, 0.5]), ValueError, r"mask must be True or False, got 0.5 at position 1"),
        ((np.zeros((0, 2, 3)), np.zeros((0, 2), int)), ValueError, r"at least one sequence and one class"),
        (([np.zeros(()), ZERO], [0, [0, 1]]), ValueError, r"logits of sequence 0 must have shape \(T, V\), got \(\)"),
        ((ZERO, [0.0, 1.0]), TypeError, "tokens must be integers, got float64"),
        ((np.zeros((2, 3), int), [0, 1]), TypeError, "logits must be floating-point"),
    ],
)
def test_bad_input(arguments, kind, message):
    with pytest.raises(kind, match=message):
        sf.sequence_log_prob(*arguments)


def test_bad_values_traced_are_nan():
    f = jax.jit(sf.sequence_log_prob)
    assert np.isnan(f(ZERO, jnp.array([0, 3])))
    assert np.isnan(f(ZERO, jnp.array([0, -1])))
    assert np.isnan(f(jnp.full((1, 2), -jnp.inf), jnp.array([0])))


def test_memory_is_that_of_the_sums():
    """Compiled, 2,000 x 32,000 logits take less than a hundredth of them beside themselves."""
    shapes = jax.ShapeDtypeStruct((2000, 32_000), jnp.float32), jax.ShapeDtypeStruct((2000,), int)
    assert likelihood._log_probs.lower(*shapes, None).compile().memory_analysis().temp_size_in_bytes < 2.56e6


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint32"])
def test_tokens_of_any_width(dtype):
    """A vocabulary larger than the tokens' type can count."""
    logits, tokens = RNG.normal(size=(5, 300)), RNG.integers(0, 100, 5)
    expected = by_hand(logits, tokens).sum()
    narrow = tokens.astype(dtype)
    assert float(sf.sequence_log_prob(logits, narrow)) == pytest.approx(expected, rel=1e-13)
    assert float(jax.jit(sf.sequence_log_prob)(logits, narrow)) == pytest.approx(expected, rel=1e-13)


def test_arrays_written_as_lists():
    rows, tokens = [[0.5, 0.25], [0.125, 1.0]], [0, 1]
    expected = by_hand(rows, tokens).sum()
    assert float(sf.sequence_log_prob(rows, tokens)) == pytest.approx(expected, rel=1e-14)
    assert np.asarray(sf.sequence_log_prob([rows, rows], np.array([tokens, tokens]))) == pytest.approx([expected] * 2)


def test_lists_of_any_lengths_are_compiled_once():
    lengths = [1, 63, 64, 65, 130]
    logits = [RNG.normal(size=(n, 7)).astype(np.float32) for n in lengths]
    tokens = [RNG.integers(0, 7, n) for n in lengths]
    masks = [None, *(np.arange(n) % 3 != 1 for n in lengths[1:])]
    found = np.asarray(sf.sequence_log_prob(logits, tokens, masks))
    before = likelihood._fast()._cache_size()
    sf.sequence_log_prob([np.zeros((n, 7), np.float32) for n in (2, 3, 70)], [np.zeros(n, int) for n in (2, 3, 70)])
    assert likelihood._fast()._cache_size() == before
    for value, x, t, m in zip(found, logits, tokens, masks, strict=True):
        kept = np.ones(len(t), bool) if m is None else m
        assert value == pytest.approx(by_hand(x, t)[kept].sum(), rel=1e-6)


def test_errors_in_lists_name_the_sequence():
    x = [np.zeros((2, 3)), np.zeros((2, 3))]
    with pytest.raises(ValueError, match=r"got 3 at position \(1, 0\)"):
        sf.sequence_log_prob(x, [[0, 1], [3, 0]])
    with pytest.raises(ValueError, match=r"got nan at index \(1, 0, 0\)"):
        sf.sequence_log_prob([x[0], np.full((2, 3), np.nan)], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="sequence 1 is empty"):
        sf.sequence_log_prob(x, [[0, 1], [1, 0]], [None, [False, False]])


def test_what_a_mask_hides_has_no_derivative():
    logits = jnp.array([[0.0, 1.0], [jnp.nan, jnp.inf], [2.0, 0.0]])
    slope = jax.grad(lambda x: sf.sequence_log_prob(x, jnp.array([0, 7, 1]), jnp.array([True, False, True])))(logits)
    alone = jax.grad(lambda x: sf.sequence_log_prob(x, jnp.array([0, 1])))(logits[::2])
    assert np.array_equal(slope[1], [0.0, 0.0])
    assert np.asarray(slope[::2]) == pytest.approx(np.asarray(alone), rel=1e-14)


def test_derivatives_of_large_logits_in_32_bits():
    """Near 3e4 neighbours in 32 bits are 2e-3 apart, the logits themselves are exact."""
    x = (3e4 + RNG.integers(-512, 512, size=(20, 300)) / 128.0).astype(np.float32)
    tokens = RNG.integers(0, 300, 20)
    slope = jax.grad(lambda v: sf.sequence_log_prob(v, tokens))(jnp.asarray(x))
    wide = x.astype(float)
    p = np.exp(wide - wide.max(1, keepdims=True))
    expected = (np.arange(300) == tokens[:, None]) - p / p.sum(1, keepdims=True)
    assert np.abs(slope - expected).max() < 2e-6
    far = np.array([[30001.25, -20000.5]], np.float32)
    assert float(sf.sequence_log_prob(far, [1])) == -50001.75


def test_impossible_tokens_have_no_standard_error():
    found = sf.SequenceScore([-3.0, -np.inf, -2.0], [2, 1, 2])
    assert float(found.cross_entropy) == np.inf
    assert np.isnan(found.cross_entropy.standard_error)
    assert np.isnan(found.perplexity.standard_error)
