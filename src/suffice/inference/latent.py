"""Models with a latent class: the information of what was observed, from that of what would have been complete."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from suffice.numerics.newton import second_order


def louis_information(
    log_joint: Callable[[Any, jax.Array, jax.Array], jax.Array],
    theta: Any,
    data: Any,
    classes: int,
    weights: Any = None,
) -> jax.Array:
    """Observed information of a model with latent classes, by Louis' identity.

    −∇²l(theta) = Σ_i w_i (E[−∇² log p(x_i, z | theta)] − Var[∇ log p(x_i, z | theta)]), moments under p(z | x_i, theta)
    (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x). Its inverse at the maximum is the covariance of the estimate.

    Args:
        log_joint: traceable function (theta, x, z) -> log p(x, z | theta) of one observation x and its class z.
        theta: where, (d,).
        data: observations along the first axis, (n, ...).
        classes: number K of classes: z = 0 … K − 1.
        weights: frequencies, (n,).

    Returns:
        The information, (d, d).

    Raises:
        ValueError: theta is not a vector, no class, weights of another length than the data.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> def log_joint(theta, x, z):  # two normals of deviation 1, equally likely
        ...     return sf.Normal(theta[z], 1.0).log_prob(x) - jnp.log(2.0)
        >>> apart = [-50.1, -49.9, 50.2]  # so that classes are known
        >>> sf.louis_information(log_joint, [-50.0, 50.0], apart, classes=2).round(6).tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """
    theta, data = jnp.asarray(theta, float), jnp.asarray(data)
    if theta.ndim != 1:
        raise ValueError(f"theta must be a vector, got an array of shape {theta.shape}")
    if classes < 1:
        raise ValueError(f"classes must be >= 1, got {classes}")
    w = jnp.ones(data.shape[:1]) if weights is None else jnp.asarray(weights, float)
    if w.shape != data.shape[:1]:
        raise ValueError(f"weights must have one entry for each observation, {data.shape[0]}, got shape {w.shape}")
    return _information(theta, data, w, log_joint, classes)


@partial(jax.jit, static_argnames=("log_joint", "classes"))
def _information(theta: jax.Array, data: jax.Array, w: jax.Array, log_joint: Any, classes: int) -> jax.Array:
    def of(theta: jax.Array) -> jax.Array:
        """log p(x_i, z | theta), (n, K)."""
        return jax.vmap(lambda x: jax.vmap(lambda z: log_joint(theta, x, z))(jnp.arange(classes)))(data)

    value, score, curvature = second_order(of, theta)
    posterior = jax.nn.softmax(value, axis=-1)
    rest = jnp.where((posterior > 0.0)[..., None], score, 0.0)  # where a class is impossible it has no say
    curvature = jnp.where((posterior > 0.0)[..., None, None], curvature, 0.0)
    rest = rest - jnp.einsum("nk,nkd->nd", posterior, rest)[:, None]
    complete = -jnp.einsum("n,nk,nkde->de", w, posterior, curvature)
    return complete - jnp.einsum("n,nk,nkd,nke->de", w, posterior, rest, rest)
