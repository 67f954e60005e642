"""``import``: rewards written for other frameworks, on the built-in tasks."""

from pathlib import Path

import pytest

from tests.cli.command import reward_synth

EUREKA = """\
import torch
from torch import Tensor
from typing import Dict, Tuple

@torch.jit.script
def compute_reward(
    object_pos: Tensor, goal_pos: Tensor, actions: Tensor
) -> Tuple[Tensor, Dict[str, Tensor]]:
    distance = torch.norm(object_pos - goal_pos, p=2, dim=-1)
    reach = torch.exp(-10.0 * distance)  # dense
    effort = -0.01 * (actions ** 2).sum(dim=-1)
    return reach + effort, {"reach": reach, "effort": effort}
"""
MAPPED = (
    *("--map", "object_pos=fingertip_position"),
    *("--map", "goal_pos=target_position", "--map", "actions=action"),
)


def test_a_eureka_function_becomes_a_checked_program(tmp_path: Path):
    (tmp_path / "eureka.py").write_text(EUREKA)
    output = tmp_path / "reward.py"
    told = reward_synth(
        "import", tmp_path / "eureka.py", "--task", "reacher-reach", *MAPPED, "--output", output
    )
    assert told.status == 0, told.err
    assert "torch.norm is xp.linalg.vector_norm" in told.out
    assert "object_pos is the variable fingertip_position" in told.out
    assert f"written to {output}" in told.out
    assert output.read_text() == (
        "def compute_reward(fingertip_position, target_position, action):\n"
        "    distance = xp.linalg.vector_norm(fingertip_position - target_position, axis=-1)\n"
        "    reach = xp.exp(-10.0 * distance)  # dense\n"
        "    effort = -0.01 * xp.sum(action ** 2, axis=-1)\n"
        '    return reach + effort, {"reach": reach, "effort": effort}\n'
    )
    assert reward_synth("check", "reacher-reach", output).status == 0


def test_without_output_the_program_alone_is_on_stdout(tmp_path: Path):
    answer = tmp_path / "answer.md"
    answer.write_text(
        "Move:\n```python\nimport numpy as np\n\ndef compute_reward(self, action):\n"
        "    d = np.linalg.norm(self.robot.target_offset)\n"
        "    return 1.0 if d < 0.01 else -d\n```\n"
    )
    told = reward_synth("import", answer, "--task", "reacher-reach")
    assert told.status == 0, told.err
    assert told.out == (
        "def compute_reward(action, target_offset):\n"
        "    d = xp.linalg.vector_norm(target_offset, axis=-1)\n"
        "    total = xp.where(d < 0.01, 1.0, -d)\n"
        '    return total, {"total": total}\n'
    )
    assert "read as the reward of one state" in told.err


def test_what_cannot_be_translated_is_shown_where_it_stands(tmp_path: Path):
    file = tmp_path / "eureka.py"
    file.write_text(EUREKA)
    told = reward_synth("import", file, "--task", "reacher-reach", *MAPPED[:4])
    assert told.status == 1
    place, source, caret = told.out.splitlines()[:3]
    assert place.startswith(f"{file}:7:43: error: 'actions' is not a variable of this task")
    assert source == "    " + EUREKA.splitlines()[6]
    assert caret.index("^") == source.index("actions")
    assert told.out.endswith("refused, 1 finding\n")
    told = reward_synth("import", file, "--task", "reacher-reach", *MAPPED[:4], "--json")
    assert told.status == 1
    assert [(f["line"], f["code"]) for f in told.json["findings"]] == [(7, "unknown-variable")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--map", "object_pos"), "write NAME=VARIABLE"),
        (("--map", "object_pos=hand_position"), "'hand_position' is not a variable of the task"),
        (("--map", "cube=target_position"), "nothing in the file is called 'cube'"),
        (
            ("--map", "actions=action", "--map", "actions=target_position"),
            "stands for 'action' already",
        ),
        (("--output", "."), "exists already"),
    ],
)
def test_mistakes_get_one_line(tmp_path: Path, given: tuple[str, ...], said: str):
    file = tmp_path / "eureka.py"
    file.write_text(EUREKA)
    told = reward_synth("import", file, "--task", "reacher-reach", *given)
    assert told.status == 2
    assert said in told.err
    assert told.err.count("\n") == 1


def test_an_answer_without_code(tmp_path: Path):
    file = tmp_path / "answer.md"
    file.write_text("I would reward speed.")
    told = reward_synth("import", file, "--task", "ant-forward")
    assert told.status == 2
    assert "holds no program" in told.err
