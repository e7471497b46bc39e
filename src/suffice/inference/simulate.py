"""Simulation studies: what an estimator does on average, at several sample sizes, with the error of saying so."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.inference.estimate import fit_traced
from suffice.inference.intervals.coverage import check, covered, ends
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True)
class Study:
    """Repeated estimates θ̂ of a known truth θ.

    Attributes:
        names: what is estimated.
        truth: θ, (p,).
        sizes: sample sizes.
        estimates: θ̂ of each replicate, (sizes, replicates, p).
        ends: intervals by method, (sizes, replicates, p, 2).
        level: coverage they aim at.
    """

    names: tuple[str, ...]
    truth: np.ndarray
    sizes: tuple[int, ...]
    estimates: np.ndarray
    ends: dict[str, np.ndarray] = field(default_factory=dict)
    level: float = 0.95

    @property
    def coverage(self) -> list[dict[str, Any]]:
        """A row for each size, method and estimate: how often the interval held the truth, "coverage".

        ``error`` is its binomial standard error at the level aimed at, ``within`` whether it lies within 2.58 of them
        (which happens by chance 99 times in 100), ``width`` the median width, ``none`` the share of replicates without
        an interval.
        """
        rows = []
        error = np.sqrt(self.level * (1.0 - self.level) / self.estimates.shape[1])
        for i, size in enumerate(self.sizes):
            for method, found in self.ends.items():
                share = covered(found[i], self.truth).mean(0)
                with np.errstate(invalid="ignore"):
                    widths = found[i, ..., 1] - found[i, ..., 0]
                for j, name in enumerate(self.names):
                    rows.append({
                        "size": size,
                        "method": method,
                        "estimate": name,
                        "coverage": float(share[j]),
                        "error": float(error),
                        "within": bool(abs(share[j] - self.level) <= 2.58 * error),
                        "width": float(np.nanmedian(widths[:, j])) if np.any(~np.isnan(widths[:, j])) else np.nan,
                        "none": float(np.isnan(widths[:, j]).mean()),
                    })  # fmt: skip
        return rows

    def rejections(self, alpha: float = 0.05) -> list[dict[str, Any]]:
        """For an estimator that gives p-values: the share of them at most ``alpha``, with its binomial standard error.

        It is the size of the test where the distribution obeys the hypothesis, its power elsewhere.
        """
        share = (self.estimates <= alpha).mean(1)
        root = np.sqrt(self.estimates.shape[1])
        return [
            {"size": n, "estimate": name, "rejected": float(share[i, j]),
             "error": float(np.sqrt(share[i, j] * (1.0 - share[i, j])) / root)}
            for i, n in enumerate(self.sizes) for j, name in enumerate(self.names)
        ]  # fmt: skip

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
    estimator: Callable[..., Any] | type[Distribution] | Family,
    distribution: Distribution,
    truth: Any = None,
    sizes: Sequence[int] = (10, 100, 1000),
    replicates: int = 1000,
    rng: RNG = 0,
    *,
    intervals: Sequence[str] | str = (),
    level: float = 0.95,
    bootstrap: int = 499,
) -> Study:
    """Apply an estimator to many samples from a distribution: θ̂_r = estimator(x_1, …, x_n), r = 1 … replicates.

    Args:
        estimator: a traceable function of a sample of shape (n,) that returns a number or a vector (p,), which may have
            a second parameter ``key``, as ``sf.bootstrap_test`` does; or a family, whose parameters are then estimated
            by maximum likelihood.
        distribution: where samples come from.
        truth: what the estimates should be, of the estimator's shape. For a family that ``distribution`` belongs to,
            its parameters, when left out.
        sizes: sample sizes n.
        replicates: samples of each size.
        rng: int, ``numpy.random.Generator`` or JAX key.
        intervals: for a family, methods of ``fit.interval`` whose coverage is wanted; also "wald-natural" and
            "wald-expected", from the expected information.
        level: coverage they aim at.
        bootstrap: resamples of each sample, for the methods that need them.

    Returns:
        A ``Study``, whose ``table`` gives bias, variance and errors with their Monte Carlo standard errors, and
        ``coverage`` that of the intervals. For an estimator that gives p-values, ``rejections`` is size or power.

    Raises:
        TypeError: no ``truth`` was given and it does not follow from the family.

    Example:
        >>> import suffice as sf
        >>> study = sf.simulate(lambda x: x.mean(), sf.Exponential(rate=2.0), truth=0.5, sizes=(10, 1000))
        >>> [bool(row["mse"] < 2 * 0.25 / row["size"]) for row in study.table]
        [True, True]
    """
    methods = check(intervals)
    names: tuple[str, ...] | None = None
    family = as_family(estimator) if isinstance(estimator, Family | type) else None
    if family is not None:
        names = family.parameter_names
        if truth is None and isinstance(distribution, family.kind):
            truth = family.report(distribution)
    elif methods:
        raise TypeError("intervals are those of a family's fit; this estimator is a function")
    if truth is None:
        raise TypeError("truth is needed: what the estimator estimates does not follow from the distribution")
    theta = np.atleast_1d(np.asarray(truth, float))
    rule = _function(estimator) if family is None else _maximum_likelihood(family, methods, level, bootstrap)
    heavy = bootstrap if {"bootstrap", "percentile", "parametric"} & set(methods) else getattr(estimator, "work", 1)
    keys = jax.random.split(as_key(rng), len(sizes))
    found = np.stack([
        _replicate(rule, distribution, key, int(n), replicates, heavy) for key, n in zip(keys, sizes, strict=True)
    ])  # fmt: skip
    p = len(theta)
    if names is None:
        names = ("estimate",) if p == 1 else tuple(f"estimate[{i}]" for i in range(p))
    ends = {
        method: found[..., p + 2 * p * k : 3 * p + 2 * p * k].reshape(*found.shape[:2], p, 2)
        for k, method in enumerate(methods)
    }
    return Study(names, theta, tuple(int(n) for n in sizes), found[..., :p], ends, level)


type Rule = Callable[[jax.Array, jax.Array], jax.Array]  # sample and key → numbers


def _function(estimator: Any) -> Rule:
    try:
        random = "key" in inspect.signature(estimator).parameters
    except ValueError:  # written in another language
        random = False
    return lambda x, key: jnp.atleast_1d(estimator(x, key) if random else estimator(x))


def _maximum_likelihood(family: Family, methods: tuple[str, ...], level: float, bootstrap: int) -> Rule:
    """The parameters of the family fitted to a sample, followed by the ends of their intervals."""

    def rule(x: jax.Array, key: jax.Array) -> jax.Array:
        fit = fit_traced(family, x, jnp.ones_like(x))
        parts = [ends(family, fit, x, key, method, level, bootstrap).ravel() for method in methods]
        return jnp.concatenate([family.report(fit.distribution), *parts])

    return rule


def _replicate(rule: Rule, p: Distribution, key: jax.Array, n: int, replicates: int, heavy: int = 1) -> np.ndarray:
    """What a rule gives for many samples of one size, (replicates, k), in chunks of a few million values."""

    @jax.jit
    def found(keys: jax.Array) -> jax.Array:
        return jax.vmap(lambda k: rule(p.sample((n,), rng=k).astype(float), jax.random.fold_in(k, 1)))(keys)

    at_once = max(1, min(replicates, 2**22 // max(n * heavy, 1)))
    keys = jax.random.split(key, -(-replicates // at_once) * at_once)
    chunks = [found(keys[i : i + at_once]) for i in range(0, len(keys), at_once)]
    return np.concatenate([np.asarray(c) for c in chunks])[:replicates]
