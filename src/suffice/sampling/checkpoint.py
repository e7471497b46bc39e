"""A run on disk: draws stream into a Zarr store as they come, and a killed run goes on where it was.

The store is one that ArviZ and xarray read (groups "posterior" and "sample_stats"); beside the arrays lies, for each chain,
where it stands. Rows count once that file says so: what was half written when the process was killed is written again.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.sampling.kernel import Info, told
from suffice.sampling.loop import Block, Chain, Problem
from suffice.sampling.run import Plan

_ROWS = 1000  # of a chunk, fewer where rows are long
_BYTES = 2**23
_TOLD = dict(
    zip(Info._fields, ("acceptance_rate", "diverging", "energy", "n_steps", "tree_depth"), strict=True)
)  # by ArviZ's names


def fingerprint(problem: Problem, kernel: Any, chains: list[Chain], key: jax.Array, plan: Plan) -> dict[str, Any]:
    """What makes a run this run: its density and kernel down to the numbers in them, starts, key, mode and versions."""
    import suffice

    v = jnp.zeros(problem.space.dimension)
    step = jax.make_jaxpr(
        lambda key, v: problem.algorithm(chains[0].kernel).step(key, problem.begun(chains[0].kernel, v))
    )
    parts = [(p.name, repr(p.domain), p.shape) for p in problem.space.parts]
    return {
        "density": _digest(jax.make_jaxpr(problem.space.log_density(problem.log_density))(v)),
        "parameters": re.sub(r" at 0x[0-9a-f]+", "", repr(parts)),
        "kernel": _digest(step(jax.random.key(0), v), [np.asarray(x) for x in jax.tree.leaves(kernel)]),
        "start": _digest(None, [np.asarray(x) for c in chains for x in jax.tree.leaves(c.state)]),
        "key": np.asarray(jax.random.key_data(key)).tolist(),
        "chains": len(chains),
        "warmup": plan.warmup,
        "parallel": plan.parallel,
        "suffice": suffice.__version__,
        "jax": jax.__version__,
        "device": jax.default_backend(),
    }


def _digest(closed: Any, arrays: Sequence[np.ndarray] = ()) -> str:
    """Of a program with all numbers that it holds, at any depth, and of arrays."""
    found = hashlib.sha256()
    for x in arrays:
        found.update(f"{x.dtype}{x.shape}".encode() + x.tobytes())
    todo = [closed] if closed is not None else []
    while todo:
        program = todo.pop()
        if hasattr(program, "consts"):
            for const in program.consts:
                if not jnp.issubdtype(getattr(const, "dtype", float), jax.dtypes.prng_key):
                    found.update(np.asarray(const).tobytes())
            program = program.jaxpr
        if program is (closed.jaxpr if closed is not None else None):
            found.update(re.sub(r"0x[0-9a-f]+", "", str(program)).encode())
        for eqn in program.eqns:
            for value in eqn.params.values():
                todo += [
                    v
                    for v in (value if isinstance(value, tuple | list) else (value,))
                    if hasattr(v, "eqns") or hasattr(v, "jaxpr")
                ]
    return found.hexdigest()


class Store:
    """Where a run on disk keeps its draws; a recorder of the run loop."""

    def __init__(self, path: str | os.PathLike[str], problem: Problem, run: dict[str, Any]):
        try:
            import zarr
        except ModuleNotFoundError:
            raise ModuleNotFoundError("checkpoint needs zarr: pip install zarr") from None
        self.path, self._problem, self._run, self._zarr = Path(path), problem, run, zarr
        self._notes = self.path / "state"
        self.exists = (self._notes / "run.json").exists()
        if self.path.exists() and not self.exists and any(self.path.iterdir()):
            raise ValueError(f"checkpoint {str(path)!r} exists and is not a run")
        if self.exists:
            self._compare(json.loads((self._notes / "run.json").read_text()))
        self._arrays: Any = None
        self._done, self._draws = [0] * run["chains"], 0

    def _compare(self, found: dict[str, Any]) -> None:
        other = [name for name, value in self._run.items() if found.get(name) != value]
        if other:
            raise ValueError(
                f"checkpoint {str(self.path)!r} holds another run: its {', '.join(other)} "
                f"{'is' if len(other) == 1 else 'are'} not this one's. Take another path, or remove it"
            )

    def opened(self, chains: list[Chain], draws: int) -> list[Chain]:
        """Make room for so many draws of each chain; also the chains as they stand on disk, those given where there are none."""
        bad = [p.name for p in self._problem.space.parts if "/" in p.name or p.name.startswith(".")]
        if bad:
            raise ValueError(f"checkpoint: {bad[0]!r} cannot be the name of an array on disk")
        self._draws = draws
        shapes = jax.eval_shape(self._problem.point, chains[0].state)
        named = {"x": shapes} if self._problem.space.single else shapes
        group = self._zarr.open_group(str(self.path), mode="a")
        wanted = {f"posterior/{name}": (s.shape, s.dtype) for name, s in named.items()}
        wanted["sample_stats/lp"] = ((), np.dtype(float))
        wanted |= {
            f"sample_stats/{_TOLD[name]}": ((), x.dtype) for name, x in zip(Info._fields, told(0.0), strict=True)
        }
        self._arrays = {name: self._array(group, name, shape, dtype, draws) for name, (shape, dtype) in wanted.items()}
        self._notes.mkdir(exist_ok=True)
        _replace(self._notes / "run.json", json.dumps(self._run, indent=1).encode())
        found = [self._restored(c, chain) for c, chain in enumerate(chains)]
        self._done = [max(0, int(chain.steps) - self._run["warmup"]) for chain in found]
        return found

    def _array(self, group: Any, name: str, shape: tuple[int, ...], dtype: Any, draws: int) -> Any:
        chains = self._run["chains"]
        if name in group:
            array = group[name]
            if array.shape[1] < draws:
                array.resize((chains, draws, *shape))
            return array
        row = max(1, int(np.prod(shape))) * np.dtype(dtype).itemsize
        rows = max(1, min(_ROWS, _BYTES // row))
        fill = np.nan if np.issubdtype(dtype, np.floating) else 0
        return group.create_array(
            name, shape=(chains, draws, *shape), chunks=(1, rows, *shape), dtype=dtype, fill_value=fill,
            dimension_names=("chain", "draw", *(f"{name.split('/')[1]}_dim_{i}" for i in range(len(shape)))), compressors=None,
        )  # fmt: skip

    def _restored(self, c: int, chain: Chain) -> Chain:
        file = self._notes / f"chain-{c}.npz"
        if not file.exists():
            return chain
        with np.load(file) as saved:
            leaves = [jnp.asarray(saved[f"leaf_{i}"]) for i in range(len(saved.files))]
        return jax.tree.unflatten(jax.tree.structure(chain), leaves)

    def add(self, c: int, block: Block | None, chain: Chain) -> None:
        """Write the rows of chain c, and then where it stands."""
        if block is not None:
            begin = self._done[c]
            end = begin + len(block.log_density)
            named = {"x": block.draws} if self._problem.space.single else block.draws
            for name, x in named.items():
                self._arrays[f"posterior/{name}"][c, begin:end] = x
            self._arrays["sample_stats/lp"][c, begin:end] = block.log_density
            for field, name in _TOLD.items():
                self._arrays[f"sample_stats/{name}"][c, begin:end] = getattr(block.info, field)
            self._done[c] = end
        held = io.BytesIO()
        np.savez(held, **{f"leaf_{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(chain))})  # pyright: ignore[reportArgumentType]  its stub takes any name for allow_pickle
        _replace(self._notes / f"chain-{c}.npz", held.getvalue())

    def room(self, c: int) -> int:
        """Rows up to the end of the chunk."""
        rows = min(array.chunks[1] for array in self._arrays.values())
        return rows - self._done[c] % rows

    def surplus(self) -> None:
        """Rows that some chains have and others do not: they stay on disk."""
        return None

    def rows(self) -> tuple[Any, Any, Any]:
        """Draws, log-densities and what the kernel told, as arrays on disk; in memory where some chains have fewer."""
        arrays, shortest = self._arrays, min(*self._done, self._draws)
        if any(array.shape[1] != shortest for array in arrays.values()):
            arrays = {name: array[:, :shortest] for name, array in arrays.items()}
        draws = {name.split("/")[1]: x for name, x in arrays.items() if name.startswith("posterior/")}
        info = Info(*(arrays[f"sample_stats/{name}"][:] for name in _TOLD.values()))
        return draws["x"] if self._problem.space.single else draws, arrays["sample_stats/lp"][:], info


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or as it was."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(content)
    os.replace(part, path)
