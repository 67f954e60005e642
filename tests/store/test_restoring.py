"""A run folder that was harmed agrees with the database again, or the training is made again."""

import os
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from reward_synth.errors import UserError
from reward_synth.search.config import RunConfig
from reward_synth.store import NewJudgement, Store, restore_files, write_best
from reward_synth.task import Task
from tests.store.older import make_older
from tests.store.test_store import evaluate, proposal


@pytest.fixture
def run_id(store: Store, task: Task, config: RunConfig, tmp_path: Path) -> str:
    """One candidate, trained in the search and once more."""
    run_id = store.create_run("search", task, config)
    [candidate] = store.record_proposals(run_id, 0, [proposal(0)])
    store.set_gate_verdict(candidate, "accepted")
    evaluate(store, candidate, tmp_path, 3.5)
    evaluate(store, candidate, tmp_path, 4.5, purpose="confirm", seed=101)
    return run_id


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_the_database_knows_is_written_anew(store: Store, run_id: str):
    folder = store.run_folder(run_id)
    before = contents(folder)
    candidate = folder / "candidates" / "0000"
    (candidate / "reward.py").write_text("def comp")
    (candidate / "prompt.md").unlink()
    (candidate / "completion.md").write_bytes(b"\xff\xfe")
    (candidate / "report.json").write_text("")
    (candidate / "seed-101" / "report.json").unlink()
    assert contents(folder) != before
    assert restore_files(store, run_id) == []
    assert contents(folder) == before


def test_files_that_are_whole_are_not_touched(store: Store, run_id: str):
    paths = [path for path in store.run_folder(run_id).rglob("*") if path.is_file()]
    before = [os.stat(path).st_ino for path in paths]
    restore_files(store, run_id)
    assert [os.stat(path).st_ino for path in paths] == before


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
@pytest.mark.parametrize("purpose", ["search", "confirm"])
def test_a_training_whose_policy_is_lost_is_made_again(
    store: Store, run_id: str, tmp_path: Path, purpose: str, harm: str
):
    [candidate] = store.candidates(run_id)
    [training] = [e for e in candidate.evaluations if e.purpose == purpose]
    path = store.run_folder(run_id) / training.policy
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:] if harm == "flipped" else whole[:-1])
    with pytest.raises(UserError, match=r"policy.safetensors is damaged or gone; .*--resume"):
        write_best(store.run_folder(run_id), candidate, training)
    assert [e.seed for e in restore_files(store, run_id)] == [training.seed]
    [candidate] = store.candidates(run_id)
    assert [e.purpose for e in candidate.evaluations] != [purpose]
    assert len(candidate.evaluations) == 1
    assert candidate.status == ("accepted" if purpose == "search" else "scored")

    assert training.fitness is not None
    evaluate(store, candidate, tmp_path, training.fitness, purpose=purpose, seed=training.seed)
    assert path.read_bytes() == whole
    assert restore_files(store, run_id) == []
    assert [c.status for c in store.candidates(run_id)] == ["scored"]


def test_the_best_is_what_was_recorded_whatever_became_of_the_files(store: Store, run_id: str):
    [candidate] = store.candidates(run_id)
    folder = store.run_folder(run_id)
    (folder / "candidates" / "0000" / "reward.py").write_text("def comp")
    best = write_best(folder, candidate, candidate.evaluations[0])
    assert (best / "reward.py").read_text() == candidate.source


def test_a_database_of_before_people_judged_takes_their_word(
    store: Store, runs_dir: Path, run_id: str
):
    with store.engine.begin() as connection:
        make_older(connection, 3)
    store.close()
    with Store.open(runs_dir) as opened:
        assert opened.candidates(run_id)[0].worth is None
        opened.set_worth(run_id, {0: 1.5})
        assert opened.candidates(run_id)[0].worth == 1.5
        said = [NewJudgement("comment", "Ada", 0, text="faster\0"), NewJudgement("done", "Ada", 0)]
        opened.record_judgements(run_id, said)
        assert [(j.kind, j.text) for j in opened.judgements(run_id)] == [
            ("comment", "faster\ufffd"),
            ("done", ""),
        ]
        assert opened.judgements("another") == []


def test_a_database_that_wanted_a_fitness_of_each_training_does_without(
    store: Store, runs_dir: Path, run_id: str
):
    def trained(opened: Store) -> list[tuple[int, int, float | None, str]]:
        [candidate] = opened.candidates(run_id)
        return [(e.id, e.seed, e.fitness, e.policy_sha256) for e in candidate.evaluations]

    before = trained(store)
    with store.engine.begin() as connection:
        make_older(connection, 4)
    store.close()
    for _ in range(2):
        with Store.open(runs_dir) as opened:
            assert trained(opened) == before
    with Store.open(runs_dir) as opened, opened.engine.begin() as connection:
        connection.execute(text("UPDATE evaluations SET fitness = NULL WHERE seed = 0"))
        indices = inspect(connection).get_indexes("evaluations")
        assert [index["name"] for index in indices] == ["evaluations_counted"]


def test_a_database_without_hashes_gets_them_from_now_on(
    store: Store, runs_dir: Path, run_id: str, tmp_path: Path
):
    with store.engine.begin() as connection:
        make_older(connection, 2)
    store.close()
    with Store.open(runs_dir) as opened:
        [candidate] = opened.candidates(run_id)
        assert [e.policy_sha256 for e in candidate.evaluations] == ["", ""]
        (opened.run_folder(run_id) / candidate.evaluations[0].policy).write_text("who knows")
        assert restore_files(opened, run_id) == []
        assert len(evaluate(opened, candidate, tmp_path, seed=7).policy_sha256) == 64
    with Store.open(runs_dir) as opened:
        assert len(opened.candidates(run_id)[0].evaluations) == 3
