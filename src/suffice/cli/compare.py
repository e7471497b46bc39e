"""``suffice compare``: two files in, tests of whether their columns come from one distribution out."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import console, json_ready, table, write_json
from suffice.cli.places import check_places, place

TESTS = ("kolmogorov-smirnov", "anderson-darling", "cramer-von-mises", "energy")


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    files: tuple[Path, Path]
    column: str | None
    family: str | None
    missing: str
    replicates: int
    rng: int
    json_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Test, print, and write what was asked for."""
    from suffice.runtime.errors import DataError

    family = _family(request)
    check_places(request.files, [request.json_out])
    try:
        samples = [_sample(request, path) for path in request.files]
        result = _compared(request, samples, family)
    except DataError as error:
        fail(str(error), 1)
    if not request.quiet:
        _print(result)
    if request.json_out is not None:
        with place(request.json_out, "written"):
            write_json(request.json_out, json_ready(result))


def _family(request: Request) -> Any:
    if request.family is None:
        return None
    from suffice.distributions.catalogue import find
    from suffice.distributions.family import as_family

    try:
        family = as_family(find(request.family))
    except ValueError as error:
        fail(str(error), 2)
    if family.member.event_ndim:
        fail(f"{family.name} is a distribution of vectors or matrices, a column holds numbers", 2)
    return family


def _sample(request: Request, path: Path) -> tuple[Any, Any]:
    """The values of a file's column, and their summary."""
    import numpy as np

    from suffice.inference.observe import observe
    from suffice.runtime.errors import DataError
    from suffice.streams import scan

    with place(path, "read"):
        source = scan(path, request.column, missing=request.missing)  # type: ignore[arg-type]
        data = observe(source)
        summary = data.survey.summary
        values = getattr(data, "values", None)
    if values is None:
        raise DataError(f"{source.label} is too long to be compared in memory: {summary.count:,.10g} rows")
    return np.asarray(values, float), summary


def _compared(request: Request, samples: list[tuple[Any, Any]], family: Any) -> dict[str, Any]:
    import numpy as np

    from suffice.inference.testing.two_sample import two_sample

    (x, first), (y, second) = samples
    tests = [two_sample(x, y, name, replicates=request.replicates, rng=request.rng) for name in TESTS]  # type: ignore[arg-type]
    result: dict[str, Any] = {
        "samples": [
            {"file": str(path), "count": s.count, "mean": s.mean, "variance": s.variance, "minimum": s.minimum,
             "maximum": s.maximum, "missing": s.missing}
            for path, s in zip(request.files, (first, second), strict=True)
        ],
        "tests": [asdict(t) for t in tests],
    }  # fmt: skip
    if family is not None:
        from suffice.inference.fit import fit

        groups = fit(family, np.concatenate([x, y]), by=np.repeat(["A", "B"], [len(x), len(y)]))
        ratio = asdict(groups.test) if groups.pooled.regular else None
        fits = [
            {"parameters": f.parameters, "standard_errors": f.standard_errors} for f in (*groups.fits, groups.pooled)
        ]
        result["family"] = {
            "name": family.name,
            "fits": dict(zip(("A", "B", "both"), fits, strict=True)),
            "test": ratio,
        }
    return result


def _print(result: dict[str, Any]) -> None:
    from suffice.report.tables import counted, number, with_error

    out = console()
    for label, s in zip("AB", result["samples"], strict=True):
        span = f"from {number(s['minimum'])} to {number(s['maximum'])}"
        moments = f"mean {number(s['mean'])}, standard deviation {number(s['variance'] ** 0.5)}"
        out.print(f"{label}: {s['file']}: {counted(s['count'], 'observation')} {span}, {moments}", soft_wrap=True)
    rows = [(t["test"], number(t["statistic"], 5), f"{t['p_value']:.3g}", _how(t)) for t in result["tests"]]
    out.print(table(("Same distribution?", "Statistic", "p", "How"), rows, words=(0, 3)))
    if "family" in result:
        family = result["family"]
        names = list(family["fits"]["both"]["parameters"])
        rows = [
            (label, *(with_error(f["parameters"][name], f["standard_errors"][name]) for name in names))
            for label, f in family["fits"].items()
        ]
        out.print(table((family["name"], *names), rows, words=(0,)))
        test = family["test"]
        if test is None:
            told = "No likelihood-ratio test: the support is estimated."
        else:
            told = (
                f"Same parameters? Likelihood ratio {number(test['statistic'], 5)}, "
                f"{test['df']} df, p = {test['p_value']:.3g}."
            )
        out.print(told, soft_wrap=True)


def _how(test: dict[str, Any]) -> str:
    return f"{test['replicates']:,} permutations" if test["method"] == "permutation" else test["method"]
