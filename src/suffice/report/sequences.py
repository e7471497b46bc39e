"""What is told of sequences, by kind of result: a time series, an autoregression, a hidden chain, a score of texts."""

from types import ModuleType

from suffice.models.hidden_markov.result import HiddenMarkovFit
from suffice.models.language.score import SequenceScore
from suffice.models.state_space.autoregression import AutoregressiveFit
from suffice.models.state_space.fit import StateSpaceFit
from suffice.report import autoregression, hidden_chain, perplexity, time_series

type Sequential = StateSpaceFit | AutoregressiveFit | HiddenMarkovFit | SequenceScore

_TOLD: dict[type, ModuleType] = {
    StateSpaceFit: time_series,
    AutoregressiveFit: autoregression,
    HiddenMarkovFit: hidden_chain,
    SequenceScore: perplexity,
}
KINDS = tuple(_TOLD)


def telling(result: Sequential) -> ModuleType:
    """The words, tables and figures of a result."""
    return next(module for kind, module in _TOLD.items() if isinstance(result, kind))
