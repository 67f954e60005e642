"""Rungs in the report: what was measured and decided, and what is said of who was dropped."""

import pytest

from reward_synth.report import write_report
from reward_synth.report.pruning import ladders, measures_of, rung_lines, what_pruning_did
from reward_synth.report.tables import (
    facts,
    headline,
    search_evaluation,
    search_fitness,
    search_interval,
)
from reward_synth.report.tensorboard import write_all_events
from reward_synth.store import Run, Store
from reward_synth.store.fates import fitness_values
from tests.report.recorded_run import Recorder
from tests.report.test_html import Page

pytestmark = pytest.mark.usefixtures("filmed")


@pytest.fixture(scope="module")
def pruned(store: Store, recorder: Recorder) -> str:
    return recorder.pruned_run()


@pytest.fixture(scope="module")
def seeded(store: Store, recorder: Recorder) -> str:
    return recorder.pruned_run(seeds=3)


def dropped(run: Run) -> list[int]:
    return [c.number for c in run.candidates if c.status == "pruned"]


def test_a_ladder_holds_every_rung_and_the_end(store: Store, pruned: str):
    run = store.get_run(pruned)
    first, second = ladders(run)
    assert (first.generation, second.generation) == (0, 1)
    assert sorted(c.number for c in first.candidates) == list(range(8))
    assert 13 not in [c.number for c in second.candidates]  # it failed before its first rung
    for candidate in run.candidates:
        measures = measures_of(candidate)
        assert [m.steps for m in measures] == sorted(m.steps for m in measures)
        for measure in measures:
            assert measure.low <= measure.fitness <= measure.high
        last = {"pruned": "dropped", "scored": "end"}.get(candidate.status)
        assert ([m.decision for m in measures] or [None])[-1] == last
    (end,) = [m for m in measures_of(run.candidates[3]) if m.decision == "end"]
    assert (end.steps, end.fitness) == (100_000, search_fitness(run.candidates[3]))
    ends = [m[-1].steps for m in (first.measures[c.number] for c in first.candidates)]
    assert ends == sorted(ends, reverse=True)


def test_the_steps_that_pruning_saved_are_counted(store: Store, pruned: str, seeded: str):
    for run_id, seeds in ((pruned, 1), (seeded, 3)):
        run = store.get_run(run_id)
        took = sum(c.rungs[-1].steps for c in run.candidates if c.status == "pruned")
        whole = sum(c.status == "scored" for c in run.candidates)
        counted = facts(run)
        assert counted.pruned == len(dropped(run)) > 3
        assert counted.environment_steps == seeds * (took + 100_000 * whole)
        assert counted.steps_saved == seeds * (100_000 * counted.pruned - took)
        assert f"{counted.pruned} pruned: dropped at a rung" in counted.fates()
        assert dict(counted.rows())["Steps saved by pruning"] == f"{counted.steps_saved:,}"
        told = what_pruning_did(run)
        assert f"{counted.pruned} of 13 trained candidates were dropped" in told
        assert f"saved {counted.steps_saved:,} environment steps" in told
        assert f"of the {13 * seeds * 100_000:,} that" in told
        assert counted.execute_rate == pytest.approx(13 / 14)


def test_a_run_without_rungs_says_nothing_of_pruning(store: Store, searched: str):
    run = store.get_run(searched)
    assert ladders(run) == []
    assert what_pruning_did(run) == ""
    assert "Steps saved by pruning" not in dict(facts(run).rows())
    assert "Pruning" not in Page(write_report(store, searched)).text


def test_rungs_at_which_all_go_on_are_told_too(store: Store, recorder: Recorder):
    run_id = recorder.start(steps=100_000)
    proposals = [recorder.proposal(slot, 0, (), False) for slot in range(4)]
    candidates = store.record_proposals(run_id, 0, proposals)
    for candidate in candidates:
        store.set_gate_verdict(candidate, "accepted")
    recorder.decide_rung(0, 12_500, candidates, [0.4, 0.5, 0.6, 0.7], keep=4)
    page = Page(write_report(store, run_id))
    assert "Nobody was dropped." in page.text
    assert len(page.islands["figure-pruning"]["data"]) == 4


def test_the_page_shows_every_decision(store: Store, pruned: str):
    run = store.get_run(pruned)
    page = Page(write_report(store, pruned))
    assert page.inside == []
    assert what_pruning_did(run) in page.text
    decisions = [a.get("class") for a in page.all("td") if a.get("title")]
    rungs = [r for c in run.candidates for r in c.rungs]
    assert decisions.count("kept") == sum(r.kept for r in rungs)
    assert decisions.count("dropped") == sum(not r.kept for r in rungs) == len(dropped(run))
    assert decisions.count("end") == sum(c.status == "scored" for c in run.candidates)
    for candidate in run.candidates:
        for line in rung_lines(measures_of(candidate)) if candidate.rungs else []:
            assert line in page.text
    pills = [a.get("class") for a in page.all("i")]
    assert pills.count("pill pruned") == 2 * len(dropped(run))  # in its ladder and in the list
    for number in dropped(run):
        assert run.candidates[number].reason in page.text


def test_the_figures_show_who_was_dropped_where(store: Store, pruned: str):
    run = store.get_run(pruned)
    islands = Page(write_report(store, pruned)).islands
    lines = {trace["name"]: trace for trace in islands["figure-pruning"]["data"]}
    assert len(lines) == 13
    for candidate in run.candidates[:13]:
        trace = lines[f"candidate {candidate.number}"]
        measures = measures_of(candidate)
        assert trace["y"] == [m.fitness for m in measures]
        assert trace["x"] == pytest.approx([m.steps for m in measures], rel=0.1)
        assert trace["error_y"]["array"] == [m.high - m.fitness for m in measures]
        crossed = trace["marker"]["symbol"][-1] == "x"
        assert crossed == (candidate.status == "pruned")
        assert (trace["line"]["color"] == "var(--faint)") == crossed
        assert trace["yaxis"] == ("y" if candidate.generation == 0 else "y2")
    score, lineage, learning, _, _ = islands.values()
    (points,) = [t for t in score["data"] if t["name"] == "dropped at a rung"]
    assert points["y"] == [run.candidates[n].rungs[-1].fitness for n in dropped(run)]
    (nodes,) = [t for t in lineage["data"] if "13" in t.get("text", [])]
    rings = dict(zip(nodes["text"], nodes["marker"]["line"]["color"], strict=True))
    assert [int(n) for n, colour in rings.items() if colour == "var(--c2)"] == dropped(run)
    assert rings["13"] == "var(--faint)"
    ends = [t["x"][-1] for t in learning["data"] if t["name"] == "dropped at a rung"]
    assert ends == [run.candidates[n].rungs[-1].steps for n in dropped(run)]


def test_several_seeds_are_a_mean_with_its_interval(store: Store, seeded: str):
    run = store.get_run(seeded)
    best = max(run.candidates, key=lambda c: search_fitness(c) or 0.0)
    one, two, three = sorted(fitness_values(best.evaluations))
    assert search_fitness(best) == pytest.approx((one + two + three) / 3)
    representative = search_evaluation(best)
    assert representative is not None
    assert representative.fitness == two
    spread = search_interval(best)
    assert spread is not None
    # Student's t for three values that are 0.05 apart.
    assert spread[1] - spread[0] == pytest.approx(2 * 4.3027 * 0.05 / 3**0.5, rel=1e-3)
    numbers = headline(run)
    assert numbers is not None
    assert numbers["interval"] == f"{spread[0]:.3f} to {spread[1]:.3f}"
    assert numbers["basis"].endswith("over 3 training seeds")
    page = Page(write_report(store, seeded))
    assert f"In the search, mean over 3 seeds {search_fitness(best):.3f}" in page.text
    (points,) = [t for t in page.islands["figure-1"]["data"] if t["name"] == "candidate"]
    assert points["error_y"]["visible"]
    assert max(points["y"]) == search_fitness(best)


def test_each_seed_has_its_own_tensorboard_events(store: Store, seeded: str):
    folder = store.run_folder(seeded)
    write_all_events(folder, store.get_run(seeded))
    written = {path.name for path in (folder / "tensorboard").iterdir()}
    assert {"0003", "0003-seed-10000", "0003-seed-20000"} <= written
    assert len(written) == sum(len(c.evaluations) for c in store.candidates(seeded))
