"""What generalised models, noise of its own and models of classes say, in sentences and tables."""

from typing import Any

import numpy as np

from suffice.models.regression.choice.ordinal import OrdinalFit
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report.regression.choices import Chosen
from suffice.report.regression.modelled import General, Modelled
from suffice.report.regression.words import basis_told
from suffice.report.tables import counted, listed, with_error
from suffice.report.words import versions


def answer(seen: Modelled | Chosen) -> list[str]:
    """The outcome: weights, and what to doubt."""
    fit = seen.fit
    few = len(fit.names) <= 6 and fit.converged
    pairs = zip(fit.names, fit.parameters, fit.standard_errors, strict=True)
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
