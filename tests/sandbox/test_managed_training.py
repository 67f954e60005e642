"""Training on mjlab's environments: on PyTorch's tensors, within the walls, several at once."""

from pathlib import Path

import numpy as np
import pytest

from reward_synth.evaluation import Gate, WorkerPool, compiled_kernels, errors
from reward_synth.task import load_task, reward_source
from sandbox.messages import Member, TrainJob, TrainResult

pytest.importorskip("mjlab")

TASK = """
from reward_synth.task import *

task = Task(
    description="Balance the pole.",
    variables={
        "joints": Variable(
            "cart position and pole angle", "m, rad",
            Measured(lambda env: env.scene["cartpole"].data.joint_pos),
        ),
        "seen": Variable("what mjlab shows policies", "1", Observed("actor")),
        "native_reward": Variable("the environment's own", "1", NativeReward(), public=False),
    },
    observation=("seen",),
    episode_steps=20,
    training_steps=1000,
    fitness=lambda episode: float(episode["native_reward"].sum()),
    fitness_doc="return",
    environment=ManagerBasedEnvironment(
        "Mjlab-Cartpole-Balance", options={"episode_length_s": 0.98}
    ),
    ppo=PpoSettings(environments=4, rollout_steps=32, minibatch_size=64, hidden_sizes=(8,)),
)
"""
ROLLOUT = 4 * 32
CENTRED = """
def compute_reward(joints, prev_joints):
    off = xp.abs(joints[:, 0])
    return -off, {"off": off, "moved": joints[:, 0] - prev_joints[:, 0]}
"""
FAILS_WHEN_OFF = """
def compute_reward(joints):
    odd = xp.sqrt(0.02 - xp.abs(joints[:, 0]))
    return odd, {"odd": odd}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.py").write_text(TASK)
    return folder


def train_within(
    pool: WorkerPool, task: Path, members: list[Member]
) -> tuple[TrainResult, dict[str, bytes]]:
    """Train for four rollouts; gives the result and the policies' files."""

    def job(place: str) -> TrainJob:
        return TrainJob(task=str(task), members=members, folder=place, steps=4 * ROLLOUT)

    policies: dict[str, bytes] = {}

    def collect(result: object, place: Path) -> None:
        policies.update({f.stem: f.read_bytes() for f in place.glob("*.safetensors")})

    outcome = pool.run(job, collect=collect)
    assert isinstance(outcome, TrainResult), outcome
    return outcome, policies


def test_within_the_walls(folder: Path) -> None:
    """Gate and training in a confined worker, where a member is the same alone and among others."""
    task = load_task(folder)
    native = reward_source(task, "native")
    centred = Member(name="centred", program=CENTRED, seed=3)
    own = Member(name="own", program=native, seed=4, own=True)
    fails = Member(name="fails", program=FAILS_WHEN_OFF, seed=5)
    with WorkerPool(task.folder, 1, kinds=["probe", "train"]) as pool:
        [refused] = Gate(task, pool).judge([native])
        assert any("native_reward" in finding.message for finding in errors(refused.findings))
        [accepted] = Gate(task, pool, own=True).judge([native])
        assert not errors(accepted.findings), accepted.findings
        among, policies = train_within(pool, task.folder, [own, fails, centred])
        alone, policy = train_within(pool, task.folder, [centred])
    results = {result.member: result for result in among.members}
    failure = results["fails"].failure
    assert failure is not None and "'odd'" in failure.message
    assert policies["centred"] == policy["centred"]
    reports = [results["centred"].report, alone.members[0].report]
    first, second = (
        [c.model_dump(exclude={"seconds"}) for c in report.checkpoints] if report else []
        for report in reports
    )
    assert first and first == second
    report = results["own"].report
    assert report is not None
    for checkpoint in report.checkpoints:
        if checkpoint.episodes:
            # Its reward is the fitness, episode by episode.
            assert checkpoint.episode_return == pytest.approx(checkpoint.fitness, rel=1e-5)
    assert np.isfinite(report.checkpoints[-1].fitness or np.nan)


def test_kernels_are_compiled_before_a_worker_starts(folder: Path) -> None:
    """On the processor too; for tasks without mjlab there are none."""
    kernels = compiled_kernels(folder, "cpu")
    assert kernels is not None and any(kernels.rglob("*.o"))
    assert compiled_kernels(load_task("cartpole-swingup").folder, "cpu") is None
