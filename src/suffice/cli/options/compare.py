"""The options of ``suffice compare``."""

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, Json, Missing, MissingValues, Quiet


def compare(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The file to compare it with.", show_default=False)],
    column: Annotated[
        str | None, typer.Option("--column", "-c", help="Column of both files. Default: the only one.")
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="Family in which the parameters of both are compared, too.")
    ] = None,
    missing: MissingValues = Missing.error,
    replicates: Annotated[int, typer.Option(min=1, help="Permutations of each test.")] = 999,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the permutations.")] = 0,
    json_out: Json = None,
    quiet: Quiet = False,
) -> None:
    """Test whether a column of two files comes from one distribution.

    Example: suffice compare before.csv after.csv --column seconds --family lognormal
    """
    from suffice.cli.compare import Request, run

    run(Request((first, second), column, family, missing.value, replicates, rng, json_out, quiet))
