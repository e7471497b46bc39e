"""The options of ``suffice mixture``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, File, Json, Missing, MissingRows, Quiet, Weights, names


class Criterion(StrEnum):
    bic = "bic"
    icl = "icl"
    aic = "aic"
    cv = "cv"


def mixture(
    file: File,
    columns: Annotated[
        str | None, typer.Option("--columns", "-c", help="Columns, separated by commas. Default: all numeric ones.")
    ] = None,
    components: Annotated[str, typer.Option("--components", "-k", help="How many: 3, 1:9 or 1,2,4.")] = "1:9",
    family: Annotated[
        str, typer.Option(help="Family of the components; several, by commas, one for each column.")
    ] = "normal",
    covariance: Annotated[
        str,
        typer.Option(
            help="full, tied, diag, spherical, three letters such as VEV, several by commas, or auto for the common ones."
        ),
    ] = "full",
    criterion: Annotated[Criterion, typer.Option(help="What chooses among several.")] = Criterion.bic,
    weights: Weights = None,
    prior: Annotated[
        float, typer.Option(min=0.0, help="Pseudo-observations that keep a component from collapsing.")
    ] = 0.0,
    starts: Annotated[int, typer.Option(min=1, help="Starts of each climb.")] = 10,
    missing: MissingRows = Missing.error,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the starts.")] = 0,
    json_out: Json = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with the components drawn (HTML).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Fit mixtures to columns of a file: components with standard errors, and how many there are.

    Example: suffice mixture examples/old_faithful.csv --components 1:4 --covariance auto --report page.html
    """
    from suffice.cli.mixture import Request, run

    run(
        Request(
            file, names(columns), components, names(family), names(covariance), criterion.value, weights,
            prior, starts, missing.value, rng, json_out, report_out, quiet,
        )
    )  # fmt: skip
