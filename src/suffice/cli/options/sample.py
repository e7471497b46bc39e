"""The options of ``suffice sample``."""

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, Quiet


def sample(
    model: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:FUNCTION",
            help="A function of a point that returns its log-density; domains, or start, beside it say what a point is.",
            show_default=False,
        ),
    ],
    kernel: Annotated[str, typer.Option(help="nuts, hmc, mala, barker, random-walk, slice, …")] = "nuts",
    chains: Annotated[int, typer.Option(min=1, help="Number of chains.")] = 4,
    warmup: Annotated[int, typer.Option(min=0, help="Steps of each in which settings are tuned.")] = 1000,
    draws: Annotated[int, typer.Option(min=1, help="Draws of each that are kept.")] = 1000,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Zarr store to which draws stream as they come.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the store holds.")] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the summary as JSON.")] = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with the chains drawn (HTML).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw from a density that a Python file defines, and tell how far the draws can be trusted.

    Example: suffice sample examples/eight_schools.py:log_density --out build/run.zarr --report build/schools.html
    """
    from suffice.cli.sample import Request, run

    run(Request(model, kernel, chains, warmup, draws, rng, out, resume, json_out, report_out, quiet))
