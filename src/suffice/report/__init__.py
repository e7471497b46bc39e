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
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.sampling.chains import Chains


def report(
    result: Ranking | Fit | Posterior | Chains | MixtureFit | MixtureSelection,
    path: str | PathLike[str],
    *,
    goodness: Sequence[GoodnessOfFit] | None = None,
    replicates: int = 999,
    rng: Any = 0,
) -> Path:
    """Write a result as one HTML page that needs no network: the answer, the ranking, figures, and how it was computed.

    Args:
        result: of ``rank``, ``fit``, ``update``, ``sample``, ``fit_mixture`` or ``select_mixture``.
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
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.report import page
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
    if isinstance(result, MixtureFit | MixtureSelection):
        return write_whole(path, page.mixture_page(result))
    raise TypeError(
        f"result must be a Ranking, a Fit, a Posterior, Chains, a MixtureFit or a MixtureSelection, got {type(result).__name__}"
    )


def plot(result: Ranking | Fit | Region | Posterior | Chains | MixtureFit | MixtureSelection) -> Any:
    """Draw a result: the data with the best families for a ranking, density and distribution function for a fit, the
    contour of a joint confidence region, prior, likelihood and posterior for a posterior, densities and ranks for chains,
    components over the data for a mixture.

    Returns:
        An Altair chart: it displays itself in notebooks and has ``save("x.png")``, also for .svg and .html.
    """
    import altair

    from suffice.inference.conjugate.posterior import Posterior
    from suffice.inference.intervals.region import Region
    from suffice.inference.rank import Ranking
    from suffice.inference.result import Fit
    from suffice.models.mixture.result import MixtureFit
    from suffice.models.mixture.selection import MixtureSelection
    from suffice.report import charts, draws, figures, joint, mixture, posterior
    from suffice.report.empirical import Empirical
    from suffice.sampling.chains import Chains

    if isinstance(result, Ranking):
        return charts.display(figures.histogram(result, Empirical.of(result)).chart)
    if isinstance(result, Fit):
        parts = figures.density(result).chart, figures.distribution_function(result).chart
        return charts.display(altair.hconcat(*parts))
    if isinstance(result, Region):
        return charts.display(joint.joint_region(result).chart)
    if isinstance(result, Posterior):
        return charts.display(altair.hconcat(*(f.chart for f in posterior.parameter_figures(result))))
    if isinstance(result, Chains):
        return charts.display(
            altair.vconcat(*(altair.hconcat(*(f.chart for f in row)) for row in draws.figures(result)))
        )
    if isinstance(result, MixtureFit | MixtureSelection):
        return charts.display(
            altair.vconcat(*(altair.hconcat(*(f.chart for f in row)) for row in mixture.figures(result)))
        )
    raise TypeError(
        f"result must be a Ranking, a Fit, a Region, a Posterior, Chains or of a mixture, got {type(result).__name__}"
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
