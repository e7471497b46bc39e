"""A function of many points that share their parameters, from a table of polynomials made on the spot.

The 384 cells with nine nodes each cost as much as a few thousand points; every further point costs a
look-up and Horner's rule. A cell serves only if its polynomial has converged, so the table knows what it does not know.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike
from numpy.polynomial import chebyshev

from suffice.numerics.special.chunks import CHUNK

MANY = 4 * CHUNK  # from so many points on the table is worth its making
_SIDE = 192  # cells on either side of the middle
_ORDER = 9  # odd, so that one node is the centre of its cell
_NODES = np.sin(0.5 * np.pi * np.arange(1 - _ORDER, _ORDER, 2) / _ORDER)
# values at the nodes to Chebyshev coefficients, and those to powers
_TO_CHEBYSHEV = chebyshev.chebvander(_NODES, _ORDER - 1) * (2 - np.eye(_ORDER)[0]) / _ORDER
_TO_POWERS = np.array([np.pad(p := chebyshev.cheb2poly(row), (0, _ORDER - len(p))) for row in np.eye(_ORDER)])
_LOG_2 = 0.6931471805599453
_LARGEST = 200.0  # ordinates are logarithms: beyond, their rounding is felt in the values
_NOISE = 32  # roundings of ordinate and abscissa that the last coefficients may hold


def one_sided(u: jax.Array, left: jax.Array) -> jax.Array:
    """u, kept on its side of 0 whatever was lost in rounding."""
    return jnp.where(left, jnp.minimum(u, -jnp.finfo(u.dtype).tiny), jnp.maximum(u, 0))


@dataclass(frozen=True)
class Curve:
    """How an elementwise function is tabulated: its ordinate, smooth on both sides of 0, over an abscissa.

    Each function takes parameters (arrays of one element) first, data (arrays of one shape) after them.
    """

    exact: Callable[..., Any]  # (*parameters, *data) -> value, an array or a tuple of them
    ends: Callable[..., tuple[ArrayLike, ArrayLike]]  # (*parameters) -> lowest and highest abscissa of the table
    abscissa: Callable[..., jax.Array]  # (*parameters, *data) -> where to look; NaN leaves the table
    points: Callable[..., tuple[jax.Array, ...]]  # (*parameters, abscissa) -> data
    ordinate: Callable[[Any], jax.Array] = lambda value: value
    value: Callable[[jax.Array], Any] = lambda ordinate: ordinate

    def __call__(self, parameters: Sequence[jax.Array], data: Sequence[jax.Array]) -> Any:
        """The function at all points: by the table where they are many and share the parameters.

        Derivatives are those of the exact function.
        """
        shape = np.broadcast_shapes(*(t.shape for t in (*parameters, *data)))
        many = math.prod(shape) >= MANY and all(p.size == 1 for p in parameters)
        if not many or data[0].dtype != jnp.float64:  # single precision has no digits to spare for a logarithm
            return self.exact(*parameters, *data)

        def by_table(*args):
            dtype = data[0].dtype
            singles = [jnp.asarray(p, dtype).reshape(1) for p in args[: len(parameters)]]
            flat = [jnp.broadcast_to(jnp.asarray(d, dtype), shape).ravel() for d in args[len(parameters) :]]
            return jax.tree.map(lambda t: t.reshape(shape), _evaluate(self, singles, flat))

        # accelerators do all points at once: there a loop over pieces costs more than it saves
        tabulated = jax.custom_jvp(lambda *args: lax.platform_dependent(*args, cpu=by_table, default=self.exact))
        tabulated.defjvp(lambda args, tangents: jax.jvp(self.exact, args, tangents))
        return tabulated(*parameters, *data)


def quantiles(exact: Callable[..., Any], **forms: Callable[..., Any]) -> Curve:
    """The curve of a quantile over its level: the log of the lower tail, or minus that of the upper; |level| >= log 2."""
    return Curve(
        exact,
        ends=lambda *parameters: (-60.0, 60.0),
        abscissa=lambda *args: args[-1] - jnp.copysign(_LOG_2, args[-1]),
        points=lambda *args: (args[-1] + jnp.copysign(_LOG_2, args[-1]),),
        **forms,
    )


def _evaluate(curve: Curve, parameters: list[jax.Array], data: list[jax.Array]) -> Any:
    """Piece by piece; the nodes of the table are the first, so that the function is compiled only once."""
    size, dtype = data[0].size, data[0].dtype
    scales = [jnp.asarray(jnp.abs(end), dtype).reshape(()) / _SIDE**2 for end in curve.ends(*parameters)]
    cells = jnp.arange(-_SIDE, _SIDE, dtype=dtype)[:, None]
    steps = cells + 0.5 * (1 + jnp.asarray(_NODES[None], dtype))
    nodes = jnp.where(cells < 0, -scales[0], scales[1]) * steps**2
    node_data = curve.points(*parameters, jnp.pad(nodes.ravel(), (0, CHUNK - nodes.size), mode="edge"))

    def look_up(table: jax.Array, u: jax.Array) -> jax.Array:
        """Ordinate at u, NaN where it is not known."""
        step = jnp.sqrt(jnp.abs(u) / jnp.where(u < 0, scales[0], scales[1]))
        inside = step < _SIDE
        step = jnp.where(inside, step, 0)
        whole = jnp.floor(step)
        rest = 2 * (step - whole) - 1
        cell = whole.astype(jnp.int32)
        cell, rest = jnp.where(u < 0, _SIDE - 1 - cell, _SIDE + cell), jnp.where(u < 0, -rest, rest)
        total = jnp.where(inside, 0, jnp.nan).astype(dtype)
        for row in table:
            total = total * rest + row.at[cell].get(mode="promise_in_bounds")
        return total

    def exact(piece):
        return curve.exact(*parameters, *piece)

    def evaluate(i, state):
        table, out = state
        making, at = i < 0, jnp.clip(i * CHUNK, 0, size - CHUNK)  # the last piece overlaps the one before
        piece = [
            jnp.where(making, n, lax.dynamic_slice_in_dim(d, at, CHUNK)) for n, d in zip(node_data, data, strict=True)
        ]
        known = look_up(table, curve.abscissa(*parameters, *piece))
        value = lax.cond(
            jnp.any(jnp.isnan(known)), lambda piece, _: exact(piece), lambda _, y: curve.value(y), piece, known
        )
        table = lax.cond(making, lambda value, _: fit(value), lambda _, table: table, value, table)
        return table, jax.tree.map(lambda o, v: lax.dynamic_update_slice_in_dim(o, v, at, 0), out, value)

    def fit(value):
        ordinates = curve.ordinate(value)[: nodes.size].reshape(nodes.shape)
        return _polynomials(ordinates, jnp.diff(nodes[:, :: _ORDER - 1], axis=1))

    unknown = jnp.full((_ORDER, 2 * _SIDE), jnp.nan, dtype)
    out = jax.tree.map(lambda t: jnp.zeros(size, t.dtype), jax.eval_shape(exact, [d[:CHUNK] for d in data]))
    return lax.fori_loop(-1, -(-size // CHUNK), evaluate, (unknown, out))[1]


def _polynomials(ordinates: jax.Array, widths: jax.Array) -> jax.Array:
    """Coefficients in each cell's own variable, highest power first; NaN in the cells that have not converged."""
    dtype = ordinates.dtype
    centre = ordinates[:, _ORDER // 2, None]
    coefficients = jnp.matmul(ordinates - centre, jnp.asarray(_TO_CHEBYSHEV, dtype), precision="highest")
    noise = _NOISE * jnp.finfo(dtype).eps * (jnp.abs(centre) + jnp.abs(2 * coefficients[:, 1:2] / widths))
    last = jnp.max(jnp.abs(coefficients[:, -2:]) * jnp.asarray([[0.01, 1]], dtype), axis=1, keepdims=True)
    powers = jnp.matmul(coefficients, jnp.asarray(_TO_POWERS, dtype), precision="highest")
    powers = powers.at[:, :1].add(centre)
    known = (last <= noise) & (jnp.abs(centre) < _LARGEST)
    return jnp.where(known, powers, jnp.nan).T[::-1]
