"""How far a long reading has come: a bar with rate and time left on a terminal, nothing anywhere else."""

import sys
import threading
from typing import Any, Self


class Progress:
    """A context whose `update(rows)` moves a bar on stderr, where that is a terminal and `quiet` is not set.

    Args:
        label: what is being done.
        total: rows in one pass, None where that is not known. More rows than these belong to further passes: the bar
            starts anew for each and says which it is.
        quiet: show nothing.
        unit: what is counted.
    """

    def __init__(self, label: str, total: int | None = None, *, quiet: bool = False, unit: str = "rows"):
        self._bar: Any = None
        self._unit = unit
        self._label, self._total, self._rows, self._lock = label, total, 0, threading.Lock()
        if not quiet and sys.stderr.isatty():
            self._bar = _bar(unit)
            self._task = self._bar.add_task(label, total=total, rate="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, rows: int) -> None:
        """So many more rows are done; may be called from any thread."""
        if self._bar is None:
            return
        with self._lock:
            before, self._rows = self._pass(self._rows), self._rows + rows
            if (number := self._pass(self._rows)) > max(before, 1):
                self._bar.reset(self._task, description=f"{self._label}, pass {number}", total=self._total)
            self._bar.update(self._task, completed=self._rows - (number - 1) * (self._total or 0))
            speed = next(task.speed for task in self._bar.tasks if task.id == self._task)
            self._bar.update(self._task, rate="" if speed is None else _speed(speed, self._unit))

    def _pass(self, rows: int) -> int:
        """The pass, from 1, to which the last of so many rows belongs."""
        return -(-rows // self._total) or 1 if self._total else 1


def _speed(speed: float, unit: str) -> str:
    return f"{speed / 1e6:.3g} million {unit}/s" if speed >= 1e5 else f"{speed:,.0f} {unit}/s"


def _bar(unit: str) -> Any:
    from rich.console import Console  # only where a bar is shown: importing rich takes longer than reading a small file
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} " + unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
