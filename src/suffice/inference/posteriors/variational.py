"""Variational inference: the normal law nearest to a density, by the reparameterisation gradient."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.inference.posteriors import natural_steps
from suffice.inference.posteriors.importance import ratios_of
from suffice.inference.posteriors.laplace import NormalApproximation
from suffice.inference.posteriors.target import Target
from suffice.numerics import linalg, quasi_newton
from suffice.runtime.rng import RNG, as_key

Form = Literal["mean_field", "full_rank", "low_rank"]
Steps = Literal["bfgs", "natural"]
_MOST_PARAMETERS = 3000
_BEGIN = float(np.exp(-1.0))  # deviation of the first law


@dataclass(frozen=True)
class Variational(NormalApproximation):
    """The normal law that a variational method chose.

    Attributes:
        form: "mean_field", "full_rank" or "low_rank".
        elbo: E_q[log p~ − log q], a lower bound of the log evidence, from fresh draws.
        elbo_error: its standard error.
    """

    form: str
    elbo: float
    elbo_error: float

    @property
    def corrected_log_evidence(self) -> float:
        """The log evidence by Pareto-smoothed importance sampling from the law; to be trusted where ``reliable``."""
        return self.ratios.log_evidence

    def __repr__(self) -> str:
        return (
            f"Variational({self.form}: ELBO {self.elbo:.6f} ± {self.elbo_error:.2g}, Pareto k = {self.pareto_k:.2f}"
            f"{'' if self.reliable else f'; {self.message}; {self.advice}'})"
        )


def variational(
    log_density: Any,
    start: Any,
    domains: Any = None,
    *,
    form: Form = "full_rank",
    rank: int = 2,
    samples: int = 100,
    steps: Steps = "bfgs",
    rng: RNG = 0,
) -> Variational:
    """The normal law q on the unconstrained space with the largest E_q[log p~ − log q], so the smallest KL(q ‖ p).

    The expectation is over ``samples`` draws z that are fixed at the beginning, in pairs z, −z and scaled to have
    covariance I: v = m + L z follows the law's parameters, and the average is a smooth function of them, maximised by
    BFGS. For normal densities the average is exact, whatever the draws. Fresh draws give the bound with its error, and
    Pareto k.

    Args:
        log_density: log p~ of a point, up to a constant, differentiable by JAX.
        start: a point to begin at: an array, or a dictionary of arrays.
        domains: as for ``sf.laplace``.
        form: of the covariance: "mean_field" diagonal, "full_rank" any, "low_rank" a diagonal plus ``rank`` outer products.
        rank: of the low-rank form.
        samples: draws z, even, more than twice the dimension; at least that many are taken.
        steps: "bfgs", or "natural" for natural-gradient steps with the averaged Hessian: few, each of samples · d gradients;
            not for the low-rank form.
        rng: int, ``numpy.random.Generator`` or JAX key.

    Returns:
        A ``Variational``: normal law, ELBO with its error, Pareto k with the advice to draw instead where it is above 0.7.

    Raises:
        ValueError: an unknown form or kind of steps, a rank below 1, a start outside the domains, too many parameters for BFGS.

    Source: Kucukelbir and others (2017), JMLR 18; fixed draws: Giordano, Ingram and Broderick (2024), JMLR 25; natural steps:
        Khan and Rue (2023), JMLR 24; Pareto k:
        Yao, Vehtari, Simpson and Gelman (2018).

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> found = sf.variational(lambda x: -0.5 * ((x - 1.0) / 2.0) ** 2, 0.0)
        >>> round(float(found.normal.loc[0]), 6), round(float(found.normal.stddev()[0]), 6), round(found.elbo, 6)
        (1.0, 2.0, 1.612086)
    """
    if form not in get_args(Form):
        raise ValueError(f"form must be one of {', '.join(get_args(Form))}, got {form!r}")
    if steps not in get_args(Steps) or (steps == "natural" and form == "low_rank"):
        raise ValueError(f'steps must be "bfgs", or "natural" for the other forms than "low_rank", got {steps!r}')
    if form == "low_rank" and rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    target = Target.of(log_density, start, domains)
    d = target.dimension
    shape = _Shape(form, d, min(rank, d))
    if shape.size > _MOST_PARAMETERS:
        raise ValueError(
            f'form="{form}" has {shape.size} parameters for {d} numbers, more than {_MOST_PARAMETERS}; '
            'form="low_rank" or "mean_field" has fewer'
        )
    first, last = jax.random.split(as_key(rng))
    z = _moment_matched(first, max(samples, 2 * shape.width + 2), shape.width)
    if steps == "natural":
        found = natural_steps.ascend(target.log_density, target.start, _BEGIN, z, form == "mean_field")
        m, root, told = found.mean, jnp.asarray(found.root), "the natural gradient is not 0"
    else:
        found = quasi_newton.minimise(_objective(target, shape, z), shape.begin(target.start))
        (m, root), told = shape.law(jnp.asarray(found.point)), "the bound still rises"
    normal = MultivariateNormal.from_cholesky(m, linalg.triangular_of(root))
    ratios = ratios_of(target, m, normal.scale_tril, last)
    message = "converged" if found.converged else f"{told} after {found.iterations} steps"
    return Variational(
        normal, target.names, found.converged, message, found.iterations, ratios, target, form, ratios.mean,
        ratios.mean_error,
    )  # fmt: skip


@dataclass(frozen=True)
class _Shape:
    """How the parameters of the law are laid out in one vector: mean, logarithms of deviations, and the rest."""

    form: str
    d: int
    rank: int

    @property
    def width(self) -> int:
        """Number of standard normals a draw is made of."""
        return self.d + self.rank if self.form == "low_rank" else self.d

    @property
    def size(self) -> int:
        """Number of parameters."""
        below = {"mean_field": 0, "full_rank": self.d * (self.d - 1) // 2, "low_rank": self.d * self.rank}
        return 2 * self.d + below[self.form]

    def begin(self, start: np.ndarray) -> np.ndarray:
        """Independent coordinates of deviation e⁻¹ about a point."""
        rest = np.zeros(self.size - 2 * self.d)
        if self.form == "low_rank":  # where all are 0 the gradient is, too
            rest = 0.1 * np.cos(np.arange(len(rest)) * 2.399963)
        return np.concatenate([start, np.full(self.d, np.log(_BEGIN)), rest])

    def law(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean, and a matrix R, (d, width), with R Rᵀ the covariance."""
        mean, scale, rest = x[: self.d], jnp.exp(x[self.d : 2 * self.d]), x[2 * self.d :]
        if self.form == "mean_field":
            return mean, jnp.diag(scale)
        if self.form == "low_rank":
            return mean, jnp.concatenate([jnp.diag(scale), rest.reshape(self.d, self.rank)], axis=1)
        return mean, jnp.diag(scale).at[np.tril_indices(self.d, -1)].set(rest)

    def log_volume(self, x: jax.Array) -> jax.Array:
        """½ log |covariance|."""
        log_scale = x[self.d : 2 * self.d].sum()
        if self.form != "low_rank":
            return log_scale
        thin = x[2 * self.d :].reshape(self.d, self.rank) / jnp.exp(x[self.d : 2 * self.d])[:, None]
        return log_scale + 0.5 * jnp.linalg.slogdet(jnp.eye(self.rank) + thin.T @ thin)[1]


def _moment_matched(key: jax.Array, count: int, width: int) -> jax.Array:
    """Standard normals in pairs z, −z, with sample covariance I."""
    half = jax.random.normal(key, ((count + 1) // 2, width))
    factor = jnp.linalg.cholesky(half.T @ half / half.shape[0])
    half = linalg.solve(factor, half.T).T
    return jnp.concatenate([half, -half])


def _objective(target: Target, shape: _Shape, z: jax.Array) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    compiled = jax.jit(jax.value_and_grad(partial(_negative_elbo, target, shape, z)))

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = jax.device_get(compiled(x))
        return float(value), np.asarray(gradient)

    return f


def _negative_elbo(target: Target, shape: _Shape, z: jax.Array, x: jax.Array) -> jax.Array:
    mean, root = shape.law(x)
    average: Callable[[jax.Array], jax.Array] = jax.vmap(target.log_density)
    entropy = shape.log_volume(x) + 0.5 * shape.d * (1.0 + np.log(2.0 * np.pi))
    return -(average(mean[None] + z @ root.T).mean() + entropy)
