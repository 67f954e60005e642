"""``tasks new … --model`` as a user types it, against a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authoring.answers import CENTRED, FITNESS, GOOD, SUCCESS, answer
from tests.cli.command import environment, reward_synth
from tests.cli.test_bad_input import assert_one_line
from tests.servers import CompletionServer

POLE = ("--env", "CartPole-v1", "--say", "Stay in the middle.", "--model", "openai/test")


def test_a_task_is_written_without_questions(tmp_path: Path):
    with CompletionServer(GOOD) as server:
        said = reward_synth(
            "tasks", "new", tmp_path / "pole", *POLE, "--base-url", server.base_url, "--yes",
            "--json",
        )  # fmt: skip
    made = said.json
    assert said.status == 0 and made["ok"] and made["refused"] == []
    assert made["task"]["fitness"] == FITNESS["doc"]
    assert made["task"]["success"] == SUCCESS["doc"]
    assert made["task"]["variables"][0]["unit"] == "m"
    assert made["written_by_model"] == {
        "model": "openai/test",
        "written": [
            *("the documentation of cart_position, pole_angle", "the fitness", "the success")
        ],
        "refused": {},
        "requests": 3,
        "prompt_tokens": server.prompt_tokens,
        "completion_tokens": server.completion_tokens,
        "cost": None,
    }
    assert "asking openai/test for the fitness …" in said.err
    shown = reward_synth("tasks", "show", tmp_path / "pole", "--json").json
    assert shown["fitness"] == FITNESS["doc"]
    expert = tmp_path / "pole" / "sparse_reward.py"
    assert reward_synth("check", tmp_path / "pole", expert).status == 0


def test_what_was_refused_is_a_note_and_no_failure(tmp_path: Path):
    bad = answer(FITNESS, f"import os\nos.remove('x')\n{CENTRED}")
    with CompletionServer([GOOD[0], bad, bad, bad, GOOD[2]]) as server:
        said = reward_synth(
            "tasks", "new", tmp_path / "pole", *POLE, "--base-url", server.base_url, "--yes"
        )
    assert said.status == 0
    note = "note: the fitness is the default one: its answers were refused, the last one because"
    assert note in said.out
    assert "; 5 requests, " in said.out and "unknown price" in said.out
    assert "os.remove" not in (tmp_path / "pole" / "task.py").read_text()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--base-url", "http://127.0.0.1:9/v1"), "add --model NAME"),
        (("--model", "offline"), "--model offline writes no tasks"),
        (("--model", "openai/test", "--base-url", "http://127.0.0.1:9/v1"), "nothing answers at"),
        (("--model", "openai/test"), "OPENAI_API_KEY"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(options, expected: str, tmp_path: Path):
    said = reward_synth("tasks", "new", tmp_path / "new", "--env", "CartPole-v1", *options, "--yes")
    assert_one_line(said, expected)
    assert list(tmp_path.iterdir()) == []


def test_a_provider_that_refuses_half_way_leaves_nothing(tmp_path: Path):
    with CompletionServer(GOOD, faults=[None, "401"]) as server:
        said = reward_synth(
            "tasks", "new", tmp_path / "pole", *POLE, "--base-url", server.base_url, "--json",
            TMPDIR=str(tmp_path),
        )  # fmt: skip
    assert said.status == 2 and "refuses the key (401)" in said.err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_in_a_terminal_each_part_is_asked_about(tmp_path: Path):
    """Yes to the documentation, the fitness once more and then yes, no success."""
    leader, follower = os.openpty()
    other = answer({**FITNESS, "doc": "another text"}, CENTRED)
    with CompletionServer([*GOOD[:2], other, GOOD[2]]) as server:
        asking = subprocess.Popen(
            [
                *(sys.executable, "-m", "reward_synth.cli", "tasks", "new", str(tmp_path / "pole")),
                *(*POLE, "--base-url", server.base_url),
            ],
            env=environment(),
            stdin=follower,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(leader, b"a\nwhat\nk\na\nd\n")
        out, err = asking.communicate(timeout=120)
    os.close(leader)
    os.close(follower)
    assert asking.returncode == 0, err
    assert "cart_position [m]: position along the rail; 0 is the middle" in out
    assert "default: sum of the environment's own reward over an episode" in out
    assert "answer a, d or k" in out
    assert "written by openai/test: the documentation of cart_position, pole_angle; " in out
    assert "; the fitness; 4 requests, " in out
    source = (tmp_path / "pole" / "task.py").read_text()
    assert 'fitness_doc="another text"' in source and "def success" not in source
