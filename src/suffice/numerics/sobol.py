"""Sobol' points with a random linear scramble and a digital shift: each is uniform, together they fill the cube."""

import numpy as np

_BITS = 52
# degree, coefficients a, initial numbers m of Joe and Kuo (2008), new-joe-kuo-6, dimensions 2 to 21
_PRIMITIVE = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
    (5, 14, (1, 3, 5, 5, 31)),
    (6, 1, (1, 3, 3, 9, 7, 49)),
    (6, 13, (1, 1, 1, 15, 21, 21)),
    (6, 16, (1, 3, 1, 13, 27, 49)),
    (6, 19, (1, 1, 1, 15, 7, 5)),
    (6, 22, (1, 3, 1, 15, 13, 25)),
    (6, 25, (1, 1, 5, 5, 19, 61)),
    (7, 1, (1, 3, 7, 11, 23, 15, 103)),
    (7, 4, (1, 3, 7, 13, 13, 15, 69)),
)
MOST_DIMENSIONS = len(_PRIMITIVE) + 1


def directions(dimension: int) -> np.ndarray:
    """Direction numbers v_1, v_2, … of each dimension as words of 52 bits, (d, 52)."""
    found = np.zeros((dimension, _BITS), np.uint64)
    found[0] = [1 << (_BITS - 1 - i) for i in range(_BITS)]
    for row, (degree, a, first) in zip(found[1:], _PRIMITIVE, strict=False):
        m = list(first)
        for i in range(degree, _BITS):
            new = m[i - degree] ^ (m[i - degree] << degree)
            for j in range(1, degree):
                new ^= ((a >> (degree - 1 - j)) & 1) * (m[i - j] << j)
            m.append(new)
        row[:] = [m[i] << (_BITS - 1 - i) for i in range(_BITS)]
    return found


def sobol(log_count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    """2ᵐ scrambled points strictly inside the unit cube, (2ᵐ, d).

    Source: Sobol' (1967); Matoušek (1998) for the scramble: a random lower triangular matrix of bits, then a shift.
    """
    v = directions(dimension)[:, :log_count]
    place = np.arange(_BITS - 1, -1, -1, dtype=np.uint64)  # leading bit first
    digits = ((v[..., None] >> place) & np.uint64(1)).astype(np.int64)  # (d, m, 52)
    lower = np.tril(rng.integers(0, 2, (dimension, _BITS, _BITS)), -1) + np.eye(_BITS, dtype=np.int64)
    scrambled = np.einsum("dij,dmj->dmi", lower, digits) % 2
    v = (scrambled.astype(np.uint64) << place).sum(-1, dtype=np.uint64)
    points = rng.integers(0, 1 << _BITS, (1, dimension), dtype=np.uint64)
    for i in range(log_count):  # the order of Gray's code does not matter for sums
        points = np.concatenate([points, points ^ v[:, i]])
    return (points + 0.5) * 2.0**-_BITS
