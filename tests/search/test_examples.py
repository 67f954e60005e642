"""Few-shot examples: the likest tasks' best programs, and never a task's own."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reward_synth.search.config import RunConfig
from reward_synth.search.examples import similar_examples, similarities, words
from reward_synth.store import NewCandidate, Store
from reward_synth.task import Task, load_task
from tests.report.recorded_run import Recorder, result

TASKS = ("hopper-forward", "ant-forward", "reacher-reach", "cartpole-swingup", "cheetah-run")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One finished search of each task, whose best program is named after it."""
    with Store.open(tmp_path_factory.mktemp("runs")) as store:
        for name in TASKS:
            finish(store, load_task(name), f"# of {name}\n", tmp_path_factory.mktemp("policy"))
        yield store


def finish(store: Store, task: Task, source: str, folder: Path, origin: str = "model") -> None:
    recorder = Recorder(store, folder)
    config = RunConfig(task=str(task.folder), models=("offline",))
    run_id = store.create_run("search", task, config)
    (found,) = store.record_proposals(run_id, 0, [NewCandidate(0, source, origin)])
    store.set_gate_verdict(found, "accepted")
    recorder.evaluate(store.candidates(run_id)[0], 0.5)
    store.finish_run(run_id, {**result(), "winner": 0})


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_never_shown_its_own_reward(store, name: str):
    shown = similar_examples(store, load_task(name), 16)
    assert {example.program for example in shown} == {
        f"# of {other}\n" for other in TASKS if other != name
    }


def test_nor_under_another_name(store, tmp_path):
    """The same task in a copied folder, with other words for the same thing."""
    copy = tmp_path / "hop-along"
    shutil.copytree(load_task("hopper-forward").folder, copy)
    task = load_task(copy)
    for disguised in (task, replace(task, description="Hop  ON the spot and then onwards.")):
        shown = [example.program for example in similar_examples(store, disguised, 16)]
        assert "# of hopper-forward\n" not in shown
        assert len(shown) == len(TASKS) - 1


def test_what_a_person_wrote_is_not_shown(store, tmp_path):
    before = similar_examples(store, load_task("cheetah-run"), 16)
    finish(store, load_task("hopper-backflip"), "# a person's\n", tmp_path, origin="expert")
    assert similar_examples(store, load_task("cheetah-run"), 16) == before


def test_the_likest_come_first(store):
    shown = [example.task for example in similar_examples(store, load_task("hopper-forward"), 4)]
    assert set(shown[:2]) == {"ant-forward", "cheetah-run"}
    assert len(similar_examples(store, load_task("hopper-forward"), 1)) == 1
    assert similar_examples(store, load_task("hopper-forward"), 0) == []


def test_similarity_is_a_cosine():
    task = words(load_task("hopper-forward"))
    same, none = similarities(task, [task, Counter({"zebra": 3})])
    assert same == pytest.approx(1.0)
    assert none == 0.0
