"""Arguments as they come from people: turned into arrays, or refused with the argument, the condition and the value."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from suffice.numerics.domain import Domain

_PLAIN = (jax.Array, np.ndarray, float, int, np.generic)


def is_traced(*values: Any) -> bool:
    """Tell whether any value is an abstract one inside ``jit``, ``vmap`` or ``grad``."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def as_argument(x: Any) -> Any:
    """Return ``x`` in a form compiled code takes: arrays and numbers as they are, lists and columns as NumPy arrays."""
    if isinstance(x, _PLAIN):
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"expected real numbers, got {x!r}" if array.ndim == 0 else f"expected real numbers, got {array.dtype}"
        )
    return array


def first_offender(inside: Any, value: Any) -> str:
    """Describe the first value for which ``inside`` is false, with its index when there are many."""
    inside, value = np.asarray(inside), np.asarray(value)
    if inside.ndim == 0:
        return format_value(value)
    index = np.unravel_index(int(np.argmin(inside)), inside.shape)
    place = index[0] if len(index) == 1 else tuple(int(i) for i in index)
    return f"{format_value(value[index])} at index {place}"


def format_value(value: Any) -> str:
    """Write a number the short way, an array with at most a few of its entries."""
    value = np.asarray(value)
    if value.ndim == 0:
        return f"{value.item():.6g}" if value.dtype.kind == "f" else str(value.item())
    return np.array2string(value, precision=4, threshold=6, edgeitems=2, separator=", ").replace("\n", " ")


def checked(name: str, domain: Domain, value: Any) -> jax.Array:
    """Return a parameter as a floating array, after a look at its values where they are known.

    A Python number stays weakly typed, so that float32 data stay float32; integers become floats.

    Raises:
        ValueError: a value is outside the domain; traced values pass, and lead to NaN later.
    """
    if not is_traced(value):
        try:
            value = as_argument(value)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        host = np.asarray(value)  # in its own precision, to which sums and symmetry hold
        host = host if host.dtype.kind == "f" else host.astype(float)
        if host.ndim < domain.event_ndim:
            raise ValueError(f"{name} must be an array with its values on the last axis, got {format_value(host)}")
        inside = domain.contains(host)
        if not np.all(inside):
            offender = format_value(host) if domain.event_ndim else first_offender(inside, host)
            raise ValueError(f"{name} must be {domain}, got {offender}")
    array = jnp.asarray(float(value) if isinstance(value, int | float) else value)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.result_type(float))
