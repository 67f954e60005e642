"""``tasks new`` and ``tasks search`` as a user types them."""

from pathlib import Path

import gymnasium
import pytest

from tests.cli.command import reward_synth
from tests.cli.test_bad_input import assert_one_line

ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"


def test_a_model_becomes_a_task_that_is_tried(tmp_path: Path):
    made = reward_synth(
        "tasks", "new", tmp_path / "hop", "--mjcf", ASSETS / "hopper.xml", "--goal", "speed=1",
        "--say", "Hop forward at 1 m/s.", "--yes", "--json",
    ).json  # fmt: skip
    assert made["ok"] and made["refused"] == []
    assert made["task"]["description"] == "Hop forward at 1 m/s."
    assert made["steps_per_second"] > 0
    names = {path.name for path in (tmp_path / "hop").iterdir()}
    assert {"task.py", "README.md", "expert_reward.py", "sparse_reward.py"} <= names
    again = reward_synth("tasks", "new", tmp_path / "hop", "--env", "CartPole-v1", "--yes")
    assert_one_line(again, "exists already")


def test_an_environment_becomes_a_task(tmp_path: Path):
    made = reward_synth("tasks", "new", tmp_path / "pole", "--env", "CartPole-v1", "--yes")
    assert made.status == 0, made.err
    assert "cart_position" in made.out and "1 chooses option 1" in made.out
    assert "next: reward-synth run" in made.out


def test_search_lists_what_is_installed():
    found = reward_synth("tasks", "search", "pendulum", "--json").json
    assert {"id": "Pendulum-v1", "from": "gymnasium", "summary": ""} in found
    assert_one_line(reward_synth("tasks", "search", "Pendulm-v7"), "near it: Pendulum-v1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "nothing was given"),
        (("--env", "CartPole-v1", "--mjcf", "x.xml"), "--mjcf and --env was given"),
        (("--env", "CartPol-v1"), "did you mean CartPole-v1?"),
        (("--env", "CartPole-v1", "--goal", "speed=1"), "an environment has its own"),
        (("--mjcf", "nowhere.xml"), "nowhere.xml"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(options, expected: str, tmp_path: Path):
    said = reward_synth("tasks", "new", tmp_path / "new", *options, "--yes")
    assert_one_line(said, expected)
    assert list(tmp_path.iterdir()) == []
