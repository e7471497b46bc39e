"""Files the commands read and write: refused early, and reported in one line where the system refuses."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from suffice.cli.app import fail


def check_places(read: Sequence[Path], written: Sequence[Path | None]) -> None:
    """Refuse what could not be written, or would be written over, before anything is read."""
    taken = {os.path.realpath(path): "the file to be read" for path in read}
    for path in filter(None, written):
        place = os.path.realpath(path)
        if not os.path.isdir(os.path.dirname(place)):
            fail(f"the folder of {path} does not exist", 2)
        if os.path.isdir(place):
            fail(f"{path} is a folder, not a file", 2)
        if place in taken:
            fail(f"{path} cannot be written: it is {taken[place]}", 2)
        taken[place] = "written already by another option or column"


@contextmanager
def place(path: Path, done: str) -> Iterator[None]:
    """End with one line where the system refuses what is done to a file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"{path} cannot be {done}: {error.strerror or error}", 1)
