"""Runs side by side: the numbers, what they cost when, and the page, deaf to hostile words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reward_synth.errors import UserError
from reward_synth.report.budgets import Books
from reward_synth.report.charts import MOST_LINES, charts
from reward_synth.report.comparison import (
    Comparison,
    compare,
    compare_recorded,
    difference_interval,
    row,
)
from reward_synth.report.comparison_page import page_name, write_comparison
from reward_synth.report.tables import facts
from reward_synth.search.config import TrainConfig
from reward_synth.store import Completion, Evaluation, Run, Store
from reward_synth.store.ledger import find_runs, load_ledgers
from sandbox.messages import ProbeFinding
from tests.report.recorded_run import Recorder, result
from tests.report.test_html import HOSTILE, Page


@pytest.fixture(scope="module")
def pruned(recorder: Recorder) -> str:
    return recorder.pruned_run()


@pytest.fixture(scope="module")
def offline(recorder: Recorder) -> str:
    return recorder.whole_run(model=False)


@pytest.fixture(scope="module")
def expert(store: Store, recorder: Recorder) -> str:
    return train(store, recorder, "expert", [0.90, 0.92, 0.97])


def train(store: Store, recorder: Recorder, reward: str, fitness: list[float]) -> str:
    """A plain training of a task's own reward, over."""
    config = TrainConfig(task="cartpole-swingup", reward=reward, steps=100_000)
    run_id = store.create_run("train", recorder.task, config)
    (candidate,) = store.record_proposals(run_id, 0, [recorder.proposal(0, 0, (), False)])
    store.set_gate_verdict(candidate, "accepted")
    for seed, value in enumerate(fitness, start=100):
        recorder.evaluate(candidate, value, purpose="confirm", seed=seed)
    mean = float(np.mean(fitness))
    store.finish_run(
        run_id,
        {"winner": 0, "fitness": mean, "low": 0.84, "high": 1.02, "seeds": [100, 101, 102]},
    )
    return run_id


def compared(store: Store, *runs: str) -> Comparison:
    (part,) = compare_recorded(store, runs)
    return part


# --- the table ------------------------------------------------------------------------------


def test_a_row_holds_what_was_found_and_what_it_took(store: Store, searched: str):
    (told,) = compared(store, searched).rows
    assert (told.strategy, told.model, told.candidate) == ("eureka", "openai/test", 7)
    assert told.fitness == pytest.approx((0.84 + 0.88 + 0.85) / 3)
    assert (told.low, told.high, told.seeds, told.confirmed) == (0.806, 0.908, 3, True)
    assert told.human_normalised == 1.042
    assert told.normalised_low == pytest.approx((0.806 - 0.244) / (0.832 - 0.244))
    assert told.refusals == {"unknown-variable": 1}
    assert told.tokens_per_candidate == pytest.approx((3 * 900 + 11 * 210) / 11)
    document = told.document()
    assert document["execute_rate"] == pytest.approx(0.7)  # the repaired one is not counted
    assert (document["trainings"], document["environment_steps"]) == (14, 1_400_000)
    assert (document["prompt_tokens"], document["completion_tokens"]) == (2700, 2310)
    assert document["cost"] == pytest.approx(0.0341)
    assert document["seconds"] == 301.0
    assert document["difference"] is None


def test_the_best_stands_first_and_others_tell_how_far_below(
    store: Store, recorder: Recorder, searched: str, pruned: str, expert: str
):
    empty = recorder.start()
    part = compared(store, empty, pruned, searched, expert)
    assert [r.run for r in part.rows] == [expert, searched, pruned, empty]
    best, second, third, last = part.rows
    assert best.strategy == "no search: expert"
    apart = second.difference
    assert apart is not None
    assert apart.mean == pytest.approx(2.57 / 3 - 0.93)
    # What scipy.stats.ttest_ind(..., equal_var=False).confidence_interval() gives.
    assert (apart.low, apart.high) == pytest.approx((-0.14719494844539963, 0.000528281778732681))
    # Not confirmed: no interval of a difference, and the score is called what it is.
    assert (third.confirmed, third.difference, third.seeds) == (False, None, 1)
    assert third.fitness is not None
    assert third.low == pytest.approx(third.fitness - 0.03)  # over the episodes of its policy
    assert (third.strategy, third.model) == ("offline", None)
    assert (last.fitness, last.status, last.human_normalised) == (None, "running", None)
    notes = " ".join(part.notes)
    assert "finalists 2 (2, 4), 0 (3)" in notes
    assert "3: score of the search alone" in notes
    assert "1: no human-normalised score" in notes
    assert "train cartpole-swingup --reward expert --steps 100000 --seeds 3" in notes


def test_runs_with_equal_budgets_are_compared_without_a_word(
    store: Store, searched: str, offline: str
):
    part = compared(store, offline, searched)
    assert part.notes == []
    apart = part.rows[1].difference
    assert apart is not None
    assert apart.mean == 0.0
    assert apart.low < 0.0 < apart.high
    assert part.rows[0].counted.cost == 0.0


def test_another_budget_is_named_with_the_runs_that_had_it(
    store: Store, recorder: Recorder, searched: str
):
    short = recorder.start(steps=20_000, seeds=2)
    (first, *_) = compared(store, searched, short).notes
    assert first == (
        "Not the same budgets: steps per training 100,000 (1), 20,000 (2); "
        "seeds per training 1 (1), 2 (2)."
    )


def test_a_strategy_that_is_recorded_is_shown(store: Store, searched: str):
    run = store.get_run(searched)
    run.config = {**run.config, "strategy": "card"}
    assert row(run).strategy == "card"


def test_many_seeds_are_bootstrapped():
    rng = np.random.default_rng(3)
    a, b = rng.normal(1.0, 0.2, 40), rng.normal(0.6, 0.1, 30)
    low, high = difference_interval(a.tolist(), b.tolist())
    error = np.sqrt(a.var(ddof=1) / 40 + b.var(ddof=1) / 30)
    apart = a.mean() - b.mean()
    assert low == pytest.approx(apart - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(apart + 1.96 * error, abs=0.3 * error)
    assert difference_interval([1.0, 1.0], [0.25, 0.25]) == (0.75, 0.75)


# --- what had been spent when ---------------------------------------------------------------


def at(store: Store, run_id: str, finished: dict[int, float], seconds: float) -> Run:
    """The run with its search's scores recorded at these seconds, by candidate."""
    run = store.get_run(run_id)
    with Session(store.engine) as session, session.begin():
        for c in run.candidates:
            for e in c.evaluations:
                moment = run.created + timedelta(seconds=finished.get(c.number, 1000.0))
                session.execute(
                    update(Evaluation)
                    .where(Evaluation.id == e.id)
                    .values(finished=moment, seconds=seconds)
                )
    (light,) = load_ledgers(store, [run_id])
    return light


def scored_run(recorder: Recorder, fitness: list[list[float]]) -> str:
    """A run whose generations have these search scores, each of a training of 30 s."""
    run_id = recorder.start(model="openai/test")
    for generation, values in enumerate(fitness):
        proposed = [recorder.proposal(k, generation, (), True) for k in range(len(values))]
        recorded = recorder.store.record_proposals(run_id, generation, proposed)
        for candidate, value in zip(recorded, values, strict=True):
            recorder.store.set_gate_verdict(candidate, "accepted")
            recorder.evaluate(candidate, value)
    return run_id


def test_trainings_one_after_another_are_paid_one_after_another(store: Store, recorder: Recorder):
    run_id = scored_run(recorder, [[0.3, 0.2], [0.1, 0.6]])
    books = Books(at(store, run_id, {0: 30, 1: 60, 2: 90, 3: 120}, seconds=31))
    first, second = books.improvements()
    assert (first.candidate, first.fitness, second.candidate) == (0, 0.3, 3)
    assert (first.spent.trainings, first.spent.environment_steps) == (1, 100_000)
    assert (second.spent.trainings, second.spent.environment_steps) == (4, 400_000)
    # All of a generation's answers were there before its first training.
    assert first.spent.tokens == 900 + 2 * 210
    assert second.spent.tokens == 2 * (900 + 2 * 210)
    assert second.spent.cost == pytest.approx(4 * 0.0031)
    assert (first.spent.seconds, second.spent.seconds) == (30, 120)
    assert books.in_all() == second.spent


def test_the_first_score_of_a_population_costs_all_of_it(store: Store, recorder: Recorder):
    run_id = scored_run(recorder, [[0.3, 0.2, 0.4]])
    first, second = Books(at(store, run_id, {0: 40, 1: 40.3, 2: 43}, seconds=43)).improvements()
    assert first.spent.trainings == 3
    # Trainings of 30 s: the others had 29.7 s and 27 s behind them.
    assert first.spent.environment_steps == 100_000 + 99_000 + 90_000
    assert (second.candidate, second.spent.environment_steps) == (2, 300_000)


def test_pruned_candidates_are_paid_for_in_their_generation(store: Store, pruned: str):
    (run,) = load_ledgers(store, [pruned])
    cut = {g: 0 for g in (0, 1)}
    for c in store.get_run(pruned).candidates:
        if c.status == "pruned":
            cut[c.generation] += c.rungs[-1].steps
    assert min(cut.values()) > 0
    found = Books(run).improvements()
    whole = sum(e.purpose == "search" for c in run.candidates for e in c.evaluations)
    assert found[0].spent.environment_steps >= 100_000 + cut[0]
    assert Books(run).in_all().environment_steps == whole * 100_000 + sum(cut.values())
    assert Books(run).in_all().environment_steps == facts(run).environment_steps


def test_an_unknown_price_leaves_the_cost_open_from_then_on(store: Store, recorder: Recorder):
    run_id = scored_run(recorder, [[0.3], [0.4]])
    with Session(store.engine) as session, session.begin():
        session.execute(
            update(Completion)
            .where(Completion.run_id == run_id, Completion.generation == 1)
            .values(cost=None)
        )
    (run,) = load_ledgers(store, [run_id])
    first, second = Books(run).improvements()
    assert first.spent.cost == pytest.approx(0.0031)
    assert second.spent.cost is None


def test_a_candidate_counts_once_all_its_seeds_are_scored(store: Store, recorder: Recorder):
    run_id = recorder.start(seeds=2)
    proposed = [recorder.proposal(slot, 0, (), False) for slot in range(2)]
    for candidate in store.record_proposals(run_id, 0, proposed):
        store.set_gate_verdict(candidate, "accepted")
        recorder.evaluate(candidate, 0.2)
    recorder.evaluate(store.candidates(run_id)[0], 0.6, seed=10_000, main=False)
    (found,) = Books(store.get_run(run_id)).improvements()
    assert (found.candidate, found.fitness) == (0, pytest.approx(0.4))


def test_a_pause_is_told(store: Store, recorder: Recorder):
    run_id = scored_run(recorder, [[0.3]])
    at(store, run_id, {0: 7500.0}, seconds=31)
    store.add_seconds(run_id, 300.0)
    assert compared(store, run_id).rows[0].paused == 0.0  # still running: it cannot be known
    store.stop_run(run_id, None, "max_hours")
    part = compared(store, run_id)
    assert part.rows[0].paused == pytest.approx(7200.0)
    assert "1: interrupted for about 2 h 0 min" in part.notes[-1]


# --- reading little -------------------------------------------------------------------------


@contextmanager
def queries(store: Store) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(connection, cursor, statement, *_):
        sent.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def test_little_is_read_and_counts_the_same(store: Store, searched: str, pruned: str):
    for light in load_ledgers(store, [searched, pruned]):
        whole = store.get_run(light.id)
        assert facts(light) == replace(facts(whole), causes=facts(light).causes)
        assert facts(light).causes.keys() == facts(whole).causes.keys()
        assert row(light) == row(whole)
        for unread in (
            lambda run: run.candidates[0].source,
            lambda run: run.candidates[0].completion,
        ):
            with pytest.raises(SQLAlchemyError):
                unread(light)


def test_the_number_of_queries_does_not_grow_with_the_runs(
    store: Store, searched: str, pruned: str, offline: str
):
    with queries(store) as one:
        load_ledgers(store, [searched])
    with queries(store) as three:
        load_ledgers(store, [searched, pruned, offline])
    assert len(three) == len(one) < 10
    assert not any("completions.text" in q or "candidates.source" in q for q in three)


# --- names ----------------------------------------------------------------------------------


def test_runs_are_named_by_their_beginnings(store: Store, searched: str, pruned: str):
    ids = [run.id for run in store.list_runs()]
    assert find_runs(store, [searched, pruned, searched]) == [searched, pruned]
    # Runs of the same second are told apart by a number at the end: the last one has a beginning
    # of its own, and a whole name is enough even where others begin with it.
    last = max(ids, key=len)
    alone = next(last[:n] for n in range(99) if sum(i.startswith(last[:n]) for i in ids) == 1)
    assert find_runs(store, [alone]) == [last]
    with pytest.raises(UserError, match=r"runs begin with 'cartpole' \(.*, …\); write more of it"):
        find_runs(store, ["cartpole"])
    with pytest.raises(UserError, match="there is no run 'hopper-1'"):
        find_runs(store, ["hopper-1"])
    with pytest.raises(UserError, match="there is no run ''"):
        find_runs(store, [""])


def test_a_task_stands_for_its_finished_searches(
    tmp_path: Path, store: Store, searched: str, offline: str, expert: str
):
    (part,) = compare_recorded(store, (), "cartpole-swingup")
    named = {r.run for r in part.rows}
    assert {searched, offline} <= named
    assert all(r.status == "finished" and r.kind == "search" for r in part.rows)
    (more,) = compare_recorded(store, [expert], "cartpole-swingup")
    assert {r.run for r in more.rows} == {*named, expert}
    with pytest.raises(UserError, match=r"no run .* 'cartpole-swingp'; did you mean cartpole-"):
        compare_recorded(store, (), "cartpole-swingp")
    with pytest.raises(UserError, match="no runs to compare: name some"):
        compare_recorded(store)
    with Store.open(tmp_path / "fresh") as fresh:
        begun = Recorder(fresh, tmp_path).start()
        with pytest.raises(UserError, match=f"has finished; name unfinished ones .*{begun}"):
            compare_recorded(fresh, (), "cartpole-swingup")


def test_baselines_that_were_trained_later_count(tmp_path: Path):
    with Store.open(tmp_path / "late") as late:
        recorder = Recorder(late, tmp_path)
        run_id = recorder.whole_run()
        without = {**result(), "human_normalised": None}
        late.finish_run(run_id, {k: v for k, v in without.items() if k not in ("expert", "sparse")})
        (told,) = compare_recorded(late, [run_id])[0].rows
        assert told.human_normalised is None

        train(late, recorder, "expert", [0.90, 0.92, 0.97])
        (told,) = compare_recorded(late, [run_id])[0].rows
        assert told.human_normalised is None  # one of the two is no scale
        late.finish_run(run_id, result())  # with another scale

        train(late, recorder, "sparse", [0.1, 0.2, 0.3])
        (told,) = compare_recorded(late, [run_id])[0].rows
        assert (told.expert, told.sparse) == (pytest.approx(0.93), pytest.approx(0.2))
        assert told.fitness is not None
        assert told.human_normalised == pytest.approx((told.fitness - 0.2) / 0.73)


def test_several_tasks_are_compared_apart(store: Store, searched: str, offline: str):
    one, other = load_ledgers(store, [searched, offline])
    other.task = "hopper-forward"
    parts = compare([one, other])
    assert [(p.task, [r.run for r in p.rows]) for p in parts] == [
        ("cartpole-swingup", [one.id]),
        ("hopper-forward", [other.id]),
    ]
    assert page_name(parts).startswith("compare-tasks-")


# --- the page -------------------------------------------------------------------------------


def test_the_page_shows_table_notes_and_a_chart_for_each_budget(
    store: Store, searched: str, pruned: str, expert: str, tmp_path: Path
):
    part = compared(store, searched, pruned, expert)
    path = write_comparison(store, [part])
    assert path.parent == store.runs_dir
    assert path.name == page_name([part])
    assert write_comparison(store, [compared(store, pruned, expert, searched)]) == path
    page = Page(path)
    assert page.inside == []
    for told in (
        "3 runs on cartpole-swingup",
        "0.857",
        "0.806 to 0.908",
        "3 fresh seeds",
        "search alone",
        "unknown-variable",
        "2,700, 2,310",
        "$0.0341",
        *part.notes,
    ):
        assert told in page.text
    charts = ["trainings", "environment steps", "tokens", "cost", "wall-clock"]
    assert [f"Score over {budget}" in page.text for budget in charts] == [True] * 5
    lines = [a for a in page.all("path") if a.get("class") == "path"]
    assert len(lines) == 2 * 5  # the plain training has a mark alone
    marks = [a for a in page.all("circle") if a.get("class") == "mark"]
    assert len(marks) == 1 + 5  # in the table and in each chart
    assert path.stat().st_size < 60_000


def test_the_page_loads_nothing_and_runs_nothing(store: Store, searched: str, tmp_path: Path):
    part = compared(store, searched)
    folder = store.run_folder(searched)
    (folder / "report.html").write_text("")
    out = tmp_path / "pages" / "a comparison.html"
    page = Page(write_comparison(store, [part], out))
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert page.scripts == []
    (link,) = page.all("a")
    target = str(link["href"])
    assert (out.parent / target).resolve() == (folder / "report.html").resolve()
    assert not any("src" in attributes for _, attributes in page.elements)


def test_names_and_reasons_stay_text(store: Store, recorder: Recorder, tmp_path: Path):
    run_id = recorder.start(model=HOSTILE)
    harmless = recorder.proposal(0, 0, (), True)
    assert harmless.completion is not None
    hostile = replace(harmless, completion=replace(harmless.completion, model=HOSTILE))
    first, second = store.record_proposals(run_id, 0, [hostile, replace(hostile, slot=1)])
    store.set_gate_verdict(first, "accepted")
    recorder.evaluate(first, 0.5)
    finding = ProbeFinding(level="error", code="hostile", message=HOSTILE)
    store.set_gate_verdict(second, "refused", HOSTILE, [finding])
    store.fail_run(run_id, HOSTILE)
    (run,) = load_ledgers(store, [run_id])
    run.task = HOSTILE
    run.config = {**run.config, "strategy": HOSTILE}
    parts = compare([run])
    page = Page(write_comparison(store, parts, tmp_path / "hostile.html"))
    assert page.inside == []
    assert page.scripts == []
    assert not page.all("img")
    assert page.text.count("<script>alert(1)</script>") >= 4
    assert set(page_name(parts)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


@pytest.mark.parametrize("scores", [[[0.5]], [[0.0]], [[-3.0e6, -2.0e6]], [[1e-9, 2e-9]]])
def test_scores_of_any_size_are_drawn_within_the_plane(
    store: Store, recorder: Recorder, scores: list[list[float]], tmp_path: Path
):
    run_id = scored_run(recorder, scores)
    part = compared(store, run_id)
    drawn = charts(part.rows)
    assert len(drawn) == 5
    for chart in drawn:
        assert all(chart.top <= t.place <= chart.bottom for t in chart.y_ticks)
        assert all(chart.left <= t.place <= chart.right for t in chart.x_ticks)
        assert 2 <= len(chart.y_ticks) <= 9
        for line in chart.lines:
            assert chart.top <= line.label[1] <= chart.bottom


def test_an_interval_beyond_the_scores_is_cut_at_the_edge(store: Store, searched: str):
    (run,) = load_ledgers(store, [searched])
    run.result = {**result(), "low": -50.0, "high": 60.0}
    (part,) = compare([run])
    chart = charts(part.rows)[0]
    (line,) = chart.lines
    assert line.bar == pytest.approx((chart.top, chart.bottom))
    # What was found takes a good part of the plane all the same.
    heights = [t.place for t in chart.y_ticks]
    assert max(heights) - min(heights) > 0.5 * (chart.bottom - chart.top)


def test_many_runs_stay_apart_in_a_chart(store: Store, searched: str):
    (told,) = compared(store, searched).rows
    chart = charts([told] * (MOST_LINES + 2))[0]
    assert [line.place for line in chart.lines] == list(range(1, MOST_LINES + 1))
    assert len({(line.colour, line.dash) for line in chart.lines}) == MOST_LINES
    heights = sorted(line.label[1] for line in chart.lines)
    assert min(b - a for a, b in pairwise(heights)) > 10  # a line of text
    # Trainings are counted in whole numbers.
    assert [tick.label for tick in chart.x_ticks] == ["0", "3", "6", "9", "12"]
