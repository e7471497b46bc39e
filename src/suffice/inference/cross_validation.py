"""Which family foresees new data best? Held-out log scores by cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.distributions.family import Family, as_family
from suffice.inference.arrays import fit_rows
from suffice.inference.compare import log_likelihood_of
from suffice.inference.estimate import fit_families
from suffice.inference.observations import Memory, Observations, tabulated
from suffice.inference.observe import observe
from suffice.inference.result import Fit
from suffice.inference.testing.replicates import generator
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True)
class CrossValidation:
    """Log densities of observations under families fitted without them.

    Attributes:
        names: of the families.
        scores: log p(x_i) under the fit to the other folds, (families, n); −inf where that fit rules x_i out.
        folds: number of folds.
        impossible: families that could not be fitted to some fold, with the reason.
    """

    names: tuple[str, ...]
    scores: np.ndarray
    folds: int
    impossible: dict[str, str]

    @property
    def means(self) -> dict[str, float]:
        """Mean held-out log score of each family, in nats for an observation."""
        return {name: float(s.mean()) for name, s in zip(self.names, self.scores, strict=True)}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each mean, the standard deviation of the scores over √n; NaN where a score is −inf."""
        return {name: _error(s) for name, s in zip(self.names, self.scores, strict=True)}

    @property
    def best(self) -> str:
        """Name of the family with the highest mean."""
        return self.table()[0]["family"]

    def table(self) -> list[dict[str, Any]]:
        """A row for each family, best first.

        ``score`` is the mean with its ``standard_error``, ``difference`` that to the best family, by pairs of scores of
        the same observation, with ``difference_error``.
        """
        if not self.names:
            raise DataError(f"no family could be fitted: {'; '.join(f'{k}: {v}' for k, v in self.impossible.items())}")
        order = np.argsort(-self.scores.mean(1), kind="stable")
        rows = []
        for i in order:
            with np.errstate(invalid="ignore"):
                apart = self.scores[i] - self.scores[order[0]]
            rows.append({
                "family": self.names[i],
                "score": float(self.scores[i].mean()),
                "standard_error": _error(self.scores[i]),
                "difference": float(apart.mean()),
                "difference_error": _error(apart),
            })  # fmt: skip
        return rows

    def __repr__(self) -> str:
        lines = [f"Held-out log scores of {self.scores.shape[1]:,} observations, {self.folds} folds"]
        if self.names:
            lines += [
                f"  {r['family']:<18} {r['score']:>10.4f} ± {r['standard_error']:<8.2g} "
                f"{r['difference']:>10.4f} ± {r['difference_error']:.2g}"
                for r in self.table()
            ]
        return "\n".join(lines + [f"  {name:<18} impossible: {why}" for name, why in self.impossible.items()])


def _error(values: np.ndarray) -> float:
    finite = len(values) > 1 and np.all(np.isfinite(values))
    return float(values.std(ddof=1) / np.sqrt(len(values))) if finite else np.nan


def cross_validate(families: Any, x: Any, folds: int = 10, rng: RNG = 0) -> CrossValidation:
    """Mean log density of held-out data: (1/n) Σ log p(x_i | fit to the folds without i).

    Args:
        families: a class or ``sf.family(...)``, or several of them, which are compared on the same folds.
        x: array-like of shape (n,); for families of vectors (n, d). Integers with families of both kinds are scored
            by the probability of x ± ½ under the continuous ones, as in ``sf.rank``.
        folds: number of parts, from 2 to n (leave-one-out); each is held out in turn.
        rng: int, NumPy generator or JAX key, which deals the observations out.

    Returns:
        A ``CrossValidation``. Its standard errors take scores as independent, which those of a fold are only nearly.

    Raises:
        DataError: flawed data. ValueError: an unusable number of folds.

    Source: Stone (1974); Vehtari, Gelman and Gabry (2017), equations 23 and 24, for errors and paired differences.

    Example:
        >>> import suffice as sf
        >>> x = sf.Gamma(3.0, 0.5).sample((100,), rng=0)
        >>> sf.cross_validate([sf.Gamma, sf.Exponential], x, folds=5).best
        'Gamma'
    """
    single = isinstance(families, type | Family)
    targets = [as_family(f) for f in ([families] if single else families)]
    if not targets:
        raise ValueError("families must name at least one family, got none")
    data = _Dealt.of(targets, x)
    if not 2 <= folds <= data.size:
        raise ValueError(f"folds must be from 2 to the number of observations, {data.size}, got {folds}")
    place = generator(as_key(rng)).permutation(data.size) % folds
    scores, lost = np.full((len(targets), data.size), np.nan), {}
    for k in range(folds):
        held = place == k
        fits = data.fits(~held)
        for i, (f, fit) in enumerate(zip(targets, fits, strict=True)):
            if isinstance(fit, DataError):
                lost.setdefault(f.name, str(fit))
            else:
                scores[i, held] = data.score((fit.limit or fit).distribution, held)
    kept = [i for i, f in enumerate(targets) if f.name not in lost]
    return CrossValidation(tuple(targets[i].name for i in kept), scores[kept], folds, lost)


@dataclass(frozen=True)
class _Dealt:
    """Data of which any part can be fitted or scored."""

    targets: Sequence[Family]
    values: np.ndarray
    rounding: bool

    @classmethod
    def of(cls, targets: Sequence[Family], x: Any) -> "_Dealt":
        axes = {f.member.event_ndim for f in targets}
        if len(axes) > 1:
            raise TypeError("families of numbers and of vectors cannot be compared")
        if axes != {0}:
            return cls(targets, np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x, float), False)
        seen = observe(x)
        if not isinstance(seen, Memory) or seen.weights is not None:
            raise DataError("cross-validation needs known values in memory, without weights")
        both = {f.member.discrete for f in targets} == {False, True}
        rounding = both and seen.survey.summary.all_integer and tabulated(seen, 1.0) is not None
        return cls(targets, np.asarray(seen.values, float), rounding)

    @property
    def size(self) -> int:
        return len(self.values)

    def _seen(self, part: np.ndarray, discrete: bool) -> Observations:
        data = observe(self.values[part])
        width = 1.0 if self.rounding and not discrete else 0.0
        return Memory(data.source, self.values[part], None, width) if width else data

    def fits(self, part: np.ndarray) -> list[Fit | DataError]:
        """A fit of each family to a part of the data, or why there is none."""
        if self.values.ndim > 1:
            return [_attempt(f, self.values[part]) for f in self.targets]
        found: dict[int, Fit | DataError] = {}
        for discrete in (False, True):
            chosen = [i for i, f in enumerate(self.targets) if f.member.discrete == discrete]
            if chosen:
                seen = self._seen(part, discrete)
                seen = tabulated(seen, seen.width) or seen if self.rounding else seen
                found |= dict(zip(chosen, fit_families([self.targets[i] for i in chosen], seen), strict=True))
        return [found[i] for i in range(len(self.targets))]

    def score(self, p: Any, part: np.ndarray) -> np.ndarray:
        """Log density of each observation of a part."""
        if self.values.ndim > 1:
            return np.asarray(p.log_prob(self.values[part]))
        return log_likelihood_of(p, self._seen(part, p.discrete))[0]


def _attempt(family: Family, rows: np.ndarray) -> Fit | DataError:
    try:
        return fit_rows(family, rows, None, "error")
    except DataError as error:
        return error
