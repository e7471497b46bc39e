"""Bases of bumps, steps and waves, and of categories."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from suffice.models.bases.basis import Basis, Columns, Term
from suffice.models.bases.inputs import Inputs
from suffice.models.bases.polynomial import domains
from suffice.numerics.moments import namespace
from suffice.runtime.errors import DataError

MOST_CATEGORIES = 1000
PerInput = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, repr=False)
class _Centred(Basis):
    """Functions of (x − centre)/scale, for each centre, of each input."""

    centres: Any
    scale: float | None = None
    inputs: Any = None
    domain: Any = field(default=None, repr=False)
    placed: PerInput | None = field(default=None, repr=False)
    widths: tuple[float, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        name = type(self).__name__
        if isinstance(self.centres, int | np.integer):
            if self.centres < 1:
                raise ValueError(f"{name}.centres must be >= 1 or places, got {self.centres}")
        else:
            object.__setattr__(self, "centres", _numbers(self.centres, f"{name}.centres"))
        if self.scale is not None and not 0.0 < self.scale < math.inf:
            raise ValueError(f"{name}.scale must be > 0, got {self.scale}")

    def settled(self, inputs: Inputs) -> Any:
        if self.placed is not None:
            return self
        places, widths = [], []
        ends = domains(self, inputs)
        for low, high in ends:
            if isinstance(self.centres, int | np.integer):
                spots = (
                    np.linspace(low, high, int(self.centres)) if self.centres > 1 else np.array([0.5 * (low + high)])
                )
                gap = (high - low) / max(int(self.centres) - 1, 1)
            else:
                spots = np.asarray(self.centres)
                gap = float(np.median(np.diff(np.sort(spots)))) if len(spots) > 1 else high - low
            width = self.scale or gap
            if not width > 0.0:
                raise ValueError(f"{type(self).__name__}.scale must be given where inputs or centres do not differ")
            places.append(tuple(float(s) for s in spots))
            widths.append(float(width))
        return replace(self, placed=tuple(places), widths=tuple(widths))

    def needs(self) -> int:
        given = self.domain is not None or (self.scale is not None and not isinstance(self.centres, int | np.integer))
        return int(self.placed is None and not given)

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        assert self.placed is not None
        assert self.widths is not None
        word = type(self).__name__.lower()
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        return tuple(
            Term(f"{word}({n}; {c:.6g}, {s:.6g})", (word, n, c, s))
            for n, spots, s in zip(names, self.placed, self.widths, strict=True)
            for c in spots
        )

    def columns(self, inputs: Inputs) -> Columns:
        assert self.placed is not None
        assert self.widths is not None
        found = []
        for place, spots, width in zip(inputs.places(self.inputs), self.placed, self.widths, strict=True):
            x = inputs.number(place)
            found.append(self._shape((x[:, None] - np.asarray(spots)[None, :]) / width))
        return Columns(namespace(found[0]).concatenate(found, axis=1))

    @staticmethod
    def _shape(u: Any) -> Any:
        raise NotImplementedError


class Gaussian(_Centred):
    """Gaussian basis functions: phi_j(x) = exp(−(x − mu_j)²/(2 s²)) (Bishop 3.4).

    Args:
        centres: how many, equally spaced over the range of the data, or where, in the unit of x.
        scale: s, in the unit of x; by default the distance of neighbouring centres.
        inputs: names or places of inputs, all by default; each has its own functions.
        domain: (lower, upper) instead of the data's range.

    Example:
        >>> import suffice as sf
        >>> sf.Gaussian((0.0, 1.0), scale=1.0)([0.0]).round(4).tolist()
        [[1.0, 0.6065]]
    """

    @staticmethod
    def _shape(u: Any) -> Any:
        return namespace(u).exp(-0.5 * u**2)


class Sigmoid(_Centred):
    """Sigmoid basis functions: phi_j(x) = 1/(1 + exp(−(x − mu_j)/s)) (Bishop 3.5).

    Args:
        centres: how many, equally spaced over the range of the data, or where, in the unit of x.
        scale: s, in the unit of x; by default the distance of neighbouring centres.
        inputs: names or places of inputs, all by default; each has its own functions.
        domain: (lower, upper) instead of the data's range.
    """

    @staticmethod
    def _shape(u: Any) -> Any:
        return 0.5 + 0.5 * namespace(u).tanh(0.5 * u)


@dataclass(frozen=True, repr=False)
class Fourier(Basis):
    """Sines and cosines: sin(2πkx/period), cos(2πkx/period), k = 1 … harmonics.

    Args:
        harmonics: the highest frequency in units of 1/period, >= 1.
        period: in the unit of x.
        inputs: names or places of inputs, all by default; each has its own functions.

    Example:
        >>> import suffice as sf
        >>> sf.Fourier(1, period=4.0)([1.0]).round(12).tolist()
        [[1.0, 0.0]]
    """

    harmonics: int
    period: float
    inputs: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.harmonics, int) or self.harmonics < 1:
            raise ValueError(f"Fourier.harmonics must be an integer >= 1, got {self.harmonics!r}")
        if not 0.0 < self.period < math.inf:
            raise ValueError(f"Fourier.period must be > 0, got {self.period}")

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        return tuple(
            Term(f"{f}({2 * k}π {n}/{self.period:g})", (f, n, k, self.period))
            for n in names
            for k in range(1, self.harmonics + 1)
            for f in ("sin", "cos")
        )

    def columns(self, inputs: Inputs) -> Columns:
        found = []
        for place in inputs.places(self.inputs):
            x = inputs.number(place)
            xp = namespace(x)
            for k in range(1, self.harmonics + 1):
                angle = 2.0 * math.pi * (xp.fmod(k * xp.fmod(x, self.period), self.period) / self.period)
                found += [xp.sin(angle), xp.cos(angle)]
        return Columns(namespace(found[0]).stack(found, axis=1))


@dataclass(frozen=True, repr=False)
class Piecewise(Basis):
    """Functions that change at breaks b_j: steps, 1 where x >= b_j, or bent lines, max(0, x − b_j).

    Args:
        breaks: places, in the unit of x.
        degree: 0 for steps; 1 for bent lines, to which x itself belongs.
        inputs: names or places of inputs, all by default.

    Example:
        >>> import suffice as sf
        >>> sf.Piecewise([1.0, 2.0])([0.5, 1.5, 2.0]).tolist()
        [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    """

    breaks: Any
    degree: int = 0
    inputs: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "breaks", tuple(sorted(set(_numbers(self.breaks, "Piecewise.breaks")))))
        if self.degree not in (0, 1):
            raise ValueError(f"Piecewise.degree must be 0 or 1, got {self.degree!r}")

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        found = []
        for name in (inputs.names[p] for p in inputs.places(self.inputs)):
            if self.degree:
                found.append(Term(name, ("power", name, 1)))
                found += [Term(f"max(0, {name} − {b:g})", ("hinge", name, b)) for b in self.breaks]
            else:
                found += [Term(f"{name} ≥ {b:g}", ("step", name, b)) for b in self.breaks]
        return tuple(found)

    def columns(self, inputs: Inputs) -> Columns:
        found = []
        for place in inputs.places(self.inputs):
            x = inputs.number(place)
            xp = namespace(x)
            if self.degree:
                found.append(x)
            for b in self.breaks:
                found.append(xp.maximum(x - b, 0.0) if self.degree else xp.where(x >= b, 1.0, 0.0))
        return Columns(namespace(found[0]).stack(found, axis=1))


@dataclass(frozen=True, repr=False)
class OneHot(Basis):
    """Categories: one function for each but the first, 1 where the input is that category.

    Args:
        inputs: names or places of inputs, numbers or text, all by default.
        categories: the first is the reference; by default those of the data, in order. Others are an error.

    Example:
        >>> import suffice as sf
        >>> fit = sf.LinearBasisModel(sf.OneHot()).fit(["a", "b", "b"], [1.0, 2.0, 4.0])
        >>> fit.names, fit.weights.tolist()
        (('intercept', 'x = b'), [1.0, 2.0])
    """

    inputs: Any = None
    categories: Any = None
    found: tuple[tuple[Any, ...], ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.categories is not None:
            object.__setattr__(self, "categories", tuple(self.categories))

    def settled(self, inputs: Inputs) -> "OneHot":
        if self.found is not None:
            return self
        places = inputs.places(self.inputs)
        if self.categories is not None:
            return replace(self, found=(self.categories,) * len(places))
        levels = [np.unique(np.asarray((inputs.distinct or inputs.columns)[p])) for p in places]
        for place, found in zip(places, levels, strict=True):
            if len(found) > MOST_CATEGORIES:
                raise DataError(
                    f"input {inputs.names[place]!r} has more than {MOST_CATEGORIES} categories: give those that are meant"
                )
        return replace(self, found=tuple(tuple(found.tolist()) for found in levels))

    def labels(self) -> tuple[str, ...]:
        named = self.inputs if isinstance(self.inputs, list | tuple) else [self.inputs]
        return tuple(name for name in named if isinstance(name, str))

    def needs(self) -> int:
        return 3 if self.found is None and self.categories is None else 0

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        assert self.found is not None
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        return tuple(
            Term(f"{n} = {c:g}" if isinstance(c, float) else f"{n} = {c}", ("category", n, c))
            for n, levels in zip(names, self.found, strict=True)
            for c in levels[1:]
        )

    def columns(self, inputs: Inputs) -> Columns:
        assert self.found is not None
        parts = []
        for place, levels in zip(inputs.places(self.inputs), self.found, strict=True):
            x = inputs.columns[place]
            if isinstance(x, np.ndarray):
                at = _places(x, levels, inputs, place)
                parts += [(at == i).astype(float) for i in range(1, len(levels))]
            else:
                parts += [namespace(x).where(x == c, 1.0, 0.0) for c in levels[1:]]
        if not parts:
            return Columns(np.zeros((len(inputs), 0)))
        return Columns(namespace(parts[0]).stack(parts, axis=1))


def _places(x: np.ndarray, levels: tuple[Any, ...], inputs: Inputs, place: int) -> np.ndarray:
    """Which of the levels each value is.

    Raises:
        DataError: one that is none of them.
    """
    known = np.asarray(levels)
    order = np.argsort(known)
    near = order[np.minimum(np.searchsorted(known, x, sorter=order), len(known) - 1)]
    bad = known[near] != x
    if bad.any():
        first = int(bad.argmax())
        where = "" if inputs.start is None else f" at row {inputs.start + first + 1} (counting from 1)"
        told = ", ".join(map(str, levels[:20])) + (", …" if len(levels) > 20 else "")
        raise DataError(f"input {inputs.names[place]!r} must be one of {told}, got {x[first]}{where}")
    return near


def _numbers(values: Any, what: str) -> tuple[float, ...]:
    array = np.atleast_1d(np.asarray(values, float))
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite numbers, at least one, got {values!r}")
    return tuple(float(v) for v in array)
