"""The columns of a regression: constant, basis functions, targets; and its statistic over any number of rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suffice.models.bases.basis import Basis, Columns, side_by_side
from suffice.models.bases.inputs import Inputs, are_default, is_table, require_finite
from suffice.models.regression.least_squares.statistic import (
    PILOT,
    TOGETHER,
    RegressionStatistic,
    pilot,
    statistic,
)
from suffice.numerics.double_double import two_sum
from suffice.numerics.moments import namespace
from suffice.numerics.sliced_gram import FEW
from suffice.runtime.errors import DataError
from suffice.streams.source import at_row

LEAST = 1e-145  # size of a column, whose squares are to be products of two doubles
ROWS = 5 * 2**13  # of columns that are in memory at a time


@dataclass(frozen=True)
class Rows:
    """A stretch of data: inputs, targets (n, K), and what else a row may have.

    Attributes:
        frequencies: how often each row occurs, (n,), or None.
        precisions: of each row's noise, relative to each other, (n,), or None.
        offset: known part of the targets, (n, K), or None.
        trials: of which the targets are shares, (n,), already counted in the frequencies, or None.
    """

    inputs: Inputs
    targets: np.ndarray
    frequencies: np.ndarray | None = None
    precisions: np.ndarray | None = None
    offset: np.ndarray | None = None
    trials: np.ndarray | None = None

    @classmethod
    def of(cls, x: Any, t: Any, weights: Any = None, precisions: Any = None, offset: Any = None) -> "Rows":
        """Data as people have them, checked.

        Raises:
            DataError: unlike lengths, values missing or infinite, weights below 0.
        """
        inputs = Inputs.of(x)
        if any(not isinstance(c, np.ndarray) for c in inputs.columns):
            matrix = None if inputs.matrix is None else np.asarray(inputs.matrix)
            inputs = Inputs(inputs.names, tuple(map(np.asarray, inputs.columns)), matrix)
        targets = _numbers(t, "targets")
        n = len(inputs)
        if targets.ndim not in (1, 2) or len(targets) != n:
            raise DataError(f"targets must have shape ({n},) or ({n}, K), as there are {n} rows, got {targets.shape}")
        if not n:
            raise DataError("there must be at least one row, got none")
        targets = targets.reshape(n, -1)
        require_finite(targets, "targets")
        frequencies, precisions = _heights(weights, "weights", n, 0), _heights(precisions, "precisions", n, 1)
        if frequencies is not None and not frequencies.any():
            raise DataError("at least one weight must be > 0, all weights are zero")
        if offset is not None:
            offset = _numbers(offset, "offset")
            require_finite(offset, "offset")
            if offset.shape[:1] != (n,) or offset.ndim > 2:
                raise DataError(f"offset must have as many rows as the targets, {n}, got shape {offset.shape}")
            offset = np.broadcast_to(offset.reshape(n, -1), targets.shape)
        return cls(inputs, targets, frequencies, precisions, offset)

    def shares(self, trials: Any) -> "Rows":
        """The same where targets are successes of so many trials, (n,): shares of them, each trial an observation.

        Raises:
            DataError: trials that are no numbers >= 0, or more successes than trials.
        """
        trials = _heights(trials, "trials", len(self.targets), 0)
        assert trials is not None
        bad = ~((self.targets[:, 0] >= 0) & (self.targets[:, 0] <= trials))
        if bad.any():
            at = int(bad.argmax())
            where = "" if self.inputs.start is None else f" {at_row(self.inputs.start + at + 1)}"
            raise DataError(f"successes must be >= 0 and <= trials, {trials[at]:g}, got {self.targets[at, 0]:g}{where}")
        often = trials if self.frequencies is None else self.frequencies * trials
        if not often.any():
            raise DataError("at least one row must have trials, all have none")
        shares = self.targets / np.maximum(trials, 1e-300)[:, None]
        return replace(self, targets=shares, frequencies=often, trials=trials)

    @property
    def counted(self) -> Inputs:
        """Inputs of rows that occur, from which bases take their ranges."""
        return self.inputs if self.frequencies is None else self.inputs.rows(self.frequencies > 0)

    def blocks(self) -> Iterator["Rows"]:
        """Stretches of at most ``ROWS`` rows."""
        for at in range(0, len(self.targets), ROWS):
            yield self.where(slice(at, at + ROWS))

    def sample(self, k: int) -> "Rows":
        """At most k rows in their order, uniformly drawn where there are more: always the same ones."""
        n = len(self.targets)
        if n <= k:
            return self
        return self.where(np.sort(np.random.default_rng(0).choice(n, k, replace=False, shuffle=False)))

    def where(self, cut: Any) -> "Rows":
        """Some of the rows."""
        rest = (None if a is None else a[cut] for a in (self.frequencies, self.precisions, self.offset, self.trials))
        return Rows(self.inputs.rows(cut), self.targets[cut], *rest)


def _numbers(values: Any, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        try:
            array = array.astype(float)
        except (TypeError, ValueError):
            raise DataError(f"{what} must be numbers, got {array.dtype}") from None
    return array.astype(float, copy=False)


def _heights(values: Any, what: str, n: int, least: int) -> np.ndarray | None:
    if values is None:
        return None
    array = _numbers(values, what)
    bad = ~(np.isfinite(array) & ((array > 0) if least else (array >= 0)))
    if array.shape != (n,):
        raise DataError(f"{what} must have shape ({n},), got {array.shape}")
    if bad.any():
        at = int(bad.argmax())
        raise DataError(f"{what} must be finite and {'> 0' if least else '>= 0'}, got {array[at]:g} at index {at}")
    return array


@dataclass(frozen=True)
class Design:
    """How rows become columns.

    Attributes:
        basis: settled.
        intercept: whether the constant comes first.
        input_names: of the inputs the basis was settled for.
    """

    basis: Basis | None
    intercept: bool
    input_names: tuple[str, ...]

    @classmethod
    def of(cls, basis: Basis | None, intercept: bool, inputs: Inputs) -> "Design":
        """Settle a basis on inputs."""
        if basis is None and not intercept:
            raise ValueError("a model without a basis must have an intercept")
        return cls(None if basis is None else basis.settled(inputs), intercept, inputs.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, those of targets apart."""
        found = () if self.basis is None else self.basis.names(Inputs(self.input_names, ()))
        return ("intercept", *found) if self.intercept else found

    @property
    def conversion(self) -> Any:
        """Exact matrix from coefficients of the computed columns to those reported; None where they are the same."""
        return None if self.basis is None or not self.intercept else self.basis.conversion()

    def inputs(self, x: Any) -> Inputs:
        """Inputs of these names; of a table those columns are taken, of an array they count, as of a series.

        Raises:
            ValueError: there are too few or too many, or others.
        """
        found = Inputs.of(x)
        if found.names == self.input_names:
            return found
        if set(self.input_names) <= set(found.names):
            return Inputs(self.input_names, tuple(found.columns[found.names.index(n)] for n in self.input_names))
        named = not are_default(found.names) and not are_default(self.input_names)
        if (named and (is_table(x) or len(found.names) > 1)) or len(found.names) != len(self.input_names):
            if len(self.input_names) > 1 and len(found.names) == 1 and len(found) == len(self.input_names):
                return Inputs(self.input_names, tuple(found.columns[0][j : j + 1] for j in range(len(found))))
            raise ValueError(f"inputs must be {', '.join(self.input_names)}, got {', '.join(found.names)}")
        return Inputs(self.input_names, found.columns, found.matrix)

    def columns(self, inputs: Inputs, reported: bool = False) -> Columns:
        """Constant and basis functions, those computed with or those reported, (n, M)."""
        return side_by_side(self._parts(inputs, reported))

    def _parts(self, inputs: Inputs, reported: bool = False) -> list[Columns]:
        parts = []
        if self.intercept:
            parts.append(Columns(namespace(inputs.columns[0]).ones((len(inputs), 1))))
        if self.basis is not None:
            make = self.basis.columns if reported or not self.intercept else self.basis.computed
            parts.append(make(inputs))
        return parts

    def with_targets(self, rows: Rows) -> list[Columns]:
        """Basis functions, if any, and targets less their offset."""
        parts = self._parts(rows.inputs)[int(self.intercept) :]
        for part in parts:
            require_finite(part.hi, "basis functions")
        targets = (rows.targets,) if rows.offset is None else two_sum(rows.targets, -rows.offset)
        return [*parts, Columns(*targets)]

    def require_sizes(self, parts: list[Columns]) -> None:
        """DataError for a column, or targets, whose squares are beyond what a float holds."""
        sizes = np.concatenate([np.abs(p.hi[:PILOT]).max(axis=0, initial=0.0) for p in parts])
        bad = ~((sizes < 1.0 / LEAST) & ((sizes > LEAST) | (sizes == 0.0)))
        if bad.any():
            at = int(bad.argmax())
            names = self.names[int(self.intercept) :]
            what = f"column {names[at]!r}" if at < len(names) else "targets"
            raise DataError(
                f"{what} must have a size between {LEAST:g} and {1 / LEAST:g}, got {sizes[at]:.3g}: rescale it"
            )

    def statistic(
        self, kind: type[RegressionStatistic], blocks: Iterable[Rows], shift: np.ndarray | None = None
    ) -> RegressionStatistic:
        """The statistic of all blocks."""
        found: Any = None
        compiled: bool | None = None
        for rows in blocks:
            compiled = len(rows.targets) > FEW if compiled is None else compiled  # what is compiled serves the rest
            parts, several = self.with_targets(rows), rows.targets.shape[1]
            self.require_sizes(parts)
            shift = pilot(parts, self.intercept) if shift is None else shift
            part = statistic(
                kind, parts, self.intercept, shift, rows.frequencies, rows.precisions, compiled,
                several if several > TOGETHER else 0,
            )  # fmt: skip
            found = part if found is None else found + part
        if found is None:
            raise DataError("there must be at least one row, got none")
        return found
