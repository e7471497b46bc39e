"""Effects of coaching in eight schools (Rubin 1981), not centred: suffice sample examples/eight_schools.py:log_density"""

import jax.numpy as jnp

import suffice as sf

EFFECT = jnp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = jnp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])

domains = {"mu": sf.domain.real, "tau": sf.domain.positive, "z": sf.domain.real.array(8)}


def log_density(p):
    prior = -0.5 * (p["mu"] / 5.0) ** 2 - jnp.log1p((p["tau"] / 5.0) ** 2) - 0.5 * (p["z"] ** 2).sum()
    return prior - 0.5 * (((EFFECT - p["mu"] - p["tau"] * p["z"]) / ERROR) ** 2).sum()
