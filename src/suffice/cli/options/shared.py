"""Options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Missing(StrEnum):
    error = "error"
    drop = "drop"


File = Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)]
Weights = Annotated[str | None, typer.Option(help="Column of frequencies: weight w counts as w rows.")]
MissingValues = Annotated[Missing, typer.Option(help="What to do with missing values.")]
MissingRows = Annotated[Missing, typer.Option(help="What to do with rows that have missing values.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
LARGEST_SEED = 2**63 - 1


def names(listed: str | None) -> tuple[str, ...]:
    """Names between commas, without blanks."""
    return tuple(filter(None, map(str.strip, (listed or "").split(","))))
