"""Bases of polynomials: linear, powers, Chebyshev and Legendre."""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from suffice.models.bases.basis import Basis, Columns, Term
from suffice.models.bases.inputs import Inputs
from suffice.numerics.double_double import Double, divide, double, multiply, subtract, two_sum
from suffice.numerics.moments import namespace

Domain = tuple[tuple[float, float], ...]  # of each input: middle and half width


@dataclass(frozen=True, repr=False)
class Linear(Basis):
    """The inputs themselves: phi_j(x) = x_j.

    Args:
        inputs: names or places of inputs, all by default.

    Example:
        >>> import suffice as sf
        >>> sf.LinearBasisModel(sf.Linear()).fit([1.0, 2.0, 3.0], [1.0, 3.0, 5.0]).weights.tolist()
        [-1.0, 2.0]
    """

    inputs: Any = None

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        return tuple(Term(inputs.names[p], ("power", inputs.names[p], 1)) for p in inputs.places(self.inputs))

    def columns(self, inputs: Inputs) -> Columns:
        return Columns(inputs.numbers(inputs.places(self.inputs)))


def Interaction(*inputs: Any) -> Basis:
    """The product of inputs, each by name or place, as one function: phi(x) = x_i x_j ….

    Example:
        >>> import suffice as sf
        >>> sf.Interaction(0, 1)([[2.0, 3.0]]).tolist()
        [[6.0]]
    """
    if len(inputs) < 2:
        raise ValueError(f"an interaction needs at least 2 inputs, got {len(inputs)}")
    product: Basis = Linear(inputs[0])
    for each in inputs[1:]:
        product = product * Linear(each)
    return product


@dataclass(frozen=True, repr=False)
class _Polynomials(Basis):
    """Polynomials of degrees 1 to ``degree`` of each input, in u = (x − middle)/half of its domain.

    ``domain`` is (lower, upper) for all inputs, or one such pair for each; by default the range of the data.
    """

    degree: int
    inputs: Any = None
    domain: Any = None
    scaled: Domain | None = field(default=None, repr=False)

    letter: ClassVar[str]

    def __post_init__(self) -> None:
        if not isinstance(self.degree, int) or self.degree < 1:
            raise ValueError(f"{type(self).__name__}.degree must be an integer >= 1, got {self.degree!r}")

    def settled(self, inputs: Inputs) -> Any:
        if self.scaled is not None:
            return self
        return replace(self, scaled=tuple(_scale(*d) for d in domains(self, inputs)))

    def needs(self) -> int:
        return int(self.scaled is None and self.domain is None)

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        orders = range(1, self.degree + 1)
        return tuple(Term(f"{self.letter}{k}({n})", (self.letter, n, k, self.domain)) for n in names for k in orders)

    def columns(self, inputs: Inputs) -> Columns:
        return _orthogonal(self, inputs, self._next)

    @staticmethod
    def _next(k: int, u: Double, last: Double, before: Double) -> Double:
        """The polynomial of degree k + 1 from those of degrees k and k − 1."""
        raise NotImplementedError


def _orthogonal(basis: _Polynomials, inputs: Inputs, recurrence: Any) -> Columns:
    """Polynomials by a three-term recurrence in double-double."""
    hi, lo = [], []
    assert basis.scaled is not None
    for place, (middle, half) in zip(inputs.places(basis.inputs), basis.scaled, strict=True):
        x = inputs.number(place)
        xp = namespace(x)
        u = divide(two_sum(x, -middle), double(xp.full_like(x, half)))
        before, last = double(xp.ones_like(x)), u
        for k in range(1, basis.degree + 1):
            hi.append(last.hi)
            lo.append(last.lo)
            if k < basis.degree:
                before, last = last, recurrence(k, u, last, before)
    xp = namespace(hi[0])
    return Columns(xp.stack(hi, axis=1), xp.stack(lo, axis=1))


def _twice_times(k: int, u: Double, last: Double, before: Double) -> Double:
    product = multiply(u, last)
    return subtract(Double(2.0 * product.hi, 2.0 * product.lo), before)


class Chebyshev(_Polynomials):
    """Chebyshev polynomials of the first kind: T_{k+1}(u) = 2 u T_k(u) − T_{k−1}(u), u = x scaled to [−1, 1].

    Args:
        degree: the highest, >= 1.
        inputs: names or places of inputs, all by default; each has its own polynomials.
        domain: (lower, upper) that becomes [−1, 1], or one such pair for each input; by default the data's range.
    """

    letter = "T"
    _next = staticmethod(_twice_times)


class Legendre(_Polynomials):
    """Legendre polynomials: (k + 1) P_{k+1}(u) = (2k + 1) u P_k(u) − k P_{k−1}(u), u = x scaled to [−1, 1].

    Args:
        degree: the highest, >= 1.
        inputs: names or places of inputs, all by default; each has its own polynomials.
        domain: (lower, upper) that becomes [−1, 1], or one such pair for each input; by default the data's range.
    """

    letter = "P"

    @staticmethod
    def _next(k: int, u: Double, last: Double, before: Double) -> Double:
        def times(number: float, a: Double) -> Double:
            return multiply(a, double(namespace(a.hi).full_like(a.hi, number)))

        numerator = subtract(times(2.0 * k + 1.0, multiply(u, last)), times(float(k), before))
        return divide(numerator, double(namespace(u.hi).full_like(u.hi, k + 1.0)))


class Polynomial(_Polynomials):
    """Powers of each input: phi_k(x) = x^k, k = 1 … degree; their weights are reported, Chebyshev polynomials on the
    data's range are computed with, and converted exactly.

    Args:
        degree: the highest power, >= 1.
        inputs: names or places of inputs, all by default; products of different inputs come from ``*``.
        domain: the range that Chebyshev polynomials are scaled to; it changes nothing but rounding.

    Example:
        >>> import suffice as sf
        >>> fit = sf.LinearBasisModel(sf.Polynomial(2)).fit([0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 5.0, 10.0])
        >>> abs(fit.weights).round(15).tolist()
        [1.0, 0.0, 1.0]
    """

    def terms(self, inputs: Inputs) -> tuple[Term, ...]:
        names = [inputs.names[p] for p in inputs.places(self.inputs)]
        orders = range(1, self.degree + 1)
        return tuple(Term(n if k == 1 else f"{n}^{k}", ("power", n, k)) for n in names for k in orders)

    def columns(self, inputs: Inputs) -> Columns:
        hi, lo = [], []
        for place in inputs.places(self.inputs):
            x = inputs.number(place)
            power = double(x)
            for k in range(1, self.degree + 1):
                hi.append(power.hi)
                lo.append(power.lo)
                if k < self.degree:
                    power = multiply(power, double(x))
        xp = namespace(hi[0])
        return Columns(xp.stack(hi, axis=1), xp.stack(lo, axis=1))

    def computed(self, inputs: Inputs) -> Columns:
        return _orthogonal(self, inputs, _twice_times)

    def conversion(self) -> list[list[Fraction]] | None:
        assert self.scaled is not None
        m = self.degree
        size = 1 + m * len(self.scaled)
        matrix = [[Fraction(i == j == 0) for j in range(size)] for i in range(size)]
        for block, (middle, half) in enumerate(self.scaled):
            for k, powers in enumerate(_chebyshev_in_powers(m, Fraction(middle), Fraction(half)), start=1):
                matrix[0][m * block + k] = powers[0]
                for i in range(1, k + 1):
                    matrix[m * block + i][m * block + k] = powers[i]
        return matrix


def _chebyshev_in_powers(degree: int, middle: Fraction, half: Fraction) -> list[list[Fraction]]:
    """Coefficients of T_1 … T_degree of (x − middle)/half in powers of x, exactly."""
    before, last = [Fraction(1)], [-middle / half, 1 / half]
    found = [last]
    for _ in range(1, degree):
        raised = [Fraction(0)] * (len(last) + 1)
        for i, c in enumerate(last):
            raised[i] -= 2 * c * middle / half
            raised[i + 1] += 2 * c / half
        for i, c in enumerate(before):
            raised[i] -= c
        before, last = last, raised
        found.append(last)
    return found


def domains(basis: Any, inputs: Inputs) -> list[tuple[float, float]]:
    """(lower, upper) for each input of a basis: as given, or from the data."""
    places = inputs.places(basis.inputs)
    if basis.domain is None:
        ends = [(float(np.min(c)), float(np.max(c))) for c in map(inputs.number, places)]
    else:
        given = np.broadcast_to(np.asarray(basis.domain, float), (len(places), 2))
        ends = [(float(a), float(b)) for a, b in given]
    for low, high in ends:
        if basis.domain is not None and not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(
                f"{type(basis).__name__}.domain must be (lower, upper) with lower < upper, got {(low, high)}"
            )
    return ends


def _scale(low: float, high: float) -> tuple[float, float]:
    half = 0.5 * high - 0.5 * low
    return 0.5 * low + 0.5 * high, half if half > 0 else 1.0
