"""The options of ``suffice divergence``."""

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, Json, Quiet


def divergence(
    first: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help='JSON file of a law: {"family": "Normal", "loc": 0, "scale": 1}, or what fit --json wrote.',
            show_default=False,
        ),
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The law to compare it with.", show_default=False)],
    draws: Annotated[int, typer.Option(min=100, help="Draws from each, for laws of vectors.")] = 20_000,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the draws.")] = 0,
    json_out: Json = None,
    quiet: Quiet = False,
) -> None:
    """Tell how far two distributions are from each other.

    Example: suffice divergence a.json b.json
    """
    from suffice.cli.divergence import Request, run

    run(Request((first, second), draws, rng, json_out, quiet))
