"""Independent parts side by side: repetitions of one family, or different ones."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.declaration import component
from suffice.distributions.distribution import Distribution
from suffice.numerics import linalg
from suffice.numerics.array_domain import Blocks, Vector


class Independent(Distribution):
    """The members along the last batch axis of a distribution, as one distribution of vectors (of arrays with one more
    axis): p(x) = ∏ p_k(x_k).

    Args:
        base: a distribution with at least one batch axis.

    Example:
        >>> import numpy as np, suffice as sf
        >>> p = sf.Independent(sf.Normal(loc=np.zeros(3), scale=2.0))
        >>> p.event_shape, round(float(p.log_prob([0.0, 1.0, 2.0])), 6)
        ((3,), -5.461257)
    """

    base: Any = component(doc="the members, along its last batch axis", axes=1)

    def _inconsistent(self) -> str | None:
        if not self.base.batch_shape:
            return f"base must have a batch axis to make a vector of, got {self.base!r}"
        return super()._inconsistent()

    @property
    def event_ndim(self) -> int:  # type: ignore[override]
        return self.base.event_ndim + 1

    @property
    def discrete(self) -> bool:  # type: ignore[override]
        return self.base.discrete

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return Vector(self.base.sample_space)

    def _event_shape(self) -> tuple[int, ...]:
        return self.base.batch_shape[-1:] + self.base.event_shape

    def _support(self) -> Any:
        return Vector(self.base._support())

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self.base._log_prob(x).sum(-1)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return generic.sample(self.base, key, (*shape, self.base.batch_shape[-1]))

    def _mean(self) -> jax.Array:
        return self.base.mean()

    def _mode(self) -> jax.Array:
        return self.base.mode()

    def _variance(self) -> jax.Array:
        return self.base.variance()

    def _covariance_matrix(self) -> jax.Array:
        variance = self.base.variance()
        return linalg.diagonal(variance)

    def _entropy(self) -> jax.Array:
        return self.base.entropy().sum(-1)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.base.cumulant(t).sum(-1)

    def _cf(self, t: jax.Array) -> jax.Array:
        return self.base.cf(t).prod(-1)


def listed(name: str, value: Any) -> tuple[Any, ...]:
    """A list of distributions as the tuple that is kept."""
    if isinstance(value, Distribution) or not len(value):
        raise TypeError(f"{name} must be a list of distributions, got {value!r}")
    return tuple(value)


class Product(Distribution):
    """Independent parts of any families, their values one after the other in a vector: p(x) = ∏ p_k(x_k).

    Args:
        parts: a list of distributions of numbers or vectors.

    Example:
        >>> import suffice as sf
        >>> p = sf.Product([sf.Normal(), sf.Gamma(2.0, 1.0), sf.Poisson(3.0)])
        >>> p.mean()
        Array([0., 2., 3.], dtype=float64)
        >>> round(float(p.log_prob([0.0, 1.0, 2.0])), 6)
        -3.414861
    """

    parts: Any = component(doc="independent parts, in order", stored=listed)

    event_ndim: ClassVar[int] = 1

    def _inconsistent(self) -> str | None:
        wrong = next((p for p in self.parts if p.event_ndim > 1), None)
        return None if wrong is None else f"parts must be of numbers or vectors, got {type(wrong).__name__}"

    @property
    def discrete(self) -> bool:  # type: ignore[override]
        return all(p.discrete for p in self.parts)

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return Blocks(tuple((p.sample_space, p.event_shape) for p in self.parts))

    def _support(self) -> Any:
        return Blocks(tuple((p._support(), p.event_shape) for p in self.parts))

    def _event_shape(self) -> tuple[int, ...]:
        return (sum(p.event_shape[0] if p.event_ndim else 1 for p in self.parts),)

    def _pieces(self, x: jax.Array) -> list[jax.Array]:
        return Blocks.pieces(x, [p.event_shape for p in self.parts])

    def _joined(self, values: list[jax.Array]) -> jax.Array:
        """Values of the parts as one vector."""
        shape = np.broadcast_shapes(
            *(v.shape[: v.ndim - p.event_ndim] for v, p in zip(values, self.parts, strict=True))
        )
        columns = [
            jnp.broadcast_to(v if p.event_ndim else v[..., None], (*shape, p.event_shape[0] if p.event_ndim else 1))
            for v, p in zip(values, self.parts, strict=True)
        ]
        return jnp.concatenate(columns, axis=-1)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        pairs = zip(self.parts, self._pieces(x), strict=True)
        return jnp.asarray(sum((p._log_prob(v) for p, v in pairs), start=0.0))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        keys = jax.random.split(key, len(self.parts))
        return self._joined([generic.sample(p, k, shape) for p, k in zip(self.parts, keys, strict=True)])

    def _mean(self) -> jax.Array:
        return self._joined([p.mean() for p in self.parts])

    def _mode(self) -> jax.Array:
        return self._joined([p.mode() for p in self.parts])

    def _covariance_matrix(self) -> jax.Array:
        blocks = [p.covariance() if p.event_ndim else p.variance()[..., None, None] for p in self.parts]
        block_diagonal = lambda *b: jax.scipy.linalg.block_diag(*b)  # noqa: E731
        names = ",".join(f"(a{i},a{i})" for i in range(len(blocks)))
        return jnp.vectorize(block_diagonal, signature=f"{names}->(n,n)")(*blocks)

    def _entropy(self) -> jax.Array:
        return jnp.asarray(sum((p.entropy() for p in self.parts), start=0.0))

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return jnp.asarray(sum((p.cumulant(v) for p, v in zip(self.parts, self._pieces(t), strict=True)), start=0.0))

    def _cf(self, t: jax.Array) -> jax.Array:
        value: Any = 1.0
        for p, v in zip(self.parts, self._pieces(t), strict=True):
            value = value * p.cf(v)
        return jnp.asarray(value)
