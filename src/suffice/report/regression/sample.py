"""A bounded sample of the rows of a fit, as figures need them."""

from typing import Any

import numpy as np

from suffice.models.bases.inputs import Inputs
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.report.tables import Table, number

POINTS = 1000  # rows drawn at most


class Sampled:
    """Some rows of a fit, and what they and their columns are called.

    Attributes:
        rows: some of the data, None where only their statistic is there.
        place: of the target drawn.
    """

    rows: Rows | None
    place: int
    level_word = "near 0"  # where the mean of residuals stays

    @property
    def design(self) -> Design:
        """How inputs become columns."""
        raise NotImplementedError

    @property
    def limit(self) -> float | None:
        """Within which 95 % of residuals lie if the model holds; None where that is not known."""
        return 1.96

    @property
    def target(self) -> str:
        """What the target is called."""
        raise NotImplementedError

    @property
    def less_offset(self) -> str:
        """What was taken from the targets."""
        return "" if self.rows is None or self.rows.offset is None else ", less its offset"

    @property
    def sampled_word(self) -> str:
        """Whether all rows are drawn."""
        if self.rows is None or self.whole:
            return ""
        return f" Drawn from a random sample of {number(len(self.rows.targets))} rows."

    @property
    def whole(self) -> bool:
        """Whether the sample is all rows."""
        return self.rows is not None and len(self.rows.targets) < POINTS

    @property
    def alone(self) -> bool:
        """Whether there is one input, of numbers."""
        names = self.design.input_names
        return len(names) == 1 and self.design.basis is not None and (self.rows is None or names[0] in self.numeric)

    @property
    def numeric(self) -> list[str]:
        """Inputs that are numbers."""
        assert self.rows is not None
        pairs = zip(self.design.input_names, self.rows.inputs.columns, strict=True)
        return [name for name, column in pairs if np.asarray(column).dtype.kind == "f" and np.ptp(column) > 0]

    def column(self, name: str) -> np.ndarray:
        """An input of the rows."""
        assert self.rows is not None
        return np.asarray(self.rows.inputs.columns[self.design.input_names.index(name)])

    def range_of(self, name: str) -> tuple[float, float]:
        """Ends of an input."""
        if self.rows is None:
            return -1.0, 1.0
        column = self.column(name)
        return float(column.min()), float(column.max())

    @property
    def whole_targets(self) -> np.ndarray:
        """Targets as they are."""
        assert self.rows is not None
        return self.rows.targets[:, self.place]

    @property
    def targets(self) -> np.ndarray:
        """Targets less their offset."""
        assert self.rows is not None
        return self.whole_targets if self.rows.offset is None else self.whole_targets - self.rows.offset[:, self.place]

    def listed(self, order: np.ndarray, columns: dict[str, np.ndarray]) -> Table:
        """Some rows: inputs, target, and what is said of them."""
        assert self.rows is not None
        names = self.design.input_names[:4]
        inputs = [np.asarray(c) for c in self.rows.inputs.columns[:4]]
        shown = [*inputs, self.whole_targets, *columns.values()]
        cells = tuple(tuple(v if isinstance(v := c[i], str) else number(float(v), 5) for c in shown) for i in order)
        words = frozenset(i for i, c in enumerate(inputs) if c.dtype.kind in "US")
        return Table((*names, self.target, *columns), cells, words)

    def held(self, given: dict[str, np.ndarray]) -> Inputs:
        """Inputs of which some are given, the others at medians or most frequent values."""
        n, columns = len(next(iter(given.values()))), []
        for name in self.design.input_names:
            columns.append(given[name] if name in given else np.full(n, _typical(self.column(name))))
        return Inputs(self.design.input_names, tuple(columns))


def _typical(column: np.ndarray) -> Any:
    if column.dtype.kind == "f":
        return float(np.median(column))
    values, counts = np.unique(column, return_counts=True)
    return values[counts.argmax()]
