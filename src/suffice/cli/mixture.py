"""``suffice mixture``: columns of a file in, components with their errors out, and how many there are."""

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
    columns: tuple[str, ...]
    components: str
    families: tuple[str, ...]
    covariances: tuple[str, ...]
    criterion: str
    weights: str | None
    prior: float
    starts: int
    missing: str
    rng: int
    json_out: Path | None
    report_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Fit, print, and write what was asked for."""
    from suffice.runtime.errors import DataError

    sizes = _sizes(request.components)
    check_places([request.file], [request.json_out, request.report_out])
    try:
        selection = _selected(request, sizes)
        if not request.quiet:
            _print(request, selection)
        if request.json_out is not None:
            with place(request.json_out, "written"):
                write_json(request.json_out, json_ready({"file": str(request.file), **_plain(selection)}))
        if request.report_out is not None:
            from suffice.report import report

            with place(request.report_out, "written"):
                report(selection, request.report_out)
    except DataError as error:
        fail(str(error), 1)
    except (ValueError, TypeError) as error:
        fail(str(error), 2)


def _sizes(text: str) -> list[int]:
    """Numbers of components: "3", "1:9", "1,2,4"."""
    try:
        if ":" in text:
            low, high = (int(part) for part in text.split(":"))
            found = list(range(low, high + 1))
        else:
            found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        fail(f"--components must be numbers >= 1, as in 3, 1:9 or 1,2,4, got {text!r}", 2)
    return found


def _target(names: tuple[str, ...], columns: int) -> Any:
    """What components are: one family, or one for each column; normal and t as many columns as there are."""
    from suffice.distributions.catalogue import find
    from suffice.distributions.multivariate_normal import MultivariateNormal
    from suffice.distributions.multivariate_t import MultivariateT
    from suffice.distributions.normal import Normal
    from suffice.distributions.student_t import StudentT

    kinds = tuple(find(name) for name in names)
    if len(kinds) > 1:
        if len(kinds) != columns:
            fail(f"--family must name one family, or one for each of the {columns} columns, got {len(kinds)}", 2)
        return kinds
    kind: Any = next(iter(kinds))
    if columns > 1:
        return {Normal: MultivariateNormal, StudentT: MultivariateT}.get(
            kind, kind if kind.event_ndim else (kind,) * columns
        )  # type: ignore[call-overload]
    return kind


def _selected(request: Request, sizes: list[int]) -> Any:
    from suffice.models.mixture.selection import select_mixture
    from suffice.streams import scan, scan_table

    if not request.families or not request.covariances:
        fail("--family and --covariance must not be empty", 2)
    with place(request.file, "read"):
        columns = request.columns or None
        data: Any = scan_table(request.file, columns, weights=request.weights, missing=request.missing)  # type: ignore[arg-type]
        target = _target(request.families, len(data.names))
        if len(data.names) == 1:
            data = scan(request.file, data.names[0], weights=request.weights, missing=request.missing)  # type: ignore[arg-type]
        shapes: Any = "auto" if request.covariances == ("auto",) else request.covariances
        return select_mixture(
            target,
            sizes,
            data,
            covariance=shapes,
            criterion=request.criterion,  # type: ignore[arg-type]
            prior=request.prior,
            starts=request.starts,
            rng=request.rng,
        )


def _plain(selection: Any) -> dict[str, Any]:
    """The choice and the fit as plain values."""
    fit = selection.best
    members = [
        {"family": type(p).__name__, "weight": float(w)} for w, p in zip(fit.weights, fit.components, strict=True)
    ]
    return {
        "criterion": selection.criterion,
        "components": len(members),
        "covariance": selection.table[0]["covariance"],
        "count": fit.count,
        "converged": fit.converged,
        "message": fit.message,
        "log_likelihood": fit.log_likelihood,
        "bic": fit.bic,
        "icl": fit.icl,
        "aic": fit.aic,
        "mixture": members,
        "parameters": {k: float(v) for k, v in fit.parameters.items()},
        "standard_errors": {k: float(v) for k, v in fit.standard_errors.items()},
        "tried": [
            {k: v if isinstance(v, str | bool | int) else float(v) for k, v in row.items()} for row in selection.table
        ],
    }


def _print(request: Request, selection: Any) -> None:
    from suffice.report import mixture
    from suffice.report.tables import counted, number

    out, fit = console(), selection.best
    out.print(f"{request.file}: {counted(fit.count, 'observation')} of {', '.join(fit._data().names)}", soft_wrap=True)
    if len(selection.table) > 1:
        tried = mixture.selection_rows(selection)
        out.print(table(tried.headers, tried.rows[:10], words=tried.words))
        if len(tried.rows) > 10:
            out.print(f"… and {len(tried.rows) - 10} more")
    told = mixture.parameter_rows(fit)
    out.print(table(told.headers, told.rows, words=told.words, whole=range(len(told.headers))))
    for line in mixture.answer(selection):
        out.print(line, soft_wrap=True)
    out.print(
        f"Log-likelihood {number(fit.log_likelihood, 10)}, BIC {number(fit.bic, 8)}, ICL {number(fit.icl, 8)}",
        soft_wrap=True,
    )
