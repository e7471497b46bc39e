"""The answer of fitting a mixture: a distribution, with its uncertainty and how it was found."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from suffice.distributions.mixture import Mixture
from suffice.models.mixture.censored import with_points
from suffice.models.mixture.climb import Climb
from suffice.models.mixture.columns import names_of, taken
from suffice.models.mixture.information import covariance_of
from suffice.models.mixture.model import Model, Params
from suffice.models.mixture.rows import MixtureRows, posterior_of, rows_of
from suffice.numerics.newton import AT_LIMIT, CONVERGED, DEGENERATE, EXHAUSTED, STALLED
from suffice.runtime.errors import DataError
from suffice.streams import Data

MESSAGES = {
    CONVERGED: "converged",
    STALLED: "no step raises the likelihood, though it is not at its maximum",
    EXHAUSTED: "stopped after the largest number of passes over the data",
    AT_LIMIT: "the likelihood rises towards a limit of the family",
    DEGENERATE: "a component collapses onto a few observations, and the likelihood grows without bound; prior=1 keeps "
    "it from that",
}
_NOBODY = 1e-6  # observations that a component expects: with fewer it is empty


def limits_told(limits: list[tuple[int, str, Any]], noun: str) -> str:
    """What ``Model.limits`` found, in words that go on from a message."""
    becomes = [("" if kind is None else f"becomes {kind.__name__} ") for _, _, kind in limits]
    return "".join(
        f"; {noun} {k} {b}as {name} runs to its end" for (k, name, _), b in zip(limits, becomes, strict=True)
    )


@dataclass(frozen=True)
class MixtureFit:
    """A fitted mixture.

    Attributes:
        distribution: the ``sf.Mixture``; components of a kind are in ascending order of their means.
        log_likelihood: at the estimate, in nats, without a prior's part.
        count: number of observations, the sum of the weights.
        trace: log-likelihood, with a prior's part if there is one, at each step of the climb on all data; it never falls.
        starts: the same on the sample that starts were tried on, best first; NaN where a component collapsed. How far
            apart they are tells how many maxima there are.
        result: a code, told by ``converged`` and ``message``.
        passes: passes over the data.
        model, params: the groups of components and their parameters.
        rows: the data.
        prior: pseudo-observations of each component.
    """

    distribution: Mixture
    log_likelihood: float
    count: float
    trace: np.ndarray
    starts: np.ndarray
    result: int
    passes: int
    model: Model
    params: Params
    rows: MixtureRows | None = None
    prior: float = 0.0

    @classmethod
    def of(cls, model: Model, rows: MixtureRows, end: Climb, spread: np.ndarray, prior: float = 0.0) -> "MixtureFit":
        """The result of a climb."""
        params = model.ordered(end.params)
        members = model.members(params)
        weights = np.exp(params.log_weights[0])
        return cls(
            Mixture(members, weights / weights.sum()),
            float(end.log_likelihoods[0]),
            rows.look.count,
            np.array(end.traces[0]),
            spread,
            AT_LIMIT if end.status[0] == CONVERGED and model.limits(params) else int(end.status[0]),
            end.evaluations,
            model,
            params,
            rows,
            prior,
        )

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: without the data."""
        return {name: None if name == "rows" else value for name, value in self.__dict__.items()}

    @property
    def converged(self) -> bool:
        """Whether the climb ended at a maximum of the likelihood; not where this is the limit of a family, named in
        ``message``."""
        return self.result == CONVERGED

    @property
    def usable(self) -> bool:
        """Whether its log-likelihood is the highest near, be it attained or the limit of a family."""
        return self.result in (CONVERGED, AT_LIMIT)

    @property
    def collapsed(self) -> tuple[int, ...]:
        """Components that have lost their spread, or expect no observations."""
        sound = self.model.sound(self.params)[0] & (np.exp(self.params.log_weights[0]) * self.count > _NOBODY)
        return tuple(int(i) for i in np.flatnonzero(~sound))

    @property
    def message(self) -> str:
        """How the climb ended, in words."""
        text = MESSAGES[self.result]
        if self.result == DEGENERATE and self.model.censored:
            text = "a component collapses onto a few observations or beyond all known ones, where there is no maximum"
        if self.result == DEGENERATE and self.prior:
            text = f"a component collapses although there is a prior of {self.prior:g}: more may hold it"
        if self.result in (AT_LIMIT, EXHAUSTED):
            text += limits_told(self.model.limits(self.params), "component")
        lost = np.isnan(self.starts).sum()
        if len(self.starts) > 1 and lost:
            text += f"; at {lost} of {len(self.starts)} starts a component collapsed"
        return text

    @property
    def components(self) -> list[Any]:
        """The components as distributions, in order."""
        return self.model.members(self.params)

    @property
    def weights(self) -> np.ndarray:
        """Probabilities of the components."""
        return np.asarray(self.distribution.weights)

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        return self.model.dimension

    @property
    def aic(self) -> float:
        """Akaike's information criterion 2k − 2l. For the number of components BIC and ICL are meant: its theory fails."""
        return 2.0 * self.dimension - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian information criterion k log n − 2l; small is good. mclust's has the opposite sign."""
        return self.dimension * float(np.log(self.count)) - 2.0 * self.log_likelihood

    @cached_property
    def entropy(self) -> float:
        """−Σ_i w_i Σ_k r_ik log r_ik: how unsure it is which component each observation comes from, in nats."""
        return float(np.asarray(self._data().evaluate(self.model, self.params).entropy)[0])

    @property
    def icl(self) -> float:
        """Integrated completed likelihood: BIC plus twice the entropy (Biernacki, Celeux and Govaert 2000)."""
        return self.bic + 2.0 * self.entropy

    def responsibilities(self, x: Any) -> np.ndarray:
        """Probability of each component for each row, (n, K); of a censored one, an interval, in ``sf.Data``."""
        return self._posterior(self._rows(x))[0]

    def predict(self, x: Any) -> np.ndarray:
        """The most probable component of each row, (n,)."""
        return self.responsibilities(x).argmax(1)

    def log_densities(self, x: Any) -> np.ndarray:
        """log p(x) of each row, (n,); of a censored one the logarithm of its probability."""
        return self._posterior(self._rows(x))[1]

    def _rows(self, x: Any) -> np.ndarray:
        if isinstance(x, Data) and self.model.censored:
            return with_points(x.rows)
        if isinstance(x, Data):
            x = rows_of(x, None, "error").x
        if self.rows is not None and set(self.rows.names) <= set(names_of(x)):
            x = taken(x, self.rows.names)
        x = np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x, float)
        d = int(np.prod(self.distribution.event_shape))
        if not self.distribution.event_ndim:
            x = x.reshape(-1, 1) if x.ndim == 1 or x.shape[1:] == (1,) else x
        if x.ndim != 2 or x.shape[1] != d:
            raise DataError(f"rows must have {d} columns, got an array of shape {x.shape}")
        return np.repeat(x, 3, axis=1) if self.model.censored else x  # a value is a point and both ends

    def _posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return posterior_of(self.model, self.params, x)

    def _data(self) -> MixtureRows:
        if self.rows is None:
            raise ValueError("this fit has lost its data, as when it was pickled")
        return self.rows

    def _stretches(self) -> Any:
        """The data in stretches of rows and weights."""
        rows = self._data()
        read = ((rows.table(c.values), c.weights) for c in rows.source.chunks())
        for x, w in [(rows.x, rows.w)] if rows.in_memory else read:
            yield np.asarray(x, float), np.ones(len(x)) if w is None else w

    # -- uncertainty ----------------------------------------------------------------------------------------------------

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters: "weights[0]", "components[0].loc"."""
        names = [f"weights[{k}]" for k in range(self.model.count)]
        for group, at in zip(self.model.groups, self.model.places(), strict=True):
            inner = group.reported.parameter_names
            names += [f"components[{k}].{name}" for k in range(at.start, at.stop) for name in inner]
        return tuple(names)

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Estimates by name."""
        return dict(zip(self.parameter_names, self._reported(self.params), strict=True))

    def _told(self) -> list[Any]:
        """How each component's reported parameters follow from its coordinates."""
        pairs = [(g, g.reported) for g in self.model.groups for _ in range(g.count)]
        return [lambda v, g=g, r=r: r.report(g.member_at(v)) for g, r in pairs]

    def _reported(self, p: Params) -> np.ndarray:
        values = [np.exp(p.log_weights[0])]
        for group, q in zip(self.model.groups, p.groups, strict=True):
            values += [np.asarray(group.reported.report(m, np)) for m in group.members(q)]
        return np.concatenate(values)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the estimates in the order of ``parameter_names``, from the observed information by Louis' identity.

        NaN where the climb did not converge, or a component is empty. Of a parameter that runs to a limit there is none, and
        the others' are as if it were known.
        """
        return covariance_of(self)

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors by name, from ``covariance``."""
        with np.errstate(invalid="ignore"):
            return dict(zip(self.parameter_names, np.sqrt(np.diagonal(self.covariance)).tolist(), strict=True))

    def bootstrap(self, replicates: int = 200, *, rng: Any = 0) -> Any:
        """Estimates from resampled rows, each climb from this fit, components matched to it.

        Args:
            replicates: how many.
            rng: int, ``numpy.random.Generator`` or JAX key.

        Returns:
            A ``MixtureBootstrap``: ``standard_errors`` and ``intervals``.

        Raises:
            ValueError: fewer than 2 replicates, or data that are not in memory.

        Example:
            >>> import suffice as sf
            >>> x = sf.Mixture([sf.Normal(-3.0, 1.0), sf.Normal(3.0, 1.0)], [0.5, 0.5]).sample(400, rng=1)
            >>> fit = sf.fit_mixture(sf.Normal, 2, x)
            >>> errors = fit.bootstrap(50).standard_errors
            >>> 0.6 < errors["components[0].loc"] / fit.standard_errors["components[0].loc"] < 1.6
            True
        """
        from suffice.models.mixture.bootstrap import bootstrap_of

        return bootstrap_of(self, replicates, rng)

    def __repr__(self) -> str:
        state = "" if self.converged else f", not converged: {self.message}"
        told = ", ".join(
            f"{w:.4g} {m!r}" if not np.prod(m.event_shape, dtype=int) > 4 else f"{w:.4g} {type(m).__name__}"
            for w, m in zip(self.weights, self.components, strict=True)
        )
        return f"MixtureFit({told}; l = {self.log_likelihood:.6f}, n = {self.count:,.10g}{state})"
