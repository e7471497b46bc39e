"""Basis functions phi_j(x): what they are, and how they compose. No basis contains the constant."""

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, NamedTuple, Self

import numpy as np

from suffice.models.bases.inputs import Inputs
from suffice.numerics.double_double import Double, double, multiply
from suffice.numerics.moments import namespace


class Term(NamedTuple):
    """One basis function: how people call it, and what makes it the same as another."""

    name: str
    key: Hashable


class Columns(NamedTuple):
    """Values of basis functions, (n, M): ``lo`` is what ``hi`` lacks to some 32 digits, None where it is all."""

    hi: Any
    lo: Any = None

    @property
    def pairs(self) -> Double:
        """As pairs."""
        return double(self.hi) if self.lo is None else Double(self.hi, self.lo)

    def kept(self, index: tuple[int, ...]) -> "Columns":
        """Some of them."""
        if len(index) == self.hi.shape[1]:
            return self
        at = list(index)
        return Columns(self.hi[:, at], None if self.lo is None else self.lo[:, at])


def side_by_side(parts: list[Columns]) -> Columns:
    """Columns one after the other."""
    if len(parts) == 1:
        return parts[0]
    xp = namespace(parts[0].hi)
    hi = xp.concatenate([p.hi for p in parts], axis=1)
    if all(p.lo is None for p in parts):
        return Columns(hi)
    return Columns(hi, xp.concatenate([p.pairs.lo for p in parts], axis=1))


class Basis:
    """Functions of the inputs whose weighted sum is a model: y(x, w) = w_0 + Σ_j w_j phi_j(x) (Bishop 3.3).

    ``a + b`` has the functions of both, without those that are the same, ``a * b`` the products of each of ``a``
    with each of ``b``. A function of arrays is a basis as well: ``sf.Linear() + jnp.sin``. What a basis takes from
    data, centres and scales, it takes once: ``settled`` returns the one that has them.

    Members are frozen dataclasses that write ``terms`` and ``columns``, and ``settled`` where they need data. Where a
    better conditioned basis has the same span together with the constant they give it by ``computed``, and by
    ``conversion`` the matrix that leads from its coefficients, the constant's first, to theirs.
    """

    def settled(self, inputs: Inputs) -> Self:
        """The basis with what it takes from the data."""
        return self

    def needs(self) -> int:
        """What it takes from data: 0 nothing, 1 the range of each input, 2 quantiles, 3 all distinct values."""
        return 0

    def labels(self) -> tuple[str, ...]:
        """Names of inputs that it takes as labels, not as numbers."""
        return ()

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        """The functions it has for inputs of these names."""
        raise NotImplementedError

    def columns(self, inputs: Inputs) -> Columns:
        """Their values, (n, M); for NumPy and JAX inputs alike."""
        raise NotImplementedError

    def computed(self, inputs: Inputs) -> Columns:
        """Values of the functions that are computed with."""
        return self.columns(inputs)

    def conversion(self) -> list[list[Fraction]] | None:
        """(1 + M, 1 + M): from coefficients of 1 and the computed functions to those of 1 and the terms; None for 1."""
        return None

    def names(self, inputs: Inputs) -> tuple[str, ...]:
        """What its functions are called."""
        return tuple(t.name for t in self.terms(inputs))

    def __call__(self, x: Any) -> Any:
        """The design matrix Phi without the constant, (n, M), of a basis that needs nothing from data.

        Example:
            >>> import suffice as sf
            >>> sf.Polynomial(3)([2.0]).tolist()
            [[2.0, 4.0, 8.0]]
        """
        inputs = Inputs.of(x)
        return self.settled(inputs).columns(inputs).hi

    def __repr__(self) -> str:
        shown = [f for f in fields(self) if f.repr and getattr(self, f.name) != f.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"

    def __add__(self, other: Any) -> "Basis":
        return Sum((*_parts(self), *_parts(as_basis(other))))

    def __radd__(self, other: Any) -> "Basis":
        return as_basis(other) + self

    def __mul__(self, other: Any) -> "Basis":
        return Product(self, as_basis(other))

    def __rmul__(self, other: Any) -> "Basis":
        return as_basis(other) * self


def _parts(basis: Basis) -> tuple[Basis, ...]:
    return basis.parts if isinstance(basis, Sum) else (basis,)


def as_basis(value: Any) -> Basis:
    """A basis from a basis or a callable.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, Basis):
        return value
    if callable(value):
        return Function(value)
    raise TypeError(f"a basis must be one of suffice's or a callable of an array, got {value!r}")


@dataclass(frozen=True, repr=False)
class Sum(Basis):
    """The functions of several bases; one that occurs again is dropped, with a warning that names it."""

    parts: tuple[Basis, ...]
    kept: tuple[tuple[int, ...], ...] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    def settled(self, inputs: Inputs) -> "Sum":
        if self.kept is not None:
            return self
        parts = tuple(p.settled(inputs) for p in self.parts)
        seen: set[Hashable] = set()
        kept, dropped = [], []
        for part in parts:
            index = []
            for i, term in enumerate(part.terms(inputs)):
                if term.key in seen:
                    dropped.append(term.name)
                else:
                    seen.add(term.key)
                    index.append(i)
            kept.append(tuple(index))
        if dropped:
            warnings.warn(f"columns that occur twice were dropped: {', '.join(dropped)}", stacklevel=2)
        return replace(self, parts=parts, kept=tuple(kept))

    def labels(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.labels())

    def needs(self) -> int:
        return max(p.needs() for p in self.parts)

    def _whole(self, i: int) -> bool:
        assert self.kept is not None
        conversion = self.parts[i].conversion()
        return conversion is None or len(self.kept[i]) == len(conversion) - 1

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        assert self.kept is not None
        all_terms = (p.terms(inputs) for p in self.parts)
        return tuple(t[i] for t, kept in zip(all_terms, self.kept, strict=True) for i in kept)

    def columns(self, inputs: Inputs) -> Columns:
        assert self.kept is not None
        parts = zip(self.parts, self.kept, strict=True)
        return side_by_side([p.columns(inputs).kept(k) for p, k in parts if k])

    def computed(self, inputs: Inputs) -> Columns:
        assert self.kept is not None
        found = []
        for i, (part, kept) in enumerate(zip(self.parts, self.kept, strict=True)):
            if kept:
                found.append((part.computed(inputs) if self._whole(i) else part.columns(inputs)).kept(kept))
        return side_by_side(found)

    def conversion(self) -> list[list[Fraction]] | None:
        assert self.kept is not None
        blocks = [(p.conversion() if self._whole(i) else None) for i, p in enumerate(self.parts)]
        if all(b is None for b in blocks):
            return None
        size = 1 + sum(map(len, self.kept))
        matrix = [[Fraction(i == j) for j in range(size)] for i in range(size)]
        start = 1
        for block, kept in zip(blocks, self.kept, strict=True):
            if block is not None:
                for i in range(len(kept)):
                    matrix[0][start + i] = block[0][1 + i]
                    for j in range(len(kept)):
                        matrix[start + j][start + i] = block[1 + j][1 + i]
            start += len(kept)
        return matrix


@dataclass(frozen=True, repr=False)
class Product(Basis):
    """Products of each function of one basis with each of another: interactions and tensor products."""

    first: Basis
    second: Basis

    def __repr__(self) -> str:
        return " * ".join(f"({b!r})" if isinstance(b, Sum) else repr(b) for b in (self.first, self.second))

    def settled(self, inputs: Inputs) -> "Product":
        return Product(self.first.settled(inputs), self.second.settled(inputs))

    def labels(self) -> tuple[str, ...]:
        return (*self.first.labels(), *self.second.labels())

    def needs(self) -> int:
        return max(self.first.needs(), self.second.needs())

    def _pairs(self, inputs: Inputs) -> list[tuple[int, int, Term]]:
        """Places in both and the product; one that comes twice is taken once, as x1 x2 of all inputs by all."""
        found: dict[Hashable, tuple[int, int, Term]] = {}
        for i, a in enumerate(self.first.terms(inputs)):
            for j, b in enumerate(self.second.terms(inputs)):
                factors = sorted((*_factors(a), *_factors(b)), key=repr)
                key = ("product", *factors)
                found.setdefault(key, (i, j, Term(f"{a.name}·{b.name}", key)))
        return list(found.values())

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        return tuple(t for _, _, t in self._pairs(inputs))

    def columns(self, inputs: Inputs) -> Columns:
        pairs = self._pairs(inputs)
        first, second = self.first.columns(inputs).pairs, self.second.columns(inputs).pairs
        i, j = [p[0] for p in pairs], [p[1] for p in pairs]
        return Columns(*multiply(first.at(slice(None), i), second.at(slice(None), j)))


def _factors(term: Term) -> tuple[Hashable, ...]:
    is_product = isinstance(term.key, tuple) and term.key[0] == "product"
    return term.key[1:] if is_product else (term.key,)  # type: ignore[index]


@dataclass(frozen=True, repr=False)
class Function(Basis):
    """Any function of the inputs: of one column (n,), or of all that are named, (n, d), to (n,) or (n, m).

    Args:
        function: of NumPy and JAX arrays alike where predictions shall run compiled.
        name: how its columns are called; by default the function's own name.
        inputs: names or places of the columns it takes, all by default.

    Example:
        >>> import numpy as np, suffice as sf
        >>> sf.Function(np.sin)([0.0, np.pi / 2]).tolist()
        [[0.0], [1.0]]
    """

    function: Callable[[Any], Any]
    name: str | None = None
    inputs: Any = None
    width: int | None = field(default=None, repr=False)

    def settled(self, inputs: Inputs) -> "Function":
        return (
            self if self.width is not None else replace(self, width=self.columns(inputs.rows(slice(0, 2))).hi.shape[1])
        )

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        named = self.name or getattr(self.function, "__name__", type(self.function).__name__)
        of = ", ".join(inputs.names[p] for p in inputs.places(self.inputs))
        width = self.width or 1
        suffix = [""] if width == 1 else [f"[{i}]" for i in range(width)]
        return tuple(Term(f"{named}({of}){s}", ("function", self.function, of, s)) for s in suffix)

    def columns(self, inputs: Inputs) -> Columns:
        places = inputs.places(self.inputs)
        taken = inputs.number(places[0]) if len(places) == 1 else inputs.numbers(places)
        xp = namespace(taken)
        values = xp.asarray(self.function(taken))
        if values.shape[:1] != (len(inputs),) or values.ndim > 2:
            raise ValueError(
                f"a basis function must give an array of shape (n,) or (n, m) with n = {len(inputs)}, got {values.shape}"
            )
        values = values[:, None] if values.ndim == 1 else values
        return Columns(values.astype(float) if xp is np else values.astype(xp.float64))
