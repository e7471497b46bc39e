"""What is known of a parameter after data, in closed form."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.statistics import Sufficient
from suffice.inference.conjugate import credible
from suffice.inference.conjugate.mixing import mixed
from suffice.inference.conjugate.pair import Pair


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Posterior:
    """The distribution of a parameter after data: a pytree of arrays, and a prior for the data that come next.

    Attributes:
        distribution: the posterior distribution of ``parameter``.
        prior: the distribution it came from.
        family: the likelihood, with what is held.
        log_evidence: log ∫ p(data|theta) p(theta) dtheta, in nats; NaN for improper priors, which leave it open.
        count: number of observations, the sum of the weights.
        data: the sufficient statistic of these observations.
        pair: the row of the table by which it was found.
    """

    distribution: Any
    prior: Any
    family: Family
    log_evidence: jax.Array
    count: jax.Array
    data: Sufficient
    pair: Pair = field(metadata={"static": True})

    @property
    def parameter(self) -> str:
        """What the distribution is about, in the parameters of the likelihood: "rate", or "scale**2"."""
        return self.pair.parameter

    @property
    def mean(self) -> jax.Array:
        """Posterior mean of the parameter; of an angle its mean direction."""
        told = {} if self.pair.marginals is None else self.marginals
        return told.get(self.parameter, self.distribution).mean()

    @property
    def map(self) -> jax.Array:
        """The parameter of highest posterior density; in another one, such as its square, the highest is elsewhere."""
        return self.distribution.mode()

    @cached_property
    def predictive(self) -> Any:
        """The distribution of one more observation, ∫ p(x|theta) p(theta|data) dtheta.

        In closed form where there is one, else a ``Mixture`` of likelihoods at the nodes of a quadrature over the
        quantiles of the posterior: see ``predictive_is_exact``.

        Raises:
            ValueError: neither is known for this pair.
        """
        p = self.family.member
        if self.pair.predictive is not None:
            return self.pair.predictive(self.distribution, p)
        if self.distribution.event_ndim or self.distribution.discrete:
            raise ValueError(f"{self.pair.name}: the predictive distribution has no closed form; draw theta, then x")
        if self.pair.mixture is not None:
            return self.pair.mixture(self.distribution, p)
        return mixed(self.distribution, lambda theta: self.pair.member(theta, p))

    @property
    def prior_is_proper(self) -> bool:
        """Whether the prior is a distribution, so that there is an evidence."""
        return bool(np.all(self.pair.proper(self.prior)))

    @property
    def predictive_is_exact(self) -> bool:
        """Whether ``predictive`` is in closed form."""
        return self.pair.predictive is not None

    @cached_property
    def marginals(self) -> dict[str, Any]:
        """Distributions of single numbers by name: the parameter, or its coordinates, and what follows from them."""
        if self.pair.marginals is not None:
            return self.pair.marginals(self.distribution, self.family.member)
        if self.distribution.event_ndim:
            raise ValueError(f"{self.pair.name}: the distributions of its coordinates have no closed form")
        return {self.parameter: self.distribution}

    def interval(self, level: float = 0.95, kind: credible.Kind = "equal") -> dict[str, tuple[float, float]]:
        """Credible interval of each number of ``marginals``.

        Args:
            level: posterior probability of the interval, between 0 and 1.
            kind: "equal" leaves the same probability on either side; "highest" is the shortest, the region of highest
                density.

        Returns:
            (lower, upper) by name.

        Raises:
            ValueError: level or kind unknown, or a region of highest density that is no interval.

        Example:
            >>> import suffice as sf
            >>> posterior = sf.update(sf.Beta(1.0, 1.0), sf.Bernoulli, [1, 1, 1, 0])
            >>> {k: tuple(round(v, 3) for v in posterior.interval(kind=k)["probs"]) for k in ("equal", "highest")}
            {'equal': (0.284, 0.947), 'highest': (0.33, 0.974)}
        """
        return {name: credible.interval(p, level, kind) for name, p in self.marginals.items()}

    def log_bayes_factor(self, other: "Posterior") -> float:
        """log p(data | this model) − log p(data | other), both with proper priors and of the same data.

        That the data are the same is for you to see to. What two models keep of them is compared: their number, and the
        mean of the statistic where both have the same one, as all have that sum x. Models with different statistics, such
        as a gamma and a log-normal, are compared by the number alone.

        Raises:
            ValueError: an improper prior, whose evidence is only known to a factor, or data that are seen to differ.
        """
        for posterior in (self, other):
            if np.isnan(posterior.log_evidence):
                raise ValueError(f"{posterior.pair.name}: an improper prior has no evidence, so no Bayes factor")
        if float(self.count) != float(other.count):
            raise ValueError(
                f"a Bayes factor is of the same data, got {float(self.count):g} and {float(other.count):g} observations"
            )
        _same_statistic(self.data, other.data)
        return float(self.log_evidence - other.log_evidence)

    def bayes_factor(self, other: "Posterior") -> float:
        """p(data | this model)/p(data | other): how many times likelier this model made the data than the other.

        Raises:
            ValueError: as for ``log_bayes_factor``, which does not overflow.

        Example:
            >>> import suffice as sf
            >>> x = [1, 1, 1, 1, 1, 1, 1, 0]
            >>> vague, fair = (sf.update(sf.Beta(a, a), sf.Bernoulli, x) for a in (1.0, 1000.0))
            >>> round(vague.bayes_factor(fair), 2)
            3.53
        """
        return float(np.exp(self.log_bayes_factor(other)))

    def __repr__(self) -> str:
        batch = np.shape(self.log_evidence)
        if batch:
            return f"Posterior({self.pair.name}: a batch of shape {batch})"
        evidence = "improper prior" if jnp.isnan(self.log_evidence) else f"log evidence {float(self.log_evidence):.6f}"
        told = self.mean if not self.distribution.event_ndim else None
        mean = "" if told is None else f", mean {float(told):.6g}"
        return (
            f"Posterior({self.parameter} of {self.family.name} ~ {self.distribution!r}{mean}; {evidence}, "
            f"n = {float(self.count):,.10g})"
        )


_PROBES = np.array([0.2, 0.5, 0.9])  # where coordinates of data are compared
_SAME = 1e-6


def _same_statistic(a: Sufficient, b: Sufficient) -> None:
    """Refuse means of one statistic that differ; of unlike statistics nothing is known.

    Raises:
        ValueError: they differ.
    """
    means = np.asarray(a.mean), np.asarray(b.mean)
    if means[0].shape != means[1].shape or not _same_coordinate(a.prototype, b.prototype):
        return
    spread = np.sqrt(max(float(np.max(a.gap)), float(np.max(b.gap)), 0.0))
    size = np.abs(means).sum(0) + spread
    if np.any(np.abs(means[0] - means[1]) > _SAME * size):
        told = " and ".join(np.array2string(m, precision=6) for m in means)
        raise ValueError(f"a Bayes factor is of the same data, got means {told} of the statistic")


def _same_coordinate(p: Any, q: Any) -> bool:
    """Whether data enter both in the same form."""
    if p.sample_space is not q.sample_space and (getattr(p, "event_ndim", 0) or getattr(q, "event_ndim", 0)):
        return False
    if getattr(p, "event_ndim", 0):
        return type(p) is type(q)
    first, second = (np.asarray(v._coordinate(jnp.asarray(_PROBES))) for v in (p, q))
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=1e-12, atol=0.0))
