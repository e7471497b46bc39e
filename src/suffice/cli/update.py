"""``suffice update``: a prior and a file in, a posterior out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import json_ready, write_json
from suffice.cli.places import check_places, place


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    file: Path
    prior: str
    likelihood: str
    column: str | None
    weights: str | None
    level: float
    missing: str
    json_out: Path | None
    report_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Update, print, and write what was asked for."""
    from suffice.runtime.errors import DataError

    if not 0.0 < request.level < 1.0:
        fail(f"--level must be between 0 and 1, got {request.level:g}", 2)
    given = [Path(request.prior)] if os.path.isfile(request.prior) else []
    check_places([request.file, *given], [request.json_out, request.report_out])
    prior, family = _read(request)
    try:
        posterior = _updated(request, prior, family)
    except DataError as error:
        fail(str(error), 1)
    except ValueError as error:
        fail(str(error), 2)
    result = told(posterior, request.level)
    if not request.quiet:
        _print(posterior, result, request.level)
    _write(request, posterior, result)


def _read(request: Request) -> tuple[Any, Any]:
    """Prior and likelihood from their texts."""
    from suffice.distributions import spelled

    text = request.prior
    try:
        if os.path.isfile(text):
            text = Path(text).read_text(encoding="utf-8")
        word = text.strip()
        prior = word.lower() if word.isidentifier() else spelled.distribution(word)
        return prior, spelled.family_of(request.likelihood)
    except (ValueError, OSError) as error:
        fail(str(error), 2)


def _updated(request: Request, prior: Any, family: Any) -> Any:
    from suffice.inference.conjugate.update import update
    from suffice.streams import scan

    with place(request.file, "read"):
        source = scan(request.file, request.column, weights=request.weights, missing=request.missing)  # type: ignore[arg-type]
        if family.member.event_ndim:
            fail(f"{family.name} is a distribution of vectors or matrices, a column holds numbers", 2)
        return update(prior, family, source)


def told(posterior: Any, level: float) -> dict[str, Any]:
    """A posterior as plain values."""
    import numpy as np

    from suffice.inference.conjugate.credible import interval

    def plain(p: Any) -> dict[str, Any]:
        fields = {name: np.asarray(value).tolist() for name, value in p._fields().items()}
        return {"family": type(p).__name__.lower(), **fields}

    numbers = {}
    for name, p in posterior.marginals.items():
        try:
            highest: Any = interval(p, level, "highest")
        except ValueError:
            highest = None
        numbers[name] = {
            "mean": float(p.mean()),
            "standard_deviation": float(p.stddev()),
            "equal_tailed": interval(p, level),
            "highest_density": highest,
        }
    return json_ready({
        "likelihood": posterior.family.name,
        "parameter": posterior.parameter,
        "prior": plain(posterior.prior),
        "posterior": plain(posterior.distribution),
        "count": float(posterior.count),
        "log_evidence": float(posterior.log_evidence),
        "level": level,
        "parameters": numbers,
        "predictive": _predictive(posterior, level),
    })  # fmt: skip


def _predictive(posterior: Any, level: float) -> dict[str, Any] | None:
    """The next observation: its law where it has a name, and where it will lie."""
    from suffice.inference.conjugate.credible import interval

    try:
        p = posterior.predictive
    except ValueError:
        return None
    law = repr(p) if posterior.predictive_is_exact else "mixture over the parameter, by quadrature"
    return {"distribution": law, "mean": float(p.mean()), "interval": interval(p, level)}


def _print(posterior: Any, result: dict[str, Any], level: float) -> None:
    from suffice.report.tables import counted, number

    print(f"{posterior.parameter} of {posterior.family.name} after {counted(float(posterior.count), 'observation')}:")
    print(f"  {posterior.distribution!r}")
    for name, values in result["parameters"].items():
        low, high = values["equal_tailed"]
        mean = "infinite" if values["mean"] is None else number(values["mean"])
        print(f"  {name}: mean {mean}, {100 * level:g} % between {number(low)} and {number(high)}")
        if values["highest_density"] is not None:
            low, high = values["highest_density"]
            print(f"    highest density between {number(low)} and {number(high)}")
    if result["predictive"] is not None:
        low, high = result["predictive"]["interval"]
        print(f"Next observation: {result['predictive']['distribution']}")
        print(f"  {100 * level:g} % between {number(low)} and {number(high)}")
    evidence = result["log_evidence"]
    print("Evidence: none, the prior is improper" if evidence is None else f"Log evidence: {number(evidence, 10)}")


def _write(request: Request, posterior: Any, result: dict[str, Any]) -> None:
    if request.json_out is not None:
        with place(request.json_out, "written"):
            write_json(request.json_out, result)
    if request.report_out is not None:
        from suffice.report.page import posterior_page
        from suffice.runtime.files import write_whole

        with place(request.report_out, "written"):
            write_whole(request.report_out, posterior_page(posterior, request.level))
        if not request.quiet:
            print(f"wrote {request.report_out}")
