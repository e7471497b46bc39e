"""Draws from any log-density by Markov chains."""

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from suffice.runtime.rng import RNG, as_key
from suffice.sampling.chains import Chains
from suffice.sampling.checkpoint import Store, fingerprint
from suffice.sampling.kernel import Kernel
from suffice.sampling.loop import Problem
from suffice.sampling.nuts import NUTS
from suffice.sampling.recorder import Memory
from suffice.sampling.run import Plan, chosen, go, whole
from suffice.sampling.starts import space_of, started


def sample(
    log_density: Callable[[Any], Any],
    start: Any = None,
    domains: Any = None,
    kernel: Any = None,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    rng: RNG = 0,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    parallel: str | None = None,
    quiet: bool = False,
) -> Chains:
    """Draw from an unnormalised density: Markov chains on the unconstrained space, warmed up and then left alone.

    Args:
        log_density: function of a point, an array or a dictionary of arrays, that JAX can trace; any constant may be left out.
        start: a point from which all chains start, or a list of one for each (of dictionaries, NumPy or JAX arrays); None: at random, within ±2 on the
            unconstrained space, where ``domains`` give the shapes.
        domains: where points live: a domain, its name, a pair of ends or ``domain.array(*shape)``, by name where a point is a
            dictionary. The density is that of the point itself: Jacobians are seen to.
        kernel: settings such as ``sf.NUTS()``, or a function of a log-density that returns an object with ``init`` and
            ``step``, as BlackJAX's algorithms are.
        chains: number of chains. warmup: steps of each in which settings are tuned. draws: steps kept of each.
        rng: int, ``numpy.random.Generator`` or JAX key: draw i of chain c takes this key, folded with c and with i.
        checkpoint: path of a Zarr store to which draws stream, at bounded memory. Where it holds the beginning of this run, the run
            goes on from there, and gives bit for bit the draws of an unbroken one (same versions, device kind and mode).
        parallel: "threads" (the default on a CPU) or "vectorized".
        quiet: show no progress.

    Returns:
        ``Chains``. Ctrl-C ends the run and keeps what was drawn.

    Raises:
        ValueError: a checkpoint that holds another run; a start outside its domain, or where the density or its gradient is not finite: chain, parameter and
            value are named; counts that are none. TypeError: no function, or no kernel.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> def log_density(p):
        ...     return -0.5 * p["mu"] ** 2 - p["tau"]
        >>> chains = sf.sample(log_density, domains={"mu": sf.domain.real, "tau": sf.domain.positive}, draws=500, rng=0)
        >>> chains.draws["tau"].shape, bool(chains.draws["tau"].min() > 0)
        ((4, 500), True)
    """
    for name, value, least in (("chains", chains, 1), ("warmup", warmup, 0), ("draws", draws, 1)):
        whole(name, value, least)
    if not callable(log_density):
        raise TypeError(f"log_density must be a function, got {type(log_density).__name__}")
    kernel = NUTS() if kernel is None else kernel
    foreign = None if isinstance(kernel, Kernel) else kernel
    if foreign is not None and (isinstance(foreign, type) or not callable(foreign)):
        got = f"the class {kernel.__name__}" if isinstance(kernel, type) else type(kernel).__name__
        raise TypeError(f"kernel must be settings such as sf.NUTS(), or a function, got {got}")
    space, given = space_of(domains, start, chains)
    problem = Problem(log_density, space, foreign)
    shape = jax.eval_shape(lambda v: jnp.asarray(log_density(space.from_real(v))), jnp.zeros(space.dimension)).shape
    if shape != ():
        raise ValueError(f"log_density must return one number, got shape {shape}")
    key, plan = as_key(rng), Plan(warmup, draws, chosen(parallel), quiet)
    settings = () if foreign is not None else kernel
    begun, redrawn = started(problem, settings, given, key, chains, warmup > 0)
    recorder, run = Memory(chains), None
    if checkpoint is not None:
        run = fingerprint(problem, settings, begun, key, plan)
        recorder = Store(checkpoint, problem, run)
        begun = recorder.opened(begun, draws)
    ends, reached = go(problem, begun, key, plan, recorder)
    found, values, info = recorder.rows()
    return Chains(
        found, values, info, warmup, redrawn, not reached, settings, problem, tuple(ends), key, plan, checkpoint, run,
        recorder.surplus(),
    )  # fmt: skip
