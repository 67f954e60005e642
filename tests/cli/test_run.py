"""The main job from the command line, small but whole, and everything that reads its outcome."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reward_synth.cli.summary import NO_MODEL
from tests.cli.command import environment, interruptible, reward_synth

SMALL = ("--samples", 2, "--iterations", 1, "--steps", 2048)


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "runs"


@pytest.fixture(scope="module")
def finished(runs_dir: Path) -> dict[str, Any]:
    """A search's JSON document; its progress went to stderr."""
    told = reward_synth("run", "cartpole-swingup", *SMALL, "--runs-dir", runs_dir, "--json")
    assert told.status == 0, told.err
    document = told.json
    assert f"run {document['run']}" in told.err
    assert re.search(r"candidate \d scored: ", told.err)
    assert "confirming the best" in told.err
    return document


def test_run_says_what_it_found_and_where_it_is(finished: dict[str, Any]):
    result = finished["result"]
    assert finished["run"].startswith("cartpole-swingup-")
    assert result["winner"] in (0, 1)
    assert result["trainings"] == 2 + 2 * 3
    assert result["environment_steps"] == 8 * 2048
    assert result["low"] <= result["fitness"] <= result["high"]
    assert finished["note"] == NO_MODEL
    assert Path(finished["best_reward"]).read_text() == finished["reward"]
    assert Path(finished["report"]).read_text().startswith("<!")


def test_runs_lists_it(finished: dict[str, Any], runs_dir: Path):
    [listed] = reward_synth("runs", "--runs-dir", runs_dir, "--json").json
    assert listed["run"] == finished["run"]
    assert listed["status"] == listed["state"] == "finished"
    assert listed["fitness"] == finished["result"]["fitness"]
    narrow = reward_synth("runs", REWARD_SYNTH_RUNS_DIR=str(runs_dir), COLUMNS="60")
    assert finished["run"] in narrow.out  # whole, to be copied


def test_show_tells_every_candidate_and_the_best_reward(finished: dict[str, Any], runs_dir: Path):
    shown = reward_synth("show", finished["run"], "--runs-dir", runs_dir, "--json").json
    assert [candidate["number"] for candidate in shown["candidates"]] == [0, 1]
    assert shown["best"] == finished["result"]["winner"]
    assert shown["candidates"][shown["best"]]["source"] == finished["reward"]
    told = reward_synth("show", finished["run"], "--runs-dir", runs_dir).out
    assert "def compute_reward(" in told
    assert NO_MODEL in told


def test_report_is_written_anew(finished: dict[str, Any], runs_dir: Path):
    report = Path(finished["report"])
    report.unlink()
    told = reward_synth("report", finished["run"], "--runs-dir", runs_dir)
    assert told.status == 0
    assert Path(told.out.strip()) == report
    assert report.stat().st_size > 0


def test_score_of_the_best_policy_is_the_recorded_one(finished: dict[str, Any], runs_dir: Path):
    shown = reward_synth("show", finished["run"], "--runs-dir", runs_dir, "--json").json
    recorded = [
        evaluation["fitness"]
        for evaluation in shown["candidates"][shown["best"]]["evaluations"]
        if evaluation["purpose"] == "confirm"
    ]
    policy = finished["best_policy"]
    scored = reward_synth("score", "cartpole-swingup", "--policy", policy, "--json").json
    assert scored["fitness"] == max(recorded)
    assert len(scored["episodes"]) == 32


def test_policy_of_another_task_is_refused(finished: dict[str, Any]):
    told = reward_synth("score", "hopper-forward", "--policy", finished["best_policy"])
    assert told.status == 2
    assert told.err.count("\n") == 1


def test_a_finished_run_resumed_is_told_again(finished: dict[str, Any], runs_dir: Path):
    told = reward_synth("run", "--resume", finished["run"], "--runs-dir", runs_dir)
    assert told.status == 0
    assert "scored" not in told.err
    assert finished["run"] in told.out
    assert NO_MODEL in told.out


def test_a_resumed_run_keeps_its_settings(finished: dict[str, Any], runs_dir: Path):
    again = ("run", "cartpole-swingup", "--resume", finished["run"], "--runs-dir", runs_dir)
    assert reward_synth(*again, *SMALL).status == 0
    told = reward_synth(*again, "--samples", 5)
    assert told.status == 2
    assert "--samples 2, not 5" in told.err
    told = reward_synth(*again, "--model", "manual", "--model", "openai/gpt-4o")
    assert told.status == 2
    assert "--model offline, not manual --model openai/gpt-4o" in told.err
    told = reward_synth("run", "cheetah-run", *again[2:])
    assert told.status == 2
    assert "cartpole-swingup" in told.err


def test_misspelt_run(finished: dict[str, Any], runs_dir: Path):
    told = reward_synth("show", finished["run"][:-1] + "x", "--runs-dir", runs_dir)
    assert told.status == 2
    assert f"did you mean {finished['run']}?" in told.err


def test_training_with_a_given_reward(tmp_path: Path):
    reward = tmp_path / "up.py"
    reward.write_text("def compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n")
    told = reward_synth(
        "train", "cartpole-swingup", "--reward", reward, "--seeds", 2, "--steps", 2048, "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert told.status == 0, told.err
    result = told.json["result"]
    assert result["seeds"] == [100, 101]
    assert result["fitness"] == pytest.approx(sum(result["fitness_per_seed"]) / 2)
    assert (tmp_path / "runs" / told.json["run"] / "best" / "policy.safetensors").is_file()


def test_interrupted_run_says_how_to_go_on_and_does(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "reward_synth.cli", "run", "cartpole-swingup", "--samples", "2",
         "--iterations", "1", "--steps", "4096"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if " scored: " in line:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("interrupted; go on with: reward-synth run --resume ")
    [left] = reward_synth("runs", "--json", cwd=tmp_path).json
    assert (left["status"], left["state"]) == ("running", "interrupted")
    shown = reward_synth("show", left["run"], cwd=tmp_path).out
    assert f"{left['run']}  interrupted" in shown
    assert "go on with: reward-synth run --resume" in shown
    again = reward_synth(*shlex.split(last.partition("reward-synth ")[2]), "--json", cwd=tmp_path)
    assert again.status == 0, again.err
    assert again.json["result"]["trainings"] == 8
    assert "are already done" in again.err
