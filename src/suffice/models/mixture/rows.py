"""Data of a mixture: rows of one or several columns, in memory or read anew at each pass, and what one look tells."""

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from suffice.models.mixture.censored import dearness, with_points
from suffice.models.mixture.columns import names_of
from suffice.models.mixture.expectation import Rows
from suffice.models.mixture.model import Expected, Model, Params
from suffice.numerics import linalg
from suffice.runtime.errors import DataError
from suffice.streams import Chunk, Data, Part, Source, Table, fold, from_array
from suffice.streams.columns import to_float

WINDOW = 2**18  # rows worked on at a time
_SHARED = 2**14  # rows of which processors take shares
_SHARES = 8  # of a window
HELD = 2**25  # numbers of a source that are kept in memory
_LIGHT = 2**23  # numbers, of which a pass makes use in some milliseconds
SAMPLE = 2**12  # rows that starts are tried on


@dataclass(frozen=True)
class Look:
    """What one pass tells of the rows: how many, moments and range of their points, and some chosen evenly at random.

    A point is a whole row, or of a censored one the first column.
    """

    count: float
    rows: int
    mean: np.ndarray
    scatter: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sample: np.ndarray
    weights: np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, chunk: Chunk, censored: bool) -> "Look":
        rows = chunk.values
        x = rows[:, :1] if censored else rows
        w = np.ones(len(x)) if chunk.weights is None else chunk.weights
        keys = np.random.default_rng(chunk.start).random(len(x))
        total = w.sum()
        mean = w @ x / total if len(x) else np.zeros(x.shape[1])
        step = x - mean
        low, high = x.min(0, initial=np.inf), x.max(0, initial=-np.inf)
        return cls(float(total), len(x), mean, (w[:, None] * step).T @ step, low, high, *_thinned(rows, w, keys))

    def __add__(self, other: "Look") -> "Look":
        count = self.count + other.count
        share = other.count / count if count else 0.0
        move = other.mean - self.mean
        joined = (np.concatenate([getattr(self, a), getattr(other, a)]) for a in ("sample", "weights", "keys"))
        return Look(
            count,
            self.rows + other.rows,
            self.mean + share * move,
            self.scatter + other.scatter + self.count * share * np.outer(move, move),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            *_thinned(*joined),
        )

    @property
    def covariance(self) -> np.ndarray:
        return self.scatter / self.count

    @property
    def points(self) -> np.ndarray:
        """Those of the sample."""
        return self.sample[:, : len(self.mean)]


def is_light(rows: int, columns: int, components: int) -> bool:
    """Whether a pass over the data costs less than to compile a program of its own for it."""
    return rows * components * columns**2 <= _LIGHT


def _thinned(x: np.ndarray, w: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows of smallest keys, in the order they came."""
    if len(x) <= SAMPLE:
        return x, w, keys
    kept = np.sort(np.argpartition(keys, SAMPLE)[:SAMPLE])
    return x[kept], w[kept], keys[kept]


def _table(values: np.ndarray) -> np.ndarray:
    values = values if values.dtype.kind == "f" else values.astype(float)
    return values[:, None] if values.ndim == 1 else values


@dataclass(frozen=True)
class Total:
    """Arrays that add, so that a fold can."""

    value: Any

    def __add__(self, other: "Total") -> "Total":
        return Total(jax.tree.map(np.add, self.value, other.value))


class MixtureRows:
    """Rows that the E-step goes over as often as it needs; ``passes`` counts how often a source was read.

    Attributes:
        source: where they come from.
        names: of the columns.
        single: whether rows are numbers rather than vectors.
        censored: whether rows are (point, left, right) of values known to lie in intervals.
    """

    def __init__(self, source: Source, names: tuple[str, ...], single: bool) -> None:
        self.source, self.names, self.single, self.passes = source, names, single, 1
        self.censored = source.censored
        self._pieces: list[Rows] | None = None
        chunks, held = [], 0
        for chunk in source.chunks():
            chunks.append(chunk)
            held += np.size(chunk.values)
            if held > HELD and source.origin != "array":
                break
        else:
            self._hold([c for c in chunks if len(c.values)])
            return
        del chunks
        self.look = fold(source, lambda c: Looked(replace(c, values=self.table(c.values)), self.censored)).look

    def table(self, values: np.ndarray) -> np.ndarray:
        """Values of the source as rows."""
        return with_points(values) if self.censored else _table(values)

    def part(self, x: np.ndarray, w: np.ndarray | None) -> "MixtureRows":
        """Rows in the form in which these came, in memory."""
        if self.censored:
            return MixtureRows(Data(left=x[:, 1], right=x[:, 2], weights=w).source, self.names, True)
        return rows_of(x[:, 0] if self.single else x, w, "error")

    def _hold(self, chunks: list[Chunk]) -> None:
        x = [self.table(c.values) for c in chunks]
        w = [c.weights for c in chunks]
        self.x = x[0] if len(x) == 1 else np.concatenate(x)
        heights = [np.ones(len(a)) if b is None else b for a, b in zip(x, w, strict=True)]
        self.w = None if all(b is None for b in w) else np.concatenate(heights)
        looks = [
            Look.of(Chunk(self.x[at], None if self.w is None else self.w[at], at.start, 0), self.censored)
            for at in _windows(len(self.x))
        ]
        self.look = looks[0] if len(looks) == 1 else sum(looks[1:], start=looks[0])

    @property
    def in_memory(self) -> bool:
        return hasattr(self, "x")

    @property
    def order(self) -> Any:
        """In which order rows are worked on: of censored ones, kinds together."""
        return np.argsort(dearness(self.x), kind="stable") if self.censored else slice(None)

    @property
    def pieces(self) -> list[Rows]:
        """The rows on the device."""
        if self._pieces is None:
            cuts = shares(len(self.x))
            x, w = self.x[self.order], None if self.w is None else self.w[self.order]
            self._pieces = [Rows(x[at], None if w is None else w[at]) for at in cuts]
        return self._pieces

    def evaluate(self, model: Model, p: Params) -> Expected:
        """The E-step: log-likelihoods, counts and sums under the parameters of several runs."""
        filled = model.filled(p)
        found = self.expected_under(model.kernels, model.prepare(filled), filled.log_weights)
        return model.unfilled(Expected(*found))

    def expected_under(self, kernels: Any, prepared: Any, log_weights: np.ndarray) -> Any:
        """Log-likelihoods, counts, the kernels' sums and entropies: one pass."""
        if self.in_memory:
            if len(self.pieces) == 1:
                return self.pieces[0].expected(kernels, prepared, log_weights)
            work = lambda piece: Total(piece.expected(kernels, prepared, log_weights))  # noqa: E731
            parts = list(_workers().map(work, self.pieces))
            while len(parts) > 1:  # pairwise, in an order that never changes
                parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)] + parts[len(parts) // 2 * 2 :]
            return parts[0].value
        self.passes += 1

        def reduce(chunk: Chunk) -> Total:
            found = []
            for at in range(0, max(len(chunk.values), 1), WINDOW):
                cut = slice(at, at + WINDOW)
                x, w = self.table(chunk.values[cut]), None if chunk.weights is None else chunk.weights[cut]
                if not len(x):
                    x, w = self.look.sample[:1], np.zeros(1)
                found.append(Total(Rows(x, w).expected(kernels, prepared, log_weights)))
            return sum(found[1:], start=found[0])

        return fold(self.source, reduce).value


def _windows(n: int) -> list[slice]:
    return [slice(a, min(a + WINDOW, n)) for a in range(0, n, WINDOW)]


def shares(n: int) -> list[slice]:
    """Cuts of n rows; for processors equal ones, as many whatever the machine, so that sums come out the same."""
    windows = _windows(n)
    if jax.default_backend() != "cpu" or n < _SHARED:
        return windows
    count = _SHARES * len(windows) if n >= _SHARES * _SHARED // 2 else 2
    return [slice(a, b) for a, b in itertools.pairwise(np.linspace(0, n, count + 1).astype(int).tolist())]


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(os.cpu_count() or 1, _SHARES), "suffice-mixture")


def posterior_of(model: Model, p: Params, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Responsibilities (n, K) and log-densities (n,) of rows under the parameters of one run."""
    filled = model.filled(p)
    prepared = model.prepare(filled)
    work = lambda at: Rows(x[at], None).posterior(model.kernels, prepared, filled.log_weights)  # noqa: E731
    found = list(_workers().map(work, shares(len(x))))
    if not found:
        return np.zeros((0, model.count)), np.zeros(0)
    r, values = np.concatenate([r for r, _ in found]), np.concatenate([v for _, v in found])
    return r if filled is p else r[:, model.kept], values


class Looked:
    """The look at a chunk, or nothing for one without rows."""

    def __init__(self, chunk: Chunk | None, censored: bool = False, look: Look | None = None) -> None:
        self.look: Any = look if chunk is None else Look.of(chunk, censored) if len(chunk.values) else None

    def __add__(self, other: "Looked") -> "Looked":
        if self.look is None or other.look is None:
            return other if self.look is None else self
        return Looked(None, look=self.look + other.look)


def rows_of(data: Any, weights: Any, missing: Any, censored: bool = False) -> MixtureRows:
    """Data of any form as rows; those of censored values only where ``censored``.

    Raises:
        DataError: not numbers, missing or infinite values, unusable weights, no rows, censored values, truncated ones.
    """
    if isinstance(data, MixtureRows):
        return data
    if isinstance(data, Table | Source | Data) and weights is not None:
        raise TypeError("weights of a source are named when it is made: sf.scan_table(path, weights=…)")
    if isinstance(data, Table):
        return MixtureRows(data.source.treating(missing) if missing != "error" else data.source, data.names, False)
    if isinstance(data, Data):
        if not data.is_plain:
            return rows_of(data.source, None, missing, censored)
        return rows_of(np.asarray(data.rows[:, 0]), data.weights, missing)
    if isinstance(data, Source):
        if data.censored and not censored:
            raise DataError(f"{data.label}: values must be known: these are censored or truncated")
        return MixtureRows(data.treating(missing) if missing != "error" else data, (data.name,), True)
    if callable(data):
        part = Part(0, partial(_arrays, data), missing, tabular=True)
        return MixtureRows(Source("x", "chunks", "chunks", None, missing, (part,)), (), False)
    names = names_of(data)
    x = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
    if x.ndim == 1:
        name = getattr(data, "name", None)
        return MixtureRows(from_array(data, weights, missing=missing), ("x" if name is None else str(name),), True)
    if x.dtype.kind not in "biuf" or x.ndim != 2:
        raise DataError(f"data must be numbers of shape (n,) or (n, d), got {x.dtype} of shape {x.shape}")
    x = x if x.dtype in (np.float64, np.float32) else x.astype(float)
    w = None if weights is None else np.asarray(weights, float)
    if w is not None and w.shape != x.shape[:1]:
        raise ValueError(f"weights must have as many rows as the data, {len(x)}, got shape {w.shape}")
    part = Part(0, lambda: iter([(x, w)]), missing, tabular=True)
    found = Source("x", "array", "data", len(x), missing, (part,))
    return MixtureRows(found, names if len(names) == x.shape[1] else (), False)


def _arrays(call: Callable[[], Any]) -> Iterator[Any]:
    for array in call():
        x = np.asarray(array)
        yield (x if x.dtype == np.float32 else to_float(x.ravel(), "chunks", 0).reshape(x.shape)), None


def check_spread(look: Look, columns: slice, label: str) -> None:
    """DataError where columns of a normal component have no spread, or depend on each other."""
    scatter, mean = look.scatter[columns, columns], look.mean[columns]
    reach = look.high[columns] - look.low[columns]
    size = np.maximum(np.abs(look.high[columns]), np.abs(look.low[columns]))
    constant = reach <= 8.0 * np.finfo(float).eps * size
    if constant.any():
        at = int(constant.argmax())
        raise DataError(f"{label}: column {columns.start + at + 1} is constant, {look.low[columns][at]:g} in every row")
    if linalg.rank(scatter / look.count, mean) < len(mean):
        raise DataError(f"{label}: {look.rows} rows leave the covariance of {len(mean)} columns singular")
