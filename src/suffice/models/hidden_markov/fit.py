"""Fitting hidden Markov models by EM (Baum and Welch): the climb of a mixture whose labels are a chain."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import as_family
from suffice.inference.testing.replicates import generator
from suffice.models.hidden_markov.model import HiddenMarkov
from suffice.models.hidden_markov.recursion import Chain, expected
from suffice.models.hidden_markov.sequences import Line, line
from suffice.models.mixture import seeding
from suffice.models.mixture.climb import Climb, climb
from suffice.models.mixture.components import kinds_of, model_of
from suffice.models.mixture.expectation import log_joint
from suffice.models.mixture.model import LOG_TINY, Model, Params
from suffice.models.mixture.result import MESSAGES
from suffice.models.mixture.rows import rows_of
from suffice.numerics.newton import CONVERGED, DEGENERATE
from suffice.runtime.errors import DataError
from suffice.runtime.rng import as_key

_SAMPLE = 2**12  # times on which starts are tried
_SCOUT, _SCOUT_GAIN = 60, 1e-7
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

    def evaluate(self, p: ChainParams, x: Line) -> Expected:
        """The E-step."""
        prepared = self.mixture.prepare(self._as_mixture(p))
        return Expected(*jax.device_get(_expected(self.mixture.kernels, prepared, p.log_weights, p.log_moves, x)))


def _logs(counts: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities from counts; where there are none, all are equal."""
    total = counts.sum(-1, keepdims=True)
    share = np.where(total > 0, counts / np.where(total > 0, total, 1.0), 1.0 / counts.shape[-1])
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(share), LOG_TINY)


@jax.jit
def _expected(kernels: Any, prepared: Any, log_start: jax.Array, log_moves: jax.Array, x: Line) -> tuple:
    x = x.laid_out(log_start.shape[1])
    values = x.values.reshape(-1, x.values.shape[-1])
    joint, kept = log_joint(kernels, prepared, jnp.zeros_like(log_start), values)
    joint = jnp.where(x.seen[None, None], joint.reshape(*joint.shape[:2], *x.seen.shape), 0.0)

    def one(run: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        start, moves = jnp.exp(run[1]), jnp.exp(run[2])
        e = expected(Chain(jnp.swapaxes(run[0], 0, 1), moves, start, x.fresh, x.inside))
        begun = jnp.where(x.fresh[:, None], e.states, 0.0).sum((0, 2))
        states = jnp.where(x.seen[:, None], e.states, 0.0)
        return e.log_likelihood, jnp.swapaxes(states, 0, 1), begun, moves * e.moves

    value, share, begun, moved = jax.lax.map(one, (joint, log_start, log_moves))
    share = share.reshape(*share.shape[:2], -1)
    first, sums = 0, []
    for kernel, p, k in zip(kernels, prepared, kept, strict=True):
        count = p["count_of"].shape[1]
        sums.append(kernel.sums(p, values, k, share[:, first : first + count]))
        first += count
    return value, share.sum(-1), tuple(sums), begun, moved


@dataclass(frozen=True, eq=False)
class HiddenMarkovFit:
    """A fitted hidden Markov model.

    Attributes:
        distribution: the ``HiddenMarkov``; states of one kind are in ascending order of their means.
        log_likelihood: at the estimate.
        count: number of values observed.
        dimension: number of free parameters.
        trace: log-likelihood at each step of the climb; it never falls.
        starts: log-likelihood where each start ended, on the first times, best first.
        result: a code, told by ``converged`` and ``message``.
    """

    distribution: HiddenMarkov
    log_likelihood: float
    count: int
    dimension: int
    trace: np.ndarray
    starts: np.ndarray
    result: int

    @property
    def converged(self) -> bool:
        """Whether the climb ended at a maximum."""
        return self.result == CONVERGED

    @property
    def message(self) -> str:
        """Why it ended."""
        return MESSAGES[self.result]

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * self.dimension - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return float(np.log(self.count)) * self.dimension - 2.0 * self.log_likelihood

    def __repr__(self) -> str:
        end = "" if self.converged else f", {self.message}"
        return (
            f"HiddenMarkovFit({self.distribution!r}; log-likelihood {self.log_likelihood:.6g}, BIC {self.bic:.6g}{end})"
        )


def fit_hidden_markov(
    target: Any,
    states: int | None = None,
    x: Any = None,
    *,
    covariance: str = "full",
    prior: float = 0.0,
    starts: int = 10,
    rng: Any = 0,
    tolerance: float = 1e-7,
    max_iterations: int = 2000,
) -> HiddenMarkovFit:
    """Fit a hidden Markov model by maximum likelihood.

    Each step computes the probabilities of states and moves given all values, and from weighted statistics new
    distributions and moves (Baum, Petrie, Soules and Weiss 1970). The log-likelihood never falls; steps are lengthened
    by SQUAREM. Climbs begin from several starts on the first few thousand times, and the best goes on.

    Args:
        target: what states emit: a class such as ``sf.Normal`` or ``sf.family(...)``, or a list of one for each state.
        states: number K of states; may be left out after a list.
        x: a sequence (T,) or (T, d), or a list of sequences; NaN where nothing was observed.
        covariance, prior: of normal states, as in ``fit_mixture``.
        starts: how many there are.
        rng: of the starts: int, ``numpy.random.Generator`` or JAX key.
        tolerance: distance from the maximum at which to end, as in ``fit_mixture``.
        max_iterations: passes over the data at most.

    Returns:
        A ``HiddenMarkovFit``.

    Raises:
        DataError: fewer values than states, values that no state can emit, infinite values.
        ValueError: no state, families that cannot be fitted.

    Source: Baum et al. 1970, doi:10.1214/aoms/1177697196; Rabiner 1989.

    Example:
        >>> import suffice as sf
        >>> truth = sf.HiddenMarkov([0.5, 0.5], [[0.95, 0.05], [0.1, 0.9]], sf.Normal([0.0, 3.0], 1.0))
        >>> fit = sf.fit_hidden_markov(sf.Normal, 2, truth.sample(1000, rng=0), starts=3)
        >>> fit.converged, fit.distribution.transition.round(1).tolist()
        (True, [[0.9, 0.1], [0.1, 0.9]])
    """
    if x is None and isinstance(target, list):
        states, x = None, states
    if x is None:
        raise TypeError("data are missing: sf.fit_hidden_markov(family, states, x)")
    if starts < 1:
        raise ValueError(f"starts must be >= 1, got {starts}")
    kinds = kinds_of(target, states)
    whole = _columns(line(x, _event_shape(kinds[0][0], x))[0])
    seen = np.asarray(whole.seen & whole.inside)
    values = np.asarray(whole.values)[seen]
    if not len(values):
        raise DataError("nothing was observed: all values are NaN")
    look = rows_of(values, None, "error").look
    model = ChainModel(model_of(kinds, look, covariance, float(prior)))
    begins = _begins(model, whole, starts, generator(as_key(rng)))
    small = whole if len(whole.seen) <= _SAMPLE else _cut(whole, _SAMPLE)
    tried = climb(
        model, lambda p: model.evaluate(p, small), begins, float(np.asarray(small.seen & small.inside).sum()),
        most=_SCOUT, tolerance=1e-4, gain=_SCOUT_GAIN,
    )  # fmt: skip
    order = np.argsort(-np.where(_usable(tried), tried.values, -np.inf), kind="stable")
    end = climb(
        model, lambda p: model.evaluate(p, whole), tried.params.run(order[:1]), float(seen.sum()),
        most=max_iterations, tolerance=tolerance,
    )  # fmt: skip
    if not np.isfinite(end.values[0]):
        raise DataError("there are values that no state can emit, or the likelihood is not finite at any start")
    return HiddenMarkovFit(
        _distribution(model, end.params),
        float(end.log_likelihoods[0]),
        int(seen.sum()),
        model.dimension,
        np.array(end.traces[0]),
        np.where(_usable(tried), tried.log_likelihoods, np.nan)[order],
        int(end.status[0]),
    )


def _usable(found: Climb) -> np.ndarray:
    return np.isfinite(found.values) & (found.status != DEGENERATE)


def _event_shape(kind: Any, x: Any) -> tuple[int, ...]:
    """Shape of a value: what the first family wants, and the data have."""
    if isinstance(kind, tuple):
        raise TypeError("states emit numbers or vectors of one family, not a tuple of families")
    member = kind if isinstance(kind, Distribution) else as_family(kind).member
    if not member.event_ndim:
        return ()
    first = x[0] if isinstance(x, list | tuple) and np.ndim(x[0]) == 2 else x
    return (np.shape(first)[-1],)


def _columns(x: Line) -> Line:
    """Values as a table (T, columns), with something harmless where nothing was observed."""
    values = np.asarray(x.values)
    values = values[:, None] if values.ndim == 1 else values
    seen = np.asarray(x.seen)
    return x._replace(values=jnp.asarray(np.where(seen[:, None], values, values[np.argmax(seen)])))


def _cut(x: Line, until: int) -> Line:
    return jax.tree.map(lambda v: v[:until], x)


def _begins(model: ChainModel, whole: Line, count: int, rng: np.random.Generator) -> ChainParams:
    """Where runs start: rows shared out as for a mixture, moves as they follow from that."""
    x = _cut(whole, _SAMPLE)
    seen, fresh = np.asarray(x.seen & x.inside), np.asarray(x.fresh)
    values = np.asarray(x.values)[seen]
    at = np.flatnonzero(seen)
    pairs = (np.diff(at) == 1) & ~fresh[at[1:]]
    shares = seeding.starts(values, np.ones(len(values)), model.mixture.count, count, rng)
    runs = [model.start(values, np.ones(len(values)), r, pairs) for r in shares]
    return jax.tree.map(lambda *a: np.concatenate(a), *runs)


def _distribution(model: ChainModel, p: ChainParams) -> HiddenMarkov:
    """The fitted model, its states in order."""
    members = model.mixture.members(Params(p.log_weights, p.groups))
    order = list(range(len(members)))
    if len(model.mixture.groups) == 1 and model.mixture.groups[0].exchangeable:
        order.sort(key=lambda i: np.asarray(members[i].mean()).ravel().tolist())
    start, moves = (np.where(v > _NONE, v, 0.0) for v in (np.exp(p.log_weights[0]), np.exp(p.log_moves[0])))
    start, moves = start[order], moves[np.ix_(order, order)]
    return HiddenMarkov(start / start.sum(), moves / moves.sum(1, keepdims=True), [members[i] for i in order])
