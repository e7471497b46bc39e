"""What the steps of a climb tell of where it ends, by maps whose end is known."""

import numpy as np
import pytest

from suffice.models.mixture.memory import Memory


def walked(matrix, end, start, steps):
    """Memory after plain steps v → end + matrix (v − end) in each run; the points and the steps there."""
    v = np.array(start, float)
    memory, before = Memory.empty(*v.shape), None
    for _ in range(steps):
        step = (v - end) @ (matrix - np.eye(len(end))).T
        if before is not None:
            memory.add(np.ones(len(v), bool), v - before[0], step - before[1])
        before, v = (v, step), v + step
    return memory, *before


def test_a_linear_map_is_known_after_as_many_moves_as_coordinates():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix, end = turn @ np.diag([0.99, 0.9, 0.3]) @ turn.T, np.array([1.0, -2.0, 3.0])
    memory, point, step = walked(matrix, end, rng.normal(0.0, 5.0, (2, 3)), 4)
    np.testing.assert_array_equal(memory.number, [3, 3])
    np.testing.assert_allclose(point + memory.to_limit(step), [end, end], atol=1e-9)


def test_of_one_coordinate_the_stretch_is_the_way_to_the_limit():
    """A step is (1 − 0.9)/0.9 of the way that the move before it left, and squared extrapolation by 10 ends there."""
    memory, point, step = walked(np.array([[0.9]]), np.array([4.0]), [[1.0]], 2)
    assert memory.stretch() == pytest.approx([10.0])
    np.testing.assert_allclose(point + memory.stretched(memory.stretch()), [[4.0]], atol=1e-12)
    np.testing.assert_allclose(point + memory.to_limit(step), [[4.0]], atol=1e-12)


def test_runs_remember_and_forget_by_themselves():
    memory = Memory.empty(2, 2)
    assert not memory.known.any()
    step = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(memory.to_limit(step), step)  # nothing is known but the steps
    np.testing.assert_array_equal(memory.stretch(), [1.0, 1.0])
    memory.add(np.array([True, False]), step, -0.5 * step)
    np.testing.assert_array_equal(memory.known, [True, False])
    np.testing.assert_allclose(memory.to_limit(step)[0], 2.0 * step[0])
    for _ in range(5):
        memory.add(np.array([True, True]), step, -0.5 * step)
    np.testing.assert_array_equal(memory.number, [2, 2])  # no more than coordinates
    memory.forget(np.array([True, False]))
    np.testing.assert_array_equal(memory.known, [False, True])
    np.testing.assert_array_equal(memory.to_limit(step)[0], step[0])
