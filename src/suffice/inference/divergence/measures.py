"""Divergences between any two distributions: Kullback–Leibler, Rényi, α, Hellinger, Jensen–Shannon, total variation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.divergence import closed, generators, numerical
from suffice.inference.divergence.numerical import DRAWS, UNRELIABLE, comparable
from suffice.numerics.checks import first_offender, is_traced
from suffice.numerics.estimate import CLOSED_FORM, MONTE_CARLO, Estimate
from suffice.runtime.rng import RNG


def kl(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Kullback–Leibler divergence KL(p ‖ q) = E_p[log p(X) − log q(X)] >= 0, in nats; infinite where q = 0 < p.

    In closed form for members of one exponential family and for the other pairs of a table; else by quadrature or summation
    for laws of numbers, and by Monte Carlo for laws of vectors and matrices. The closed forms keep their relative
    precision however near p and q are, and work under ``jit``, ``vmap`` and ``grad``.

    Args:
        p, q: distributions with values of one shape; batches broadcast.
        draws: from each of p and q, where it comes to Monte Carlo.
        rng: int, NumPy generator or JAX key, for the same.

    Returns:
        An ``Estimate``.

    Raises:
        TypeError: p or q is no distribution. ValueError: values of different shapes.

    Source: Kullback and Leibler (1951); Chyzak and Nielsen (2019) for Cauchy; the rest from A(η) or by integration.

    Example:
        >>> import suffice as sf
        >>> sf.kl(sf.Normal(0.0, 1.0), sf.Normal(1.0, 2.0))
        Estimate(0.443147, closed form)
        >>> sf.kl(sf.StudentT(5.0), sf.Normal()).how
        'quadrature'
    """
    comparable(p, q)
    if closed.has_kl(p, q):
        return _exact(closed.kl(p, q))
    return numerical.divergence(generators.alpha, p, q, 1.0, draws=draws, rng=rng)


def cross_entropy(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Cross-entropy −E_p[log q(X)] = H(p) + KL(p ‖ q), in nats.

    Args:
        p, q, draws, rng: as for ``kl``.

    Returns:
        An ``Estimate``.

    Example:
        >>> import suffice as sf
        >>> float(sf.cross_entropy(sf.Exponential(1.0), sf.Exponential(2.0)).value.round(6))
        1.306853
    """
    rest = kl(p, q, draws=draws, rng=rng)
    return Estimate(p.entropy() + rest.value, rest.standard_error, rest.how, rest.pareto_k)


def renyi(p: Any, q: Any, order: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Rényi divergence D_α(p ‖ q) = log(∫ p^α q^(1−α)) / (α − 1), in nats; KL(p ‖ q) at α = 1.

    (1 − α) D_α is Chernoff's α-divergence. Within an exponential family in closed form, infinite where
    α η_p + (1 − α) η_q is no natural parameter.

    Args:
        p, q, draws, rng: as for ``kl``.
        order: α > 0, finite; a number or an array that broadcasts with the batch.

    Returns:
        An ``Estimate``.

    Raises:
        ValueError: an order that is not above 0; or by Monte Carlo one above 1 whose average has no variance.

    Source: Rényi (1961); van Erven and Harremoës (2014).

    Example:
        >>> import suffice as sf
        >>> sf.renyi(sf.Normal(0.0, 1.0), sf.Normal(1.0, 1.0), 2.0)
        Estimate(1, closed form)
    """
    comparable(p, q)
    order = _order(order, "order", positive=True)
    if closed.has_renyi(p, q):
        return _exact(closed.renyi(p, q, order))
    return _renyi(p, q, order, draws, rng)


def _renyi(p: Any, q: Any, order: jax.Array, draws: int, rng: RNG) -> Estimate:
    """From the α-divergence D, log(1 + α(α − 1) D)/(α − 1); by the logarithm of the integral where that is far from 1."""
    found = _alpha(p, q, order, draws, rng)
    if found.how == CLOSED_FORM:  # one of two ends
        return Estimate(jnp.broadcast_to(jnp.inf, jnp.shape(found.value)), 0.0 * found.standard_error)
    excess = order - 1.0
    one = jnp.abs(excess) < 1e-12
    change = order * excess * found.value
    slope = order / (1.0 + jnp.where(one, 0.0, change))
    safe = jnp.where(one, 1.0, excess)
    value = jnp.where(one, found.value, jnp.log1p(jnp.where(one, 0.0, change)) / safe)
    error = jnp.where(jnp.isfinite(value), slope * found.standard_error, 0.0)
    if not p.event_ndim and not p.discrete:
        log, off = numerical.log_power_integral(p, q, order)
        far = (jnp.abs(change) > 0.5) & ~one & jnp.isfinite(found.value)
        value, error = jnp.where(far, log / safe, value), jnp.where(far, off / jnp.abs(safe), error)
    return Estimate(value, error, found.how, found.pareto_k)


def alpha_divergence(p: Any, q: Any, alpha: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """α-divergence D = (∫ p^α q^(1−α) − 1) / (α (α − 1)) >= 0; KL(p ‖ q) at α = 1, KL(q ‖ p) at α = 0.

    α = ½ gives four times the squared Hellinger distance, α = 2 half of Pearson's χ².

    Args:
        p, q, draws, rng: as for ``kl``.
        alpha: α, any finite number, or an array that broadcasts with the batch.

    Returns:
        An ``Estimate``.

    Raises:
        ValueError: an α that is not finite; or by Monte Carlo one outside [0, 1] whose average has no variance.

    Source: Amari (1985); Cichocki and Amari (2010), in their notation.

    Example:
        >>> import suffice as sf
        >>> p, q = sf.Bernoulli.from_probs(0.5), sf.Bernoulli.from_probs(0.25)
        >>> round(float(sf.alpha_divergence(p, q, 2.0)), 9)  # half of 1/3
        0.166666667
    """
    comparable(p, q)
    return _alpha(p, q, _order(alpha, "alpha"), draws, rng)


def _alpha(p: Any, q: Any, alpha: jax.Array, draws: int, rng: RNG) -> Estimate:
    """Orders below ½ by the other direction: D_α(p ‖ q) = D_{1−α}(q ‖ p)."""
    above, below = jnp.maximum(alpha, 0.5), jnp.maximum(1.0 - alpha, 0.5)
    sides = [v for v in (True, False) if is_traced(alpha) or np.any((np.asarray(alpha) >= 0.5) == v)]
    found = [_alpha_from_half(*((p, q, above) if v else (q, p, below)), draws, rng) for v in sides]
    if len(found) == 1:
        return found[0]
    first, second = found
    upper = np.asarray(True) if is_traced(alpha) else np.asarray(alpha) >= 0.5
    shapes = [-np.inf if f.pareto_k is None else f.pareto_k for f in found]
    bounded = is_traced(alpha) or all(f.pareto_k is None for f in found)
    return Estimate(
        jnp.where(alpha >= 0.5, first.value, second.value),
        jnp.where(alpha >= 0.5, first.standard_error, second.standard_error),
        first.how,
        None if bounded else np.where(upper, *shapes),
    )


def _alpha_from_half(p: Any, q: Any, alpha: jax.Array, draws: int, rng: RNG) -> Estimate:
    if closed.has_renyi(p, q):
        distance = closed.renyi(p, q, alpha)
        scaled = (alpha - 1.0) * distance
        small = jnp.abs(scaled) < 1e-8
        # expm1(x)/x
        growth = jnp.where(small, 1.0 + 0.5 * scaled, jnp.expm1(scaled) / jnp.where(small, 1.0, scaled))
        far = jnp.isinf(distance)
        limit = jnp.where(alpha < 1.0, 1.0 / jnp.where(alpha < 1.0, alpha * (1.0 - alpha), 1.0), jnp.inf)
        return _exact(jnp.where(far, limit, distance * jnp.where(far, 1.0, growth) / alpha))
    found = numerical.divergence(generators.alpha, p, q, alpha, draws=draws, rng=rng)
    if found.how == MONTE_CARLO and found.pareto_k is not None:
        wild = (np.asarray(found.pareto_k) > UNRELIABLE) & (np.asarray(alpha) > 1.0)
        if np.any(wild):
            raise ValueError(
                f"the average of (p/q)^alpha over draws has no variance at alpha = {float(np.max(alpha)):g} "
                f"(Pareto k = {float(np.max(found.pareto_k)):.2g} > {UNRELIABLE}), so no estimate of it can be trusted; "
                "take alpha in [0, 1]"
            )
    return found


def hellinger(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Hellinger distance H = √(1 − ∫ √(p q)) in [0, 1], rooted: a metric.

    Args:
        p, q, draws, rng: as for ``kl``.

    Returns:
        An ``Estimate``.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.hellinger(sf.Exponential(1.0), sf.Exponential(4.0))), 9)  # √(1 − 4/5)
        0.447213595
    """
    comparable(p, q)
    found = _alpha(p, q, _order(0.5, "alpha"), draws, rng)
    root = jnp.sqrt(0.25 * found.value)
    error = 0.125 * found.standard_error / jnp.where(root > 0.0, root, 1.0)
    return Estimate(root, error, found.how, found.pareto_k)


def bhattacharyya(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Bhattacharyya distance −log ∫ √(p q), half of Rényi's divergence of order ½; infinite where supports are disjoint.

    Args:
        p, q, draws, rng: as for ``kl``.

    Returns:
        An ``Estimate``.

    Example:
        >>> import suffice as sf
        >>> sf.bhattacharyya(sf.Normal(0.0, 1.0), sf.Normal(2.0, 1.0))
        Estimate(0.5, closed form)
    """
    found = renyi(p, q, 0.5, draws=draws, rng=rng)
    return Estimate(0.5 * found.value, 0.5 * found.standard_error, found.how, found.pareto_k)


def jensen_shannon(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Jensen–Shannon divergence ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2, in nats, from 0 to log 2.

    Its square root is a metric.

    Args:
        p, q, draws, rng: as for ``kl``.

    Returns:
        An ``Estimate``.

    Source: Lin (1991).

    Example:
        >>> import suffice as sf
        >>> round(float(sf.jensen_shannon(sf.Normal(0.0, 1.0), sf.Normal(1.0, 1.0))), 9)
        0.111421482
    """
    comparable(p, q)
    return numerical.divergence(generators.jensen_shannon, p, q, draws=draws, rng=rng)


def total_variation(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Total variation distance ½ ∫ |p − q| = sup |P(A) − Q(A)|, from 0 to 1.

    Args:
        p, q, draws, rng: as for ``kl``.

    Returns:
        An ``Estimate``. By quadrature the integral is cut at up to eight points where the densities cross.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.total_variation(sf.Normal(0.0, 1.0), sf.Normal(2.0, 1.0))), 9)  # 2 Φ(1) − 1
        0.682689492
    """
    comparable(p, q)
    return numerical.divergence(generators.total_variation, p, q, split=True, draws=draws, rng=rng)


def _exact(value: jax.Array) -> Estimate:
    return Estimate(value, jnp.zeros_like(value), CLOSED_FORM)


def _order(value: Any, name: str, positive: bool = False) -> jax.Array:
    if not is_traced(value):
        host = np.asarray(value, float)
        inside = np.isfinite(host) & (host > 0.0 if positive else True)
        if not np.all(inside):
            wanted = "a finite number > 0" if positive else "a finite number"
            raise ValueError(f"{name} must be {wanted}, got {first_offender(inside, host)}")
    return jnp.asarray(value, float)
