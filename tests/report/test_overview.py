"""Runs as a list shows them: the database counts what loading everything would count."""

import re
from typing import Any

import pytest
from sqlalchemy import event

from reward_synth.report.tables import facts, search_fitness
from reward_synth.search.config import TrainConfig
from reward_synth.store import NewCompletion, Store
from reward_synth.store.overview import count_runs, overviews, task_names
from tests.report.recorded_run import Recorder
from tests.store.older import make_older


@pytest.fixture(scope="module")
def pruned(recorder: Recorder) -> str:
    return recorder.pruned_run()


@pytest.fixture(scope="module")
def trained(store: Store, recorder: Recorder) -> str:
    """A plain training that is not over."""
    config = TrainConfig(task="cartpole-swingup", reward="expert", steps=100_000)
    run = store.create_run("train", recorder.task, config)
    (candidate,) = store.record_proposals(run, 0, [recorder.proposal(0, 0, (), False)])
    recorder.evaluate(candidate, 0.5, purpose="confirm", seed=100)
    recorder.evaluate(candidate, 0.7, purpose="confirm", seed=101)
    return run


def test_a_run_is_counted_as_if_all_of_it_were_read(
    store: Store, searched: str, pruned: str, trained: str
):
    listed = overviews(store)
    assert [run.id for run in listed] == [run.id for run in store.list_runs()]
    for run in listed:
        whole = store.get_run(run.id)
        counted = facts(whole)
        assert run.candidates == counted.candidates
        assert run.fates.get("pruned", 0) == counted.pruned
        assert run.fates.get("refused", 0) == counted.refused
        assert run.prompt_tokens == counted.prompt_tokens
        assert run.completion_tokens == counted.completion_tokens
        assert run.cost == pytest.approx(counted.cost)
        scores = [f for c in whole.candidates if (f := search_fitness(c)) is not None]
        assert run.best == pytest.approx(max(scores))
        assert run.human_normalised == (whole.result or {}).get("human_normalised")


def test_the_best_of_each_generation_is_told(store: Store, searched: str):
    (run,) = overviews(store, ids=[searched])
    assert run.best_by_generation == [(0, 0.42), (1, 0.71), (2, 0.86)]
    assert run.models == ("openai/test",)


def test_an_unknown_price_makes_the_cost_unknown(store: Store, searched: str):
    answer = NewCompletion("openai/test", [], "", cost=None)
    store.record_completion(searched, 0, "review", answer)
    assert overviews(store, ids=[searched])[0].cost is None


def test_runs_are_chosen_by_task_status_and_text(
    store: Store, searched: str, pruned: str, trained: str
):
    assert {run.id for run in overviews(store, status="finished")} == {searched}
    assert {run.id for run in overviews(store, text="OPENAI/")} == {searched}
    assert overviews(store, text="100%") == []  # no pattern, and nothing has it
    assert overviews(store, task="hopper-forward") == []
    assert task_names(store) == ["cartpole-swingup"]
    assert count_runs(store, task="cartpole-swingup") == 3
    pages = [overviews(store, limit=2, offset=start)[0].id for start in (0, 2)]
    assert pages == [trained, searched]


def test_an_older_database_gets_what_it_lacks(store: Store, searched: str):
    with store.engine.begin() as connection:
        make_older(connection, 4)
    with Store.open(store.runs_dir) as again:
        names = again.engine.connect().exec_driver_sql("SELECT name FROM sqlite_master").scalars()
        assert {"activities", "evaluations_counted", "completions_counted"} <= set(names)
        assert overviews(again, ids=[searched])[0].candidates == 11


def test_what_is_counted_is_read_from_indexes_alone(store: Store, searched: str):
    sent: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, parameters, *_):
        sent.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        overviews(store, limit=50)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    plans = []
    with store.engine.connect() as connection:
        for statement, parameters in sent:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans += [row.detail for row in rows]
    read = [step for step in plans if re.match("(SEARCH|SCAN) (cand|compl|eval)", step)]
    assert len(read) >= 4
    assert all("COVERING INDEX" in step for step in read)
