"""Whole episodes: complete, unbiased, and the same however they are gathered."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.evaluation import fitness_of
from reward_synth.simulation.episodes import EpisodeRecorder, random_policy, rollout_episodes
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import Episode, load_task

HOPPER = load_task("hopper-forward")


def lean(observation: np.ndarray) -> np.ndarray:
    """A policy that looks at nothing but its own environment."""
    return np.stack([observation[:, 1], -observation[:, 2], np.sin(9 * observation[:, 5])], axis=1)


def by_hand(task, count: int, seed: int, policy) -> list[list[Episode]]:
    """Episodes of each environment, gathered step by step in lists."""
    simulator = MujocoSimulator(task, count)
    observation = simulator.reset(seed)
    rows: list[list[dict[str, np.ndarray]]] = [[] for _ in range(count)]
    found: list[list[Episode]] = [[] for _ in range(count)]
    for _ in range(150):
        step = simulator.step(policy(observation))
        observation = step.observation
        values = dict(step.variables)
        for i in range(count):
            rows[i].append({name: value[i] for name, value in values.items()})
            if step.terminated[i] or step.truncated[i]:
                stacked = {name: np.stack([row[name] for row in rows[i]]) for name in values}
                action = stacked["action"]
                end = bool(step.terminated[i])
                found[i].append(Episode(stacked, action, end, simulator.control_step))
                rows[i] = []
    return found


def assert_same(one: Episode, other: Episode) -> None:
    assert len(one) == len(other)
    assert (one.terminated, one.control_step) == (other.terminated, other.control_step)
    np.testing.assert_array_equal(one.action, other.action)
    assert set(one.variables) == set(other.variables)
    for name in other.variables:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-14, atol=0, err_msg=name)
        assert one[name].dtype == np.float64


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), limit=st.integers(1, 60), count=st.integers(1, 5))
def test_the_recorder_gathers_every_episode_whole(seed: int, limit: int, count: int) -> None:
    task = dataclasses.replace(HOPPER, episode_steps=limit)
    simulator = MujocoSimulator(task, count)
    recorder = EpisodeRecorder(simulator)
    observation = simulator.reset(seed)
    found: list[list[Episode]] = [[] for _ in range(count)]
    for _ in range(150):
        step = simulator.step(lean(observation))
        observation = step.observation
        for index, episode in recorder.record(step):
            found[index].append(episode)
    for ours, theirs in zip(found, by_hand(task, count, seed, lean), strict=True):
        assert len(ours) == len(theirs) > 0
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
            assert fitness_of(task, [one]) == fitness_of(task, [other]) is not None


def test_an_episode_whose_beginning_was_missed_is_left_out() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=12)
    simulator = MujocoSimulator(task, 2)
    simulator.reset(0)
    for _ in range(5):
        simulator.step(np.zeros((2, 3)))
    recorder = EpisodeRecorder(simulator)
    found = [recorder.record(simulator.step(np.zeros((2, 3)))) for _ in range(24)]
    assert [number for number, episodes in enumerate(found) if episodes] == [18]
    assert [(index, len(episode)) for index, episode in found[18]] == [(0, 12), (1, 12)]
    # A reset in the middle drops what was begun.
    simulator.reset(0)
    found = [recorder.record(simulator.step(np.zeros((2, 3)))) for _ in range(12)]
    assert [len(episodes) for episodes in found] == [0] * 11 + [2]


def test_each_environment_gives_its_first_episode() -> None:
    expected = [episodes[0] for episodes in by_hand(HOPPER, 6, 7, lean)]
    found = rollout_episodes(MujocoSimulator(HOPPER, 6), lean, 6, seed=7)
    assert len({len(episode) for episode in found}) > 1
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)
    # More environments than episodes change nothing.
    again = rollout_episodes(MujocoSimulator(HOPPER, 9), lean, 6, seed=7)
    for one, other in zip(found, again, strict=True):
        assert_same(one, other)


def behind_or_ahead(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """One metre behind the origin or ahead of it."""
    qpos = np.tile([0.0, 1.25, 0, 0, 0, 0], (n, 1))
    qpos[:, 0] = rng.choice([-1.0, 1.0], n)
    return qpos, np.zeros((n, 6))


def test_short_episodes_are_not_favoured() -> None:
    """Those who start behind end at once, and are as many as have started there."""
    task = dataclasses.replace(
        HOPPER,
        episode_steps=50,
        reset=behind_or_ahead,
        terminated=lambda v, xp: v["forward_position"] < 0.0,
    )
    simulator = MujocoSimulator(task, 40)
    behind = []
    for i in range(40):
        qpos, _ = behind_or_ahead(np.random.default_rng([1, i, 0]), 1)
        behind.append(bool(qpos[0, 0] < 0))
    assert 10 < sum(behind) < 30
    episodes = rollout_episodes(simulator, lambda observation: np.zeros((40, 3)), 40, seed=1)
    assert [episode.terminated for episode in episodes] == behind
    assert [len(episode) for episode in episodes] == [1 if short else 50 for short in behind]


def test_more_episodes_than_environments_are_refused() -> None:
    with pytest.raises(ValueError, match="3 episodes need as many environments, not 2"):
        rollout_episodes(MujocoSimulator(HOPPER, 2), lean, 3, seed=0)


def test_random_policies_fill_the_action_range() -> None:
    policy = random_policy(MujocoSimulator(HOPPER, 1), np.random.default_rng(0))
    action = policy(np.zeros((1000, 11)))
    assert action.shape == (1000, 3)
    assert np.abs(action).max() <= 1
    np.testing.assert_allclose(action.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(action.std(axis=0), 1 / np.sqrt(3), atol=0.05)


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), limit=st.integers(1, 60), steps=st.integers(0, 100))
def test_episodes_go_on_from_a_snapshot(seed: int, limit: int, steps: int) -> None:
    """Two environments move to another simulator in the middle of their episodes."""
    task = dataclasses.replace(HOPPER, episode_steps=limit)
    expected = by_hand(task, 4, seed, lean)[1:3]
    found: list[list[Episode]] = [[], []]

    def play(simulator: MujocoSimulator, recorder: EpisodeRecorder, first: int, count: int) -> None:
        for _ in range(count):
            for index, episode in recorder.record(simulator.step(lean(simulator.observe()))):
                if index in (first, first + 1):
                    found[index - first].append(episode)

    simulator = MujocoSimulator(task, 4)
    simulator.reset(seed)
    recorder = EpisodeRecorder(simulator)
    play(simulator, recorder, 1, steps)
    episodes, states = recorder.snapshot(slice(1, 3)), simulator.snapshot(slice(1, 3))

    simulator = MujocoSimulator(task, 2)
    simulator.restore(slice(0, 2), states)
    recorder = EpisodeRecorder(simulator)
    recorder.restore(slice(0, 2), episodes)
    play(simulator, recorder, 0, 150 - steps)
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs) > 0
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)


def test_an_episode_whose_beginning_was_missed_stays_left_out_after_a_snapshot() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=12)
    simulator = MujocoSimulator(task, 2)
    simulator.reset(0)
    simulator.step(np.zeros((2, 3)))
    recorder = EpisodeRecorder(simulator)
    recorder.record(simulator.step(np.zeros((2, 3))))
    again = EpisodeRecorder(simulator)
    again.restore(slice(0, 2), recorder.snapshot(slice(0, 2)))
    found = [again.record(simulator.step(np.zeros((2, 3)))) for _ in range(22)]
    assert [number for number, episodes in enumerate(found) if episodes] == [21]
