"""Tests of fit inside compiled code: a p-value as a function of a sample, for studies of size and power."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.family import Family, as_family
from suffice.inference.estimate import fit_traced
from suffice.inference.testing.distances import CELLS, VALUES, Statistic, check, groups_of, members
from suffice.inference.testing.goodness import SAME

type Measure = Callable[[Any, jax.Array], jax.Array]  # distribution and sample → statistics

_CELLS = 64
_TAIL = 1e-10
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from


@dataclass(frozen=True)
class BootstrapTest:
    """A test of fit by parametric bootstrap with refitting as a traceable function, ``test(x, key)`` → p-values.

    Attributes:
        family: whose fit is tested; its parameters are estimated from each sample.
        statistics: their names.
        replicates: bootstrap samples for each p-value.
    """

    family: Family
    statistics: tuple[str, ...]
    replicates: int

    @property
    def work(self) -> int:
        """How many samples are worked on for each that is given."""
        return self.replicates

    def __call__(self, x: jax.Array, key: jax.Array) -> jax.Array:
        ones = jnp.ones_like(x)
        p = fit_traced(self.family, x, ones).distribution
        measure, tested = self._measure(p, x.size)

        def once(key: jax.Array) -> jax.Array:
            y = p.sample(x.shape, rng=key).astype(float)
            return measure(fit_traced(self.family, y, ones, p, most=_STEPS).distribution, y)

        observed = measure(p, x)
        simulated = jax.vmap(once)(jax.random.split(key, self.replicates))
        usable = ~jnp.isnan(simulated)
        extreme = (usable & (simulated >= (observed * (1.0 - SAME))[None, :])).sum(0)
        tested = tested & ~jnp.isnan(observed) & usable.any(0)
        return jnp.where(tested, (1.0 + extreme) / (1.0 + usable.sum(0)), jnp.nan)

    def _measure(self, p: Any, n: int) -> tuple[Measure, jax.Array]:
        if not p.discrete:

            def of_values(q: Any, x: jax.Array) -> jax.Array:
                ordered, count = jnp.sort(x), jnp.asarray(float(n))
                return jnp.stack([VALUES[name](q, ordered, count) for name in self.statistics])

            return of_values, jnp.asarray(True)
        low, high = p.icdf(_TAIL), p.isf(_TAIL)
        width = jnp.maximum(1.0, jnp.ceil((high - low + 1.0) / _CELLS))
        place = jnp.arange(_CELLS)
        last = low - 1.0 + width * (place[:-1] + 1.0)  # the last integer of each cell but the last, which is open

        def probabilities(q: Any) -> jax.Array:
            return jnp.diff(jnp.concatenate([jnp.zeros(1), q.cdf(last), jnp.ones(1)]))

        shares = probabilities(p)
        labels = groups_of(n * shares)
        groups = members(labels)
        number = jnp.stack([
            labels[-1] + 1 if name == "chi-square" else (shares > 0.0).sum() for name in self.statistics
        ])  # fmt: skip

        def of_counts(q: Any, x: jax.Array) -> jax.Array:
            at = jnp.clip(jnp.floor((x - low) / width), 0.0, _CELLS - 1.0)
            counts = (at[None, :] == place[:, None]).sum(1).astype(float)
            expected = probabilities(q)
            return jnp.stack([CELLS[name](expected, counts, groups) for name in self.statistics])

        return of_counts, number > self.family.dimension + 1


def bootstrap_test(
    target: Any, statistic: Statistic | Sequence[Statistic] | None = None, replicates: int = 199
) -> BootstrapTest:
    """The test of ``sf.goodness_of_fit`` as a traceable function of a sample and a key, which gives its p-value.

    For ``sf.simulate``, which applies it to thousands of samples at once: where they come from the family, the share of
    p-values at most alpha is the size of the test, elsewhere its power. Counts are put into at most 64 cells.

    Args:
        target: a regular family, or a class, whose parameters are estimated.
        statistic: as of ``sf.goodness_of_fit``, one or several, which then share their samples; by default
            Anderson–Darling, and chi-square for counts.
        replicates: bootstrap samples for each p-value, >= 1.

    Returns:
        A ``BootstrapTest``: call it with a sample of shape (n,) and a JAX key; it gives a p-value for each statistic,
        (k,), NaN where there is no test.

    Raises:
        ValueError: an unknown statistic, no replicates, a family whose support is estimated.

    Source: Stute, González Manteiga and Presedo Quindimil (1993).

    Example:
        >>> import suffice as sf
        >>> test = sf.bootstrap_test(sf.Exponential, replicates=19)
        >>> study = sf.simulate(test, sf.Uniform(0.0, 1.0), truth=0.0, sizes=[100], replicates=20)
        >>> study.rejections(0.05)[0]["rejected"] > 0.5
        True
    """
    family = as_family(target)
    if replicates < 1:
        raise ValueError(f"replicates must be >= 1, got {replicates}")
    if not family.regular or family.member.event_ndim:
        raise ValueError(f"bootstrap_test is for families of numbers with a known support, got {family.name}")
    chosen = statistic or ("chi-square" if family.member.discrete else "anderson-darling")
    names: tuple[str, ...] = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for name in names:
        check(name)
    return BootstrapTest(family, names, replicates)
