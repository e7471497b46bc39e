"""What each of several filters leaves of a distribution, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.distributions.bernoulli import Categorical
from suffice.models.language.filters import Filter, filtered


@dataclass(frozen=True, eq=False)
class FilterSteps:
    """A distribution of the next token before all filters and after each; ``sf.plot`` draws it.

    Attributes:
        filters: in the order in which they are applied.
        distributions: one more than the filters.
        words: the tokens as they are written, (V,).
    """

    filters: tuple[Filter, ...]
    distributions: tuple[Categorical, ...]
    words: tuple[str, ...]

    @property
    def distribution(self) -> Categorical:
        """What is left after all, as ``filtered`` gives it."""
        return self.distributions[-1]

    @property
    def kept(self) -> list[int]:
        """Number of tokens that are possible at each step."""
        return [int(np.isfinite(np.asarray(p.logits)).sum()) for p in self.distributions]

    def __repr__(self) -> str:
        return f"FilterSteps({' → '.join(['', *map(name_of, self.filters)]).strip()}; tokens kept: {self.kept})"


def name_of(taken: Filter) -> str:
    """A filter as it is written, a plain function by its name."""
    return getattr(taken, "__name__", None) or repr(taken)


def filter_steps(
    p: Categorical | Any, filters: Sequence[Filter], history: Any = None, *, words: Sequence[str] | None = None
) -> FilterSteps:
    """Apply filters one after the other and keep what each leaves, where ``filtered`` gives the last alone.

    Args:
        p: one ``Categorical`` or its logits, (V,).
        filters: in the order in which they are applied; see ``standard_filters``.
        history: tokens so far, (L,), −1 where none is; for filters that look at it.
        words: how tokens are written, (V,), as ``model.vocabulary.all.to_pylist()``; their numbers if None.

    Raises:
        ValueError: several distributions, another number of words, and what ``filtered`` refuses.

    Example:
        >>> import suffice as sf
        >>> p = sf.Categorical.from_probs([0.5, 0.3, 0.15, 0.05])
        >>> sf.filter_steps(p, sf.standard_filters(temperature=0.7, top_p=0.9))
        FilterSteps(→ Temperature(temperature=0.7) → TopP(p=0.9); tokens kept: [4, 4, 3])
    """
    law = p if isinstance(p, Categorical) else Categorical(p)
    if law.logits.ndim != 1:
        raise ValueError(f"p must be one distribution, with logits of shape (V,), got {law.logits.shape}")
    classes = law.logits.shape[0]
    written = tuple(map(str, range(classes) if words is None else words))
    if len(written) != classes:
        raise ValueError(f"words must be {classes}, one for each token, got {len(written)}")
    found = [law]
    for taken in filters:
        found.append(filtered(found[-1], [taken], history))
    return FilterSteps(tuple(filters), tuple(found), written)
