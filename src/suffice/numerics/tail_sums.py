"""Sums of a probability function from a point outwards, to full relative accuracy however long they are."""

from collections.abc import Callable
from fractions import Fraction
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np

_HEAD = 64  # terms that are added one by one; each panel has as many nodes
_GROWTH = 8.0  # each panel ends that many times as far out as it begins
_ORDER = 12  # of the end correction
_MOST_PANELS = 20  # 64·8²⁰ is more than any integer in floating point
_BERNOULLI = (
    Fraction(-1, 2), Fraction(1, 6), Fraction(0), Fraction(-1, 30), Fraction(0), Fraction(1, 42), Fraction(0),
    Fraction(-1, 30), Fraction(0), Fraction(5, 66), Fraction(0), Fraction(-691, 2730),
)  # fmt: skip


def _end_weights() -> np.ndarray:
    """Weights w with Σ_{u<=H−1} w f(u) + ∫_{H−1} f = Σ f for polynomials f of degree below the order.

    All ones but for the last few, which carry the Euler–Maclaurin terms f/2 − f'/12 + f'''/720 − … at H − 1.
    """
    # the functional sends (−i)^j to its Euler–Maclaurin value; solved in fractions for the weights of f(H − 1 − i)
    size = _ORDER
    rows = [[Fraction(-i) ** j for i in range(size)] for j in range(size)]
    values = [Fraction(-1, 2)] + [-_BERNOULLI[j] / (j + 1) for j in range(1, size)]  # what is to be added to ones
    for c in range(size):
        pivot = next(r for r in range(c, size) if rows[r][c] != 0)
        rows[c], rows[pivot], values[c], values[pivot] = rows[pivot], rows[c], values[pivot], values[c]
        for r in range(size):
            if r != c and rows[r][c] != 0:
                factor = rows[r][c] / rows[c][c]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[c], strict=True)]
                values[r] -= factor * values[c]
    weights = np.ones(_HEAD)
    weights[: -size - 1 : -1] += [float(v / row[i]) for i, (v, row) in enumerate(zip(values, rows, strict=True))]
    return weights


assert factorial  # noqa
