"""Jobs in real, confined workers: what comes back, and what happens when a job goes wrong."""

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecNormalize

from reward_synth.evaluation import Gate, WorkerPool, score_policy
from reward_synth.reward import parse
from reward_synth.simulation import MujocoSimulator
from reward_synth.simulation.policy import load_policy
from reward_synth.task import load_task, reward_source
from sandbox.messages import Checkpoint, Failure, TrainJob, TrainResult
from sandbox.probe import public_sizes
from sandbox.training import build_ppo, save
from sandbox.vec_env import RewardedSimulator
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
        return TrainJob(task=str(TASK.folder), program=program, folder=folder, **settings)

    return make


def train(pool: WorkerPool, keep: Path, program: str, **changes):
    """One training; its policy is kept in ``keep``."""
    checkpoints: list[Checkpoint] = []

    def collect(_result, folder: Path) -> None:
        keep.write_bytes((folder / "policy.safetensors").read_bytes())

    outcome = pool.run(job(program, **changes), on_checkpoint=checkpoints.append, collect=collect)
    return outcome, checkpoints


def test_training_streams_checkpoints_and_leaves_a_policy(pool, tmp_path):
    policy = tmp_path / "policy.safetensors"
    outcome, checkpoints = train(pool, policy, reward_source(TASK, "expert"))
    assert isinstance(outcome, TrainResult)
    assert outcome.report.steps >= STEPS
    assert len(checkpoints) == 10
    assert checkpoints == outcome.report.checkpoints
    last = checkpoints[-1]
    assert set(last.components) == {"upright", "centred", "gentle", "still"}
    assert sum(part.share for part in last.components.values()) == pytest.approx(1.0)
    finished = [c for c in checkpoints if c.episodes]
    assert finished and all(c.episode_length == TASK.episode_steps for c in finished)
    assert all(0.0 <= c.fitness <= 1.0 for c in finished if c.fitness is not None)

    score = score_policy(TASK, policy, episodes=4)
    assert score.low <= score.fitness <= score.high
    assert len(score.episodes) == 4


def test_same_seed_gives_the_same_policy_and_another_seed_another(pool, tmp_path):
    paths = [tmp_path / name for name in "abc"]
    reports = [
        train(pool, path, reward_source(TASK, "expert"), seed=seed)[0]
        for path, seed in zip(paths, (1, 1, 2), strict=True)
    ]
    assert all(isinstance(report, TrainResult) for report in reports)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != paths[2].read_bytes()


def test_policy_in_numpy_acts_as_the_one_that_was_trained(pool, tmp_path):
    """The exported network gives SB3's deterministic action, observation by observation."""
    simulator = MujocoSimulator(TASK, 4)
    program = parse(reward_source(TASK, "expert"), public_sizes(TASK, simulator))
    environment = VecNormalize(
        RewardedSimulator(simulator, program, {}, 0, lambda *_: None), clip_obs=10.0
    )
    model = build_ppo(environment, TASK.ppo, 32, 0)
    model.learn(256)
    path = tmp_path / "policy.safetensors"
    save(model, environment, path)
    policy = load_policy(path, simulator.observation_size, simulator.action_size)
    observation = np.random.default_rng(0).normal(size=(64, simulator.observation_size))
    expected, _ = model.predict(
        np.asarray(environment.normalize_obs(observation), np.float32), deterministic=True
    )
    np.testing.assert_allclose(policy(observation), np.clip(expected, -1, 1), atol=1e-5)


def test_a_reward_that_becomes_nan_is_a_failure_with_its_component(pool, tmp_path):
    program = """
def compute_reward(cart_position):
    '''NaN as soon as the cart leaves the left half.'''
    odd = xp.sqrt(-cart_position)
    return odd, {"odd": odd}
"""
    outcome, _ = train(pool, tmp_path / "p", program)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "non-finite"
    assert "'odd'" in outcome.message


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


def test_a_full_disk_is_no_fault_of_the_candidate():
    assert describe(OSError(errno.ENOSPC, "No space left on device")).reason == "disk"
    assert describe(OSError(errno.EPERM, "Operation not permitted")).reason == "raised"
