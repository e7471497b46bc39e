"""Where the time went: imports, tracing, compiling, running."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EVENTS = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "trace",
    "/jax/core/compile/backend_compile_duration": "compile",
}


class Timing:
    """Seconds by phase. Two threads compile side by side, so their seconds can exceed the clock's."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Count the time of a block as imports."""
        began = time.perf_counter()
        yield
        self.spent["import"] += time.perf_counter() - began  # type: ignore[assignment]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen to what JAX says of tracing and compiling."""
        import jax.monitoring

        def listen(event: str, duration_secs: float, **_: Any) -> None:
            if event in _EVENTS:
                self.spent[_EVENTS[event]] += duration_secs  # type: ignore[assignment]

        jax.monitoring.register_event_duration_secs_listener(listen)
        began = time.perf_counter()
        yield
        self.spent["total"] += time.perf_counter() - began  # type: ignore[assignment]

    def __str__(self) -> str:
        phases = ", ".join(f"{name} {self.spent[name]:.2f} s" for name in ("import", "trace", "compile"))
        return f"{phases} (summed over two threads), fit and print {self.spent['total']:.2f} s"
