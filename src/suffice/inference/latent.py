"""Models with a latent class, known by their complete likelihood: observed information, and the ideal likelihood."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from suffice.inference.likelihood import inverse
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, EXHAUSTED, second_order

LogJoint = Callable[[Any, jax.Array, jax.Array], jax.Array]
_ROUNDS = 200


def louis_information(
    log_joint: LogJoint,
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
        >>> sf.louis_information(log_joint, [-50.0, 50.0], apart, classes=2).diagonal().round(6).tolist()
        [2.0, 1.0]
    """
    return _information(*_checked(theta, data, classes, weights), log_joint, classes)


def _checked(theta: Any, data: Any, classes: int, weights: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    theta, data = jnp.asarray(theta, float), jnp.asarray(data)
    if theta.ndim != 1:
        raise ValueError(f"theta must be a vector, got an array of shape {theta.shape}")
    if classes < 1:
        raise ValueError(f"classes must be >= 1, got {classes}")
    w = jnp.ones(data.shape[:1]) if weights is None else jnp.asarray(weights, float)
    if w.shape != data.shape[:1]:
        raise ValueError(f"weights must have one entry for each observation, {data.shape[0]}, got shape {w.shape}")
    return theta, data, w


def _of_each(log_joint: LogJoint, theta: jax.Array, data: jax.Array, classes: int) -> jax.Array:
    """log p(x_i, z | theta), (n, K)."""
    return jax.vmap(lambda x: jax.vmap(lambda z: log_joint(theta, x, z))(jnp.arange(classes)))(data)


@partial(jax.jit, static_argnames=("log_joint", "classes"))
def _information(theta: jax.Array, data: jax.Array, w: jax.Array, log_joint: Any, classes: int) -> jax.Array:
    value, score, curvature = second_order(lambda theta: _of_each(log_joint, theta, data, classes), theta)
    posterior = jax.nn.softmax(value, axis=-1)
    rest = jnp.where((posterior > 0.0)[..., None], score, 0.0)  # where a class is impossible it has no say
    curvature = jnp.where((posterior > 0.0)[..., None, None], curvature, 0.0)
    rest = rest - jnp.einsum("nk,nkd->nd", posterior, rest)[:, None]
    complete = -jnp.einsum("n,nk,nkde->de", w, posterior, curvature)
    return complete - jnp.einsum("n,nk,nkd,nke->de", w, posterior, rest, rest)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class IdealFit:
    """Parameters and classes that together maximise the ideal likelihood.

    Attributes:
        theta: the parameters, (d,).
        classes: the class of each observation, (n,).
        covariance: of theta as if the classes were known, (d, d); NaN where the search did not converge.
        log_likelihood: Σ w log p(x, z | theta), in nats.
        result: a code, told by ``converged``.
        iterations: rounds of assigning classes and fitting.
    """

    theta: jax.Array
    classes: jax.Array
    covariance: jax.Array
    log_likelihood: jax.Array
    result: jax.Array
    iterations: jax.Array

    @property
    def converged(self) -> bool:
        """Whether neither another class of any one observation nor another theta raises the likelihood."""
        return bool(self.result == CONVERGED)

    @property
    def standard_errors(self) -> jax.Array:
        """Square roots of the diagonal of ``covariance``."""
        return jnp.sqrt(jnp.diagonal(self.covariance))


def ideal_likelihood(log_joint: LogJoint, theta: Any, data: Any, classes: int, weights: Any = None) -> IdealFit:
    """Maximise the ideal likelihood, latent classes being parameters as well: argmax over theta, z of Σ w log p(x, z | theta).

    By ascent in blocks (Cai and Ma 2024, arXiv 2410.01194): each class the best at theta, theta the best for the
    classes by Newton's method, until no class changes. It is a local maximum, so the start matters. Where classes
    overlap it is not the maximum of the marginal likelihood, nor consistent: it draws classes apart.

    Args:
        log_joint: traceable function (theta, x, z) -> log p(x, z | theta) of one observation x and its class z.
        theta: where the search starts, (d,), without constraints.
        data: observations along the first axis, (n, ...).
        classes: number K of classes: z = 0 … K − 1.
        weights: frequencies, (n,).

    Returns:
        An ``IdealFit``: theta, the classes, the covariance of theta as if these were known.

    Raises:
        ValueError: theta is not a vector, no class, weights of another length than the data.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> def log_joint(theta, x, z):  # two normals of deviation 1, equally likely
        ...     return sf.Normal(theta[z], 1.0).log_prob(x) - jnp.log(2.0)
        >>> found = sf.ideal_likelihood(log_joint, [-1.0, 1.0], [-3.0, -1.0, 4.0], classes=2)
        >>> found.theta.round(6).tolist(), found.classes.tolist()
        ([-2.0, 4.0], [0, 0, 1])
    """
    return _ideal(*_checked(theta, data, classes, weights), log_joint, classes)


@partial(jax.jit, static_argnames=("log_joint", "classes"))
def _ideal(theta: jax.Array, data: jax.Array, w: jax.Array, log_joint: Any, classes: int) -> IdealFit:
    def assigned(theta: jax.Array) -> jax.Array:
        return jnp.argmax(_of_each(log_joint, theta, data, classes), axis=-1)

    def climb(theta: jax.Array, z: jax.Array) -> newton.State:
        def total(theta: jax.Array) -> jax.Array:
            return w @ jax.vmap(partial(log_joint, theta))(data, z)

        return newton.maximise(lambda theta: second_order(total, theta), theta, w.sum())

    def step(carry: Any) -> Any:
        theta, z, *_, rounds = carry
        state = climb(theta, z)
        new = assigned(state.point)
        settled = jnp.all((new == z) | (w == 0.0))
        status = jnp.where(settled | (state.status != CONVERGED), state.status, newton.RUNNING)
        return state.point, new, state.value, state.hessian, status, rounds + 1

    d = theta.shape[0]
    begin = theta, assigned(theta), jnp.zeros(()), -jnp.eye(d), jnp.asarray(newton.RUNNING), jnp.asarray(0)
    end = jax.lax.while_loop(lambda c: (c[4] == newton.RUNNING) & (c[5] < _ROUNDS), step, begin)
    theta, z, value, hessian, status, rounds = end
    status = jnp.where(status == newton.RUNNING, EXHAUSTED, status)
    spread = jnp.where(status == CONVERGED, inverse(-hessian), jnp.nan)
    return IdealFit(theta, z, spread, value, status, rounds)
