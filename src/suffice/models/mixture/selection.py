"""How many components, and of what structure: criteria side by side, held-out rows, and a test of one more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from suffice.inference.testing.replicates import generator
from suffice.models.mixture.columns import asked_for, taken
from suffice.models.mixture.fit import fit_mixture
from suffice.models.mixture.kinds import has_structure
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.rows import MixtureRows, rows_of
from suffice.models.mixture.structures import structure
from suffice.runtime.errors import DataError
from suffice.runtime.rng import as_key

Criterion = Literal["bic", "icl", "aic", "cv"]
_ROUGH = 1e-4  # distance from the maximum that a criterion does not see
AUTO = ("EII", "VII", "EEI", "VVI", "EEE", "VVV")


@dataclass(frozen=True)
class MixtureSelection:
    """Mixtures of several sizes and structures, compared.

    Attributes:
        criterion: "bic", "icl", "aic" or "cv"; of the last −2 n times the mean held-out log-density. Small is good.
        table: a row for each, best first: components, covariance, dimension, log_likelihood, bic, icl, aic, and with "cv"
            score and its standard_error; converged, also to the limit of a family, and why a fit was impossible.
        best: the fit that is chosen, climbed to the end.
    """

    criterion: str
    table: list[dict[str, Any]]
    best: MixtureFit

    def __repr__(self) -> str:
        head = self.table[0]
        return f"MixtureSelection({head['components']} components, {head['covariance']}: {self.criterion} = {head[self.criterion]:.6g})"


def select_mixture(
    target: Any,
    components: Iterable[int],
    data: Any,
    weights: Any = None,
    *,
    covariance: str | Sequence[str] = "full",
    criterion: Criterion = "bic",
    folds: int = 5,
    prior: float = 0.0,
    starts: int = 10,
    rng: Any = 0,
    missing: str = "error",
) -> MixtureSelection:
    """Choose the number of components of a mixture, and the structure of its covariances.

    Args:
        target, data, weights, prior, starts, rng, missing: as of ``sf.fit_mixture``.
        components: numbers to try.
        covariance: a structure or several; "auto" for the common ones, of components that have any.
        criterion: "bic" (its penalty finds the order of the density), "icl" (components that stand apart), "aic", or
            "cv" for the log-density of held-out rows.
        folds: of "cv".

    Returns:
        A ``MixtureSelection``. Fits in which a component collapses are put last.

    Raises:
        ValueError: nothing to try, an unknown criterion or structure. DataError: none can be fitted.

    Example:
        >>> import suffice as sf
        >>> x = sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6]).sample(300, rng=1)
        >>> sf.select_mixture(sf.Normal, range(1, 4), x).table[0]["components"]
        2
    """
    sizes = [int(k) for k in components]
    if criterion not in ("bic", "icl", "aic", "cv"):
        raise ValueError(f"criterion must be bic, icl, aic or cv, got {criterion!r}")
    shapes = list(AUTO) if covariance == "auto" else [covariance] if isinstance(covariance, str) else list(covariance)
    if not sizes or not shapes:
        raise ValueError("there must be at least one number of components and one structure to try")
    for shape in shapes:
        structure(shape)  # says which there are
    rows = rows_of(taken(data, asked_for(target)), weights, missing, censored=True)
    kinds = target if isinstance(target, list) else [target]
    if covariance == "auto" and not any(map(has_structure, kinds)):
        shapes = ["full"]
    if rows.look.mean.size == 1:  # where structures differ in whether variances are equal, and in nothing else
        shapes = list({("tied" if s == "tied" or s[0] == "E" else "full"): None for s in shapes})
    how: dict[str, Any] = {"prior": prior, "starts": starts, "rng": rng}
    table, fits = [], {}
    for shape in shapes:
        for k in sizes:
            row: dict[str, Any] = {"components": k, "covariance": shape}
            try:
                fit = fit_mixture(target, k, rows, covariance=shape, tolerance=_ROUGH, max_iterations=1000, **how)
            except DataError as error:
                table.append(row | {"reason": str(error), "converged": False, criterion: np.inf})
                continue
            fits[k, shape] = fit
            row |= {"dimension": fit.dimension, "log_likelihood": fit.log_likelihood, "converged": fit.usable}
            row |= {"bic": fit.bic, "aic": fit.aic, "icl": fit.icl}
            if not fit.converged:
                row["reason"] = fit.message
            if criterion == "cv":
                row |= _held_out(target, k, rows, shape, folds, how)
            table.append(row)
    usable = lambda row: bool(row["converged"]) and np.isfinite(row[criterion])  # noqa: E731
    table.sort(key=lambda row: (not usable(row), row[criterion]))
    first = table[0]
    if "dimension" not in first:
        raise DataError(f"no mixture could be fitted: {first['reason']}")
    rough = fits[first["components"], first["covariance"]]
    best = fit_mixture(
        target, rough.model.count, rows, covariance=first["covariance"], prior=prior, start=rough.distribution
    )
    return MixtureSelection(criterion, table, replace(best, starts=rough.starts))


def _held_out(target: Any, k: int, rows: MixtureRows, shape: str, folds: int, how: dict[str, Any]) -> dict[str, float]:
    """Log-density of rows under fits to the other folds."""
    if not rows.in_memory:
        raise ValueError("criterion='cv' needs the data in memory")
    n = len(rows.x)
    if not 2 <= folds <= n:
        raise ValueError(f"folds must be from 2 to the number of rows, {n}, got {folds}")
    fold = generator(as_key(how["rng"])).permutation(n) % folds
    w = np.ones(n) if rows.w is None else rows.w
    scores = np.zeros(n)
    for f in range(folds):
        kept = fold != f
        try:
            fit = fit_mixture(target, k, rows.part(rows.x[kept], w[kept]), covariance=shape, tolerance=_ROUGH, **how)
            scores[~kept] = fit._posterior(rows.x[~kept])[1]
        except DataError:
            scores[~kept] = -np.inf
    total = float(w.sum())
    mean = float(w @ scores) / total
    spread = float(np.sqrt(w @ (scores - mean) ** 2 / total)) / np.sqrt(total) if np.isfinite(mean) else np.nan
    return {"cv": -2.0 * total * mean, "score": mean, "standard_error": spread}


@dataclass(frozen=True)
class OneMoreTest:
    """A test of K components against K + 1.

    Attributes:
        statistic: 2 (l_{K+1} − l_K).
        p_value: share of samples drawn from the smaller fit in which it was as large, itself counted.
        replicates: the statistic of each, NaN where a fit failed.
        smaller, larger: the fits.
    """

    statistic: float
    p_value: float
    replicates: np.ndarray
    smaller: MixtureFit
    larger: MixtureFit

    def __repr__(self) -> str:
        k = self.smaller.model.count
        return f"OneMoreTest({k} against {k + 1} components: 2 Δl = {self.statistic:.4g}, p = {self.p_value:.3g})"


def one_more_component(
    target: Any,
    components: int,
    data: Any,
    weights: Any = None,
    *,
    covariance: str = "full",
    prior: float = 0.0,
    replicates: int = 99,
    starts: int = 10,
    rng: Any = 0,
    missing: str = "error",
) -> OneMoreTest:
    """Test K components against K + 1 by the likelihood ratio, its law from a parametric bootstrap (McLachlan 1987).

    The usual chi-squared law does not hold: under K components the parameters of one more are not determined.

    Args:
        target, data, weights, covariance, prior, missing: as of ``sf.fit_mixture``.
        components: K.
        replicates: samples drawn from the smaller fit, of as many values as the weights add up to.
        starts: of each fit.
        rng: int, ``numpy.random.Generator`` or JAX key.

    Raises:
        DataError: as of ``sf.fit_mixture``; censored values, of which no such samples can be drawn.
        ValueError: no replicate, data that are not in memory.

    Example:
        >>> import suffice as sf
        >>> x = sf.Normal(0.0, 1.0).sample(80, rng=3)
        >>> sf.one_more_component(sf.Normal, 1, x, replicates=4, starts=2, prior=1.0).p_value > 0.1
        True
    """
    if replicates < 1:
        raise ValueError(f"replicates must be >= 1, got {replicates}")
    rows = rows_of(taken(data, asked_for(target)), weights, missing, censored=True)
    if rows.censored:
        raise DataError(
            "the test draws samples from the smaller fit, and which of their values would have been censored is not known: "
            "sf.select_mixture compares numbers of components of censored values"
        )
    if not rows.in_memory:
        raise ValueError("the test needs the data in memory")
    size = round(rows.look.count)
    draw = generator(as_key(rng))
    how: dict[str, Any] = {"covariance": covariance, "prior": prior, "starts": starts, "rng": 0}

    def fits(x: Any, tolerance: float) -> tuple[MixtureFit, MixtureFit]:
        return (
            fit_mixture(target, components, x, tolerance=tolerance, **how),
            fit_mixture(target, components + 1, x, tolerance=tolerance, **how),
        )

    def ratio(pair: tuple[MixtureFit, MixtureFit]) -> float:
        return 2.0 * (pair[1].log_likelihood - pair[0].log_likelihood)

    pair = fits(rows, 1e-8)
    statistic, found = ratio(pair), []
    for _ in range(replicates):
        x = np.asarray(pair[0].distribution.sample(size, rng=int(draw.integers(2**62))), float)
        try:
            found.append(ratio(fits(x, _ROUGH)))
        except DataError:
            found.append(np.nan)
    values = np.array(found)
    p = (1.0 + np.sum(values >= statistic)) / (1.0 + np.isfinite(values).sum())
    return OneMoreTest(statistic, float(p), values, *pair)
