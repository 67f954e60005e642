"""Environments of others as a simulator: ends of episodes, seeds, bindings, and bad worlds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator, task_spec
from reward_synth.simulation.episodes import random_policy, rollout_episodes
from reward_synth.simulation.interface import Step
from reward_synth.simulation.pools import registered_limit
from reward_synth.simulation.pools.watchdog import Watchdog
from reward_synth.simulation.vector import VectorSimulator
from reward_synth.task import (
    Accumulated,
    Binding,
    Derived,
    Info,
    NativeReward,
    Observed,
    Task,
    Variable,
    VectorEnvironment,
)
from tests.simulation import counting

EPISODE = 6
"""Steps of a counting environment's episode that does not terminate."""


def make_task(
    environment: VectorEnvironment,
    bindings: Mapping[str, Binding],
    *,
    steps: int = EPISODE,
    observation: tuple[str, ...] = (),
    **fields: Any,
) -> Task:
    return Task(
        description="Count.",
        variables={name: Variable(name, "1", binding) for name, binding in bindings.items()},
        observation=observation or tuple(bindings)[:1],
        episode_steps=steps,
        training_steps=1000,
        environment=environment,
        folder=Path("counting"),
        **fields,
    )


def counting_task(id: str = "Counting-v0", **options: Any) -> Task:
    return make_task(
        VectorEnvironment(id, **options),
        {
            "everything": Observed(),
            "count": Observed(index=1),
            "paid": NativeReward(),
            "steps": Info("steps"),
            "squared": Info("deep.squared"),
            "twice": Derived(lambda v, xp: 2 * v["count"]),
            "summed": Accumulated(lambda total, v, xp: total + v["count"]),
            "both": Accumulated(
                lambda both, v, xp: xp.stack((v["summed"], both[:, 1] + 1), axis=1), (0.0, 5.0)
            ),
        },
    )


def play(simulator: VectorSimulator, seeds: int | Sequence[int], steps: int) -> list[Step]:
    """Steps of the same actions of each environment, whatever others there are."""
    simulator.reset(seeds)
    seeds = [seeds] if isinstance(seeds, int) else seeds
    group = simulator.num_envs // len(seeds)
    rngs = [np.random.default_rng([s, i]) for s in seeds for i in range(group)]
    space = simulator.action_space
    return [
        simulator.step(np.concatenate([space.random(rng, 1) for rng in rngs])) for _ in range(steps)
    ]


def bits(steps: Sequence[Step], rows: slice = slice(None)) -> bytes:
    parts = [
        np.asarray(part[rows], np.float64)
        for s in steps
        for part in (
            s.record,
            s.observation,
            s.final_observation,
            s.terminated,
            s.truncated,
            s.first,
        )
    ]
    return b"".join(part.tobytes() for part in parts)


# --- where episodes end ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "id", ["Counting-v0", "CountingNextStep-v0", "CountingSameStep-v0", "CountingDisabled-v0"]
)
def test_no_transition_joins_two_episodes(id: str) -> None:
    simulator = VectorSimulator(counting_task(id), 8)
    before = simulator.reset(3)
    assert not before[:, 1:].any()
    action = np.full((8, 1), 0.5)
    seen = np.zeros(3, int)
    for _ in range(20):
        step = simulator.step(action)
        after, reached = step.observation, step.final_observation
        # The state reached is of the episode that the step began in, one step later.
        np.testing.assert_array_equal(reached[:, 0], before[:, 0])
        np.testing.assert_array_equal(reached[:, 1], before[:, 1] + 1)
        np.testing.assert_array_equal(reached[:, 2], 4.0)  # 0.5 of [-2, 6]
        even, count = before[:, 0] % 2 == 0, reached[:, 1]
        np.testing.assert_array_equal(step.terminated, even & (count == counting.LENGTH))
        np.testing.assert_array_equal(step.truncated, ~even & (count == EPISODE))
        np.testing.assert_array_equal(step.first, before[:, 1] == 0)
        v = step.variables
        for name in ("paid", "steps", "count"):
            np.testing.assert_array_equal(v[name], count)
        np.testing.assert_array_equal(v["squared"], count**2)
        np.testing.assert_array_equal(v["twice"], 2 * count)
        np.testing.assert_array_equal(v["summed"], count * (count + 1) / 2)
        np.testing.assert_array_equal(v["both"], np.stack((v["summed"], 5 + count), axis=1))
        # What comes next is the next episode's start where this one ended, else the same state.
        ended = np.logical_or(step.terminated, step.truncated)
        np.testing.assert_array_equal(after[~ended], reached[~ended])
        assert not after[ended, 1:].any()
        inputs = simulator.reward_inputs(["count", "prev_count", "prev_action"])
        np.testing.assert_array_equal(
            inputs["prev_count"], np.where(step.first, count, before[:, 1])
        )
        seen += [step.terminated.sum(), step.truncated.sum(), step.first.sum()]
        before = after
    assert seen.min() > 8
    simulator.close()


def test_an_episode_depends_on_seed_index_and_number_alone() -> None:
    """With these actions or others, of whatever length the episode before was."""
    firsts = []
    for length in (EPISODE, 20):
        task = make_task(VectorEnvironment("Counting-v0"), {"all": Observed()}, steps=length)
        simulator = VectorSimulator(task, 2)
        starts = [simulator.reset(7)[0, 0]]
        while len(starts) < 4:
            step = simulator.step(np.zeros((2, 1)))
            if step.terminated[0] or step.truncated[0]:
                starts.append(step.observation[0, 0])
        firsts.append(starts)
    assert firsts[0] == firsts[1] and len(set(firsts[0])) > 2


def test_a_termination_at_the_time_limit_is_one() -> None:
    """EnvPool itself would call it a truncation."""
    environment = VectorEnvironment("CartPole-v1", pool="envpool")
    task = make_task(environment, {"state": Observed()}, steps=500)
    simulator = VectorSimulator(task, 1)
    push = np.array([[0.0, 1.0]])
    simulator.reset(0)
    steps = 1
    while not (step := simulator.step(push)).terminated[0]:
        steps += 1
    assert abs(step.final_observation[0, 2]) > 0.2095
    shorter = VectorSimulator(make_task(environment, {"state": Observed()}, steps=steps), 1)
    shorter.reset(0)
    step = [shorter.step(push) for _ in range(steps)][-1]
    assert step.terminated[0] and not step.truncated[0]
    evener = VectorSimulator(make_task(environment, {"state": Observed()}, steps=steps - 1), 1)
    evener.reset(0)
    step = [evener.step(push) for _ in range(steps - 1)][-1]
    assert step.truncated[0] and not step.terminated[0]
    assert abs(step.observation[0]).max() < 0.05 < abs(step.final_observation[0]).max()


# --- seeds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "pool", "key"),
    [
        ("Counting-v0", "gymnasium", None),
        ("Pendulum-v1", "gymnasium", None),
        ("CartPole-v1", "envpool", None),
        ("Pendulum-v1", "envpool", None),
        ("WalkerWalk-v1", "envpool", "orientations"),
        ("FetchReach-v4", "envpool", "desired_goal"),
    ],
)
def test_a_group_plays_alone_as_among_others(id: str, pool: Any, key: Any) -> None:
    task = make_task(
        VectorEnvironment(id, pool=pool), {"seen": Observed(key), "paid": NativeReward()}, steps=9
    )
    together = VectorSimulator(task, 8, threads=2)
    among = play(together, [5, 11], 25)
    assert bits(among) == bits(play(together, [5, 11], 25)), "a reset begins anew"
    alone = VectorSimulator(task, 4, threads=1)
    assert bits(among, slice(4, 8)) == bits(play(alone, 11, 25))
    fewer = VectorSimulator(task, 1)
    assert bits(among, slice(0, 1)) == bits(play(fewer, 5, 25))
    assert any(step.truncated.any() for step in among)
    for simulator in (together, alone, fewer):
        simulator.close()


@pytest.mark.parametrize("pool", ["gymnasium", "envpool"])
def test_environments_that_rest_are_not_stepped(pool: Any) -> None:
    task = make_task(VectorEnvironment("Pendulum-v1", pool=pool), {"seen": Observed()}, steps=5)
    simulator = VectorSimulator(task, 4)
    simulator.reset(0)
    simulator.step(np.zeros((4, 1)))
    simulator.rest([0, 2])
    kept = simulator.observe()
    steps = [simulator.step(np.ones((4, 1))) for _ in range(6)]
    for step in steps:
        np.testing.assert_array_equal(step.observation[[0, 2]], kept[[0, 2]])
        assert not step.terminated[[0, 2]].any() and not step.truncated[[0, 2]].any()
    assert steps[3].truncated[[1, 3]].all()
    whole = VectorSimulator(task, 4)
    whole.reset(0)
    whole.step(np.zeros((4, 1)))
    np.testing.assert_array_equal(
        steps[-1].record[[1, 3]], [whole.step(np.ones((4, 1))) for _ in range(6)][-1].record[[1, 3]]
    )


def test_rollouts_give_whole_episodes() -> None:
    simulator = VectorSimulator(counting_task(), 6)
    episodes = rollout_episodes(
        simulator, random_policy(simulator, np.random.default_rng(0)), 6, seed=2
    )
    for episode in episodes:
        even = episode["everything"][0, 0] % 2 == 0
        assert len(episode) == (counting.LENGTH if even else EPISODE)
        assert episode.terminated == even
        np.testing.assert_array_equal(episode["count"], np.arange(1, len(episode) + 1))
    assert {episode.terminated for episode in episodes} == {True, False}


# --- bindings, actions, what a task is -------------------------------------------------------


def test_nested_keys_positions_and_several_choices() -> None:
    task = make_task(
        VectorEnvironment("CountingMany-v0"),
        {
            "angle": Observed("arm.angle"),
            "number": Observed("pair.0"),
            "corner": Observed("pair.1", 3),
            "middle": Observed("pair.1", (1, 3)),
        },
        observation=("number", "action"),
        critic_observation=("corner", "middle"),
    )
    simulator = VectorSimulator(task, 2)
    assert simulator.action_space.choices == (2, 3)
    assert [e.name for e in simulator.action_entries][:3] == [
        "action[0][0]", "action[0][1]", "action[1][0]",
    ]  # fmt: skip
    assert simulator.action_entries[4].meaning == "1 chooses option 7"
    assert simulator.variable_sizes == {
        "angle": 2, "number": None, "corner": None, "middle": 2, "action": 5,
    }  # fmt: skip
    np.testing.assert_array_equal(simulator.reset(0), np.zeros((2, 6)))
    step = simulator.step(np.array([[0.1, 0.9, -3.0, -1.0, -2.0], [1, 0, 0, 0, 1]]))
    np.testing.assert_array_equal(step.variables["angle"], [[1, 6], [0, 7]])
    np.testing.assert_array_equal(step.variables["action"], [[0, 1, 0, 1, 0], [1, 0, 0, 0, 1]])
    np.testing.assert_array_equal(step.observation[0], [1, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(step.critic_observation, [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_array_equal(simulator.critic_observe(), step.critic_observation)


def test_history_begins_with_each_episode() -> None:
    task = make_task(VectorEnvironment("Counting-v0"), {"count": Observed(index=1)}, history=3)
    simulator = VectorSimulator(task, 4)
    seen = [simulator.reset(3)]
    np.testing.assert_array_equal(seen[0], 0)
    for _ in range(15):
        step = simulator.step(np.zeros((4, 1)))
        ended = np.logical_or(step.terminated, step.truncated)
        np.testing.assert_array_equal(step.final_observation[:, :2], seen[-1][:, 1:])
        np.testing.assert_array_equal(step.final_observation[:, 2], seen[-1][:, 2] + 1)
        np.testing.assert_array_equal(step.observation[~ended], step.final_observation[~ended])
        np.testing.assert_array_equal(step.observation[ended], 0)
        seen.append(step.observation)


def test_noise_is_on_what_is_seen_alone() -> None:
    noisy = make_task(
        VectorEnvironment("Counting-v0"),
        {"count": Observed(index=1)},
        observation_noise={"count": 0.25},
    )
    simulator = VectorSimulator(noisy, 8)
    steps = play(simulator, [1, 2], 10)
    away = np.stack([s.final_observation[:, 0] - s.variables["count"] for s in steps])
    assert 0 < np.abs(away).max() <= 0.25 and len(np.unique(away)) == away.size
    assert bits(steps, slice(4, 8)) == bits(play(VectorSimulator(noisy, 4), 2, 10))


def test_what_a_task_on_an_environment_is() -> None:
    spec = task_spec(counting_task())
    assert spec.control_step == pytest.approx(1 / 50)
    assert spec.capabilities.native_reward and not spec.capabilities.snapshots
    assert spec.capabilities.video == "environment"
    assert spec.action_entries[0].meaning == "-1 is -2, 1 is 6"
    assert spec.variable_sizes["everything"] == 3 and spec.variable_sizes["both"] == 2
    assert registered_limit(VectorEnvironment("Counting-v0")) is None
    assert registered_limit(VectorEnvironment("Pendulum-v1")) == 200
    assert registered_limit(VectorEnvironment("MetaWorld/DrawerOpen-v3", pool="envpool")) == 500


def test_envpool_gives_info_and_goals() -> None:
    task = make_task(
        VectorEnvironment("FetchReach-v4", pool="envpool"),
        {
            "goal": Observed("desired_goal"),
            "hand": Observed("achieved_goal"),
            "success": Info("is_success"),
            "away": Info("distance"),
            "paid": NativeReward(),
        },
        steps=50,
    )
    simulator = open_simulator(task, 3)
    assert isinstance(simulator, VectorSimulator)
    v = play(simulator, 1, 5)[-1].variables
    distance = np.linalg.norm(v["goal"] - v["hand"], axis=1)
    np.testing.assert_allclose(v["away"], distance, atol=1e-9)
    np.testing.assert_array_equal(v["paid"], np.where(distance < 0.05, 0.0, -1.0))


# --- bad worlds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "binding", "said"),
    [
        (VectorEnvironment("Countin-v0"), Observed(), "did you mean Counting-v0"),
        (
            VectorEnvironment("MetaWorld/DrawOpen-v3", pool="envpool"),
            Observed(),
            "did you mean MetaWorld/DrawerOpen-v3",
        ),
        (
            VectorEnvironment("X-v0", package="no_such_package"),
            Observed(),
            "X-v0: there is no package",
        ),
        (VectorEnvironment("Counting-v0", wrong=1), Observed(), "with the options {'wrong': 1}"),
        (VectorEnvironment("Pendulum-v1", pool="envpool", wrong=1), Observed(), "wrong"),
        (VectorEnvironment("Counting-v0"), Observed("a"), "is one array"),
        (VectorEnvironment("Counting-v0"), Observed(index=3), "has 3 entries"),
        (VectorEnvironment("Counting-v0"), Observed(index=(1, 4)), "no slice (1, 4)"),
        (VectorEnvironment("Counting-v0"), Info("stepz"), "did you mean 'steps'?"),
        (VectorEnvironment("CountingMany-v0"), Observed("arm.angl"), "did you mean 'angle'?"),
        (VectorEnvironment("CountingMany-v0"), Observed("arm"), "one of their keys: angle"),
        (VectorEnvironment("CountingMany-v0"), Observed(), "one of their keys: arm, pair"),
        (VectorEnvironment("CountingImage-v0"), Observed(), "is an image of shape (8, 8, 3)"),
        (VectorEnvironment("Counting-v0", fault="raise", at=1), Observed(), "the arm fell off"),
        (VectorEnvironment("Counting-v0", fault="shape", at=1), Info("lost"), "no key 'lost'"),
    ],
)
def test_what_is_wrong_at_first_sight(
    environment: VectorEnvironment, binding: Binding, said: str
) -> None:
    with pytest.raises(UserError) as error:
        VectorSimulator(make_task(environment, {"seen": binding}), 1)
    text = str(error.value)
    assert said in text and "\n" not in text and (environment.id in text or "task.py" in text)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise", "raised in step: RuntimeError: the arm fell off"),
        ("shape", "changed the shape of observation from (3,) to (2,)"),
        ("info", "gave no info['steps']"),
        ("early", "write episode_steps=2"),
    ],
)
def test_what_goes_wrong_later(fault: str, said: str) -> None:
    simulator = VectorSimulator(counting_task(fault=fault), 2)
    simulator.reset(0)
    simulator.step(np.zeros((2, 1)))
    with pytest.raises(UserError) as error:
        simulator.step(np.zeros((2, 1)))
    assert said in str(error.value) and "Counting-v0" in str(error.value)


def test_a_value_that_is_not_finite_is_named() -> None:
    from reward_synth.evaluation.score import random_episodes

    with pytest.raises(UserError, match=r"Counting-v0 gave a value .* variable 'everything'"):
        random_episodes(counting_task(fault="nan"), 2, seed=0)


def test_a_step_that_hangs_is_given_up() -> None:
    simulator = VectorSimulator(counting_task(fault="hang"), 2)
    simulator._watch.close()
    simulator._watch = Watchdog("Counting-v0", time_limit=0.2)
    simulator.reset(0)
    simulator.step(np.zeros((2, 1)))
    with pytest.raises(UserError, match=r"Counting-v0 did not come back from step within 0\.2 s"):
        simulator.step(np.zeros((2, 1)))
    simulator.close()


def test_memory_reads_what_stands_before_it() -> None:
    memory = Accumulated(lambda total, v, xp: total + v["count"])
    task = make_task(
        VectorEnvironment("Counting-v0"), {"summed": memory, "count": Observed(index=1)}
    )
    with pytest.raises(UserError, match="'summed' reads 'count', which is not listed before it"):
        VectorSimulator(task, 1)


def test_an_unlearnable_action_space_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import gymnasium

    text = gymnasium.spaces.Text(5)
    monkeypatch.setattr(counting.Counting, "action_space", text)
    with pytest.raises(UserError, match="only Box of floats, Discrete"):
        VectorSimulator(counting_task(), 1)
