"""Which family? Every candidate fitted by maximum likelihood and ordered by an information criterion."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from suffice.distributions.catalogue import CATALOGUE
from suffice.distributions.family import Family, as_family
from suffice.inference.censored import Censored
from suffice.inference.estimate import fit_families
from suffice.inference.intervals import confidence
from suffice.inference.observations import Observations, tabulated
from suffice.inference.observe import observe
from suffice.inference.result import Fit
from suffice.inference.search import share
from suffice.inference.testing.distances import Statistic
from suffice.inference.testing.goodness import GoodnessOfFit, goodness_of_fit
from suffice.numerics.newton import EXHAUSTED, STALLED
from suffice.runtime.errors import DataError
from suffice.streams import Summary

Criterion = Literal["aic", "aicc", "bic"]
Kind = Literal["auto", "continuous", "discrete"]


@dataclass(frozen=True)
class Candidate:
    """A family's place in a ranking."""

    fit: Fit
    score: float
    difference: float
    weight: float

    @property
    def name(self) -> str:
        """Name of the family."""
        return self.fit.family.name


@dataclass(frozen=True)
class Impossible:
    """A family that the data rule out, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Families in the order of an information criterion, best first.

    Attributes:
        candidates: fitted families with score, difference to the best and Akaike weight exp(−difference/2), scaled to
            sum to 1.
        impossible: families that the data rule out or that could not be fitted, with the reason.
        criterion: "aic", "aicc" or "bic".
        rounding: whether continuous families were scored by the probability of x ± ½, as integers call for.
        passes: how many times the data were read.
        name: of the column.
        summary: count, mean and so on of the data.
    """

    candidates: tuple[Candidate, ...]
    impossible: tuple[Impossible, ...]
    criterion: Criterion
    rounding: bool
    passes: int
    name: str
    origin: str
    summary: Summary
    observations: Observations = field(repr=False)

    @property
    def best(self) -> Fit:
        """The fit of the first family; raises DataError where none could be fitted."""
        if not self.candidates:
            told = "; ".join(f"{i.name}: {i.reason}" for i in self.impossible)
            raise DataError(f"no family could be fitted to {self.name}: {told}")
        return self.candidates[0].fit

    def goodness_of_fit(
        self, top: int = 3, replicates: int = 999, rng: Any = 0, statistic: Statistic | None = None
    ) -> tuple[GoodnessOfFit, ...]:
        """Test the first ``top`` families by parametric bootstrap with refitting.

        Args:
            top: how many families to test.
            replicates: bootstrap samples; the smallest possible p-value is 1 / (replicates + 1).
            rng: int, NumPy generator or JAX key.
            statistic: as of ``sf.goodness_of_fit``.
        """
        return tuple(
            goodness_of_fit(c.fit, self.data_for(c.fit), statistic, replicates=replicates, rng=rng)
            for c in self.candidates[:top]
        )

    def intervals(
        self, level: float = 0.95, method: str = "profile", top: int | None = None, **options: Any
    ) -> dict[str, dict[str, tuple[float, float]]]:
        """Confidence intervals of the first families, by name: see ``Fit.interval``.

        Args:
            level, method, options: as there.
            top: how many families; all if left out. Families without such an interval are left out.
        """
        confidence.check(method, level)
        found = {}
        for c in self.candidates[:top]:
            with suppress(ValueError):
                found[c.name] = c.fit.interval(level, method, **options)  # type: ignore[arg-type]
        return found

    def data_for(self, fit: Fit) -> Observations:
        """The observations as a family saw them: intervals for continuous families of integers."""
        return _as_seen(self.observations, fit.family.member.discrete, self.rounding)

    def table(self) -> list[dict[str, Any]]:
        """The ranking as rows of plain values."""
        return [
            {
                "rank": place,
                "family": c.name,
                "parameters": c.fit.parameters,
                "standard_errors": c.fit.standard_errors,
                "log_likelihood": float(c.fit.log_likelihood),
                "aic": c.fit.aic,
                "aicc": c.fit.aicc,
                "bic": c.fit.bic,
                "difference": c.difference,
                "weight": c.weight,
                "converged": c.fit.converged,
                "regular": c.fit.regular,
                "message": c.fit.message,
            }
            for place, c in enumerate(self.candidates, start=1)
        ]

    def __repr__(self) -> str:
        lines = [f"Ranking of {self.name} (n = {self.summary.count:,.10g}) by {self.criterion}"]
        for c in self.candidates:
            told = ", ".join(
                f"{name} = {value:.5g} ± {c.fit.standard_errors[name]:.2g}" for name, value in c.fit.parameters.items()
            )
            lines.append(f"  {c.name:<18} {c.score:12.2f}  +{c.difference:<9.2f} {c.weight:6.3f}  {told}")
        lines += [f"  {i.name:<18} impossible: {i.reason}" for i in self.impossible]
        return "\n".join(lines)


def rank(
    data: Any,
    families: Sequence[Any] | None = None,
    criterion: Criterion = "aic",
    *,
    weights: Any = None,
    kind: Kind = "auto",
    missing: str = "error",
    progress: Any = None,
) -> Ranking:
    """Fit many families and order them by an information criterion, best first.

    Args:
        data: as for ``fit``.
        families: classes or ``sf.family(...)``; by default the nineteen common ones of the catalogue.
        criterion: "aic" 2k − 2l, "aicc" with its small-sample correction, or "bic" k log n − 2l.
        weights: frequencies of shape (n,).
        kind: "continuous" scores densities of continuous families, "discrete" tries discrete families only. "auto": values that are not all
            integers mean continuous families; integers mean both kinds in one ranking, the continuous ones fitted
            and scored by the probability of the rounding interval x ± ½, which makes their likelihoods comparable.
            Censored and truncated data are tried with continuous families.
        missing: "error" or "drop".

    Returns:
        A ``Ranking``.

    Raises:
        DataError: flawed data. ValueError: an unknown criterion or kind.

    Example:
        >>> import suffice as sf
        >>> sf.rank([0.2, 0.9, 1.7, 3.1, 4.4], [sf.Exponential, sf.Normal]).best.family.name
        'Exponential'
    """
    if criterion not in ("aic", "aicc", "bic"):
        raise ValueError(f'criterion must be "aic", "aicc" or "bic", got {criterion!r}')
    if kind not in ("auto", "continuous", "discrete"):
        raise ValueError(f'kind must be "auto", "continuous" or "discrete", got {kind!r}')
    if families is not None and not isinstance(families, type | Family) and len(families) == 0:
        raise ValueError("families must name at least one family, got none")
    if isinstance(families, type | Family):
        raise TypeError(f"families must be a list of families, got {families!r}; sf.fit fits a single one")
    observations = observe(data, weights, missing, progress)
    known = not isinstance(observations, Censored)  # of ends of intervals nobody knows whether they were rounded
    integers = known and observations.survey.summary.all_integer and kind != "continuous"
    if families is None:
        wanted = {"auto": (False, True) if integers else (False,), "continuous": (False,), "discrete": (True,)}[kind]
        families = [entry.kind for entry in CATALOGUE if entry.ranked and entry.kind.discrete in wanted]
    targets = list({f.name: f for f in map(as_family, families)}.values())  # each family once
    arrays = [f.name for f in targets if f.member.event_ndim]
    if arrays:
        raise TypeError(f"rank compares distributions of numbers; {arrays[0]} is one of vectors or matrices")
    for f in targets:
        if kind != "auto" and f.member.discrete != (kind == "discrete"):
            raise ValueError(f"kind is {kind!r}, but {f.name} is {'discrete' if f.member.discrete else 'continuous'}")
    observations.look_outside([f.member.sample_space for f in targets])
    continuous = any(not f.member.discrete for f in targets)
    rounding = integers and continuous and tabulated(observations, 1.0) is not None

    fits: dict[int, Any] = {}
    passes = observations.passes

    def fit_those(discrete: bool) -> dict[int, Any]:
        chosen = [i for i, f in enumerate(targets) if f.member.discrete == discrete]
        seen = _as_seen(observations, discrete, rounding)
        return dict(zip(chosen, fit_families([targets[i] for i in chosen], seen), strict=True))

    for found in share(fit_those, (False, True), observations):
        fits |= found
    passes = max(observations.passes, passes)

    reasons = {i: _reason_against(f, criterion) for i, f in sorted(fits.items())}
    lost = [Impossible(targets[i].name, reason) for i, reason in reasons.items() if reason]
    done = sorted((fits[i] for i, reason in reasons.items() if not reason), key=lambda f: getattr(f, criterion))
    scores = np.array([getattr(f, criterion) for f in done])
    differences = scores - scores[0] if len(scores) else scores
    shares = np.exp(-differences / 2.0)
    candidates = tuple(
        Candidate(f, float(s), float(d), float(w))
        for f, s, d, w in zip(done, scores, differences, shares / shares.sum() if len(shares) else shares, strict=True)
    )
    source = observations.source
    summary = observations.survey.summary
    return Ranking(
        candidates, tuple(lost), criterion, rounding, passes, source.name, source.origin, summary, observations
    )


def _reason_against(fit: Fit | DataError, criterion: Criterion) -> str:
    """Why a fit takes no part in the comparison, empty where it does."""
    if isinstance(fit, DataError):
        return str(fit)
    if not np.isfinite(fit.log_likelihood) or fit.result in (STALLED, EXHAUSTED):
        return f"{fit.family.name} could not be fitted: {fit.message}"
    if not np.isfinite(getattr(fit, criterion)):
        return f"{criterion} of {fit.family.name} needs more than {fit.dimension + 1} observations, got {fit.count:g}"
    return ""


def _as_seen(data: Observations, discrete: bool, rounding: bool) -> Observations:
    """Integers as a table, for continuous families with the width of their rounding."""
    seen = tabulated(data, 0.0 if discrete else 1.0) if rounding else None
    return data if seen is None else seen
