"""Points of the unit cube moved, with weights, so that means of a few sets of them have honest errors."""

import math

import numpy as np

_SHIFTED = 8.0  # cells by which those in the middle are moved at most


def graded(v: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uniforms u of points v, (n, d), and du/dv, (n,): denser towards the ends, low and high, where ``ends``, (d, 2), says so.

    The outermost of k cells holds a tail of f that 16 draws do not show. With v = (1 − a) u + a √(h u) from an end, h
    half or all of the interval, the weighted f is bounded there if f grows like a power of u above −½, as any with a
    variance does, and its cell is like others.
    """
    a, weights, u = 0.5 / v.shape[1], np.ones(len(v)), v.copy()
    for i, (low, high) in enumerate(ends):
        if not (low or high):
            continue
        from_low = v[:, i] < 0.5 if low and high else np.full(len(v), low)
        b = a * math.sqrt(0.5 if low and high else 1.0)
        away = np.where(from_low, v[:, i], 1.0 - v[:, i])
        root = np.maximum(2.0 * away / (b + np.sqrt(b**2 + 4.0 * (1.0 - a) * away)), 2.0**-500)
        weights /= 1.0 - a + 0.5 * b / root
        u[:, i] = np.where(from_low, root**2, 1.0 - root**2)
    return u, weights


def shifted(v: np.ndarray, cells: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points moved by e v (1 − v), a random e for each coordinate, and their weights 1 + e (1 − 2v).

    A jump of f lies at one place of one cell. If all replicates had the same cells and it is near an edge, all would be
    likely to agree, and the error would be 0. The more coordinates the smaller e, so that the weights of all together
    raise the variance by no more than 3 %.
    """
    d = v.shape[1]
    e = rng.uniform(-1.0, 1.0, d) * min(4.0 * _SHIFTED / cells, 0.5 / math.sqrt(d))
    return v + e * v * (1.0 - v), np.prod(1.0 + e * (1.0 - 2.0 * v), axis=1)
