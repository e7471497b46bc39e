"""``suffice fit``: a file in, a ranking out."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import json_ready, print_ranking, write_json
from suffice.cli.timing import Timing


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    file: Path
    columns: tuple[str, ...]
    families: tuple[str, ...] | None
    criterion: str
    kind: str
    weights: str | None
    missing: str
    gof: bool
    rng: int
    json_out: Path | None
    report_out: Path | None
    quiet: bool
    timing: bool


def run(request: Request) -> None:
    """Rank each column, print, and write what was asked for."""
    timing = Timing()
    with timing.importing():
        from suffice.distributions.catalogue import find
        from suffice.runtime.errors import DataError
    try:
        families = None if request.families is None else [find(name) for name in request.families]
    except ValueError as error:
        fail(str(error), 2)
    for path in (request.json_out, request.report_out):
        if path is not None and not path.resolve().parent.is_dir():
            fail(f"the folder of {path} does not exist", 2)
        if path is not None and path.is_dir():
            fail(f"{path} is a folder, not a file", 2)
    with timing.watching():
        try:
            results = [_column(request, name, families) for name in request.columns or (None,)]
            if request.json_out is not None:
                write_json(request.json_out, {"file": str(request.file), "columns": results})
        except DataError as error:
            fail(str(error), 1)
        except OSError as error:
            fail(f"{error.filename2 or error.filename} cannot be written: {error.strerror}", 1)
    if request.timing:
        print(timing)


def _column(request: Request, column: str | None, families: Any) -> dict[str, Any]:
    from suffice.inference.rank import rank
    from suffice.runtime.errors import DataError
    from suffice.runtime.progress import Progress
    from suffice.streams import scan

    source = scan(request.file, column, weights=request.weights, missing=request.missing)  # type: ignore[arg-type]
    began = time.perf_counter()
    with Progress(f"reading {source.name}", source.rows, quiet=request.quiet) as progress:
        ranking = rank(source, families, request.criterion, kind=request.kind, progress=progress)  # type: ignore[arg-type]
    if not ranking.candidates:
        reasons = "; ".join(i.reason for i in ranking.impossible)
        raise DataError(f"{source.label}: no family can be fitted: {reasons}")
    tests = ranking.goodness_of_fit(rng=request.rng) if request.gof or request.report_out else ()
    if not request.quiet:
        print_ranking(ranking, tests, time.perf_counter() - began)
    if request.report_out is not None:
        from suffice.report import report

        path = request.report_out
        if len(request.columns) > 1:
            path = path.with_stem(f"{path.stem}-{source.name}")
        report(ranking, path, goodness=tests)
        if not request.quiet:
            print(f"wrote {path}")
    return json_ready({
        "column": ranking.name,
        "criterion": ranking.criterion,
        "rounding": ranking.rounding,
        "passes": ranking.passes,
        "summary": {**asdict(ranking.summary), "mean": ranking.summary.mean, "variance": ranking.summary.variance},
        "ranking": ranking.table(),
        "impossible": [asdict(i) for i in ranking.impossible],
        "goodness_of_fit": [asdict(t) for t in tests],
    })  # fmt: skip
