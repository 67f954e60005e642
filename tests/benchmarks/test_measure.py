"""What the benchmarks share."""

import importlib.metadata
import json
import os
import re
from datetime import date
from pathlib import Path

import pytest

from benchmarks.measure import (
    Spread,
    alternate,
    best,
    descends,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)


def test_the_contenders_take_turns(capsys):
    order: list[str] = []
    numbers = {"ours": iter([3.0, 1.0, 2.0]), "theirs": iter([1.5, 1.0, 4.0])}

    def contender(name: str):
        def run() -> float:
            order.append(name)
            return next(numbers[name])

        return run

    measured = alternate({name: contender(name) for name in numbers}, rounds=3)

    assert order == ["ours", "theirs"] * 3
    assert measured == {"ours": [3.0, 1.0, 2.0], "theirs": [1.5, 1.0, 4.0]}
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("round 1/3  ours: 3 (0.0 s")
    assert re.search(r"others took \d+% of the machine\)$", lines[0])
    assert lines[5].startswith("round 3/3  theirs: 4 (")


def test_own_processes_are_told_from_others():
    me = os.getpid()
    parents = {me: 1, 1: 0, me + 1: me, me + 2: me + 1, me + 3: 1}
    assert [descends(process, parents) for process in (me, me + 1, me + 2)] == [True] * 3
    assert not descends(me + 3, parents)
    assert not descends(1, parents)


def test_a_ratio_is_taken_within_each_round():
    # Round by round 2, 1 and 0.5; the medians' ratio would be 2 / 1.5.
    assert ratio([3.0, 1.0, 2.0], [1.5, 1.0, 4.0]) == Spread(median=1.0, low=0.5, high=2.0)
    with pytest.raises(ValueError):
        ratio([1.0, 2.0], [1.0])


def test_the_best_has_the_highest_median():
    measured = {"a": [1.0, 1.0, 100.0], "b": [2.0, 2.0, 2.0], "other": [9.0, 9.0, 9.0]}
    assert best(measured, ["a", "b"]) == "b"


def test_the_machine_is_told():
    told = machine(("numpy", "no-such-package"))
    assert told["cores"] == len(os.sched_getaffinity(0))
    assert told["packages"] == {"numpy": importlib.metadata.version("numpy")}
    assert told["date"] == date.today().isoformat()
    assert told["processor"]
    assert 0.1 < told["memory_gib"] < 100_000
    assert json.loads(json.dumps(told)) == told


def test_options(tmp_path: Path):
    parser = options("What it does.\n\nMore of it.")
    assert parser.description == "What it does."
    assert vars(read_options(parser, [])) == {"quick": False, "json": None}
    path = tmp_path / "ratios.json"
    assert vars(read_options(parser, ["--quick", "--json", str(path)])) == {
        "quick": True,
        "json": path,
    }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [(".", "is a folder; name a file"), ("nowhere/ratios.json", "nowhere; make it first")],
)
def test_a_json_file_that_cannot_be_is_refused_first(tmp_path: Path, path, said, capsys):
    with pytest.raises(SystemExit) as ended:
        read_options(options("It."), ["--json", str(tmp_path / path)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_json_is_whole_or_untouched(tmp_path: Path):
    path = tmp_path / "ratios.json"
    write_json(path, {"ant-forward": {"over_envpool": None}, "machine": {"cores": 2}})
    before = path.read_text()
    assert json.loads(before) == {
        "ant-forward": {"over_envpool": None},
        "machine": {"cores": 2},
    }
    with pytest.raises(ValueError):
        write_json(path, {"broken": float("nan")})
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_table(capsys):
    print_table("Speeds", ["contender", "steps/s"], [["raw", spelt(Spread(1234.5, 1.0, 2.0), 0)]])
    told = capsys.readouterr().out
    assert "Speeds" in told
    assert "1,234 (1 to 2)" in told
    assert spelt(Spread(0.812, 0.79, 0.84)) == "0.81 (0.79 to 0.84)"
    assert spelt(None) == "–"
