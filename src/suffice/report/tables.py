"""Results as rows of words and numbers, for pages and terminals alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.catalogue import describe
from suffice.inference.censored import Censored
from suffice.inference.rank import Candidate, Ranking
from suffice.inference.result import Fit
from suffice.inference.testing.goodness import GoodnessOfFit
from suffice.report.empirical import Empirical

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
CRITERIA = {"aic": "AIC", "aicc": "AICc", "bic": "BIC"}


class Table(NamedTuple):
    """Headers and rows of strings, where a cell may have several lines, and notes to which superscripts refer.

    ``words`` are the columns that are not numbers.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


def number(value: float, digits: int = 6) -> str:
    """A number with so many significant digits, without trailing zeros; a dash for none."""
    if np.isnan(value):
        return "–"
    text = f"{value:,.0f}" if value == np.floor(value) and 1e4 <= abs(value) < 1e15 else f"{value:.{digits}g}"
    return text.replace("-", "−")


def counted(count: float, noun: str) -> str:
    """A number of things: "1 row", "2,000,000 rows"."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def decimal(value: float, places: int = 2) -> str:
    """A number with so many decimal places."""
    return f"{value:.{places}f}".replace("-", "−")


def with_error(value: float, error: float) -> str:
    """An estimate and its standard error, rounded to two digits of the error."""
    if not (np.isfinite(error) and error > 0):
        return number(value)
    places = 1 - int(np.floor(np.log10(float(f"{error:.1e}"))))
    if 0 <= places <= 6 and abs(value) < 1e9:
        return f"{decimal(value, places)} ± {error:.{places}f}"
    if places < 0 and abs(value) < 1e9:
        return f"{number(round(value, places), 12)} ± {number(round(error, places), 12)}"
    digits = max(2, places + int(np.floor(np.log10(abs(value)))) + 1) if value else 2
    return f"{number(value, min(digits, 15))} ± {number(error, 2)}"


def listed(items: Sequence[str]) -> str:
    """Items with commas and "and"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def share(value: float) -> str:
    """A weight or probability to three decimals."""
    return "–" if np.isnan(value) else "< 0.001" if 0 <= value < 0.0005 else f"{value:.3f}"


def estimates(fit: Fit) -> list[str]:
    """Each parameter with its standard error."""
    return [f"{name} {with_error(value, fit.standard_errors[name])}" for name, value in fit.parameters.items()]


def note(fit: Fit) -> str:
    """What a reader must know before trusting a row."""
    if not fit.converged:
        return f"no standard errors: {fit.message}" if fit.limit else f"not converged: {fit.message}"
    return "" if fit.regular else "support estimated from the data: no standard errors, criterion heuristic"


def ranking_rows(ranking: Ranking, goodness: Sequence[GoodnessOfFit] = ()) -> Table:
    """The ranking, best first.

    Args:
        ranking: of families.
        goodness: tests of the first families, in their order.
    """
    headers = ("", "Family", "Parameters ± standard error", "Log-likelihood", CRITERIA[ranking.criterion])
    headers += ("Difference", "Akaike weight" if ranking.criterion == "aic" else "Weight", "p-value")
    notes = tuple(dict.fromkeys(filter(None, (note(c.fit) for c in ranking.candidates))))

    def row(place: int, c: Candidate) -> tuple[str, ...]:
        return (
            str(place + 1),
            c.name + _mark(note(c.fit), notes),
            "\n".join(estimates(c.fit)),
            decimal(float(c.fit.log_likelihood)),
            decimal(c.score),
            decimal(c.difference),
            share(c.weight),
            share(goodness[place].p_value) if place < len(goodness) else "",
        )

    return Table(headers, tuple(row(i, c) for i, c in enumerate(ranking.candidates)), frozenset({1, 2}), notes)


def mark(place: int) -> str:
    """The superscript of the note at that place."""
    return str(place + 1).translate(_SUPERSCRIPTS)


def _mark(text: str, notes: Sequence[str]) -> str:
    """The superscript that refers to a note."""
    return f" {mark(notes.index(text))}" if text else ""


def impossible_rows(ranking: Ranking) -> Table:
    """The families that the data rule out, with the reason."""
    return Table(("Family", "Why not"), tuple((i.name, i.reason) for i in ranking.impossible), frozenset({0, 1}))


def interval_rows(fit: Fit, intervals: dict[str, tuple[float, float]], level: float) -> Table:
    """Parameters with standard errors and confidence intervals."""
    rows = tuple(
        (name, number(value, 8), number(fit.standard_errors[name], 3), *(number(end) for end in intervals[name]))
        for name, value in fit.parameters.items()
    )
    low, high = (f"{100 * q:g} %" for q in ((1 - level) / 2, (1 + level) / 2))
    return Table(("Parameter", "Estimate", "Standard error", low, high), rows, frozenset({0}))


def fit_rows(fit: Fit, level: float = 0.95) -> Table:
    """The same with Wald's intervals."""
    return interval_rows(fit, fit.interval(level), level)


def score_rows(fit: Fit) -> Table:
    """Likelihood and criteria of a fit."""
    values = {
        "Observations": number(float(fit.count)),
        "Log-likelihood": decimal(float(fit.log_likelihood), 4),
        **{told: decimal(getattr(fit, name), 4) for name, told in CRITERIA.items()},
    }
    return Table(tuple(values), (tuple(values.values()),))


def summary_rows(ranking: Ranking, empirical: Empirical) -> Table:
    """The data in a few numbers; quartiles of a sample are marked as such."""
    s = ranking.summary
    if isinstance(ranking.observations, Censored):
        return _censored_rows(ranking, empirical)
    about = "≈ " if empirical.sampled else ""
    values = {
        "Observations": number(s.count),
        "Dropped": number(s.missing),
        "Smallest": number(s.minimum),
        **{
            told: about + number(empirical.quantile(q))
            for told, q in (("Lower quartile", 0.25), ("Median", 0.5), ("Upper quartile", 0.75))
        },
        "Largest": number(s.maximum),
        "Mean": number(s.mean),
        "Standard deviation": number(float(np.sqrt(s.moment2 / max(s.count - 1.0, 1.0)))),
    }
    return Table(tuple(values), (tuple(values.values()),))


def _censored_rows(ranking: Ranking, empirical: Empirical) -> Table:
    """Censored data in a few numbers: how they are known, and quartiles by Kaplan and Meier or Turnbull."""
    kinds = ranking.observations.kinds  # type: ignore[attr-defined]
    values = {
        "Observations": number(ranking.summary.count),
        "Dropped": number(ranking.summary.missing),
        "Known": number(kinds.exact),
        "Left-censored": number(kinds.left),
        "Right-censored": number(kinds.right),
        "In intervals": number(kinds.interval),
        "Truncated": number(kinds.truncated),
        **{
            told: "≈ " + number(empirical.quantile(q))
            for told, q in (("Lower quartile", 0.25), ("Median", 0.5), ("Upper quartile", 0.75))
        },
    }
    return Table(tuple(values), (tuple(values.values()),))


def names_rows(fits: Sequence[Fit]) -> Table:
    """What the families are called in R and SciPy."""
    rows = []
    for fit in fits:
        shifted = isinstance(fit.family.member, Affine)
        entry = describe(type(fit.family.member.base) if shifted else fit.family.kind)
        if entry is not None:
            rows.append((fit.family.name, entry.r, entry.scipy))
    return Table(("Family", "R", "SciPy"), tuple(rows), frozenset({0, 1, 2}))
