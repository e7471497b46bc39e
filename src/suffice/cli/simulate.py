"""``suffice simulate``: a distribution in, what its estimates and intervals do on average out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import console, json_ready, table, write_json
from suffice.cli.places import check_places, place


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    family: str
    parameters: tuple[str, ...]
    sizes: str
    replicates: int
    intervals: tuple[str, ...]
    level: float
    hold: tuple[str, ...]
    rng: int
    json_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Simulate, print, and write what was asked for."""
    sizes = _sizes(request.sizes)
    if not 0.0 < request.level < 1.0:
        fail(f"--level must be between 0 and 1, got {request.level:g}", 2)
    check_places([], [request.json_out])
    family, truth = _truth(request)
    from suffice.inference.simulate import simulate

    try:
        study = simulate(
            family, truth, sizes=sizes, replicates=request.replicates, rng=request.rng, intervals=request.intervals,
            level=request.level,
        )  # fmt: skip
    except (ValueError, TypeError, NotImplementedError) as error:
        fail(str(error), 2)
    if not request.quiet:
        _print(study, repr(truth))
    if request.json_out is not None:
        told = {"truth": dict(zip(study.names, study.truth.tolist(), strict=True)), "replicates": request.replicates}
        content = {"family": family.name, **told, "estimates": study.table, "coverage": study.coverage}
        with place(request.json_out, "written"):
            write_json(request.json_out, json_ready(content))


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        fail(f"--sizes must be whole numbers separated by commas, got {text!r}", 2)
    if min(sizes) < 1:
        fail(f"--sizes must be at least 1, got {min(sizes)}", 2)
    return sizes


def _truth(request: Request) -> tuple[Any, Any]:
    """The family whose parameters are estimated, and the distribution that samples come from."""
    from suffice.distributions.catalogue import find
    from suffice.distributions.family import family
    from suffice.distributions.spelled import built

    values = dict(_value(text) for text in request.parameters)
    try:
        kind: Any = find(request.family)
        truth = built(kind, **values)
        known = {*kind.held, *request.hold}
        for name in request.hold:
            if name not in values:
                fail(f"--hold {name}: the value of {name} is not given", 2)
        return family(kind, **{name: values[name] for name in values if name in known}), truth
    except (ValueError, TypeError) as error:
        fail(str(error), 2)


def _value(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        fail(f"parameters are written NAME=NUMBER, got {text!r}", 2)


def _print(study: Any, truth: str) -> None:
    from suffice.report.tables import number, with_error

    out = console()
    out.print(f"{study.estimates.shape[1]:,} samples of each size from {truth}", soft_wrap=True)
    rows = [
        (f"{r['size']:,}", r["estimate"], with_error(r["bias"], r["bias_error"]),
         with_error(r["variance"], r["variance_error"]), with_error(r["mse"], r["mse_error"]))
        for r in study.table
    ]  # fmt: skip
    out.print(table(("n", "Estimate", "Bias", "Variance", "Mean squared error"), rows, words=(1,)))
    if not study.ends:
        return
    rows = [
        (f"{r['size']:,}", r["estimate"], r["method"], f"{r['coverage']:.4f}{' ' if r['within'] else '*'}",
         number(r["width"], 4), f"{r['none']:.4f}")
        for r in study.coverage
    ]  # fmt: skip
    out.print(table(("n", "Estimate", "Interval", "Coverage ", "Median width", "None found"), rows, words=(1, 2)))
    error = study.coverage[0]["error"]
    out.print(f"* not within {study.level:g} ± 2.58 standard errors, of {error:.2g} each", soft_wrap=True)
