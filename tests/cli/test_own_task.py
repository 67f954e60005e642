"""The page on writing a task is right: its files are made, and pass."""

import re
from pathlib import Path

from tests.cli.command import CHECKOUT, reward_synth


def test_the_task_of_the_page_works(tmp_path: Path):
    page = (CHECKOUT / "docs" / "own-task.md").read_text()
    blocks = re.findall(r"`(balance/\w+\.py)`[^`]*?```python\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in blocks] == [
        "balance/task.py", "balance/sparse_reward.py", "balance/expert_reward.py",
    ]  # fmt: skip
    (tmp_path / "balance").mkdir()
    for name, code in blocks:
        (tmp_path / name).write_text(code)
    shown = reward_synth("tasks", "show", "./balance", "--json", cwd=tmp_path).json
    assert shown["observation_size"] == 6
    assert shown["termination"] == "The tip has fallen."
    rewards = [name for name, _ in blocks[1:]]
    told = reward_synth("check", "balance", *rewards, cwd=tmp_path)
    assert told.status == 0, told.out + told.err
    assert "2 programs, 0 refused" in told.out
