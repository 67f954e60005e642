"""What a policy does in numbers: real episodes of made-up policies, and episodes made by hand."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reward_synth.errors import RunError
from reward_synth.evaluation import (
    Behaviour,
    behaviour,
    fitness_of,
    record_episodes,
    score_policy,
)
from reward_synth.feedback import describe
from reward_synth.simulation.policy import Policy, save_policy
from reward_synth.simulation.statistics import VariableStatistics, variable_statistics
from reward_synth.task import Derived, Episode, Task, Variable, load_task

CONTROL_STEP = 0.02
SIZES = {"hopper-forward": (11, 3), "reacher-reach": (10, 2), "cartpole-swingup": (5, 1)}
"""Entries of observation and action."""


def policy(folder: Path, task: str) -> Path:
    """Weights made up: it moves, and does not do the task."""
    rng = np.random.default_rng(3)
    observed, actions = SIZES[task]
    shapes = [(8, observed), (actions, 8)]
    path = folder / "policy.safetensors"
    made_up = Policy(
        observation_mean=np.zeros(observed),
        observation_variance=np.ones(observed),
        weights=tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes),
        biases=tuple(rng.normal(size=shape[0]).astype(np.float32) for shape in shapes),
    )
    save_policy(path, made_up)
    return path


def nothing(v, xp):
    raise AssertionError("episodes made by hand hold their variables")


def hand_made(**changes) -> Task:
    """A task whose variables are those of :func:`episode`."""
    told = {name: Variable("", "m", Derived(nothing)) for name in ("height", "noise", "still")}
    vector = {"joints": Variable("", "rad", Derived(nothing))}
    secret = {"secret": Variable("", "m", Derived(nothing), public=False)}
    settings = {
        "variables": {**told, **vector, **secret},
        "episode_steps": 100,
        "fitness": lambda episode: float(episode["height"].mean()),
        "success": lambda episode: bool(episode["height"].max() > 5.0),
    }
    return replace(load_task("reacher-reach"), **{**settings, **changes})


def episode(rise: float, steps: int = 100, *, seed: int = 0, terminated: bool = False) -> Episode:
    """``height`` rises evenly and drops at the last step, if that is an early end."""
    rng = np.random.default_rng(seed)
    height = np.linspace(0.0, rise, steps)
    if terminated:
        height[-1] = -1.0
    variables = {
        "height": height,
        "noise": rng.uniform(-0.1, 0.1, steps),
        "still": np.full(steps, 2.0),
        "joints": np.stack([np.sin(np.arange(steps) / 9.0), height, -height], axis=-1),
        "secret": 100.0 * height,
    }
    action = np.where(np.arange(steps)[:, None] % 2 == 0, [[1.0, 0.0]], [[-1.0, 0.5]])
    return Episode(variables, action, terminated, CONTROL_STEP)


def usual() -> dict[str, VariableStatistics]:
    """Under random actions every variable moves a little."""
    one = VariableStatistics(0.0, 0.1, -0.2, 0.2, -0.15, 0.15, 0.01, (-0.1, 0.1), ())
    return dict.fromkeys(("height", "noise", "still", "joints"), one)


def numbers(found: Behaviour) -> list[float]:
    """All numbers of the JSON document."""

    def walk(value) -> list[float]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [n for entry in value for n in walk(entry)]
        return [float(value)] if type(value) in (int, float) else []

    return walk(json.loads(found.model_dump_json()))


@pytest.mark.parametrize("name", list(SIZES))
def test_of_the_very_episodes_that_were_scored(name, tmp_path):
    task, path = load_task(name), policy(tmp_path, name)
    episodes = record_episodes(task, path, 6)
    score = score_policy(task, path, 6)
    assert fitness_of(task, episodes) == score.episodes
    found = behaviour(task, episodes)
    assert behaviour(task, record_episodes(task, path, 6), variable_statistics(task)) == found
    assert Behaviour.model_validate_json(found.model_dump_json()) == found
    assert found.fitness is not None
    assert found.fitness.mean == float(f"{score.fitness:.3g}")
    assert found.early == sum(e.terminated for e in episodes)
    assert (found.early == 6) == (name == "hopper-forward"), "the others never end early"
    assert all(math.isfinite(n) and n == float(f"{n:.3g}") for n in numbers(found))
    typical = found.excerpts[0]
    assert typical.fitness in [float(f"{value:.3g}") for value in score.episodes]
    rounded = [float(f"{value:.3g}") for value in score.episodes]
    shown = episodes[rounded.index(typical.fitness)]
    assert (typical.steps, typical.early) == (len(shown), shown.terminated)
    for place, column in enumerate(typical.columns):
        variable, _, entry = column.partition("[:, ")
        assert task.variables[variable].public
        values = shown[variable] if not entry else shown[variable][:, int(entry[:-1])]
        for row in typical.rows:
            assert row.values[place] == pytest.approx(values[row.step - 1], rel=0.01, abs=1e-8)
    assert (typical.rows[0].step, typical.rows[-1].step) == (1, len(shown))
    assert min(9, len(shown)) <= len(typical.rows) <= 12


def test_the_typical_episode_and_one_of_the_other_outcome():
    episodes = [episode(rise, seed=k) for k, rise in enumerate((1.0, 2.0, 3.0, 8.0, 12.0))]
    found = behaviour(hand_made(), episodes, usual())
    assert found.successes == 2
    assert [(e.fitness, e.success) for e in found.excerpts] == [(1.5, False), (4.0, True)]
    without = behaviour(hand_made(success=None), episodes, usual())
    assert without.successes is None
    assert [(e.fitness, e.success) for e in without.excerpts] == [(1.5, None)]
    unmeasured = behaviour(hand_made(fitness=None), episodes, usual())
    assert unmeasured.fitness is None and len(unmeasured.variables) == len(found.variables)
    assert [(e.fitness, e.success) for e in unmeasured.excerpts] == [(None, False), (None, True)]
    told = describe(unmeasured)
    assert "2 succeed. Actions:" in told and "itness" not in told and "None" not in told
    alike = behaviour(hand_made(success=lambda e: True), episodes, usual())
    assert [e.success for e in alike.excerpts] == [True]


def test_of_equal_fitness_the_one_of_usual_length_is_typical():
    task = hand_made(fitness=lambda e: 0.0, success=None)
    episodes = [episode(1.0, steps, terminated=True) for steps in (90, 12, 40)]
    [typical] = behaviour(task, episodes, usual()).excerpts
    assert typical.steps == 40


def test_columns_are_what_moves_most_and_say_different_things():
    episodes = [episode(rise, seed=k) for k, rise in enumerate((1.0, 1.5, 2.0, 2.5, 3.0))]
    found = behaviour(hand_made(), episodes, usual())
    columns = found.excerpts[0].columns
    assert columns == ["height", "joints[:, 0]", "noise"], (
        "height goes with fitness; joints 1 and 2 are the same as it; still does not move; "
        "secret is not public"
    )
    assert list(found.variables) == ["height", "noise", "still"]
    assert (found.variables["still"].low, found.variables["still"].high) == (2.0, 2.0)


def test_rows_are_the_start_the_extremes_and_the_end():
    found = behaviour(hand_made(success=None), [episode(5.0, terminated=True)], usual())
    [typical] = found.excerpts
    told = {row.moment: row.step for row in typical.rows}
    height = typical.columns.index("height")
    assert (told["start"], told["early end"]) == (1, 100)
    assert "lowest height" not in told, "that is the end itself"
    assert typical.rows[-1].values[height] == -1.0
    assert told["highest joints[:, 0]"] in (15, 16, 71, 72)
    assert typical.rows == sorted(typical.rows, key=lambda row: row.step)


def test_a_long_gap_is_filled():
    late = episode(1.0, 99)
    for name in ("height", "noise", "joints"):
        late.variables[name][20:] = late.variables[name][20]
    found = behaviour(hand_made(success=None), [late], usual())
    steps = [row.step for row in found.excerpts[0].rows]
    assert len(steps) <= 12
    assert max(b - a for a, b in itertools.pairwise(steps)) <= 40


def test_how_episodes_end():
    task = hand_made(success=None)
    episodes = [episode(5.0, s, seed=s, terminated=True) for s in (20, 31, 60)]
    found = behaviour(task, [*episodes, episode(5.0)], usual())
    assert (found.episodes, found.early, found.early_steps) == (4, 3, (20, 31, 60))
    [sign] = [sign for sign in found.signs if sign.name == "height"]
    assert sign.mean == -1.0
    assert 0.0 <= sign.before.low < sign.before.high <= 5.0
    whole = behaviour(task, [episode(5.0)], usual())
    assert (whole.early, whole.early_steps, whole.signs) == (0, None, [])


def test_actions_are_told_by_their_size():
    found = behaviour(hand_made(), [episode(1.0)], usual())
    assert (found.command, found.at_limit) == (0.625, 0.5)


def test_an_episode_of_one_step_and_no_public_variable():
    found = behaviour(hand_made(success=None), [episode(1.0, 1, terminated=True)], usual())
    assert [(row.step, row.moment) for row in found.excerpts[0].rows] == [(1, "early end")]
    assert found.excerpts[0].columns == []
    hidden = hand_made(variables={}, success=None)
    assert behaviour(hidden, [episode(1.0)], {}).excerpts[0].columns == []


def test_what_is_not_finite_is_left_out_and_a_fitness_that_is_not_is_refused():
    broken = episode(1.0)
    broken.variables["noise"][3] = math.nan
    found = behaviour(hand_made(), [broken, episode(2.0)], usual())
    assert "noise" not in found.variables
    assert all(map(math.isfinite, numbers(found)))
    with pytest.raises(RunError, match="is not finite"):
        behaviour(hand_made(fitness=lambda e: math.nan), [episode(1.0)], usual())
