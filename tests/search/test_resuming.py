"""Taking a run up again: by one process at a time, and from wherever it was ended."""

from pathlib import Path

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import RunConfig, TrainConfig, loop
from reward_synth.store import Store
from reward_synth.task import load_task

TASK = load_task("reacher-reach")


def test_a_run_in_work_keeps_its_limits(tmp_path: Path):
    config = RunConfig(task=str(TASK.folder), steps=1024, max_hours=2.0)
    with Store.open(tmp_path) as store:
        run = store.create_run("search", TASK, config)
        store.fail_run(run, "none could be trained")
        with store.lock(run), pytest.raises(UserError, match="is being worked on by process"):
            loop.resume(run, store=store, observer=api.silent, changes={"max_hours": 1.0})
        found = store.get_run(run)
        written = (store.run_folder(run) / "config.yaml").read_text()
    assert found.config["max_hours"] == 2.0
    assert "max_hours: 2.0" in written
    assert (found.status, found.message) == ("failed", "none could be trained")


def test_a_finished_run_stays_as_it_is(tmp_path: Path):
    with Store.open(tmp_path) as store:
        run = store.create_run("search", TASK, RunConfig(task=str(TASK.folder), steps=1024))
        store.finish_run(run, {"winner": 3})
        assert loop.resume(run, store=store, observer=api.silent, changes={"max_hours": 1}) == run
        assert store.get_run(run).result == {"winner": 3}


def test_a_plain_training_that_was_killed_at_its_very_beginning_goes_on(tmp_path: Path):
    settings = {"steps": 1024, "seeds": (100,), "evaluation_episodes": 2, "workers": 1}
    config = TrainConfig(task=str(TASK.folder), reward="sparse", **settings)
    with Store.open(tmp_path) as store:
        run = store.create_run("train", TASK, config)
    finished = api.resume(run, runs_dir=tmp_path)
    assert finished.result["seeds"] == [100]
    assert finished.policy.is_file()
