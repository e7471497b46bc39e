"""The plane of skewness and kurtosis: where a sample lies in it, and where families do (Cullen and Frey 1999)."""

from typing import Any

import altair as alt
import jax.numpy as jnp
import numpy as np

from suffice.distributions.extreme import Rayleigh, Weibull
from suffice.distributions.family import as_family
from suffice.distributions.gamma import Exponential
from suffice.distributions.location_scale import Gumbel, Laplace, Logistic
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.uniform import Uniform
from suffice.inference.observations import Memory
from suffice.inference.observe import observe
from suffice.inference.testing.replicates import generator
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, number
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

_WITHOUT_SHAPE = (Normal, Uniform, Logistic, Laplace, Gumbel, Rayleigh, Exponential)
_GRID = 121


def point(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared skewness and kurtosis (3 for a normal) of samples along the last axis."""
    z = x - x.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        variance = (z**2).mean(-1)
        return (z**3).mean(-1) ** 2 / variance**3, (z**4).mean(-1) / variance**2


def _of(p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Squared skewness and kurtosis of a distribution, or of many."""
    return np.asarray(p.skewness()) ** 2, np.asarray(p.kurtosis()) + 3.0


def _place(p: Any) -> tuple[float, float]:
    square, kurtosis = _of(p)
    return float(square), float(kurtosis)


def _curves(reach: float, discrete: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Families of one shape, as lines up to a squared skewness."""
    square = np.linspace(0.0, reach, _GRID)
    if discrete:  # skewness² = 1/rate, excess = 1/rate
        return {"Poisson": (square, 3.0 + square)}
    spread = jnp.geomspace(0.02, 1.5, _GRID)
    concentration = jnp.geomspace(0.4, 3.6, _GRID)  # above it is skewed to the left
    return {
        "Gamma": (square, 3.0 + 1.5 * square),
        "LogNormal": _of(LogNormal(jnp.zeros(_GRID), spread)),
        "Weibull": _of(Weibull(concentration, jnp.ones(_GRID))),
    }


def skewness_kurtosis(data: Any, *, replicates: int = 300, rng: RNG = 0) -> Figure:
    """The sample's squared skewness and kurtosis, with a cloud of bootstrap samples, among the families' places.

    A family of location and scale is a point, one more parameter of shape makes it a line, two a region. Below the line
    kurtosis = 1 + skewness² there is nothing. Sample moments of heavy tails are far too small: the figure suggests
    families, the likelihood decides.

    Args:
        data: array-like of shape (n,), n >= 4, a table column or a source.
        replicates: bootstrap samples.
        rng: int, NumPy generator or JAX key.

    Returns:
        A ``Figure``.

    Raises:
        DataError: less than four observations, no spread, data not in memory.

    Source: Cullen and Frey (1999), *Probabilistic Techniques in Exposure Assessment*, chapter 7.
    """
    seen = observe(data)
    if not isinstance(seen, Memory) or seen.weights is not None:
        raise DataError("skewness and kurtosis are drawn of known values in memory, without weights")
    summary = seen.survey.summary
    x = np.asarray(seen.values, float)
    if len(x) < 4 or summary.minimum == summary.maximum:
        raise DataError(
            f"skewness and kurtosis need four observations that differ, got {len(x)} to {summary.maximum:g}"
        )
    square, kurtosis = (float(v) for v in point(x))
    draw = generator(as_key(rng))
    cloud = np.array([point(x[draw.integers(0, len(x), len(x))]) for _ in range(replicates)]).reshape(-1, 2)
    cloud = cloud[np.isfinite(cloud).all(1)]
    return _figure(seen.source.name, square, kurtosis, cloud, summary.all_integer and summary.minimum >= 0)


def _figure(name: str, square: float, kurtosis: float, cloud: np.ndarray, discrete: bool) -> Figure:
    reach = 1.1 * max(4.2, square, float(np.quantile(cloud[:, 0], 0.95)) if len(cloud) else 0.0)
    top = 1.05 * max(3.0 + 1.5 * reach, kurtosis, float(np.quantile(cloud[:, 1], 0.95)) if len(cloud) else 0.0)
    x = charts.axis("x", "Squared skewness", domain=(-0.02 * reach, reach))
    y = charts.axis("y", "Kurtosis (normal: 3)", domain=(0.0, top), tickCount=6)
    curves = _curves(reach, discrete)
    ends = np.array([0.0, reach])
    low, high = (3.0 + ends, 3.0 + 1.5 * ends) if discrete else (1.0 + ends, 3.0 + 1.5 * ends)
    between = "negative binomial" if discrete else "beta"
    points = [(kind.__name__, *_place(as_family(kind).member)) for kind in _WITHOUT_SHAPE[: 1 if discrete else None]]
    layers = [
        _area(ends, low, high, x, y, style="chance"),
        _area(ends, 0.0 * ends, 1.0 + ends, x, y, style="bar-of-data"),
        charts.lines(list(curves), [c[0] for c in curves.values()], [c[1] for c in curves.values()], x, y),
        _words("impossible", 0.8 * reach, 0.25 * reach, x, y),
        _words(between, 0.55 * reach, float(np.interp(0.55 * reach, ends, (low + high) / 2.0)), x, y),
        _marks(cloud[:, 0], cloud[:, 1], x, y, size=12, opacity=0.25),
        _marks(np.array([p[1] for p in points]), np.array([p[2] for p in points]), x, y, shape="diamond", size=70),
        *(_words(label, a, b, x, y, dx=8) for label, a, b in points),
        _marks(np.array([square]), np.array([kurtosis]), x, y, size=200, opacity=1.0),
    ]
    caption = (
        f"Large dot: {name}, squared skewness {number(square, 3)}, kurtosis {number(kurtosis, 3)}. Small dots: bootstrap "
        f"samples of it. Diamonds, lines and the blue region ({between}): families. Moments of heavy tails are "
        "underestimated by samples."
    )
    nearest = min(points, key=lambda p: (p[1] - square) ** 2 + (p[2] - kurtosis) ** 2)[0]
    spoken = (
        f"Squared skewness {number(square, 3)} and kurtosis {number(kurtosis, 3)} of {name}, among the places of families; "
        f"of the families without a shape the {nearest} is nearest."
    )
    rows = (
        ("the sample", number(square, 4), number(kurtosis, 4)),
        *((p[0], number(p[1], 4), number(p[2], 4)) for p in points),
    )
    table = Table(("Distribution", "Squared skewness", "Kurtosis"), rows, frozenset({0}))
    return Figure("Skewness and kurtosis", caption, spoken, alt.layer(*layers), table)


def _area(at: np.ndarray, low: np.ndarray, high: np.ndarray, x: Any, y: Any, style: str) -> Any:
    data = charts.rows(x=at, y=low, y2=high)
    return alt.Chart(data).mark_area(style=style, clip=True).encode(x=alt.X(**x), y=alt.Y(**y), y2="y2:Q")


def _marks(at: np.ndarray, values: np.ndarray, x: Any, y: Any, **mark: Any) -> Any:
    mark = {"shape": "circle", "filled": True, "clip": True, "style": "point-of-data"} | mark
    return alt.Chart(charts.rows(x=at, y=values)).mark_point(**mark).encode(x=alt.X(**x), y=alt.Y(**y))


def _words(text: str, at: float, value: float, x: Any, y: Any, dx: int = 0) -> Any:
    data = charts.rows(x=[at], y=[value])
    mark = alt.Chart(data).mark_text(
        text=text, align="left" if dx else "right", dx=dx or -6, dy=-6 if not dx else 0, fontSize=12, clip=True
    )
    return mark.encode(x=alt.X(**x), y=alt.Y(**y))
