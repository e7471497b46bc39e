"""``suffice regress``: columns of a file in, weights with their errors out; read in chunks, so of any size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import console, json_ready, table, write_json
from suffice.cli.places import check_places, place


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    file: Path
    target: str
    inputs: tuple[str, ...]
    basis: str
    family: str
    link: str | None
    noise: str
    prior: str
    classes: tuple[str, ...]
    weights: str | None
    offset: str | None
    trials: str | None
    intercept: bool
    rank_deficient: str | None
    covariance: str | None
    level: float
    missing: str
    json_out: Path | None
    report_out: Path | None
    quiet: bool


_WRITTEN = (
    "target", "inputs", "basis", "intercept", "family", "noise", "prior", "offset", "trials", "covariance", "level"
)  # fmt: skip


def run(request: Request) -> None:
    """Fit, print, and write what was asked for."""
    from suffice.runtime.errors import DataError

    if not 0.0 < request.level < 1.0:
        fail(f"--level must be between 0 and 1, got {request.level:g}", 2)
    check_places([request.file], [request.json_out, request.report_out])
    try:
        fit, missing = _fitted(request)
        if not request.quiet:
            _print(request, fit, missing)
        if request.json_out is not None:
            from suffice.cli.regression import plain

            asked = {name: getattr(request, name) for name in _WRITTEN}
            content = json_ready({"file": str(request.file), **asked, "missing": missing, **plain(fit, request.level)})
            with place(request.json_out, "written"):
                write_json(request.json_out, content)
        if request.report_out is not None:
            from suffice.report import report

            with place(request.report_out, "written"):
                report(fit, request.report_out)
            if not request.quiet:
                print(f"wrote {request.report_out}")
    except DataError as error:
        fail(str(error), 1)
    except ValueError as error:
        fail(str(error), 2)


def _fitted(request: Request) -> tuple[Any, int]:
    """The fit of what was asked for, and how many rows were left out as something in them is missing."""
    from suffice.models.regression.spelled import Spelled
    from suffice.streams.fold import fold
    from suffice.streams.table import numeric_columns, scan_table

    model = Spelled(
        request.basis, request.family, request.link, request.noise, request.prior, request.classes, request.intercept
    )
    asked = {"offset": request.offset, "trials": request.trials}
    asked |= {"rank_deficient": request.rank_deficient, "covariance": request.covariance}
    beside = {name: value for name, value in asked.items() if value is not None}
    for name in set(beside) - set(model.takes):
        fail(f"--{name.replace('_', '-')} is not for this family, noise and prior", 2)
    if request.family.lower() == "binomial" and request.trials is None:
        fail("--family binomial needs --trials, a column of their numbers; --family bernoulli is for 0 and 1", 2)
    named = tuple(filter(None, (*request.inputs, request.target, request.offset, request.trials, request.weights)))
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        fail(f"columns must each be named once, got {twice!r} more than once", 2)
    fit, texts = model.fitting(), model.labels()
    with place(request.file, "read"):
        if request.target not in numeric_columns(request.file):
            scan_table(request.file, (), categories=(request.target,))  # says so where there is no such column
            if not model.choice:
                fail(f"--target {request.target} holds text: classes are for --family ordinal or multinomial", 2)
            texts = (*texts, request.target)
        rows = scan_table(
            request.file, named if request.inputs else None, categories=texts, weights=request.weights, missing=request.missing,  # type: ignore[arg-type]
        )  # fmt: skip
        missing = fold(rows.source, lambda chunk: chunk.missing) if request.missing == "drop" else 0
        return fit(rows, request.target, **beside), missing


def _print(request: Request, fit: Any, missing: int) -> None:
    from suffice.cli.regression import lines
    from suffice.report.regression.weights import coefficients, facts
    from suffice.report.tables import counted

    out, told, size = console(), coefficients(fit, level=request.level), facts(fit)
    asked = {"family": "normal", "link": None, "noise": "gaussian", "prior": "none"}
    how = "".join(f", {n} {v}" for n, usual in asked.items() if (v := getattr(request, n)) != usual)
    head = f"{request.file}: {request.target} by {request.basis}, {counted(fit.count, 'observation')}{how}"
    out.print(head, soft_wrap=True)
    if missing:
        out.print(f"{counted(missing, 'row')} with missing values left out")
    out.print(table(told.headers, told.rows, told.words))
    out.print(", ".join(f"{n} {v}" for n, v in zip(size.headers[2:], size.rows[0][2:], strict=True)), soft_wrap=True)
    for line in (*told.notes, *lines(fit)):
        out.print(line, soft_wrap=True)
