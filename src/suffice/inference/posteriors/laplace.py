"""Laplace's approximation of any log-density: a normal law at its mode, its evidence, and how far to trust both."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.inference.posteriors.importance import RELIABLE, Ratios, ratios_of
from suffice.inference.posteriors.target import Target
from suffice.inference.result import MESSAGES
from suffice.numerics import linalg, newton
from suffice.runtime.rng import RNG, as_key

_MOST_CORRECTED = 40  # coordinates: third derivatives are as many as their cube


@dataclass(frozen=True)
class NormalApproximation:
    """A normal law on the unconstrained space in place of a density.

    Attributes:
        normal: the law of the unconstrained coordinates.
        names: of the coordinates, as the log-density knows them.
        converged: whether what it was found by came to an end.
        message: how it ended, in words.
        iterations: steps taken.
        ratios: importance ratios of the density to the law.
        target: the density.
    """

    normal: MultivariateNormal
    names: tuple[str, ...]
    converged: bool
    message: str
    iterations: int
    ratios: Ratios
    target: Target

    @property
    def pareto_k(self) -> float:
        """Shape of the tail of the importance ratios: above 0.7 the law is no stand-in for the density."""
        return self.ratios.pareto_k

    @property
    def reliable(self) -> bool:
        """Whether it converged with a Pareto k of at most 0.7."""
        return self.converged and self.pareto_k <= RELIABLE

    @property
    def advice(self) -> str:
        """What to make of Pareto k."""
        if self.reliable:
            return "the normal law is close enough for importance weights to correct it"
        return "the normal law does not stand in for this density: draw from it instead (MCMC), or reparametrise it"

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> Any:
        """Draw points, in the form the log-density takes, with leading axes ``shape``."""
        return self.target.points(self.normal.sample(shape, rng=rng))

    @cached_property
    def marginals(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of each unconstrained coordinate by name."""
        deviation = np.sqrt(np.diagonal(np.asarray(self.normal.covariance())))
        return {name: (float(m), float(s)) for name, m, s in zip(self.names, self.normal.loc, deviation, strict=True)}


@dataclass(frozen=True)
class LaplaceApproximation(NormalApproximation):
    """Laplace's approximation.

    Attributes:
        mode: the point of highest density on the unconstrained space, in the form the log-density takes.
        log_evidence: log p~(mode) + ½ log |2π Σ|, Σ the inverse of minus the Hessian.
        correction: what the third and fourth derivatives add to it, of order 1/n; NaN above 40 coordinates.
    """

    mode: Any
    log_evidence: float
    correction: float

    @property
    def corrected_log_evidence(self) -> float:
        """The evidence with its second-order correction: the error is of order 1/n²."""
        return self.log_evidence + self.correction

    def expectation(self, of: Any) -> Any:
        """E[g] to second order: g + ½ tr(g'' Σ) + ½ g'ᵀ Σ (κ contracted with Σ), at the mode, κ the third derivatives.

        Args:
            of: differentiable function of a point, with a number or an array as its value.

        Source: Tierney, Kass and Kadane (1989), equation 2.3.
        """
        target, mode = self.target, self.normal.loc
        root = self.normal.scale_tril

        def g(w: jax.Array) -> jax.Array:
            return jnp.asarray(of(target.point(mode + root @ w)), float)

        zero = jnp.zeros_like(mode)
        value, slope, curvature = newton.second_order(g, zero)
        third = _third_trace(target, mode, root)
        return value + 0.5 * jnp.trace(curvature, axis1=-2, axis2=-1) + 0.5 * slope @ third

    def __repr__(self) -> str:
        return (
            f"LaplaceApproximation({', '.join(self.names[:6])}{', …' if len(self.names) > 6 else ''}: log evidence "
            f"{self.log_evidence:.6f} {self.correction:+.4f}, Pareto k = {self.pareto_k:.2f}"
            f"{'' if self.reliable else f'; {self.message}; {self.advice}'})"
        )


def laplace(log_density: Any, start: Any, domains: Any = None, *, rng: RNG = 0) -> LaplaceApproximation:
    """Approximate a density by a normal law at its mode: p~(v) ≈ p~(v̂) exp(−½ (v − v̂)ᵀ Σ⁻¹ (v − v̂)), Σ⁻¹ = −∇² log p~.

    It is made on the unconstrained space, where positive numbers are their logarithms and the density carries the
    Jacobian of that map. Exact for normal densities.

    Args:
        log_density: log p~ of a point, up to a constant, differentiable twice by JAX.
        start: a point to begin at: an array, or a dictionary of arrays.
        domains: of the array, or by name where the point is a dictionary: "real", "positive", a pair of ends, "simplex",
            "correlation", … or a ``sf.domain``, as for ``sf.sample``; real by default.
        rng: int, ``numpy.random.Generator`` or JAX key, for the draws that Pareto k is found from.

    Returns:
        A ``LaplaceApproximation``: mode, normal law, evidence with its second-order correction, Pareto k.

    Raises:
        ValueError: a start outside the domains, or where the log-density is not finite.

    Source: Tierney and Kadane (1986), doi:10.1080/01621459.1986.10478240; Pareto k: Vehtari and others (2024).

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> found = sf.laplace(lambda rate: 13.0 * jnp.log(rate) - 4.0 * rate, 1.0, "positive")  # a Gamma(14, 4)
        >>> round(float(found.mode), 6), round(found.log_evidence, 4), round(found.corrected_log_evidence, 4)
        (3.5, 3.1381, 3.144)
    """
    target = Target.of(log_density, start, domains)
    state = jax.device_get(_climb(target))
    converged = int(state.status) == newton.CONVERGED
    mode, hessian = np.asarray(state.point), np.asarray(state.hessian)
    root = np.asarray(linalg.factor_of_inverse(jnp.asarray(-hessian)))
    message = MESSAGES[int(state.status)].replace("likelihood", "density")
    if not np.all(np.isfinite(root)):
        converged, message = False, "the density has no mode here: it does not curve downwards in all directions"
        root = np.eye(len(mode))
    if converged:
        ratios = ratios_of(target, mode, root, as_key(rng))
    else:
        ratios = Ratios(np.full(2, np.nan), np.inf, np.nan, np.inf)
    d = len(mode)
    evidence = float(state.value + 0.5 * d * np.log(2.0 * np.pi) + np.linalg.slogdet(root)[1])
    correction = float(_correction(target, mode, root)) if converged and d <= _MOST_CORRECTED else np.nan
    point = target.point(jnp.asarray(mode))
    normal = MultivariateNormal.from_cholesky(mode, root)
    return LaplaceApproximation(
        normal, target.names, converged, message, int(state.iterations), ratios, target, point,
        evidence if converged else np.nan, correction,
    )  # fmt: skip


def _climb(target: Target) -> newton.State:
    """The mode by Newton's method; by forward derivatives for few coordinates, by reverse ones for many."""
    f = target.log_density

    def expand(v: jax.Array) -> tuple[Any, Any, Any]:
        if target.dimension <= 4:
            return newton.second_order(f, v)
        return f(v), jax.grad(f)(v), jax.hessian(f)(v)

    return jax.jit(lambda v: newton.maximise(expand, v, jnp.asarray(1.0)))(target.start)


def _third_trace(target: Target, mode: Any, root: Any) -> jax.Array:
    """Σ_j κ_ijj in whitened coordinates, where Σ is the identity."""

    def f(w: jax.Array) -> jax.Array:
        return target.log_density(jnp.asarray(mode) + jnp.asarray(root) @ w)

    return jax.jit(jax.grad(lambda w: jnp.trace(jax.hessian(f)(w))))(jnp.zeros(len(mode)))


def _correction(target: Target, mode: np.ndarray, root: np.ndarray) -> jax.Array:
    """⅛ κ_iijj + ⅛ κ_iij κ_jkk + ⅟₁₂ κ_ijk², in whitened coordinates: the next term of Laplace's expansion.

    Source: Tierney, Kass and Kadane (1989); Shun and McCullagh (1995), equation 3.
    """

    @jax.jit
    def terms(mode: jax.Array, root: jax.Array) -> jax.Array:
        def f(w: jax.Array) -> jax.Array:
            return target.log_density(mode + root @ w)

        zero = jnp.zeros(mode.shape)

        def laplacian(w: jax.Array) -> jax.Array:
            return jnp.trace(jax.hessian(f)(w))

        third = jax.jacfwd(jax.hessian(f))(zero)
        trace = jnp.einsum("iij->j", third)
        fourth = jnp.trace(jax.hessian(laplacian)(zero))
        return fourth / 8.0 + trace @ trace / 8.0 + (third**2).sum() / 12.0

    return terms(mode, root)
