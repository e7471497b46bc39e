"""Switch JAX to 64-bit numbers when the library is imported, unless the user decided otherwise."""

import os
import sys
import warnings


def enable() -> None:
    """Turn on ``jax_enable_x64``, unless ``JAX_ENABLE_X64`` is in the environment.

    JAX is not imported for it: its environment variable is set, so that ``suffice --help`` stays instant.
    """
    if "JAX_ENABLE_X64" in os.environ:
        return
    os.environ["JAX_ENABLE_X64"] = "1"
    jax = sys.modules.get("jax")
    if jax is None or jax.config.jax_enable_x64:
        return
    from jax._src import xla_bridge  # the only way to ask whether a backend runs without starting one

    if xla_bridge.backends_are_initialized():
        warnings.warn(
            "suffice switches JAX to 64-bit numbers, but JAX already runs with 32 bits: arrays made so far stay "
            "32-bit. Import suffice first, or set JAX_ENABLE_X64=0 to keep 32 bits.",
            stacklevel=3,
        )
    jax.config.update("jax_enable_x64", True)
