"""The options of ``suffice regress``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import File, Json, Missing, MissingRows, Quiet, Weights, names


class Deficient(StrEnum):
    error = "error"
    pivot = "pivot"
    minimum_norm = "minimum_norm"


class Covariance(StrEnum):
    noise = "noise"
    sandwich = "sandwich"
    hc0 = "HC0"
    hc1 = "HC1"
    hc2 = "HC2"
    hc3 = "HC3"


def regress(
    file: File,
    target: Annotated[str, typer.Option("--target", "-t", help="Column to explain.", show_default=False)],
    inputs: Annotated[
        str | None, typer.Option(help="Columns that explain it, separated by commas. Default: all other numeric ones.")
    ] = None,
    basis: Annotated[
        str,
        typer.Option(
            help="Functions of each input: linear, polynomial:3, chebyshev:4, legendre:4, gaussian:9, sigmoid:9, "
            "fourier:2:12, piecewise:1,2, bspline:1,2, natural:1,2, none; of labels onehot:TOWN, beside "
            "linear:SIZE,AGE; sums by +, products by *."
        ),
    ] = "linear",
    family: Annotated[
        str,
        typer.Option(
            help="Of the target: normal (least squares), bernoulli, binomial (with --trials), poisson, exponential, "
            "gamma, inverse_gaussian, negative_binomial(concentration=2); for classes, text or numbers, ordinal or "
            "multinomial."
        ),
    ] = "normal",
    link: Annotated[
        str | None,
        typer.Option(help="From linear predictor to mean, as logit, probit, log. Default: the family's own."),
    ] = None,
    noise: Annotated[
        str,
        typer.Option(
            help="Of family normal: gaussian; student_t or student_t:DF, against outliers; log_variance:BASIS."
        ),
    ] = "gaussian",
    prior: Annotated[
        str, typer.Option(help="none: least squares; ridge:PENALTY; evidence: the penalty of largest evidence.")
    ] = "none",
    classes: Annotated[
        str | None, typer.Option(help="Classes in their order, separated by commas. Default: those found, sorted.")
    ] = None,
    weights: Weights = None,
    offset: Annotated[str | None, typer.Option(help="Column of a known part, as the log of an exposure.")] = None,
    trials: Annotated[
        str | None, typer.Option(help="Column of numbers of trials, of which the target counts successes.")
    ] = None,
    intercept: Annotated[bool, typer.Option(help="Whether the constant comes first.")] = True,
    rank_deficient: Annotated[
        Deficient | None,
        typer.Option(help="Columns that depend on others: say so (default), leave them out, or take smallest weights."),
    ] = None,
    covariance: Annotated[
        Covariance | None,
        typer.Option(help="Of least-squares weights: from one noise variance (default), or whatever the variances."),
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage of the intervals, between 0 and 1.")] = 0.95,
    missing: MissingRows = Missing.error,
    json_out: Json = None,
    report_out: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page with the fit, its residuals and leverage drawn (HTML)."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Regress a column on others: weights with standard errors, to the last digit, from files of any size.

    Example: suffice regress examples/iris.csv --target petal_width --inputs petal_length --basis polynomial:2 --report page.html

    Example: suffice regress examples/iris.csv --target species --inputs sepal_length --family multinomial
    """
    from suffice.cli.regress import Request, run

    run(
        Request(
            file, target, names(inputs), basis, family, link, noise, prior, names(classes), weights, offset, trials, intercept,
            None if rank_deficient is None else rank_deficient.value, None if covariance is None else covariance.value,
            level, missing.value, json_out, report_out, quiet,
        )
    )  # fmt: skip
