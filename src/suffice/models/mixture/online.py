"""Stepwise EM: a stream read once, each block moving the statistics a little."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.mixture import Mixture
from suffice.distributions.statistics import centred, merged
from suffice.inference.closed_form import maximum
from suffice.models.mixture.expectation import Rows
from suffice.models.mixture.families import FamilyComponents
from suffice.models.mixture.model import Expected, Params
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.rows import rows_of
from suffice.models.mixture.triangles import inverse, second_moments
from suffice.runtime.errors import DataError


class OnlineMixture:
    """A mixture that follows a stream: each block is read once and forgotten (Cappé and Moulines 2009).

    With s the expected statistics for each observation, s ← (1 − γ_t) s + γ_t s(block), γ_t = (t + 2)^−rate, and the
    parameters are those of highest likelihood for s.

    Args:
        fit: of the first rows, which the stream continues; of normal components, or families with statistics of fixed
            size.
        rate: above 0.5, for the steps to come to rest, to 1, where all blocks count alike.

    Attributes:
        distribution: the mixture now.
        count: observations so far.
        log_score: Σ w log p(x) of the blocks, each under the mixture before it was read.

    Raises:
        ValueError: a rate out of range, components without such statistics, a fit that has lost its data.

    Example:
        >>> import numpy as np, suffice as sf
        >>> truth = sf.Mixture([sf.Normal(-2.0, 1.0), sf.Normal(3.0, 1.0)], [0.3, 0.7])
        >>> online = sf.OnlineMixture(sf.fit_mixture(sf.Normal, 2, truth.sample(300, rng=0)))
        >>> for t in range(20):
        ...     online.update(truth.sample(500, rng=t + 1))
        >>> np.allclose(online.distribution.weights, [0.3, 0.7], atol=0.02)
        True
    """

    def __init__(self, fit: MixtureFit, *, rate: float = 0.7) -> None:
        if not 0.5 < rate <= 1.0:
            raise ValueError(f"rate must be above 0.5 and at most 1, got {rate}")
        for group in fit.model.groups:
            steady = isinstance(group, NormalComponents) and group.df is None
            if not steady and not (isinstance(group, FamilyComponents) and group.how != "newton"):
                raise ValueError("online steps need normal components, or families with statistics of fixed size")
        self.model, self.rate, self.steps = fit.model, rate, 0
        self.count, self.log_score = fit.count, 0.0
        self._params = fit.params
        self._counts, self._state = self._statistics(fit._data().evaluate(self.model, fit.params), fit.params)

    @property
    def distribution(self) -> Mixture:
        weights = np.exp(self._params.log_weights[0])
        return Mixture(self.model.members(self._params), weights / weights.sum())

    def update(self, data: Any, weights: Any = None) -> None:
        """Take in a block of rows."""
        rows = rows_of(data, weights, "error")
        d = int(np.prod(self.model.groups[0].example.event_shape))
        if rows.look.mean.size != d:
            raise DataError(f"rows must have {d} columns, got {rows.look.mean.size}")
        if not rows.in_memory:
            raise ValueError("a block must fit into memory: sf.chunks and files are read block by block by the caller")
        piece = Rows(rows.x, rows.w)
        prepared = self.model.prepare(self._params)
        e = Expected(*piece.expected(self.model.kernels, prepared, self._params.log_weights))
        self.log_score += float(e.log_likelihood[0])
        counts, state = self._statistics(e, self._params)
        gamma = (self.steps + 2.0) ** -self.rate
        old, new = (1.0 - gamma) * self._counts, gamma * counts
        self._state = [
            _blended(group, a, b, old[at], new[at])
            for group, a, b, at in zip(self.model.groups, self._state, state, self.model.places(), strict=True)
        ]
        self._counts = old + new
        self.steps, self.count = self.steps + 1, self.count + rows.look.count
        groups = tuple(
            _best(group, s, self._counts[at] * self.count, q)
            for group, s, q, at in zip(
                self.model.groups, self._state, self._params.groups, self.model.places(), strict=True
            )
        )
        self._params = Params(self.model._weights(self._counts[None]), groups)

    def _statistics(self, e: Expected, p: Params) -> tuple[np.ndarray, list[Any]]:
        """Shares of the components, and what each expects of an observation of its own."""
        counts = e.counts[0]
        parts = zip(self.model.groups, p.groups, e.sums, self.model.places(), strict=True)
        return counts / counts.sum(), [_own(group, q, counts[at], s) for group, q, s, at in parts]

    def __repr__(self) -> str:
        return f"OnlineMixture({self.distribution!r}, after {self.count:,.10g} observations)"


def _own(group: Any, p: Any, n: np.ndarray, sums: Any) -> Any:
    """Statistics of each component for one of its observations."""
    if isinstance(group, FamilyComponents):
        if group.how == "held":
            return None
        at = lambda a, k: jax.tree.map(lambda v: jnp.asarray(v[0, k]), a)  # noqa: E731
        return [centred(group.family.member, at(p["pilot"], k), at(sums, k)) for k in range(group.count)]
    n = np.maximum(n, 1e-300)
    root, loc = p["root"][0], p["loc"][0]
    first = sums["first"][0] / n[:, None]
    inner = (
        second_moments(sums, p["loc"], inverse(p["root"]))[0] / n[:, None, None]
        - first[..., :, None] * first[..., None, :]
    )
    return loc + (root @ first[..., None])[..., 0], root @ inner @ np.swapaxes(root, -1, -2)


def _blended(group: Any, a: Any, b: Any, old: np.ndarray, new: np.ndarray) -> Any:
    """Statistics of both together, with weights."""
    if a is None:
        return None
    if isinstance(group, FamilyComponents):
        heights = zip(a, b, old, new, strict=True)
        return [merged(replace(s, count=jnp.asarray(u)), replace(t, count=jnp.asarray(v))) for s, t, u, v in heights]
    share = (new / np.maximum(old + new, 1e-300))[:, None]
    move = b[0] - a[0]
    between = (share * (1.0 - share))[..., None] * move[..., :, None] * move[..., None, :]
    return a[0] + share * move, a[1] + share[..., None] * (b[1] - a[1]) + between


def _best(group: Any, state: Any, n: np.ndarray, before: Any) -> Any:
    """Parameters of highest likelihood for the statistics, of n observations each where there is a prior beside them."""
    if state is None:
        return before
    if isinstance(group, FamilyComponents):
        whole = [s if group.whole is None else _beside(s, m, group.whole) for s, m in zip(state, n, strict=True)]
        found = [np.asarray(group.family.vector(maximum(group.family, s)[0]), float) for s in whole]
        pilots = np.stack([np.asarray(s.mean) for s in state])
        return before | {"v": np.stack(found)[None], "pilot": pilots[None]}
    loc, spread = state
    n = np.maximum(n, 1e-12)
    return before | {"loc": loc[None], "root": group._rooted(n[None], (n[:, None, None] * spread)[None], None)}


def _beside(state: Any, n: float, whole: Any) -> Any:
    """A component's statistics, of n observations, and those of its prior."""
    return merged(replace(state, count=jnp.asarray(float(n))), whole)
