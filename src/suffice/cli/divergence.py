"""``suffice divergence``: two distributions in, how far they are from each other out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import console, json_ready, table, write_json
from suffice.cli.places import check_places, place


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    files: tuple[Path, Path]
    draws: int
    rng: int
    json_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Read both laws, compute, print, and write what was asked for."""
    check_places(request.files, [request.json_out])
    first, second = (_read(path) for path in request.files)
    if first.event_shape != second.event_shape:
        fail(f"the laws have values of different shapes, {first.event_shape} and {second.event_shape}", 1)
    rows = _measured(first, second, request)
    if not request.quiet:
        _print(request, first, second, rows)
    if request.json_out is not None:
        laws = [{"file": str(f), "distribution": repr(p)} for f, p in zip(request.files, (first, second), strict=True)]
        with place(request.json_out, "written"):
            write_json(request.json_out, json_ready({"laws": laws, "divergences": rows}))


def _read(path: Path) -> Any:
    """A law from {"family": name, parameter: value, …}, or the best one of what ``suffice fit --json`` wrote."""
    try:
        with place(path, "read"):
            content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        fail(f"{path} is no JSON: {error}", 1)
    return _law(path, *_named(path, content))


def _named(path: Path, content: Any) -> tuple[str, dict[str, Any]]:
    """Name of the family and its parameters."""
    if isinstance(content, dict) and "columns" in content:
        columns = content["columns"]
        if not isinstance(columns, list) or len(columns) != 1 or not isinstance(columns[0], dict):
            fail(f"{path} must hold one fitted column", 1)
        if not columns[0].get("ranking"):
            fail(f"{path} must hold a fitted column with a ranking", 1)
        best = columns[0]["ranking"][0]
        return best["family"], dict(best["parameters"])
    given = content.get("parameters", {}) if isinstance(content, dict) else None
    if not isinstance(given, dict) or not isinstance(content.get("family"), str):
        fail(f'{path} must hold a law such as {{"family": "Normal", "loc": 0, "scale": 1}}', 1)
    named = {k: v for k, v in content.items() if k not in ("family", "parameters")}
    return content["family"], {**given, **named}


def _law(path: Path, name: str, parameters: dict[str, Any]) -> Any:
    from suffice.distributions.catalogue import find
    from suffice.distributions.spelled import built

    try:
        law = built(find(name), **parameters)
    except (ValueError, TypeError) as error:
        fail(f"{path}: {error}", 1)
    if law.batch_shape:
        fail(f"{path} must hold a single law, got a batch of shape {law.batch_shape}", 1)
    return law


def _measured(p: Any, q: Any, request: Request) -> list[dict[str, Any]]:
    import numpy as np

    import suffice as sf

    drawn: Any = {"draws": request.draws, "rng": request.rng}
    measures = {
        "KL(A ‖ B)": lambda: sf.kl(p, q, **drawn),
        "KL(B ‖ A)": lambda: sf.kl(q, p, **drawn),
        "Jensen–Shannon": lambda: sf.jensen_shannon(p, q, **drawn),
        "Hellinger": lambda: sf.hellinger(p, q, **drawn),
        "total variation": lambda: sf.total_variation(p, q, **drawn),
        "Bhattacharyya": lambda: sf.bhattacharyya(p, q, **drawn),
        "Wasserstein 1": lambda: sf.wasserstein(p, q, 1),
        "Wasserstein 2": lambda: sf.wasserstein(p, q, 2),
        "energy distance": lambda: sf.energy_distance(p, q, **drawn),
    }
    rows = []
    for name, measure in measures.items():
        row: dict[str, Any] = {"name": name, "value": None, "error": None, "how": None, "infinite": False}
        try:
            found = measure()
        except (ValueError, NotImplementedError) as error:
            rows.append({**row, "how": f"not computed: {error}"})
            continue
        value, error = float(found), float(np.asarray(found.standard_error))
        rows.append({**row, "value": value, "error": error, "how": found.how, "infinite": bool(np.isinf(value))})
    return rows


def _print(request: Request, first: Any, second: Any, rows: list[dict[str, Any]]) -> None:
    out = console()
    for label, path, law in zip("AB", request.files, (first, second), strict=True):
        out.print(f"{label}: {path}: {law!r}", soft_wrap=True)
    told = [
        (
            row["name"],
            "" if row["value"] is None else f"{row['value']:.8g}",
            f"{row['error']:.1e}" if row["error"] else "",
            row["how"].partition(",")[0] if row["value"] is None else row["how"],
        )
        for row in rows
    ]
    out.print(table(("Divergence", "Value", "Error", "How"), told, words=(0, 3)))
