"""A reward program as a measure of whole episodes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UserError
from reward_synth.reward import EpisodeMeasure, RewardError
from reward_synth.reward.measure import ROWS_AT_ONCE, Over

CLIMB = """
def compute_reward(height, prev_height):
    climbed = height - prev_height
    return climbed + height, {"climbed": climbed, "height": height}
"""


@dataclass(frozen=True)
class Walk:
    """An episode."""

    variables: dict[str, np.ndarray]
    action: np.ndarray


def walk(heights: list[float]) -> Walk:
    return Walk({"height": np.array(heights)}, np.zeros((len(heights), 2)))


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"climbed": "mean", "height": "last"}, 3.0 / 4 + 4.0),
        ({"climbed": "max", "height": "min"}, 2.0 + 1.0),
    ],
)
def test_components_are_reduced_over_the_episode_and_added_up(
    over: dict[str, Over], expected: float
):
    assert EpisodeMeasure(CLIMB, over)(walk([1.0, 2.0, 2.0, 4.0]), 4) == expected


def test_an_early_end_never_pays():
    """Missing steps of a cost count as its worst step, those of a gain as nothing."""
    cost = "def compute_reward(height):\n    low = height - 5.0\n    return low, {'low': low}\n"
    gain = cost.replace("height - 5.0", "height + 0.0")
    short = walk([1.0, 2.0])
    assert EpisodeMeasure(cost, {"low": "mean"})(short, 10) == (-4.0 - 3.0 + 8 * -4.0) / 10
    assert EpisodeMeasure(gain, {"low": "mean"})(short, 10) == 3.0 / 10


def test_a_long_episode_is_measured_as_a_whole():
    steps = 3 * ROWS_AT_ONCE + 1
    episode = walk(list(np.arange(steps, dtype=float)))
    measure = EpisodeMeasure(CLIMB, {"climbed": "mean", "height": "last"})
    assert measure(episode, steps) == pytest.approx((steps - 1) / steps + steps - 1)
    assert len(measure.components(episode)["climbed"]) == steps


def test_actions_and_vectors_are_read():
    program = (
        "def compute_reward(action, prev_action):\n"
        "    calm = -xp.sum((action - prev_action) ** 2, axis=-1)\n"
        "    return calm, {'calm': calm}\n"
    )
    episode = Walk({}, np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert EpisodeMeasure(program, {"calm": "min"})(episode, 2) == -2.0


@pytest.mark.parametrize(
    ("program", "over", "said"),
    [
        ("def compute_reward(", {}, "the program of a measure: line 1"),
        (CLIMB, {"climbed": "median"}, "'climbed' by 'median'; choose one of mean, last"),
    ],
)
def test_a_wrong_measure_is_said_when_it_is_made(program: str, over: Any, said: str):
    with pytest.raises(UserError) as caught:
        EpisodeMeasure(program, over)
    assert said in str(caught.value)


def test_what_it_reads_and_reduces_has_to_be_there():
    with pytest.raises(ValueError, match="components are climbed, height, and over names climbed"):
        EpisodeMeasure(CLIMB, {"climbed": "last"})(walk([1.0]), 1)
    unknown = CLIMB.replace("height", "altitude")
    with pytest.raises(RewardError, match="'altitude' is not a variable"):
        EpisodeMeasure(unknown, {})(walk([1.0]), 1)
    mixing = CLIMB.replace("height - prev_height", "xp.mean(height, axis=0) + 0.0 * prev_height")
    with pytest.raises(RewardError, match="mixes the rows"):
        EpisodeMeasure(mixing, {})(walk([1.0]), 1)
