"""How far a long reading has come: a bar with rate and time left on a terminal, nothing anywhere else."""

import sys
from typing import Any, Self


class Progress:
    """A context whose `update(rows)` moves a bar on stderr, where that is a terminal and `quiet` is not set.

    Args:
        label: what is being done.
        total: rows in all, None where that is not known.
        quiet: show nothing.
    """

    def __init__(self, label: str, total: int | None = None, *, quiet: bool = False):
        self._bar: Any = None
        if not quiet and sys.stderr.isatty():
            self._bar = _bar()
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
        if self._bar is not None:
            self._bar.advance(self._task, rows)
            speed = next(task.speed for task in self._bar.tasks if task.id == self._task)
            self._bar.update(self._task, rate="" if speed is None else f"{speed / 1e6:.3g} million rows/s")


def _bar() -> Any:
    from rich.console import Console  # only where a bar is shown: importing rich takes longer than reading a small file
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
