"""``suffice regress``: columns of a file in, weights with their errors out; read in chunks, so of any size."""

import math
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
    prior: str
    weights: str | None
    intercept: bool
    rank_deficient: str
    level: float
    missing: str
    json_out: Path | None
    report_out: Path | None
    quiet: bool


def run(request: Request) -> None:
    """Fit, print, and write what was asked for."""
    from suffice.runtime.errors import DataError

    if not 0.0 < request.level < 1.0:
        fail(f"--level must be between 0 and 1, got {request.level:g}", 2)
    check_places([request.file], [request.json_out, request.report_out])
    penalty = _penalty(request.prior)
    try:
        fit, result = _fitted(request, penalty)
    except DataError as error:
        fail(str(error), 1)
    except ValueError as error:
        fail(str(error), 2)
    if not request.quiet:
        _print(request, result)
    if request.json_out is not None:
        with place(request.json_out, "written"):
            write_json(request.json_out, json_ready({"file": str(request.file), **result}))
    if request.report_out is not None:
        from suffice.report import report

        with place(request.report_out, "written"):
            report(fit, request.report_out)
        if not request.quiet:
            print(f"wrote {request.report_out}")


def _penalty(prior: str) -> float | None:
    """The penalty of ``ridge:1e-2``; None where the prior is another."""
    kind, _, text = prior.partition(":")
    if prior in ("none", "evidence"):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if kind != "ridge" or not 0.0 < value < math.inf:
        fail(f"--prior must be none, evidence or ridge:PENALTY with a penalty > 0, got {prior!r}", 2)
    return value


def _fitted(request: Request, penalty: float | None) -> tuple[Any, dict[str, Any]]:
    """The fit, and as plain values."""
    import suffice as sf
    from suffice.models.bases import spelled
    from suffice.streams import scan_table

    basis = spelled.basis(request.basis)
    columns = (*request.inputs, request.target) if request.inputs else None
    with place(request.file, "read"):
        rows = scan_table(
            request.file,
            columns,
            categories=basis.labels(),
            weights=request.weights,
            missing=request.missing,  # type: ignore[arg-type]
        )
        if request.prior == "evidence":
            found = sf.evidence_fit(basis, rows, request.target, intercept=request.intercept)
            return found, {**_posterior(found.posterior, request), **_evidence(found)}
        if penalty is not None:
            model = sf.BayesianLinearModel(basis, request.intercept, weights=penalty)
            fit = model.fit(rows, request.target)
            return fit, _posterior(fit, request)
        model = sf.LinearBasisModel(basis, request.intercept)
        fit = model.fit(rows, request.target, rank_deficient=request.rank_deficient)  # type: ignore[arg-type]
        return fit, _least_squares(fit, request)


def _least_squares(fit: Any, request: Request) -> dict[str, Any]:
    return {
        "target": request.target, "basis": request.basis, "prior": "none", "count": fit.count, "level": request.level,
        "weights": [{k: _plain(v) for k, v in row.items() if k != "target"} for row in fit.table(request.level)],
        "residual_deviation": float(fit.residual_deviation), "noise_precision": float(fit.noise_precision),
        "r_squared": float(fit.r_squared), "log_likelihood": float(fit.log_likelihood),
        "aic": float(fit.aic), "bic": float(fit.bic), "rank": fit.rank, "condition_number": fit.condition_number,
        "method": fit.method, "dependencies": [str(d) for d in fit.dependencies],
    }  # fmt: skip


def _posterior(posterior: Any, request: Request) -> dict[str, Any]:
    low, high = posterior.interval(request.level)
    rows = zip(posterior.names, posterior.mean, posterior.standard_deviations, low, high, strict=True)
    return {
        "target": request.target, "basis": request.basis, "prior": request.prior, "count": posterior.count,
        "level": request.level,
        "weights": [
            {"name": n, "estimate": float(m), "standard_error": float(s), "lower": float(a), "upper": float(b)}
            for n, m, s, a, b in rows
        ],
        "log_evidence": posterior.log_evidence,
    }  # fmt: skip


def _evidence(found: Any) -> dict[str, Any]:
    return {
        "alpha": found.alpha, "noise_precision": found.beta, "gamma": found.gamma, "log_evidence": found.log_evidence,
        "converged": found.converged, "message": found.message,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _print(request: Request, result: dict[str, Any]) -> None:
    from suffice.report.tables import counted, number

    out = console()
    prior = "" if result["prior"] == "none" else f", prior {result['prior']}"
    out.print(
        f"{request.file}: {request.target} by {request.basis}, {counted(result['count'], 'observation')}{prior}",
        soft_wrap=True,
    )
    rows = [
        (
            w["name"],
            number(w["estimate"]),
            number(w["standard_error"], 4),
            f"{number(w['lower'])} to {number(w['upper'])}",
        )
        + ((f"{w['p_value']:.3g}",) if "p_value" in w else ())
        for w in result["weights"]
    ]
    heads = ("Weight", "Estimate", "Standard error", f"{100 * result['level']:g} % interval")
    heads += ("p",) if "p_value" in result["weights"][0] else ()
    out.print(table(heads, rows, words=(0,)))
    if "r_squared" in result:
        out.print(
            f"Residual deviation {number(result['residual_deviation'])}, R² {number(result['r_squared'])}, "
            f"AIC {number(result['aic'])}, rank {result['rank']}, condition number {result['condition_number']:.2g}",
            soft_wrap=True,
        )
        out.print(f"Computed by {result['method']}.", soft_wrap=True)
    for told in result.get("dependencies", ()):
        out.print(f"Dependent: {told}", soft_wrap=True)
    if "alpha" in result:
        out.print(
            f"alpha {number(result['alpha'])}, beta {number(result['noise_precision'])}, effective parameters "
            f"{number(result['gamma'])}",
            soft_wrap=True,
        )
        if result["message"]:
            out.print(f"Not converged: {result['message']}.", soft_wrap=True)
    if result.get("log_evidence") is not None:
        out.print(f"Log evidence {number(result['log_evidence'], 10)}")
