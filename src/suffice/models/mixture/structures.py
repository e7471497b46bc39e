"""Covariances of the components of a normal mixture that share volume, shape or orientation.

Σ_k = λ_k D_k A_k D_kᵀ with |A_k| = 1: three letters say whether volume λ, shape A and orientation D are equal (E), vary
(V) or are the identity (I), as in Banfield and Raftery (1993). The weighted scatter matrices W_k and counts n_k give the
maximum of the complete likelihood: Celeux and Govaert (1995, doi:10.1016/0031-3203(94)00125-6) in most, Browne and McNicholas (2014,
doi:10.1007/s11634-013-0139-1) where an orientation is shared and shapes are not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_INNER = 500
_SETTLED = 1e-14
Estimate = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
ALIASES = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}


@dataclass(frozen=True)
class Structure:
    """What the covariances of components have in common.

    Attributes:
        name: its three letters.
        estimate: covariances (..., K, d, d) of highest likelihood from counts (..., K), scatter matrices
            (..., K, d, d) and the covariances before.
    """

    name: str
    estimate: Estimate

    @property
    def diagonal(self) -> bool:
        """Whether the covariances are diagonal."""
        return self.name[2] == "I"

    @property
    def linear(self) -> bool:
        """Whether the covariances make up a linear space in the coordinates log D, U of Σ = U D² Uᵀ, U unit triangular."""
        return self.name not in ("EEV", "VEV", "EVE", "VVE")

    def dimension(self, components: int, d: int) -> int:
        """Number of free numbers in the covariances."""
        volume, shape, orientation = self.name
        free = {"E": 1, "V": components, "I": 0}
        return free[volume] + free[shape] * (d - 1) + free[orientation] * (d * (d - 1) // 2)

    def log_directions(self, components: int, d: int) -> np.ndarray:
        """Basis of the logarithms of λ A, volume and shape, (free, components, d)."""
        volume, shape, _ = self.name
        logs = [_spread(volume, np.ones((1, d)), components)]
        if shape != "I" and d > 1:
            contrasts = np.eye(d)[:-1] - np.eye(d)[-1:]
            logs.append(_spread(shape, contrasts, components))
        return np.concatenate(logs)

    def directions(self, components: int, d: int) -> np.ndarray:
        """Basis of the linear space of log D and U, (free, components, d + d(d − 1)/2), where ``linear``."""
        orientation, rest = self.name[2], d * (d - 1) // 2
        lower = _spread(orientation, np.eye(rest), components) if orientation != "I" else np.zeros((0, components, 0))
        logs = self.log_directions(components, d)
        return np.concatenate(
            [
                np.concatenate([logs, np.zeros((len(logs), components, rest))], axis=2),
                np.concatenate([np.zeros((len(lower), components, d)), lower.reshape(-1, components, rest)], axis=2)
                if len(lower)
                else np.zeros((0, components, d + rest)),
            ]
        )


def _spread(letter: str, rows: np.ndarray, components: int) -> np.ndarray:
    """Directions (m, d) that all components share, or one set for each."""
    if letter == "E":
        return np.repeat(rows[:, None, :], components, axis=1)
    each = np.eye(components)[:, None, :, None] * rows[None, :, None, :]
    return each.reshape(-1, components, rows.shape[1])


def structure(name: str) -> Structure:
    """The structure of a name: three letters, or full, tied, diag, spherical.

    Raises:
        ValueError: there is none of that name.
    """
    letters = ALIASES.get(name, name)
    if letters not in _ESTIMATES:
        raise ValueError(f"covariance must be one of {', '.join((*ALIASES, *_ESTIMATES))}, got {name!r}")
    return Structure(letters, _ESTIMATES[letters])


# -- parts -------------------------------------------------------------------------------------------------------------


def _diagonals(w: np.ndarray) -> np.ndarray:
    return np.diagonal(w, axis1=-2, axis2=-1)


def _matrices(diagonals: np.ndarray) -> np.ndarray:
    return diagonals[..., None] * np.eye(diagonals.shape[-1])


def _geometric_mean(x: np.ndarray) -> np.ndarray:
    """Of the last axis, kept."""
    with np.errstate(divide="ignore"):
        return np.exp(np.log(x).mean(-1, keepdims=True))


def _root_det(w: np.ndarray) -> np.ndarray:
    """|W|^(1/d), of shape (..., 1, 1)."""
    return np.exp(np.linalg.slogdet(w)[1] / w.shape[-1])[..., None, None]


def _total(n: np.ndarray) -> np.ndarray:
    return n.sum(-1)[..., None, None]


def _volumes_and_shape(n: np.ndarray, diagonals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Volumes (..., K, 1) and the one shape (..., 1, d) of highest likelihood from diagonals of scatter matrices."""
    d = diagonals.shape[-1]
    shape = diagonals.sum(-2, keepdims=True)
    shape = shape / _geometric_mean(shape)
    for _ in range(_INNER):
        volume = (diagonals / shape).mean(-1, keepdims=True) / n[..., None]
        new = (diagonals / volume).sum(-2, keepdims=True)
        new = new / _geometric_mean(new)
        done = np.all(np.abs(new - shape) <= _SETTLED * d * shape)
        shape = new
        if done:
            break
    return (diagonals / shape).mean(-1, keepdims=True) / n[..., None], shape


def _eigen(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, positive, ascending, and eigenvectors."""
    values, vectors = np.linalg.eigh(w)
    return np.maximum(values, 1e-300), vectors


def _turned(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    return (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)


# -- one function for each structure -----------------------------------------------------------------------------------


def _eii(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    volume = _diagonals(w).mean(-1).sum(-1)[..., None, None] / _total(n)
    return _matrices(np.broadcast_to(volume, w.shape[:-1]))


def _vii(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    volume = _diagonals(w).mean(-1, keepdims=True) / n[..., None]
    return _matrices(np.broadcast_to(volume, w.shape[:-1]))


def _eei(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    return _matrices(np.broadcast_to(_diagonals(w).sum(-2, keepdims=True) / _total(n), w.shape[:-1]))


def _vei(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    volume, shape = _volumes_and_shape(n, _diagonals(w))
    return _matrices(volume * shape)


def _evi(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    means = _geometric_mean(_diagonals(w))
    volume = means.sum(-2, keepdims=True) / _total(n)
    return _matrices(volume * _diagonals(w) / means)


def _vvi(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    return _matrices(_diagonals(w) / n[..., None])


def _eee(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.broadcast_to(w.sum(-3, keepdims=True) / _total(n)[..., None], w.shape)


def _vee(n: np.ndarray, w: np.ndarray, before: np.ndarray) -> np.ndarray:
    d = w.shape[-1]
    common = w.sum(-3, keepdims=True)
    common = common / _root_det(common)
    volume = np.ones((*n.shape, 1, 1))
    for _ in range(_INNER):
        traces = np.trace(np.linalg.solve(np.broadcast_to(common, w.shape), w), axis1=-2, axis2=-1)
        new = (traces / (d * n))[..., None, None]
        done = np.all(np.abs(new - volume) <= _SETTLED * d * new)
        volume = new
        common = (w / volume).sum(-3, keepdims=True)
        common = common / _root_det(common)
        if done:
            break
    return volume * common


def _evv(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    root = _root_det(w)
    return root.sum(-3, keepdims=True) / _total(n)[..., None] * w / root


def _vvv(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    return w / n[..., None, None]


def _eev(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    values, vectors = _eigen(w)
    return _turned(vectors, np.broadcast_to(values.sum(-2, keepdims=True) / _total(n), values.shape))


def _vev(n: np.ndarray, w: np.ndarray, _: np.ndarray) -> np.ndarray:
    values, vectors = _eigen(w)
    volume, shape = _volumes_and_shape(n, values)
    return _turned(vectors, volume * shape)


def common_orientation(covariances: np.ndarray) -> np.ndarray:
    """The eigenvectors that covariances (..., K, d, d) share: those of any sum of them."""
    mixing = np.linspace(1.0, 2.0, covariances.shape[-3])[:, None, None]
    scale = np.trace(covariances, axis1=-2, axis2=-1)[..., None, None]
    return np.linalg.eigh((mixing * covariances / scale).sum(-3))[1]


def _common_orientation(
    n: np.ndarray, w: np.ndarray, before: np.ndarray, spread: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Σ_k = D B_k Dᵀ: B_k by ``spread`` from the diagonals of Dᵀ W_k D, D by majorisation, in turn."""
    turn = common_orientation(before)
    largest = np.linalg.eigvalsh(w)[..., -1][..., None, None]
    for _ in range(_INNER):
        rows = np.swapaxes(turn, -1, -2)[..., None, :, :]
        b = spread(np.maximum(_diagonals(rows @ w @ turn[..., None, :, :]), 1e-300))
        shrunk = turn[..., None, :, :] / b[..., None, :]
        left, _, right = np.linalg.svd((largest * shrunk - w @ shrunk).sum(-3))
        new = left @ right
        moved = np.abs(new - turn).max()
        turn = new
        if moved <= 1e-13:
            break
    rows = np.swapaxes(turn, -1, -2)[..., None, :, :]
    b = spread(np.maximum(_diagonals(rows @ w @ turn[..., None, :, :]), 1e-300))
    return _turned(np.broadcast_to(turn[..., None, :, :], w.shape), b)


def _vve(n: np.ndarray, w: np.ndarray, before: np.ndarray) -> np.ndarray:
    return _common_orientation(n, w, before, lambda diagonals: diagonals / n[..., None])


def _eve(n: np.ndarray, w: np.ndarray, before: np.ndarray) -> np.ndarray:
    def spread(diagonals: np.ndarray) -> np.ndarray:
        means = _geometric_mean(diagonals)
        return means.sum(-2, keepdims=True) / _total(n) * diagonals / means

    return _common_orientation(n, w, before, spread)


_ESTIMATES: dict[str, Estimate] = {
    "EII": _eii, "VII": _vii, "EEI": _eei, "VEI": _vei, "EVI": _evi, "VVI": _vvi, "EEE": _eee,
    "VEE": _vee, "EVE": _eve, "VVE": _vve, "EEV": _eev, "VEV": _vev, "EVV": _evv, "VVV": _vvv,
}  # fmt: skip
NAMES = tuple(_ESTIMATES)
