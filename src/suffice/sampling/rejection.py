"""Rejection sampling from a proposal, and from a rectangle by the ratio of uniforms."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.quasi_newton import minimise
from suffice.numerics.variates import uniform
from suffice.runtime.rng import RNG, as_key

_LARGEST, _SMALLEST = 1 << 16, 1 << 10  # proposals in one batch
_MOST = 1 << 28  # proposals before the acceptance rate counts as too small
_LOOKS = 4096  # proposals from which the search for a bound starts
_ROUNDING = 1e-9  # by which log p − log q may exceed its bound

type LogDensity = Callable[[Any], jax.Array]


class Proposal(Protocol):
    """What can be drawn from and has a normalised density: any ``Distribution``."""

    def sample(self, shape: Any = (), *, rng: Any) -> Any: ...

    def log_prob(self, x: Any, /) -> Any: ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Held:
    """A law that is no pytree, as a part of the program."""

    law: Any = field(metadata={"static": True})

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "law"), name)


def carried(law: Any) -> Any:
    """A law as compiled code takes it: a ``Distribution`` as it is, an object of another kind as a constant.

    Raises:
        TypeError: it cannot be drawn from.
    """
    if isinstance(law, type) or not callable(getattr(law, "sample", None)):
        got = f"the class {law.__name__}" if isinstance(law, type) else type(law).__name__
        raise TypeError(f"a law must have sample(shape, rng=), got {got}")
    return _Held(law) if any(leaf is law for leaf in jax.tree.leaves(law)) else law


@dataclass(frozen=True)
class Rejection:
    """Draws by rejection, and what the rejected ones tell.

    Attributes:
        draws: (n, …), independent and exact if there are no ``violations``.
        acceptance: rate of acceptance, Z/k.
        log_normaliser: log Z, Z = ∫ exp(log_density), from the ratios p~/q of all proposals.
        log_bound: log k, p~ <= k q.
        proposals: how many were looked at.
        violations: how many had p~ > k q: with any the draws do not follow the density.
        excess: the largest log p~ − log q − log k, −∞ if there are no violations; at ``worst``.
    """

    draws: np.ndarray
    acceptance: Estimate
    log_normaliser: Estimate
    log_bound: float
    proposals: int
    violations: int
    excess: float
    worst: np.ndarray

    def __repr__(self) -> str:
        told = f", {self.violations} of {self.proposals} above the bound: not exact" if self.violations else ""
        return f"Rejection({len(self.draws)} draws, acceptance={self.acceptance}, log_normaliser={self.log_normaliser}{told})"


def rejection(
    log_density: LogDensity,
    proposal: Proposal,
    n: int,
    *,
    rng: RNG,
    log_bound: float | None = None,
    strict: bool = True,
) -> Rejection:
    """n exact draws from p ∝ p~ = exp(log_density) by rejection: z from q is kept with probability p~(z)/(k q(z)).

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX.
        proposal: q, with ``sample`` and ``log_prob``; its tails must not be lighter than those of p.
        n: how many draws.
        log_bound: log k with p~ <= k q everywhere; found by maximising log p~ − log q if not given, from the best of
            4,096 proposals: a local maximum, which the proposals then put to the test.
        strict: raise if a proposal violates the bound; else count.

    Returns:
        A ``Rejection``: draws, acceptance rate Z/k and log Z with standard errors, violations.

    Raises:
        ValueError: a proposal has p~ > k q, with its place and by how much; no bound was found; log_density is no
            number; fewer than one in 10⁸ proposals is kept.

    Source: Bishop, section 11.1.2.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> found = sf.rejection(lambda x: -0.25 * x**4, sf.Normal(), 10_000, rng=0)
        >>> round(float(found.log_normaliser), 1), found.violations  # log(Γ(1/4)/√2) = 0.94
        (0.9, 0)
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    key, search = jax.random.split(as_key(rng))
    proposal = carried(proposal)
    if log_bound is None:
        log_bound = _found_bound(log_density, proposal, search)
    log_bound = float(log_bound)
    if not math.isfinite(log_bound):
        raise ValueError(f"log_bound must be finite, got {log_bound:g}")
    batch = int(np.clip(1 << (n - 1).bit_length(), _SMALLEST, _LARGEST))
    kept, tally = [], _Tally(log_bound)
    while tally.accepted < n:
        if tally.count >= _MOST and tally.accepted < 1e-8 * tally.count:
            raise ValueError(
                f"only {tally.accepted} of {tally.count} proposals were accepted: the bound {log_bound:g} is too large, "
                "or the proposal too far from the density"
            )
        one = jax.random.fold_in(key, tally.count // batch)
        x, log_ratios, u = (np.asarray(v) for v in _proposals(one, proposal, log_density, batch))
        tally.add(x, log_ratios, strict)
        kept.append(x[np.log(u) <= log_ratios - log_bound])
        tally.accepted += len(kept[-1])
    return tally.result(np.concatenate(kept)[:n])


@functools.partial(jax.jit, static_argnums=(2, 3))
def _proposals(
    key: jax.Array, proposal: Any, log_density: LogDensity, batch: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    first, second = jax.random.split(key)
    x = proposal.sample((batch,), rng=first)
    return x, jax.vmap(log_density)(x) - proposal.log_prob(x), uniform(second, (batch,))


class _Tally:
    """Sums over all proposals."""

    def __init__(self, log_bound: float) -> None:
        self.log_bound, self.count, self.accepted, self.violations = log_bound, 0, 0, 0
        self.sums = np.zeros(2)  # of the ratios over k, and of their squares
        self.excess, self.worst = -np.inf, np.array(np.nan)

    def add(self, x: np.ndarray, log_ratios: np.ndarray, strict: bool) -> None:
        if np.any(np.isnan(log_ratios)):
            place = x[np.argmax(np.isnan(log_ratios))]
            raise ValueError(f"log_density must be a number or −inf, got nan at {place}")
        excess = log_ratios - self.log_bound
        above = excess > _ROUNDING
        self.count += len(x)
        self.violations += int(above.sum())
        if above.any() and excess.max() > self.excess:
            self.excess, self.worst = float(excess.max()), x[excess.argmax()]
        if strict and above.any():
            raise ValueError(
                f"log_bound is too small: log p − log q exceeds {self.log_bound:g} by {self.excess:.3g} at {self.worst}, "
                f"and at {self.violations} of {self.count} proposals"
            )
        with np.errstate(over="ignore"):
            ratio = np.exp(excess)
            self.sums += ratio.sum(), np.square(ratio).sum()

    def result(self, draws: np.ndarray) -> Rejection:
        n = self.count
        rate, (mean, square) = self.accepted / n, self.sums / n
        acceptance = Estimate(rate, math.sqrt(rate * (1.0 - rate) / n), MONTE_CARLO)
        error = math.sqrt(max(square - mean**2, 0.0) / (n - 1))
        log_normaliser = Estimate(self.log_bound + math.log(mean), error / mean, MONTE_CARLO)
        return Rejection(draws, acceptance, log_normaliser, self.log_bound, n, self.violations, self.excess, self.worst)


def _found_bound(log_density: LogDensity, proposal: Proposal, key: jax.Array) -> float:
    """The largest log p − log q that is found, uphill from the best of some proposals."""
    x, log_ratios, _ = (np.asarray(v) for v in _proposals(key, proposal, log_density, _LOOKS))
    if np.any(np.isnan(log_ratios)):
        raise ValueError(f"log_density must be a number or −inf, got nan at {x[np.argmax(np.isnan(log_ratios))]}")
    best = log_ratios.argmax()
    if not np.isfinite(log_ratios[best]):
        raise ValueError(f"log_density is {log_ratios[best]:g} at all of {_LOOKS} proposals")
    shape = x.shape[1:]

    @jax.jit
    def downhill(flat: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.value_and_grad(lambda v: proposal.log_prob(v.reshape(shape)) - log_density(v.reshape(shape)))(flat)

    def finite(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = downhill(jnp.asarray(flat))
        gradient = np.asarray(gradient)
        sound = np.isfinite(value) and np.all(np.isfinite(gradient))
        return (float(value), gradient) if sound else (np.inf, np.zeros_like(gradient))

    start = x[best].ravel()
    if not np.isfinite(finite(start)[0]):
        return float(log_ratios[best])
    end = minimise(finite, start)
    value = -end.value
    if not end.converged and value > log_ratios[best] + 1.0:
        raise ValueError(
            f"no bound found: log p − log q still grows beyond {value:g} at {end.point}; the tails of the proposal may "
            "be too light; give log_bound"
        )
    return max(value, float(log_ratios[best]))
