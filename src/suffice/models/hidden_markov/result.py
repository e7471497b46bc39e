"""The answer of fitting a hidden Markov model: a distribution, with its uncertainty and how it was found."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suffice.models.hidden_markov.chain import ChainModel, ChainParams
from suffice.models.hidden_markov.information import covariance_of, reported
from suffice.models.hidden_markov.model import HiddenMarkov
from suffice.models.hidden_markov.sequences import Line
from suffice.models.mixture.result import MESSAGES, limits_told
from suffice.numerics.newton import AT_LIMIT, CONVERGED, EXHAUSTED


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
        model, params: the groups of states and their parameters.
        data: the sequences.
    """

    distribution: HiddenMarkov
    log_likelihood: float
    count: int
    dimension: int
    trace: np.ndarray
    starts: np.ndarray
    result: int
    model: ChainModel
    params: ChainParams
    data: Line

    @property
    def converged(self) -> bool:
        """Whether the climb ended at a maximum; not where this is the limit of a family, named in ``message``."""
        return self.result == CONVERGED

    @property
    def message(self) -> str:
        """Why it ended."""
        limits = self.model.limits(self.params) if self.result in (AT_LIMIT, EXHAUSTED) else []
        return MESSAGES[self.result] + limits_told(limits, "state")

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * self.dimension - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return float(np.log(self.count)) * self.dimension - 2.0 * self.log_likelihood

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters: "initial[0]", "transition[0,1]", "emissions[0].loc"."""
        mixture = self.model.mixture
        states = range(mixture.count)
        names = [f"initial[{i}]" for i in states] + [f"transition[{i},{j}]" for i in states for j in states]
        for group, at in zip(mixture.groups, mixture.places(), strict=True):
            inner = group.reported.parameter_names
            names += [f"emissions[{k}].{name}" for k in range(at.start, at.stop) for name in inner]
        return tuple(names)

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Estimates by name."""
        return dict(zip(self.parameter_names, reported(self).tolist(), strict=True))

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the estimates in the order of ``parameter_names``, from the observed information.

        NaN for probabilities that are 0 or 1, for ``initial`` of a single sequence, whose first state is one
        observation, and for all where the climb did not end at a maximum. Of a parameter that runs to a limit there is
        none, and the others' are as if it were known.
        """
        return covariance_of(self)

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors by name, from ``covariance``."""
        with np.errstate(invalid="ignore"):
            return dict(zip(self.parameter_names, np.sqrt(np.diagonal(self.covariance)).tolist(), strict=True))

    def __repr__(self) -> str:
        end = "" if self.converged else f", {self.message}"
        return (
            f"HiddenMarkovFit({self.distribution!r}; log-likelihood {self.log_likelihood:.6g}, BIC {self.bic:.6g}{end})"
        )
