"""Successive halving in a search: clearly bad programs are dropped, and a kill changes nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reward_synth.evaluation import WorkerPool, rung_steps
from reward_synth.search import Progress, RunConfig
from reward_synth.search.config import SEED_DISTANCE
from reward_synth.search.trainings import Trainer
from reward_synth.store import NewCandidate, RungDecision, Store
from reward_synth.store.schema import Candidate
from reward_synth.task import load_task, reward_source

TASK = load_task("cartpole-swingup")
STEPS = 8 * TASK.ppo.environments * TASK.ppo.rollout_steps
RUNGS = (0.25, 0.5)
SEEDS = 2
NAN = """
def compute_reward(cart_position):
    odd = xp.sqrt(-xp.abs(cart_position))
    return odd, {"odd": odd}
"""


def program(total: str) -> str:
    return (
        "def compute_reward(pole_up, cart_position, pole_velocity, action):\n"
        f"    total = {total}\n"
        '    return total, {"total": total}\n'
    )


GOOD = [
    reward_source(TASK, "expert"),
    program("pole_up"),
    program("(1.0 + pole_up) * (1.0 - 0.5 * cart_position**2)"),
]
BAD = [program("-pole_up"), program("-(pole_velocity**2)"), program("-pole_up - cart_position**2")]
SOURCES = [BAD[0], GOOD[0], BAD[1], GOOD[1], BAD[2], GOOD[2]]
"""Candidates 1, 3 and 5 are good."""


class Stopped(Exception):
    """What a kill is in these tests."""


def start(store: Store, sources: Sequence[str]) -> str:
    """A run whose first generation has passed the gate."""
    run = store.create_run("search", TASK, RunConfig(task=TASK.name, seeds=SEEDS))
    proposals = [NewCandidate(slot=k, source=s, origin="file") for k, s in enumerate(sources)]
    for candidate in store.record_proposals(run, 0, proposals):
        store.set_gate_verdict(candidate, "accepted")
    return run


def train(store: Store, run: str, observer: Callable[[Progress], None]) -> None:
    """What a search does with a generation, now or after a kill."""
    candidates = store.candidates(run)
    waiting = [c for c in candidates if c.status in ("accepted", "scored")]
    with WorkerPool(TASK.folder, 1, kinds=["train"]) as pool:
        trainer = Trainer(
            store,
            run,
            TASK,
            pool,
            steps=STEPS,
            episodes=2,
            observer=observer,
            rungs=RUNGS,
            rung_episodes=2,
        )
        trainer.search(waiting, 7, SEEDS, whole=len(candidates))


def fates(candidates: Sequence[Candidate]) -> list[tuple[object, ...]]:
    """All that pruning decides, and what it decides from."""
    return [
        (
            c.status,
            c.reason,
            [(r.rung, r.steps, r.fitness, r.low, r.high, r.kept) for r in c.rungs],
            sorted((e.seed, e.fitness) for e in c.evaluations),
        )
        for c in candidates
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[list[Candidate], list[Progress]]:
    seen: list[Progress] = []
    with Store.open(tmp_path_factory.mktemp("runs")) as store:
        run = start(store, SOURCES)
        train(store, run, seen.append)
        return store.candidates(run), seen


def test_bad_programs_are_dropped_and_good_ones_scored(undisturbed):
    candidates, seen = undisturbed
    assert {candidates[k].status for k in (0, 2, 4)} == {"pruned"}
    scored = [c for c in candidates if c.status == "scored"]
    assert len(scored) >= 2 and {c.number for c in scored} <= {1, 3, 5}
    for candidate in candidates:
        seeds = sorted(e.seed for e in candidate.evaluations)
        assert seeds == ([7, 7 + SEED_DISTANCE] if candidate in scored else [])
    # A dropped candidate's trainings are all told of.
    pruned = [(p.candidate, p.seed) for p in seen if p.kind == "pruned"]
    dropped = [c.number for c in candidates if c.status == "pruned"]
    assert sorted(pruned) == sorted((n, s) for n in dropped for s in (7, 7 + SEED_DISTANCE))


def test_every_rung_is_recorded_with_its_decision(undisturbed):
    candidates, seen = undisturbed
    steps = rung_steps(RUNGS, STEPS)
    gone: set[int] = set()
    for rung, until in enumerate(steps):
        there = [c for c in candidates if c.number not in gone]
        rows = {c.number: next(r for r in c.rungs if r.rung == rung) for c in there}
        assert {row.steps for row in rows.values()} == {until}
        kept = [row for row in rows.values() if row.kept]
        dropped = {number for number, row in rows.items() if not row.kept}
        assert len(kept) >= max(2, len(candidates) // 2 ** (rung + 1))
        assert all(row.low <= row.fitness <= row.high for row in rows.values())
        for number in dropped:
            assert rows[number].fitness < min(row.fitness for row in kept)
            reason = candidates[number].reason
            assert reason.startswith(f"dropped after {until:,} steps: fitness ")
        told = [p.message for p in seen if p.kind == "rung" and p.step == until]
        assert told == [f"{len(kept)} of {len(there)} go on"]
        gone |= dropped
    for candidate in candidates:
        assert all(row.kept for row in candidate.rungs[:-1])
        assert candidate.rungs[-1].kept == (candidate.status == "scored")


def at(kind: str) -> Callable[[Progress], None]:
    """An observer that ends everything at the first progress of a kind."""

    def observer(progress: Progress) -> None:
        if progress.kind == kind:
            raise Stopped

    return observer


def test_a_search_that_is_killed_and_resumed_decides_the_same(tmp_path, undisturbed):
    """After a rung's decision, and when one seed of one candidate is scored."""
    with Store.open(tmp_path) as store:
        run = start(store, SOURCES)
        for observer in (at("rung"), at("scored")):
            with pytest.raises(Stopped):
                train(store, run, observer)
        assert sum(len(c.evaluations) for c in store.candidates(run)) == 1
        train(store, run, lambda progress: None)
        assert fates(store.candidates(run)) == fates(undisturbed[0])


def test_what_was_decided_before_a_kill_stands(tmp_path):
    """A bad program that went on by luck is not judged again when the others are done."""
    with Store.open(tmp_path) as store:
        run = start(store, [GOOD[0], BAD[0], GOOD[1]])
        for rung, until in enumerate(rung_steps(RUNGS, STEPS)):
            candidates = store.candidates(run)
            store.record_rung(
                rung, until, [RungDecision(c, 0.5, 0.4, 0.6, True, "") for c in candidates]
            )
        seen: list[Progress] = []
        train(store, run, seen.append)
        assert [c.status for c in store.candidates(run)] == ["scored"] * 3
        assert "rung" not in {progress.kind for progress in seen}


def test_a_candidate_of_which_a_seed_fails_has_failed_and_is_in_no_rung(tmp_path: Path):
    with Store.open(tmp_path) as store:
        run = start(store, [GOOD[0], NAN, BAD[0], GOOD[1]])
        train(store, run, lambda progress: None)
        candidates = store.candidates(run)
        assert [c.status for c in candidates] == ["scored", "failed", "pruned", "scored"]
        assert "'odd'" in candidates[1].reason and candidates[1].rungs == []
        assert [len(c.evaluations) for c in candidates] == [2, 0, 0, 2]
