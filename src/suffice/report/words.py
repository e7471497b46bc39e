"""What a result says, in sentences."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np

from suffice.inference.rank import Candidate, Ranking
from suffice.inference.result import Fit
from suffice.inference.testing.goodness import GoodnessOfFit
from suffice.report.empirical import Empirical
from suffice.report.tables import CRITERIA, counted, decimal, estimates, listed, number, share

CLOSE = 2.0  # a difference in the criterion that does not count for much
REJECTED = 0.05
_TESTS = {
    "anderson-darling": "Anderson–Darling",
    "kolmogorov-smirnov": "Kolmogorov–Smirnov",
    "cramer-von-mises": "Cramér–von Mises",
    "watson": "Watson",
    "chi-square": "chi-square",
}


def answer(ranking: Ranking, goodness: Sequence[GoodnessOfFit]) -> list[str]:
    """The outcome of a ranking: the best family, whether it fits, and what else is close."""
    if not ranking.candidates:
        return ["No family could be fitted."]
    first, *others = [c for i, c in enumerate(ranking.candidates) if i == 0 or c.fit.limit is None]
    criterion = CRITERIA[ranking.criterion]
    told = [
        f"{first.name} comes first of {len(ranking.candidates)} families by {criterion}: "
        f"{listed(estimates(first.fit))}."
    ]
    if not first.fit.converged:
        told.append(f"Its search ended without a maximum: {first.fit.message}.")
    elif not first.fit.regular:
        told.append(
            f"Its support is estimated from the data, so its {criterion} is heuristic and it has no standard errors."
        )
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
    if g.reason:
        return f"Its fit was not tested: {g.reason}."
    how = f"{_TESTS[g.test]}, p = {share(g.p_value)}".replace("= <", "<")
    sample = f" on a random sample of {number(g.count)}" if g.sampled else ""
    if np.isinf(g.statistic):
        return f"The test of fit rejects it ({how}{sample}): values lie where {c.name} has no probability."
    if g.p_value < REJECTED:
        return f"The test of fit rejects it ({how}{sample}): the data depart from every {c.name} by more than chance."
    return f"The test of fit does not reject it ({how}{sample})."


def fit_answer(fit: Fit) -> list[str]:
    """The outcome of one fit."""
    told = [f"{fit.family.name} fitted to {counted(float(fit.count), 'observation')}: {listed(estimates(fit))}."]
    if not fit.converged:
        told.append(f"The search ended without a maximum: {fit.message}.")
    elif not fit.regular:
        told.append(
            "The support is estimated from the data, so there are no standard errors and criteria are heuristic."
        )
    return told


def fit_method() -> list[str]:
    """How the numbers of one fit were made."""
    told = (
        "Parameters are maximum-likelihood estimates; standard errors come from the observed information. The "
        "intervals are Wald's, made on the unconstrained scale of each parameter and mapped back."
    )
    return [told, versions()]


def origin(ranking: Ranking) -> str:
    """The file that the data came from, without its folder; empty for arrays."""
    return "" if ranking.origin == "array" else Path(ranking.origin).name


def dropped(ranking: Ranking) -> list[str]:
    """What was left out of the data."""
    rows, missing = ranking.summary.rows, ranking.summary.missing
    weightless = rows - missing - ranking.observations.survey.sample.seen
    told = [f"Missing and dropped: {number(missing)} of {counted(rows, 'row')}."] if missing else []
    told += [f"Without weight: {number(weightless)} of {counted(rows, 'row')}."] if weightless else []
    return told or ["Nothing: the only row was used." if rows == 1 else f"Nothing: all {number(rows)} rows were used."]


def method(ranking: Ranking, empirical: Empirical, goodness: Sequence[GoodnessOfFit]) -> list[str]:
    """How the numbers were made."""
    formula = {"aic": "2k − 2l", "aicc": "2k − 2l + 2k(k + 1)/(n − k − 1)", "bic": "k log n − 2l"}[ranking.criterion]
    criterion = CRITERIA[ranking.criterion]
    told = [
        f"Parameters are maximum-likelihood estimates; standard errors come from the observed information. Families "
        f"are ordered by {criterion} = {formula}, with k parameters, log-likelihood l and n observations. A weight is "
        f"exp(−difference/2), scaled to sum to 1.",
    ]
    if ranking.rounding:
        told.append(
            "The values are whole numbers. Continuous families were fitted to the interval x ± ½ that each stands for, "
            "and scored by its probability, so that their likelihoods compare with those of discrete families."
        )
    if empirical.estimate is not None:
        how = "Kaplan and Meier's" if empirical.estimate.method == "kaplan-meier" else "Turnbull's"
        told.append(
            "The likelihood of a censored value is the probability of the interval it is known to lie in; that of a "
            "truncated one is divided by the probability of being seen. Quartiles and figures show the data by "
            f"{how} estimate of their distribution function, which assumes no family."
        )
    if ranking.observations.survey.sample.weights is not None:
        told.append(
            f"Weights are frequencies: {counted(ranking.summary.rows, 'row')} stand for "
            f"{counted(ranking.summary.count, 'observation')}."
        )
    if empirical.sampled:
        told.append(
            f"Fits used all the data. Quartiles, histogram and tail plot are from a uniform random sample of "
            f"{number(len(ranking.observations.survey.sample.values))} rows."
        )
    tested = [g for g in goodness if not g.reason]
    if tested:
        tests = sorted({_TESTS[g.test] for g in tested})
        used = ", on a random sample of " + number(tested[0].count) + " observations," if tested[0].sampled else ""
        told.append(
            f"Test of fit: {listed(tests)}{used} with p-values from {number(tested[0].replicates)} bootstrap samples "
            f"drawn from the fit and refitted, which allows for the parameters being estimated. What was tested was "
            f"chosen on the same data: take a large p-value as no more than the absence of a clear contradiction."
        )
    told += [f"The fit of {g.name} was not tested: {g.reason}." for g in goodness if g.reason]
    passes = "once" if ranking.passes == 1 else f"{ranking.passes} times"
    told.append(f"The data were read {passes}. {versions()}")
    return told


def versions() -> str:
    """The software that made a result."""
    made = [f"{name} {version(name.lower())}" for name in ("Suffice", "JAX", "NumPy")]
    return f"Made with {listed([*made, f'Python {python_version()}'])}."
