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
from numpy.polynomial import chebyshev

from suffice.numerics.special.chunks import CHUNK, cut

MANY = 4 * CHUNK  # from so many points on the table is worth its making
_SIDE = 192  # cells on either side of the middle
_ORDER = 9  # odd, so that one node is the centre of its cell
_NODES = np.sin(0.5 * np.pi * np.arange(1 - _ORDER, _ORDER, 2) / _ORDER)
# values at the nodes to Chebyshev coefficients, and those to powers
_TO_CHEBYSHEV = chebyshev.chebvander(_NODES, _ORDER - 1) * (2 - np.eye(_ORDER)[0]) / _ORDER
_TO_POWERS = np.array([np.pad(p := chebyshev.cheb2poly(row), (0, _ORDER - len(p))) for row in np.eye(_ORDER)])
_LOG_2 = 0.6931471805599453
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
    ends: Callable[..., tuple[jax.Array, jax.Array]]  # (*parameters) -> lowest and highest abscissa of the table
    abscissa: Callable[..., jax.Array]  # (*parameters, *data) -> where to look; NaN leaves the table
    points: Callable[..., tuple[jax.Array, ...]]  # (*parameters, abscissa) -> data
    ordinate: Callable[[Any], jax.Array] = lambda value: value
    value: Callable[[jax.Array], Any] = lambda ordinate: ordinate

    def __call__(self, parameters: Sequence[jax.Array], data: Sequence[jax.Array]) -> Any:
        """The function at all points: by the table where they are many and share the parameters."""
        shape = np.broadcast_shapes(*(t.shape for t in (*parameters, *data)))
        if math.prod(shape) < MANY or any(p.size > 1 for p in parameters):
            return self.exact(*parameters, *data)
        dtype = data[0].dtype
        parameters = [jnp.asarray(p, dtype).reshape(1) for p in parameters]
        pieces = [cut(jnp.broadcast_to(jnp.asarray(d, dtype), shape)) for d in data]
        out = _evaluate(self, parameters, pieces)
        return jax.tree.map(lambda t: t.ravel()[: math.prod(shape)].reshape(shape), out)


def quantiles(exact: Callable[..., Any], **forms: Callable[..., Any]) -> Curve:
    """The curve of a quantile over its level: the log of the lower tail, or minus that of the upper; |level| >= log 2."""
    return Curve(
        exact,
        ends=lambda *parameters: (jnp.asarray(-60.0), jnp.asarray(60.0)),
        abscissa=lambda *args: args[-1] - jnp.copysign(_LOG_2, args[-1]),
        points=lambda *args: (args[-1] + jnp.copysign(_LOG_2, args[-1]),),
        **forms,
    )


def _evaluate(curve: Curve, parameters: list[jax.Array], pieces: list[jax.Array]) -> Any:
    """Piece by piece; the nodes of the table are the first, so that the function is compiled only once."""
    dtype = pieces[0].dtype
    scales = [jnp.reshape(jnp.abs(end), ()) / _SIDE**2 for end in curve.ends(*parameters)]
    cells = jnp.arange(-_SIDE, _SIDE, dtype=dtype)[:, None]
    steps = cells + 0.5 * (1 + jnp.asarray(_NODES, dtype))
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
        making, at = i < 0, jnp.maximum(i, 0)
        piece = [
            jnp.where(making, n, lax.dynamic_index_in_dim(p, at, keepdims=False))
            for n, p in zip(node_data, pieces, strict=True)
        ]
        known = look_up(table, curve.abscissa(*parameters, *piece))
        value = lax.cond(jnp.any(jnp.isnan(known)), lambda piece, _: exact(piece), lambda _, y: curve.value(y), piece, known)
        table = lax.cond(making, lambda value, _: fit(value), lambda _, table: table, value, table)
        return table, jax.tree.map(lambda o, v: lax.dynamic_update_index_in_dim(o, v, at, 0), out, value)

    def fit(value):
        ordinates = curve.ordinate(value)[: nodes.size].reshape(nodes.shape)
        return _polynomials(ordinates, jnp.diff(nodes[:, :: _ORDER - 1], axis=1))

    unknown = jnp.full((_ORDER, 2 * _SIDE), jnp.nan, dtype)
    out = jax.tree.map(lambda t: jnp.zeros(pieces[0].shape, t.dtype), jax.eval_shape(exact, [p[0] for p in pieces]))
    return lax.fori_loop(-1, len(pieces[0]), evaluate, (unknown, out))[1]


def _polynomials(ordinates: jax.Array, widths: jax.Array) -> jax.Array:
    """Coefficients in each cell's own variable, highest power first; NaN in the cells that have not converged."""
    dtype = ordinates.dtype
    centre = ordinates[:, _ORDER // 2, None]
    coefficients = jnp.matmul(ordinates - centre, jnp.asarray(_TO_CHEBYSHEV, dtype), precision="highest")
    noise = _NOISE * jnp.finfo(dtype).eps * (jnp.abs(centre) + jnp.abs(2 * coefficients[:, 1:2] / widths))
    last = jnp.max(jnp.abs(coefficients[:, -2:]) * jnp.asarray([0.01, 1], dtype), axis=1, keepdims=True)
    powers = jnp.matmul(coefficients, jnp.asarray(_TO_POWERS, dtype), precision="highest")
    powers = powers.at[:, :1].add(centre)
    return jnp.where(last <= noise, powers, jnp.nan).T[::-1]
