"""``reward-synth feedback``: the table, the sitting, the options, and mistakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.store import Store
from tests.cli.command import reward_synth
from tests.cli.test_bad_input import assert_one_line
from tests.report.recorded_run import SOURCE, Recorder


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, str]:
    """A search under way, whose last generation has the candidates 7 and 8."""
    runs_dir = tmp_path / "runs"
    with Store.open(runs_dir) as store:
        return runs_dir, Recorder(store, tmp_path).whole_run()


def sitting(runs_dir: Path, run: str, *lines: str, status: int = 0) -> str:
    """What is printed to a person who types these lines, then Ctrl-D."""
    command = [sys.executable, "-m", "reward_synth.cli", "feedback", run, "--no-film"]
    done = subprocess.run(
        [*command, "--who", "Ada", "--runs-dir", str(runs_dir)],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert (done.returncode, done.stderr) == (status, "")
    return done.stdout


def said(runs_dir: Path, run: str) -> list[tuple[str, str, int | None, list]]:
    with Store.open(runs_dir) as store:
        return [(j.kind, j.text, j.candidate, j.ranking) for j in store.judgements(run)]


def test_a_sitting(recorded: tuple[Path, str]):
    runs_dir, run = recorded
    out = sitting(
        runs_dir,
        run,
        "code 8",
        "diff 8",
        "curves 8",
        "8: it trembles",
        "slower",
        "rank 8 > 7",
        "rank 8 > 99",
        "pair",
        "99: hm",
        "code x",
        "help",
        "done",
        "not read any more",
    )
    assert f"{run} · generation 3 of 3" in out
    row = next(line for line in out.splitlines() if line.split()[:1] == ["8"])
    assert "Swing up, stay in the middle" in row
    assert "UPRIGHT_WEIGHT = 2.0" in out
    assert "+++ candidate 8" in out or "the two are equal" in out
    curve = next(line.split() for line in out.splitlines() if line.startswith("fitness "))
    assert curve[1][0] == "▁" and curve[1][-1] in "▇█" and curve[3] == "→"
    upright = next(line for line in out.splitlines() if line.startswith("upright "))
    assert "→" in upright and "% of the total" in upright
    assert "candidate 99 has no policy to rank" in out
    assert "candidate 99 has no policy in run" in out
    assert "which is better, " in out and "rank " in out
    assert "'x' is no candidate's number" in out
    assert out.count("rank 5 > 3 = 1") == 2
    assert said(runs_dir, run) == [
        ("comment", "it trembles", 8, []),
        ("comment", "slower", None, []),
        ("ranking", "", None, [[8], [7]]),
        ("done", "", None, []),
    ]


def test_leaving_keeps_what_was_said_and_ends_nothing(recorded: tuple[Path, str]):
    runs_dir, run = recorded
    assert "what was said is kept" in sitting(runs_dir, run, "slower")
    assert said(runs_dir, run) == [("comment", "slower", None, [])]


def test_options_say_it_all_at_once(recorded: tuple[Path, str]):
    runs_dir, run = recorded
    told = reward_synth(
        *("feedback", run, "--say", "7: faster", "--say", "both tremble", "--rank", "7=8"),
        *("--runs-dir", runs_dir),
    )
    assert told.status == 0
    assert [(kind, text) for kind, text, *_ in said(runs_dir, run)] == [
        *(("comment", "faster"), ("comment", "both tremble"), ("ranking", ""), ("done", "")),
    ]
    assert f"--resume {run}" in told.out and "--iterations 4" in told.out


def test_a_script_is_told_what_there_is_to_judge_and_what_was_said(recorded: tuple[Path, str]):
    runs_dir, run = recorded
    options = ("--no-film", "--json", "--runs-dir", runs_dir)
    told = reward_synth("feedback", run, *options).json
    assert (told["run"], told["generation"], told["next"]) == (run, 2, None)
    assert [candidate["number"] for candidate in told["candidates"]] == [7, 8]
    first = told["candidates"][0]
    assert isinstance(first["fitness"], float) and 0.0 <= first["success"] <= 1.0
    assert first["source"].startswith("UPRIGHT_WEIGHT") and first["video"] is None
    assert len(set(told["pair"])) == 2
    assert told["said"] == []
    assert said(runs_dir, run) == [], "asking says nothing"
    words = reward_synth("feedback", run, "--rank", "8 > 7", "--who", "Ada", *options)
    assert "take it up again" in words.err
    [ranking, done] = words.json["said"]
    assert (ranking["who"], ranking["ranking"], ranking["shown"]) == ("Ada", [[8], [7]], [7, 8])
    assert done["kind"] == "done"
    assert_one_line(reward_synth("feedback", run, "--web", *options), "--json out")


def test_nothing_is_recorded_where_something_is_wrong(recorded: tuple[Path, str], tmp_path: Path):
    runs_dir, run = recorded
    own = tmp_path / "own.py"
    own.write_text(SOURCE)
    wrong = [
        (("--say", "fine", "--rank", "7 > 7"), "names candidate 7 twice"),
        (("--say", "fine", "--say", "99: hm"), "candidate 99 has no policy"),
        (("--say", "fine", "--program", str(tmp_path / "none.py")), "does not exist"),
        (("--say", "fine", "--program", str(own)), "has begun its last generation"),
        (("--say", "fine", "--say", "7: "), "an empty comment says nothing"),
    ]
    for options, words in wrong:
        told = reward_synth("feedback", run, *options, "--runs-dir", runs_dir)
        assert told.status == 2
        assert_one_line(told, words)
    assert said(runs_dir, run) == []


def test_a_run_with_nothing_to_judge(tmp_path: Path):
    runs_dir = tmp_path / "runs"
    with Store.open(runs_dir) as store:
        begun = Recorder(store, tmp_path).start()
    told = reward_synth("feedback", begun, "--runs-dir", runs_dir)
    assert_one_line(told, "has no trained policy yet")
    told = reward_synth("feedback", "nope", "--runs-dir", runs_dir)
    assert_one_line(told, "nope")
