"""What sampling gives: draws of several chains, with how far they can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from suffice.sampling import diagnostics
from suffice.sampling.checkpoint import Store
from suffice.sampling.kernel import Info
from suffice.sampling.loop import Chain, Problem
from suffice.sampling.recorder import Memory
from suffice.sampling.run import Plan, go, whole


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of Markov chains.

    Attributes:
        draws: arrays (chain, draw, …) by name; one array where a point is one array.
        log_density: at the draws, on the unconstrained space, (chain, draw).
        info: what the kernel told at each of them, (chain, draw).
        warmup: steps of warm-up before them.
        redrawn: random starts that were thrown away since the density was not finite there.
        interrupted: whether the run was stopped before its end.
        settings, problem, chains, key, plan: what ``extend`` goes on from.
        run, surplus: what a store was made for, and draws of chains that were ahead when a run was interrupted.
        checkpoint: path of the store that holds the draws, which are then arrays on disk; None: they are in memory.
    """

    draws: Any
    log_density: Any
    info: Info
    warmup: int
    redrawn: int
    interrupted: bool
    settings: Any = field(repr=False)
    problem: Problem = field(repr=False)
    chains: tuple[Chain, ...] = field(repr=False)
    key: jax.Array = field(repr=False)
    plan: Plan = field(repr=False)
    checkpoint: Any = None
    run: Any = field(default=None, repr=False)
    surplus: Any = field(default=None, repr=False)

    @property
    def by_name(self) -> Mapping[str, Any]:
        """The draws as a dictionary, whatever the form of a point."""
        return {"x": self.draws} if self.problem.space.single else self.draws

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of chains and of draws of each."""
        return self.log_density.shape

    @property
    def kernel_name(self) -> str:
        """What moved the chains."""
        return "a kernel of another library" if self.problem.foreign is not None else type(self.settings).__name__

    @property
    def kernels(self) -> list[Any]:
        """Settings of each chain, as warm-up left them."""
        return [c.kernel for c in self.chains]

    @cached_property
    def mean(self) -> dict[str, float]:
        """Mean of each number."""
        return diagnostics.each(self.by_name, self.problem.space, lambda x: float(x.mean()))

    @cached_property
    def stddev(self) -> dict[str, float]:
        """Standard deviation of each number."""
        return diagnostics.each(
            self.by_name, self.problem.space, lambda x: float(x.std(ddof=1)) if x.size > 1 else np.nan
        )

    @cached_property
    def rhat(self) -> dict[str, float]:
        """Rank-normalised split R-hat of each number: above 1.01 the chains do not agree."""
        return diagnostics.each(self.by_name, self.problem.space, diagnostics.rhat)

    @cached_property
    def ess(self) -> dict[str, float]:
        """Bulk effective sample size of each number."""
        return diagnostics.each(self.by_name, self.problem.space, diagnostics.ess)

    @cached_property
    def ess_tail(self) -> dict[str, float]:
        """Effective sample size of the 5 % and 95 % quantiles, the smaller."""
        return diagnostics.each(self.by_name, self.problem.space, lambda x: diagnostics.ess(x, "tail"))

    @cached_property
    def mcse(self) -> dict[str, float]:
        """Monte Carlo standard error of each mean."""
        return diagnostics.each(self.by_name, self.problem.space, diagnostics.mcse)

    @property
    def divergences(self) -> int:
        """Trajectories that diverged."""
        return int(np.asarray(self.info.divergent).sum())

    @property
    def bfmi(self) -> np.ndarray:
        """Bayesian fraction of missing information of each chain, (chain,)."""
        return diagnostics.bfmi(np.asarray(self.info.energy))

    @cached_property
    def doubts(self) -> list[str]:
        """Why the draws are not to be trusted, each with what to do next; empty if there is no reason."""
        found = diagnostics.doubts(self.rhat, self.ess, self.divergences, self.log_density.size, self.bfmi)
        return ["the run was interrupted", *found] if self.interrupted else found

    def summary(self) -> list[dict[str, Any]]:
        """A row for each number: name, mean, mcse, stddev, 5 %, 50 % and 95 % quantiles, rhat, ess, ess_tail."""
        quantiles = diagnostics.each(
            self.by_name,
            self.problem.space,
            lambda x: np.quantile(x, [0.05, 0.5, 0.95]) if x.size else np.full(3, np.nan),
        )
        return [
            {
                "name": name,
                "mean": self.mean[name],
                "mcse": self.mcse[name],
                "stddev": self.stddev[name],
                "q05": float(low),
                "median": float(middle),
                "q95": float(high),
                "rhat": self.rhat[name],
                "ess": self.ess[name],
                "ess_tail": self.ess_tail[name],
            }
            for name, (low, middle, high) in quantiles.items()
        ]

    def extend(self, draws: int = 1000) -> "Chains":
        """Go on from where the chains are: the same draws as one longer run would have given.

        Args:
            draws: more of each chain.
        """
        whole("draws", draws, 1)
        plan = replace(self.plan, draws=self.shape[1] + draws)
        if self.checkpoint is None:
            recorder = Memory(len(self.chains), self.surplus)
            begun = list(self.chains)
        else:
            recorder = Store(self.checkpoint, self.problem, self.run)
            begun = recorder.opened(list(self.chains), plan.draws)
        ends, reached = go(self.problem, begun, self.key, plan, recorder)
        found = recorder.rows()
        if self.checkpoint is None:
            before = (self.draws, self.log_density, self.info)
            found = jax.tree.map(lambda a, b: np.concatenate([np.asarray(a), b], axis=1), before, found)
        return replace(
            self,
            draws=found[0],
            log_density=found[1],
            info=found[2],
            chains=tuple(ends),
            plan=plan,
            interrupted=not reached,
            surplus=recorder.surplus(),
        )

    def to_arviz(self) -> Any:
        """The draws as ArviZ's DataTree: groups "posterior" and "sample_stats"."""
        try:
            from arviz_base import from_dict
        except ModuleNotFoundError:
            raise ModuleNotFoundError("to_arviz needs arviz-base: pip install arviz-base") from None
        told = self.info
        return from_dict({
            "posterior": {name: np.asarray(x) for name, x in self.by_name.items()},
            "sample_stats": {
                "lp": np.asarray(self.log_density),
                "acceptance_rate": np.asarray(told.acceptance),
                "diverging": np.asarray(told.divergent),
                "energy": np.asarray(told.energy),
                "n_steps": np.asarray(told.evaluations),
                "tree_depth": np.asarray(told.depth),
            },
        })  # fmt: skip

    def __repr__(self) -> str:
        chains, draws = self.shape
        rows = self.summary()
        width = max(len(r["name"]) for r in rows)
        lines = [f"{chains} chains of {draws} draws after {self.warmup} of warm-up"]
        lines.append(
            f"{'':{width}} {'mean':>10} {'mcse':>9} {'stddev':>9} {'5 %':>10} {'95 %':>10} {'R-hat':>6} {'ESS':>7} {'tail':>7}"
        )
        for r in rows[:30]:
            lines.append(
                f"{r['name']:{width}} {r['mean']:>10.4g} {r['mcse']:>9.2g} {r['stddev']:>9.3g} {r['q05']:>10.4g}"
                f" {r['q95']:>10.4g} {r['rhat']:>6.3f} {r['ess']:>7.0f} {r['ess_tail']:>7.0f}"
            )
        if len(rows) > 30:
            lines.append(f"… and {len(rows) - 30} more")
        return "\n".join([*lines, *(f"! {doubt}" for doubt in self.doubts)])
