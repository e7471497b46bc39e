"""Pathfinder: of the normal laws along an optimiser's path to the mode, those nearest to the density."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.inference.posteriors.importance import judged
from suffice.inference.posteriors.laplace import NormalApproximation
from suffice.inference.posteriors.target import Target
from suffice.numerics.limited_memory import InverseHessian, descend
from suffice.numerics.pareto import smoothed_weights
from suffice.runtime.rng import RNG, as_key

_ROWS = 1024  # densities are evaluated so many at a time, by one program
_JITTER = 2.0  # half width of the box that paths begin in, on the unconstrained space


@dataclass(frozen=True)
class Pathfinder(NormalApproximation):
    """Normal laws along paths to the mode, and draws of all of them weighted towards the density.

    Attributes:
        elbos: E_q[log p~ − log q] of each path's best law, a lower bound of the log evidence.
        points: draws of the paths' laws on the unconstrained space, (n, d).
        log_weights: their Pareto-smoothed importance weights, which sum to 1, (n,).
    """

    elbos: tuple[float, ...]
    points: np.ndarray
    log_weights: np.ndarray

    @property
    def elbo(self) -> float:
        """The largest of ``elbos``, that of ``normal``."""
        return max(self.elbos)

    @property
    def corrected_log_evidence(self) -> float:
        """The log evidence from the weighted draws; to be trusted where ``reliable``."""
        return self.ratios.log_evidence

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> Any:
        """Draw points by importance resampling, in the form the log-density takes, with leading axes ``shape``."""
        lead = (shape,) if isinstance(shape, int) else tuple(shape)
        chosen = jax.random.categorical(as_key(rng), jnp.asarray(self.log_weights), shape=lead)
        return self.target.points(jnp.asarray(self.points)[chosen])

    def __repr__(self) -> str:
        return (
            f"Pathfinder({len(self.elbos)} paths: ELBO {self.elbo:.4f}, log evidence {self.ratios.log_evidence:.4f}, "
            f"Pareto k = {self.pareto_k:.2f}{'' if self.reliable else f'; {self.message}; {self.advice}'})"
        )


def pathfinder(
    log_density: Any,
    start: Any,
    domains: Any = None,
    *,
    paths: int = 4,
    draws: int = 1000,
    history: int = 6,
    rng: RNG = 0,
) -> Pathfinder:
    """Follow L-BFGS towards the mode and keep, of the normal laws along the way, the one with the largest ELBO.

    At a point of the path with gradient g and inverse Hessian Σ the law is N(x + Σ g, Σ). Of several paths the laws are
    mixed with equal shares; draws of the mixture are weighted by density over mixture and the weights smoothed. A mode
    at the edge of the typical set, as a hierarchy has, is passed on the way: it need not be reached.

    Args:
        log_density: log p~ of a point, up to a constant, differentiable by JAX.
        start: a point the first path begins at; the others begin in a box of half width 2 around it, on the unconstrained
            space.
        domains: as for ``sf.laplace``.
        paths: how many.
        draws: of each path's law, even.
        history: pairs of steps that the inverse Hessian is made of.
        rng: int, ``numpy.random.Generator`` or JAX key.

    Returns:
        A ``Pathfinder``: the best path's law as ``normal``, weighted draws, Pareto k with the advice to draw instead where
        it is above 0.7. ``sample`` resamples the draws.

    Raises:
        ValueError: paths or history below 1, draws below 20, a start outside the domains.

    Source: Zhang, Carpenter, Gelman and Vehtari (2022), Pathfinder, JMLR 23, algorithms 1 to 5; weights of a mixture:
        Owen and Zhou (2000).

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> found = sf.pathfinder(lambda x: -0.5 * ((x - 1.0) ** 2).sum(), jnp.zeros(2))
        >>> found.reliable, round(found.corrected_log_evidence, 3)  # log 2π
        (True, 1.838)
    """
    for name, value, least in (("paths", paths, 1), ("history", history, 1), ("draws", draws, 20)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    target = Target.of(log_density, start, domains)
    numbers = np.random.default_rng(np.asarray(jax.random.key_data(as_key(rng))).ravel())
    gradient = jax.jit(jax.value_and_grad(target.log_density))
    evaluate = _batched(target)

    def f(v: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = jax.device_get(gradient(v))
        return -float(value), -np.asarray(slope)

    laws, steps = [], 0
    for path in range(paths):
        at = _begin(f, target.start, numbers) if path else target.start
        law, taken = _best(f, evaluate, at, history, numbers)
        steps += taken
        if law is not None:
            laws.append(law)
    if not laws:
        raise ValueError("no point of any path has a normal law with a finite ELBO: the density may be improper")
    half = [numbers.standard_normal((draws // 2, target.dimension)) for _ in laws]
    signs = [law.draw(sign * u) for sign in (1.0, -1.0) for law, u in zip(laws, half, strict=True)]
    points = np.concatenate(signs)
    log_p, of_each = evaluate(points), np.stack([law.log_prob(points) for law in laws])
    log_ratios = log_p - np.logaddexp.reduce(of_each) + np.log(len(laws))
    ratios = judged(log_ratios)
    seen = np.isfinite(log_ratios)
    log_weights = np.full(len(log_ratios), -np.inf)
    log_weights[seen] = smoothed_weights(log_ratios[seen])[0]
    gaps = np.stack([v.reshape(2, len(laws), -1)[:, i] for i, v in enumerate(log_p - of_each)])
    elbos = gaps.mean((1, 2))  # from these draws: those along the path were chosen for being large
    best = laws[int(np.argmax(np.where(np.isnan(elbos), -np.inf, elbos)))]
    normal = MultivariateNormal.from_cholesky(best.mean, best.scale_tril())
    message = f"{len(laws)} of {paths} paths found a law"
    return Pathfinder(
        normal, target.names, True, message, steps, ratios, target, tuple(float(e) for e in elbos), points, log_weights
    )


@dataclass(frozen=True)
class _Law:
    """A normal law with a covariance of low rank and a diagonal."""

    mean: np.ndarray
    inverse: InverseHessian

    def draw(self, u: np.ndarray) -> np.ndarray:
        return self.mean + self.inverse.spread(u)[0]

    def scale_tril(self) -> np.ndarray:
        """The Cholesky factor, from a root of another shape: nothing is squared."""
        r = np.linalg.qr(self.inverse.spread(np.eye(len(self.mean)))[0], mode="r")
        return (np.sign(np.diagonal(r))[:, None] * r).T

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        u = self.inverse.whitened(x - self.mean)
        half_log_det = self.inverse.spread(np.zeros((1, len(self.mean))))[1]
        return -0.5 * (u**2).sum(-1) - half_log_det - 0.5 * len(self.mean) * np.log(2.0 * np.pi)


_LONGEST = 300  # steps of a path
_LOOKS = 10  # draws that a law along the path is judged by, in pairs


def _best(f: Any, evaluate: Any, start: np.ndarray, history: int, rng: Any) -> tuple[_Law | None, int]:
    """The law along one path with the largest ELBO."""
    path = descend(f, start, history, most=_LONGEST)
    if len(path) == 1:  # at the mode already: nothing is learned there
        path = descend(f, _begin(f, start, rng), history, most=_LONGEST)
    laws, points, offsets = [], [], []
    half = rng.standard_normal((_LOOKS // 2, len(start)))
    u = np.concatenate([half, -half])  # the same for all: they are compared
    for at in path[1:]:
        try:
            z, half_log_det = at.inverse.spread(u)
        except np.linalg.LinAlgError:
            continue  # rounded to a matrix that is not positive definite
        law = _Law(at.point - at.inverse.times(at.gradient), at.inverse)
        if np.all(np.isfinite(z)) and np.all(np.isfinite(law.mean)):
            laws.append(law)
            points.append(law.mean + z)
            offsets.append(half_log_det)
    if not laws:
        return None, len(path) - 1
    logs = evaluate(np.concatenate(points)).reshape(len(laws), -1).mean(1)
    elbos = logs + np.array(offsets) + 0.5 * len(start) * np.log(2.0 * np.pi) + 0.5 * (u**2).sum(-1).mean()
    elbos = np.where(np.isfinite(elbos), elbos, -np.inf)
    i = int(np.argmax(elbos))
    return (laws[i] if elbos[i] > -np.inf else None), len(path) - 1


def _begin(f: Any, start: np.ndarray, rng: Any) -> np.ndarray:
    """A point of the box with a finite density, nearer to the start where there is none."""
    step = rng.uniform(-_JITTER, _JITTER, len(start))
    for _ in range(20):
        value, slope = f(start + step)
        if np.isfinite(value) and np.all(np.isfinite(slope)):
            return start + step
        step = 0.5 * step
    return start


def _batched(target: Target) -> Any:
    """log p~ of the rows of a matrix, by one compiled program."""
    some = jax.jit(jax.vmap(target.log_density))

    def evaluate(points: np.ndarray) -> np.ndarray:
        rows = -(-len(points) // _ROWS) * _ROWS
        padded = np.concatenate([points, np.repeat(points[:1], rows - len(points), axis=0)])
        found = [np.asarray(some(padded[i : i + _ROWS])) for i in range(0, rows, _ROWS)]
        return np.concatenate(found)[: len(points)]

    return evaluate
