"""What a result says, in sentences."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np

from suffice.inference.goodness import GoodnessOfFit
from suffice.inference.rank import Candidate, Ranking
from suffice.inference.result import Fit
from suffice.report.empirical import Empirical
from suffice.report.tables import CRITERIA, decimal, estimates, number, share

CLOSE = 2.0  # a difference in the criterion that does not count for much
REJECTED = 0.05
_TESTS = {"anderson-darling": "Anderson–Darling", "chi-square": "chi-square"}


def listed(items: Sequence[str]) -> str:
    """Items with commas and "and"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def answer(ranking: Ranking, goodness: Sequence[GoodnessOfFit]) -> list[str]:
    """The outcome of a ranking: the best family, whether it fits, and what else is close."""
    if not ranking.candidates:
        return ["No family could be fitted."]
    first, *others = [c for i, c in enumerate(ranking.candidates) if i == 0 or c.fit.limit is None]
    criterion = CRITERIA[ranking.criterion]
    told = [f"{first.name} comes first of {len(ranking.candidates)} families by {criterion}: {listed(estimates(first.fit))}."]
    if not first.fit.converged:
        told.append(f"Its search ended without a maximum: {first.fit.message}.")
    elif not first.fit.regular:
        told.append(f"Its support is estimated from the data, so its {criterion} is heuristic and it has no standard errors.")
    if goodness:
        told.append(_verdict(first, goodness[0]))
    close = [c for c in others if c.difference <= CLOSE]
    if close:
        names = listed([f"{c.name} (+{decimal(c.difference)})" for c in close])
        told.append(f"Within {CLOSE:g} of it by {criterion}, which is as good as equal: {names}.")
    elif others:
        told.append(f"The next is {others[0].name}, {decimal(others[0].difference)} behind.")
    fitting = [c.name for c, g in zip(ranking.candidates[1:], goodness[1:], strict=False) if g.p_value >= REJECTED]
    if goodness and goodness[0].p_value < REJECTED and fitting:
        told.append(f"Not rejected: {listed(fitting)}.")
    elif len(goodness) > 1 and all(g.p_value < REJECTED for g in goodness):
        told.append(f"The test rejects each of the first {len(goodness)}: none of them describes the data fully.")
    return told


def _verdict(c: Candidate, g: GoodnessOfFit) -> str:
    how = f"{_TESTS[g.test]}, p = {share(g.p_value).removeprefix('< ')}"
    sample = f" on a random sample of {number(g.count)}" if g.sampled else ""
    if np.isnan(g.p_value):
        return "It could not be tested: the statistic is not finite."
    if g.p_value < REJECTED:
        return f"The test of fit rejects it ({how}{sample}): the data depart from every {c.name} by more than chance."
    return f"The test of fit does not reject it ({how}{sample})."


def fit_answer(fit: Fit) -> list[str]:
    """The outcome of one fit."""
    told = [f"{fit.family.name} fitted to {number(float(fit.count))} observations: {listed(estimates(fit))}."]
    if not fit.converged:
        told.append(f"The search ended without a maximum: {fit.message}.")
    elif not fit.regular:
        told.append("The support is estimated from the data, so there are no standard errors and criteria are heuristic.")
    return told


def origin(ranking: Ranking) -> str:
    """The file that the data came from, without its folder; empty for arrays."""
    return "" if ranking.origin == "array" else Path(ranking.origin).name


def dropped(ranking: Ranking) -> list[str]:
    """What was left out of the data."""
    summary, seen = ranking.summary, ranking.observations.survey.sample.seen
    told = [f"{number(summary.missing)} of {number(summary.rows)} rows were missing and were dropped."] if summary.missing else []
    weightless = summary.rows - summary.missing - seen
    if weightless:
        told.append(f"{number(weightless)} rows have weight 0 and count for nothing.")
    return told or [f"Nothing: all {number(summary.rows)} rows were used."]


def method(ranking: Ranking, empirical: Empirical, goodness: Sequence[GoodnessOfFit]) -> list[str]:
    """How the numbers were made."""
    formula = {"aic": "2k − 2l", "aicc": "2k − 2l + 2k(k + 1)/(n − k − 1)", "bic": "k log n − 2l"}[ranking.criterion]
    criterion = CRITERIA[ranking.criterion]
    told = [
        f"Parameters are maximum-likelihood estimates; standard errors come from the observed information. Families are "
        f"ordered by {criterion} = {formula}, with k parameters, log-likelihood l and n observations. A weight is "
        f"exp(−difference/2), scaled to sum to 1.",
    ]
    if ranking.rounding:
        told.append(
            "The values are whole numbers. Continuous families were fitted to the interval x ± ½ that each stands for, and "
            "scored by its probability, so that their likelihoods compare with those of discrete families."
        )
    if empirical.weights.sum() != ranking.summary.rows and ranking.observations.survey.sample.weights is not None:
        told.append(f"Weights are frequencies: {number(ranking.summary.rows)} rows stand for {number(ranking.summary.count)} observations.")
    if empirical.sampled:
        told.append(
            f"Fits used all the data. Quartiles, histogram and tail plot are from a uniform random sample of "
            f"{number(len(ranking.observations.survey.sample.values))} rows."
        )
    if goodness:
        tests = sorted({_TESTS[g.test] for g in goodness})
        used = ", on a random sample of " + number(goodness[0].count) + " observations," if goodness[0].sampled else ""
        told.append(
            f"Test of fit: {listed(tests)}{used} with p-values from {number(goodness[0].replicates)} bootstrap samples drawn "
            f"from the fit and refitted, which allows for the parameters being estimated. It was made for the first "
            f"{len(goodness)} families, which were chosen on the same data: take a large p-value as no more than the "
            f"absence of a clear contradiction."
        )
    passes = "once" if ranking.passes == 1 else f"{ranking.passes} times"
    told.append(f"The data were read {passes}. {versions()}")
    return told


def versions() -> str:
    """The software that made a result."""
    return f"Made with Suffice {version('suffice')}, JAX {version('jax')}, NumPy {version('numpy')} and Python {python_version()}."
