"""What generalised models, noise of its own and models of classes say, in sentences and tables."""

from typing import Any

import numpy as np

from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.ordinal import OrdinalFit
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.iterated import wald
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report.regression.choices import Chosen
from suffice.report.regression.modelled import General, Modelled
from suffice.report.regression.view import STANDARD
from suffice.report.regression.words import MOST_WEIGHTS, basis_told
from suffice.report.tables import Table, counted, decimal, listed, number, share, with_error
from suffice.report.words import versions

_RATIOS = {"logit": "Odds ratio", "log": "Ratio"}


def answer(seen: Modelled | Chosen) -> list[str]:
    """The outcome: weights, and what to doubt."""
    fit = seen.fit
    weights, errors = _estimates(fit)
    few = len(fit.names) <= 6 and fit.converged
    pairs = zip(fit.names, weights, errors, strict=True)
    shown = (
        listed([f"{n} {with_error(float(w), float(e))}" for n, w, e in pairs])
        if few
        else counted(len(fit.names), "weight")
    )
    told = [f"{seen.target} by {basis_told(fit)}, {_kind(seen)}, from {counted(fit.count, 'observation')}: {shown}."]
    if isinstance(fit, NoiseFit):
        noise = zip(fit.noise_names, fit.noise_parameters, fit.noise_errors, strict=True)
        told.append(f"The noise: {listed([f'{n} {with_error(float(v), float(e))}' for n, v, e in noise])}.")
    if isinstance(seen, Chosen):
        w = np.ones(len(seen.chosen)) if seen.rows.frequencies is None else seen.rows.frequencies
        right = float(w @ (seen.probabilities.argmax(1) == seen.chosen) / w.sum())
        told.append(f"The most probable class is the right one in {100 * right:.3g} % of the rows{_of(seen)}.")
    if not fit.converged:
        told.append(f"Not converged: {fit.message}.")
    return told


def _of(seen: Any) -> str:
    return "" if seen.whole else " drawn"


def _kind(seen: Modelled | Chosen) -> str:
    fit = seen.fit
    if isinstance(seen, General):
        return f"{seen.family} with the {seen.fit.link.name} link"
    if isinstance(fit, NoiseFit):
        return "noise of Student's t" if fit.variance_design is None else "noise whose variance depends on the inputs"
    if isinstance(fit, OrdinalFit):
        return f"{len(fit.classes)} ordered classes with the {fit.link} link"
    return f"{len(fit.classes)} classes"


def _estimates(fit: Any) -> tuple[np.ndarray, np.ndarray]:
    return (fit.parameters if isinstance(fit, ChoiceFit) else fit.weights), fit.standard_errors


def coefficients(seen: Modelled | Chosen, level: float = 0.95) -> Table:
    """Weights with errors, tests and intervals."""
    fit = seen.fit
    weights, errors = _estimates(fit)
    low, high = wald.interval(weights, errors, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = weights / errors
    p = 2.0 * np.asarray(STANDARD.sf(np.abs(z)))
    ratio = _RATIOS.get(fit.link.name) if isinstance(fit, GeneralizedLinearFit) else None
    percent = [f"{100 * q:g} %" for q in ((1 - level) / 2, (1 + level) / 2)]
    rows = []
    for i, name in enumerate(fit.names[:MOST_WEIGHTS]):
        row = [
            name,
            number(float(weights[i]), 7),
            number(float(errors[i]), 4),
            number(float(z[i]), 4),
            share(float(p[i])),
        ]
        row += [number(float(low[i]), 5), number(float(high[i]), 5)]
        if ratio:
            row.append(number(float(np.exp(weights[i])), 5))
        rows.append(tuple(row))
    notes = (f"The first {MOST_WEIGHTS} of {len(fit.names)} weights.",) if len(fit.names) > MOST_WEIGHTS else ()
    heads = ("Weight", "Estimate", "Standard error", "z", "p-value", *percent, *((ratio,) if ratio else ()))
    return Table(heads, tuple(rows), frozenset({0}), notes)


def facts(seen: Modelled | Chosen) -> Table:
    """Size and criteria."""
    fit = seen.fit
    values = {"Observations": number(fit.count), "Weights": number(len(fit.names))}
    if isinstance(fit, GeneralizedLinearFit):
        values["Deviance"] = number(fit.deviance, 6)
        values["Degrees of freedom"] = number(fit.count - fit.solution.rank)
        if fit.response.dispersed:
            values["Dispersion"] = number(fit.dispersion, 5)
    if isinstance(fit, NoiseFit):
        values |= {
            n[:1].upper() + n[1:]: number(float(v), 5)
            for n, v in zip(fit.noise_names, fit.noise_parameters, strict=True)
        }
    values |= {"Log-likelihood": decimal(fit.log_likelihood, 4), "AIC": decimal(float(fit.aic), 4)}
    values["Steps"] = number(fit.iterations)
    return Table(tuple(values), (tuple(values.values()),))


def method(seen: Modelled | Chosen) -> list[str]:
    """How the numbers were made."""
    if isinstance(seen, General):
        how = (
            "Maximum likelihood by Fisher scoring: least squares with new working targets and weights until they stay. "
            "Standard errors are from the expected information, intervals are Wald's; the band is Wald's on the scale of the "
            "linear predictor. Deviance residuals are divided by their standard errors."
        )
    elif isinstance(seen, Modelled):
        how = (
            "Maximum likelihood of weights and noise together. Standard errors are from the expected information, intervals "
            "are Wald's; the outer band is the law of the noise around the curve, without the uncertainty of the weights."
        )
    else:
        how = (
            "Maximum likelihood by Newton's method in orthonormal columns. Standard errors are from the observed "
            "information, intervals are Wald's."
        )
    return [how, versions()]
