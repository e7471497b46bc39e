"""Documents from results: a page, a chart. What they are made with is loaded when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from suffice.inference.testing.goodness import GoodnessOfFit


def report(
    result: Any,
    path: str | PathLike[str],
    *,
    goodness: Sequence[GoodnessOfFit] | None = None,
    replicates: int = 999,
    rng: Any = 0,
) -> Path:
    """Write a result as one HTML page that needs no network: the answer, figures, and how it was computed.

    Args:
        result: of ``rank``, ``fit``, ``update``, ``sample``, ``LinearBasisModel.fit``, ``BayesianLinearModel.fit``,
            ``evidence_fit``, ``order_by_evidence``, ``GeneralizedLinearModel.fit``, ``OrdinalRegression.fit``,
            ``MultinomialRegression.fit``, ``fit_mixture``, ``select_mixture``, ``fit_state_space``, ``fit_hidden_markov``
            or ``score_sequences``; points of a file are drawn from a sample, for which it is read.
        path: of the file, which is written whole or not at all.
        goodness: of a ranking, tests of the first families, as ``ranking.goodness_of_fit`` returns them; made here if
            not given.
        replicates: bootstrap samples of these tests.
        rng: int, NumPy generator or JAX key.

    Returns:
        The path.

    Raises:
        TypeError: a result of another kind.
    """
    from suffice.report import kinds
    from suffice.runtime.files import write_whole

    return write_whole(path, kinds.page_of(result, goodness=goodness, replicates=replicates, rng=rng))


def plot(result: Any, kind: str | None = None, *, at: Any = None) -> Any:
    """Draw a result: the data with the best families for a ranking, density and distribution function for a fit, the
    contour of a joint confidence region, prior, likelihood and posterior for a posterior, densities and ranks for chains,
    the envelope of adaptive rejection step by step, a regression with its bands beside its residuals, evidence against
    model order, the functions of a basis, components over the data for a mixture, a series with its forecast, values by
    hidden state, the perplexity of documents, what filters leave of a distribution step by step.

    Args:
        result: what to draw: all that ``report`` takes, a joint region, an ``AdaptiveRejection``, ``filter_steps`` or a basis.
        kind: of chains only: "rank", "trace", "autocorrelation", "energy" or "pairs"; densities and ranks if None.
        at: of a basis only: inputs (n,), from which it takes what it needs, or (lower, upper); by default (−1, 1).

    Returns:
        An Altair chart: it displays itself in notebooks and has ``save("x.png")``, also for .svg and .html.

    Raises:
        TypeError: a result of another kind.
    """
    from suffice.report import kinds

    return kinds.chart_of(result, kind, at)


def skewness_kurtosis(data: Any, *, replicates: int = 300, rng: Any = 0) -> Any:
    """Draw where a sample lies in the plane of squared skewness and kurtosis, and where families do (Cullen and Frey).

    Args:
        data: array-like of shape (n,), a table column or a source.
        replicates: bootstrap samples, which show how sure that place is.
        rng: int, NumPy generator or JAX key.

    Returns:
        An Altair chart.

    Raises:
        DataError: less than four observations, no spread, data not in memory.

    Source: Cullen and Frey (1999), *Probabilistic Techniques in Exposure Assessment*, chapter 7.

    Example:
        >>> import suffice as sf
        >>> chart = sf.skewness_kurtosis([0.2, 0.9, 1.7, 3.1, 4.4], replicates=20)
        >>> chart.to_dict()["layer"][0]["encoding"]["x"]["title"]
        'Squared skewness'
    """
    from suffice.report import charts, shape

    return charts.display(shape.skewness_kurtosis(data, replicates=replicates, rng=rng).chart)
