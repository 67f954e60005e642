"""A rollout's reward inputs at once: those that the simulator gives step by step."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.rollout import Rollout
from reward_synth.task import load_task

HOPPER = dataclasses.replace(load_task("hopper-forward"), episode_steps=11)
CARTPOLE = load_task("cartpole-swingup")


def names(simulator: MujocoSimulator) -> list[str]:
    """Every variable and ``action``, and their values one step earlier."""
    return [f"{prefix}{name}" for name in simulator.variable_sizes for prefix in ("", "prev_")]


def step_by_step(simulator: MujocoSimulator, rollout: Rollout, steps: int, rng) -> list[dict]:
    """Random actions, recorded; gives the simulator's own reward inputs of each step."""
    rows = []
    for _ in range(steps):
        shape = (simulator.num_envs, simulator.action_size)
        rollout.record(simulator.step(rng.uniform(-1.5, 1.5, shape)))
        rows.append({n: v.copy() for n, v in simulator.reward_inputs(names(simulator)).items()})
    return rows


def assert_inputs(rollout: Rollout, rows: list[dict], mine: slice) -> None:
    found = rollout.inputs(rows[0], mine)
    assert found.keys() == rows[0].keys()
    for name, value in found.items():
        expected = np.concatenate([row[name][mine] for row in rows])
        np.testing.assert_array_equal(value, expected, err_msg=name)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), count=st.integers(1, 5), steps=st.integers(1, 30), data=st.data())
def test_all_steps_at_once_are_the_steps_one_by_one(seed, count, steps, data):
    """Over the ends of episodes, and from one rollout to the next."""
    simulator = MujocoSimulator(HOPPER, count)
    simulator.reset(seed)
    rollout = Rollout(simulator, steps)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        rows = step_by_step(simulator, rollout, steps, rng)
        begin = data.draw(st.integers(0, count - 1))
        end = data.draw(st.integers(begin + 1, count))
        assert_inputs(rollout, rows, slice(begin, end))
        assert_inputs(rollout, rows, slice(0, count))


def test_values_before_an_episodes_first_step_are_the_current_ones():
    simulator = MujocoSimulator(HOPPER, 3)
    simulator.reset(0)
    rollout = Rollout(simulator, 25)
    step_by_step(simulator, rollout, 25, np.random.default_rng(0))
    inputs = rollout.inputs(["torso_height", "prev_torso_height"], slice(0, 3))
    now = inputs["torso_height"].reshape(25, 3)
    before = inputs["prev_torso_height"].reshape(25, 3)
    same = (now == before).sum(axis=0)
    assert (same >= 3).all(), "each environment began three episodes at least"
    later = now[:-1] == before[1:]
    assert (later.sum(axis=0) + same == 25).all()


def test_a_rollout_goes_on_from_the_last_row_of_another():
    simulator = MujocoSimulator(HOPPER, 4)
    simulator.reset([5, 6])
    rollout = Rollout(simulator, 7)
    rng = np.random.default_rng(1)
    step_by_step(simulator, rollout, 7, rng)
    swapped = [rollout.last_row(slice(2, 4)), rollout.last_row(slice(0, 2))]
    states = [simulator.snapshot(slice(2, 4)), simulator.snapshot(slice(0, 2))]

    other = MujocoSimulator(HOPPER, 4)
    other.reset([1, 1])
    for mine, state in zip((slice(0, 2), slice(2, 4)), states, strict=True):
        other.restore(mine, state)
    again = Rollout(other, 7)
    again.continue_from({n: np.concatenate([row[n] for row in swapped]) for n in swapped[0]})
    action = rng.uniform(-1, 1, (7, 4, 3))
    for t in range(7):
        rollout.record(simulator.step(action[t]))
        again.record(other.step(action[t][[2, 3, 0, 1]]))
    for mine, theirs in ((slice(0, 2), slice(2, 4)), (slice(2, 4), slice(0, 2))):
        expected = rollout.inputs(names(simulator), mine)
        for name, value in again.inputs(names(simulator), theirs).items():
            np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_rollout_that_is_not_full_has_no_inputs():
    simulator = MujocoSimulator(CARTPOLE, 2)
    simulator.reset(0)
    rollout = Rollout(simulator, 3)
    for recorded in range(3):
        with pytest.raises(RuntimeError, match=f"{recorded} of 3 steps"):
            rollout.inputs(["pole_up"], slice(0, 2))
        rollout.record(simulator.step(np.zeros((2, 1))))
    assert rollout.inputs(["pole_up"], slice(0, 2))["pole_up"].shape == (6,)
    rollout.record(simulator.step(np.zeros((2, 1))))
    with pytest.raises(RuntimeError, match="1 of 3 steps"):
        rollout.inputs(["pole_up"], slice(0, 2))
