"""Newton's method as a state machine: exactness on quadratics, safeguards far from the maximum, honest ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from suffice.numerics import newton
from suffice.numerics.newton import AT_LIMIT, CONVERGED, EXHAUSTED, RUNNING, STALLED

EPS = np.finfo(float).eps


def expanded(f):
    """Value, gradient and Hessian of ``f`` as the loop inside compiled code wants them."""
    return lambda v: newton.second_order(f, v)


def never(_):
    return False


def run(f, v, count=1.0, far=never):
    """Drive the state machine from outside with expansions made by NumPy, as a fold over a file does."""
    state, trials = newton.start(np.asarray(v, float)), []
    while state.status == RUNNING:
        trials.append(state.trial)
        state = newton.update(state, *map(np.asarray, f(state.trial)), count, far)
    return state, trials


def expand(f):
    expanded = jax.jit(lambda v: newton.second_order(f, v))
    return lambda v: jax.device_get(expanded(v))


def test_second_order_is_value_gradient_and_hessian():
    def f(v):
        return jnp.sin(v[0]) * jnp.exp(v[1])

    value, gradient, hessian = newton.second_order(f, jnp.array([0.3, 0.7]))
    s, c, e = np.sin(0.3), np.cos(0.3), np.exp(0.7)
    np.testing.assert_allclose(value, s * e, rtol=4 * EPS)
    np.testing.assert_allclose(gradient, [c * e, s * e], rtol=4 * EPS)
    np.testing.assert_allclose(hessian, [[-s * e, c * e], [c * e, s * e]], rtol=4 * EPS)


def test_a_quadratic_takes_one_step_and_one_look():
    """From within 1.5 standard deviations the first step is exact, and the second look confirms it."""
    curvature = np.array([[2.0, 0.5], [0.5, 1.0]])
    top = np.array([0.25, -0.5])

    def f(v):
        d = v - top
        return 3.0 - d @ curvature @ d / 2.0, -curvature @ d, -curvature

    state, trials = run(f, [0.0, 0.0])
    assert state.status == CONVERGED
    assert len(trials) == state.iterations == 2
    np.testing.assert_allclose(state.point, top, atol=4 * EPS)
    assert state.value == pytest.approx(3.0, abs=4 * EPS)
    np.testing.assert_array_equal(state.hessian, -curvature)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e6, 1e12])
def test_units_of_a_coordinate_change_nothing(unit):
    """The path of the second coordinate, measured in its unit, is the same; rounding is that of a handful of steps."""

    def f(v):
        x, y = v[0], v[1] / unit
        return -jnp.log(jnp.cosh(x - 1.0)) - (y - x) ** 2 - 0.1 * (y - 2.0) ** 4

    state, trials = run(expand(f), [0.0, 0.0])
    reference, expected = run(expand(lambda v: f(v * jnp.array([1.0, unit]))), [0.0, 0.0])
    assert state.status == reference.status == CONVERGED
    assert len(trials) == len(expected)
    np.testing.assert_allclose(state.point / [1.0, unit], reference.point, rtol=1e-13)


def test_trust_grows_while_the_quadratic_keeps_its_promises():
    """On −v²/2 from 100: 1.5 standard deviations at first, then four times as far each time."""
    _, trials = run(lambda v: (-v @ v / 2, -v, -np.eye(1)), [100.0])
    np.testing.assert_allclose(np.diff(np.array(trials)[:, 0]), [-1.5, -6.0, -24.0, -68.5], rtol=1e-14)


def test_a_steep_wall_is_left_behind():
    """exp(20) away from its maximum, v − exp(v) moves by 1 a step: its curvature falls as fast as its slope."""
    state, trials = run(expand(lambda v: (v - jnp.exp(v)).sum()), [20.0])
    assert state.status == CONVERGED
    np.testing.assert_allclose(state.point, 0.0, atol=1e-15)
    assert len(trials) < 40


def test_a_gain_below_the_promise_does_not_lengthen_the_next_step():
    start = newton.start(np.array([0.0]))
    first = newton.update(start, 0.0, np.array([10.0]), -np.eye(1), 1.0, never)
    assert first.trial == 1.5
    promised = 1.5 * 10.0 - 1.5**2 / 2
    for share, length in ((0.49, 1.5), (0.51, 6.0)):
        second = newton.update(first, share * promised, np.array([10.0]), -np.eye(1), 1.0, never)
        assert second.trial == pytest.approx(1.5 + length)


def test_count_is_the_unit_of_steps():
    """With the likelihood of n observations a step is as long as with one: the standard deviation of one counts."""
    one = run(lambda v: (-v @ v / 2, -v, -np.eye(1)), [10.0])[1]
    many = run(lambda v: (-1e6 * v @ v / 2, -1e6 * v, -1e6 * np.eye(1)), [10.0], count=1e6)[1]
    np.testing.assert_allclose(one, many, atol=1e-12)


def test_uphill_from_a_convex_region():
    """Where the function curves upwards Newton's own step would descend: the density of Cauchy, far from its mode."""
    state, _ = run(expand(lambda v: -jnp.log1p(v @ v)), [30.0, -20.0])
    assert state.status == CONVERGED
    np.testing.assert_allclose(state.point, 0.0, atol=1e-15)


def test_a_step_that_falls_is_quartered_and_the_best_point_kept():
    """A cliff behind the first step: it is refused, the next trial is a quarter of the way."""

    def f(v):
        return (
            (-np.inf, v * np.nan, np.eye(1) * np.nan)
            if v[0] > 1.0
            else (-((v[0] - 0.9) ** 2), -2 * (v - 0.9), -2 * np.eye(1))
        )

    state, trials = run(f, [0.0])
    assert state.status == CONVERGED
    start = newton.start(np.array([0.0]))
    first = newton.update(start, 0.0, np.array([2.0]), -np.eye(1), 1.0, never)
    refused = newton.update(first, -1.0, np.array([9.0]), -np.eye(1), 1.0, never)
    assert first.trial == 1.5
    assert refused.trial == 1.5 / 4
    assert refused.point == 0.0
    assert refused.value == 0.0
    assert refused.gradient == 2.0
    assert len(trials) <= 12


def test_nothing_but_cliffs_is_a_stall():
    """The gradient points uphill but every step falls: after some quarterings the search gives up, and says so."""

    def f(v):
        return (0.0 if v[0] == 0.0 else -1.0), np.ones(1), -np.eye(1)

    state, trials = run(f, [0.0])
    assert state.status == STALLED
    assert state.point == 0.0
    assert len(trials) < 20


def test_a_start_that_is_not_finite_is_a_stall():
    state, _ = run(lambda v: (np.nan, v * np.nan, np.eye(1) * np.nan), [0.0])
    assert state.status == STALLED
    assert state.value == -np.inf


def test_an_endless_climb_is_exhausted():
    """Newton's steps on the logarithm double for ever: no maximum is reported."""
    state, trials = run(lambda v: (np.log(v[0]), 1 / v, np.diag(-1 / v**2)), [1.0])
    assert state.status == EXHAUSTED
    assert len(trials) == state.iterations == newton.MOST_STEPS


def test_far_out_is_a_limit():
    """1 − exp(−v) has its supremum at infinity: Newton's steps have length 1, and the caller says how far is far."""
    state, trials = run(expand(lambda v: -jnp.exp(-v.sum())), [0.0], far=lambda v: v[0] > 12.0)
    assert state.status == AT_LIMIT
    assert 12.0 < state.point[0] < 14.0
    np.testing.assert_allclose(np.diff(np.array(trials)[:, 0]), 1.0, rtol=1e-6)


def test_a_saddle_is_not_a_maximum():
    """At a stationary point that curves upwards in one direction the decrement is zero, but it is no maximum."""
    state, _ = run(lambda v: (v[0] ** 2 - v[1] ** 2, np.array([2 * v[0], -2 * v[1]]), np.diag([2.0, -2.0])), [0.0, 0.0])
    assert state.status != CONVERGED


def test_compiled_and_vectorised():
    """``maximise`` is the same machine inside compiled code, for many problems at once."""
    tops = np.array([0.0, 0.5, 3.0])

    def solve(top):
        return newton.maximise(expanded(lambda v: -jnp.log(jnp.cosh(v - top)).sum()), jnp.zeros(1), jnp.asarray(1.0))

    state = jax.jit(jax.vmap(solve))(tops)
    np.testing.assert_array_equal(state.status, CONVERGED)
    np.testing.assert_allclose(state.point[:, 0], tops, atol=1e-14)
    outside, _ = run(expand(lambda v: -jnp.log(jnp.cosh(v - 3.0)).sum()), [0.0])
    assert outside.iterations == state.iterations[2]


def test_compiled_with_a_budget():
    """Bootstrap refits stop after a number of steps: the best point so far, still marked as running."""
    state = newton.maximise(expanded(lambda v: -((v - 100.0) ** 2).sum() / 2), jnp.zeros(1), jnp.asarray(1.0), most=3)
    assert state.status == RUNNING
    assert state.iterations == 3
    np.testing.assert_allclose(state.point, 1.5 + 6.0)
