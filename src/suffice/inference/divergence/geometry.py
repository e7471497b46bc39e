"""Entropy and divergence that know how similar the points of a support are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics import array_domain
from suffice.numerics.checks import checked, is_traced
from suffice.numerics.special.convexity import log_gap


def gait_entropy(p: Any, similarity: Any) -> jax.Array:
    """Geometry-aware entropy H^K(P) = −Σ p_i log (K p)_i, in nats: Shannon's for K = 1, less where points are similar.

    Args:
        p: probabilities, (..., n), or a sample (n, d) where ``similarity`` is a function.
        similarity: matrix K, (n, n), symmetric with K_ij in [0, 1] and K_ii = 1; or a function of two points that gives it.

    Returns:
        The entropy, (...).

    Raises:
        ValueError: probabilities that do not sum to 1, or a matrix that is no similarity.

    Source: Leinster and Cobbold (2012); Gallego, Vani, Schwarzer and Lacoste-Julien (2020), arXiv:1906.08325.

    Example:
        >>> import numpy as np, suffice as sf
        >>> p = np.full(3, 1 / 3)  # two of three points are the same
        >>> round(float(sf.gait_entropy(p, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])), 9), round(float(sf.gait_entropy(p, np.eye(3))), 9)
        (0.636514168, 1.098612289)
    """
    if callable(similarity):
        x = _points(p, "p")
        weights, k = jnp.full(len(x), 1.0 / len(x)), _checked_similarity(_between(x, similarity), len(x))
    else:
        weights, _, k = _on_one_support(p, p, similarity)
    seen = weights > 0.0
    profile = jnp.where(seen, _seen_from(k, weights), 1.0)
    return -jnp.where(seen, weights * jnp.log(profile), 0.0).sum(-1)


def gait_divergence(p: Any, q: Any, similarity: Any) -> jax.Array:
    """Geometry-aware divergence D^K(P ‖ Q) = 1 + E_P[log (Kp/Kq)] − E_Q[Kp/Kq]; KL(P ‖ Q) for K = 1.

    It is the Bregman divergence of −H^K, so it is >= 0 where that is convex. Where points are similar it is finite for
    disjoint supports, and small for near ones: 1 + x − exp(−x) for two points at distance x with K = exp(−x).

    Args:
        p, q: probabilities on one support, (..., n); or two samples, (n, d) and (m, d), where ``similarity`` is a function.
        similarity: as for ``gait_entropy``.

    Returns:
        The divergence, (...).

    Raises:
        ValueError: as for ``gait_entropy``.

    Source: Gallego, Vani, Schwarzer and Lacoste-Julien (2020), arXiv:1906.08325.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> near = lambda x, y: jnp.exp(-jnp.abs(x - y).sum())
        >>> [round(float(sf.gait_divergence([[0.0]], [[x]], near)), 6) for x in (0.0, 0.1, 5.0)]
        [0.0, 0.195163, 5.993262]
    """
    a, b, k = _on_one_support(p, q, similarity)
    u, v = _seen_from(k, a), _seen_from(k, b)
    # with r = Kp/Kq: E_P[log r] + Σ q (1 − r); the gaps of the logarithm, and what K moves between P and Q
    seen, other = a > 0.0, b > 0.0
    known = u > 0.0
    excess = jnp.where(known, (v - u) / jnp.where(known, u, 1.0), 0.0)
    first = jnp.where(seen, a * (log_gap(jnp.where(seen, excess, 0.0)) - jnp.where(seen, excess, 0.0)), 0.0)
    second = jnp.where(other, b * (v - u) / jnp.where(other, v, 1.0), 0.0)
    return (first + second).sum(-1)


def _seen_from(k: jax.Array, weights: jax.Array) -> jax.Array:
    """K p: how much of P is similar to each point."""
    return jnp.einsum("ij,...j->...i", k, weights)


def _on_one_support(p: Any, q: Any, similarity: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    if callable(similarity):
        x, y = (_points(v, name) for v, name in ((p, "p"), (q, "q")))
        k = _between(jnp.concatenate([x, y]), similarity)
        n, m = len(x), len(y)
        a = jnp.concatenate([jnp.full(n, 1.0 / n), jnp.zeros(m)])
        return a, jnp.concatenate([jnp.zeros(n), jnp.full(m, 1.0 / m)]), _checked_similarity(k, n + m)
    a, b = (checked(f"gait: {name}", array_domain.simplex, v) for v, name in ((p, "p"), (q, "q")))
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"p and q must be on one support, got {a.shape[-1]} and {b.shape[-1]} points")
    rank = max(a.ndim, b.ndim)
    a, b = (v.reshape((1,) * (rank - v.ndim) + v.shape) for v in (a, b))
    return a, b, _checked_similarity(similarity, a.shape[-1])


def _between(x: jax.Array, similarity: Any) -> jax.Array:
    return jax.vmap(lambda a: jax.vmap(lambda b: similarity(a, b))(x))(x)


def _points(sample: Any, name: str) -> jax.Array:
    x = jnp.asarray(sample, float)
    if x.ndim != 2 or not len(x):
        raise ValueError(
            f"{name} must be a sample of points, (n, d), where similarity is a function, got shape {x.shape}"
        )
    return x


def _checked_similarity(similarity: Any, n: int) -> jax.Array:
    k = jnp.asarray(similarity, float)
    if k.shape != (n, n):
        raise ValueError(f"similarity must have shape {(n, n)}, got {k.shape}")
    if not is_traced(k):
        host = np.asarray(k)
        if not (
            np.allclose(host, host.T, rtol=0.0, atol=1e-12)
            and np.allclose(np.diagonal(host), 1.0, rtol=0.0, atol=1e-12)
        ):
            raise ValueError("similarity must be symmetric with ones on its diagonal")
        if np.any((host < 0.0) | (host > 1.0 + 1e-12)):
            raise ValueError(f"similarity must be between 0 and 1, got {host.min():g} to {host.max():g}")
    return k
