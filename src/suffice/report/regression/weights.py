"""Weights of any regression with their errors, and its size and criteria: tables for pages and terminals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from suffice.models.regression.bayesian.evidence import EvidenceFit
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.iterated.likelihood_fit import LikelihoodFit
from suffice.models.regression.linear.fit import LinearFit
from suffice.report.tables import Table, decimal, number, share

MOST_WEIGHTS = 200  # rows of a table
_RATIOS = {"logit": "Odds ratio", "log": "Ratio"}


def coefficients(fit: Any, targets: Sequence[str] = (), level: float = 0.95) -> Table:
    """Weights with errors, tests of each being 0 where there are any, and intervals.

    Args:
        fit: any fitted regression.
        targets: names of the first targets of a fit of several, which are told weight by weight.
        level: of the intervals.
    """
    rows, several = fit.table(level), len(targets) > 1
    if several:
        rows = sorted((r for r in rows if r["target"] < len(targets)), key=lambda r: fit.names.index(r["name"]))
    notes = ()
    if len(fit.names) > MOST_WEIGHTS:
        notes = (f"The first {MOST_WEIGHTS} of {len(fit.names)} weights.",)
    test = next((k for k in ("t", "z") if k in rows[0]), None)
    ratio = _RATIOS.get(fit.link.name) if isinstance(fit, GeneralizedLinearFit) else None
    cells = tuple(
        (
            *((targets[r["target"]],) if several else ()), r["name"], number(r["estimate"], 8),
            number(r["standard_error"], 4), *((number(r[test], 4), share(r["p_value"])) if test else ()),
            number(r["lower"]), number(r["upper"]), *((number(float(np.exp(r["estimate"])), 5),) if ratio else ()),
        )
        for r in rows[: MOST_WEIGHTS * max(len(targets), 1)]
    )  # fmt: skip
    percent = (f"{100 * q:g} %" for q in ((1 - level) / 2, (1 + level) / 2))
    kinds = ("Estimate", "Standard error", test, "p-value") if test else ("Mean", "Deviation")
    heads = (*(("Target",) if several else ()), "Weight", *kinds, *percent, *((ratio,) if ratio else ()))
    return Table(heads, cells, frozenset({0, 1} if several else {0}), notes)  # type: ignore[arg-type]


def facts(result: Any) -> Table:
    """Size and criteria."""
    found = result if isinstance(result, EvidenceFit) else None
    fit: Any = result.posterior if found is not None else result
    values = {"Observations": number(fit.count), "Weights": number(len(fit.names))}
    if isinstance(fit, LikelihoodFit):
        values |= _of_likelihood(fit)
    else:
        values |= {"Rank": number(fit.solution.rank), "Condition number": number(fit.solution.condition_number, 3)}
        values |= _of_least_squares(fit) if isinstance(fit, LinearFit) else _of_posterior(fit, found)
    return Table(tuple(values), (tuple(values.values()),))


def _of_likelihood(fit: LikelihoodFit) -> dict[str, str]:
    values = {}
    if isinstance(fit, GeneralizedLinearFit):
        values["Deviance"] = number(fit.deviance, 6)
        values["Degrees of freedom"] = number(fit.residual_degrees_of_freedom)
        if fit.response.dispersed:
            values["Dispersion"] = number(fit.dispersion, 5)
    values |= {"Log-likelihood": decimal(fit.log_likelihood, 4)}
    return values | {"AIC": decimal(fit.aic, 4), "BIC": decimal(fit.bic, 4), "Steps": number(fit.iterations)}


def _of_least_squares(fit: LinearFit) -> dict[str, str]:
    if not fit.single:
        return {}
    values = {"Residual deviation": fit.residual_deviation, "R²": fit.r_squared}
    criteria = {"Log-likelihood": fit.log_likelihood, "AIC": fit.aic, "BIC": fit.bic}
    told = {name: number(float(value)) for name, value in values.items()}
    return told | {name: decimal(float(value), 4) for name, value in criteria.items()}


def _of_posterior(fit: Any, found: EvidenceFit | None) -> dict[str, str]:
    values = {"Log evidence": decimal(float(fit.log_evidence), 4)}
    if found is not None:
        alpha = np.atleast_1d(found.alpha)
        if len(alpha) == 1:
            values["Prior precision alpha"] = number(float(alpha[0]), 5)
        return values | {"Noise precision beta": number(found.beta, 5), "Effective parameters": number(found.gamma, 4)}
    if fit.known_noise:
        return values | {"Noise precision": number(fit.prior.noise, 5)}
    return values | {"Noise deviation": number(float(np.sqrt(fit._spread)), 5)}
