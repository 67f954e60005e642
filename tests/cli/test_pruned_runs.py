"""What commands tell of candidates that were dropped at a rung, and of several seeds."""

from pathlib import Path

import pytest

from reward_synth.cli.summary import candidates_line
from reward_synth.report.tables import search_fitness
from reward_synth.store import Store
from reward_synth.store.fates import fitness_values
from reward_synth.store.schema import Run
from tests.cli.command import reward_synth
from tests.report.recorded_run import Recorder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A search with three seeds for each candidate, up to its confirmation."""
    runs_dir = tmp_path_factory.mktemp("pruned") / "runs"
    with Store.open(runs_dir) as store:
        recorder = Recorder(store, tmp_path_factory.mktemp("worker"))
        return runs_dir, store.get_run(recorder.pruned_run(seeds=3))


def test_show_tells_who_was_dropped_and_why(recorded: tuple[Path, Run]):
    runs_dir, run = recorded
    told = reward_synth("show", run.id, "--runs-dir", runs_dir, COLUMNS="200").out
    lines = {line.split()[0]: line for line in told.splitlines() if line.strip()}
    for candidate in run.candidates:
        line = lines[str(candidate.number)]
        assert candidate.status in line
        assert candidate.reason in line
        fitness = search_fitness(candidate)
        assert fitness is None or f"{fitness:.3f} [" in line


def test_show_lists_every_rung_as_json(recorded: tuple[Path, Run]):
    runs_dir, run = recorded
    shown = reward_synth("show", run.id, "--runs-dir", runs_dir, "--json").json
    assert shown["pruned"] == sum(c.status == "pruned" for c in run.candidates) > 3
    for candidate, facts in zip(run.candidates, shown["candidates"], strict=True):
        assert [rung["fitness"] for rung in facts["rungs"]] == [r.fitness for r in candidate.rungs]
        assert all(rung["low"] <= rung["fitness"] <= rung["high"] for rung in facts["rungs"])
        assert facts["fitness"] == search_fitness(candidate)
        if facts["fitness"] is not None:
            assert facts["low"] < facts["fitness"] < facts["high"]
            assert len(facts["evaluations"]) == 3
        assert [rung["kept"] for rung in facts["rungs"]].count(False) == (
            candidate.status == "pruned"
        )


def test_runs_counts_them_and_takes_the_best_mean(recorded: tuple[Path, Run]):
    runs_dir, run = recorded
    [listed] = reward_synth("runs", "--runs-dir", runs_dir, "--json").json
    pruned = sum(c.status == "pruned" for c in run.candidates)
    assert listed["pruned"] == pruned
    best = max(f for c in run.candidates if (f := search_fitness(c)) is not None)
    assert listed["fitness"] == best
    assert best < max(f for c in run.candidates for f in fitness_values(c.evaluations))
    assert f"14 ({pruned} pruned)" in reward_synth("runs", "--runs-dir", runs_dir).out


def test_the_summary_says_how_many_were_pruned():
    result = {"candidates": 16, "refused": 2, "pruned": 9, "failed": 0, "repaired": 1}
    assert candidates_line(result) == "16, 2 refused, 9 pruned, 1 repaired"
    del result["pruned"]  # of an older version
    assert candidates_line(result) == "16, 2 refused, 1 repaired"
