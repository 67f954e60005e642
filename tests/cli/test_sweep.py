"""``reward-synth sweep`` as a user types it."""

from pathlib import Path

from reward_synth.cli.sweep import EXAMPLE
from reward_synth.sweep.checks import read_plan
from tests.cli.command import CHECKOUT, reward_synth
from tests.sweep.small_sweeps import written

SMALL = CHECKOUT / "examples" / "sweeps" / "small.yaml"


def test_a_dry_run_tells_what_it_will_take_and_records_nothing(tmp_path: Path):
    file = written(tmp_path, grid={"task": ["cartpole-swingup"], "seed": [0, 1]})
    told = reward_synth("sweep", file, "--dry-run", "--json", "--runs-dir", tmp_path / "runs")
    assert told.status == 0, told.err
    assert told.json["sweep"] == "night"
    assert [run["label"] for run in told.json["runs"]] == [
        "cartpole-swingup · expert reward",
        "cartpole-swingup · sparse reward",
        "cartpole-swingup · offline · seed 0",
        "cartpole-swingup · offline · seed 1",
    ]
    assert {run["status"] for run in told.json["runs"]} == {"waiting"}
    estimate = told.json["estimate"]
    assert (estimate["runs"], estimate["trainings"]) == (4, 8)
    assert estimate["steps"] == 8 * 512
    assert (estimate["prompt_tokens"], estimate["cost"]) == (0, 0.0)
    assert estimate["hours"] > 0 and "measured just now" in estimate["bases"][-1]
    assert not (tmp_path / "runs").exists()


def test_a_mistake_is_one_line_before_anything_starts(tmp_path: Path):
    file = tmp_path / "night.yaml"
    file.write_text("grid:\n  task: [cartpole-swingup]\n  sed: [0]\n")
    told = reward_synth("sweep", file, "--runs-dir", tmp_path / "runs")
    assert told.status == 2
    assert told.err == f"error: {file}, line 3: unknown field 'sed'; did you mean 'seed'?\n"
    assert told.out == ""
    assert not (tmp_path / "runs").exists()


def test_a_name_without_a_file_is_for_resuming(tmp_path: Path):
    told = reward_synth("sweep", "night", "--resume", "--runs-dir", tmp_path)
    assert told.status == 2
    assert "no sweep 'night'" in told.err
    told = reward_synth("sweep", "night", "--runs-dir", tmp_path)
    assert "cannot read night: No such file" in told.err


def test_a_failed_run_is_told_and_the_exit_status_says_so(tmp_path: Path):
    settings = {"task": "cartpole-swingup", "steps": 512, "iterations": 1, "samples": 1}
    settings |= {"model": "m@http://127.0.0.1:9/v1", "max_failures": 1}
    file = written(tmp_path, settings=settings, grid={}, baselines=False)
    told = reward_synth("sweep", file, "--runs-dir", tmp_path / "runs")
    assert told.status == 1, told.err
    assert "failed: cartpole-swingup · eureka · m: " in told.out
    assert f"go on with: reward-synth sweep {file} --resume" in told.err
    assert "sweep.html" in told.out


def test_the_example_is_sound():
    cells = read_plan(SMALL).cells
    assert [cell.kind for cell in cells] == ["train"] * 4 + ["search"] * 8
    assert str(SMALL.relative_to(CHECKOUT)) in EXAMPLE
