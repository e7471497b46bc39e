"""Writing files so that nobody ever sees half of one."""

import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], text: str) -> Path:
    """Write a file whole or not at all: beside its place first, then moved there.

    Links are followed to what they name. What is there and is no file, such as a pipe or a terminal, is written to.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return path
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name[:32]}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    return path
