"""Legs of trainings in real workers: outcomes, states carried over, and workers that go wrong."""

import os
import signal
import threading
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation import Layout, Legs, Trained, WorkerPool, legs, score_policy
from reward_synth.evaluation.files import take_file
from reward_synth.task import load_task, reward_source
from sandbox.messages import Checkpoint, Failure, Member, MemberResult, TrainResult

TASK = load_task("cartpole-swingup")
ROLLOUT = TASK.ppo.environments * TASK.ppo.rollout_steps
STEPS = 4 * ROLLOUT
EPISODES = 2
EXPERT = reward_source(TASK, "expert")
NAN = """
def compute_reward(cart_position):
    odd = xp.sqrt(-xp.abs(cart_position))
    return odd, {"odd": odd}
"""
# 4,096 numbers for each of a rollout's 1,024 rows: 32 MiB for each of these names.
GREEDY = f"""
def compute_reward(cart_position):
    x = cart_position
    row = xp.stack([{", ".join(["x"] * 64)}], axis=-1)
    a = xp.stack([{", ".join(["row"] * 64)}], axis=-1)
    b = a * 2.0
    c = b * 2.0
    total = xp.sum(xp.sum(c, axis=-1), axis=-1) + a[:, 0, 0]
    return total, {{"total": total}}
"""


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(TASK.folder, 2, kinds=["train"]) as pool:
        yield pool


def member(name: str, program: str = EXPERT, seed: int = 1) -> Member:
    return Member(name=name, program=program, seed=seed)


def start(pool: WorkerPool, members: int = 8, **listeners) -> Legs:
    return Legs(TASK, pool, Layout(2, pool.size, members), steps=STEPS, **listeners)


def policies(outcomes: dict[str, Trained | Failure]) -> dict[str, bytes]:
    return {
        name: outcome.policy.read_bytes()
        for name, outcome in outcomes.items()
        if isinstance(outcome, Trained)
    }


def failures(outcomes: dict[str, Trained | Failure]) -> dict[str, str]:
    return {name: o.reason for name, o in outcomes.items() if isinstance(o, Failure)}


FIVE = [member(f"m{seed}", seed=seed) for seed in range(5)]


@pytest.fixture(scope="module")
def whole(pool) -> dict[str, bytes]:
    """Policies of five members that were trained in one leg."""
    with start(pool) as run:
        return policies(run.advance(FIVE, STEPS, episodes=EPISODES))


def test_every_member_has_its_outcome_and_is_told_of(pool):
    started: list[str] = []
    told: list[str] = []
    checkpoints: list[Checkpoint] = []
    members = [member("a"), member("nan", NAN), member("b", seed=2), member("odd", "nonsense")]
    with start(
        pool, on_start=lambda one: started.append(one.name), on_checkpoint=checkpoints.append
    ) as run:
        outcomes = run.advance(
            members, STEPS, episodes=EPISODES, on_trained=lambda one, _: told.append(one.name)
        )
        assert failures(outcomes) == {"nan": "non-finite", "odd": "raised"}
        for name in ("a", "b"):
            trained = outcomes[name]
            assert isinstance(trained, Trained)
            assert trained.report.steps == STEPS
            assert trained.score == score_policy(TASK, trained.policy, EPISODES)
            assert [c for c in checkpoints if c.member == name] == trained.report.checkpoints
        root = run.root
    assert sorted(started) == ["a", "b", "nan", "odd"]
    assert sorted(told) == ["a", "b"]
    assert not root.exists()


def test_nothing_to_train_is_no_job(pool):
    with start(pool) as run:
        assert run.advance([], STEPS, episodes=EPISODES) == {}


def test_legs_of_ever_fewer_members_are_one_training(pool, whole):
    """Between legs members move to other jobs, and to other workers."""
    with start(pool, members=2) as run:
        first = run.advance(FIVE, ROLLOUT, episodes=EPISODES)
        assert len(first) == 5
        assert all(isinstance(o, Trained) and o.report.steps == ROLLOUT for o in first.values())
        assert policies(first)["m0"] != whole["m0"]
        run.advance(FIVE[:3], 2 * ROLLOUT, episodes=EPISODES)
        last = policies(run.advance(FIVE[2::-1], STEPS, episodes=EPISODES))
    assert last == {name: whole[name] for name in ("m0", "m1", "m2")}


def test_a_working_folder_that_cannot_be_written_is_one_line(pool, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with (
        start(pool) as run,
        pytest.raises(UserError, match=r"cannot write .*TMPDIR.*--resume"),
    ):
        run.lend_states([member("a")], tmp_path / "file" / "job")


def kill_once(pool: WorkerPool, at: str, times: int = 1):
    """Kills the worker that says something of member ``at``, so many times."""
    left = [times]
    lock = threading.Lock()

    def hear(checkpoint: Checkpoint) -> None:
        with lock:
            if checkpoint.member != at or not left[0]:
                return
            left[0] -= 1
        for worker in pool.all:
            if worker.process is not None:
                os.kill(worker.process.pid, signal.SIGKILL)

    return hear, left


def test_a_worker_that_is_killed_in_the_middle_loses_nobody(whole):
    members = FIVE[:2]
    with WorkerPool(TASK.folder, 1, kinds=["train"]) as pool:
        hear, left = kill_once(pool, "m0")
        told: list[str] = []
        with start(pool, on_checkpoint=hear) as run:
            outcomes = run.advance(
                members, STEPS, episodes=EPISODES, on_trained=lambda one, _: told.append(one.name)
            )
            assert left == [0], "it was killed"
            assert policies(outcomes) == {one.name: whole[one.name] for one in members}
    assert sorted(told) == [one.name for one in members]


def test_who_kills_its_worker_every_time_is_given_up_alone(whole):
    """What kills a worker once may have had nothing to do with the candidate, so it is twice."""
    with WorkerPool(TASK.folder, 1, kinds=["train"]) as pool:
        hear, left = kill_once(pool, "m1", times=99)
        with start(pool, on_checkpoint=hear) as run:
            outcomes = run.advance(FIVE[:2], STEPS, episodes=EPISODES)
            assert failures(outcomes) == {"m1": "killed"}
            assert policies(outcomes) == {"m0": whole["m0"]}
    assert left == [96], "once beside the other, and twice alone"


def test_who_exhausts_memory_fails_alone(pool, whole, monkeypatch):
    monkeypatch.setattr(legs, "MEMORY_FOR_ONE", 265 * 2**20)
    monkeypatch.setattr(legs, "MEMORY_FOR_EACH_MORE", 0)
    greedy = member("greedy", GREEDY)
    with start(pool) as run:
        outcomes = run.advance([FIVE[0], greedy, *FIVE[1:]], STEPS, episodes=EPISODES)
        assert failures(outcomes) == {"greedy": "memory"}
        assert policies(outcomes) == whole


# --- what a hostile worker may leave ---------------------------------------------------------


def claim(pool: WorkerPool, run: Legs, until: int, plant) -> dict[str, Trained | Failure]:
    """What comes of a job that ``plant`` left the files of ``m0`` for."""
    folder = pool.root / "planted"
    folder.mkdir()
    with start(pool) as honest:
        trained = honest.advance(FIVE[:1], STEPS, episodes=EPISODES)["m0"]
        assert isinstance(trained, Trained)
        (folder / "m0.safetensors").write_bytes(trained.policy.read_bytes())
        (folder / "m0.state.safetensors").write_bytes(b"state")
    plant(folder)
    said = TrainResult(
        members=[
            MemberResult(member="m0", report=trained.report),
            MemberResult(member="../../m9", report=trained.report),
        ]
    )
    try:
        return run.collect(said, folder, FIVE[:2], until, EPISODES)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def link(name: str):
    """Replaces a file by a link to one like it that lies elsewhere."""

    def plant(folder: Path) -> None:
        elsewhere = folder.parent / f"elsewhere-{name}"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return plant


def test_files_that_are_no_plain_files_are_refused(pool):
    with start(pool) as run:
        for name, until in (("m0.safetensors", STEPS), ("m0.state.safetensors", ROLLOUT)):
            found = claim(pool, run, until, link(name))
            assert failures(found) == {"m0": "protocol"}
            failure = found["m0"]
            assert isinstance(failure, Failure)
            assert failure.message == f"the worker left no plain file {name}"
            assert not (run.root / name).exists()


def test_a_file_that_is_no_policy_is_its_members_failure(pool):
    with start(pool) as run:
        found = claim(
            pool, run, STEPS, lambda folder: (folder / "m0.safetensors").write_bytes(b"no policy")
        )
        assert failures(found) == {"m0": "protocol"}
        # What is sound is taken, and nobody is heard of whom the job does not know.
        assert list(policies(claim(pool, run, ROLLOUT, lambda folder: None))) == ["m0"]
        assert (run.root / "m0.state.safetensors").read_bytes() == b"state"


def test_only_plain_files_are_taken(tmp_path):
    target = tmp_path / "target"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("pipe", "folder", "dangling", "missing"):
        with pytest.raises(ValueError, match=f"the worker left no plain file {name}"):
            take_file(tmp_path / name, target)
        assert not target.exists()
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"a file sparse of 1,099,511,627,776 bytes"):
        take_file(tmp_path / "sparse", target)
    (tmp_path / "plain").write_text("x")
    with (tmp_path / "plain").open("r+") as held:
        assert take_file(tmp_path / "plain", target) == 1
        held.write("changed later")
    assert target.read_text() == "x"
    with pytest.raises(UserError, match=r"cannot write .*gone/target: No such file.*set TMPDIR"):
        take_file(tmp_path / "plain", tmp_path / "gone" / "target")
