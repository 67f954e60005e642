"""mjlab's environments as a simulator: ends of episodes, seeds, bindings, bad input."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator
from reward_synth.task import (
    Accumulated,
    Derived,
    Info,
    ManagerBasedEnvironment,
    Measured,
    NativeReward,
    Observed,
    Task,
    Variable,
)

pytest.importorskip("mjlab")

STEPS = 6
"""Control steps of an episode, of 0.05 s."""
SECONDS = (STEPS - 0.5) * 0.05
"""Of an episode; mjlab rounds up to whole steps."""


@pytest.fixture(scope="module", autouse=True)
def kernels() -> Iterator[None]:
    """Keep compiled kernels where other runs find them."""
    folder = Path(tempfile.gettempdir()) / "reward-synth-test-kernels"
    before = os.environ.get("WARP_CACHE_PATH")
    os.environ.setdefault("WARP_CACHE_PATH", str(folder))
    yield
    if before is None:
        del os.environ["WARP_CACHE_PATH"]


def joints(env: Any) -> torch.Tensor:
    return env.scene["cartpole"].data.joint_pos


def make_task(id: str = "Mjlab-Cartpole-Balance", steps: int = STEPS, **more: Any) -> Task:
    bindings: dict[str, Any] = {
        "joints": Measured(joints),
        "clock": Measured(lambda env: env.episode_length_buf),
        "seen": Observed("actor"),
        "cart": Observed(index=0),
        "paid": NativeReward(),
        "survived": Info("Episode_Reward/smooth_reward"),
        "twice": Derived(lambda v, xp: 2 * v["cart"]),
        "count": Accumulated(lambda t, v, xp: t + 1),
        **more,
    }
    return Task(
        description="Balance the pole.",
        variables={name: Variable(name, "1", binding) for name, binding in bindings.items()},
        observation=("seen",),
        episode_steps=steps,
        training_steps=1000,
        environment=ManagerBasedEnvironment(id, options={"episode_length_s": SECONDS}),
        folder=Path("cartpole"),
    )


def test_no_transition_joins_two_episodes() -> None:
    simulator = open_simulator(make_task(), 3)
    simulator.reset(0)
    paid = torch.zeros(3)
    for k in range(3 * STEPS):
        step = simulator.step(torch.ones(3, 1))
        expected = k % STEPS + 1
        assert step.variables["clock"].tolist() == [expected] * 3
        assert step.variables["count"].tolist() == [expected] * 3
        assert step.truncated.tolist() == [expected == STEPS] * 3
        assert not step.terminated.any()
        assert step.first.tolist() == [expected == 1] * 3
        assert torch.equal(step.final_observation, step.variables["seen"])
        assert torch.equal(step.variables["joints"][:, 0], step.variables["cart"])
        same = torch.equal(step.observation, step.final_observation)
        assert same == (expected != STEPS)
        paid += step.variables["paid"]
        assert (step.variables["paid"] > 0).all()
        # The environment logs what episodes earned a second, on average over those that ended.
        mean = paid.mean().expand(3) / SECONDS
        assert torch.allclose(
            step.variables["survived"], mean if expected == STEPS else torch.zeros(3)
        )
        if expected == STEPS:
            paid = torch.zeros(3)
    simulator.close()


def test_a_group_is_the_same_alone_and_among_others() -> None:
    rng = np.random.default_rng(0)
    actions = torch.tensor(rng.uniform(-1, 1, (2 * STEPS + 2, 4, 1)), dtype=torch.float32)
    alone, among = open_simulator(make_task(), 4), open_simulator(make_task(), 12)
    assert torch.equal(among.reset([5, 7, 9])[4:8], alone.reset(7))
    alone.step(actions[0])
    alone.reset(7)  # begins again as if nothing had been
    torch.rand(3)  # what others draw does not matter
    for action in actions:
        mine = alone.step(action)
        all_ = among.step(torch.cat([-action, action, action]))
        assert torch.equal(all_.record[4:8], mine.record)
        assert torch.equal(all_.observation[4:8], mine.observation)
        assert not torch.equal(all_.record[8:], mine.record)
    alone.close()
    among.close()


def play(seeds: list[int]) -> torch.Tensor:
    """What is seen over several resets, in which environments draw, and the steps after them."""
    simulator = open_simulator(make_task(), 2 * len(seeds))
    action = torch.ones(simulator.num_envs, 1)
    seen: list[torch.Tensor] = []
    for _ in range(3):
        seen.append(simulator.reset(seeds))
        seen += [simulator.step(action).observation for _ in range(STEPS + 1)]
    simulator.close()
    return torch.stack(seen)


def test_threads_do_not_draw_from_each_other() -> None:
    """As policies are scored."""
    alone = [play([1, 2]), play([3])]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(play, [[1, 2], [3]]))
    assert all(map(torch.equal, alone, together))


def test_the_global_generators_are_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    simulator = open_simulator(make_task(), 1)
    simulator.reset(0)
    assert torch.equal(torch.rand(2), expected)
    simulator.close()


def test_facts_about_the_environment() -> None:
    simulator = open_simulator(make_task(), 1)
    assert simulator.control_step == pytest.approx(0.05)
    assert simulator.action_entries[0].name == "slider"
    assert simulator.variable_sizes["joints"] == 2
    assert simulator.variable_sizes["twice"] is None
    assert simulator.observation_size == 5
    assert simulator.capabilities.native_reward
    simulator.close()


def fail(env: Any) -> torch.Tensor:
    raise KeyError("arm")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (make_task("Mjlab-Cartpole-Balanse"), "did you mean 'Mjlab-Cartpole-Balance'"),
        (make_task(steps=7), "write episode_steps=6"),
        (make_task(bad=Measured(fail)), "variable 'bad' raised KeyError"),
        (make_task(bad=Measured(lambda env: joints(env)[:1])), "variable 'bad' gives shape"),
        (make_task(bad=Observed("aktor")), "did you mean 'actor'"),
        (make_task(bad=Observed("actor", 9)), "index 9"),
        (make_task(bad=Info("Episode_Reward/smoth_reward")), "did you mean 'Episode_Reward/smo"),
    ],
)
def test_bad_tasks_are_named(task: Task, said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_simulator(task, 1)
