"""``suffice fit``: a file in, a ranking out."""

import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import json_ready, print_intervals, print_ranking, write_json
from suffice.cli.places import check_places, place
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
    left: str | None
    right: str | None
    lower: str | float | None
    upper: str | float | None
    counts: str | None
    by: str | None
    interval: str | None
    level: float
    missing: str
    gof: bool
    rng: int
    json_out: Path | None
    report_out: Path | None
    quiet: bool
    timing: bool


def run(request: Request) -> None:
    """Rank each column, print, and write what was asked for."""
    _check_options(request)
    timing = Timing()
    with timing.importing():
        from suffice.runtime.errors import DataError

        families = _families(request)
    pages = _pages(request)
    check_places([request.file], [request.json_out, *pages])
    with timing.watching():
        try:
            columns = zip(request.columns or (None,), pages, strict=True)
            results = [_column(request, name, families, page) for name, page in columns]
        except DataError as error:
            fail(str(error), 1)
        if request.json_out is not None:
            with place(request.json_out, "written"):
                write_json(request.json_out, {"file": str(request.file), "columns": results})
    if request.timing:
        print(timing)


def _check_options(request: Request) -> None:
    """Refuse options that contradict each other."""
    if request.columns and (request.left or request.right):
        fail("--column is for values and --left, --right for the ends of intervals: give one or the other", 2)
    if request.weights and request.counts:
        fail("--weights and --counts both give frequencies: give one", 2)
    if not 0.0 < request.level < 1.0:
        fail(f"--level must be between 0 and 1, got {request.level:g}", 2)
    if (request.lower is not None or request.upper is not None) and not (
        request.columns or request.left or request.right
    ):
        fail("--lower and --upper need the --column, or --left and --right, that they limit", 2)


def _families(request: Request) -> list[Any] | None:
    """What to fit: each family that is named, once."""
    from suffice.distributions.catalogue import find
    from suffice.distributions.family import as_family

    if request.families is None:
        return None
    try:
        families = [as_family(kind) for kind in dict.fromkeys(map(find, request.families))]
    except ValueError as error:
        fail(str(error), 2)
    for f in families:
        if f.member.event_ndim:
            fail(f"{f.name} is a distribution of vectors or matrices, a column holds numbers", 2)
        if request.kind not in ("auto", "discrete" if f.member.discrete else "continuous"):
            fail(f"{f.name} is not {request.kind}, as --kind asks for", 2)
    return families or fail("--families names no family", 2)


def _pages(request: Request) -> list[Path | None]:
    """Where the page of each column goes: its name is added where there are several, fit for a file."""
    path = request.report_out
    if path is None or len(request.columns) < 2:
        return [path] * max(1, len(request.columns))
    stems = [f"{path.stem}-{re.sub(r'[^\w .-]', '_', name)}" for name in request.columns]
    again = [stems[:i].count(stem) for i, stem in enumerate(stems)]
    return [path.with_stem(f"{stem}-{k + 1}" if k else stem) for stem, k in zip(stems, again, strict=True)]


def _column(request: Request, column: str | None, families: Any, page: Path | None) -> dict[str, Any]:
    from suffice.inference.rank import rank
    from suffice.runtime.errors import DataError
    from suffice.runtime.progress import Progress
    from suffice.streams import scan

    began = time.perf_counter()
    with place(request.file, "read"):
        source = scan(
            request.file, column, weights=request.weights, left=request.left, right=request.right, lower=request.lower,
            upper=request.upper, counts=request.counts, missing=request.missing,  # type: ignore[arg-type]
        )  # fmt: skip
        with Progress(f"reading {source.name}", source.rows, quiet=request.quiet) as progress:
            ranking = rank(source, families, request.criterion, kind=request.kind, progress=progress)  # type: ignore[arg-type]
    if not ranking.candidates:
        reasons = "; ".join(i.reason for i in ranking.impossible)
        raise DataError(f"{source.label}: no family can be fitted: {reasons}")
    tests = ranking.goodness_of_fit(rng=request.rng) if request.gof or page is not None else ()
    intervals = {}
    if request.interval is not None:
        intervals = ranking.intervals(request.level, request.interval, top=3, **_of_bootstrap(request))
        if not intervals:
            fail(f"none of the best three families has {_article(request.interval)} interval", 2)
    groups = None if request.by is None else _groups(request, source, ranking)
    if not request.quiet:
        print_ranking(ranking, tests, time.perf_counter() - began)
        if intervals:
            print_intervals(ranking, intervals, request.interval or "", request.level)
        if groups is not None:
            print(groups)
    if page is not None:
        from suffice.report import report

        with place(page, "written"):
            report(ranking, page, goodness=tests)
        if not request.quiet:
            print(f"wrote {page}")
    return json_ready({
        "column": ranking.name,
        "criterion": ranking.criterion,
        "rounding": ranking.rounding,
        "passes": ranking.passes,
        "summary": {**asdict(ranking.summary), "mean": ranking.summary.mean, "variance": ranking.summary.variance},
        "ranking": ranking.table(),
        "impossible": [asdict(i) for i in ranking.impossible],
        "goodness_of_fit": [asdict(t) for t in tests],
        "intervals": {"method": request.interval, "level": request.level, "families": intervals} if intervals else None,
        "groups": None if groups is None else _told_groups(groups),
    })  # fmt: skip


def _of_bootstrap(request: Request) -> dict[str, Any]:
    return {"rng": request.rng} if request.interval in ("bootstrap", "percentile", "parametric") else {}


def _article(noun: str) -> str:
    return f"an {noun}" if noun == "exact" else f"a {noun}"


def _groups(request: Request, source: Any, ranking: Any) -> Any:
    """The best family fitted to each group of rows."""
    from suffice.inference.groups import fit_groups, split_source
    from suffice.streams.labels import labels

    by = labels(request.file, request.by)  # type: ignore[arg-type]
    return fit_groups(ranking.best.family, ranking.observations, split_source(source, by))


def _told_groups(groups: Any) -> dict[str, Any]:
    return {
        "family": groups.pooled.family.name,
        "groups": {
            str(label): {"count": float(f.count), "parameters": f.parameters, "standard_errors": f.standard_errors}
            for label, f in zip(groups.labels, groups.fits, strict=True)
        },
        "likelihood_ratio": asdict(groups.test) if groups.has_test else None,
    }
