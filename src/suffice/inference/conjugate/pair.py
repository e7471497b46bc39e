"""The noun of the room: a likelihood with the prior whose form it keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import component, static
from suffice.distributions.generic import mean, mode
from suffice.distributions.parametric import Parametric
from suffice.distributions.statistics import Sufficient
from suffice.inference.likelihood import mean_log_likelihood


def no_objection(before: Any, p: Any, s: Any) -> str | None:
    """What a pair says of data it has nothing against."""
    del p, s
    return None


@dataclass(frozen=True, eq=False)
class Pair:
    """A conjugate pair: what is known of a parameter before and after data is a distribution of one class.

    A pair writes its mathematics in functions of the prior, a member ``p`` of the likelihood (for what is held) and the
    sufficient statistic ``s`` of the data; the evidence follows from them: see ``evidence``.

    Attributes:
        prior: class of the prior and of the posterior.
        kind: class of the likelihood.
        free: its fields that are unknown; all others are held.
        parameter: what the prior is about, in the likelihood's parameters, such as "scale**2".
        posterior: (prior, p, s) -> the posterior.
        values: (theta, p) -> fields of the likelihood where the parameter is theta.
        predictive: (prior, p) -> the law of one more observation; None where it is found by quadrature.
        improper: priors by name, p -> a member of the class at or beyond the limits of its parameters.
        view: p -> whose coordinate and base measure the data are summed in.
        log_likelihood: (p, s) -> of all the data.
        objection: (prior, p, s) -> why these data can't be used.
        marginals: (prior, p) -> laws of single numbers by name; None where the parameter is a number itself.
        point: posterior -> a value of the parameter where its density is neither 0 nor infinite.
        sized: prior -> size of the values of the likelihood, for those of vectors.
        evidence_of: (prior, posterior, p, s) -> the evidence, where there is a shorter way to it.
        proper: prior -> whether it is a distribution, also at a limit of its parameters.
        mixture: (prior, p) -> the law of one more observation by quadrature, where its moments or ends need care.
    """

    prior: type
    kind: type
    free: tuple[str, ...]
    parameter: str
    posterior: Callable[[Any, Any, Sufficient], Any]
    values: Callable[[Any, Any], dict[str, Any]]
    predictive: Callable[[Any, Any], Any] | None = None
    improper: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    view: Callable[[Any], Any] = lambda p: p
    log_likelihood: Callable[[Any, Sufficient], jax.Array] = lambda p, s: s.count * mean_log_likelihood(p, s)
    objection: Callable[[Any, Any, Any], str | None] = no_objection
    marginals: Callable[[Any, Any], dict[str, Any]] | None = None
    point: Callable[[Any], Any] = mean
    sized: Callable[[Any], int] | None = None
    evidence_of: Callable[[Any, Any, Any, Sufficient], jax.Array] | None = None
    proper: Callable[[Any], Any] = lambda q: q._valid()
    mixture: Callable[[Any, Any], Any] | None = None

    @property
    def name(self) -> str:
        """The pair in words: "Gamma on the rate of a Poisson"."""
        return f"{self.prior.__name__} on the {self.parameter} of {self.kind.__name__}"

    def member(self, theta: Any, p: Any) -> Any:
        """The likelihood where the parameter is theta."""
        return p._replaced(self.values(theta, p))

    def evidence(self, prior: Any, posterior: Any, p: Any, s: Sufficient) -> jax.Array:
        """log ∫ p(x|theta) p(theta) dtheta = log p(x|theta) + log p(theta) − log p(theta|x), at any theta.

        At a point inside the posterior every term is near its largest, so that no large numbers cancel as they would
        between normalising constants (Chib 1995, doi:10.1080/01621459.1995.10476635, equation 4). NaN for an improper
        prior, which leaves a constant open.
        """
        if self.evidence_of is not None:
            return _compiled(self.evidence_of, prior, posterior, p, s)
        theta, member = _at_point(self, posterior, p)
        added = _compiled(self.log_likelihood, member, s)
        return added + prior.log_prob(theta) - posterior.log_prob(theta)


@partial(jax.jit, static_argnums=0)
def _compiled(function: Callable[..., jax.Array], *values: Any) -> jax.Array:
    return function(*values)


@partial(jax.jit, static_argnums=0)
def _at_point(pair: Pair, posterior: Any, p: Any) -> tuple[Any, Any]:
    theta = pair.point(posterior)
    return theta, pair.member(theta, p)


class View(Parametric):
    """How data enter a likelihood some of whose parameters are known: the mean of ``amount``, and of a base measure.

    It stands in for a member of a family when data are summed: see ``Sufficient``.
    """

    member: Any = component(doc="a member of the likelihood, with what is held")
    amount: Callable[[Any, jax.Array], jax.Array] = static(doc="(member, x) -> what is summed")
    log_base: Callable[[Any, jax.Array], jax.Array] = static(doc="(member, x) -> log of the base measure")

    needs_extremes: ClassVar[bool] = False
    held: ClassVar[tuple[str, ...]] = ()

    @property
    def sample_space(self) -> Any:
        return self.member.sample_space

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return self.amount(self.member, x)

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return self.log_base(self.member, x)


def unchecked(kind: type, **values: Any) -> Any:
    """A member at or beyond the limits of its parameters: an improper prior, of which only updates are asked."""
    p = object.__new__(kind)
    p.__dict__.update({name: jnp.asarray(value, float) for name, value in values.items()})
    return p


def apart(s: Sufficient, loc: Any) -> jax.Array:
    """Mean of the data less a point, with the digits that the mean itself has no room for."""
    return (s.centre - loc) + s.shift


def highest(p: Any) -> Any:
    """The mode, for laws that have it inside their support."""
    return mode(p)
