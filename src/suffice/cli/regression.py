"""A fitted regression as plain values, and as lines beside its table of weights."""

from typing import Any

from suffice.models.regression.bayesian.evidence import EvidenceFit
from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.iterated.likelihood_fit import LikelihoodFit
from suffice.models.regression.linear.fit import LinearFit
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report.tables import listed, with_error


def plain(fit: Any, level: float) -> dict[str, Any]:
    """What is written: weights with their errors, criteria, and whether a search came to its end."""
    rows = [{k: v if isinstance(v, str) else float(v) for k, v in r.items() if k != "target"} for r in fit.table(level)]
    told: dict[str, Any] = {"count": fit.count, "weights": rows}
    names: tuple[str, ...] = ()
    if isinstance(fit, LinearFit):
        names = ("residual_deviation", "noise_precision", "r_squared", "log_likelihood", "aic", "bic")
        told |= {"rank": fit.rank, "condition_number": fit.condition_number, "method": fit.method}
        told["dependencies"] = [str(d) for d in fit.dependencies]
    elif isinstance(fit, LikelihoodFit):
        names = ("log_likelihood", "aic", "bic")
        told |= {"iterations": fit.iterations, "converged": fit.converged, "message": fit.message}
    else:
        told["log_evidence"] = fit.log_evidence
    if isinstance(fit, GeneralizedLinearFit):
        names += ("deviance", "residual_degrees_of_freedom", "dispersion")
        told["link"] = fit.link.name
    if isinstance(fit, NoiseFit):
        columns = (c.tolist() for c in (fit.noise_parameters, fit.noise_errors))
        noise = zip(fit.noise_names, *columns, strict=True)
        told["noise_parameters"] = [{"name": n, "estimate": v, "standard_error": e} for n, v, e in noise]
    if isinstance(fit, ChoiceFit):
        told["classes"] = list(fit.classes)
    if isinstance(fit, EvidenceFit):
        told |= {"alpha": fit.alpha, "noise_precision": fit.beta, "gamma": fit.gamma}
        told |= {"converged": fit.converged, "message": fit.message}
    return told | {name: float(getattr(fit, name)) for name in names}


def lines(fit: Any) -> list[str]:
    """What a reader must know beside the weights."""
    told = []
    if isinstance(fit, LinearFit):
        told += [f"Computed by {fit.method}.", *(f"Dependent: {d}" for d in fit.dependencies)]
    if isinstance(fit, NoiseFit):
        noise = zip(fit.noise_names, fit.noise_parameters, fit.noise_errors, strict=True)
        told.append(f"Noise: {listed([f'{n} {with_error(float(v), float(e))}' for n, v, e in noise])}.")
    if isinstance(fit, LikelihoodFit | EvidenceFit) and not fit.converged:
        told.append(f"Not converged: {fit.message}.")
    return told
