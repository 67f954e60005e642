"""Jobs in real, confined workers: what comes back, and what happens when a job goes wrong."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import mujoco
import pytest

from reward_synth.evaluation import Gate, WorkerPool, score_policy
from reward_synth.task import load_task, reward_source
from sandbox.messages import Checkpoint, Failure, Member, MemberResult, TrainJob, TrainResult
from sandbox.worker import describe

TASK = load_task("cartpole-swingup")
STEPS = 6_000


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(TASK.folder, 1) as pool:
        yield pool


def job(program: str, **changes) -> Callable[[str], TrainJob]:
    def make(folder: str) -> TrainJob:
        settings = {"seed": 1, "steps": STEPS, **changes}
        member = Member(name="only", program=program, seed=settings.pop("seed"))
        return TrainJob(task=str(TASK.folder), members=[member], folder=folder, **settings)

    return make


def train(pool: WorkerPool, keep: Path, program: str, **changes):
    """One training; its policy is kept in ``keep``."""
    checkpoints: list[Checkpoint] = []

    def collect(_result, folder: Path) -> None:
        policy = folder / "only.safetensors"
        if policy.exists():
            keep.write_bytes(policy.read_bytes())

    outcome = pool.run(job(program, **changes), on_checkpoint=checkpoints.append, collect=collect)
    return outcome, checkpoints


def only(outcome) -> MemberResult:
    assert isinstance(outcome, TrainResult)
    [member] = outcome.members
    assert member.member == "only"
    return member


def test_training_streams_checkpoints_and_leaves_a_policy(pool, tmp_path):
    policy = tmp_path / "policy.safetensors"
    outcome, checkpoints = train(pool, policy, reward_source(TASK, "expert"))
    report = only(outcome).report
    assert report is not None and report.steps >= STEPS
    assert len(checkpoints) == 6, "one for each update, for fewer updates than checkpoints"
    assert checkpoints == report.checkpoints
    assert isinstance(outcome, TrainResult) and outcome.peak_memory > 50 * 2**20
    last = checkpoints[-1]
    assert set(last.components) == {"upright", "centred", "gentle", "still"}
    assert sum(part.share for part in last.components.values()) == pytest.approx(1.0)
    finished = [c for c in checkpoints if c.episodes]
    assert finished and all(c.episode_length == TASK.episode_steps for c in finished)
    assert all(0.0 <= c.fitness <= 1.0 for c in finished if c.fitness is not None)

    score = score_policy(TASK, policy, episodes=4)
    assert score.low is not None and score.fitness is not None and score.high is not None
    assert score.low <= score.fitness <= score.high
    assert len(score.episodes) == 4


def test_same_seed_gives_the_same_policy_and_another_seed_another(pool, tmp_path):
    paths = [tmp_path / name for name in "abc"]
    reports = [
        train(pool, path, reward_source(TASK, "expert"), seed=seed)[0]
        for path, seed in zip(paths, (1, 1, 2), strict=True)
    ]
    assert all(only(report).report for report in reports)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != paths[2].read_bytes()


def test_a_reward_that_becomes_nan_is_a_failure_with_its_component(pool, tmp_path):
    program = """
def compute_reward(cart_position):
    '''NaN as soon as the cart leaves the left half.'''
    odd = xp.sqrt(-cart_position)
    return odd, {"odd": odd}
"""
    outcome, _ = train(pool, tmp_path / "p", program)
    failure = only(outcome).failure
    assert failure is not None and failure.reason == "non-finite"
    assert "'odd'" in failure.message
    assert not (tmp_path / "p").exists()


def test_a_job_with_members_tells_of_each(pool, tmp_path):
    """Failures and reports come back together; a population's files are named after members."""
    expert = reward_source(TASK, "expert")
    programs = {"good": expert, "unknown": "def compute_reward(polee): return polee, {'a': polee}"}
    seen: list[str] = []
    checkpoints: list[Checkpoint] = []

    def make(folder: str) -> TrainJob:
        members = [Member(name=name, program=p, seed=1) for name, p in programs.items()]
        return TrainJob(
            task=str(TASK.folder), members=members, folder=folder, steps=STEPS, until=1, keep=True
        )

    def collect(_result, folder: Path) -> None:
        seen.extend(sorted(path.name for path in folder.iterdir()))

    outcome = pool.run(make, on_checkpoint=checkpoints.append, collect=collect)
    assert isinstance(outcome, TrainResult)
    assert {m.member: m.failure and m.failure.reason for m in outcome.members} == {
        "good": None,
        "unknown": "raised",
    }
    assert seen == ["good.safetensors", "good.state.safetensors"]
    assert {checkpoint.member for checkpoint in checkpoints} == {"good"}


def test_a_training_without_end_is_stopped_at_its_limit_and_the_worker_goes_on(pool, tmp_path):
    start = time.monotonic()
    outcome, _ = train(
        pool, tmp_path / "p", reward_source(TASK, "expert"), steps=50_000_000, time_limit=2.0
    )
    assert isinstance(outcome, Failure)
    assert outcome.reason == "time"
    assert time.monotonic() - start < 20
    assert isinstance(train(pool, tmp_path / "q", reward_source(TASK, "expert"))[0], TrainResult)


def test_a_training_that_wants_too_much_memory_fails_alone(pool, tmp_path):
    outcome, _ = train(pool, tmp_path / "p", reward_source(TASK, "expert"), memory_limit=32 * 2**20)
    assert isinstance(outcome, Failure)
    assert isinstance(train(pool, tmp_path / "q", reward_source(TASK, "expert"))[0], TrainResult)


def test_a_killed_worker_is_replaced(pool, tmp_path):
    worker = pool.all[0]
    worker.start()
    os.kill(worker.process.pid, signal.SIGKILL)
    outcome, _ = train(pool, tmp_path / "p", reward_source(TASK, "expert"))
    if isinstance(outcome, Failure):
        assert outcome.reason == "killed"
        outcome, _ = train(pool, tmp_path / "p", reward_source(TASK, "expert"))
    assert isinstance(outcome, TrainResult)


def test_worker_processes_end_with_the_pool(tmp_path):
    with WorkerPool(TASK.folder, 1, kinds=["probe"]) as pool:
        Gate(TASK, pool).judge([reward_source(TASK, "expert")])
        process = pool.all[0].process
        assert process is not None
        pid = process.pid
        root = pool.root
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert not root.exists()


def test_what_torch_and_mujoco_say_of_too_little_memory_is_understood():
    for error in (
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        mujoco.FatalError("Could not allocate memory"),
        MemoryError(),
    ):
        assert describe(error).reason == "memory"


def test_a_full_disk_is_no_fault_of_the_candidate():
    assert describe(OSError(errno.ENOSPC, "No space left on device")).reason == "disk"
    assert describe(OSError(errno.EPERM, "Operation not permitted")).reason == "raised"


def test_a_job_ends_at_once_when_its_pool_is_closed_from_elsewhere():
    outcomes: list[object] = []
    with WorkerPool(TASK.folder, 1, kinds=["train"]) as pool:
        make = job(reward_source(TASK, "expert"), steps=50_000_000)

        def run() -> None:
            outcomes.append(pool.run(make))

        waiting = threading.Thread(target=run, daemon=True)
        waiting.start()
        while not list(pool.all[0].jobs.glob("*")):
            time.sleep(0.01)
    waiting.join(timeout=30.0)  # it used to wait for a minute of silence
    assert not waiting.is_alive()
    assert isinstance(outcomes[0], Failure)


JOB = """
import json, sys
from reward_synth.task import load_task, reward_source
from sandbox.messages import Member, TrainJob
from sandbox.worker import preload

folder, kinds = sys.argv[1], sys.argv[2:]
preload(kinds)
before = set(sys.modules)
task = load_task("cartpole-swingup")
member = Member(name="m", program=reward_source(task, "expert"), seed=0)
from sandbox.training import train

train(
    TrainJob(task=str(task.folder), members=[member], folder=folder, steps=2048, threads=1),
    lambda message: None,
)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_what_a_training_needs_is_imported_before_its_process_is_forked(tmp_path):
    """A worker forks for each job, which would import again what its parent has not."""
    said = subprocess.run(
        [sys.executable, "-c", JOB, str(tmp_path), "train"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = json.loads(said.stdout.splitlines()[-1])
    assert [
        name for name in imported if name.startswith(("mujoco", "torch", "reward_synth."))
    ] == []
