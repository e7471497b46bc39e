"""The options of ``suffice update``."""

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import File, Json, Missing, MissingValues, Quiet, Weights


def update(
    file: File,
    prior: Annotated[
        str,
        typer.Option(
            help="Gamma(2, 1), the same as JSON, a file that holds either, or a name such as jeffreys.",
            show_default=False,
        ),
    ],
    likelihood: Annotated[
        str, typer.Option(help="Family of the data with what is known: poisson, Normal(scale=2).", show_default=False)
    ],
    column: Annotated[str | None, typer.Option("--column", "-c", help="Column of data. Default: the only one.")] = None,
    weights: Weights = None,
    level: Annotated[float, typer.Option(help="Probability of the intervals, between 0 and 1.")] = 0.95,
    missing: MissingValues = Missing.error,
    json_out: Json = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with prior, likelihood and posterior drawn (HTML).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Update a prior by a column of data: posterior, predictive distribution and evidence in closed form.

    Example: suffice update calls.csv --prior "Gamma(2, 1)" --likelihood poisson --report page.html
    """
    from suffice.cli.update import Request, run

    run(Request(file, prior, likelihood, column, weights, level, missing.value, json_out, report_out, quiet))
