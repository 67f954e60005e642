"""Whatever is wrong with what was asked: one clear line, exit status 2, nothing on stdout."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Outcome, environment, reward_synth

SOUND = "def compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n"


def assert_one_line(told: Outcome, *words: str) -> None:
    assert told.status == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    for word in words:
        assert word in told.err


@pytest.mark.parametrize("command", ["run", "train", "check", "score"])
def test_misspelt_task(command: str, tmp_path: Path):
    arguments = {
        "run": [],
        "train": ["--reward", "expert"],
        "check": [tmp_path],
        "score": ["--policy", tmp_path / "policy.safetensors"],
    }
    told = reward_synth(command, "cartpole-swingp", *arguments[command], cwd=tmp_path)
    assert_one_line(told, "cartpole-swingp", "did you mean cartpole-swingup?")


def test_misspelt_command_and_option():
    assert_one_line(reward_synth("runn"), "runn", "'run'")
    assert_one_line(reward_synth("run", "cartpole-swingup", "--sample", 3), "--samples")


def test_value_out_of_range():
    assert_one_line(reward_synth("run", "cartpole-swingup", "--samples", 0), "--samples", "1")


def test_run_without_a_task():
    assert_one_line(reward_synth("run"), "no task", "reward-synth tasks")


def test_a_cluster_that_nobody_can_join(tmp_path: Path):
    """Nothing is recorded of a run that could not begin."""
    for more in (["run"], ["train", "--reward", "expert"]):
        told = reward_synth(
            *more,
            "cartpole-swingup",
            "--engine",
            "ray",
            "--ray-address",
            "127.0.0.1:1",
            cwd=tmp_path,
        )
        assert_one_line(told, "no Ray cluster can be joined at 127.0.0.1:1", "--ray-address local")
    listed = reward_synth("runs", "--json", cwd=tmp_path)
    assert listed.out.strip() in ("[]", "")


def test_a_tracker_without_a_key(tmp_path: Path):
    told = reward_synth("run", "cartpole-swingup", "--tracker", "wandb", cwd=tmp_path)
    assert_one_line(told, "--tracker wandb: there is no key", "WANDB_MODE=offline")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"  \n\n", "empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary"),
        ("pole_up = 'é'".encode("latin-1"), "UTF-8"),
    ],
)
@pytest.mark.parametrize("command", ["check", "train"])
def test_reward_file_that_is_no_text(command: str, content: bytes, word: str, tmp_path: Path):
    reward = tmp_path / "reward.py"
    reward.write_bytes(content)
    given = {"check": [reward], "train": ["--reward", reward]}
    told = reward_synth(command, "cartpole-swingup", *given[command], cwd=tmp_path)
    assert_one_line(told, str(reward), word)


def test_reward_file_that_is_missing(tmp_path: Path):
    told = reward_synth("check", "cartpole-swingup", tmp_path / "reward.py")
    assert_one_line(told, "reward.py")


def test_folder_without_programs(tmp_path: Path):
    assert_one_line(reward_synth("check", "cartpole-swingup", tmp_path), "no reward programs")


def test_policy_that_is_none(tmp_path: Path):
    policy = tmp_path / "policy.safetensors"
    assert_one_line(reward_synth("score", "cartpole-swingup", "--policy", policy), str(policy))
    policy.write_bytes(b"not a policy")
    assert_one_line(reward_synth("score", "cartpole-swingup", "--policy", policy), str(policy))


def test_runs_folder_that_cannot_be_made(tmp_path: Path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    told = reward_synth("run", "cartpole-swingup", "--runs-dir", in_the_way / "runs")
    assert_one_line(told, str(in_the_way), "--runs-dir")


def test_runs_folder_that_no_one_may_write():
    told = reward_synth("run", "cartpole-swingup", "--runs-dir", "/proc/runs")
    assert_one_line(told, "/proc/runs", "--runs-dir")


@pytest.mark.parametrize("command", [["show"], ["report"], ["compare"], ["run", "--resume"]])
def test_run_where_none_was_recorded(command: list[str], tmp_path: Path):
    told = reward_synth(*command, "no-such-run", cwd=tmp_path)
    assert_one_line(told, "there are no runs in runs")
    assert list(tmp_path.iterdir()) == []  # looking makes no folder


def test_no_runs_yet_is_no_mistake(tmp_path: Path):
    assert reward_synth("runs", "--json", cwd=tmp_path).json == []
    told = reward_synth("runs", cwd=tmp_path)
    assert told.status == 0
    assert "No runs in runs yet" in told.out


def test_model_without_a_key(tmp_path: Path):
    told = reward_synth("run", "cartpole-swingup", "--model", "openai/gpt-4o", cwd=tmp_path)
    assert_one_line(told, "OPENAI_API_KEY")


def test_unreachable_server(tmp_path: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        told = reward_synth(
            "run", "cartpole-swingup", "--model", "some-model", "--base-url", url, cwd=tmp_path
        )
    assert_one_line(told, url)


def test_server_without_a_model():
    url = "http://127.0.0.1:9/v1"
    assert_one_line(reward_synth("run", "cartpole-swingup", "--base-url", url), "--model")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--role", "writer=openai/gpt-4o"], ["--role writer=openai/gpt-4o", "designer, critic"]),
        (["--role", "critic.temperature=9"], ["--role critic.temperature=9", "equal to 2"]),
        (["--role", "critic=openai/gpt-4o"], ["--role", "none is asked"]),
        (["--model", "manual", "--role", "critic=manual"], ["critic", "it asks designer"]),
        (["--model", "offline", "--model", "manual"], ["offline", "stands alone"]),
        (["--record", "run.jsonl"], ["--record", "none is asked"]),
        (["--model", "manual", "--record", "."], ["cannot record", "Is a directory"]),
    ],
)
def test_models_and_roles(options: list[str], words: list[str], tmp_path: Path):
    told = reward_synth("run", "cartpole-swingup", *options, cwd=tmp_path)
    assert_one_line(told, *words)


def test_debug_shows_the_traceback_wherever_it_stands():
    told = reward_synth("tasks", "show", "nothing", "--debug")
    assert "Traceback" in told.err
    assert "UserError" in told.err
    assert reward_synth("--debug", "tasks", "show", "nothing").err == told.err


def test_a_defect_is_one_line_that_asks_for_debug(tmp_path: Path):
    breaks = (
        "import sys\n"
        "import reward_synth.task\n"
        "def list_tasks(): raise KeyError('pole')\n"
        "reward_synth.task.list_tasks = list_tasks\n"
        "from reward_synth.cli.main import run\n"
        "run(['tasks'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", breaks], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "error: KeyError: 'pole'; this is a bug, run again with --debug\n"
