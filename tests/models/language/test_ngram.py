"""n-gram models: modified Kneser–Ney by brute force and by KenLM, counts that add, files, ARPA, every smoothing sums to 1."""

import gzip
import importlib.util
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import suffice as sf
from suffice.models.language import counts as counting
from suffice.models.language import text as reading
from suffice.models.language.smoothing import spelled
from suffice.models.language.smoothing.jelinek_mercer import leave_one_out
from suffice.runtime.errors import DataError

TRAIN, TEST = Path("examples/alice_train.txt"), Path("examples/alice_test.txt")
_spec = importlib.util.spec_from_file_location("brute_kneser_ney", Path(__file__).parent / "brute_kneser_ney.py")
_brute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_brute)


@pytest.fixture(scope="module")
def lines():
    return TRAIN.read_text().splitlines()


@pytest.fixture(scope="module")
def counts():
    return sf.ngram_counts(TRAIN, order=3)


@pytest.mark.parametrize(("order", "size"), [(1, 30), (2, 40), (3, 60), (5, 40), (3, 3)])
def test_kneser_ney_by_brute_force(lines, order, size):
    """Every probability of 14 lines, seen or not; words that training lacks among them; small texts fall back."""
    brute = _brute.BruteKneserNey(lines[:size], order)
    model = sf.ngram(lines[:size], order=order)
    for line in lines[:6] + lines[500:508]:
        words = [w if w in brute.words else "<unk>" for w in line.split()]
        padded = ["<s>", *words, "</s>"]
        expected = [np.log(brute.p(w, tuple(padded[:i]))) for i, w in enumerate(padded) if i]
        np.testing.assert_allclose(model.token_log_probs(line.split()), expected, rtol=1e-11)
    for context in ((), ("<s>",), ("said", "alice"), ("alice", "zzz"), ("<s>", "alice", "was")):
        known = [w if w in brute.words else "<unk>" for w in context]
        told = model.conditional(context).probs
        expected = [brute.p(w, tuple(known)) if w != "<s>" else 0.0 for w in model.vocabulary.all.to_pylist()]
        np.testing.assert_allclose(told, expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("order", "log10", "perplexity", "first"),
    [
        (3, -10547.837810071, 97.59045583390372, -4.102457),
        (5, -10524.284423592999, 96.5973003031277, -4.102457),
    ],
)
def test_kenlm_on_alice(order, log10, perplexity, first):
    """KenLM (github.com/kpu/kenlm, commit 4cb443e, lmplz --discount_fallback, query) on examples/alice_*.txt: its log10
    probabilities carry float32's rounding, 1e-7 of each of 5,302 tokens, whose logs are below 8."""
    model = sf.ngram(TRAIN, order=order)
    score = model.score(TEST)
    assert (int(score.tokens.sum()), int(score.unknown.sum())) == (5302, 347)
    assert score.log_prob.sum() / np.log(10.0) == pytest.approx(log10, abs=5302 * 8 * 2.0**-24)
    assert float(score.perplexity) == pytest.approx(perplexity, rel=1e-6)
    assert [len(level) for level in model.ngrams.levels] == [2432, 12723, 21421, 24715, 25234][:order]
    assert model.log_probs[0][0] / np.log(10.0) == pytest.approx(first, rel=1e-6)


def test_counts_by_hand(counts, lines):
    found = {n: {} for n in (1, 2, 3)}
    for line in lines:
        padded = ("<s>", *line.split(), "</s>")
        for n, i in itertools.product(found, range(len(padded))):
            if i + n <= len(padded):
                found[n][padded[i : i + n]] = found[n].get(padded[i : i + n], 0) + 1
    words = counts.vocabulary.all.to_pylist()
    ours: list = [{(w,): (c, ()) for w, c in zip(words, counts.levels[0].count.tolist(), strict=True)}]
    for level in counts.levels[1:]:
        below = list(ours[-1])
        rows = zip(level.prefix.tolist(), level.word.tolist(), level.suffix.tolist(), level.count.tolist(), strict=True)
        ours.append({(*below[p], words[w]): (c, below[s]) for p, w, s, c in rows})
    for n, table in enumerate(ours, start=1):
        seen = {g: c for g, (c, _) in table.items() if c}
        assert seen == found[n]
        assert n == 1 or all(suffix == g[1:] for g, (_, suffix) in table.items())
    assert counts.documents == len(lines)
    assert counts.count(["said", "alice"]) == found[2]["said", "alice"]
    assert counts.count(["alice", "alice", "alice"]) == 0


def same(a, b):
    assert a.vocabulary.words.equals(b.vocabulary.words)
    for x, y in zip(a.levels, b.levels, strict=True):
        for name in ("prefix", "word", "suffix", "count"):
            np.testing.assert_array_equal(getattr(x, name), getattr(y, name))


def test_counts_add_in_any_order_and_pieces(counts, lines, monkeypatch, tmp_path):
    a, b, c = (sf.ngram_counts(lines[i::3], 3) for i in range(3))
    same(a + b + c, counts)
    same(c + (b + a), counts)
    monkeypatch.setattr(reading.lines, "__defaults__", (997,))  # bytes read at a time
    same(sf.ngram_counts(TRAIN, 3), counts)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TRAIN.read_bytes()))
    same(sf.ngram_counts(tmp_path / "a.txt.gz", 3), counts)
    assert sf.ngram(TRAIN).score(TEST).log_prob.shape == (174,)
    with pytest.raises(ValueError, match="counts add where order and unit agree"):
        a + sf.ngram_counts(["x"], 2)


def test_large_keys_are_sorted_all_the_same():
    """Keys that leave no bits for their places take the other way."""
    key, place = np.random.default_rng(0).integers(0, 2**62, 1000), np.arange(0, 3000, 3)
    for values in (key % 50, key):
        found, where = counting._sorted(values, place)
        np.testing.assert_array_equal(found, np.sort(values))
        np.testing.assert_array_equal(values[where // 3], found)
        np.testing.assert_array_equal(np.sort(where), place)


@pytest.mark.parametrize("name", [n for n in spelled.NAMES if n != "pitman-yor"])
def test_every_smoothing_sums_to_one_and_agrees_with_itself(name, counts):
    """conditional, token_log_probs, score and ARPA say the same; after seen, unseen and unknown contexts all sums to 1."""
    model = sf.ngram(counts, smoothing=spelled.smoothing(name))
    contexts = [
        (),
        ("<s>",),
        ("<s>", "alice"),
        ("said", "the"),
        ("mock", "turtle"),
        ("zzz", "the"),
        ("the", "zzz"),
        ("!", "'"),
    ]
    for context in contexts:
        assert float(model.conditional(context).probs.sum()) == pytest.approx(1.0, abs=1e-12)
        assert np.exp(np.asarray(model.conditional(context).logits)).sum() == pytest.approx(1.0, abs=1e-12)
    line = ["alice", "said", "zzz", "to", "the", "mock", "turtle"]
    each = model.token_log_probs(line)
    padded = ["<s>", *line, "</s>"]
    for i, word in enumerate(padded[1:], start=1):
        at = model.vocabulary.ids([word])[0]
        p = float(model.log_conditional(model.vocabulary.ids(padded[:i])[None])[0, at])
        assert p == pytest.approx(float(each[i - 1]), rel=1e-13) or p == each[i - 1] == -np.inf
    assert float(model.score([" ".join(line)]).log_prob[0]) == pytest.approx(float(each.sum()), rel=1e-13)


def test_smoothings_by_hand():
    """Two lines, bigrams: each formula."""
    text = ["a b a", "a c"]  # after a: b, c, </s>; V = 5 tokens can follow: <unk>, </s>, a, b, c
    words = sf.ngram(text, 2).vocabulary

    def p(smoothing, word, context="a"):
        return float(sf.ngram(text, 2, smoothing).conditional([context]).prob(words.ids([word])[0]))

    unigram = {"a": 3 / 7, "b": 1 / 7, "c": 1 / 7, "</s>": 2 / 7, "<unk>": 0.0}
    for w, c in {"a": 0, "b": 1, "c": 1, "</s>": 1, "<unk>": 0}.items():
        assert p(sf.Additive(0.0), w) == pytest.approx(c / 3)
        assert p(sf.Additive(0.5), w) == pytest.approx((c + 0.5) / 5.5)
        q = (7 * unigram[w] + 2.0 * 0.2) / 9.0
        assert p(sf.DirichletSmoothing(2.0), w) == pytest.approx((c + 2.0 * q) / 5.0)
        q = 0.6 * unigram[w] + 0.4 * 0.2
        assert p(sf.JelinekMercer((0.6, 0.25)), w) == pytest.approx(0.25 * c / 3 + 0.75 * q)
        q = max(7 * unigram[w] - 0.5, 0) / 7 + 4 * 0.5 / 7 * 0.2
        assert p(sf.AbsoluteDiscounting(0.5), w) == pytest.approx(max(c - 0.5, 0) / 3 + 0.5 * q)
    assert p(sf.Additive(0.0), "a", "zzz") == pytest.approx(0.2)


def test_deleted_estimation_is_a_maximum(counts):
    """Leave-one-out likelihood of order 2, by hand, is largest at the weights that EM finds."""
    weights = leave_one_out(counts)
    two, one = counts.levels[1], counts.levels[0]
    n = one.count.sum() - counts.documents
    below = weights[0] * (one.count - 1) / (n - 1) + (1 - weights[0]) / (len(counts.vocabulary) - 1)
    rest = np.bincount(two.prefix, two.count)[two.prefix] - 1
    told = rest > 0

    def likelihood(w):
        return (two.count * np.log(w * (two.count - 1) / np.maximum(rest, 1) + (1 - w) * below[two.suffix]))[told].sum()

    assert likelihood(weights[1]) > max(likelihood(weights[1] - 1e-3), likelihood(weights[1] + 1e-3))


def test_katz_keeps_good_turing(counts):
    """Discounted counts of order 3: the mass of unseen n-grams is n1/N, as Good and Turing say, where no context is bare."""
    d = sf.Katz().factors(counts.levels[2].count)
    count = counts.levels[2].count
    n1, total = (count == 1).sum(), count.sum()
    kept = (d[np.minimum(count, 6)] * count).sum()
    assert (total - kept) / total == pytest.approx(n1 / total, rel=1e-12)


def test_arpa_there_and_back(tmp_path, counts):
    model = sf.ngram(counts)
    path = tmp_path / "a.arpa"
    model.write_arpa(path)
    again = sf.read_arpa(path)
    same_tables = [*zip(model.log_probs, again.log_probs, strict=True)]
    same_tables += [*zip(model.log_backoffs, again.log_backoffs, strict=True)]
    for a, b in same_tables:
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)
    assert again.score(TEST).log_prob == pytest.approx(model.score(TEST).log_prob, rel=1e-13)
    characters = sf.ngram(["a b", "b  c"], 3, unit="char")
    characters.write_arpa(path)
    assert "<space>" in path.read_text()
    expected = characters.score(["a b c"]).log_prob
    assert sf.read_arpa(path, "char").score(["a b c"]).log_prob == pytest.approx(expected, rel=1e-13)
    path.write_text(path.read_text().replace("\t", " ") + "\n")  # blanks in place of tabs, as others write
    assert sf.read_arpa(path, "char").score(["a b c"]).log_prob == pytest.approx(expected, rel=1e-13)


TINY = "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-1 <unk>\n-99 <s> -0.3\n-0.5 </s>\n-0.3 a -0.2\n\n\\2-grams:\n-0.1 <s> a\n\n\\end\\\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ngram 1=4", "ngram 1=x", "line 2: expected ngram 1=COUNT, got 'ngram 1=x'"),
        ("ngram 2=1", "ngram 2=2", r"line 14: expected a number and 2 words"),
        ("\\2-grams:", "\\3-grams:", r"line 11: expected \\2-grams:, got '\\\\3-grams:'"),
        ("<s> a\n", "<s> a b\n", r"line 12: expected a number and 2 words, got '-0.1 <s> a b"),
        ("-0.1 <s> a", "x <s> a", "from line 12"),
        ("\\end\\\n", "", "ends before"),
        ("\\data\\", "data", "ends before"),
        ("-0.1 <s> a", "nan <s> a", "line 12: a number is NaN"),
        ("-0.1 <s> a", "0.1 <s> a", "line 12: a log-probability is above 0: 0.1"),
        ("-0.1 <s> a", "-0.1 <s> zzz", "line 12: the word zzz is not among the 1-grams"),
        ("-0.1 <s> a", "-0.1 <s> a -0.5", "line 12: expected a number and 2 words"),
        ("-0.3 a", "-0.3 </s>", "line 9: a word stands twice"),
        ("-0.3 a", "-0.3 \udcff", "it is not UTF-8"),
    ],
)
def test_bad_arpa(tmp_path, old, new, message):  # each a change to a sound file
    path = tmp_path / "bad.arpa"
    path.write_text(TINY)
    assert sf.read_arpa(path).log_conditional(np.array([[1]]))[0, 3] == pytest.approx(-0.1 * np.log(10.0))
    path.write_text(TINY.replace(old, new), errors="surrogateescape")
    with pytest.raises(DataError, match=message):
        sf.read_arpa(path)


def test_arpa_as_others_write_it(tmp_path):
    """Blank lines, ends of lines of Windows, a mark of encoding, words before the header, weights of the highest order."""
    path = tmp_path / "a.arpa"
    path.write_text(TINY)
    expected = sf.read_arpa(path).token_log_probs(["a", "b", "a"])
    for text in (
        TINY.replace("-grams:\n", "-grams:\n\n"), TINY.replace("-0.3 a", "\n\n-0.3 a"), TINY.replace("\n", "\r\n"),
        "\ufeff" + TINY, "made by hand\n\n" + TINY, TINY.replace("<s> a\n", "<s> a\t0\n"), TINY.replace("-0.3 a -0.2", "-0.3\ta\t-0.2"),
        TINY.replace("-99", "-inf"), TINY.rstrip("\n"),
    ):  # fmt: skip
        path.write_bytes(text.encode())
        assert np.array_equal(sf.read_arpa(path).token_log_probs(["a", "b", "a"]), expected), text


def test_bad_text(tmp_path):
    with pytest.raises(DataError, match="has no tokens"):
        sf.ngram([" ", ""])
    with pytest.raises(DataError, match=r"line 3: the word </s> is kept"):
        sf.ngram(["a", "", "b </s>"])
    with pytest.raises(DataError, match="has no tokens"):
        sf.ngram(["a"]).score([])
    with pytest.raises(TypeError, match="got a line 3"):
        sf.ngram(["a", 3])
    with pytest.raises(ValueError, match="order must be an integer >= 1, got 0"):
        sf.ngram(["a"], order=0)
    with pytest.raises(ValueError, match="unit must be 'word' or 'char'"):
        sf.ngram(["a"], unit="byte")
    (tmp_path / "bad.txt").write_bytes(b"fine\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"bad.txt is not UTF-8: line 2"):
        sf.ngram(tmp_path / "bad.txt")
    with pytest.raises(FileNotFoundError):
        sf.ngram(tmp_path / "none.txt")
    for make, message in (
        (lambda: sf.Additive(-1.0), "Additive.amount must be >= 0, got -1.0"),
        (lambda: sf.AbsoluteDiscounting(2.0), r"discount must be in \(0, 1\], got 2.0"),
        (lambda: sf.Katz(0), "Katz.most must be >= 1, got 0"),
        (lambda: sf.ngram(["a"], 2, sf.JelinekMercer((0.5,))), "one for each order, 2, got 1"),
        (lambda: sf.ngram(["a"], 2, sf.JelinekMercer(2.0)), re.escape("must be in [0, 1], got 2.0")),
        (lambda: sf.ngram(["a"], 2, sf.DirichletSmoothing(0.0)), "strength must be > 0, got 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_orders_longer_than_every_line():
    """Highest orders without n-grams add nothing."""
    long, short = (sf.ngram(["a b", "b"], order, sf.Additive(0.5)) for order in (7, 4))
    line = ["b", "a", "b", "b", "a", "c"]
    np.testing.assert_array_equal(long.token_log_probs(line), short.token_log_probs(line))


@pytest.mark.parametrize("lines", [["a"], ["a b c"], ["a b"] * 9, ["a a a a"], ["<unk> a <unk>", "a b"]])
@pytest.mark.parametrize("order", [1, 3, 6])
def test_tiny_texts(lines, order):
    """A word, a line, orders longer than it, <unk> among the words: every context's law sums to 1."""
    for smoothing in (
        sf.Additive(0.0), sf.Additive(0.3), sf.DirichletSmoothing(3.0), sf.JelinekMercer(), sf.Katz(),
        sf.AbsoluteDiscounting(), sf.KneserNey(), sf.KneserNey(False), sf.PitmanYor(sweeps=2, burn=2),
    ):  # fmt: skip
        model = sf.ngram(lines, order, smoothing)
        for context in ([], ["<s>"], ["a"], ["zzz"], ["<s>", "a"], ["a", "b"], ["zzz", "a"], ["<unk>", "a"]):
            law = np.exp(np.asarray(model.conditional(context).logits))
            assert law.sum() == pytest.approx(1.0, rel=1e-12), (smoothing, context)


def test_counts_have_their_order_and_unit(tmp_path):
    counts = sf.ngram_counts(["a b", "b"], 2)
    assert sf.ngram(counts).order == sf.ngram(counts, 2, unit="word").order == 2
    assert sf.ngram(["a b c d"]).order == 3
    with pytest.raises(ValueError, match="order must be that of the counts, 2, or left out, got 4"):
        sf.ngram(counts, 4)
    with pytest.raises(ValueError, match="unit must be that of the counts, 'word', or left out, got 'char'"):
        sf.ngram(counts, unit="char")
    with pytest.raises(TypeError, match="smoothing must be one such as"):
        sf.ngram(counts, 2, "katz")
    sf.ngram(counts).write_arpa(tmp_path / "a.arpa")
    with pytest.raises(DataError, match="the counts have no tokens"):
        sf.ngram(sf.read_arpa(tmp_path / "a.arpa").ngrams)


def test_a_text_is_no_list_of_words():
    model = sf.ngram(["the cat", "a cat"], 2)
    for ask in (model.conditional, model.token_log_probs, model.ngrams.count, lambda t: model.start([t])):
        with pytest.raises(TypeError, match=r"a list of words, as \['the', 'cat'\], got the text 'the cat'"):
            ask("the cat")
    characters = sf.ngram(["ab", "b"], 2, unit="char")
    assert np.array_equal(characters.token_log_probs("ab"), characters.token_log_probs(["a", "b"]))


@pytest.mark.parametrize("unit", ["word", "char"])
def test_a_mark_of_encoding_is_no_text(tmp_path, unit):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa b\r\nb c")
    assert sf.ngram_counts(tmp_path / "a.txt", 2, unit).vocabulary.words.to_pylist()[-3:] == ["a", "b", "c"]


def test_characters_lines_and_bytes():
    """Characters are code points; a line's end is a token; bytes are those of UTF-8 with the end of the line."""
    model = sf.ngram(["añb", "", "b"], order=2, unit="char")
    score = model.score(["ñb", "x"])
    assert score.tokens.tolist() == [3, 2]
    assert score.unknown.tolist() == [0, 1]
    assert score.bytes.tolist() == [4, 2]
    assert model.vocabulary.words.to_pylist() == ["a", "b", "ñ"]


def test_the_model_is_a_step_for_decoding(counts):
    """Beam search over the model: log p is that of the line; a prompt goes on from its last words."""
    model = sf.ngram(counts)
    start, state = model.start([[], ["said", "the", "mock"]])
    found = sf.beam_search(model.step, start, state, 12, beams=4, end=2)
    for row, prompt in ((0, []), (1, ["said", "the", "mock"])):
        assert bool(found.ended[row, 0])
        words = model.vocabulary.text(np.asarray(found.tokens[row, 0])[: int(found.lengths[row, 0]) - 1])
        expected = model.token_log_probs(prompt + words)[len(prompt) :].sum()
        assert float(found.log_prob[row, 0]) == pytest.approx(expected, rel=1e-12)
