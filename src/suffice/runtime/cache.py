"""What is slow to make and always the same, kept from one run to the next."""

import os
from collections.abc import Callable
from pathlib import Path

from suffice.runtime.files import write_whole


def folder() -> Path:
    """Where it is kept: ``suffice`` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "suffice"


def kept(name: str, make: Callable[[], str]) -> str:
    """A text that was kept, or else is made now and kept where the folder can be written to."""
    path = folder() / name
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError:
        pass  # the next run makes it again
    return text
