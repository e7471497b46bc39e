"""Draws kept in memory while chains run."""

from typing import Any

import jax
import numpy as np

from suffice.sampling.loop import Block, Chain

_ALL = 2**62


class Memory:
    """Blocks of each chain, in lists."""

    def __init__(self, chains: int, before: list[Block | None] | None = None):
        self._blocks: list[list[Block]] = [[] for _ in range(chains)]
        for blocks, block in zip(self._blocks, before or (), strict=False):
            blocks += [block] if block is not None else []

    def add(self, c: int, block: Block | None, chain: Chain) -> None:
        """Keep the rows of chain c."""
        if block is not None:
            self._blocks[c].append(block)

    def room(self, c: int) -> int:
        """No limit."""
        return _ALL

    def rows(self) -> tuple[Any, Any, Any]:
        """Draws, log-densities and what the kernel told, (chain, draw, …): as many draws as all chains have.

        Raises:
            KeyboardInterrupt: there are none.
        """
        joined, shortest = self._joined()
        if not shortest:
            raise KeyboardInterrupt("interrupted before every chain had a draw")
        return tuple(jax.tree.map(lambda *chains: np.stack([x[:shortest] for x in chains]), *joined))  # type: ignore[return-value]

    def surplus(self) -> list[Block | None]:
        """Of each chain the rows that others do not have yet."""
        joined, shortest = self._joined()
        return [None if len(b.log_density) == shortest else jax.tree.map(lambda x: x[shortest:], b) for b in joined]

    def _joined(self) -> tuple[list[Any], int]:
        joined = [jax.tree.map(lambda *parts: np.concatenate(parts), *blocks) for blocks in self._blocks if blocks]
        return joined, min(len(b.log_density) for b in joined) if len(joined) == len(self._blocks) else 0
