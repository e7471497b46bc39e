"""A number that is not exact, with how far off it may be and how it was found."""

import math
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import format_value, is_traced
from suffice.numerics.special.student_t import student_t_isf

CLOSED_FORM, QUADRATURE, SUMMATION, MONTE_CARLO = "closed form", "quadrature", "summation", "Monte Carlo"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Estimate:
    """A value and its error.

    Attributes:
        value: the number, or an array of them.
        standard_error: of a Monte Carlo estimate or of one from data; of quadrature and summation how far two rules
            differ, an estimate of the error as a rule far too large; 0 for a closed form.
        how: "closed form", "quadrature", "summation", "Monte Carlo", …
        pareto_k: shape of the tail of the terms averaged by Monte Carlo: above 0.7 neither value nor error can be
            trusted; None where nothing was drawn, or the terms are bounded.
        df: degrees of freedom of the standard error, where it comes from a few independent runs; else infinite.

    Example:
        >>> import suffice as sf
        >>> found = sf.Estimate(0.5, 0.01, "Monte Carlo", 0.2, df=15)
        >>> found
        Estimate(0.5 ± 0.01, Monte Carlo, pareto_k=0.2, df=15)
        >>> [round(float(end), 4) for end in found.interval()]
        [0.4787, 0.5213]
    """

    value: Any
    standard_error: Any = 0.0
    how: str = field(default=CLOSED_FORM, metadata={"static": True})
    pareto_k: Any = None
    df: float = field(default=math.inf, metadata={"static": True})

    def interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """value ± t standard_error, t the quantile of Student's law with ``df`` degrees of freedom: covers the number
        with probability ``level`` where the error is normal."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level:g}")
        t = student_t_isf(jnp.asarray(self.df), jnp.asarray(0.5 * (1.0 - level)))
        reach = (t if is_traced(self) else np.asarray(t)[()]) * self.standard_error
        return self.value - reach, self.value + reach

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        if is_traced(self):
            return f"Estimate({self.value!r} ± {self.standard_error!r}, {self.how})"
        error = np.asarray(self.standard_error)
        told = f" ± {_short(error)}" if np.any(error != 0.0) else ""
        k = "" if self.pareto_k is None else f", pareto_k={_short(self.pareto_k)}"
        df = "" if self.df == math.inf else f", df={self.df:g}"
        return f"Estimate({format_value(self.value)}{told}, {self.how}{k}{df})"


def _short(value: Any) -> str:
    value = np.asarray(value)
    return f"{value.item():.2g}" if value.ndim == 0 else format_value(value)
