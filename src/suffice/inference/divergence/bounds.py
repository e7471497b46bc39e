"""What one divergence says of another."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import as_argument, first_offender, is_traced
from suffice.numerics.inversion import increasing_root
from suffice.numerics.special.elementary import xlog1py

_LOG_2 = float(np.log(2.0))


def kl_lower_bound(jensen_shannon: Any) -> jax.Array:
    """The least Kullback–Leibler divergence that two laws of a given Jensen–Shannon divergence can have: a tight bound.

    It is reached by P = (1, 0) and Q = (t, 1 − t): KL = −log t, JS = ½ ((1 − t) log 2 + t log t − (1 + t) log((1 + t)/2)).

    Args:
        jensen_shannon: JS in nats, in [0, log 2].

    Returns:
        The bound, in nats; infinite at log 2.

    Raises:
        ValueError: a value outside [0, log 2].

    Source: Dorent, Golland and Wells (2025), arXiv:2510.20644.

    Example:
        >>> import suffice as sf
        >>> p, q = sf.Normal(0.0, 1.0), sf.Normal(1.0, 1.0)
        >>> bound = sf.kl_lower_bound(sf.jensen_shannon(p, q).value)
        >>> round(float(bound), 3), float(sf.kl(p, q))
        (0.338, 0.5)
    """
    value = as_argument(jensen_shannon)
    if not is_traced(value):
        host = np.asarray(value, float)
        inside = (host >= 0.0) & (host <= _LOG_2 * (1.0 + 1e-15))
        if not inside.all():
            raise ValueError(f"jensen_shannon must be in [0, log 2], got {first_offender(inside, host)}")
    return _bound(jnp.asarray(value, float))


def _log_odds_of_pair(log_kl: jax.Array) -> jax.Array:
    """log (JS / (log 2 − JS)) of P = (1, 0) and Q = (t, 1 − t) with KL = −log t."""
    kl = jnp.exp(log_kl)
    t, rest = jnp.exp(-kl), -jnp.expm1(-kl)
    js = rest * _LOG_2 - t * kl - xlog1py(1.0 + t, -0.5 * rest)
    return jnp.log(js) - jnp.log(t * kl + xlog1py(1.0 + t, t))


@jax.jit
def _bound(js: jax.Array) -> jax.Array:
    inner = (js > 0.0) & (js < _LOG_2)
    at = jnp.where(inner, js, 0.5 * _LOG_2)
    odds = jnp.log(at) - jnp.log(_LOG_2 - at)
    root = increasing_root(
        lambda v: _log_odds_of_pair(v) - odds, jnp.zeros_like(at), jnp.full_like(at, -700.0), jnp.full_like(at, 6.0)
    )
    return jnp.where(inner, jnp.exp(root), jnp.where(js >= _LOG_2, jnp.inf, jnp.where(js == 0.0, 0.0, jnp.nan)))
