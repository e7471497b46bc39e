"""Splines: B-splines and natural cubic splines."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from suffice.models.bases.basis import Basis, Columns, Term
from suffice.models.bases.inputs import Inputs
from suffice.models.bases.local import PerInput, _numbers
from suffice.models.bases.polynomial import domains
from suffice.numerics.moments import namespace


@dataclass(frozen=True, repr=False)
class _Spline(Basis):
    """Piecewise polynomials with knots; ``placed`` has for each input its knots, ends of the domain included."""

    knots: Any
    inputs: Any = None
    domain: Any = None
    placed: PerInput | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.knots, int | np.integer):
            if self.knots < 0:
                raise ValueError(f"{type(self).__name__}.knots must be >= 0 or places, got {self.knots}")
        else:
            object.__setattr__(self, "knots", tuple(sorted(set(_numbers(self.knots, f"{type(self).__name__}.knots")))))

    def settled(self, inputs: Inputs) -> Any:
        if self.placed is not None:
            return self
        found = []
        for place, (low, high) in zip(inputs.places(self.inputs), domains(self, inputs), strict=True):
            if isinstance(self.knots, int | np.integer):
                levels = np.linspace(0.0, 1.0, int(self.knots) + 2)[1:-1]
                inner = np.quantile(np.asarray(inputs.number(place)), levels)
            else:
                inner = np.asarray(self.knots)
            inner = np.unique(inner[(inner > low) & (inner < high)])
            if not low < high:
                raise ValueError(f"{type(self).__name__}: input {inputs.names[place]!r} has one value only, {low:g}")
            found.append((low, *(float(k) for k in inner), high))
        return replace(self, placed=tuple(found))

    def needs(self) -> int:
        if self.placed is not None:
            return 0
        return 2 if isinstance(self.knots, int | np.integer) and self.knots > 0 else int(self.domain is None)

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        assert self.placed is not None
        word = type(self).__name__.lower()
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        sizes = [self._size(knots) for knots in self.placed]
        return tuple(
            Term(f"{word}{j + 1}({n})", (word, n, j, knots, self._kind()))
            for n, size, knots in zip(names, sizes, self.placed, strict=True)
            for j in range(size)
        )

    def columns(self, inputs: Inputs) -> Columns:
        assert self.placed is not None
        places = inputs.places(self.inputs)
        found = [self._values(inputs.number(p), k) for p, k in zip(places, self.placed, strict=True)]
        return Columns(namespace(found[0]).concatenate(found, axis=1))

    def _kind(self) -> Any:
        return None

    def _size(self, knots: tuple[float, ...]) -> int:
        raise NotImplementedError

    def _values(self, x: Any, knots: tuple[float, ...]) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class BSpline(_Spline):
    """B-splines by de Boor's recurrence, without the first, as all of them sum to 1.

    Outside the domain the outermost polynomials go on.

    Args:
        knots: how many inside the domain, at quantiles of the data, or where, in the unit of x.
        inputs: names or places of inputs, all by default; each has its own splines.
        domain: (lower, upper) instead of the data's range.
        degree: of the polynomials, 3 for cubic splines.

    Example:
        >>> import suffice as sf
        >>> sf.BSpline([0.5], domain=(0.0, 1.0), degree=1)([0.25, 0.5]).tolist()
        [[0.5, 0.0], [1.0, 0.0]]
    """

    degree: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.degree, int) or self.degree < 0:
            raise ValueError(f"BSpline.degree must be an integer >= 0, got {self.degree!r}")

    def _kind(self) -> Any:
        return self.degree

    def _size(self, knots: tuple[float, ...]) -> int:
        return len(knots) - 2 + self.degree

    def _values(self, x: Any, knots: tuple[float, ...]) -> Any:
        xp, d = namespace(x), self.degree
        t = np.concatenate([[knots[0]] * d, knots, [knots[-1]] * d])
        cell = xp.clip(xp.searchsorted(np.asarray(knots), x, side="right") - 1, 0, len(knots) - 2) + d
        columns = [xp.where(cell == i, 1.0, 0.0) for i in range(len(t) - 1)]
        for k in range(1, d + 1):
            raised = []
            for i in range(len(t) - 1 - k):
                value = xp.zeros_like(x)
                if t[i + k] > t[i]:
                    value = value + (x - t[i]) / (t[i + k] - t[i]) * columns[i]
                if t[i + k + 1] > t[i + 1]:
                    value = value + (t[i + k + 1] - x) / (t[i + k + 1] - t[i + 1]) * columns[i + 1]
                raised.append(value)
            columns = raised
        return xp.stack(columns[1:], axis=1)


@dataclass(frozen=True, repr=False)
class NaturalSpline(_Spline):
    """Natural cubic splines: cubic between knots, straight beyond the outermost (Hastie et al. 5.4).

    With u = x scaled to [0, 1] and knots k_1 … k_K there: u and d_j(u) − d_{K−1}(u), j = 1 … K − 2,
    d_j(u) = ((u − k_j)₊³ − (u − k_K)₊³)/(k_K − k_j).

    Args:
        knots: how many inside the domain, at quantiles of the data, or where, in the unit of x.
        inputs: names or places of inputs, all by default; each has its own splines.
        domain: (lower, upper), the outermost knots, instead of the data's range.
    """

    def _size(self, knots: tuple[float, ...]) -> int:
        return len(knots) - 1

    def _values(self, x: Any, knots: tuple[float, ...]) -> Any:
        xp = namespace(x)
        low, span = knots[0], knots[-1] - knots[0]
        u = (x - low) / span
        k = [(knot - low) / span for knot in knots]

        def truncated(j: int) -> Any:
            return (xp.maximum(u - k[j], 0.0) ** 3 - xp.maximum(u - 1.0, 0.0) ** 3) / (1.0 - k[j])

        bent = [truncated(j) - truncated(len(k) - 2) for j in range(len(k) - 2)]
        return xp.stack([u, *bent], axis=1)
