"""Decoding: beam search against every sequence, and against a plain one in NumPy; state, ends, prompts, draws, jit."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)
V, T = 4, 5
TABLE = np.asarray(jax.nn.log_softmax(jnp.asarray(2.0 * np.random.default_rng(5).normal(size=(V, V, V))), axis=-1))


def step(token, state):
    """A second-order chain: the state is the token before."""
    return jnp.asarray(TABLE)[state, token], token


START, STATE = jnp.array([0, 2]), jnp.array([1, 3])


def every_sequence(first, before, end):
    """log p of each sequence of up to T tokens, which end at ``end``."""
    found = {}

    def go_on(sequence, log_p, before, last):
        if len(sequence) == T or (sequence and sequence[-1] == end):
            found[sequence] = log_p
            return
        for w in range(V):
            go_on((*sequence, w), log_p + TABLE[before, last, w], last, w)

    go_on((), 0.0, before, first)
    return found


@pytest.mark.parametrize("end", [None, 3])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all(end, penalty):
    found = sf.beam_search(step, START, STATE, T, beams=V**T, end=end, length_penalty=penalty)
    for row, (first, before) in enumerate(zip(START.tolist(), STATE.tolist(), strict=True)):
        best = sorted(every_sequence(first, before, end).items(), key=lambda s: -s[1] / len(s[0]) ** penalty)[:10]
        for i, (sequence, log_p) in enumerate(best):
            assert tuple(found.tokens[row, i][: len(sequence)].tolist()) == sequence
            assert float(found.log_prob[row, i]) == pytest.approx(log_p, rel=1e-13)
            assert int(found.lengths[row, i]) == len(sequence)
            assert bool(found.ended[row, i]) == (sequence[-1] == end)
        total = np.exp(np.asarray(found.log_prob[row])[np.isfinite(found.log_prob[row])]).sum()
        assert total == pytest.approx(sum(map(np.exp, every_sequence(first, before, end).values())), rel=1e-12)


def plain_beams(first, before, width, groups, diversity):
    """Diverse beam search, without ends, as in the paper."""
    beams = [[((), 0.0, 0.0, before, first)] for _ in range(groups)]
    for _ in range(T):
        taken = np.zeros(V)
        for g in range(groups):
            grown = [
                ((*s, w), log_p + TABLE[b, l, w], value + TABLE[b, l, w] - diversity * taken[w], l, w)
                for s, log_p, value, b, l in beams[g]
                for w in range(V)
            ]
            beams[g] = sorted(grown, key=lambda x: -x[2])[:width]
            for s, *_ in beams[g]:
                taken[s[-1]] += 1
    return [[(s, log_p) for s, log_p, *_ in group] for group in beams]


@pytest.mark.parametrize(("beams", "groups", "diversity"), [(1, 1, 0.0), (3, 1, 0.0), (6, 3, 0.7), (4, 4, 2.0)])
def test_against_a_plain_search(beams, groups, diversity):
    found = sf.beam_search(step, START, STATE, T, beams=beams, groups=groups, diversity=diversity)
    for row in range(2):
        expected = plain_beams(int(START[row]), int(STATE[row]), beams // groups, groups, diversity)
        for i, (sequence, log_p) in enumerate(itertools.chain(*expected)):
            assert tuple(found.tokens[row, i].tolist()) == sequence
            assert float(found.log_prob[row, i]) == pytest.approx(log_p, rel=1e-13)


def test_greedy_is_a_beam_of_one_and_temperature_zero():
    found = sf.greedy(step, START, STATE, 6, end=3)
    beam = sf.beam_search(step, START, STATE, 6, beams=1, end=3)
    cold = sf.generate(step, START, STATE, 6, rng=0, end=3, filters=[sf.Temperature(0.0)])
    np.testing.assert_array_equal(found.tokens, cold.tokens)
    np.testing.assert_array_equal(found.log_prob, cold.log_prob)
    assert (np.asarray(beam.log_prob)[:, 0] >= np.asarray(found.log_prob) - 1e-12).all() or not beam.ended.all()
    expected = TABLE[1, 0].argmax()
    assert int(found.tokens[0, 0]) == expected
    for tokens, size, ended in zip(found.tokens, found.lengths, found.ended, strict=True):
        assert (np.asarray(tokens[int(size) :]) == -1).all()
        assert bool(ended) == (int(tokens[int(size) - 1]) == 3)


def test_draws_follow_the_chain():
    """Sequences of 3 tokens, 200,000 at once, against their exact probabilities by chi-square at false alarm 1e-9."""
    from scipy import stats

    n = 200_000
    out = sf.generate(step, jnp.zeros(n, int), jnp.ones(n, int), 3, rng=7)
    code = np.asarray(out.tokens) @ [V * V, V, 1]
    seen = np.bincount(code, minlength=V**3)
    p = np.array([
        np.exp(TABLE[1, 0, a] + TABLE[0, a, b] + TABLE[a, b, c]) for a, b, c in itertools.product(range(V), repeat=3)
    ])  # fmt: skip
    many = n * p >= 5
    seen, expected = np.append(seen[many], seen[~many].sum()), np.append(n * p[many], n * p[~many].sum())
    assert ((seen - expected) ** 2 / np.maximum(expected, 1e-9)).sum() < stats.chi2.isf(1e-9, many.sum())
    np.testing.assert_allclose(out.log_prob, np.log(p)[code], rtol=1e-12)


def test_prompts_filters_history_and_jit():
    """A prompt of three is as its last token after the state of the others; a filter sees prompt and tokens so far."""
    prompt = jnp.array([[1, 0, 2], [3, 3, 0]])
    whole = sf.greedy(step, prompt, jnp.array([0, 0]), 4)
    short = sf.greedy(step, prompt[:, 2], prompt[:, 1], 4)
    np.testing.assert_array_equal(whole.tokens, short.tokens)

    def fresh(logits, history):
        """Never a token that was there before."""
        seen = jax.vmap(lambda h: jnp.zeros(V + 1, bool).at[jnp.where(h < 0, V, h)].set(True))(history)[:, :V]
        return jnp.where(seen, -jnp.inf, logits)

    out = sf.greedy(step, prompt[:1, :2], jnp.array([0]), 2, filters=[fresh])
    assert sorted(out.tokens[0].tolist()) == [2, 3]

    @jax.jit
    def compiled(key, temperature):
        return sf.generate(step, START, STATE, 5, rng=key, filters=[sf.Temperature(temperature)], end=3)

    key = jax.random.key(3)
    eager = sf.generate(step, START, STATE, 5, rng=key, filters=[sf.Temperature(0.7)], end=3)
    np.testing.assert_array_equal(compiled(key, 0.7).tokens, eager.tokens)


def nothing(logits, history):
    """A filter that leaves no token."""
    return jnp.full_like(logits, -jnp.inf)


def test_a_model_that_fails_later_is_told():
    """After token 1 there are no logits; a beam that comes there is told as a draw is, unless it need not go on."""
    table = jnp.array([[0.0, 1.0], [jnp.nan, jnp.nan]])
    for search in (sf.greedy, lambda *a: sf.beam_search(*a, beams=2)):
        with pytest.raises(ValueError, match="step must return logits"):
            search(lambda t, s: (table[t], s), jnp.array([0]), None, 2)
        assert search(lambda t, s: (table[t], s), jnp.array([0]), None, 1).tokens.ravel()[0] == 1


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16"])
def test_starts_of_any_width(dtype):
    """A start of few bits in a vocabulary that needs more."""
    table = jnp.asarray(RNG.normal(size=(300, 300)))
    wide, narrow = jnp.array([3, 90]), jnp.array([3, 90], dtype)
    same = lambda t, s: (table[t], s)  # noqa: E731
    a, b = (sf.generate(same, start, None, 6, rng=0, filters=[sf.RepetitionPenalty(1.5)]) for start in (wide, narrow))
    np.testing.assert_array_equal(a.tokens, b.tokens)
    c, d = (sf.beam_search(same, start, None, 4, beams=3) for start in (wide, narrow))
    np.testing.assert_array_equal(c.tokens, d.tokens)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sf.greedy(step, jnp.array([[[0]]]), None, 3), r"start must have shape \(B,\) or \(B, P\)"),
        (lambda: sf.greedy(step, jnp.zeros((0,), int), None, 3), "with B and P >= 1"),
        (lambda: sf.greedy(step, START, STATE, 0), "length must be an integer >= 1, got 0"),
        (lambda: sf.greedy(step, START, STATE, 2, end=-1), "end must be a token, >= 0, got -1"),
        (lambda: sf.beam_search(step, START, STATE, 2, beams=3, groups=2), "a multiple of groups, got beams 3"),
        (
            lambda: sf.beam_search(step, START, STATE, 2, beams=2, diversity=-1.0),
            "diversity must be >= 0 and finite, got -1.0",
        ),
        (lambda: sf.beam_search(step, START, STATE, 2, beams=2, diversity=1.0), "diversity is between groups"),
        (lambda: sf.beam_search(step, START, STATE, 2, beams=0), "beams must be an integer >= 1, got 0"),
        (lambda: sf.greedy(step, START, STATE, 2.5), "length must be an integer >= 1, got 2.5"),
        (lambda: sf.greedy(step, START, STATE, 2, end=V), "end must be a token, in 0, …, 3, got 4"),
        (lambda: sf.greedy(lambda t, s: (jnp.zeros(3), s), START, None, 2), r"logits of shape \(2, V\), got \(3,\)"),
        (lambda: sf.greedy(step, START, STATE, 2, filters=[nothing]), "filters leave such"),
        (lambda: sf.generate(step, START, STATE, 2, rng=0, filters=[nothing]), "filters leave such"),
        (lambda: sf.greedy(lambda t, s: (jnp.full((2, 3), jnp.nan), s), START, None, 2), "sequence 0 met others"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="start must be integers"):
        sf.greedy(step, jnp.array([0.5]), None, 2)
