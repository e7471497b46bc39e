"""Draws kept in memory while chains run."""

from typing import Any

import jax
import numpy as np

from suffice.sampling.loop import Block, Chain

_ALL = 2**62


class Memory:
    """Blocks of each chain, in lists."""

    def __init__(self, chains: int):
        self._blocks: list[list[Block]] = [[] for _ in range(chains)]

    def add(self, c: int, block: Block | None, chain: Chain) -> None:
        """Keep the rows of chain c."""
        if block is not None:
            self._blocks[c].append(block)

    def room(self, c: int) -> int:
        """No limit."""
        return _ALL

    def rows(self) -> tuple[Any, Any, Any]:
        """Draws, log-densities and what the kernel told, (chain, draw, …): as many draws as all chains have."""
        joined = [jax.tree.map(lambda *parts: np.concatenate(parts), *blocks) for blocks in self._blocks if blocks]
        if len(joined) < len(self._blocks):
            raise KeyboardInterrupt("interrupted before every chain had a draw")
        shortest = min(len(b.log_density) for b in joined)
        return tuple(jax.tree.map(lambda *chains: np.stack([x[:shortest] for x in chains]), *joined))  # type: ignore[return-value]
