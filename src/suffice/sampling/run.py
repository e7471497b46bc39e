"""The run loop: chains side by side, in threads or as one vectorised program, block by block."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from suffice.runtime.progress import Progress
from suffice.sampling.loop import Block, Chain, Problem, advance

_SECONDS = 0.2  # that a block should take: so long Ctrl-C waits, and so often the bar moves
_VALUES = 2**21  # numbers of a block
_THREADS = 64


class Recorder(Protocol):
    """Where blocks go: memory, or a file."""

    def add(self, c: int, block: Block | None, chain: Chain) -> None:
        """Take in rows of chain c, in order, and where it stands now; of warm-up there are no rows."""
        ...

    def room(self, c: int) -> int:
        """How many rows it takes at most in the next block of chain c."""
        ...


@dataclass(frozen=True)
class Plan:
    """How far chains are to go.

    Attributes:
        warmup: steps of warm-up.
        draws: steps after it.
        parallel: "threads" or "vectorized".
        quiet: show no bar.
    """

    warmup: int
    draws: int
    parallel: str = "threads"
    quiet: bool = False

    def next(self, steps: int, pace: int, room: int) -> int:
        """How many steps the next block of a chain has: warm-up and draws are never in one."""
        if steps < self.warmup:
            return min(pace, self.warmup - steps)
        return min(pace, self.warmup + self.draws - steps, room)


def whole(name: str, value: Any, least: int) -> None:
    """Refuse a count that is no integer, or too small."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be >= {least}, got {value}")


def chosen(parallel: str | None) -> str:
    """Threads on a CPU, where vectorised chains wait for the slowest at each step; vectorised on an accelerator."""
    if parallel is None:
        return "threads" if jax.default_backend() == "cpu" else "vectorized"
    if parallel not in ("threads", "vectorized"):
        raise ValueError(f"parallel must be threads or vectorized, got {parallel!r}")
    return parallel


def capacity_of(problem: Problem) -> int:
    """Rows of a block."""
    return max(1, min(1000, _VALUES // max(problem.space.dimension, 1)))


def go(
    problem: Problem, chains: list[Chain], key: jax.Array, plan: Plan, recorder: Recorder
) -> tuple[list[Chain], bool]:
    """Take chains to the end of the plan; also whether they got there, or were interrupted."""
    left = sum(plan.warmup + plan.draws - int(c.steps) for c in chains)
    stop = threading.Event()
    with Progress("sampling", max(left, 0), quiet=plan.quiet, unit="draws") as bar:
        runner = _Runner(problem, key, plan, recorder, stop, bar.update)
        # never in this thread, which Ctrl-C stops: what runs finishes its block, and has written it down whole
        with ThreadPoolExecutor(min(len(chains), _THREADS)) as pool:  # all go on together: Ctrl-C finds draws of each
            if plan.parallel == "vectorized":
                work = [pool.submit(runner.together, chains)]
            else:
                work = [pool.submit(runner.one, c, chain) for c, chain in enumerate(chains)]
            try:
                return [chain for w in work for chain in w.result()], True
            except KeyboardInterrupt:
                stop.set()
                return [chain for w in work for chain in w.result()], False
            except BaseException:
                stop.set()
                raise


class _Runner:
    """What chains share while they run."""

    def __init__(
        self, problem: Problem, key: jax.Array, plan: Plan, recorder: Recorder, stop: Any, tell: Callable[[int], None]
    ):
        self.problem, self.key, self.plan, self.recorder, self.stop, self.tell = (
            problem,
            key,
            plan,
            recorder,
            stop,
            tell,
        )
        self.capacity = capacity_of(problem)
        self.end = plan.warmup + plan.draws

    def one(self, c: int, chain: Chain) -> list[Chain]:
        """One chain to its end, by itself."""
        key, pace = jax.random.fold_in(self.key, c), _Pace(self.capacity)
        while (done := int(chain.steps)) < self.end and not self.stop.is_set():
            count = self.plan.next(done, pace.count, self.recorder.room(c))
            chain, block = pace.timed(advance, self.problem, self.capacity, chain, key, count, self.plan.warmup)
            self.recorder.add(c, _cut(block, count) if done >= self.plan.warmup else None, chain)
            self.tell(count)
        return [chain]

    def together(self, chains: list[Chain]) -> list[Chain]:
        """All chains in one program; they are at the same step."""
        n, pace = len(chains), _Pace(self.capacity)
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *chains)
        keys = jnp.stack([jax.random.fold_in(self.key, c) for c in range(n)])
        while (done := np.asarray(stacked.steps)).min() < self.end and not self.stop.is_set():
            # after a resume chains may be at unlike steps: each has a count of its own, 0 where it is at its end
            counts = np.array(
                [max(0, self.plan.next(int(k), pace.count, self.recorder.room(c))) for c, k in enumerate(done)]
            )
            stacked, blocks = pace.timed(
                _advance_all, self.problem, self.capacity, stacked, keys, counts, self.plan.warmup
            )
            for c in np.flatnonzero(counts).tolist():
                block = _cut(_of(blocks, c), counts[c]) if done[c] >= self.plan.warmup else None
                self.recorder.add(c, block, _of(stacked, c))
            self.tell(int(counts.sum()))
        return [_of(stacked, c) for c in range(n)]


def _of(stacked: Any, c: int) -> Any:
    return jax.tree.map(lambda x: x[c], stacked)


@partial(jax.jit, static_argnames=("problem", "capacity"))
def _advance_all(problem: Problem, capacity: int, chains: Chain, keys: jax.Array, count: Any, warm: Any) -> Any:
    return jax.vmap(lambda chain, key, count: advance(problem, capacity, chain, key, count, warm))(chains, keys, count)


def _cut(block: Block, count: int) -> Block:
    return jax.tree.map(lambda rows: np.asarray(rows)[:count].copy(), block)  # without the rest of the buffer


class _Pace:
    """How many steps make a block of about the wanted time. Draws do not depend on it."""

    def __init__(self, capacity: int):
        self.capacity, self.count = capacity, min(capacity, 10)

    def timed(
        self, work: Callable[..., Any], problem: Problem, capacity: int, chain: Any, key: Any, count: Any, warm: int
    ) -> Any:
        begin = time.perf_counter()
        found = jax.block_until_ready(work(problem, capacity, chain, key, jnp.asarray(count), jnp.asarray(warm)))
        seconds = max(time.perf_counter() - begin, 1e-6)
        self.count = max(1, min(self.capacity, int(np.max(count) * min(_SECONDS / seconds, 50.0))))
        return found
