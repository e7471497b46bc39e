"""A distribution known by its unnormalised density alone: normalised, and inverted, by quadrature."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import parameter, static
from suffice.distributions.distribution import Distribution
from suffice.numerics import array_domain, domain
from suffice.numerics.inversion import increasing_root
from suffice.numerics.quadrature import unit_legendre

_NODES, _WEIGHTS = unit_legendre(16)
_BATCH = 512  # cells whose masses are computed in one call
_MOST_CELLS = 20_000
_FINEST = 60  # halvings of a cell at most
_DEEPEST = 720.0  # cells whose density is exp(−_DEEPEST) of the highest are left out
_NOTHING = 35.0  # a cell at an end of the support may have this little, exp(−_NOTHING), and stay as it is
_TOLERANCE = 1e-13


class FromDensity(Distribution):
    """The distribution with density ∝ exp(log_density(x)) between two ends, built by ``sf.from_density``.

    Probabilities are sums over cells, and 16-node Gauss–Legendre quadrature inside the last; quantiles are found by
    Newton's method in their cell. Both tails keep their relative precision.

    Args:
        log_density: x -> log of the density but for a constant, elementwise, in JAX.
        edges: ends of the cells, increasing, (m + 1,).
        log_masses: logarithms of the integrals of the unnormalised density over the cells, (m,).
    """

    log_density: Callable[[jax.Array], jax.Array] = static(doc="logarithm of the density but for a constant")
    edges: jax.Array = parameter(array_domain.vector, doc="ends of the cells, (m + 1,)")
    log_masses: jax.Array = parameter(array_domain.logits, doc="logarithms of their masses, (m,)")

    def _inconsistent(self) -> str | None:
        m = self.log_masses.shape[-1]
        if self.edges.ndim != 1 or self.edges.shape[0] != m + 1 or self.log_masses.ndim != 1:
            return f"edges must be one more than log_masses, got shapes {self.edges.shape} and {self.log_masses.shape}"
        return super()._inconsistent()

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return self._support()

    def _support(self) -> Any:
        return domain.Interval(self.edges[..., 0], self.edges[..., -1], closed=(True, True))

    @property
    def log_normaliser(self) -> jax.Array:
        """log ∫ exp(log_density(x)) dx."""
        return jax.nn.logsumexp(self.log_masses)

    def _below_and_above(self) -> tuple[jax.Array, jax.Array]:
        """Logarithms of the probabilities below each edge and above it."""
        logs = self.log_masses - self.log_normaliser
        end = jnp.full((1,), -jnp.inf, logs.dtype)
        below = jnp.concatenate([end, jax.lax.cumlogsumexp(logs)])
        return below, jnp.concatenate([jax.lax.cumlogsumexp(logs, reverse=True), end])

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self.log_density(x) - self.log_normaliser

    def _log_piece(self, start: jax.Array, end: jax.Array) -> jax.Array:
        """log of the probability between two points of one cell."""
        width = end - start
        at = start[..., None] + width[..., None] * _NODES.reshape((1,) * start.ndim + (-1,))
        weights = _WEIGHTS.reshape((1,) * start.ndim + (-1,))
        total = jax.nn.logsumexp(self.log_density(at), axis=-1, b=weights)
        return total + jnp.log(width) - self.log_normaliser

    def _cell(self, x: jax.Array) -> jax.Array:
        return jnp.clip(jnp.searchsorted(self.edges, x, side="right") - 1, 0, self.log_masses.shape[0] - 1)

    def _log_tail(self, x: jax.Array, upper: bool) -> jax.Array:
        i = self._cell(x)
        below, above = self._below_and_above()
        if upper:
            return jnp.logaddexp(above[i + 1], self._log_piece(x, self.edges[i + 1]))
        return jnp.logaddexp(below[i], self._log_piece(self.edges[i], x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return _from_smaller(self._log_tail(x, upper=False), self._log_tail(x, upper=True))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return _from_smaller(self._log_tail(x, upper=True), self._log_tail(x, upper=False))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(jnp.log1p(-q), jnp.log(q))

    def _quantile_of(self, log_below: jax.Array, log_above: jax.Array) -> jax.Array:
        """The cell in which the smaller tail reaches its level, and Newton's method there."""
        below, above = self._below_and_above()
        left, last = log_below < log_above, self.log_masses.shape[0] - 1
        from_left = jnp.searchsorted(below, log_below, side="right") - 1
        from_right = above.shape[0] - 1 - jnp.searchsorted(jnp.flip(above), log_above, side="left")
        i = jnp.clip(jnp.where(left, from_left, from_right), 0, last)
        low, high = self.edges[i], self.edges[i + 1]

        def excess(x: jax.Array) -> jax.Array:
            lower = jnp.logaddexp(below[i], self._log_piece(low, x)) - log_below
            upper = log_above - jnp.logaddexp(above[i + 1], self._log_piece(x, high))
            return jnp.where(left, lower, upper)

        return increasing_root(excess, 0.5 * (low + high), low, high)


def _from_smaller(log_value: jax.Array, log_rest: jax.Array) -> jax.Array:
    certain = log_value > log_rest
    return jnp.where(certain, jnp.log1p(-jnp.exp(jnp.where(certain, log_rest, -1.0))), log_value)


def from_density(
    log_density: Callable[[jax.Array], jax.Array],
    lower: float = -np.inf,
    upper: float = np.inf,
    *,
    centre: float | None = None,
) -> FromDensity:
    """The distribution whose density is proportional to exp(log_density(x)): normalised and inverted numerically.

    The interval is cut into cells, halved until 16-node quadrature over each agrees with that over its halves to 1e-13.
    Cells begin at all distances from ``centre`` and from the ends, so that a density may be narrow or heavy-tailed.
    A narrow second peak far from ``centre`` can be missed.

    Args:
        log_density: logarithm of the density but for a constant, elementwise, in JAX; may be −inf.
        lower, upper: ends of the support.
        centre: a point where the density is not negligible; by default the middle, or 0, or 1 inside a finite end.

    Returns:
        A distribution with all methods; ``log_normaliser`` is the logarithm of the integral.

    Raises:
        ValueError: the density is not finite somewhere, has no finite integral, vanishes wherever it was looked at, or is too rough: it has not
            converged after 60 halvings or 20,000 cells. The density may be infinite at an end that is 0.

    Example:
        >>> import suffice as sf
        >>> p = sf.from_density(lambda x: -0.25 * x**4)
        >>> round(float(p.stddev()), 6), round(float(p.isf(1e-100)), 6)
        (0.822179, 5.472439)
    """
    lower, upper = float(lower), float(upper)
    if not lower < upper:
        raise ValueError(f"lower must be below upper, got {lower:g} and {upper:g}")
    if centre is None:
        inner = domain.Interval(lower, upper).interior()
        centre = float(inner)
    if not lower < centre < upper:
        raise ValueError(f"centre must lie between lower and upper, got {centre:g}")

    @jax.jit
    def masses(start: jax.Array, end: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        def over(a: jax.Array, b: jax.Array) -> jax.Array:
            logs = log_density(a[:, None] + (b - a)[:, None] * _NODES[None])
            return jax.nn.logsumexp(logs, axis=-1, b=_WEIGHTS[None]) + jnp.log(b - a)

        middle = 0.5 * (start + end)
        rise = jnp.abs(log_density(0.75 * end + 0.25 * start) - log_density(0.25 * end + 0.75 * start))
        # what rounding x and the logarithm does, in units of eps
        noise = jnp.maximum(jnp.abs(start), jnp.abs(end)) / (end - start) * rise + jnp.abs(log_density(middle))
        return over(start, end), jnp.logaddexp(over(start, middle), over(middle, end)), noise

    def in_batches(cells: np.ndarray) -> np.ndarray:
        padded = np.concatenate([cells, np.repeat(cells[-1:], -len(cells) % _BATCH, axis=0)])
        found = [np.stack(masses(*batch.T)) for batch in padded.reshape(-1, _BATCH, 2)]
        return np.concatenate(found, axis=1)[:, : len(cells)]

    edges = _first_edges(lower, upper, centre)
    cells, done = np.stack([edges[:-1], edges[1:]], axis=1), []
    highest = -np.inf
    for _ in range(_FINEST):
        coarse, fine, noise = in_batches(cells)
        if highest == -np.inf:
            fine = _without_overflow(cells, fine, centre)
        if np.isnan(fine).any() or np.any(fine == np.inf):
            at = cells[np.argmax(np.isnan(fine) | (fine == np.inf))]
            if at[1] == upper or at[0] == lower:
                raise ValueError(
                    f"log_density must be below infinity at its end, got another value between {at[0]:.17g} and {at[1]:.17g}: "
                    "a pole is possible at 0, where floats are dense; shift or reflect the variable"
                )
            raise ValueError(
                f"log_density must be a number below infinity, got another between {at[0]:g} and {at[1]:g}"
            )
        highest = max(highest, np.max(fine, initial=-np.inf, where=~np.isnan(fine)))
        some = fine > -np.inf
        error = np.abs(np.subtract(coarse, fine, out=np.zeros(len(fine)), where=some))
        rough = some & (error > _TOLERANCE + 32 * np.finfo(float).eps * np.nan_to_num(noise))
        at_end = (cells[:, 0] == lower) | (cells[:, 1] == upper)  # where a density may be infinite
        rough &= fine > np.where(at_end, highest - _NOTHING, highest - _DEEPEST)
        done.append(np.column_stack([cells, fine])[~rough])
        cells = cells[rough]
        middle = cells.mean(1)
        cells = np.concatenate([np.stack([cells[:, 0], middle], 1), np.stack([middle, cells[:, 1]], 1)])
        if not len(cells) or len(cells) > _MOST_CELLS:
            break
    if len(cells):
        raise ValueError(
            f"log_density is too rough to integrate: {len(cells)} cells have not converged, one at {cells[0, 0]:g}"
        )
    if highest == -np.inf:
        raise ValueError(f"log_density is −inf wherever it was looked at, around {centre:g}; centre= helps to find it")
    table = np.concatenate(done)
    table = table[np.argsort(table[:, 0])]
    for end, log_mass in ((lower, table[0, 2]), (upper, table[-1, 2])):
        if np.isinf(end) and log_mass > highest - _NOTHING:
            raise ValueError(f"log_density does not fall fast enough towards {end:g} to have a finite integral")
    kept = np.flatnonzero(table[:, 2] > highest - _DEEPEST)
    table = table[kept[0] : kept[-1] + 1]
    return FromDensity(log_density, jnp.append(table[:, 0], table[-1, 1]), jnp.asarray(table[:, 2]))


def _without_overflow(cells: np.ndarray, log_masses: np.ndarray, centre: float) -> np.ndarray:
    """Far out, where the density has vanished, its formula may overflow to NaN: it stays vanished."""
    found = log_masses.copy()
    highest = np.max(found, initial=-np.inf, where=~np.isnan(found))
    for side in (cells[:, 0] >= centre, cells[:, 1] <= centre):
        at = np.flatnonzero(side)
        outwards = at if cells[at[0], 0] >= centre else at[::-1]
        gone = np.logical_or.accumulate(np.nan_to_num(found[outwards], nan=0.0) < highest - _DEEPEST)
        found[outwards[gone & np.isnan(found[outwards])]] = -np.inf
    return found


def _first_edges(lower: float, upper: float, centre: float) -> np.ndarray:
    """Cells at all distances from the centre, and towards finite ends as well."""
    steps = 10.0 ** np.arange(-20.0, 300.0)
    places = [centre + steps, centre - steps, [centre]]
    for end, inwards in ((lower, 1.0), (upper, -1.0)):
        if np.isfinite(end):
            near = 10.0 ** np.arange(-300.0, 300.0) if end == 0.0 else steps
            places += [end + inwards * near[near < abs(centre - end)], [end]]
    found = np.unique(np.concatenate(places))
    return found[(found >= lower) & (found <= upper)]
