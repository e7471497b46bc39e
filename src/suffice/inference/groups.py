"""One family in several groups: a fit for each, some parameters shared perhaps, and whether the groups differ at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference import estimate
from suffice.inference.kinked import has_kink
from suffice.inference.likelihood import reported_jacobian
from suffice.inference.observations import Observations
from suffice.inference.observe import observe
from suffice.inference.result import Fit
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, RUNNING
from suffice.numerics.special.incomplete_gamma import gammaincc
from suffice.runtime.errors import DataError
from suffice.streams import Data, Source, from_array
from suffice.streams.labels import labels


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood-ratio test of a model inside another.

    Attributes:
        statistic: 2 (l₁ − l₀), twice the gain in log-likelihood.
        df: number of parameters more.
        p_value: P(χ² of df > statistic): the chance of such a gain where the smaller model is true, for large samples.
    """

    statistic: float
    df: int
    p_value: float


def likelihood_ratio(smaller: Any, larger: Any) -> LikelihoodRatio:
    """Test a fit against one of a model that contains it: 2 (l₁ − l₀) is χ² of as many df as it has parameters more.

    Args:
        smaller, larger: fits of the same data, as ``sf.fit`` returns them, with or without ``by``.

    Raises:
        ValueError: the larger model has no more parameters, or the fits are of unlike numbers of observations.

    Source: Wilks (1938). Not where the smaller model lies on the boundary of the larger, nor where supports are estimated.

    Example:
        >>> import suffice as sf
        >>> x = [0.8, 1.1, 1.9, 2.3, 2.4, 3.0, 4.1, 5.2]
        >>> test = sf.likelihood_ratio(sf.fit(sf.Exponential, x), sf.fit(sf.Gamma, x))
        >>> round(test.statistic, 3), test.df, round(test.p_value, 3)
        (4.634, 1, 0.031)
    """
    if float(smaller.count) != float(larger.count):
        raise ValueError(f"the fits must be of the same data, got {smaller.count:g} and {larger.count:g} observations")
    for fit in (smaller, larger):
        reason = _reason_against(fit)
        if reason:
            raise ValueError(f"there is no likelihood-ratio test: {reason}")
    df = larger.dimension - smaller.dimension
    if df < 1:
        raise ValueError(
            f"the larger model must have more parameters, got {larger.dimension} against {smaller.dimension}"
        )
    statistic = max(0.0, 2.0 * (float(larger.log_likelihood) - float(smaller.log_likelihood)))
    return LikelihoodRatio(statistic, df, float(gammaincc(df / 2.0, statistic / 2.0)))


def _reason_against(fit: Any) -> str:
    """Why twice a gain in log-likelihood has no chi-square law, empty where it has."""
    for one in getattr(fit, "fits", (fit,)):
        if one.pseudo:
            return "weights that are no frequencies have no likelihood"
        if one.method != "mle":
            return f"a fit is by {one.method}, not by maximum likelihood"
        if not one.regular:
            return f"the support of {one.family.name} is estimated"
    return ""


@dataclass(frozen=True)
class Groups:
    """Fits of one family to groups of the data.

    Attributes:
        labels: of the groups, in order.
        fits: one for each; with shared parameters these are equal in all.
        pooled: the fit of all data together.
        shared: names of the parameters that groups have in common.
    """

    labels: tuple[Any, ...]
    fits: tuple[Fit, ...]
    pooled: Fit
    shared: tuple[str, ...] = ()

    @property
    def log_likelihood(self) -> float:
        """Of all groups together."""
        return float(sum(float(f.log_likelihood) for f in self.fits))

    @property
    def count(self) -> float:
        """Number of observations."""
        return float(self.pooled.count)

    @property
    def dimension(self) -> int:
        """Number of free parameters: the shared once, the others for each group."""
        common = sum(name.split("[")[0] in self.shared for name in self.pooled.parameter_names)
        return len(self.fits) * (self.pooled.dimension - common) + common

    @property
    def aic(self) -> float:
        """Akaike's information criterion of the groups, to be compared with that of ``pooled``."""
        return 2.0 * self.dimension - 2.0 * self.log_likelihood

    @property
    def test(self) -> LikelihoodRatio:
        """Whether the groups differ: likelihood ratio of the groups against ``pooled``."""
        return likelihood_ratio(self.pooled, self)

    @property
    def has_test(self) -> bool:
        """Whether the likelihood ratio tells if the groups differ: not for one group, nor for estimated supports."""
        return self.dimension > self.pooled.dimension and not _reason_against(self)

    def __getitem__(self, label: Any) -> Fit:
        return self.fits[self.labels.index(label)]

    def __repr__(self) -> str:
        lines = [f"{self.pooled.family.name} in {len(self.fits)} groups"]
        if self.shared:
            lines[0] += f", {', '.join(self.shared)} shared"
        for label, f in zip(self.labels, self.fits, strict=True):
            told = ", ".join(f"{n} = {v:.6g} ± {f.standard_errors[n]:.2g}" for n, v in f.parameters.items())
            lines.append(f"  {label!s:<12} n = {float(f.count):<8,.10g} {told}")
        if self.has_test:
            t = self.test
            lines.append(f"  do they differ? likelihood ratio {t.statistic:.4g}, df {t.df}, p = {t.p_value:.3g}")
        return "\n".join(lines)


def fit_groups(
    family: Family, whole: Observations, groups: dict[Any, Observations], shared: Sequence[str] = ()
) -> Groups:
    """Fit a family to each group, and to all; parameters named in ``shared`` are equal in all groups."""
    known = dict.fromkeys(path[-1] for path in family.free)
    for name in shared:
        if name not in known:
            raise ValueError(
                f"share names {name!r}, which {family.name} does not estimate; it estimates {', '.join(known)}"
            )
    pooled = estimate.fit_observations(family, whole)
    fits = []
    for label, data in groups.items():
        try:
            fits.append(estimate.fit_observations(family, data))
        except DataError as error:
            raise DataError(f"group {label!s}: {error}") from None
    if shared:
        fits = _sharing(pooled, fits, tuple(shared))
    return Groups(tuple(groups), tuple(fits), pooled, tuple(shared))


def _sharing(pooled: Fit, fits: list[Fit], shared: tuple[str, ...]) -> list[Fit]:
    """The joint maximum: Newton's method on shared coordinates followed by those of each group."""
    family = pooled.family
    if not all(f.regular for f in fits) or has_kink(family):
        raise ValueError(f"{family.name}: its likelihood is not smooth, so groups share none of its parameters")
    common = _common(family, shared)
    own, d, k = ~common, len(common), int(common.sum())
    size = k + len(fits) * (d - k)
    places = []
    for g in range(len(fits)):
        at = np.zeros(d, int)
        at[common], at[own] = np.arange(k), k + g * (d - k) + np.arange(d - k)
        places.append(at)
    evidences: list[Any] = [f.evidence for f in fits]
    begin = np.zeros(size)
    for f, at in zip(fits, places, strict=True):
        begin[at] = family.vector(f.distribution, np)
    begin[:k] = family.vector(pooled.distribution, np)[common]
    state = newton.start(begin)
    values = np.zeros(len(fits))
    while state.status == RUNNING:
        gradient, hessian = np.zeros(size), np.zeros((size, size))
        for g, (evidence, at) in enumerate(zip(evidences, places, strict=True)):
            ((value, slope, bend),) = evidence.expand([(replace(family, member=fits[g].distribution), state.trial[at])])
            values[g] = value
            gradient[at] += slope
            hessian[np.ix_(at, at)] += bend
        state = newton.update(state, values.sum(), gradient, hessian, float(pooled.count), lambda _: False)
    spread = np.linalg.inv(-np.asarray(state.hessian)) if state.status == CONVERGED else np.full((size, size), np.nan)
    found = []
    for g, at in enumerate(places):
        p = family.build(np.asarray(state.point)[at])
        jacobian = np.asarray(reported_jacobian(family, jnp.asarray(state.point[at])))
        within = jacobian @ spread[np.ix_(at, at)] @ jacobian.T
        joint: Any = (replace(family, member=p), p, within, values[g], fits[g].count, state.status, state.iterations)
        found.append(jax.device_put(Fit(*joint)))
    return found


def _common(family: Family, shared: tuple[str, ...]) -> np.ndarray:
    """Which unconstrained coordinates belong to shared parameters."""
    sizes = [int(np.prod(shape)) for shape in family._shapes()]
    flags = [np.full(size, path[-1] in shared) for path, size in zip(family.free, sizes, strict=True)]
    return np.concatenate(flags)


def split(data: Any, weights: Any, by: Any, missing: Any = "error") -> dict[Any, Observations]:
    """Observations of each group, in the order of their labels: of each row, or a column's name of a file."""
    if isinstance(data, Source):
        if not isinstance(by, str):
            return split_source(data, by)
        if not Path(data.origin).is_file():
            raise TypeError(f"by={by!r} names a column of a file, and {data.label} is none: give a label for each row")
        return split_source(data, labels(data.origin, by))
    return split_source(data.source if isinstance(data, Data) else from_array(data, weights, missing=missing), by)


def split_source(source: Source, by: Any) -> dict[Any, Observations]:
    """Observations of each group of a source's rows, which are read into memory."""
    codes, told = codes_of(by)
    chunks = list(source.chunks())
    rows = sum(c.rows for c in chunks)
    if rows != len(codes):
        raise DataError(f"by must have as many rows as the data, {rows}, got {len(codes)}")

    def column(pick: Callable[[Any], Any]) -> Any:
        return np.concatenate([pick(c) for c in chunks])

    kept = column(lambda c: c.start + (np.arange(c.rows) if c.index is None else c.index))
    values = column(lambda c: c.values)
    weights = None if chunks[0].weights is None else column(lambda c: c.weights)
    codes = codes[kept]
    found = {}
    for i, label in enumerate(told):
        here = codes == i
        w = None if weights is None else weights[here]
        if here.any():
            found[label] = observe(
                _part(values[here], w) if source.censored else values[here], None if source.censored else w
            )
    return found


def _part(rows: np.ndarray, weights: np.ndarray | None) -> Data:
    left, right, lower, upper = rows.T
    return Data(left=left, right=right, lower=lower, upper=upper, weights=weights)


def _is_label(value: Any) -> bool:
    """Whether a label says anything: None, NaN and what is unlike itself do not."""
    if value is None or value == "":
        return False
    same = value == value  # pandas' NA answers with itself
    return same is True or same is np.True_


def codes_of(by: Any) -> tuple[np.ndarray, list[Any]]:
    """A number for each row, and what the numbers stand for, sorted; a missing label is refused."""
    column = np.asarray(by.to_numpy() if hasattr(by, "to_numpy") else by)
    if column.ndim != 1:
        raise DataError(f"by must be one column of labels, got shape {column.shape}")
    bad = [i for i, v in enumerate(column.tolist()) if not _is_label(v)]
    if bad:
        raise DataError(f"by has {len(bad)} missing labels, the first at row {bad[0] + 1} (counting from 1)")
    told, codes = np.unique(column, return_inverse=True)
    return codes, told.tolist()
