"""``suffice sample``: a Python file with a log-density in, draws out."""

import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.cli.app import fail
from suffice.cli.output import json_ready, write_json
from suffice.cli.places import check_places, place

KERNELS = {
    "nuts": "NUTS", "hmc": "HMC", "mala": "MALA", "barker": "Barker", "random-walk": "RandomWalk", "slice": "Slice",
    "adaptive-metropolis": "AdaptiveMetropolis", "hyperrectangle-slice": "HyperrectangleSlice",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    model: str
    kernel: str
    chains: int
    warmup: int
    draws: int
    rng: int
    out: Path | None
    resume: bool
    json_out: Path | None
    report_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Sample, print, and write what was asked for."""
    import suffice as sf

    if request.kernel not in KERNELS:
        fail(f"--kernel must be one of {', '.join(KERNELS)}, got {request.kernel}", 2)
    file, name = _file_and_name(request.model)
    check_places([file], [request.json_out, request.report_out])
    _check_store(request)
    log_density, start, domains = _read(file, name)
    try:
        chains = sf.sample(
            log_density, start, domains, getattr(sf, KERNELS[request.kernel])(), request.chains, request.warmup, request.draws,
            request.rng, checkpoint=request.out, quiet=request.quiet,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        fail(str(error), 1)
    if not request.quiet:
        _print(chains)
    if request.json_out is not None:
        with place(request.json_out, "written"):
            write_json(request.json_out, told(chains))
    if request.report_out is not None:
        with place(request.report_out, "written"):
            sf.report(chains, request.report_out)
        if not request.quiet:
            print(f"wrote {request.report_out}")
    if chains.interrupted:
        again = f", go on with --resume --out {request.out}" if request.out is not None else ""
        fail(f"interrupted after {chains.shape[1]} draws of each chain{again}", 130)


def _file_and_name(model: str) -> tuple[Path, str]:
    path, colon, name = model.rpartition(":")
    if not colon or not name.isidentifier():
        fail(f"the model must be FILE.py:FUNCTION, got {model}", 2)
    if not Path(path).is_file():
        fail(f"{path} is not a file", 2)
    return Path(path), name


def _check_store(request: Request) -> None:
    if request.resume and request.out is None:
        fail("--resume needs --out, the store of the run to go on with", 2)
    if request.out is None:
        return
    if request.resume and not request.out.is_dir():
        fail(f"{request.out} holds no run to go on with", 2)
    if not request.resume and request.out.exists():
        fail(f"{request.out} exists: go on with --resume, or remove it", 2)


def _read(file: Path, name: str) -> tuple[Any, Any, Any]:
    """The function, and what the file says about its points."""
    try:
        found = runpy.run_path(str(file))
    except Exception as error:
        fail(f"{file} cannot be run: {type(error).__name__}: {error}", 1)
    if name not in found:
        known = [key for key, value in found.items() if callable(value) and not key.startswith("_")]
        fail(f"{file} has no {name}; its functions are {', '.join(known) or 'none'}", 2)
    if "domains" not in found and "start" not in found:
        fail(f'{file} must say what a point is: domains = {{"mu": sf.domain.real, …}}, or start = {{…}}', 2)
    return found[name], found.get("start"), found.get("domains")


def told(chains: Any) -> dict[str, Any]:
    """Chains as plain values."""
    return json_ready({
        "chains": chains.shape[0],
        "draws": chains.shape[1],
        "warmup": chains.warmup,
        "kernel": chains.kernel_name,
        "divergences": chains.divergences,
        "doubts": chains.doubts,
        "parameters": chains.summary(),
    })  # fmt: skip


def _print(chains: Any) -> None:
    from suffice.cli.output import console, table
    from suffice.report.draws import answer, rows

    out, shown = console(), rows(chains)
    out.print(table(shown.headers, shown.rows, shown.words))
    for line in answer(chains):
        out.print(line, soft_wrap=True)
