"""The conjugate prior of any exponential family, as data one might have seen before."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.exponential import ExponentialFamily, log_base_measure
from suffice.distributions.family import as_family
from suffice.inference.arrays import Rows
from suffice.inference.observe import observe
from suffice.numerics import newton
from suffice.numerics.checks import as_argument
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError

_DEPTH, _NODES = 60.0, 400


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ConjugatePrior:
    """Prior of the natural parameter of an exponential family: p(eta) ∝ exp(chi · eta − nu A(eta)).

    It is worth nu observations whose statistics add up to chi, and becomes (chi + Σ T(x), nu + n) after data. The mean
    parameters have expectation chi/nu, and at the mode E[T] = chi/nu (Diaconis and Ylvisaker 1979).

    Updates, mean and mode are for any number of natural parameters; the normaliser, and with it the evidence, is found for
    one alone. With more of them tails of powers and of exponentials meet, which no grid holds; ``sf.update`` has the
    evidence of the pairs with a closed form, ``sf.laplace`` an approximate one.

    Args:
        family: a class such as ``sf.Poisson``, or ``sf.family(...)`` where a number of trials must be held.
        chi: sum of the statistics of the pseudo-data, (k,), in the order of ``statistic``.
        nu: number of pseudo-observations.

    Example:
        >>> import suffice as sf
        >>> prior = sf.ConjugatePrior(sf.Poisson, chi=[2.0], nu=1.0)  # rate ~ Gamma(2, 1)
        >>> posterior = prior.update([3, 5, 4])
        >>> float(posterior.chi[0]), float(posterior.nu)
        (14.0, 4.0)
        >>> round(float(prior.log_evidence([3, 5, 4])), 6)
        -6.613262
    """

    family: Any
    chi: jax.Array
    nu: jax.Array

    def __post_init__(self) -> None:
        if isinstance(self.family, type) or hasattr(self.family, "member"):
            family = as_family(self.family)
            if not issubclass(family.kind, ExponentialFamily):
                raise TypeError(f"{family.name} is no exponential family: it has no natural parameter")
            object.__setattr__(self, "family", family)
            for name in ("chi", "nu"):
                object.__setattr__(self, name, jnp.asarray(as_argument(getattr(self, name)), float))

    @property
    def _member(self) -> Any:
        return self.family.member

    @jax.jit
    def log_density(self, eta: Any) -> jax.Array:
        """chi · eta − nu A(eta), up to a constant; −inf where A does not exist."""
        return _log_density(self._member, self.chi, self.nu, jnp.asarray(eta))

    def update(self, data: Any, weights: Any = None, *, missing: str = "error") -> "ConjugatePrior":
        """The posterior: the same with the sum of the data's statistics and their number added.

        Args:
            data, weights, missing: as for ``sf.fit``.
        """
        total, count, _ = _sums(self.family, data, weights, missing)
        return replace(self, chi=self.chi + total, nu=self.nu + count)

    def mean(self) -> jax.Array:
        """Expectation of the mean parameters E[T], chi/nu."""
        return self.chi / self.nu

    def mode(self) -> jax.Array:
        """The eta of highest density, where the family's E[T] is chi/nu; NaN where there is none."""
        eta, _ = _peak(self._member, self.chi, self.nu)
        return eta

    def log_normaliser(self) -> jax.Array:
        """log ∫ exp(chi · eta − nu A(eta)) d eta, by quadrature, for families with one natural parameter.

        Raises:
            ValueError: the family has more: use ``sf.update``, which knows the closed forms, or ``sf.grid_posterior``.
        """
        if self.chi.shape != (1,):
            raise ValueError(f"{self.family.name} has {self.chi.size} natural parameters: quadrature is for one")
        return _log_normaliser(self._member, self.chi, self.nu)

    def log_evidence(self, data: Any, weights: Any = None, *, missing: str = "error") -> jax.Array:
        """Σ log h(x) + log Z(chi + Σ T, nu + n) − log Z(chi, nu): the ratio of normalisers; of one x, its log predictive."""
        total, count, base = _sums(self.family, data, weights, missing)
        after = replace(self, chi=self.chi + total, nu=self.nu + count)
        return base + after.log_normaliser() - self.log_normaliser()


def _log_density(member: Any, chi: jax.Array, nu: jax.Array, eta: jax.Array) -> jax.Array:
    value = (chi * eta).sum(-1) - nu * member._log_partition(eta)
    return jnp.where(jnp.isnan(value), -jnp.inf, value)


@jax.jit
def _peak(member: Any, chi: jax.Array, nu: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The mode and minus the Hessian there, by Newton's method: A is convex."""

    def expand(eta: jax.Array) -> tuple[Any, Any, Any]:
        def f(eta: jax.Array) -> jax.Array:
            return (chi * eta).sum() - nu * member._log_partition(eta)

        return f(eta), jax.grad(f)(eta), jax.hessian(f)(eta)

    start = jnp.asarray(member._ranked(0, float)._natural(), float)
    state = newton.maximise(expand, start, jnp.maximum(nu, 1.0))
    good = state.status == newton.CONVERGED
    return jnp.where(good, state.point, jnp.nan), -state.hessian


@jax.jit
def _log_normaliser(member: Any, chi: jax.Array, nu: jax.Array) -> jax.Array:
    """The tanh–sinh rule from the peak to where the density has fallen by e⁻⁶⁰, or ends, on either side.

    At the end of the natural parameters the density is a power of the distance, which this rule takes.
    """
    centre, curvature = _peak(member, chi, nu)
    centre, unit = centre[0], 1.0 / jnp.sqrt(curvature[0, 0])

    def log_density(eta: jax.Array) -> jax.Array:
        return _log_density(member, chi, nu, eta[None])

    top = log_density(centre)

    def side(sign: jax.Array) -> jax.Array:
        def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            near, far = ends
            middle = 0.5 * (near + far)
            inside = log_density(centre + sign * unit * jnp.sinh(middle)) >= top - _DEPTH
            return jnp.where(inside, middle, near), jnp.where(inside, far, middle)

        reach, _ = jax.lax.fori_loop(0, 60, halve, (jnp.zeros(()), jnp.full((), 60.0)))
        length = unit * jnp.sinh(reach)
        logs = jax.vmap(log_density)(centre + sign * length * jax.nn.sigmoid(jnp.pi * jnp.sinh(t)))
        slope = jnp.log(jnp.pi * jnp.cosh(t)) + jax.nn.log_sigmoid(jnp.pi * jnp.sinh(t))
        slope = slope + jax.nn.log_sigmoid(-jnp.pi * jnp.sinh(t))
        return jax.nn.logsumexp(logs + slope) + jnp.log(length * (t[1] - t[0]))

    t = jnp.linspace(-4.0, 4.0, _NODES)
    return jnp.logaddexp(*jax.vmap(side)(jnp.asarray([-1.0, 1.0])))


def _sums(family: Any, data: Any, weights: Any, missing: str) -> tuple[Any, Any, Any]:
    """Σ w T(x), Σ w and Σ w log h(x)."""
    member = family.member
    if member.event_ndim:
        blocks = Rows.of(family, data, weights, missing).blocks
        return _add_up([_block_sums(member, block) for block in blocks])
    observed = observe(data, weights, missing)
    if not observed.is_plain:
        raise DataError("a conjugate prior needs values that are known, not censored, truncated or rounded")
    found = observed.outside(member.sample_space)
    if found is not None:
        raise DataError(f"{family.name} needs values {member.sample_space}, got {found[1]:.6g} in row {found[0]}")
    return observed.fold(lambda blocks: _Sums(_add_up([_block_sums(member, block) for block in blocks]))).sums


class _Sums:
    """Sums of stretches of data, which add."""

    def __init__(self, sums: tuple[Any, ...]) -> None:
        self.sums = sums

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(_add_up([self.sums, other.sums]))


def _add_up(parts: list[Any]) -> tuple[Any, ...]:
    return tuple(sum(terms) for terms in zip(*jax.device_get(parts), strict=True))


@jax.jit
def _block_sums(member: Any, block: Block) -> tuple[jax.Array, jax.Array, jax.Array]:
    (x,), w = block
    x = x.astype(float)
    w = jnp.ones(x.shape[0]) if w is None else w
    p = member._ranked(1, x.dtype)
    return w @ p._statistic(x), w.sum(), w @ log_base_measure(p, x)
