"""Training on environments of others, which cannot be put back to where they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation import Gate, WorkerPool, errors
from reward_synth.task import load_task, reward_source
from sandbox.messages import Member, MemberResult, TrainJob, TrainResult
from sandbox.training import train

TASK = """
from reward_synth.task import *

task = Task(
    description="Swing the pendulum up.",
    variables={{
        "state": Variable("cosine, sine and velocity", "1", Observed()),
        "velocity": Variable("angular velocity", "rad/s", Observed(index=2)),
        "native_reward": Variable("the environment's own", "1", NativeReward(), public=False),
    }},
    observation=("state",),
    episode_steps=20,
    training_steps=1000,
    fitness=lambda episode: float(episode["native_reward"].sum()),
    fitness_doc="return",
    environment=VectorEnvironment("Pendulum-v1", pool="{pool}"),
    ppo=PpoSettings(environments=4, rollout_steps=32, minibatch_size=64, hidden_sizes=(8,)),
)
"""
ROLLOUT = 4 * 32
SPIN = """
def compute_reward(velocity, prev_velocity):
    spin = xp.abs(velocity)
    return spin, {"spin": spin, "change": velocity - prev_velocity}
"""
FAILS_WHEN_FAST = """
def compute_reward(velocity):
    odd = xp.sqrt(2.0 - xp.abs(velocity))
    return odd, {"odd": odd}
"""
NATIVE = """
def compute_reward(native_reward):
    return native_reward, {"native": native_reward}
"""


@pytest.fixture(params=["gymnasium", "envpool"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.py").write_text(TASK.format(pool=request.param))
    return folder


def carry_out(
    task: Path, out: Path, members: list[Member], *, legs: tuple[int, ...] = (), steps: int = 4
) -> dict[str, MemberResult]:
    """Train for so many rollouts, cut after those in ``legs``."""
    result: dict[str, MemberResult] = {}
    for until in (*legs, steps):
        job = TrainJob(
            task=str(task),
            members=[m for m in members if m.name not in result or result[m.name].report],
            folder=str(out),
            steps=steps * ROLLOUT,
            until=until * ROLLOUT,
            keep=until < steps,
            threads=2,
        )
        out.mkdir(exist_ok=True)
        result |= {found.member: found for found in train(job, lambda _: None).members}
    return result


def timeless(result: MemberResult) -> list[dict[str, Any]]:
    assert result.report is not None, result.failure
    return [c.model_dump(exclude={"seconds"}) for c in result.report.checkpoints]


@pytest.mark.parametrize("legs", [(), (1, 3)])
def test_a_member_is_the_same_alone_and_among_others(
    folder: Path, tmp_path: Path, legs: tuple[int, ...]
) -> None:
    """Whether the training is cut or not, and though another one fails in its midst."""
    spin = Member(name="spin", program=SPIN, seed=3)
    native = Member(name="native", program=NATIVE, seed=4, own=True)
    fails = Member(name="fails", program=FAILS_WHEN_FAST, seed=5)
    among = carry_out(folder, tmp_path / "among", [native, fails, spin], legs=legs)
    alone = carry_out(folder, tmp_path / "alone", [spin], legs=legs)
    other = carry_out(folder, tmp_path / "other", [native], legs=legs)
    failure = among["fails"].failure
    assert failure is not None and "'odd'" in failure.message
    for name, single in (("spin", alone), ("native", other)):
        assert timeless(among[name]) == timeless(single[name])
        files = [(tmp_path / run / f"{name}.safetensors") for run in ("among", "alone", "other")]
        first, second = (file.read_bytes() for file in files if file.exists())
        assert first == second
    native_checkpoints = timeless(among["native"])
    assert native_checkpoints[-1]["episodes"] > 0
    for checkpoint in native_checkpoints:
        if not legs and checkpoint["episodes"]:
            # Its reward is the fitness, episode by episode.
            assert checkpoint["episode_return"] == pytest.approx(checkpoint["fitness"])


def test_only_the_tasks_own_program_reads_the_native_reward(folder: Path, tmp_path: Path) -> None:
    candidate = Member(name="candidate", program=NATIVE, seed=0)
    [result] = carry_out(folder, tmp_path / "out", [candidate]).values()
    assert result.failure is not None and "native_reward" in result.failure.message


def test_the_environments_own_reward_stands_for_the_expert(folder: Path) -> None:
    task = load_task(folder)
    source = reward_source(task, "expert")
    assert source == reward_source(task, "native") and "native_reward" in source
    with pytest.raises(UserError, match="has no sparse_reward"):
        reward_source(task, "sparse")
    (folder / "expert_reward.py").write_text(SPIN)
    assert reward_source(task, "expert") == SPIN
    assert reward_source(task, "native") == source


def test_within_the_walls(folder: Path) -> None:
    """Gate and training in a confined worker, which may start no process."""
    task = load_task(folder)
    with WorkerPool(task.folder, 1, kinds=["probe", "train"]) as pool:
        [refused] = Gate(task, pool).judge([NATIVE])
        assert any("native_reward" in finding.message for finding in errors(refused.findings))
        [accepted] = Gate(task, pool, own=True).judge([reward_source(task, "native")])
        assert not errors(accepted.findings), accepted.findings

        def job(place: str) -> TrainJob:
            members = [Member(name="spin", program=SPIN, seed=3)]
            return TrainJob(
                task=str(task.folder), members=members, folder=place, steps=2 * ROLLOUT, threads=2
            )

        outcome = pool.run(job)
    assert isinstance(outcome, TrainResult), outcome
    assert outcome.members[0].report is not None
    assert np.isfinite(outcome.members[0].report.checkpoints[-1].fitness or np.nan)


BREAKS = """
import gymnasium
import numpy as np


class Breaks(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-9, 9, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(2), {}

    def step(self, action):
        self.count += 1
        return np.array([self.count, np.nan if self.count > 5 else 0.0]), 0.0, False, False, {}


if "Breaks-v0" not in gymnasium.registry:
    gymnasium.register("Breaks-v0", Breaks)
"""


def test_a_value_that_is_not_finite_is_the_environments_fault(tmp_path: Path) -> None:
    text = BREAKS + TASK.format(pool="gymnasium").replace("Pendulum-v1", "Breaks-v0")
    text = text.replace("Observed(index=2)", "Observed(index=1)")
    (tmp_path / "task.py").write_text(text)
    member = Member(name="spin", program=SPIN, seed=0)
    [result] = carry_out(tmp_path, tmp_path / "out", [member]).values()
    assert result.failure is not None
    assert "Breaks-v0 gave a value that is not finite: variable" in result.failure.message
