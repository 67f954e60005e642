"""Fitness and success of made-up episodes, computed by hand."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from reward_synth.task import Derived, Episode, Task, load_task


def episode(
    variables: Mapping[str, np.ndarray], control_step: float, terminated: bool = False
) -> Episode:
    length = len(next(iter(variables.values())))
    return Episode(variables, np.zeros((length, 1)), terminated, control_step)


def flight(
    turned: np.ndarray, height: float = 1.2, torso: float = 0.9, clearance: float = 0.3
) -> Episode:
    """A hopper whose torso turns as given, at constant heights."""
    full = np.ones(len(turned))
    return episode(
        {
            "turned_angle": turned,
            "torso_up": np.cos(turned),
            "torso_height": height * full,
            "torso_clearance": torso * full,
            "clearance": clearance * full,
        },
        0.008,
    )


def fitness(task: Task, episode: Episode) -> float:
    assert task.fitness is not None
    return task.fitness(episode)


BACKFLIP = load_task("hopper-backflip")
TWO_TURNS = np.linspace(0.0, -4.0 * math.pi, 400)


def test_two_turns_backward_are_two_flips():
    assert fitness(BACKFLIP, flight(TWO_TURNS)) == 2.0
    assert BACKFLIP.success is not None
    assert BACKFLIP.success(flight(TWO_TURNS))


@pytest.mark.parametrize(
    "attempt",
    [
        flight(-TWO_TURNS),
        flight(0.4 * math.pi * np.sin(np.linspace(0.0, 30.0, 400))),
        flight(np.linspace(0.0, -1.5 * math.pi, 400)),
        flight(np.zeros(400)),
        flight(TWO_TURNS, height=0.5),
        flight(TWO_TURNS, torso=0.0),
        flight(TWO_TURNS, clearance=0.0),
        flight(np.concatenate([TWO_TURNS[:150], TWO_TURNS[:150][::-1]])),
    ],
    ids=[
        "forward",
        "rocking",
        "three quarters",
        "standing",
        "never up",
        "rolling on the torso",
        "never airborne",
        "over and back the same way",
    ],
)
def test_what_is_no_back_flip(attempt: Episode):
    assert fitness(BACKFLIP, attempt) == 0.0
    assert BACKFLIP.success is not None
    assert not BACKFLIP.success(attempt)


def test_a_flip_counts_when_its_landing_is_upright():
    landed = np.concatenate([np.linspace(0.0, -2.0 * math.pi + 0.45, 200), np.full(50, -5.83)])
    short = np.concatenate([np.linspace(0.0, -2.0 * math.pi + 0.6, 200), np.full(50, -5.68)])
    assert fitness(BACKFLIP, flight(landed)) == 1.0
    assert fitness(BACKFLIP, flight(short)) == 0.0


@pytest.mark.parametrize(
    ("name", "control_step"), [("hopper-forward", 0.008), ("cheetah-run", 0.05)]
)
def test_runners_score_distance_over_the_full_duration(name: str, control_step: float):
    task = load_task(name)
    seconds = 1000 * control_step
    steady = episode({"forward_position": 2.5 * control_step * np.arange(1, 1001)}, control_step)
    assert fitness(task, steady) == pytest.approx(2.5)
    fallen = episode({"forward_position": np.linspace(0.0, 4.0, 300)}, control_step, True)
    assert fitness(task, fallen) == pytest.approx(4.0 / seconds)


def test_the_ant_scores_its_forward_distance_only():
    task = load_task("ant-forward")
    root = np.zeros((1000, 7))
    root[:, 0] = np.linspace(0.0, 60.0, 1000)
    root[:, 1] = np.linspace(0.0, 80.0, 1000)
    forward = task.variables["forward_position"].binding
    assert isinstance(forward, Derived)
    position = forward.function({"root_position": root}, np)
    walked = episode({"root_position": root, "forward_position": position}, 0.05)
    assert fitness(task, walked) == pytest.approx(1.2)
    assert task.success is not None
    assert task.success(walked)


def test_the_reacher_scores_its_last_ten_distances():
    task = load_task("reacher-reach")
    distance = np.concatenate([np.full(40, 0.2), np.full(9, 0.03), [0.01]])
    reached = episode({"target_distance": distance}, 0.02)
    assert fitness(task, reached) == pytest.approx(-(9 * 0.03 + 0.01) / 10)
    assert task.success is not None
    assert task.success(reached)
    assert not task.success(episode({"target_distance": np.full(50, 0.021)}, 0.02))


def test_the_cartpole_scores_uprightness_and_centring():
    task = load_task("cartpole-swingup")

    def balanced(angle: np.ndarray, position: float) -> Episode:
        cart = np.full(len(angle), position)
        return episode({"pole_up": np.cos(angle), "pole_angle": angle, "cart_position": cart}, 0.04)

    assert fitness(task, balanced(np.zeros(250), 0.0)) == pytest.approx(1.0)
    assert fitness(task, balanced(np.zeros(250), 1.0)) == pytest.approx(0.5)
    assert fitness(task, balanced(np.full(250, math.pi), 0.0)) == pytest.approx(0.0)
    half = np.where(np.arange(250) < 125, math.pi, 0.1)
    assert fitness(task, balanced(half, 0.0)) == pytest.approx((1 + math.cos(0.1)) / 4)
    assert task.success is not None
    assert task.success(balanced(half, 0.0))
    half[-1] = 0.25
    assert not task.success(balanced(half, 0.0))
