"""The options of ``suffice fit``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, File, Json, Missing, MissingValues, Weights, names


class Criterion(StrEnum):
    aic = "aic"
    aicc = "aicc"
    bic = "bic"


class Kind(StrEnum):
    auto = "auto"
    continuous = "continuous"
    discrete = "discrete"


class Interval(StrEnum):
    wald = "wald"
    profile = "profile"
    score = "score"
    exact = "exact"
    wilson = "wilson"
    jeffreys = "jeffreys"
    bootstrap = "bootstrap"
    percentile = "percentile"
    parametric = "parametric"


def fit(
    file: File,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", help="Column to fit; repeat for several. Default: the only one."),
    ] = None,
    families: Annotated[
        str | None, typer.Option(help="Families to try, separated by commas. Default: the common ones.")
    ] = None,
    criterion: Annotated[Criterion, typer.Option(help="What the ranking orders by.")] = Criterion.aic,
    kind: Annotated[
        Kind, typer.Option(help="auto: integers mean discrete families and rounded continuous ones in one ranking.")
    ] = Kind.auto,
    weights: Weights = None,
    left: Annotated[
        str | None, typer.Option(help="Column of left ends of intervals; empty: left-censored. With --right.")
    ] = None,
    right: Annotated[
        str | None, typer.Option(help="Column of right ends of intervals; empty: right-censored. With --left.")
    ] = None,
    lower: Annotated[
        str | None, typer.Option(help="Truncation: column or number above which values had to lie to be seen.")
    ] = None,
    upper: Annotated[
        str | None, typer.Option(help="Truncation: column or number up to which values had to lie to be seen.")
    ] = None,
    counts: Annotated[str | None, typer.Option(help="Column of whole frequencies, of tabulated data.")] = None,
    by: Annotated[str | None, typer.Option(help="Column of labels: a fit of the best family for each group.")] = None,
    interval: Annotated[
        Interval | None, typer.Option(help="Confidence intervals of the best three families by this method.")
    ] = None,
    level: Annotated[float, typer.Option(help="Their coverage, between 0 and 1.")] = 0.95,
    missing: MissingValues = Missing.error,
    gof: Annotated[bool, typer.Option("--gof", help="Test the best three by parametric bootstrap.")] = False,
    rng: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the bootstrap.")] = 0,
    json_out: Json = None,
    report_out: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page with figures (HTML); tests the best three by bootstrap, as --gof."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and the timing where asked for.")
    ] = False,
    timing: Annotated[bool, typer.Option("--timing", help="Print where the time went.")] = False,
) -> None:
    """Fit many distributions to a column of numbers and rank them by likelihood.

    Example: suffice fit examples/old_faithful.csv --gof --report page.html
    """
    from suffice.cli.fit import Request, run

    run(
        Request(
            file, tuple(column or ()), None if families is None else names(families), criterion.value, kind.value,
            weights, left, right, _number_or_name(lower), _number_or_name(upper), counts, by,
            None if interval is None else interval.value, level, missing.value, gof, rng, json_out, report_out, quiet, timing,
        )
    )  # fmt: skip


def _number_or_name(text: str | None) -> float | str | None:
    """A truncation limit: a number, or the name of a column."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
