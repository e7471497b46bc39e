"""The answer of an estimation: a distribution with its uncertainty."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.inference import intervals
from suffice.numerics.newton import AT_LIMIT, CONVERGED, DEGENERATE, EXHAUSTED, INVALID, STALLED, UNBOUNDED, UNSOLVED

MESSAGES = {
    CONVERGED: "converged",
    AT_LIMIT: "the likelihood rises towards a limit of the family",
    STALLED: "no step raises the likelihood, though its gradient is not zero",
    EXHAUSTED: "stopped after 100 Newton steps",
    UNBOUNDED: "the likelihood grows without bound as loc rises to the smallest observation; this is a local maximum",
    DEGENERATE: "the likelihood grows without bound as the spread shrinks to nothing",
    INVALID: "the data are not all numbers inside the support",
    UNSOLVED: "no member of the family satisfies the equations",
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fit:
    """A fitted distribution with its uncertainty; a pytree of arrays.

    Attributes:
        distribution: the member of the family that the method chooses: with "mle" the one of highest likelihood.
        covariance: of the reported parameters, in the order of ``parameter_names``, (p, p); NaN where the estimate is
            not regular or did not converge.
        log_likelihood: at the estimate, in nats.
        count: number of observations, the sum of the weights.
        result: a code, told by ``converged`` and ``message``.
        iterations: Newton steps taken; 0 for closed forms.
        limit: where the supremum of the likelihood is a limit, the fit of the limiting family, else None.
        family: what was fitted.
        method: how the member was chosen.
        criterion: what other methods than "mle" made small, at the estimate: Moran's statistic of spacings, the
            distances of Cramér and von Mises or Anderson and Darling, the sum of the squares of what is left of
            equations, the penalised log-likelihood times −1; None for "mle".
    """

    family: Family
    distribution: Any
    covariance: jax.Array
    log_likelihood: jax.Array
    count: jax.Array
    result: jax.Array
    iterations: jax.Array
    limit: "Fit | None" = None
    method: str = field(default="mle", metadata={"static": True})
    criterion: Any = None

    @property
    def converged(self) -> bool:
        """Whether the estimate is a maximum of the likelihood, or what another method asks for."""
        return bool(self.result == CONVERGED)

    @property
    def message(self) -> str:
        """How the search ended, in words."""
        text = MESSAGES[int(self.result)]
        if self.method != "mle":
            text = text.replace("likelihood", f"criterion of {self.method!r}")
        if self.limit is not None:
            text += f", {self.limit.distribution!r}, whose log-likelihood is {float(self.limit.log_likelihood):.10g}"
        caution = own(self.distribution, "_caution")
        told = None if caution is None else caution()
        return text if told is None else f"{text}; {told}"

    @property
    def regular(self) -> bool:
        """Whether standard errors and AIC rest on the usual theory; not so where the support is estimated."""
        return self.family.regular

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Flat names of the parameters, such as "rate" or "probs[0]"."""
        return self.family.parameter_names

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Estimates by name."""
        return _named(self.family, self.family.report(self.distribution, np))

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors by name: square roots of the diagonal of ``covariance``."""
        return _named(self.family, np.sqrt(np.diagonal(np.asarray(self.covariance))))

    @property
    def dimension(self) -> int:
        """Number of free parameters k, as AIC counts them."""
        return self.family.dimension

    @property
    def aic(self) -> float:
        """Akaike's information criterion 2k − 2l; heuristic where ``regular`` is false or the method is not "mle"."""
        return 2.0 * self.dimension - 2.0 * float(self.log_likelihood)

    @property
    def aicc(self) -> float:
        """AIC with the correction for small samples of Hurvich and Tsai, 2k(k + 1)/(n − k − 1) more."""
        k, n = self.dimension, float(self.count)
        return self.aic + (2.0 * k * (k + 1.0) / (n - k - 1.0) if n > k + 1.0 else np.inf)

    @property
    def bic(self) -> float:
        """Bayesian information criterion k log n − 2l."""
        return self.dimension * float(np.log(float(self.count))) - 2.0 * float(self.log_likelihood)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Confidence interval of each parameter: Wald's, on the unconstrained scale, mapped back.

        Args:
            level: coverage aimed at, between 0 and 1.

        Returns:
            (lower, upper) by parameter name; NaN where there is no standard error.
        """
        lower, upper = intervals.wald(
            self.family.report(self.distribution, np), self.covariance.diagonal(), self.family.parameter_domains, level
        )
        return {name: (float(a), float(b)) for name, a, b in zip(self.parameter_names, lower, upper, strict=True)}

    def __repr__(self) -> str:
        if np.ndim(self.count):
            return f"Fit({type(self.distribution).__name__}: a batch of shape {np.shape(self.count)})"
        errors = self.standard_errors
        told = ", ".join(f"{name} = {value:.6g} ± {errors[name]:.2g}" for name, value in self.parameters.items())
        state = "" if self.converged else f", not converged: {self.message}"
        return f"Fit({self.family.name}: {told}; l = {float(self.log_likelihood):.6f}, n = {float(self.count):,.10g}{state})"


def _named(family: Family, values: Any) -> dict[str, float]:
    return {name: float(v) for name, v in zip(family.parameter_names, np.asarray(values), strict=True)}
