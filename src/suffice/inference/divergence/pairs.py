"""Which pairs of families have a Kullback–Leibler divergence in closed form: a table that formulae enter themselves in."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced

type Formula = Callable[[Any, Any], jax.Array]
type Of = Callable[[Any], Any]


class Pair(NamedTuple):
    """A formula, and where it does not hold for all members of its families, where it does."""

    formula: Formula
    holds: Formula | None


class Kin(NamedTuple):
    """The name of a map, the family it leads to, and the member of that."""

    map_name: str
    image: type
    build: Of


KL: dict[tuple[type, type], Pair] = {}
KIN: dict[type, Kin] = {}  # divergences of densities do not change under a map


def kl_of(p: type, q: type, holds: Formula | None = None) -> Callable[[Formula], Formula]:
    """Decorator: enter KL(p ‖ q) of two families, written for members aligned in rank and dtype."""

    def enter(formula: Formula) -> Formula:
        KL[p, q] = Pair(formula, holds)
        return formula

    return enter


def kin_of(family: type, image: type, map_name: str = "") -> Callable[[Of], Of]:
    """Decorator: enter what a map makes of a family's members, a member of ``image``; none, where they are its members."""

    def enter(build: Of) -> Of:
        KIN[family] = Kin(map_name, image, build)
        return build

    return enter


def find(p: type, q: type) -> tuple[Pair, Of, Of] | None:
    """The formula for a pair of families and what it takes of each: the members, or what a map makes of both."""
    for p_map, p_kind, p_build in _forms(p):
        for q_map, q_kind, q_build in _forms(q):
            if p_map == q_map and (p_kind, q_kind) in KL:
                return KL[p_kind, q_kind], p_build, q_build
    return None


def _forms(family: type) -> list[Kin]:
    itself = Kin("", family, lambda p: p)
    return [itself, KIN[family]] if family in KIN else [itself]


def aligned(p: Any, q: Any) -> tuple[Any, Any]:
    """Both distributions with parameters of one rank and one dtype."""
    rank = max(len(p.batch_shape), len(q.batch_shape))
    dtype = jnp.result_type(p._dtype, q._dtype)
    return p._ranked(rank, dtype), q._ranked(rank, dtype)


def checked(p: Any, q: Any, value: jax.Array, shape: tuple[int, ...] | None = None) -> jax.Array:
    """The value with the shape of the batch, NaN where parameters are invalid."""
    shape = np.broadcast_shapes(p.batch_shape, q.batch_shape) if shape is None else shape
    known = jnp.asarray(p._valid()) & jnp.asarray(q._valid())
    return jnp.broadcast_to(jnp.where(known, value, jnp.nan), shape)


def holds(pair: Pair, p: Any, q: Any) -> bool:
    """Whether a formula holds for these members; of traced ones, that it may (it is NaN where it does not)."""
    return pair.holds is None or is_traced(p, q) or bool(np.all(pair.holds(p, q)))


def restricted(pair: Pair, p: Any, q: Any) -> jax.Array:
    """The formula's value, NaN where it does not hold."""
    value = pair.formula(p, q)
    return value if pair.holds is None else jnp.where(pair.holds(p, q), value, jnp.nan)
