"""What is recorded of a sweep beside its runs."""

from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.search.config import RunConfig
from reward_synth.store import NewCandidate, NewCompletion, Part, Store
from reward_synth.store.sweeps import (
    add_sweep_seconds,
    bill,
    find_sweep,
    get_sweep,
    record_sweep,
    runs_of,
    sweep_lock,
)
from reward_synth.task import Task
from tests.store.older import make_older


def test_a_sweep_knows_its_runs_and_what_they_took(store: Store, task: Task, config: RunConfig):
    record_sweep(store, "night", {"cells": 2})
    run = store.create_run("search", task, config, Part("night", "a1"))
    store.create_run("search", task, config)
    answer = NewCompletion("m", [], "text", prompt_tokens=30, completion_tokens=12, cost=0.5)
    free = NewCompletion("m", [], "text", prompt_tokens=1, completion_tokens=2)
    store.record_proposals(run, 0, [NewCandidate(0, "", "model", completion=answer)])
    store.record_completion(run, 0, "review", free)
    store.fail_run(run, "no luck")

    assert runs_of(store, "night") == {"a1": (run, "failed", "no luck")}
    billed = bill(store, "night")
    assert (billed.answers, billed.tokens, billed.cost, billed.unpriced) == (2, 45, 0.5, 1)
    assert bill(store, "another").tokens == 0


def test_a_sweep_adds_up_its_time_and_may_be_asked_for_more(store: Store):
    record_sweep(store, "night", {"cells": 2})
    add_sweep_seconds(store, "night", 1.5)
    record_sweep(store, "night", {"cells": 3})
    add_sweep_seconds(store, "night", 2.0)
    found = get_sweep(store, "night")
    assert (found.seconds, found.plan) == (3.5, {"cells": 3})


def test_an_unknown_sweep_is_told_with_the_nearest_name(store: Store):
    with pytest.raises(UserError, match="start one with `reward-synth sweep"):
        get_sweep(store, "nihgt")
    record_sweep(store, "night", {})
    with pytest.raises(UserError, match="did you mean night"):
        get_sweep(store, "nihgt")
    assert find_sweep(store, "nihgt") is None


def test_a_sweep_is_worked_on_once(store: Store):
    again = pytest.raises(UserError, match="sweep night is being worked on by process")
    with sweep_lock(store, "night"), again, sweep_lock(store, "night"):
        pass
    with sweep_lock(store, "night"):
        pass


def test_a_database_of_before_there_were_sweeps_takes_one(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    old = store.create_run("search", task, config)
    with store.engine.begin() as connection:
        make_older(connection, 4)
    store.close()
    with Store.open(runs_dir) as opened:
        assert opened.get_run(old).sweep is None
        record_sweep(opened, "night", {})
        new = opened.create_run("search", task, config, Part("night", "a1"))
        assert runs_of(opened, "night")["a1"] == (new, "running", "")
