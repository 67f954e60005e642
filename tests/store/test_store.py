"""What a run records, read back; and that nothing is recorded twice."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from reward_synth.errors import UserError
from reward_synth.evaluation.score import Score
from reward_synth.search.config import RunConfig
from reward_synth.store import Candidate, NewCandidate, NewCompletion, Store
from reward_synth.task import Task
from sandbox.messages import Checkpoint, ProbeFinding, TrainingReport

SOURCE = "def compute_reward(height):\n    return height, {'height': height}\n"


def score(fitness: float) -> Score:
    return Score(
        fitness=fitness, low=fitness, high=fitness, episodes=[fitness], success=None, length=9
    )


def report(seed: int = 0) -> TrainingReport:
    checkpoint = Checkpoint(
        step=100,
        seconds=1.0,
        episodes=0,
        episode_return=None,
        episode_length=None,
        fitness=None,
        success=None,
        components={},
    )
    return TrainingReport(
        seed=seed, steps=100, seconds=1.0, environments=4, trainer="ppo", checkpoints=[checkpoint]
    )


def proposal(slot: int, repair: int = 0, parents: tuple[int, ...] = ()) -> NewCandidate:
    completion = NewCompletion(
        model="openai/test",
        messages=[{"role": "user", "content": "Write a reward."}],
        text=f"```python\n{SOURCE}```",
        prompt_tokens=7,
        completion_tokens=11,
        cost=0.25,
    )
    return NewCandidate(
        slot=slot,
        source=SOURCE,
        origin="model",
        repair=repair,
        parents=parents,
        completion=completion,
    )


def evaluate(
    store: Store, candidate: Candidate, folder: Path, fitness: float = 1.0, **fields: object
):
    policy = folder / "worker-policy"
    policy.write_bytes(b"weights of %f" % fitness)
    settings: dict = {"purpose": "search", "seed": 0, "steps": 100} | fields
    return store.record_evaluation(
        candidate,
        report=report(settings["seed"]),
        score=score(fitness),
        policy=policy,
        seconds=2.0,
        **settings,
    )


@pytest.fixture
def run_id(store: Store, task: Task, config: RunConfig) -> str:
    return store.create_run("search", task, config)


def test_a_run_is_named_after_its_task_and_time(store: Store, task: Task, config: RunConfig):
    first, second, third = (store.create_run("search", task, config) for _ in range(3))
    assert first.startswith("cartpole-swingup-20")
    assert len({first, second, third}) == 3
    assert all(store.run_folder(run).is_dir() for run in (first, second, third))
    stored = yaml.safe_load((store.run_folder(first) / "config.yaml").read_text())
    assert stored["samples"] == 2
    assert stored["task_folder"] == str(task.folder)
    run = store.get_run(first)
    assert RunConfig(**run.config) == config
    assert abs(datetime.now(UTC) - run.created) < timedelta(minutes=5)


def test_what_was_recorded_is_read_back_by_another_process_s_store(
    store: Store, runs_dir: Path, run_id: str, tmp_path: Path
):
    one, two = store.record_proposals(run_id, 0, [proposal(0), proposal(1, parents=(0,))])
    finding = ProbeFinding(level="error", code="unknown", message="no variable `hight`", line=1)
    store.set_gate_verdict(one, "refused", "line 1: no variable `hight`", [finding])
    store.set_gate_verdict(two, "accepted")
    evaluate(store, two, tmp_path, 3.5)
    evaluate(store, two, tmp_path, 4.5, purpose="confirm", seed=101)
    store.add_seconds(run_id, 1.5)
    store.add_seconds(run_id, 2.0)
    store.finish_run(run_id, {"winner": 1, "human_normalised": float("nan")}, "done")

    with Store.open(runs_dir) as other:
        run = other.get_run(run_id)
    assert (run.status, run.message, run.seconds) == ("finished", "done", 3.5)
    assert run.result == {"winner": 1, "human_normalised": None}
    refused, scored = run.candidates
    assert (refused.number, refused.status, refused.findings[0]["line"]) == (0, "refused", 1)
    assert (scored.number, scored.status, scored.parents) == (1, "scored", [0])
    assert [(e.purpose, e.seed, e.fitness) for e in scored.evaluations] == [
        ("search", 0, 3.5),
        ("confirm", 101, 4.5),
    ]
    assert TrainingReport(**scored.evaluations[0].report) == report()
    assert Score(**scored.evaluations[1].score) == score(4.5)
    assert scored.completion is not None
    assert scored.completion.messages == [{"role": "user", "content": "Write a reward."}]
    assert [c.purpose for c in run.completions] == ["propose", "propose"]

    folder = runs_dir / run_id / "candidates" / "0001"
    assert (folder / "reward.py").read_text() == SOURCE
    assert (folder / "prompt.md").read_text() == "# user\n\nWrite a reward.\n"
    assert SOURCE in (folder / "completion.md").read_text()
    assert (folder / "policy.safetensors").read_bytes() == b"weights of 3.500000"
    assert json.loads((folder / "seed-101" / "report.json").read_text())["score"]["fitness"] == 4.5
    assert scored.evaluations[1].policy == "candidates/0001/seed-101/policy.safetensors"


def test_proposing_again_after_a_kill_gives_back_what_is_there(store: Store, run_id: str):
    first = store.record_proposals(run_id, 0, [proposal(0), proposal(1)])
    again = store.record_proposals(run_id, 0, [proposal(1), proposal(0), proposal(2)])
    assert [c.number for c in first] == [0, 1]
    assert [c.number for c in again] == [1, 0, 2]
    repaired = store.record_proposals(run_id, 0, [proposal(1, repair=1, parents=(1,))])
    assert [(c.number, c.parents) for c in repaired] == [(3, [1])]
    run = store.get_run(run_id)
    assert len(run.candidates) == 4
    # A completion is counted once, however often its proposal comes.
    assert sum(c.prompt_tokens for c in run.completions) == 4 * 7
    assert [c.purpose for c in run.completions] == ["propose"] * 3 + ["repair"]


def test_the_first_verdict_and_the_first_evaluation_win(store: Store, run_id: str, tmp_path: Path):
    (candidate,) = store.record_proposals(run_id, 0, [proposal(0)])
    store.set_gate_verdict(candidate, "accepted")
    store.set_gate_verdict(candidate, "refused", "changed my mind")
    first = evaluate(store, candidate, tmp_path, 1.0)
    second = evaluate(store, candidate, tmp_path, 9.0)
    store.record_failure(candidate, "too late")
    assert second.id == first.id
    (kept,) = store.candidates(run_id)
    assert (kept.status, kept.reason) == ("scored", "")
    assert [e.fitness for e in kept.evaluations] == [1.0]
    policy = store.run_folder(run_id) / first.policy
    assert policy.read_bytes() == b"weights of 1.000000"


def test_a_failed_training_keeps_its_reason(store: Store, run_id: str):
    (candidate,) = store.record_proposals(run_id, 0, [proposal(0)])
    store.set_gate_verdict(candidate, "accepted")
    store.record_failure(candidate, "the reward became NaN at step 512")
    (kept,) = store.candidates(run_id)
    assert (kept.status, kept.reason) == ("failed", "the reward became NaN at step 512")


def test_a_failed_run_can_be_opened_again(store: Store, run_id: str):
    store.fail_run(run_id, "the model could not be reached")
    assert store.get_run(run_id).status == "failed"
    store.reopen_run(run_id)
    assert (store.get_run(run_id).status, store.get_run(run_id).message) == ("running", "")


def test_a_policy_that_is_a_link_is_not_followed(store: Store, run_id: str, tmp_path: Path):
    (candidate,) = store.record_proposals(run_id, 0, [proposal(0)])
    store.set_gate_verdict(candidate, "accepted")
    secret = tmp_path / "secret"
    secret.write_text("a person's own file")
    link = tmp_path / "policy.safetensors"
    link.symlink_to(secret)
    with pytest.raises(ValueError, match="no readable policy"):
        store.record_evaluation(
            candidate,
            purpose="search",
            seed=0,
            steps=100,
            report=report(),
            score=score(1),
            policy=link,
            seconds=1,
        )
    assert store.candidates(run_id)[0].evaluations == []


def test_text_of_models_that_no_database_takes_is_stored_all_the_same(store: Store, run_id: str):
    odd = NewCandidate(slot=0, source="x = '\ud800\0'", origin="model")
    (candidate,) = store.record_proposals(run_id, 0, [odd])
    assert candidate.source == "x = '?\ufffd'"
    path = store.run_folder(run_id) / "candidates" / "0000" / "reward.py"
    assert path.read_text() == candidate.source


def test_runs_are_listed_newest_first_with_their_scores(
    store: Store, task: Task, config: RunConfig, tmp_path: Path
):
    runs = [store.create_run("search", task, config) for _ in range(3)]
    (candidate,) = store.record_proposals(runs[0], 0, [proposal(0)])
    store.set_gate_verdict(candidate, "accepted")
    evaluate(store, candidate, tmp_path, 2.5)
    listed = store.list_runs()
    assert [run.id for run in listed] == runs[::-1]
    assert [e.fitness for c in listed[-1].candidates for e in c.evaluations] == [2.5]


def test_a_misspelt_run_is_answered_with_the_nearest(store: Store, run_id: str):
    with pytest.raises(UserError, match=f"did you mean {run_id}"):
        store.get_run(run_id.replace("swingup", "swing-up"))
    with pytest.raises(UserError, match=f"the latest is {run_id}"):
        store.get_run("zzz")


def test_threads_record_side_by_side(store: Store, run_id: str, tmp_path: Path):
    candidates = store.record_proposals(run_id, 0, [proposal(slot) for slot in range(4)])
    for candidate in candidates:
        store.set_gate_verdict(candidate, "accepted")
        (tmp_path / str(candidate.number)).mkdir()

    def work(candidate: Candidate) -> None:
        for seed in range(5):
            folder = tmp_path / str(candidate.number)
            evaluate(store, candidate, folder, seed, purpose="confirm", seed=seed)
            store.add_seconds(run_id, 1.0)

    threads = [threading.Thread(target=work, args=(candidate,)) for candidate in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(c.evaluations) for c in store.candidates(run_id)] == [5, 5, 5, 5]
    assert store.get_run(run_id).seconds == 20.0
