"""Extended likelihood: fixed parameters and random unknowns estimated together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.posteriors.target import Target
from suffice.inference.result import MESSAGES
from suffice.numerics import newton


@dataclass(frozen=True)
class ExtendedFit:
    """Estimates of fixed parameters and predictions of random unknowns.

    Attributes:
        fixed: estimates, in the form they were given in.
        random: predictions, the same.
        fixed_covariance: of the fixed parameters on the unconstrained space, (p, p).
        random_covariance: of prediction minus truth, (q, q): the spread of the unknowns given the data, and what the
            errors of the fixed parameters add.
        log_likelihood: log ∫ p(x, v) dv at the estimates, by Laplace's approximation; exact where the joint density is
            normal in v.
        converged, message: whether and how the search ended.
    """

    fixed: Any
    random: Any
    fixed_covariance: np.ndarray
    random_covariance: np.ndarray
    log_likelihood: float
    converged: bool
    message: str

    @property
    def fixed_errors(self) -> np.ndarray:
        """Standard errors of the fixed parameters on the unconstrained space, in the order of ``fixed``."""
        return np.sqrt(np.diagonal(self.fixed_covariance))

    @property
    def random_errors(self) -> np.ndarray:
        """Root mean squared errors of the predictions."""
        return np.sqrt(np.diagonal(self.random_covariance))


def extended_likelihood(
    log_joint: Callable[[Any, Any], Any], fixed: Any, random: Any, domains: Any = None
) -> ExtendedFit:
    """Maximise the h-likelihood of fixed parameters theta and random unknowns v together.

    h(theta, v) = log p(x, v | theta) − log p(v̂ | x, theta), v̂ the best v for theta: on this scale the joint maximum is
    at the maximum likelihood estimate of theta and at the predictor of v. The second term, a volume, comes from the
    curvature: −½ log |−∂²/∂v² log p(x, v | theta)/2π|, exact where the joint density is normal in v. In a normal mixed
    model the predictions are the best linear unbiased ones.

    Args:
        log_joint: function of (theta, v): log p(x, v | theta) = log p(x | v, theta) + log p(v | theta).
        fixed: theta to begin at: an array, or a dictionary of arrays.
        random: v to begin at, an array of real numbers.
        domains: of theta: as for ``sf.laplace``.

    Returns:
        An ``ExtendedFit``.

    Raises:
        ValueError: a start outside the domains, or where the joint density is not finite.

    Source: Lee and Lee (2023), arXiv 2310.09955, section 3; Lee and Nelder (1996); errors of predictions: Booth and
        Hobert (1998), equation 9.

    Example:
        >>> import jax.numpy as jnp, numpy as np, suffice as sf
        >>> x = np.array([[1.0, 2.0, 1.5], [4.0, 5.0, 4.5], [2.0, 3.0, 2.2]])  # three groups
        >>> def log_joint(mean, v):  # both variances 1
        ...     return sf.Normal(mean + v[:, None], 1.0).log_prob(x).sum() + sf.Normal(0.0, 1.0).log_prob(v).sum()
        >>> found = sf.extended_likelihood(log_joint, 0.0, np.zeros(3))
        >>> round(float(found.fixed), 6), np.round(found.random, 6).tolist()  # ¾ of each group's distance
        (2.8, [-0.975, 1.275, -0.3])
    """
    v = np.asarray(random, float)
    shape, size = v.shape, v.size
    target = Target.of(lambda theta: log_joint(theta, jnp.asarray(v)), fixed, domains)

    def joint(theta: jax.Array, v: jax.Array) -> jax.Array:
        point = target.point(theta)
        return jnp.asarray(log_joint(point, v.reshape(shape)))

    slope, curvature = jax.grad(joint, 1), jax.hessian(joint, 1)

    def inner(theta: jax.Array, begin: jax.Array) -> jax.Array:
        """The best v, and how it moves with theta: two Newton steps from where it is carry two derivatives."""
        still = jax.lax.stop_gradient(theta)
        best = newton.maximise(
            lambda v: (joint(still, v), slope(still, v), curvature(still, v)), begin, jnp.asarray(float(size))
        ).point
        v = jax.lax.stop_gradient(best)
        for _ in range(2):
            v = v - jnp.linalg.solve(curvature(theta, v), slope(theta, v))
        return v

    def integrated(theta: jax.Array, begin: jax.Array) -> jax.Array:
        v = inner(theta, begin)
        volume = jnp.linalg.slogdet(-curvature(theta, v) / (2.0 * jnp.pi))[1]
        return joint(theta, v) - 0.5 * volume

    @jax.jit
    def search(theta: jax.Array, begin: jax.Array) -> tuple[Any, ...]:
        f = lambda t: integrated(t, begin)  # noqa: E731
        state = newton.maximise(
            lambda t: (f(t), jax.jacfwd(f)(t), jax.jacfwd(jax.jacfwd(f))(t)), theta, jnp.asarray(1.0)
        )
        best = state.point
        moves = jax.jacfwd(lambda t: inner(t, begin))(best)
        at = inner(best, begin)
        return state, at, moves, curvature(best, at)

    state, at, moves, bend = jax.device_get(search(jnp.asarray(target.start), jnp.asarray(v.ravel())))
    converged = int(state.status) == newton.CONVERGED
    spread = np.linalg.inv(-state.hessian) if converged else np.full((target.dimension,) * 2, np.nan)
    given = np.linalg.inv(-bend)
    message = MESSAGES[int(state.status)]
    return ExtendedFit(
        target.point(jnp.asarray(state.point)),
        at.reshape(shape),
        spread,
        given + moves @ spread @ moves.T,
        float(state.value),
        converged,
        message,
    )
