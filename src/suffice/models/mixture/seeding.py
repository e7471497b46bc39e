"""Where climbs start: rows shared out among components by k-means++, by rank or at random."""

import numpy as np

_LLOYD = 10
_SURE = 0.9  # of a row's responsibility given to its cluster; the rest is shared, so that no start is degenerate


def plus_plus(x: np.ndarray, w: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Centres by k-means++, each drawn by squared distance from those before it (Arthur and Vassilvitskii 2007)."""
    centres = x[rng.choice(len(x), 1, p=w / w.sum())]
    distance = ((x - centres[0]) ** 2).sum(1)
    for _ in range(1, k):
        mass = w * distance
        p = mass / mass.sum() if mass.sum() > 0 else w / w.sum()
        new = x[rng.choice(len(x), 1, p=p)]
        centres = np.concatenate([centres, new])
        distance = np.minimum(distance, ((x - new) ** 2).sum(1))
    return centres


def nearest(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The centre nearest to each row."""
    return ((centres**2).sum(1) - 2.0 * x @ centres.T).argmin(1)


def k_means(x: np.ndarray, w: np.ndarray, centres: np.ndarray, steps: int = _LLOYD) -> np.ndarray:
    """Labels after some of Lloyd's steps; a centre that loses all its rows stays."""
    k = len(centres)
    labels = nearest(x, centres)
    for _ in range(steps):
        mass = np.bincount(labels, w, k)
        sums = np.stack([np.bincount(labels, w * column, k) for column in x.T], axis=1)
        centres = np.where(mass[:, None] > 0, sums / np.where(mass > 0, mass, 1.0)[:, None], centres)
        new = nearest(x, centres)
        if np.array_equal(new, labels):
            break
        labels = new
    return labels


def softened(labels: np.ndarray, k: int) -> np.ndarray:
    """Responsibilities (K, n) that lean towards labels."""
    return _SURE * (labels == np.arange(k)[:, None]) + (1.0 - _SURE) / k


def starts(x: np.ndarray, w: np.ndarray, k: int, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Responsibilities (K, n) of several starts, of columns in comparable units.

    The first is by rank where there is one column; then k-means++ with and without Lloyd's steps in turn, each fourth
    at random. Components of unlike families take the clusters in random order.
    """
    deviation = np.sqrt(np.average((x - np.average(x, axis=0, weights=w)) ** 2, axis=0, weights=w))
    x = (x - np.average(x, axis=0, weights=w)) / np.where(deviation > 0, deviation, 1.0)
    found = []
    for i in range(count):
        if i == 0 and x.shape[1] == 1:
            rank = np.cumsum(w[np.argsort(x[:, 0], kind="stable")]) / w.sum()
            labels = np.empty(len(x), int)
            labels[np.argsort(x[:, 0], kind="stable")] = np.minimum((rank * k - 1e-9).astype(int), k - 1)
        elif i % 4 == 3:
            share = rng.dirichlet(np.ones(k), len(x)).T
            found.append(0.5 * share + 0.5 * softened(nearest(x, x[rng.choice(len(x), k)]), k))
            continue
        else:
            centres = plus_plus(x, w, k, rng)
            labels = k_means(x, w, centres) if i % 2 == 0 else nearest(x, centres)
        found.append(softened(labels if i == 0 else rng.permutation(k)[labels], k))
    return found
