"""The options of ``suffice simulate``."""

from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, Json, Quiet, names


def simulate(
    family: Annotated[
        str, typer.Argument(help="Family that samples come from and are fitted with.", show_default=False)
    ],
    parameters: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE…", help="Its parameters, the truth.", show_default=False)
    ],
    sizes: Annotated[str, typer.Option(help="Sample sizes, separated by commas.")] = "10,100,1000",
    replicates: Annotated[int, typer.Option(min=2, help="Samples of each size.")] = 1000,
    interval: Annotated[
        str | None,
        typer.Option(
            help="Methods whose coverage is wanted, separated by commas: those of fit --interval, and wald-natural, "
            "wald-expected."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage they aim at, between 0 and 1.")] = 0.95,
    hold: Annotated[str | None, typer.Option(help="Parameters that are known, separated by commas.")] = None,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the samples.")] = 0,
    json_out: Json = None,
    quiet: Quiet = False,
) -> None:
    """Fit many samples of a known distribution: bias, variance and coverage, each with its error.

    Example: suffice simulate weibull concentration=1.5 scale=2 --sizes 10,30,200 --interval wald,profile
    """
    from suffice.cli.simulate import Request, run

    run(
        Request(
            family, tuple(parameters), sizes, replicates, names(interval), level, names(hold), rng,
            json_out, quiet,
        )
    )  # fmt: skip
