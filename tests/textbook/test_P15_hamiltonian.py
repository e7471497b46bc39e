"""Row P15: the leapfrog discretisation of Hamilton's equations is reversible, preserves volume, and errs by O(ε²)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf
from suffice.sampling.leapfrog import Phase, energy, leapfrog


def bent(v):
    return -0.5 * v[0] ** 2 - 0.5 * (v[1] - 0.5 * v[0] ** 2) ** 2 - 0.1 * (v[2] - v[0] * v[1]) ** 2 - 0.05 * v[2] ** 4


SCALE = jnp.array([[1.0, 0.0, 0.0], [0.3, 0.8, 0.0], [-0.2, 0.1, 1.3]])


def walked(z, r, steps, step_size):
    walk = jax.value_and_grad(bent)
    at = Phase(z, r, *walk(z))
    return at, jax.lax.fori_loop(0, steps, lambda _, at: leapfrog(walk, SCALE, step_size, at), at)


def test_leapfrog_is_reversible():
    z, r = jnp.array([0.5, -1.0, 0.8]), jnp.array([1.0, 0.4, -0.7])
    begin, end = walked(z, r, 100, 0.05)
    _, back = walked(end.position, -end.momentum, 100, 0.05)
    np.testing.assert_allclose(back.position, begin.position, atol=1e-10)
    np.testing.assert_allclose(-back.momentum, begin.momentum, atol=1e-10)


def test_leapfrog_preserves_volume():
    """The determinant of its derivative is 1."""

    def flow(x):
        _, end = walked(x[:3], x[3:], 20, 0.1)
        return jnp.concatenate([end.position, end.momentum])

    slope = jax.jacfwd(flow)(jnp.array([0.5, -1.0, 0.8, 1.0, 0.4, -0.7]))
    np.testing.assert_allclose(jnp.linalg.det(slope), 1.0, rtol=1e-10)


def test_energy_error_is_quadratic_in_the_step():
    """Over a fixed time the error falls by four when the step is halved: the slope in logarithms is 2."""
    z, r = jnp.array([0.5, -1.0, 0.8]), jnp.array([1.0, 0.4, -0.7])
    sizes, errors = np.array([0.02, 0.01, 0.005, 0.0025]), []
    for size in sizes:
        begin, end = walked(z, r, round(1.0 / size), size)
        errors.append(abs(float(energy(end) - energy(begin))))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.02)


def test_momentum_is_normal_given_position():
    """Exercise 11.16: energies of draws less −log p(z) are r·r/2 of standard normal momenta, chi-square/2 (false alarm 1e-6)."""
    algorithm = sf.NUTS(0.5).build(lambda v: -0.5 * (v**2).sum())

    def one(key):
        of_start, of_step = jax.random.split(key)
        state, info = algorithm.step(of_step, algorithm.init(jax.random.normal(of_start, (3,))))
        return info.energy + state.log_density

    kinetic = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 20_000)))
    assert stats.kstest(2.0 * kinetic, stats.chi2(3).cdf).pvalue > 1e-6
