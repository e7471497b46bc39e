"""Suffice: distributions, estimation and sampling, every answer with its own error bar."""

from suffice.runtime import precision as _precision

_precision.enable()

from suffice.distributions.beta import Beta  # noqa: E402
from suffice.distributions.discrete import (  # noqa: E402
    Bernoulli,
    Categorical,
    Geometric,
    NegativeBinomial,
    Poisson,
)
from suffice.distributions.distribution import Distribution, DoesNotExistError  # noqa: E402
from suffice.distributions.exponential import ExponentialFamily  # noqa: E402
from suffice.distributions.extreme import Rayleigh, Weibull  # noqa: E402
from suffice.distributions.family import Family, family  # noqa: E402
from suffice.distributions.gamma import Exponential, Gamma, InverseGamma  # noqa: E402
from suffice.distributions.location_scale import Cauchy, Gumbel, Laplace, Logistic, StudentT  # noqa: E402
from suffice.distributions.normal import LogNormal, Normal  # noqa: E402
from suffice.distributions.shifted import Shifted  # noqa: E402
from suffice.distributions.statistics import Statistics  # noqa: E402
from suffice.distributions.uniform import Pareto, Uniform  # noqa: E402
from suffice.inference.fit import fit, statistics  # noqa: E402
from suffice.inference.rank import Ranking, rank  # noqa: E402
from suffice.inference.result import Fit  # noqa: E402
from suffice.runtime.errors import DataError  # noqa: E402
from suffice.streams import chunks, describe, scan  # noqa: E402
