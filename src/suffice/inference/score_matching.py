"""Score matching: the parameters of a density known up to its normaliser."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from suffice.inference.likelihood import inverse
from suffice.inference.methods.solve import sandwich
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, second_order
from suffice.runtime.rng import RNG, as_key

KINDS = ("exact", "sliced", "denoising")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ScoreMatch:
    """Parameters found by score matching, with their uncertainty.

    Attributes:
        theta: the estimate, a pytree like the start.
        covariance: of its entries in the order of ``jax.flatten_util.ravel_pytree``, (d, d): the sandwich H⁻¹ G H⁻¹ of
            the Hessian and the squared gradients of the criterion; NaN where the search did not converge.
        objective: mean of the criterion over the observations, at the estimate.
        count: number of observations.
        result: a code, told by ``converged``.
        iterations: Newton steps taken.
    """

    theta: Any
    covariance: jax.Array
    objective: jax.Array
    count: jax.Array
    result: jax.Array
    iterations: jax.Array

    @property
    def converged(self) -> bool:
        """Whether the estimate is a minimum of the criterion."""
        return bool(self.result == CONVERGED)

    @property
    def standard_errors(self) -> Any:
        """Standard errors, a pytree like ``theta``."""
        return ravel_pytree(self.theta)[1](jnp.sqrt(jnp.diagonal(self.covariance)))


def score_match(
    log_density: Callable[[Any, jax.Array], jax.Array],
    theta: Any,
    data: Any,
    kind: str = "exact",
    *,
    weights: Any = None,
    projections: int = 1,
    noise: float | None = None,
    rng: RNG | None = None,
) -> ScoreMatch:
    """Estimate an unnormalised density p(x) ∝ exp(f(theta, x)) from its score s(x) = ∇ₓ f(theta, x).

    The criterion is a mean over the observations of

        "exact":      tr ∇ₓs(x) + |s(x)|²/2                     (Hyvärinen 2005, JMLR 6:695)
        "sliced":     vᵀ ∇ₓs(x) v + |s(x)|²/2, v of random signs  (Song et al. 2019, arXiv 1905.07088)
        "denoising":  |s(x + noise·e) + e/noise|²/2, e ~ N(0, I)  (Vincent 2011, doi:10.1162/NECO_a_00142)

    The last fits the density of x + noise·e, which is wider than that of x. Random numbers are drawn once, so that the
    criterion is a smooth function of theta; Newton's method finds a minimum of it. The density must vanish at the ends
    of the support, which is why it should be all of the space.

    Args:
        log_density: traceable function f(theta, x) of one observation, () or (m,), up to a constant in x.
        theta: where the search starts, a pytree of arrays without constraints.
        data: observations along the first axis, (n,) or (n, m).
        kind: "exact", "sliced" or "denoising".
        weights: frequencies, (n,).
        projections: directions v, or draws e, for each observation.
        noise: standard deviation of what is added to the data, in their unit; for "denoising" only.
        rng: int, ``numpy.random.Generator`` or JAX key; required but for "exact".

    Returns:
        A ``ScoreMatch``: theta with its covariance by the sandwich.

    Raises:
        ValueError: an unknown kind, data of the wrong shape, noise or rng missing or superfluous.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> def f(theta, x):
        ...     return -0.5 * ((x - theta["loc"]) * jnp.exp(-theta["log_scale"])) ** 2
        >>> found = sf.score_match(f, {"loc": 0.0, "log_scale": 0.0}, [1.0, 2.0, 6.0])
        >>> round(float(found.theta["loc"]), 6), round(float(jnp.exp(found.theta["log_scale"])), 6)
        (3.0, 2.160247)
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}")
    x = jnp.asarray(data, float)
    if x.ndim not in (1, 2) or not x.size:
        raise ValueError(f"data must have shape (n,) or (n, m), got {x.shape}")
    if (noise is None) != (kind != "denoising") or (noise is not None and not noise > 0.0):
        raise ValueError(f"noise must be > 0 for 'denoising' and is for nothing else, got {noise} for {kind!r}")
    if (rng is None) != (kind == "exact"):
        raise ValueError(f"rng is needed for 'sliced' and 'denoising' only, got {rng!r} for {kind!r}")
    if projections < 1:
        raise ValueError(f"projections must be >= 1, got {projections}")
    w = jnp.ones(x.shape[:1]) if weights is None else jnp.asarray(weights, float)
    if w.shape != x.shape[:1]:
        raise ValueError(f"weights must have one entry for each observation, {x.shape[0]}, got shape {w.shape}")
    shape = (x.shape[0], projections, *x.shape[1:])
    draw = {"exact": lambda key, shape: jnp.zeros(shape), "sliced": _signs, "denoising": jax.random.normal}[kind]
    directions = draw(None if rng is None else as_key(rng), shape)  # type: ignore[operator]
    theta = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), theta)
    return _match(theta, x, w, directions, jnp.asarray(np.nan if noise is None else noise), log_density, kind)


def _signs(key: Any, shape: tuple[int, ...]) -> jax.Array:
    return jax.random.rademacher(key, shape, float)


def _criterion(
    f: Callable[[jax.Array], jax.Array], kind: str, x: jax.Array, v: jax.Array, noise: jax.Array
) -> jax.Array:
    """What is averaged, for one observation and one direction."""
    score = jax.grad(f)
    if kind == "denoising":
        return 0.5 * jnp.sum((score(x + noise * v) + v / noise) ** 2)
    if kind == "exact":
        curvature = jnp.trace(jnp.atleast_2d(jax.jacfwd(score)(x)))
        return curvature + 0.5 * jnp.sum(score(x) ** 2)
    value, slope = jax.jvp(score, (x,), (v,))
    return jnp.sum(v * slope) + 0.5 * jnp.sum(value**2)


@partial(jax.jit, static_argnames=("log_density", "kind"))
def _match(
    theta: Any, x: jax.Array, w: jax.Array, directions: jax.Array, noise: jax.Array, log_density: Any, kind: str
) -> ScoreMatch:
    start, unravel = ravel_pytree(theta)

    def losses(point: jax.Array) -> jax.Array:
        """The criterion of each observation, (n,)."""

        def one(x: jax.Array, v: jax.Array) -> jax.Array:
            return _criterion(lambda x: log_density(unravel(point), x), kind, x, v, noise)

        return jax.vmap(lambda x, vs: jax.vmap(lambda v: one(x, v))(vs).mean())(x, directions)

    state = newton.maximise(lambda p: second_order(lambda p: -(w @ losses(p)), p), start, w.sum())
    gradients = jax.jacfwd(losses)(state.point)
    bread = inverse(-state.hessian)
    spread = sandwich(bread, gradients.T, w)
    spread = jnp.where(state.status == CONVERGED, spread, jnp.nan)
    return ScoreMatch(unravel(state.point), spread, -state.value / w.sum(), w.sum(), state.status, state.iterations)
