"""Score and Fisher information of a distribution, and the bounds that follow from them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.distribution import Distribution
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.family import Family, as_family, family
from suffice.distributions.matrix_normal import MatrixNormal
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import LogNormal, Normal
from suffice.inference.likelihood import reported_jacobian
from suffice.inference.observe import observe


def family_of(p: Distribution) -> Family:
    """The family a distribution is a member of, with its held parameters and this member in it."""
    kind = type(p)
    held = {name: getattr(p, name) for name in (*kind.held, *kind.settings)}
    found = family(kind, **held) if held else as_family(kind)
    return Family(p, found.free)


def score(p: Distribution, x: Any) -> jax.Array:
    """Score s(x) = ∂ log p(x | θ)/∂θ in the usual parameters; its mean under p is 0.

    Args:
        p: a distribution with parameters that are single values.
        x: values, (...).

    Returns:
        (..., d), in the order of the parameters.

    Example:
        >>> import suffice as sf
        >>> sf.score(sf.Exponential(2.0), 0.25).round(6)
        Array([0.25], dtype=float64)
    """
    target = family_of(_single(p))
    x = jnp.asarray(x, float)
    return _in_parameters(target, _scores(target, target.vector(p), x))


def _single(p: Distribution) -> Distribution:
    if p.batch_shape:
        raise ValueError(f"{type(p).__name__} must be a single distribution, got a batch of shape {p.batch_shape}")
    return p


@jax.jit
def _scores(target: Family, v: jax.Array, x: jax.Array) -> jax.Array:
    """Derivatives of log p(x) in unconstrained coordinates, (..., d)."""
    return jax.jacfwd(lambda v: target.build(v).log_prob(x))(v)


def _in_parameters(target: Family, scores: Any) -> Any:
    """From derivatives in unconstrained coordinates to those in the reported parameters."""
    jacobian = reported_jacobian(target, target.vector(target.member))
    return scores @ jnp.linalg.pinv(jacobian)


@jax.jit
def information(target: Family, v: jax.Array) -> jax.Array:
    """Expected Fisher information of one observation in unconstrained coordinates, (d, d).

    From the covariance of the sufficient statistic where the family has one, else E[s s'] by quadrature.
    """
    p = target.build(v)
    if isinstance(p, ExponentialFamily):
        slopes = jax.jacfwd(lambda v: _about_zero(target.build(v)).natural())(v)
        return slopes.T @ _about_zero(p).natural_fisher_information() @ slopes
    if p.event_ndim:
        raise NotImplementedError(f"{type(p).__name__}: its expected information has no closed form")

    def entry(i: Any, j: Any) -> jax.Array:
        def product(x: jax.Array) -> jax.Array:
            s = jax.jacfwd(lambda v: generic.column(target.build(v))._log_prob(x))(v)
            return s[..., i] * s[..., j]

        return generic.expectation(p, product)

    d = v.shape[0]
    rows, columns = np.triu_indices(d)
    entries = jax.vmap(entry)(rows, columns)  # the nodes are found once for all
    place = np.zeros((d, d), int)
    place[rows, columns] = place[columns, rows] = np.arange(len(rows))
    return entries[place]


def _about_zero(p: Any) -> Any:
    """The law moved to 0, its derivatives kept: the information knows no location, and natural coordinates lose digits
    to it."""
    if isinstance(p, Normal | LogNormal | MultivariateNormal | MatrixNormal):
        return replace(p, loc=p.loc - jax.lax.stop_gradient(p.loc))
    return p


def fisher_information(p: Distribution, n: float = 1.0) -> jax.Array:
    """Expected Fisher information I(θ) = n E[s s'] = −n E[∂² log p/∂θ²] in the usual parameters.

    Args:
        p: a single distribution.
        n: number of observations.

    Returns:
        (d, d), in the order of the parameters. By quadrature where there is no closed form.

    Raises:
        ValueError: ``p`` is a batch. NotImplementedError: a distribution of vectors without closed form.

    Example:
        >>> import suffice as sf
        >>> sf.fisher_information(sf.Normal(0.0, 2.0), n=100).round(6).tolist()
        [[25.0, 0.0], [0.0, 50.0]]
    """
    target = family_of(_single(p))
    v = target.vector(p)
    outward = jnp.linalg.pinv(reported_jacobian(target, v))
    return n * outward.T @ information(target, v) @ outward


def observed_information(p: Distribution, data: Any, weights: Any = None) -> np.ndarray:
    """Observed Fisher information −∂² l/∂θ² of data in the usual parameters, at the distribution given.

    Args:
        p: a single distribution.
        data, weights: as for ``fit``.

    Returns:
        (d, d), in the order of the parameters.

    Example:
        >>> import suffice as sf
        >>> sf.observed_information(sf.Exponential(0.5), [1.0, 2.0, 3.0]).tolist()  # n/rate²
        [[12.0]]
    """
    from suffice.inference.estimate import expand_at

    target = family_of(_single(p))
    e = expand_at(target, p, observe(data, weights))
    outward = np.linalg.pinv(np.asarray(reported_jacobian(target, target.vector(p))))
    # θ is not v: the gradient bends with the map, −∂²l/∂θ² = −A'(H − Σ g_k ∂²θ_k…)A
    bend = np.asarray(jax.jacfwd(jax.jacfwd(lambda v: target.report(target.build(v))))(target.vector(p)))
    curved = e.hessian - np.einsum("k,kij->ij", e.gradient @ outward, bend)
    return -outward.T @ curved @ outward


def cramer_rao_bound(p: Distribution, n: float, of: Callable[[Any], Any] | None = None) -> jax.Array:
    """Least covariance of unbiased estimates from n observations: I(θ)⁻¹/n, or ∇g' I⁻¹ ∇g/n for a function g.

    Args:
        p: a single distribution.
        n: number of observations.
        of: function of the distribution, such as ``lambda p: p.icdf(0.99)``; None for the parameters.

    Returns:
        (d, d) for the parameters, a number for a function.

    Example:
        >>> import suffice as sf
        >>> float(sf.cramer_rao_bound(sf.Poisson(4.0), n=100, of=lambda p: p.mean()))
        0.04
    """
    target = family_of(_single(p))
    v = target.vector(p)
    inverse = jnp.linalg.inv(information(target, v)) / n
    if of is None:
        jacobian = reported_jacobian(target, v)
        return jacobian @ inverse @ jacobian.T
    slope = jax.grad(lambda v: jnp.asarray(of(target.build(v)), float))(v)
    return slope @ inverse @ slope


def natural_gradient(f: Callable[[Any], Any], p: ExponentialFamily) -> jax.Array:
    """Natural gradient of a function of a distribution in η: F(η)⁻¹ ∂f/∂η, the ordinary gradient ∂f/∂μ in the mean parameters.

    A step η ← η − ε ∂f/∂μ descends along the steepest direction as the Kullback–Leibler divergence measures it.

    Args:
        f: function of the distribution that gives a number, such as ``lambda q: sf.kl(q, target).value``.
        p: a single member of an exponential family.

    Returns:
        (k,), in the coordinates of ``p.natural()``.

    Raises:
        TypeError: p is no exponential family. ValueError: p is a batch.

    Source: Amari (1998); the identity: Raskutti and Mukherjee (2015).

    Example:
        >>> import suffice as sf
        >>> p, target = sf.Normal(0.0, 1.0), sf.Normal(3.0, 2.0)
        >>> step = sf.natural_gradient(lambda q: sf.kl(q, target).value, p)
        >>> sf.Normal.from_natural(p.natural() - step).loc.round(6)  # one step of length 1 reaches the target
        Array(3., dtype=float64)
    """
    if not isinstance(p, ExponentialFamily):
        raise TypeError(f"p must be a member of an exponential family, got {type(p).__name__}")
    target = family_of(_single(p))
    v = target.vector(p)
    moved = jax.jacfwd(lambda v: target.build(v).mean_parameters())(v)  # ∂μ/∂v
    if moved.shape[0] == moved.shape[1]:  # no detour over F, which loses digits to a large location
        slope = jax.grad(lambda v: jnp.asarray(f(target.build(v)), float))(v)
        return jnp.linalg.solve(moved.T, slope)
    held = {name: getattr(p, name) for name in type(p).held}
    slope = jax.grad(lambda eta: jnp.asarray(f(type(p).from_natural(eta, **held)), float))(p.natural())
    return jnp.linalg.pinv(p.natural_fisher_information(), hermitian=True) @ slope
