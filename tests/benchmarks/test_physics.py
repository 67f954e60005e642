"""The contenders of the physics benchmark, run for a moment."""

from functools import partial

import pytest

from benchmarks.physics import (
    ENVIRONMENTS,
    PROGRAMS,
    SETTINGS,
    Setting,
    Team,
    compare,
    gymnasium,
    ours,
    raw,
)
from reward_synth.task import load_task

MOMENT = 0.01


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.task)
def test_a_setting_is_the_task_under_another_name(setting: Setting):
    import gymnasium as gym

    task = load_task(setting.task)
    environment = gym.make(setting.gymnasium, **setting.gymnasium_options)
    assert environment.spec is not None
    assert environment.spec.max_episode_steps == task.episode_steps
    assert environment.unwrapped.frame_skip == task.frame_skip  # type: ignore[attr-defined]
    environment.close()


def test_contenders_count_their_steps():
    cheetah = SETTINGS[0]
    files = sorted((PROGRAMS / cheetah.task).glob("*.py"))[:2]
    task = load_task(cheetah.task)
    # An episode, a rollout of two candidates, a step of three environments: the least there is.
    for runner, least in (
        (raw(cheetah), task.episode_steps),
        (ours(cheetah.task, files, 1), task.ppo.rollout_steps * 2 * ENVIRONMENTS),
        (gymnasium(cheetah, 1, 3), 3),
    ):
        steps = runner(MOMENT)
        assert steps >= least
        assert steps % least == 0


def test_a_team_runs_whenever_it_is_asked_to():
    team = Team([partial(raw, SETTINGS[0])])
    try:
        assert team.speed(MOMENT) > 0
        assert team.speed(MOMENT) > 0
        assert all(process.is_alive() for process in team.processes)
    finally:
        team.close()
    assert [process.exitcode for process in team.processes] == [0]


def test_the_best_layouts_are_compared():
    measured = {
        "raw limit": [100.0, 200.0],
        "ours, 1 process × 2 threads": [50.0, 60.0],
        "ours, 2 processes × 1 thread": [80.0, 150.0],
        "Gymnasium, AsyncVectorEnv of 2": [10.0, 10.0],
        "Gymnasium, 2 × SyncVectorEnv of 64": [40.0, 50.0],
    }
    ratios = compare(measured)
    raw_limit, over_gymnasium = ratios["of_raw_limit"], ratios["over_gymnasium"]
    assert raw_limit is not None and over_gymnasium is not None
    assert (raw_limit.low, raw_limit.median, raw_limit.high) == (0.75, 0.775, 0.8)
    assert (over_gymnasium.low, over_gymnasium.high) == (2.0, 3.0)
    assert ratios["over_envpool"] is None
