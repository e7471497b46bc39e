"""A density to be added up on a grid: given by a function, or by a family with data and priors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.inference.closed_form import has_sufficient
from suffice.inference.estimate import summarise
from suffice.inference.likelihood import log_likelihoods, mean_log_likelihood
from suffice.inference.observe import observe
from suffice.inference.penalised import check_prior
from suffice.inference.posteriors.target import Target
from suffice.inference.rows import rows_of


@dataclass(frozen=True)
class Posed:
    """A density of unconstrained coordinates, and what these are called and worth."""

    log_density: Callable[[jax.Array], jax.Array]
    constrained: Callable[[jax.Array], jax.Array]
    start: np.ndarray
    names: tuple[str, ...]
    to_real: Callable[[int, float], float]

    @classmethod
    def of_density(cls, target: Target) -> "Posed":
        parts = target.space.parts
        for p in parts:
            if p.domain.event_ndim:
                raise ValueError(f"a grid is for parameters that are numbers by themselves, got {p.name}, {p.domain}")
        domains = [p.domain for p in parts for _ in range(p.place.start, p.place.stop)]

        def constrained(v: jax.Array) -> jax.Array:
            return jnp.concatenate([p.domain.from_real(v[p.place]) for p in parts])

        return cls(
            target.log_density,
            constrained,
            target.start,
            target.names,
            lambda i, x: float(domains[i].to_real(np.asarray(x))),
        )

    @classmethod
    def of_family(cls, family: Family, data: Any, weights: Any, prior: Mapping[str, Distribution]) -> "Posed":
        check_prior(family, prior)
        if family.member.event_ndim or len(family.parameter_names) != family.dimension:
            raise ValueError(f"{family.name}: a grid is for families of numbers with parameters that are numbers")
        observed = observe(data, weights)
        if not observed.is_plain:
            raise ValueError("a grid needs values that are known, not censored")
        added = dict(prior)
        if has_sufficient(family) and not family.kind.needs_extremes:
            s = summarise(family, observed)

            def likelihood(p: Any) -> jax.Array:
                return s.count * mean_log_likelihood(p, s)
        else:
            columns, w = rows_of(observed)
            x = tuple(jnp.asarray(c) for c in columns)
            frequencies = jnp.ones(len(columns[0])) if w is None else jnp.asarray(w)

            def likelihood(p: Any) -> jax.Array:
                return frequencies @ (p.log_prob(x[0]) if len(x) == 1 else log_likelihoods(p, x))

        def constrained(v: jax.Array) -> jax.Array:
            return family.report(family.build(v))

        def log_density(v: jax.Array) -> jax.Array:
            theta = constrained(v)
            slopes = jnp.diagonal(jax.jacfwd(constrained)(v))
            value = likelihood(family.build(v)) + jnp.log(jnp.abs(slopes)).sum()
            for name, density in added.items():
                value = value + density.log_prob(theta[family.parameter_names.index(name)])
            return jnp.where(jnp.isnan(value), -jnp.inf, value)

        def to_real(i: int, x: float) -> float:
            """By bisection: the reported parameter increases with its coordinate."""
            line = np.array(family.vector(family.member), float)
            low, high = -700.0, 700.0
            for _ in range(80):
                line[i] = 0.5 * (low + high)
                low, high = (line[i], high) if float(constrained(jnp.asarray(line))[i]) < x else (low, line[i])
            return 0.5 * (low + high)

        return cls(
            log_density, constrained, np.asarray(family.vector(family.member), float), family.parameter_names, to_real
        )

    def ends(self, ranges: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
        """Unconstrained ends of ranges."""
        low = np.array([self.to_real(i, a) for i, (a, _) in enumerate(ranges)])
        high = np.array([self.to_real(i, b) for i, (_, b) in enumerate(ranges)])
        return low, high

    def axes(self, lines: list[np.ndarray]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Values of each coordinate along its axis, and how they change from one point to the next."""
        axes, slopes = [], []
        for i, line in enumerate(lines):
            at = np.repeat(self.start[None], len(line), axis=0)
            at[:, i] = line
            along = np.zeros_like(at)
            along[:, i] = line[1] - line[0]
            value, slope = jax.jit(lambda v, t: jax.jvp(jax.vmap(self.constrained), (v,), (t,)))(at, along)
            axes.append(np.asarray(value)[:, i])
            slopes.append(np.abs(np.asarray(slope)[:, i]))
        return tuple(axes), tuple(slopes)
