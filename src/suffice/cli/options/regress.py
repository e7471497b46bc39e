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
            "fourier:2:12, piecewise:1,2, bspline:1,2, natural:1,2; of labels onehot:TOWN, beside linear:SIZE,AGE; sums by +."
        ),
    ] = "linear",
    prior: Annotated[
        str, typer.Option(help="none: least squares; ridge:PENALTY; evidence: the penalty of largest evidence.")
    ] = "none",
    weights: Weights = None,
    intercept: Annotated[bool, typer.Option(help="Whether the constant comes first.")] = True,
    rank_deficient: Annotated[
        Deficient, typer.Option(help="Columns that depend on others: say so, leave them out, or take smallest weights.")
    ] = Deficient.error,
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
    """
    from suffice.cli.regress import Request, run

    run(
        Request(
            file, target, names(inputs), basis, prior, weights, intercept, rank_deficient.value, level,
            missing.value, json_out, report_out, quiet,
        )
    )  # fmt: skip
