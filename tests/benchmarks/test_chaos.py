"""The benchmark that harms searches: its checks find what is wrong, and faults strike."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import chaos
from benchmarks.havoc import checks, processes
from benchmarks.havoc.case import undisturbed
from benchmarks.havoc.checks import Kept
from benchmarks.havoc.searches import SEARCHES

KEPT = Kept(row=1, finished="today", fitness=0.5, score="{}", report="{}", policy="abc")
KEY = (3, 100, "confirm")


def test_the_same_seed_gives_the_same_faults_and_all_kinds_come_before_any_comes_again():
    kinds = [*chaos.FAULTS, *chaos.MODEL]
    first, second = (chaos.cases(7, kinds) for _ in range(2))
    specs = [next(first) for _ in range(60)]
    assert specs == [next(second) for _ in range(60)]
    assert {kind for spec in specs for kind in spec["kinds"]} == set(kinds)
    assert specs != [next(chaos.cases(8, kinds)) for _ in range(60)]


@pytest.mark.parametrize(
    ("now", "damaged", "told"),
    [
        ({KEY: KEPT}, set(), []),
        ({}, set(), ["candidate 3 seed 100 (confirm) is gone"]),
        ({}, {KEY}, []),
        ({KEY: replace(KEPT, row=2)}, set(), ["candidate 3 seed 100 (confirm) was trained again"]),
        ({KEY: replace(KEPT, report="{0}")}, {KEY}, []),
        ({KEY: replace(KEPT, policy="abd")}, set(), ["candidate 3 seed 100 (confirm) has changed"]),
    ],
)
def test_a_training_must_stay_as_it_was(now, damaged, told):
    assert list(checks.lost({KEY: KEPT}, now, damaged)) == told


def test_a_command_may_refuse_in_one_line_and_no_other_way():
    assert not list(checks.rude("it", 2, (0, 2), "error: the disk is full\n"))
    assert list(checks.rude("it", 2, (0, 2), "error: one\nerror: two\n"))
    assert list(checks.rude("it", 1, (0, 2), "error: the disk is full\n"))
    assert list(checks.rude("it", 0, (0, 2), "Traceback (most recent call last):\n"))


def test_an_orphan_is_found_and_killed():
    code = (
        "import json, subprocess\n"
        "from benchmarks.havoc import processes\n"
        "processes.GONE_SECONDS = 0.2\n"
        "processes.adopt_orphans()\n"
        "subprocess.run(['sh', '-c', 'sleep 600 & sleep 0.1 &'])\n"
        "print(json.dumps([processes.orphans(), processes.orphans()]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (orphan,), none = json.loads(done.stdout)
    assert "sleep 600" in orphan
    assert none == []
    assert processes.command_of(int(orphan.split()[1])) == "?"


def test_what_differs_from_the_undisturbed_run_is_named():
    expected = {"status": "finished", "trainings": [[0, 100, 1.5], [0, 101, 2.5]]}
    found = {"status": "finished", "trainings": [[0, 100, 1.5], [0, 101, 2.75]]}
    assert not list(checks.differences(expected, expected))
    [told] = checks.differences(expected, found)
    assert told == "trainings: expected [0, 101, 2.5], found [0, 101, 2.75]"


def test_a_training_survives_a_kill_and_a_damaged_policy(tmp_path: Path):
    reference, work = tmp_path / "reference", tmp_path / "work"
    reference.mkdir()
    work.mkdir()
    spec = {
        "case": 0,
        "search": "train",
        "kinds": ["file: policy flipped"],
        "seed": "1",
        "small_disks": False,
        "reference": undisturbed(SEARCHES["train"], reference),
    }
    told = chaos.case(spec, work)
    assert told["played"] == ["orchestrator: SIGKILL", "file: policy flipped"]
    assert told["violations"] == []
