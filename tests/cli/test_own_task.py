"""The page on writing a task is right: its files are made, and pass."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.command import CHECKOUT, reward_synth

PAGE = (CHECKOUT / "docs" / "own-task.md").read_text()


def make(folder: Path, name: str) -> list[str]:
    """Write the files of one of the page's tasks; gives the reward programs among them."""
    blocks = re.findall(rf"`({name}/\w+\.py)`[^`]*?```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks[0][0] == f"{name}/task.py"
    (folder / name).mkdir()
    for file, code in blocks:
        (folder / file).write_text(code)
    return [file for file, _ in blocks[1:]]


def test_the_task_on_a_model_works(tmp_path: Path):
    rewards = make(tmp_path, "balance")
    assert rewards == ["balance/sparse_reward.py", "balance/expert_reward.py"]
    shown = reward_synth("tasks", "show", "./balance", "--json", cwd=tmp_path).json
    assert shown["observation_size"] == 6
    assert shown["termination"] == "The tip has fallen."
    checked = reward_synth("check", "balance", *rewards, cwd=tmp_path)
    assert checked.status == 0, checked.out + checked.err
    assert "2 programs, 0 refused" in checked.out


def test_the_task_on_gymnasiums_environment_works(tmp_path: Path):
    rewards = make(tmp_path, "swing")
    assert rewards == ["swing/sparse_reward.py"]
    shown = reward_synth("tasks", "show", "./swing", "--json", cwd=tmp_path).json
    assert shown["rewards"] == {"expert": True, "sparse": True}
    assert shown["actions"][0]["meaning"] == "-1 is -2, 1 is 2"
    assert [variable["name"] for variable in shown["variables"]][-1] == "angular_velocity"
    checked = reward_synth("check", "swing", *rewards, cwd=tmp_path)
    assert checked.status == 0, checked.out + checked.err


def test_the_task_on_mjlabs_environment_works(tmp_path: Path):
    if find_spec("mjlab") is None:
        pytest.skip("mjlab is not installed (the extra isaac)")
    assert make(tmp_path, "cartpole") == []
    shown = reward_synth("tasks", "show", "./cartpole", "--json", cwd=tmp_path).json
    assert [variable["shape"] for variable in shown["variables"]] == ["(N, 2)", "(N, 2)"]
    assert shown["rewards"]["expert"] and shown["control_step"] > 0


@pytest.mark.parametrize("example", ["quadruped-velocity", "push-to-goal"])
def test_the_examples_work(example: str, tmp_path: Path):
    folder = CHECKOUT / "examples" / "tasks" / example
    rewards = [folder / "expert_reward.py", folder / "sparse_reward.py"]
    checked = reward_synth("check", folder, *rewards, cwd=tmp_path)
    assert checked.status == 0 and "2 programs, 0 refused" in checked.out
