"""Inverse-transform sampling from a table: a quantile function as short polynomials, with its error in probability."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.blocks import in_blocks
from suffice.numerics.variates.elementary import unit
from suffice.runtime.rng import RNG, as_key

_DEGREE = 3
_OCTAVES = 65  # of u below ½: the smallest variate is 2⁻⁶⁶
_FINENESS = (7, 9, 10)  # log2 of the cells in an octave
_PROBES = (0.03, 0.26, 0.5, 0.74, 0.97)  # of a cell, where the error is measured
_GLANCE = 16  # one cell in so many is looked at first
_BLOCK = 8192  # points that a law is asked for at once: one shape is compiled once
_ROUNDING = 4.0 * np.finfo(float).eps  # of the terms of a polynomial, relative to x

type Function = Callable[[jax.Array], jax.Array]


class Tails(NamedTuple):
    """Quantiles from below and from above, and the probabilities back: cdf and sf."""

    icdf: Function
    isf: Function
    cdf: Function
    sf: Function


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class InverseTransform:
    """A sampler of one law of the line, made by ``sf.inverse_transform``.

    Attributes:
        table: coefficients, (4, 2 · 65 · 2ᵏ): of cubic polynomials in each of 2ᵏ cells of every octave of the two tails.
        u_error: the largest abs(F(Q(u)) − u)/min(u, 1 − u) that was measured, at five points of each cell; that of
            rounding Q(u) to a float is not counted: near a pole at 1, floats are as far apart as draws.
    """

    table: jax.Array
    u_error: float = field(metadata={"static": True})

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Independent draws, F⁻¹ of uniform variates that reach down to 2⁻⁶⁶ in both tails."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        return _sample(self.table, as_key(rng), shape)

    def icdf(self, q: Any) -> jax.Array:
        """Quantiles as the table has them, for 2⁻⁶⁶ <= q < 1."""
        q = jnp.asarray(q, float)
        inside = (q >= 2.0 ** -(_OCTAVES + 1)) & (q < 1.0)
        upper = q > 0.5
        return jnp.where(
            inside, _look_up(self.table, jnp.minimum(jnp.where(upper, 1.0 - q, q), 0.5 - 2.0**-54), upper), jnp.nan
        )


def inverse_transform(
    law: Any = None,
    *,
    quantile: Function | None = None,
    cdf: Function | None = None,
    sf: Function | None = None,
    lower: float = -np.inf,
    upper: float = np.inf,
    u_error: float = 1e-10,
) -> InverseTransform:
    """A fast sampler by inversion, x = F⁻¹(u), of a continuous law: from a distribution, its quantiles or its cdf.

    Each octave of u and of 1 − u is cut into cells of equal length, and F⁻¹ is a cubic polynomial in each; cells are
    halved until F(x) is right to ``u_error``, relative to the smaller tail. So tails keep their relative precision.

    Args:
        law: anything with elementwise ``icdf isf cdf sf``, such as a distribution; of a density alone:
            ``sf.from_density(log_density)``.
        quantile: F⁻¹, elementwise, if there is no law; the error of F is found from its slope.
        cdf, sf: F, and 1 − F for the upper tail, elementwise and monotone, if there is neither; inverted by bisection
            between ``lower`` and ``upper``.
        u_error: largest error of F, relative to the smaller tail; without a law or ``sf``, absolute in the upper half,
            where 1 − u has no more digits. At least 1e-13.

    Returns:
        An ``InverseTransform``: ``sample(shape, rng=)``, with the ``u_error`` that was measured.

    Raises:
        ValueError: not exactly one of law, quantile, cdf; values that are no numbers; quantiles that jump or bend so
            that 1,024 cells an octave are not enough.

    Source: Bishop, section 11.1.1; error in probability: Derflinger, Hörmann and Leydold (2010).

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> sampler = sf.inverse_transform(sf.from_density(lambda x: -jnp.cosh(x)))
        >>> sampler.sample(5, rng=0).shape, sampler.u_error < 1e-10
        ((5,), True)
    """
    if sum(given is not None for given in (law, quantile, cdf)) != 1:
        raise ValueError("exactly one of law, quantile and cdf must be given")
    missing = [
        name for name in ("icdf", "isf", "cdf", "sf") if law is not None and not callable(getattr(law, name, None))
    ]
    if missing or isinstance(law, type):
        raise TypeError(
            f"law must have icdf, isf, cdf and sf, got {type(law).__name__}; of a density: sf.from_density(log_density)"
        )
    if not u_error >= 1e-13:
        raise ValueError(f"u_error must be at least 1e-13, got {u_error:g}")
    if law is not None:
        tails = Tails(law.icdf, law.isf, law.cdf, law.sf)
        invert, error = _of_tails(tails)
    elif cdf is not None:
        above = sf if sf is not None else lambda x: 1.0 - cdf(x)
        tails = Tails(
            lambda u: _bisect(cdf, u, lower, upper),
            lambda u: _bisect(lambda x: -above(x), -u, lower, upper),
            cdf,
            above,
        )
        invert, error = _of_tails(tails, resolved=sf is not None)
    else:
        assert quantile is not None
        invert, error = _of_quantile(quantile)
    worst, place = math.inf, 0.5
    for fineness in _FINENESS:
        for every in (_GLANCE, 1):
            table, worst, place = _tabulated(invert, error, fineness, every, u_error)
            if worst > u_error:
                break
        else:
            return InverseTransform(jnp.asarray(table), worst)
    raise ValueError(
        f"u_error {u_error:g} is out of reach: F is wrong by {worst:.2g} near the quantile of {place:.3g}, "
        "where quantiles jump or bend"
    )


def _in_blocks(f: Function, x: np.ndarray) -> np.ndarray:
    """f elementwise, a fixed number of points at a time."""
    flat = x.ravel()
    padded = np.pad(flat, (0, -flat.size % _BLOCK), mode="edge").reshape(-1, _BLOCK)
    return np.concatenate([np.asarray(f(jnp.asarray(row))) for row in padded])[: flat.size].reshape(x.shape)


def _of_tails(tails: Tails, resolved: bool = True) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    def invert(u: np.ndarray, upper: bool) -> np.ndarray:
        return _in_blocks(tails.isf if upper else tails.icdf, u)

    def error(x: np.ndarray, u: np.ndarray, upper: bool, enough: float) -> np.ndarray:
        """Of the tail, in its units; where that is not enough, but for what rounding x does."""
        tail, unit = (tails.sf if upper else tails.cdf), (1.0 if upper and not resolved else u)
        wrong = np.abs(_in_blocks(tail, x) - u) / unit
        if np.all(wrong <= enough):
            return wrong
        ends = [_in_blocks(tail, x + side * _ROUNDING * np.abs(x)) for side in (-1.0, 1.0)]
        beyond = np.maximum(np.minimum(*ends) - u, u - np.maximum(*ends))
        return np.where(wrong <= enough, wrong, np.maximum(beyond, 0.0) / unit)

    return invert, error


def _of_quantile(quantile: Function) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    def invert(u: np.ndarray, upper: bool) -> np.ndarray:
        return np.asarray(quantile(jnp.asarray(1.0 - np.maximum(u, 2.0**-53) if upper else u)))

    def error(x: np.ndarray, u: np.ndarray, upper: bool, enough: float) -> np.ndarray:
        """dF is dx/(dx/du): relative to u, absolute in the upper tail."""
        step = np.maximum(1e-3 * u, 1e-10 if upper else 0.0)
        ends = u + step, np.maximum(u - step, 2.0**-53 if upper else 0.0)
        slope = np.abs(invert(ends[0], upper) - invert(ends[1], upper)) / (ends[0] - ends[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            wrong = np.abs(x - invert(u, upper)) / slope / (1.0 if upper else u)
        return np.where(np.isnan(wrong), 0.0, wrong)

    return invert, error


def _tabulated(
    invert: Callable[..., np.ndarray], error: Callable[..., np.ndarray], fineness: int, every: int, enough: float
) -> tuple[np.ndarray, float, float]:
    """(coefficients, largest error, the u at which it is): interpolation at Chebyshev's points of some cells, or all."""
    cells = 1 << fineness
    nodes = np.cos((2.0 * np.arange(_DEGREE + 1) + 1.0) * np.pi / (2.0 * _DEGREE + 2.0))  # of −1 … 1
    solve = np.linalg.inv(np.vander(0.5 * nodes, increasing=True))  # in r − ½, −½ … ½
    octave = 2.0 ** -np.arange(_OCTAVES + 1.0, 1.0, -1.0)[:, None]  # begins there
    start = (octave * (1.0 + np.arange(cells) / cells)).ravel()
    width = np.repeat(octave, cells) / cells
    start, width = start[::every], width[::every]
    table, worst, place = [], 0.0, 0.5
    for upper in (False, True):
        values = invert(start[:, None] + width[:, None] * (0.5 + 0.5 * nodes), upper)
        if not np.all(np.isfinite(values)):
            at = start[~np.isfinite(values).all(1)].max()
            raise ValueError(f"quantiles must be finite, got another near that of {1.0 - at if upper else at:.3g}")
        coefficients = solve @ values.T
        for probe in _PROBES:
            u = start + probe * width
            x = (np.vander([probe - 0.5], _DEGREE + 1, increasing=True) @ coefficients)[0]
            wrong = error(x, u, upper, enough)
            if np.max(wrong) > worst:
                worst, place = float(np.max(wrong)), float(u[np.argmax(wrong)])
                place = 1.0 - place if upper else place
        table.append(coefficients)
    return np.concatenate(table, axis=1), worst, place


def _bisect(f: Function, target: jax.Array, lower: float, upper: float) -> jax.Array:
    """Where an increasing function reaches its targets: the real line is bisected in the order of its floats."""

    @jax.jit
    def solve(target: jax.Array) -> jax.Array:
        def as_float(i: jax.Array) -> jax.Array:
            bits = jnp.where(i < 0, -i, i)
            x = jax.lax.bitcast_convert_type(bits, jnp.float64)
            return jnp.where(i < 0, -x, x)

        def as_integer(x: jax.Array) -> jax.Array:
            i = jax.lax.bitcast_convert_type(jnp.abs(x), jnp.int64)
            return jnp.where(x < 0, -i, i)

        def halve(_: int, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = state
            middle = (low >> 1) + (high >> 1) + (low & high & 1)
            below = f(as_float(middle)) < target
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        most = jnp.finfo(jnp.float64).max
        ends = (jnp.full(target.shape, jnp.clip(end, -most, most)) for end in (lower, upper))
        _, high = jax.lax.fori_loop(0, 65, halve, tuple(as_integer(end) for end in ends))
        return as_float(high)

    return solve(target)


@functools.partial(jax.jit, static_argnums=2)
def _sample(table: jax.Array, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    def draw(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        words = bits(key, shape, jnp.uint64)
        return _look_up(table, 0.5 * unit(words << 1, jnp.float64), (words >> 63) == 1)

    return in_blocks(draw, key, shape)


def _look_up(table: jax.Array, u: jax.Array, upper: jax.Array) -> jax.Array:
    """The polynomial of the cell of a tail u <= ½: exponent and leading bits of u are its index, the others its place."""
    half = table.shape[1] // 2
    fineness = (half // _OCTAVES).bit_length() - 1
    words = jax.lax.bitcast_convert_type(u, jnp.uint64)
    cell = (words >> (52 - fineness)).astype(jnp.int32) - ((1022 - _OCTAVES) << fineness)
    one = jnp.uint64(1023 << 52)
    rest = (words << fineness) & jnp.uint64((1 << 52) - 1)
    r = jax.lax.bitcast_convert_type(rest | one, jnp.float64) - 1.5
    j = jnp.clip(cell, 0, half - 1) + jnp.where(upper, half, 0)
    x = table[_DEGREE][j]
    for i in range(_DEGREE - 1, -1, -1):
        x = x * r + table[i][j]
    return x
