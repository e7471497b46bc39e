"""Where parameters live, for `sf.sample` and its kin: `sf.domain.positive`, `sf.domain.simplex.array(3)`."""

from suffice.numerics.array_domain import ordered, simplex
from suffice.numerics.domain import Domain, Interval, non_negative, positive, real
from suffice.numerics.domain import unit_open as unit
from suffice.numerics.matrix_domain import correlation, positive_definite, triangular

__all__ = [
    "Domain", "Interval", "correlation", "non_negative", "ordered", "positive", "positive_definite", "real", "simplex",
    "triangular", "unit",
]  # fmt: skip
