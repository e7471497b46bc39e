"""Kernel density estimates: a sample, smoothed."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.distributions.mixture import Mixture
from suffice.distributions.normal import Normal
from suffice.numerics.checks import as_argument

_RULES = {"scott": 1.0, "silverman": 0.75}


def kernel_density(
    data: ArrayLike, bandwidth: str | ArrayLike = "silverman", weights: ArrayLike | None = None
) -> Mixture:
    """Return the kernel density estimate p(x) = Σ weights_i Normal(x; data_i, h) / Σ weights_i.

    It is a mixture of normals, so it has tails, quantiles and moments like any other distribution, and can be drawn
    from. Both rules take h = s (c m)^(−1/5), s the sample's standard deviation and m = (Σ w)²/Σ w², which is n without
    weights: c = 1 (Scott, 1992), c = 3/4 (Silverman, 1986).

    Args:
        data: the sample, (..., n), n >= 2 for a rule, in the unit of x.
        bandwidth: "silverman", "scott", or h itself, in the unit of x, > 0.
        weights: of the observations, (..., n), >= 0, in any unit; equal where not given.

    Example:
        >>> import suffice as sf
        >>> p = sf.kernel_density([1.0, 2.0, 4.0, 7.0], bandwidth=0.5)
        >>> round(float(p.cdf(3.0)), 6), round(float(p.mean()), 6)
        (0.499992, 3.5)
    """
    x = jnp.asarray(as_argument(data))
    x = x.astype(jnp.result_type(x, float))
    w = jnp.ones_like(x) if weights is None else jnp.asarray(as_argument(weights), x.dtype)
    w = w / w.sum(-1, keepdims=True)
    scale = _by_rule(bandwidth, x, w) if isinstance(bandwidth, str) else jnp.asarray(bandwidth, x.dtype)[..., None]
    return Mixture(Normal(loc=x, scale=jnp.broadcast_to(scale, x.shape)), w)


def _by_rule(name: str, x: jax.Array, w: jax.Array) -> jax.Array:
    if name not in _RULES:
        raise ValueError(f'bandwidth must be "silverman", "scott" or a number, got {name!r}')
    concentration = (w**2).sum(-1, keepdims=True)
    distance = x - (w * x).sum(-1, keepdims=True)
    variance = (w * distance**2).sum(-1, keepdims=True) / (1.0 - concentration)
    return jnp.sqrt(variance) * (_RULES[name] / concentration) ** -0.2
