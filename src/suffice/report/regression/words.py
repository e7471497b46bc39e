"""What a regression says, in sentences and tables."""

from typing import Any

import numpy as np

from suffice.models.regression.bayesian.evidence import EvidenceFit, ModelOrder
from suffice.models.regression.linear.fit import LinearFit
from suffice.report.regression.view import Regressed
from suffice.report.tables import Table, counted, listed, number, share, with_error
from suffice.report.words import versions


def answer(fit: Any, seen: list[Regressed], found: EvidenceFit | None) -> list[str]:
    """The outcome: weights, how much they explain, and what to doubt."""
    targets = listed([s.target for s in seen])
    told = []
    few = len(fit.names) <= 6 and len(seen) == 1
    if isinstance(fit, LinearFit):
        w, se = np.reshape(fit.weights, (len(fit.names), -1)), np.reshape(fit.standard_errors, (len(fit.names), -1))
        shown = (
            listed([f"{n} {with_error(a, b)}" for n, a, b in zip(fit.names, w[:, 0], se[:, 0], strict=True)])
            if few
            else ""
        )
        told.append(
            f"{targets} by {basis_told(fit)}, from {counted(fit.count, 'observation')}: {shown or counted(len(fit.names), 'weight')}."
        )
        r2 = np.atleast_1d(fit.r_squared)
        told.append(
            f"R² {listed([number(float(v), 4) for v in r2[: len(seen)]])}, residual deviation "
            f"{listed([number(float(v), 5) for v in np.atleast_1d(fit.residual_deviation)[: len(seen)]])}."
        )
        for dependency in fit.dependencies:
            told.append(f"A column depends on others: {dependency}.")
    else:
        shown = listed([
            f"{n} {with_error(float(m), float(s))}"
            for n, m, s in zip(fit.names, fit.mean, fit.standard_deviations, strict=True)
        ]) if few else ""  # fmt: skip
        told.append(
            f"{targets} by {basis_told(fit)}, from {counted(fit.count, 'observation')}: "
            f"{shown or counted(len(fit.names), 'weight')} (posterior mean ± deviation)."
        )
        if found is not None:
            told.append(
                f"The data determine {number(found.gamma, 4)} of {counted(len(fit.names) - fit.prior.flat, 'shrunk weight')}."
            )
            if not found.converged:
                told.append(f"The evidence has no maximum inside: {found.message}.")
    return told


def basis_told(fit: Any) -> str:
    """What the basis is called."""
    basis = fit.design.basis
    return "a constant" if basis is None else repr(basis)


def columns_told(fit: Any) -> list[str]:
    """What was found of the columns: their rank, what depends on what, and how many digits that costs."""
    m, rank, condition = len(fit.names), fit.solution.rank, fit.solution.condition_number
    told = []
    if rank == m:
        told.append(f"{'The only column counts' if m == 1 else f'All {m} columns are independent'}.")
    else:
        told.append(f"{rank} of {m} columns are independent; others are made of them:")
        told += [f"{d}." for d in fit.solution.dependencies]
    lost = max(0.0, float(np.log10(max(condition, 1.0))))
    told.append(
        f"The condition number of the columns scaled to length 1 is {number(condition, 3)}: solved in plain float64 about "
        f"{number(round(lost, 1))} of 16 digits would be lost; here sums and equations have 27 to 32 digits."
    )
    return told


def method(fit: Any, found: EvidenceFit | None) -> list[str]:
    """How the numbers were made."""
    if isinstance(fit, LinearFit):
        errors = (
            "the unbiased noise variance; intervals and bands are Student's, exact under Gaussian noise"
            if fit.spread is None
            else "the sandwich, which holds whatever the noise's variances; intervals and bands are Student's, approximate"
        )
        told = [
            f"Least squares, which is maximum likelihood under Gaussian noise, by {fit.method}. Standard errors come from "
            f"{errors}."
        ]
    else:
        told = ["The posterior of the weights in closed form (Bishop 2006, 3.3); bands are credible intervals."]
        if found is not None:
            told.append("Precisions of weights and noise are those of the largest evidence (Bishop 2006, 3.5).")
    told.append(
        "Studentised residuals are divided by their standard error from the fit without that row; the band of the Q–Q plot "
        "is from 199 samples of normal noise less its projection on the columns."
    )
    return [*told, versions()]


def order_rows(order: ModelOrder) -> Table:
    """Models with their evidence."""
    cells = tuple(
        (
            label,
            number(float(v), 8),
            number(float(v - order.log_evidences.max()), 4),
            share(float(p)),
            number(f.gamma, 4),
        )
        for label, v, p, f in zip(order.labels, order.log_evidences, order.probabilities, order.fits, strict=True)
    )
    return Table(
        ("Basis", "Log evidence", "Less the best", "Probability", "Effective parameters"), cells, frozenset({0})
    )
