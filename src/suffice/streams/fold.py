"""The fold: a statistic of every chunk, added up. It knows only that statistics add."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Protocol, Self

from suffice.streams.source import Chunk, Flaw, Part, Source

MOST_WORKERS = 8  # each holds a few blocks in memory


class Additive(Protocol):
    """What a fold adds up."""

    def __add__(self, other: Any, /) -> Self: ...


class Counter(Protocol):
    """Whoever wants to know how many rows have been read."""

    def update(self, rows: int, /) -> None: ...


def fold[S: Additive](
    source: Source,
    reduce: Callable[[Chunk], S],
    *,
    workers: int | None = None,
    progress: Counter | None = None,
) -> S:
    """The sum of `reduce(chunk)` over a source's chunks, merged pairwise.

    The order of the additions follows from the chunks alone: any number of workers gives the same bits. Parts are
    read and reduced in threads. An interrupt stops them at their next chunk.

    Args:
        source: what to read.
        reduce: from a chunk, of no rows perhaps, to something with `+`; called from several threads at once.
        workers: threads; by default one per usable processor, at most 8.
        progress: told how many rows were read, after each chunk.

    Raises:
        DataError: nothing is left to add, or the source is not fit to be used.
    """
    parts = source.parts()
    workers = min(workers or _usable(), len(parts))
    trunk, queue, lock, stop, kept = _Tree(), enumerate(parts), threading.Lock(), threading.Event(), [0]

    def take() -> tuple[int, Part] | None:
        with lock:
            return next(queue, None)

    def work() -> None:
        try:
            while (taken := take()) is not None:
                index, part = taken
                branch = _Tree()
                for number, chunk in enumerate(part.chunks()):
                    if stop.is_set():
                        return
                    branch.add(number, reduce(chunk))
                    with lock:
                        kept[0] += len(chunk.values)
                    if progress is not None:
                        progress.update(chunk.rows)
                if branch:
                    trunk.add(index, branch.total())
        except BaseException:
            stop.set()
            raise

    try:
        if workers <= 1:
            work()
        else:
            with ThreadPoolExecutor(workers, "suffice-fold") as pool:
                try:
                    running = [pool.submit(work) for _ in range(workers)]
                    # In short waits: a signal just before an endless one would be noticed only at its end.
                    while wait(running, timeout=0.1).not_done:
                        pass
                    for worker in running:
                        worker.result()
                finally:
                    stop.set()
    except Flaw:
        source.audit()
    if not kept[0]:
        source.audit()
    return trunk.total()


def _usable() -> int:
    """Processors this process may run on, at most MOST_WORKERS."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, MOST_WORKERS)


class _Tree:
    """Pairwise addition of numbered terms that arrive in any order: the shape of the sum depends on the numbers alone.

    Term 2i is added to term 2i + 1, that pair to its neighbour, and so on; a term waits only for its sibling.
    """

    def __init__(self):
        self._waiting: dict[tuple[int, int], Any] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, index: int, term: Any) -> None:
        level = 0
        while True:
            with self._lock:
                if (level, index ^ 1) not in self._waiting:
                    self._waiting[level, index] = term
                    return
                sibling = self._waiting.pop((level, index ^ 1))
            term = sibling + term if index & 1 else term + sibling
            level, index = level + 1, index >> 1

    def total(self) -> Any:
        """The sum of all terms: one pair is left per binary digit of their number, the smallest last in order."""
        (_, total), *rest = sorted(self._waiting.items())
        for _, term in rest:
            total = term + total
        return total
