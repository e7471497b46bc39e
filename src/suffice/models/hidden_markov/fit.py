"""Fitting hidden Markov models by EM (Baum and Welch): the climb of a mixture whose labels are a chain."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import as_family
from suffice.inference.testing.replicates import generator
from suffice.models.hidden_markov.chain import ChainModel, ChainParams
from suffice.models.hidden_markov.result import HiddenMarkovFit
from suffice.models.hidden_markov.sequences import Line, line
from suffice.models.mixture import seeding
from suffice.models.mixture.climb import Climb, check_settings, climb, first_that_stands
from suffice.models.mixture.components import model_of
from suffice.models.mixture.kinds import kinds_of
from suffice.models.mixture.rows import rows_of
from suffice.numerics.newton import AT_LIMIT, CONVERGED, DEGENERATE
from suffice.runtime.errors import DataError
from suffice.runtime.rng import as_key

_SAMPLE = 2**12  # times on which starts are tried
_SCOUT, _SCOUT_GAIN = 60, 1e-7


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
    as in ``fit_mixture``. Climbs begin from several starts on the first few thousand times, and the best goes on.

    Args:
        target: what states emit: a class such as ``sf.Normal`` or ``sf.family(...)``, or a list of one for each state.
        states: number K of states; may be left out after a list.
        x: a sequence (T,) or (T, d), or a list of sequences; NaN where nothing was observed.
        covariance: of normal and t states, as in ``fit_mixture``.
        prior: pseudo-observations of each state, as there.
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
    check_settings(starts, tolerance, max_iterations, prior)
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

    def go(begin: ChainParams) -> Climb:
        evaluate, count = lambda p: model.evaluate(p, whole), float(seen.sum())
        return climb(model, evaluate, begin, count, most=max_iterations, tolerance=tolerance)

    end = first_that_stands([tried.params.run(slice(i, i + 1)) for i in order], go)
    if end is None:
        raise DataError("there are values that no state can emit, or the likelihood is not finite at any start")
    params = model.ordered(end.params)
    return HiddenMarkovFit(
        model.distribution(params),
        float(end.log_likelihoods[0]),
        int(seen.sum()),
        model.dimension,
        np.array(end.traces[0]),
        np.where(_usable(tried), tried.log_likelihoods, np.nan)[order],
        AT_LIMIT if end.status[0] == CONVERGED and model.limits(params) else int(end.status[0]),
        model,
        params,
        whole,
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
    return x._replace(values=jnp.asarray(np.where(seen[:, None], values, values[np.argmax(seen)]), float))


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
