"""A mixture's components chosen by a chain: parameters, E-step and M-step of Baum and Welch."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.hidden_markov.model import HiddenMarkov
from suffice.models.hidden_markov.recursion import Chain, expected
from suffice.models.hidden_markov.recursion import Expected as OfPath
from suffice.models.hidden_markov.sequences import Line
from suffice.models.mixture.expectation import log_joint
from suffice.models.mixture.model import LOG_TINY, Model, Params, place_of
from suffice.models.mixture.runs import in_turn, of_runs

_NONE = np.exp(LOG_TINY / 2.0)  # a probability that is none


class ChainParams(NamedTuple):
    """Parameters of R runs, as of a mixture, with log-probabilities of moves (R, K, K); ``log_weights`` are of the start."""

    log_weights: np.ndarray
    groups: tuple[Any, ...]
    log_moves: np.ndarray

    def run(self, which: Any) -> "ChainParams":
        """Some of the runs."""
        return jax.tree.map(lambda a: a[which], self)


class Expected(NamedTuple):
    """What one pass gives: as of a mixture, with the expected numbers of starts (R, K) and moves (R, K, K)."""

    log_likelihood: np.ndarray
    counts: np.ndarray
    sums: tuple[Any, ...]
    starts: np.ndarray
    moves: np.ndarray


@dataclass(frozen=True)
class ChainModel:
    """A mixture's components, chosen by a chain: what the climb asks of a model.

    Attributes:
        mixture: the components.
    """

    mixture: Model

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        k = self.mixture.count
        return k * (k - 1) + self.mixture.dimension

    @property
    def accelerates(self) -> bool:
        return self.mixture.accelerates

    def _as_mixture(self, p: ChainParams) -> Params:
        return Params(p.log_weights, p.groups)

    def start(self, x: np.ndarray, w: np.ndarray, r: np.ndarray, pairs: np.ndarray) -> ChainParams:
        """Parameters of one run from responsibilities (K, n) and which rows are followed by the next, (n − 1,)."""
        k = self.mixture.count
        moves = (r[:, :-1] * pairs) @ r[:, 1:].T + 1.0
        groups = self.mixture.start(x, w, r).groups
        return ChainParams(np.full((1, k), -np.log(k)), groups, _logs(moves)[None])

    def maximise(self, p: ChainParams, e: Expected) -> ChainParams:
        """The M-step."""
        parts = zip(self.mixture.groups, p.groups, e.sums, self.mixture.places(), strict=True)
        groups = tuple(g.maximise(q, e.counts[:, at], s) for g, q, s, at in parts)
        return ChainParams(_logs(e.starts), groups, _logs(e.moves))

    def penalty(self, p: ChainParams) -> np.ndarray:
        return self.mixture.penalty(self._as_mixture(p))

    def sound(self, p: ChainParams) -> np.ndarray:
        return self.mixture.sound(self._as_mixture(p))

    def vector(self, p: ChainParams) -> np.ndarray:
        return np.concatenate(
            [self.mixture.vector(self._as_mixture(p)), p.log_moves.reshape(len(p.log_moves), -1)], axis=1
        )

    def build(self, v: np.ndarray, like: ChainParams) -> ChainParams:
        k = self.mixture.count
        moves = np.clip(v[:, -k * k :].reshape(-1, k, k), LOG_TINY, 0.0)
        moves = moves - np.log(np.exp(moves).sum(-1, keepdims=True))
        return ChainParams(*self.mixture.build(v[:, : -k * k], self._as_mixture(like)), moves)

    def limits(self, p: ChainParams) -> list[tuple[int, str, Any]]:
        """States of one run that run to a limit of their family, with the parameter and the family there, or None."""
        return self.mixture.limits(self._as_mixture(p))

    def ordered(self, p: ChainParams) -> ChainParams:
        """One run with states of one kind in ascending order of where they stand."""
        mixture, order = self.mixture, list(range(self.mixture.count))
        if len(mixture.groups) == 1 and mixture.groups[0].exchangeable:
            places = [place_of(m) for m in self.members(p)]
            order.sort(key=places.__getitem__)
            p = p._replace(groups=jax.tree.map(lambda a: a[:, order], p.groups))
        return p._replace(log_weights=p.log_weights[:, order], log_moves=p.log_moves[:, order][:, :, order])

    def members(self, p: ChainParams) -> list[Any]:
        """What the states of one run emit."""
        return self.mixture.members(self._as_mixture(p))

    def distribution(self, p: ChainParams) -> HiddenMarkov:
        """The model with the parameters of one run."""
        start, moves = (np.where(v > _NONE, v, 0.0) for v in (np.exp(p.log_weights[0]), np.exp(p.log_moves[0])))
        return HiddenMarkov(start / start.sum(), moves / moves.sum(1, keepdims=True), self.members(p))

    def evaluate(self, p: ChainParams, x: Line) -> Expected:
        """The E-step."""
        given = self.mixture.prepare(self._as_mixture(p)), p.log_weights, p.log_moves
        for again in (False, True):  # with logarithms only where numbers lose digits, which is rare
            found = Expected(*of_runs(_expected, given, self.mixture.kernels, x, again=again))
            if not np.isnan(found.log_likelihood).any():
                break
        return found


def _logs(counts: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities from counts; where there are none, all are equal."""
    total = counts.sum(-1, keepdims=True)
    share = np.where(total > 0, counts / np.where(total > 0, total, 1.0), 1.0 / counts.shape[-1])
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(share), LOG_TINY)


@partial(jax.jit, static_argnames="again")
def _expected(given: Any, runs: jax.Array, kernels: Any, x: Line, again: bool) -> tuple:
    x = x.laid_out(given[1].shape[1])
    values = x.values.reshape(-1, x.values.shape[-1])

    def one(run: tuple[Any, jax.Array, jax.Array]) -> tuple:
        prepared, log_start, log_moves = run
        joint, kept = log_joint(kernels, prepared, jnp.zeros_like(log_start), values)
        joint = jnp.where(x.seen[None], joint[0].reshape(-1, *x.seen.shape), 0.0)
        e, begun, moved = expected_path(jnp.swapaxes(joint, 0, 1), log_start[0], log_moves[0], x, again)
        share = jnp.swapaxes(jnp.where(x.seen[:, None], e.states, 0.0), 0, 1)
        share = share.reshape(1, len(share), -1)
        first, sums = 0, []
        for kernel, p, k in zip(kernels, prepared, kept, strict=True):
            count = p["count_of"].shape[1]
            sums.append(kernel.sums(p, values, k, share[:, first : first + count]))
            first += count
        return e.log_likelihood[None], share.sum(-1), tuple(sums), begun[None], moved[None]

    return in_turn(one, given, runs)


def expected_path(
    log_likelihood: jax.Array, log_start: jax.Array, log_moves: jax.Array, x: Line, again: bool
) -> tuple[OfPath, jax.Array, jax.Array]:
    """What is expected of the path, and expected numbers of starts (K,) and moves (K, K).

    Args:
        log_likelihood: of each value under each state, 0 where nothing was observed, (L, K, C).
        log_start, log_moves: log-probabilities, (K,) and (K, K).
        x: which times start a sequence and lie inside, laid out in stretches.
        again: as in ``recursion.expected``.
    """
    moves = jnp.exp(log_moves)
    e = expected(Chain(log_likelihood, moves, jnp.exp(log_start), x.fresh, x.inside), again)
    return e, jnp.where(x.fresh[:, None], e.states, 0.0).sum((0, 2)), moves * e.moves
