"""Documents from results: a page, a chart. What they are made with is loaded when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from suffice.inference.conjugate.posterior import Posterior
    from suffice.inference.intervals.region import Region
    from suffice.inference.rank import Ranking
    from suffice.inference.result import Fit
    from suffice.inference.testing.goodness import GoodnessOfFit
    from suffice.models.basis import Basis
    from suffice.models.bayesian import LinearPosterior
    from suffice.models.evidence import EvidenceFit, ModelOrder
    from suffice.models.linear_fit import LinearFit
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.report.sequences import Sequential
    from suffice.sampling.adaptive_rejection import AdaptiveRejection
    from suffice.sampling.chains import Chains

    type Regression = LinearFit | LinearPosterior | EvidenceFit | ModelOrder
    type Mixture = MixtureFit | MixtureSelection


def report(
    result: Ranking | Fit | Posterior | Chains | Regression | Mixture | Sequential,
    path: str | PathLike[str],
    *,
    goodness: Sequence[GoodnessOfFit] | None = None,
    replicates: int = 999,
    rng: Any = 0,
) -> Path:
    """Write a result as one HTML page that needs no network: the answer, the ranking, figures, and how it was computed.

    Args:
        result: of ``rank``, ``fit``, ``update``, ``sample``, ``LinearBasisModel.fit``, ``BayesianLinearModel.fit``,
            ``evidence_fit``, ``order_by_evidence``, ``fit_mixture``, ``select_mixture``, ``fit_state_space``,
            ``fit_hidden_markov`` or ``score_sequences``; points of a file are drawn from a sample, for which it is read.
        path: of the file, which is written whole or not at all.
        goodness: tests of the first families, as ``ranking.goodness_of_fit`` returns them; made here if not given.
        replicates: bootstrap samples of these tests.
        rng: int, NumPy generator or JAX key.

    Returns:
        The path.
    """
    from suffice.inference.conjugate.posterior import Posterior
    from suffice.inference.rank import Ranking
    from suffice.inference.result import Fit
    from suffice.models.bayesian import LinearPosterior
    from suffice.models.evidence import EvidenceFit, ModelOrder
    from suffice.models.linear_fit import LinearFit
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.report import page, sequences
    from suffice.runtime.files import write_whole
    from suffice.sampling.chains import Chains

    if isinstance(result, Ranking):
        return write_whole(path, page.ranking_page(result, goodness, replicates, rng))
    if isinstance(result, Fit):
        return write_whole(path, page.fit_page(result))
    if isinstance(result, Posterior):
        return write_whole(path, page.posterior_page(result))
    if isinstance(result, Chains):
        return write_whole(path, page.chains_page(result))
    if isinstance(result, LinearFit | LinearPosterior | EvidenceFit | ModelOrder):
        return write_whole(path, page.regression_page(result))
    if isinstance(result, MixtureFit | MixtureSelection):
        return write_whole(path, page.mixture_page(result))
    if isinstance(result, sequences.KINDS):
        return write_whole(path, page.sequence_page(result))
    raise TypeError(
        "result must be a Ranking, a Fit, a regression, a mixture, a fit or score of sequences, a Posterior or Chains, "
        f"got {type(result).__name__}"
    )


def plot(
    result: Ranking | Fit | Region | Posterior | Chains | AdaptiveRejection | Regression | Mixture | Sequential | Basis,
    kind: str | None = None,
    *,
    at: Any = None,
) -> Any:
    """Draw a result: the data with the best families for a ranking, density and distribution function for a fit, the
    contour of a joint confidence region, prior, likelihood and posterior for a posterior, densities and ranks for chains,
    the envelope of adaptive rejection step by step, a regression with its bands beside its residuals, evidence against
    model order, the functions of a basis, components over the data for a mixture, a series with its level and forecast, a hidden chain
    over its values, the perplexities of documents.

    Args:
        result: what to draw.
        kind: of chains only: "rank", "trace", "autocorrelation", "energy" or "pairs"; densities and ranks if None.
        at: of a basis only: inputs (n,), from which it takes what it needs, or (lower, upper); by default (−1, 1).

    Returns:
        An Altair chart: it displays itself in notebooks and has ``save("x.png")``, also for .svg and .html.
    """
    import altair

    from suffice.inference.conjugate.posterior import Posterior
    from suffice.inference.intervals.region import Region
    from suffice.inference.rank import Ranking
    from suffice.inference.result import Fit
    from suffice.models.basis import Basis
    from suffice.models.bayesian import LinearPosterior
    from suffice.models.evidence import EvidenceFit, ModelOrder
    from suffice.models.linear_fit import LinearFit
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.report import (
        bases,
        charts,
        draws,
        envelope,
        figures,
        joint,
        mixture,
        posterior,
        regression,
        sequences,
        walks,
    )
    from suffice.report.empirical import Empirical
    from suffice.report.regressed import Regressed
    from suffice.sampling.adaptive_rejection import AdaptiveRejection
    from suffice.sampling.chains import Chains

    if kind is not None and not isinstance(result, Chains):
        raise ValueError(f"kind is for Chains, got {kind!r} with {type(result).__name__}")
    if at is not None and not isinstance(result, Basis):
        raise TypeError("at is for a basis alone")
    if isinstance(result, Basis):
        return charts.display(bases.basis_figure(result, at).chart)
    if isinstance(result, Ranking):
        return charts.display(figures.histogram(result, Empirical.of(result)).chart)
    if isinstance(result, Fit):
        parts = figures.density(result).chart, figures.distribution_function(result).chart
        return charts.display(altair.hconcat(*parts))
    if isinstance(result, Region):
        return charts.display(joint.joint_region(result).chart)
    if isinstance(result, Posterior):
        return charts.display(altair.hconcat(*(f.chart for f in posterior.parameter_figures(result))))
    if isinstance(result, AdaptiveRejection):
        return charts.display(envelope.envelope_chart(result))
    if isinstance(result, Chains) and kind is not None:
        return charts.display(walks.walk_chart(result, kind))
    if isinstance(result, Chains):
        return charts.display(
            altair.vconcat(*(altair.hconcat(*(f.chart for f in row)) for row in draws.figures(result)))
        )
    if isinstance(result, ModelOrder):
        return charts.display(regression.order_figure(result).chart)
    if isinstance(result, LinearFit | LinearPosterior | EvidenceFit):
        fit = result.posterior if isinstance(result, EvidenceFit) else result
        parts = [f.chart for f in regression.overview(Regressed.each(fit, 1)[0])]
        return charts.display(altair.hconcat(*parts) if len(parts) > 1 else parts[0])
    if isinstance(result, MixtureFit | MixtureSelection):
        return charts.display(
            altair.vconcat(*(altair.hconcat(*(f.chart for f in row)) for row in mixture.figures(result)))
        )
    if isinstance(result, sequences.KINDS):
        shown = sequences.telling(result).figures(result)
        return charts.display(altair.vconcat(*(altair.hconcat(*(f.chart for f in row)) for row in shown)))
    raise TypeError(
        "result must be a Ranking, a Fit, a Region, a Posterior, Chains, AdaptiveRejection, a regression, a mixture, a fit "
        f"or score of sequences or a Basis, got {type(result).__name__}"
    )


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
