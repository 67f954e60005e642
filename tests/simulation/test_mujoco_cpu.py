"""The batched simulator: seeding, automatic resets, actions, earlier values, divergence."""

import dataclasses
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.errors import UserError
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import Derived, JointVelocity, Sensor, Variable, load_task
from tests.simulation.robots import at_rest, robot_task

CHEETAH = load_task("cheetah-run")
HOPPER = load_task("hopper-forward")


def actions(simulator: MujocoSimulator, steps: int, seed: int = 0) -> np.ndarray:
    """Random actions ``(steps, N, nu)``; those of an environment do not depend on ``N``."""
    shape = (steps, simulator.action_size)
    rngs = [np.random.default_rng([seed, i]) for i in range(simulator.num_envs)]
    return np.stack([rng.uniform(-1.0, 1.0, shape) for rng in rngs], axis=1)


def trace(simulator: MujocoSimulator, steps: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Everything that a run of random actions gives, stacked over steps ``(steps, N, …)``."""
    names = [name for name in simulator.variable_sizes if name != "action"]
    simulator.reset(seed)
    rows = []
    for action in actions(simulator, steps, seed):
        step = simulator.step(action)
        rows.append(
            {
                "observation": step.observation,
                "final observation": step.final_observation,
                "terminated": step.terminated,
                "truncated": step.truncated,
                "first": step.first,
                **simulator.reward_inputs([*names, *(f"prev_{name}" for name in names)]),
            }
        )
    simulator.close()
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


@pytest.mark.parametrize("task", [CHEETAH, HOPPER], ids=lambda task: task.name)
def test_the_first_of_many_environments_are_the_same_as_few(task) -> None:
    many = trace(MujocoSimulator(task, 64), 60)
    few = trace(MujocoSimulator(task, 4), 60)
    if task is HOPPER:
        assert few["terminated"].sum() > 4
    for key, values in few.items():
        np.testing.assert_array_equal(values, many[key][:, :4], err_msg=key)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**63 - 1), count=st.integers(1, 7), threads=st.integers(2, 4))
def test_threads_change_nothing(seed: int, count: int, threads: int) -> None:
    one = trace(MujocoSimulator(HOPPER, count, threads=1), 40, seed)
    several = trace(MujocoSimulator(HOPPER, count, threads=threads), 40, seed)
    for key, values in one.items():
        np.testing.assert_array_equal(values, several[key], err_msg=key)


def test_the_seed_decides() -> None:
    simulator = MujocoSimulator(CHEETAH, 2)
    first = simulator.reset(1)
    simulator.step(np.ones((2, 6)))
    np.testing.assert_array_equal(simulator.reset(1), first)
    assert not np.array_equal(simulator.reset(2), first)
    assert not np.array_equal(first[0], first[1])
    with pytest.raises(ValueError, match="negative"):
        simulator.reset(-1)


def test_an_episode_depends_on_seed_environment_and_its_number_alone() -> None:
    simulator = MujocoSimulator(HOPPER, 3)
    simulator.reset(5)
    episode = np.zeros(3, int)
    for action in actions(simulator, 160):
        step = simulator.step(action)
        for i in np.flatnonzero(step.terminated).tolist():
            episode[i] += 1
            qpos, qvel = HOPPER.reset(np.random.default_rng([5, i, int(episode[i])]), 1)
            expected = np.concatenate([qpos[0, 1:], np.clip(qvel[0], -10, 10)])
            np.testing.assert_array_equal(step.observation[i], expected)
            assert not np.array_equal(step.final_observation[i], expected)
    assert (episode >= 2).all()


def test_ends_are_reported_once_with_the_state_reached() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=25)
    simulator = MujocoSimulator(task, 32)
    seen = trace(simulator, 120)
    terminated, truncated, first = seen["terminated"], seen["truncated"], seen["first"]
    assert terminated.sum() > 20
    assert truncated.sum() > 20
    assert not (terminated & truncated).any()
    assert first[0].all()
    np.testing.assert_array_equal(first[1:], (terminated | truncated)[:-1])
    ended = terminated | truncated
    same = (seen["observation"] == seen["final observation"]).all(axis=-1)
    np.testing.assert_array_equal(same, ~ended)
    height, pitch = seen["torso_height"], seen["pitch"]
    np.testing.assert_array_equal(terminated, ~((height > 0.7) & (np.abs(pitch) < 0.2)))
    for i in range(32):
        ends = np.flatnonzero(ended[:, i])
        lengths = np.diff(ends, prepend=-1)
        assert lengths.max() <= 25
        assert (lengths[truncated[ends, i]] == 25).all()


def test_previous_values_are_those_of_the_step_before_or_the_current_at_first() -> None:
    seen = trace(MujocoSimulator(HOPPER, 8), 60)
    first = seen["first"]
    assert first[1:].sum() > 4
    for name in ("torso_height", "joint_angles", "foot_height"):
        now, before = seen[name], seen[f"prev_{name}"]
        np.testing.assert_array_equal(before[first], now[first])
        np.testing.assert_array_equal(before[1:][~first[1:]], now[:-1][~first[1:]])


def test_the_action_before_follows_the_same_rule() -> None:
    simulator = MujocoSimulator(dataclasses.replace(CHEETAH, episode_steps=3), 2)
    simulator.reset(0)
    previous = None
    for number, action in enumerate(actions(simulator, 7)):
        simulator.step(action)
        inputs = simulator.reward_inputs(("action", "prev_action"))
        np.testing.assert_array_equal(inputs["action"], action)
        np.testing.assert_array_equal(inputs["prev_action"], previous if number % 3 else action)
        previous = action
    simulator.reset(0)
    simulator.step(np.ones((2, 6)))
    np.testing.assert_array_equal(simulator.reward_inputs(["prev_action"])["prev_action"], 1.0)


def test_actions_are_clipped_and_what_is_not_a_number_counts_as_zero() -> None:
    wild = np.array([[5.0, -np.inf, np.nan, 0.5, np.inf, -7.0]])
    tame = np.array([[1.0, -1.0, 0.0, 0.5, 1.0, -1.0]])
    observations = []
    for action in (wild, tame):
        simulator = MujocoSimulator(CHEETAH, 1)
        simulator.reset(0)
        step = simulator.step(action)
        np.testing.assert_array_equal(simulator.reward_inputs(["action"])["action"], tame)
        assert not step.terminated.any()
        observations.append(step.observation)
    np.testing.assert_array_equal(*observations)
    assert np.isnan(wild[0, 2]), "the caller's array is left alone"


def test_actions_are_scaled_to_the_control_range(tmp_path) -> None:
    task = robot_task(
        tmp_path,
        {
            "push": Variable("force", "N", Sensor("actuatorfrc", "push")),
            "twist": Variable("torque", "Nm", Sensor("actuatorfrc", "twist")),
        },
    )
    simulator = MujocoSimulator(task, 3)
    simulator.reset(0)
    step = simulator.step(np.array([[-1.0, -1.0], [0.0, 0.5], [1.0, 2.0]]))
    np.testing.assert_allclose(step.variables["push"], [-1.0, 1.0, 3.0])
    np.testing.assert_allclose(step.variables["twist"], [-1.0, 0.5, 1.0])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_diverging_environment_ends_and_leaves_its_neighbours_alone(
    tmp_path, monkeypatch, threads: int
) -> None:
    monkeypatch.chdir(tmp_path)
    calm = MujocoSimulator(CHEETAH, 4, threads=threads)
    # A velocity of 1e9 m/s for environment 2 after a reset, which MuJoCo cannot follow.
    wild = MujocoSimulator(dataclasses.replace(CHEETAH, reset=exploding), 4, threads=threads)
    calm.reset(3)
    wild.reset(3)
    others = [0, 1, 3]
    for action in actions(calm, 4):
        expected, step = calm.step(action), wild.step(action)
        np.testing.assert_array_equal(step.terminated, [False, False, True, False])
        assert not step.truncated.any()
        np.testing.assert_array_equal(step.observation[others], expected.observation[others])
        # It reports the last state that was sound, so that rewards stay finite.
        assert np.isfinite(step.final_observation).all()
        assert step.variables["forward_velocity"][2] == 1e9
    assert os.listdir(tmp_path) == []


def exploding(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    sequence: Any = rng.bit_generator.seed_seq
    qpos, qvel = CHEETAH.reset(rng, n)
    # Seeded with (seed, environment, episode); with a plain number when the task is checked.
    if isinstance(sequence.entropy, list) and sequence.entropy[1] == 2:
        qvel[:, 0] = 1e9
        qvel[:, 3:] = 1e9
    return qpos, qvel


def test_variables_are_read_only_and_outlive_the_step() -> None:
    simulator = MujocoSimulator(CHEETAH, 2)
    simulator.reset(0)
    step = simulator.step(np.zeros((2, 6)))
    for name, value in step.variables.items():
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0.0
        assert len(value) == 2, name
    with pytest.raises(ValueError, match="read-only"):
        simulator.reward_inputs(["action"])["action"][...] = 0.0
    height = step.variables["torso_height"].copy()
    for _ in range(5):
        simulator.step(np.ones((2, 6)))
    np.testing.assert_array_equal(step.variables["torso_height"], height)
    unread = step.variables["front_foot_height"]
    np.testing.assert_array_equal(unread, step.variables["front_foot_height"])


def test_a_variable_that_nobody_asks_for_is_not_computed(tmp_path) -> None:
    calls = []

    def costly(v, xp):
        calls.append(len(v["slide"]))
        return v["slide"] ** 2

    task = robot_task(tmp_path, {"costly": Variable("a square", "m2", Derived(costly))})
    simulator = MujocoSimulator(task, 5)
    simulator.reset(0)
    calls.clear()
    simulator.step(np.zeros((5, 2)))
    step = simulator.step(np.zeros((5, 2)))
    assert calls == []
    simulator.reward_inputs(["costly"])
    assert step.variables["costly"].shape == (5,)
    assert calls == [5]


def test_misuse_is_said_clearly() -> None:
    simulator = MujocoSimulator(CHEETAH, 2)
    with pytest.raises(RuntimeError, match="reset the simulator"):
        simulator.step(np.zeros((2, 6)))
    simulator.reset(0)
    with pytest.raises(RuntimeError, match="only after a step"):
        simulator.reward_inputs(["pitch"])
    with pytest.raises(ValueError, match=r"shape \(2, 5\), not \(2, 6\)"):
        simulator.step(np.zeros((2, 5)))
    simulator.step(np.zeros((2, 6)))
    with pytest.raises(KeyError, match="heigth"):
        simulator.reward_inputs(["heigth"])
    simulator.close()
    simulator.close()
    with pytest.raises(RuntimeError, match="reset the simulator"):
        simulator.step(np.zeros((2, 6)))
    with pytest.raises(ValueError, match="at least 1"):
        MujocoSimulator(CHEETAH, 0)


def test_free_bodies_keep_velocities_apart_from_positions(tmp_path) -> None:
    task = robot_task(
        tmp_path, {"fall": Variable("velocity", "m/s and rad/s", JointVelocity("root"))}
    )
    simulator = MujocoSimulator(task, 2)
    simulator.reset(0)
    step = simulator.step(np.zeros((2, 2)))
    fall = step.variables["fall"]
    np.testing.assert_allclose(fall[:, 2], -9.81 * simulator.control_step, rtol=1e-3)


def test_a_reset_that_is_sometimes_not_finite_is_the_tasks_mistake(tmp_path) -> None:
    def reset(rng, n):
        qpos, qvel = at_rest(rng, n)
        qvel[:, 0] = np.nan if n == 1 and rng.uniform() < 0.2 else 0.0
        return qpos, qvel

    with pytest.raises(UserError, match=r"task\.py: reset gives a state that is not finite"):
        MujocoSimulator(robot_task(tmp_path, reset=reset), 50).reset(0)


# --- groups of environments, and going on from a snapshot --------------------------------------


def test_several_seeds_make_groups_that_are_each_as_if_alone() -> None:
    seeds = (5, 9, 5)
    together = MujocoSimulator(HOPPER, 12)
    first = together.reset(list(seeds))
    alone = [MujocoSimulator(HOPPER, 4) for _ in seeds]
    np.testing.assert_array_equal(
        first, np.concatenate([one.reset(seed) for one, seed in zip(alone, seeds, strict=True)])
    )
    ended = 0
    for action in actions(together, 80):
        step = together.step(action)
        for k, one in enumerate(alone):
            mine = slice(4 * k, 4 * k + 4)
            expected = one.step(action[mine])
            np.testing.assert_array_equal(step.observation[mine], expected.observation)
            np.testing.assert_array_equal(step.terminated[mine], expected.terminated)
            ended += int(expected.terminated.sum())
    assert ended > 12
    np.testing.assert_array_equal(first[:4], first[8:])
    assert not np.array_equal(first[:4], first[4:8])


def test_groups_are_of_equal_size_and_no_seed_is_negative() -> None:
    simulator = MujocoSimulator(HOPPER, 6)
    with pytest.raises(ValueError, match="6 environments do not divide into 4 groups"):
        simulator.reset([1, 2, 3, 4])
    with pytest.raises(ValueError, match="negative"):
        simulator.reset([1, -2])


@settings(max_examples=8)
@given(steps=st.integers(0, 40), limit=st.integers(1, 30), threads=st.integers(1, 2))
def test_a_snapshot_goes_on_elsewhere_as_it_would_have_here(steps, limit, threads) -> None:
    """In other environments of another simulator, with other neighbours."""
    task = dataclasses.replace(HOPPER, episode_steps=limit)
    here = MujocoSimulator(task, 4)
    here.reset([3, 8])
    played = actions(here, steps + 30)
    for action in played[:steps]:
        here.step(action)
    snapshot = here.snapshot(slice(2, 4))
    before = {name: array.copy() for name, array in snapshot.items()}

    there = MujocoSimulator(task, 6, threads=threads)
    there.reset(1)
    there.step(np.ones((6, 3)))
    kept = there.observe()
    there.restore(slice(1, 3), snapshot)
    np.testing.assert_array_equal(there.observe()[1:3], here.observe()[2:4])
    np.testing.assert_array_equal(there.observe()[[0, 3, 4, 5]], kept[[0, 3, 4, 5]])
    names = [name for name in here.variable_sizes if name != "action"]
    names += [f"prev_{name}" for name in [*names, "action"]]
    for action in played[steps:]:
        expected = here.step(action)
        others = np.zeros((6, 3))
        others[1:3] = action[2:4]
        step = there.step(others)
        for field in dataclasses.fields(step):
            if field.name != "variables" and "critic" not in field.name:
                np.testing.assert_array_equal(
                    getattr(step, field.name)[1:3], getattr(expected, field.name)[2:4], field.name
                )
        ours, theirs = there.reward_inputs(names), here.reward_inputs(names)
        for name in names:
            np.testing.assert_array_equal(ours[name][1:3], theirs[name][2:4], err_msg=name)
    for name, array in before.items():
        np.testing.assert_array_equal(snapshot[name], array, err_msg=name)


def test_a_snapshot_changes_nothing_that_an_earlier_step_gave() -> None:
    simulator = MujocoSimulator(HOPPER, 2)
    simulator.reset(0)
    snapshot = simulator.snapshot(slice(0, 2))
    step = simulator.step(np.ones((2, 3)))
    height = step.variables["torso_height"].copy()
    simulator.restore(slice(0, 2), snapshot)
    np.testing.assert_array_equal(step.variables["torso_height"], height)
    again = simulator.step(np.ones((2, 3)))
    np.testing.assert_array_equal(again.variables["torso_height"], height)


def test_there_is_no_snapshot_before_a_reset() -> None:
    with pytest.raises(RuntimeError, match="reset the simulator before a snapshot"):
        MujocoSimulator(HOPPER, 2).snapshot(slice(0, 2))
