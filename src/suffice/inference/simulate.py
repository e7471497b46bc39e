"""Simulation studies: what an estimator does on average, at several sample sizes, with the error of saying so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.inference.estimate import fit_traced
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True)
class Study:
    """Repeated estimates θ̂ of a known truth θ.

    Attributes:
        names: what is estimated.
        truth: θ, (p,).
        sizes: sample sizes.
        estimates: θ̂ of each replicate, (sizes, replicates, p).
    """

    names: tuple[str, ...]
    truth: np.ndarray
    sizes: tuple[int, ...]
    estimates: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """θ̂ − θ, (sizes, replicates, p)."""
        return self.estimates - self.truth

    def tail_frequency(self, distance: Any) -> np.ndarray:
        """Share of replicates with |θ̂ − θ| >= ``distance`` (a number, or an array of shape (sizes, p)), (sizes, p)."""
        distance = np.broadcast_to(np.asarray(distance, float), (len(self.sizes), len(self.names)))
        return (np.abs(self.errors) >= distance[:, None, :]).mean(1)

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each size and estimate.

        ``bias`` = mean(θ̂) − θ, ``variance`` of θ̂, ``mse`` = mean (θ̂ − θ)², ``mae`` = mean |θ̂ − θ|,
        each with its Monte Carlo standard error under the name with "_error" added; ``beyond_2sd`` and ``beyond_3sd``
        are the shares of replicates further than 2 and 3 standard deviations of θ̂ from θ.
        """
        return [row for i in range(len(self.sizes)) for row in self._rows(i)]

    def _rows(self, i: int) -> Iterator[dict[str, Any]]:
        root = np.sqrt(self.estimates.shape[1])
        deviation = self.estimates[i].std(0, ddof=1)
        for j, name in enumerate(self.names):
            e = self.errors[i, :, j]
            centred = (e - e.mean()) ** 2
            yield {
                "size": self.sizes[i],
                "estimate": name,
                "bias": e.mean(),
                "bias_error": deviation[j] / root,
                "variance": deviation[j] ** 2,
                "variance_error": centred.std() / root,
                "mse": (e**2).mean(),
                "mse_error": (e**2).std() / root,
                "mae": np.abs(e).mean(),
                "mae_error": np.abs(e).std() / root,
                "beyond_2sd": float((np.abs(e) >= 2.0 * deviation[j]).mean()),
                "beyond_3sd": float((np.abs(e) >= 3.0 * deviation[j]).mean()),
            }

    def __repr__(self) -> str:
        head = (
            f"{'size':>8} {'estimate':>16} {'bias':>24} {'variance':>12} {'mse':>12} {'mean |error|':>12} {'> 2 sd':>8}"
        )
        lines = [
            f"{r['size']:>8} {r['estimate']:>16} {r['bias']:>12.4g} ± {r['bias_error']:<9.2g} {r['variance']:>12.4g}"
            f" {r['mse']:>12.4g} {r['mae']:>12.4g} {r['beyond_2sd']:>8.4f}"
            for r in self.table
        ]
        return "\n".join([f"Study of {self.estimates.shape[1]} replicates", head, *lines])


def simulate(
    estimator: Callable[[jax.Array], Any] | type[Distribution] | Family,
    distribution: Distribution,
    truth: Any = None,
    sizes: Sequence[int] = (10, 100, 1000),
    replicates: int = 1000,
    rng: RNG = 0,
) -> Study:
    """Apply an estimator to many samples from a distribution: θ̂_r = estimator(x_1, …, x_n), r = 1 … replicates.

    Args:
        estimator: a traceable function of a sample of shape (n,) that returns a number or a vector (p,); or a family,
            whose parameters are then estimated by maximum likelihood.
        distribution: where samples come from.
        truth: what the estimates should be, of the estimator's shape. For a family that ``distribution`` belongs to,
            its parameters, when left out.
        sizes: sample sizes n.
        replicates: samples of each size.
        rng: int, ``numpy.random.Generator`` or JAX key.

    Returns:
        A ``Study``, whose ``table`` gives bias, variance and errors with their Monte Carlo standard errors.

    Raises:
        TypeError: no ``truth`` was given and it does not follow from the family.

    Example:
        >>> import suffice as sf
        >>> study = sf.simulate(lambda x: x.mean(), sf.Exponential(rate=2.0), truth=0.5, sizes=(10, 1000))
        >>> [bool(row["mse"] < 2 * 0.25 / row["size"]) for row in study.table]
        [True, True]
    """
    names: tuple[str, ...] | None = None
    if isinstance(estimator, Family | type):
        family = as_family(estimator)
        names, estimator = family.parameter_names, _maximum_likelihood(family)
        if truth is None and isinstance(distribution, family.kind):
            truth = family.report(distribution)
    if truth is None:
        raise TypeError("truth is needed: what the estimator estimates does not follow from the distribution")
    theta = np.atleast_1d(np.asarray(truth, float))
    keys = jax.random.split(as_key(rng), len(sizes))
    estimates = [
        _replicate(estimator, distribution, key, int(n), replicates) for key, n in zip(keys, sizes, strict=True)
    ]
    if names is None:
        names = ("estimate",) if len(theta) == 1 else tuple(f"estimate[{i}]" for i in range(len(theta)))
    return Study(names, theta, tuple(int(n) for n in sizes), np.stack(estimates))


def _maximum_likelihood(family: Family) -> Callable[[jax.Array], jax.Array]:
    """The parameters of the family fitted to a sample."""
    return lambda x: family.report(fit_traced(family, x, jnp.ones_like(x)).distribution)


def _replicate(
    rule: Callable[[jax.Array], Any], p: Distribution, key: jax.Array, n: int, replicates: int
) -> np.ndarray:
    """Estimates of many samples of one size, (replicates, p), in chunks of a few million values."""

    @jax.jit
    def estimates(keys: jax.Array) -> jax.Array:
        return jax.vmap(lambda k: jnp.atleast_1d(rule(p.sample((n,), rng=k).astype(float))))(keys)

    at_once = max(1, min(replicates, 2**22 // max(n, 1)))
    keys = jax.random.split(key, replicates)
    chunks = [estimates(keys[i : i + at_once]) for i in range(0, replicates, at_once)]
    return np.concatenate([np.asarray(c) for c in chunks])
