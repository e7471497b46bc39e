"""Normal variates in pairs, by the polar method of Box and Muller."""

import jax

from suffice.numerics.variates import polar_normal
from suffice.runtime.rng import RNG, as_key


def box_muller(shape: int | tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
    """Pairs of independent standard normal variates by the polar method: (z₁, z₂) √(−2 log r²)/r, z uniform in the disc.

    ``sf.Normal().sample`` is faster: this one is for those who teach, or compare.

    Args:
        shape: of the pairs.

    Returns:
        (*shape, 2).

    Source: Box and Muller (1958), Marsaglia and Bray (1964); Bishop, section 11.1.1.

    Example:
        >>> import suffice as sf
        >>> sf.box_muller(100_000, rng=0).std(0).round(1).tolist()
        [1.0, 1.0]
    """
    return polar_normal(as_key(rng), (shape,) if isinstance(shape, int) else tuple(shape))
