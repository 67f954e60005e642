"""Trainings of a run: what is recorded, and what is tried again."""

import pytest

from reward_synth.evaluation import WorkerPool
from reward_synth.search import Progress, RunConfig
from reward_synth.search.trainings import Trainer, Training
from reward_synth.store import NewCandidate, Store
from reward_synth.task import load_task, reward_source

TASK = load_task("cartpole-swingup")
NAN = """
def compute_reward(cart_position):
    odd = xp.sqrt(-xp.abs(cart_position))
    return odd, {"odd": odd}
"""


@pytest.fixture
def carried_out(tmp_path):
    """A sound and an unsound candidate, both accepted, trained side by side."""
    seen: list[Progress] = []
    with Store.open(tmp_path) as store, WorkerPool(TASK.folder, 2) as pool:
        run = store.create_run("search", TASK, RunConfig(task="cartpole-swingup"))
        sources = [reward_source(TASK, "expert"), NAN]
        candidates = store.record_proposals(
            run, 0, [NewCandidate(slot=k, source=s, origin="file") for k, s in enumerate(sources)]
        )
        for candidate in candidates:
            store.set_gate_verdict(candidate, "accepted")
        trainer = Trainer(store, run, TASK, pool, steps=2048, episodes=2, observer=seen.append)
        trainer.carry_out([Training(c, 0, "search") for c in store.candidates(run)])
        yield store.candidates(run), seen


def test_one_candidate_fails_with_its_reason_and_the_other_is_scored(carried_out):
    (sound, unsound), seen = carried_out
    assert sound.status == "scored"
    assert [e.purpose for e in sound.evaluations] == ["search"]
    assert unsound.status == "failed"
    assert "'odd'" in unsound.reason
    assert unsound.evaluations == []
    starts = [p.candidate for p in seen if p.kind == "training" and p.step == 0]
    assert sorted(starts) == [0, 1], "what failed by its own fault is not tried again"
