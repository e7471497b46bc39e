"""What the last steps of a climb tell of where it ends."""

from dataclasses import dataclass

import numpy as np

_REMEMBERED = 10  # steps
_INDEPENDENT = 1e-10  # of changes of steps relative to the largest, below which they tell nothing new


@dataclass
class Memory:
    """How steps changed from point to point, of each run.

    Attributes:
        moves: from point to point, (R, remembered, m); 0 where nothing is known.
        changes: of the step between the same points.
        number: how many are known, (R,).
    """

    moves: np.ndarray
    changes: np.ndarray
    number: np.ndarray

    @classmethod
    def empty(cls, runs: int, m: int) -> "Memory":
        shape = runs, min(_REMEMBERED, max(m, 1)), m
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(runs, int))

    @property
    def known(self) -> np.ndarray:
        """Whether steps have told anything."""
        return self.number > 0

    def add(self, which: np.ndarray, move: np.ndarray, change: np.ndarray) -> None:
        """The newest in place of the oldest, in some of the runs."""
        for held, new in ((self.moves, move), (self.changes, change)):
            held[which] = np.concatenate([held[which, 1:], new[which, None]], axis=1)
        self.number = np.minimum(self.number + which, self.moves.shape[1])

    def forget(self, which: np.ndarray) -> None:
        """All of some runs."""
        self.moves[which], self.changes[which], self.number[which] = 0.0, 0.0, 0

    def stretch(self) -> np.ndarray:
        """How many times the last move it is to the limit, were all changes like the last."""
        with np.errstate(all="ignore"):
            stretch = np.linalg.norm(self.moves[:, -1], axis=1) / np.linalg.norm(self.changes[:, -1], axis=1)
        return np.where(np.isfinite(stretch), np.maximum(stretch, 1.0), 1.0)

    def stretched(self, length: np.ndarray) -> np.ndarray:
        """From the points to SQUAREM's 2 a r + a² v beyond those before, a the length, r the last move and v its change."""
        a, r, v = length[:, None], self.moves[:, -1], self.changes[:, -1]
        return (2.0 * a - 1.0) * r + a**2 * v

    def to_limit(self, step: np.ndarray) -> np.ndarray:
        """From the points to where steps, now (R, m), would be 0, as far as they are known to change; else the steps."""
        size = np.linalg.norm(self.changes, axis=2, keepdims=True)
        unit = np.where(size > 0, size, 1.0)
        changes, moves = self.changes / unit, self.moves / unit
        share = np.linalg.pinv(np.swapaxes(changes, 1, 2), rcond=_INDEPENDENT) @ step[:, :, None]
        return step - (share * (moves + changes)).sum(1)
