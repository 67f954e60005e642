"""The command line starts fast because it imports nothing that it does not need yet."""

import subprocess
import sys

import pytest

from tests.cli.command import environment, reward_synth

COMMANDS = (
    *("tasks", "run", "check", "import", "train", "score"),
    *("runs", "show", "report", "compare", "sweep", "doctor"),
)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_no_simulator_trainer_or_model_client(arguments: list[str]):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reward_synth.cli", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    heavy = {"torch", "mujoco", "litellm", "numpy", "sqlalchemy", "jax", "plotly"}
    assert imported & heavy == set()


def test_help_names_every_command():
    told = reward_synth("--help")
    assert told.status == 0
    for command in COMMANDS:
        assert f" {command} " in told.out


@pytest.mark.parametrize("command", [*COMMANDS, "tasks show"])
def test_every_command_shows_an_example_and_takes_json(command: str):
    told = reward_synth(*command.split(), "--help")
    assert told.status == 0
    assert "Example" in told.out
    assert f"reward-synth {command}" in told.out.partition("Example")[2]
    assert "--json" in told.out


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m reward_synth.cli tasks | head -1"
    done = subprocess.run(
        ["bash", "-c", command], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == ""
