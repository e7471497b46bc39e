"""How far data lie from a distribution: statistics of sorted values, and of counts in a row of cells, by name."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

Statistic = Literal["anderson-darling", "kolmogorov-smirnov", "cramer-von-mises", "watson", "chi-square"]

_MOST_CELLS = 64  # of equal probability


# -- values ----------------------------------------------------------------------------------------------------------
# Each takes a distribution, sorted values of which the first n count, and whether the ends of the support are estimated.


def anderson_darling(p: Any, x: jax.Array, n: jax.Array, estimated: Any = (False, False)) -> jax.Array:
    """A² = −n − (1/n) Σ (2i − 1) (log F(x_(i)) + log S(x_(n+1−i))) of the first ``n`` of sorted values.

    Values beyond the first ``n`` are padding. ``estimated`` tells for the lower and the upper end of the support
    whether it is: then the outermost value lies on it, in refitted samples as well, and its infinite logarithm is left
    out. Source: Anderson and Darling (1954), equation 2.
    """
    place = jnp.arange(x.size)
    inside = place < n
    log_f, log_s = _log_tails(p, jnp.where(inside, x, x[0]))
    log_f = jnp.where(estimated[0] & (place == 0) & (log_f == -jnp.inf), 0.0, log_f)
    log_s = jnp.where(estimated[1] & (place == n - 1) & (log_s == -jnp.inf), 0.0, log_s)
    # pairing i with n + 1 − i is the same as weighing the two tails of one value by 2i − 1 and 2(n − i) + 1
    terms = (2.0 * place + 1.0) * log_f + (2.0 * (n - place) - 1.0) * log_s
    return -n - jnp.where(inside, terms, 0.0).sum() / n


def _log_tails(p: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """log F and log S; of a discrete family halfway up each step, where neither is 0."""
    if not p.discrete:
        return p.log_cdf(x), p.log_sf(x)
    step = jnp.stack([x - 1.0, x])
    log_f, log_s = (jax.nn.logsumexp(tail(step), axis=0) - np.log(2.0) for tail in (p.log_cdf, p.log_sf))
    return log_f, log_s


def _heights(p: Any, x: jax.Array, n: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Place from 0, whether it counts, and F of sorted values, of a discrete family halfway up each step."""
    place = jnp.arange(x.size)
    inside = place < n
    x = jnp.where(inside, x, x[0])
    return place, inside, (p.cdf(x - 1.0) + p.cdf(x)) / 2.0 if p.discrete else p.cdf(x)


def kolmogorov_smirnov(p: Any, x: jax.Array, n: jax.Array, estimated: Any = ()) -> jax.Array:
    """D = max over i of i/n − F(x_(i)) and F(x_(i)) − (i − 1)/n. Source: Kolmogorov (1933)."""
    place, inside, f = _heights(p, x, n)
    return jnp.where(inside, jnp.maximum((place + 1.0) / n - f, f - place / n), 0.0 * f).max()


def cramer_von_mises(p: Any, x: jax.Array, n: jax.Array, estimated: Any = ()) -> jax.Array:
    """W² = 1/(12n) + Σ (F(x_(i)) − (2i − 1)/(2n))². Source: Stephens (1974)."""
    place, inside, f = _heights(p, x, n)
    return 1.0 / (12.0 * n) + jnp.where(inside, (f - (place + 0.5) / n) ** 2, 0.0).sum()


def watson(p: Any, x: jax.Array, n: jax.Array, estimated: Any = ()) -> jax.Array:
    """U² = W² − n (mean F(x_i) − ½)², which on a circle does not depend on where it is cut. Source: Watson (1961)."""
    _, inside, f = _heights(p, x, n)
    return cramer_von_mises(p, x, n) - n * (jnp.where(inside, f, 0.0).sum() / n - 0.5) ** 2


def chi_square_of_values(p: Any, x: jax.Array, n: jax.Array, estimated: Any = ()) -> jax.Array:
    """Pearson's statistic over 2 n^(2/5) cells, rounded up, of equal probability. Source: Moore (1986), section 3.2."""
    _, inside, f = _heights(p, x, n)
    k = jnp.minimum(jnp.ceil(2.0 * n**0.4), _MOST_CELLS)
    cell = jnp.arange(_MOST_CELLS)
    at = jnp.clip(jnp.floor(f * k), 0.0, k - 1.0)
    counts = ((at[None, :] == cell[:, None]) & inside[None, :]).sum(1)
    unknown = jnp.where(inside & jnp.isnan(f), jnp.nan, 0.0).sum()
    return jnp.where(cell < k, (counts - n / k) ** 2 / (n / k), 0.0).sum() + unknown


VALUES: dict[str, Callable[..., jax.Array]] = {
    "anderson-darling": anderson_darling,
    "kolmogorov-smirnov": kolmogorov_smirnov,
    "cramer-von-mises": cramer_von_mises,
    "watson": watson,
    "chi-square": chi_square_of_values,
}


# -- cells -----------------------------------------------------------------------------------------------------------
# Each takes the probabilities of a row of cells, the counts in them, and which belong together for the chi-square.


def chi_square(probabilities: jax.Array, counts: jax.Array, groups: jax.Array) -> jax.Array:
    """Pearson's Σ (O − E)²/E over groups of cells, (cells, groups), ones where a cell belongs to a group."""
    expected = counts.sum() * probabilities @ groups
    some = expected > 0
    return jnp.where(some, (counts @ groups - expected) ** 2 / jnp.where(some, expected, 1.0), 0.0).sum()


def _excess(probabilities: jax.Array, counts: jax.Array) -> jax.Array:
    """Z_j = how many more observations there are up to cell j than expected."""
    return jnp.cumsum(counts) - counts.sum() * jnp.cumsum(probabilities)


def _kolmogorov_smirnov(probabilities: jax.Array, counts: jax.Array, groups: Any) -> jax.Array:
    """D = max |Z_j|/n."""
    return jnp.abs(_excess(probabilities, counts)).max() / counts.sum()


def _cramer_von_mises(probabilities: jax.Array, counts: jax.Array, groups: Any) -> jax.Array:
    """W² = (1/n) Σ Z_j² p_j."""
    return _excess(probabilities, counts) ** 2 @ probabilities / counts.sum()


def _watson(probabilities: jax.Array, counts: jax.Array, groups: Any) -> jax.Array:
    """U² = (1/n) Σ (Z_j − Z̄)² p_j with Z̄ = Σ Z_j p_j."""
    z = _excess(probabilities, counts)
    return (z - z @ probabilities) ** 2 @ probabilities / counts.sum()


def _anderson_darling(probabilities: jax.Array, counts: jax.Array, groups: Any) -> jax.Array:
    """A² = (1/n) Σ Z_j² p_j/(H_j (1 − H_j)), H_j being the probability up to cell j."""
    below = jnp.cumsum(probabilities)
    spread = below * (1.0 - below)
    some = spread > 1e-12
    z = _excess(probabilities, counts)
    return jnp.where(some, z**2 * probabilities / jnp.where(some, spread, 1.0), 0.0).sum() / counts.sum()


# those of distribution functions: Choulakian, Lockhart and Stephens (1994), section 2
CELLS: dict[str, Callable[..., jax.Array]] = {
    "anderson-darling": _anderson_darling,
    "kolmogorov-smirnov": _kolmogorov_smirnov,
    "cramer-von-mises": _cramer_von_mises,
    "watson": _watson,
    "chi-square": chi_square,
}


@jax.jit
def groups_of(expected: jax.Array) -> jax.Array:
    """Neighbouring cells drawn together until five observations are expected in each group: the number of each's group."""
    left = jnp.cumsum(expected[::-1])[::-1]

    def step(state: tuple[jax.Array, jax.Array], cell: tuple[jax.Array, jax.Array]) -> Any:
        (last, filled), (here, rest) = state, cell
        closed = (filled >= 5.0) & (rest >= 5.0)
        last = last + closed
        return (last, jnp.where(closed, 0.0, filled) + here), last

    return jax.lax.scan(step, (jnp.asarray(0), jnp.asarray(0.0)), (expected, left))[1]


def members(groups: jax.Array) -> jax.Array:
    """Ones where a cell (row) belongs to a group (column)."""
    return (groups[:, None] == jnp.arange(groups.size)[None, :]).astype(float)


def check(statistic: str) -> None:
    """Raise for a statistic that is not known."""
    if statistic not in VALUES:
        raise ValueError(f"statistic must be one of {', '.join(VALUES)}, got {statistic!r}")
