"""The page of a score of texts: perplexity and its kin with their errors, and the documents one by one."""

from statistics import NormalDist

import altair as alt
import numpy as np

from suffice.models.language.score import SequenceScore
from suffice.numerics.estimate import Estimate
from suffice.report import charts
from suffice.report.bands import Band
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, number, with_error

TITLE = "Perplexity"
_REACH = NormalDist().inv_cdf(0.975)


def counts(score: SequenceScore) -> str:
    """How much was scored."""
    return f"{counted(float(np.sum(score.tokens)), 'token')} in {counted(np.size(score.tokens), 'document')}"


def _interval(score: SequenceScore) -> tuple[float, float]:
    """Of the perplexity, made on its logarithm."""
    h = score.cross_entropy
    reach = _REACH * float(h.standard_error)
    return float(np.exp(float(h) - reach)), float(np.exp(float(h) + reach))


def answer(score: SequenceScore) -> list[str]:
    """The outcome in sentences."""
    low, high = _interval(score)
    value = float(score.perplexity)
    told = f"Perplexity {number(value, 5)} per token" + (
        f", with 95 % confidence between {number(low, 5)} and {number(high, 5)}" if np.isfinite(high) else ""
    )
    return [f"{told}: the model is as unsure as between {number(value, 3)} equally probable tokens."]


def facts(score: SequenceScore) -> Table:
    """How much of what."""
    heads, values = ["Documents", "Tokens"], [np.size(score.tokens), float(np.sum(score.tokens))]
    for head, given in (("Bytes", score.bytes), ("Unknown tokens", score.unknown)):
        if given is not None:
            heads.append(head)
            values.append(float(np.sum(given)))
    return Table(tuple(heads), (tuple(number(v, 10) for v in values),))


def parameter_rows(score: SequenceScore) -> Table:
    """Each measure with its error."""
    measures: dict[str, Estimate] = {
        "perplexity": score.perplexity,
        "cross-entropy, nats per token": score.cross_entropy,
        "bits per token": score.bits_per_token,
    }
    if score.bytes is not None:
        measures["bits per byte"] = score.bits_per_byte
    rows = []
    for name, e in measures.items():
        reach = _REACH * float(e.standard_error)
        ends = _interval(score) if name == "perplexity" else (float(e) - reach, float(e) + reach)
        rows.append((name, with_error(float(e), float(e.standard_error)), *(number(v, 5) for v in ends)))
    return Table(("Measure", "Estimate", "2.5 %", "97.5 %"), tuple(rows), frozenset({0}))


def figures(score: SequenceScore) -> list[list[Figure]]:
    """The documents by perplexity."""
    if np.size(score.tokens) < 2:
        return []
    tokens = np.asarray(score.tokens, float)
    each = np.exp(-np.asarray(score.log_prob, float) / tokens)
    known = np.isfinite(each)
    low, high = _interval(score)
    span = min(float(each[known].min()), low), max(float(each[known].max()), high)
    at_x = charts.axis("x", "Tokens of the document", domain=(0.9 * tokens.min(), 1.1 * tokens.max()), log=True)
    at_y = charts.axis("y", "Perplexity", domain=(0.9 * span[0], 1.1 * span[1]), log=True)
    ends = np.array([0.9 * tokens.min(), 1.1 * tokens.max()])
    band = Band((ends, np.full(2, low)), (ends, np.full(2, high)))
    tips = [alt.Tooltip("x:Q", title="Tokens"), alt.Tooltip("y:Q", title="Perplexity")]
    chart = charts.region(band, at_x, at_y) + charts.dots(tokens[known], each[known], at_x, at_y, tips)
    whole = np.full(2, float(score.perplexity))
    chart += charts.lines(["all documents together"], [ends], [whole], at_x, at_y)
    lost = int((~known).sum())
    caption = "Perplexity of each document by its length; line and band: of all together, with its 95 % interval." + (
        f" Of {lost} it is infinite: a token is impossible." if lost else ""
    )
    order = np.argsort(-each, kind="stable")
    rows = tuple((number(int(i)), number(float(tokens[i]), 10), number(float(each[i]), 5)) for i in order[:200])
    table = Table(("Document", "Tokens", "Perplexity"), rows)
    return [[Figure("Documents", caption, caption, chart.properties(width=900), table)]]


def method(score: SequenceScore) -> list[str]:
    """How the numbers were made."""
    del score
    return [
        "Cross-entropy is the mean of −log p over all tokens; perplexity its exponential.",
        "Documents are independent, tokens inside them are not: standard errors are those of a ratio of sums over documents. "
        "The interval of the perplexity is made on its logarithm.",
    ]
