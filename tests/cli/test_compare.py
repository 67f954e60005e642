"""``reward-synth compare``: the tables, the JSON document, the page, and mistakes."""

from pathlib import Path

import pytest

import reward_synth as package
from reward_synth.errors import UserError
from reward_synth.store import Store
from tests.cli.command import reward_synth
from tests.cli.test_bad_input import assert_one_line
from tests.report.recorded_run import Recorder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A finished search with a model and one under way without."""
    runs_dir = tmp_path_factory.mktemp("compared") / "runs"
    with Store.open(runs_dir) as store:
        recorder = Recorder(store, tmp_path_factory.mktemp("worker"))
        return runs_dir, recorder.whole_run(), recorder.pruned_run()


def test_two_tables_notes_and_a_page(recorded: tuple[Path, str, str], tmp_path: Path):
    runs_dir, finished, unfinished = recorded
    page = tmp_path / "page.html"
    told = reward_synth(
        "compare", unfinished, finished, "--runs-dir", runs_dir, "--output", page, cwd=tmp_path
    )
    assert (told.status, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "cartpole-swingup"
    found = [" ".join(line.split()) for line in lines if finished in line.split()]
    assert found == [f"1 {finished} 0.857 1.04"]
    assert "eureka · openai/test" in told.out
    assert "not finished" in told.out
    (spent,) = [line for line in lines if "2,700, 2,310" in line]
    assert spent.split() == [
        *("1", "70", "%", "1", "14", "1.4M", "2,700,", "2,310", "$0.0341"),
        *("5", "min", "1", "s"),
    ]
    assert "unknown-variable" in told.out
    assert "2: score of the search alone" in told.out
    assert lines[-1] == "page.html"
    assert page.read_text().count("<svg") == 2 + 5


def test_the_document_holds_rows_curves_and_the_page(recorded: tuple[Path, str, str]):
    runs_dir, finished, _ = recorded
    told = reward_synth("compare", "--task", "cartpole-swingup", "--runs-dir", runs_dir, "--json")
    (part,) = told.json["tasks"]
    (row,) = part["rows"]
    assert (part["task"], row["run"], row["refusals"]) == (
        "cartpole-swingup",
        finished,
        {"unknown-variable": 1},
    )
    assert [found["candidate"] for found in row["curve"]] == [0, 1, 4, 7]
    assert row["curve"][-1]["spent"]["tokens"] == 2700 + 2310
    assert Path(told.json["page"]).parent == runs_dir


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["no runs to compare", "--task"]),
        (["cartpole"], ["2 runs begin with 'cartpole'"]),
    ],
)
def test_what_cannot_be_compared(
    arguments: list[str], words: list[str], recorded: tuple[Path, str, str]
):
    told = reward_synth("compare", *arguments, "--runs-dir", recorded[0])
    assert_one_line(told, *words)


def test_a_page_that_cannot_be_written(recorded: tuple[Path, str, str], tmp_path: Path):
    told = reward_synth(
        *("compare", recorded[1], "--runs-dir", recorded[0], "--json", "--output", tmp_path)
    )
    assert_one_line(told, str(tmp_path))


def test_the_same_from_python(recorded: tuple[Path, str, str], tmp_path: Path):
    runs_dir, finished, unfinished = recorded
    page = tmp_path / "page.html"
    (part,) = package.compare(finished, unfinished, runs_dir=runs_dir, page=page)
    assert [row.run for row in part.rows] == [finished, unfinished]
    assert page.is_file()
    with pytest.raises(UserError, match="there are no runs in"):
        package.compare(finished, runs_dir=tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
