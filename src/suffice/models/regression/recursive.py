"""Learning row by row: least mean squares, and recursive least squares with forgetting."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.least_squares import words
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.runtime.errors import DataError

BEYOND = 1e3  # errors that have grown by so much are of weights that diverge


@dataclass(frozen=True, eq=False, repr=False)
class LeastMeanSquares:
    """The LMS rule: w ← w + rate (t − wᵀ phi(x)) phi(x), one row after the other (Bishop 3.23).

    It keeps only the weights, and wanders around the solution by an amount that falls with the rate; it diverges
    where rate |phi(x)|² stays above 2.

    Args:
        basis, intercept: as of ``LinearBasisModel``; what the basis takes from data it takes from the first rows.
        rate: size of the steps, > 0, in units of 1/|phi|².

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.random.default_rng(0).normal(size=2000)
        >>> lms = sf.LeastMeanSquares(rate=0.05).update(x, 1.0 + 2.0 * x)
        >>> lms.weights.round(6).tolist()
        [1.0, 2.0]
    """

    basis: Any = LinearBasisModel().basis
    intercept: bool = True
    rate: float = 0.01
    design: Design | None = None
    weights: Any = None
    count: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < np.inf:
            raise ValueError(f"LeastMeanSquares.rate must be > 0, got {self.rate}")

    def update(self, x: Any, t: Any) -> "LeastMeanSquares":
        """After more rows, in their order; one target.

        Raises:
            DataError: bad data, or errors that grow a thousandfold: the rate is too large.
        """
        design, phi, targets = _rows(self, x, t)
        start = np.zeros(phi.shape[1]) if self.weights is None else np.asarray(self.weights)
        room = _room(len(targets)) - len(targets)
        padded = np.pad(phi, ((0, room), (0, 0))), np.pad(targets, (0, room))
        w = np.asarray(_lms(jnp.asarray(start), *map(jnp.asarray, padded), self.rate))
        with np.errstate(all="ignore"):
            before, after = (np.abs(targets - phi @ v).max() for v in (start, w))
        if not after <= BEYOND * max(before, np.abs(targets).max()):
            raise DataError(f"the weights diverge: rate must be well below 2/|phi|², got {self.rate}")
        return replace(self, design=design, weights=w, count=self.count + len(targets))

    def predict(self, x: Any) -> Any:
        """y(x, w)."""
        if self.design is None:
            raise ValueError("there were no rows yet: update first")
        return self.design.columns(self.design.inputs(x), reported=True).hi @ self.weights

    def __repr__(self) -> str:
        told = "" if self.design is None else f"{words.told(self.design.names, self.weights)}; "
        return f"LeastMeanSquares({told}rate {self.rate:g}, n = {self.count})"


def _room(n: int) -> int:
    """Rows that are compiled for: those beyond n are 0 and move nothing."""
    return max(16, 1 << (n - 1).bit_length())


@jax.jit
def _lms(w: jax.Array, phi: jax.Array, t: jax.Array, rate: Any) -> jax.Array:
    def step(w: jax.Array, row: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        f, target = row
        return w + rate * (target - f @ w) * f, None

    return jax.lax.scan(step, w, (phi, t))[0]


@dataclass(frozen=True, eq=False, repr=False)
class RecursiveLeastSquares:
    """Least squares after each row, older rows weighted down: argmin_w Σ_i forgetting^(n − i) (t_i − wᵀ phi(x_i))².

    It keeps the triangular factor of the weighted rows, to which rows are added by rotations: nothing is inverted and
    no start is guessed. With ``forgetting`` 1 the weights are those of all rows at once.

    Args:
        basis, intercept: as of ``LinearBasisModel``; what the basis takes from data it takes from the first rows.
        forgetting: weight of a row relative to the next, above 0 and at most 1; 1/(1 − forgetting) rows count.

    Example:
        >>> import suffice as sf
        >>> rls = sf.RecursiveLeastSquares().update([0.0, 1.0], [1.0, 3.0]).update([2.0], [5.0])
        >>> rls.weights.round(12).tolist()
        [1.0, 2.0]
    """

    basis: Any = LinearBasisModel().basis
    intercept: bool = True
    forgetting: float = 1.0
    design: Design | None = None
    root: np.ndarray | None = None
    count: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.forgetting <= 1.0:
            raise ValueError(f"RecursiveLeastSquares.forgetting must be > 0 and <= 1, got {self.forgetting}")

    def update(self, x: Any, t: Any) -> "RecursiveLeastSquares":
        """After more rows, in their order; one target."""
        design, phi, targets = _rows(self, x, t)
        n = len(targets)
        fade = np.sqrt(self.forgetting) ** np.arange(n, -1, -1.0)
        rows = fade[1:, None] * np.column_stack([phi, targets])
        rows = rows if self.root is None else np.concatenate([fade[0] * self.root, rows])
        return replace(self, design=design, root=np.linalg.qr(rows, mode="r"), count=self.count + n)

    @property
    def weights(self) -> np.ndarray:
        """w, (M,).

        Raises:
            DataError: the rows so far do not determine them.
        """
        if self.root is None:
            raise DataError("there were no rows yet: update first")
        m = self.root.shape[1] - 1
        r = self.root[:m, :m]
        if len(r) < m or not (np.abs(np.diagonal(r)) > 1e-14 * np.sqrt((r**2).sum(0))).all():
            raise DataError(f"{self.count} rows do not determine {m} weights")
        return np.linalg.solve(r, self.root[:m, m])

    def predict(self, x: Any) -> Any:
        """y(x, w)."""
        w = self.weights
        assert self.design is not None
        return self.design.columns(self.design.inputs(x), reported=True).hi @ w

    def __repr__(self) -> str:
        try:
            told = "" if self.design is None else f"{words.told(self.design.names, self.weights)}; "
        except DataError as error:
            told = f"{error}; "
        return f"RecursiveLeastSquares({told}forgetting {self.forgetting:g}, n = {self.count})"


def _rows(learner: Any, x: Any, t: Any) -> tuple[Design, np.ndarray, np.ndarray]:
    """Design, columns and targets of new rows."""
    if learner.design is None:
        model = LinearBasisModel(learner.basis, learner.intercept)
    else:
        model, x = LinearBasisModel(learner.design.basis, learner.design.intercept), learner.design.inputs(x)
    data = model.data(x, t)
    if not data.single or not isinstance(data.rows, Rows):
        raise ValueError("rows must be in memory and have one target: give t of shape (n,)")
    phi = np.asarray(data.design.columns(data.rows.inputs, reported=True).hi)
    return data.design, phi, data.rows.targets[:, 0]
