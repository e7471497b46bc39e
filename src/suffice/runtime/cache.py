"""What is slow to make and always the same, kept from one run to the next."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suffice.runtime.files import write_whole


def folder() -> Path:
    """Where it is kept: ``suffice`` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "suffice"


def jax_settings() -> dict[str, Any]:
    """Names and values of JAX's settings by which compiled code is kept."""
    return {
        "jax_compilation_cache_dir": os.environ.get("JAX_COMPILATION_CACHE_DIR") or str(folder() / "jax"),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }


def keep_compiled(path: str | os.PathLike[str] | None = None) -> Path:
    """Keep compiled code in a folder, from where later processes take it: their first calls start fast.

    It sets JAX's persistent compilation cache for this process, all that JAX compiles included; the command ``suffice``
    does so by itself. The folder grows with what is compiled, and may be deleted at any time.

    Args:
        path: the folder; if None that of the command: JAX_COMPILATION_CACHE_DIR, or ``suffice/jax`` in XDG_CACHE_HOME or
            ~/.cache.

    Returns:
        The folder.

    Example:
        >>> import suffice as sf
        >>> sf.keep_compiled().name
        'jax'
    """
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    settings = jax_settings()
    found = Path(settings["jax_compilation_cache_dir"] if path is None else path).expanduser()
    for name, value in (settings | {"jax_compilation_cache_dir": str(found)}).items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()  # JAX goes on with a folder that it has opened
    return found


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
