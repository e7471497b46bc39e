"""Fit a mixture: the front door."""

from typing import Any

import numpy as np

from suffice.distributions.mixture import Mixture
from suffice.inference.testing.replicates import generator
from suffice.models.mixture import seeding
from suffice.models.mixture.climb import Climb, check_settings, climb, first_that_stands
from suffice.models.mixture.columns import asked_for, taken
from suffice.models.mixture.components import impossible_row, model_of
from suffice.models.mixture.kinds import check_censored, kinds_of
from suffice.models.mixture.model import LOG_TINY, Model, Params, joined
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.rows import SAMPLE, MixtureRows, rows_of
from suffice.numerics.newton import DEGENERATE
from suffice.runtime.errors import DataError
from suffice.runtime.rng import as_key

_SCOUT = 150  # evaluations of each start on the sample, at most
_ROUGH = 1e-4  # a tolerance that is for criteria alone
_UNSEEN, _LEAST, _MOST_GAIN = 1e-3, 1e-8, 5e-8  # the gain that these do not see, and its bounds for each observation
_RACE, _LEFT = 8, 3  # of all of them, where work on the sample is much, before the better half goes on, down to as many
_MUCH = 2**17
_SCOUT_GAIN, _ROUGH_SCOUT_GAIN = 1e-9, 1e-6  # of log-likelihood for each observation, at which it ends


def fit_mixture(
    target: Any,
    components: Any,
    data: Any = None,
    weights: Any = None,
    *,
    covariance: str = "full",
    prior: float = 0.0,
    starts: int = 20,
    start: Any = None,
    rng: Any = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 5000,
    accelerate: bool = True,
    missing: str = "error",
) -> MixtureFit:
    """Fit a mixture by maximum likelihood: Σ_i w_i log Σ_k weights_k p_k(x_i) is made largest by EM.

    Each step computes responsibilities r_ik ∝ weights_k p_k(x_i), and from weighted statistics with weights w_i r_ik the
    new components (Dempster, Laird and Rubin 1977). The log-likelihood never falls; steps are lengthened where that raises
    it further, by SQUAREM and near the maximum by Anderson's mixing (Henderson and Varadhan 2019). The likelihood has many
    maxima, so climbs begin from several starts, on some thousand rows, and the best goes on to the end on all.

    Args:
        target: what components are: a class such as ``sf.Normal``, or ``sf.family(...)`` with parameters held; a
            tuple of these, or a mapping from columns, for independent columns of different kinds; or a list with one
            of these for each component, in which a distribution stands for a component that is known.
        components: number K of components; may be left out after a list.
        data: array-like of shape (n,) or (n, d), a data frame, ``sf.scan``, ``sf.scan_table``, ``sf.chunks``, a
            callable that returns an iterable of arrays (rows, d) anew each time, or ``sf.Data`` of censored or binned
            values for components of univariate families. Files are read once for each step.
        weights: frequencies, (n,).
        covariance: of normal and t components: "full", "tied", "diag", "spherical", or three letters for volume, shape
            and orientation, each equal (E), varying (V) or none (I): "VEV".
        prior: number of pseudo-observations of each component, which keep it from collapsing: of normal and t
            components, and of others with a scale over the whole line, they have the spread of the data, shared out; of
            others they look like the sample.
        starts: how many there are.
        start: instead of them: labels (n,), responsibilities (n, K) or a ``sf.Mixture``.
        rng: of the starts: int, ``numpy.random.Generator`` or JAX key.
        tolerance: distance from the maximum at which to end, in units of the data's spread and of logarithms. From 1e-4 on
            the climb ends as well where a step gains less than 1e-3 in all, or 1e-8 for each observation, as criteria need
            no more.
        max_iterations: passes over the data at most.
        accelerate: whether steps are lengthened.
        missing: "error" or "drop", for rows with missing values.

    Returns:
        A ``MixtureFit``: the distribution, responsibilities, standard errors. Components of a kind are in ascending order of
        their means.

    Raises:
        DataError: fewer rows, or different ones, than components; constant or dependent columns; missing or infinite
            values; values that no component can make; truncated values, or only ones censored on one side.
        ValueError: no component, an unknown structure, one for families that have none, a family whose support is
            estimated or whose density has a kink; of censored values a family of vectors or shared variances.

    Example:
        >>> import suffice as sf
        >>> x = sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6]).sample(500, rng=1)
        >>> fit = sf.fit_mixture(sf.Normal, 2, x)
        >>> fit.converged, fit.distribution.weights.round(2).tolist()
        (True, [0.42, 0.58])
    """
    if data is None and isinstance(target, list):
        components, data = None, components
    if data is None:
        raise TypeError("data are missing: sf.fit_mixture(family, components, data)")
    kinds = kinds_of(target, components)
    check_settings(starts, tolerance, max_iterations, prior)
    rows = rows_of(taken(data, asked_for(target)), weights, missing, censored=True)
    if rows.censored:
        check_censored(kinds, rows.source, covariance)
    model = model_of(kinds, rows.look, covariance, float(prior), rows.censored)
    begins = (
        [(_given(model, rows, start), np.nan)]
        if start is not None
        else _scouted(model, rows, starts, rng, _ROUGH_SCOUT_GAIN if tolerance >= _ROUGH else _SCOUT_GAIN)
    )
    found = _finished(model, rows, [p for p, _ in begins], tolerance, max_iterations, accelerate)
    spread = np.array([value for _, value in begins])
    return MixtureFit.of(model, rows, found, spread, float(prior))


def _scouted(model: Model, rows: MixtureRows, count: int, rng: Any, gain: float) -> list[tuple[Params, float]]:
    """Starts after a short climb on a sample of the rows, best first, those that collapsed last."""
    look = rows.look
    if model.count == 1:
        return [(model.start(look.sample, look.weights, np.ones((1, len(look.sample)))), np.nan)]
    shares = seeding.starts(look.points, look.weights, model.count, count, generator(as_key(rng)))
    begin = joined([model.start(look.sample, look.weights, r) for r in shares])
    small = rows if rows.in_memory and rows.look.rows <= SAMPLE else rows.part(look.sample, look.weights)

    def go(begin: Params, most: int) -> tuple[Climb, np.ndarray, np.ndarray]:
        """Where runs end, which are no good, and the order from best to worst."""
        end = climb(
            model,
            lambda p: small.evaluate(model, p),
            begin,
            look.weights.sum(),
            most=most,
            tolerance=1e-5,
            gain=gain,
        )
        bad = (end.status == DEGENERATE) | ~np.isfinite(end.values)
        return end, bad, np.lexsort([-np.where(bad, -np.inf, end.values), bad])

    heavy = model.count * look.sample.size * look.sample.shape[1] > _MUCH
    while heavy and len(begin.log_weights) > _LEFT:  # the better half of them alone goes on
        end, _, order = go(begin, _RACE)
        begin = end.params.run(order[: max(-(-len(order) // 2), _LEFT)])
    end, bad, order = go(begin, _SCOUT)
    return [(end.params.run(slice(i, i + 1)), np.nan if bad[i] else float(end.values[i])) for i in order]


def _finished(
    model: Model, rows: MixtureRows, begins: list[Params], tolerance: float, most: int, accelerate: bool
) -> Climb:
    """The climb from the best start on all rows; from the next ones where it collapses."""
    gain = min(max(_UNSEEN / rows.look.count, _LEAST), _MOST_GAIN) if tolerance >= _ROUGH else 0.0

    def go(begin: Params) -> Climb:
        evaluate, count = lambda p: rows.evaluate(model, p), rows.look.count
        return climb(model, evaluate, begin, count, most=most, tolerance=tolerance, accelerate=accelerate, gain=gain)

    found = first_that_stands(begins, go)
    if found is None:
        raise DataError(impossible_row(model, rows))
    return found


def _given(model: Model, rows: MixtureRows, start: Any) -> Params:
    """Where the user says that the climb begins."""
    if isinstance(start, Mixture):
        return params_of(model, start)
    if not rows.in_memory:
        raise ValueError("start must be a sf.Mixture where rows are read from a file")
    share = np.asarray(start)
    if share.shape == (len(rows.x),) and share.dtype.kind in "iu":
        if share.min() < 0 or share.max() >= model.count:
            raise ValueError(f"start must hold labels from 0 to {model.count - 1}, got {share.min()} to {share.max()}")
        share = seeding.softened(share, model.count).T
    if share.shape != (len(rows.x), model.count):
        raise ValueError(
            f"start must be labels ({len(rows.x)},), responsibilities ({len(rows.x)}, {model.count}) or a sf.Mixture, "
            f"got shape {share.shape}"
        )
    share = share.astype(float)
    if not (np.all(np.isfinite(share)) and np.all(share >= 0.0)):
        raise ValueError("start must hold responsibilities that are finite and >= 0")
    w = np.ones(len(rows.x)) if rows.w is None else rows.w
    if np.any(empty := ~(w @ share > 0.0)):
        raise ValueError(f"start must give each component some row, and component {int(empty.argmax())} has none")
    return model.start(rows.x, w, share.T)


def params_of(model: Model, mixture: Mixture) -> Params:
    """Parameters of one run from a mixture of the model's form."""
    members = [g._member(np.asarray(i)) for g in mixture.components for i in range(g.batch_shape[-1])]
    if len(members) != model.count:
        raise ValueError(f"start must have {model.count} components, got {len(members)}")
    parts = []
    for group, at in zip(model.groups, model.places(), strict=True):
        kind = type(group.example)
        wrong = next((m for m in members[at] if not isinstance(m, kind)), None)
        if wrong is not None:
            raise ValueError(f"start must have components of {kind.__name__}, got {type(wrong).__name__}")
        parts.append(group.of_members(members[at]))
    with np.errstate(divide="ignore"):
        log_weights = np.maximum(np.log(np.asarray(mixture.weights, float)), LOG_TINY)
    return Params(log_weights[None], tuple(parts))
