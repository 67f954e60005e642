"""MuJoCo Warp against MuJoCo, on Warp's CPU device: the same tasks, the same numbers.

Single precision, and a solver that stops at 1e-6, are the known differences; contacts amplify
them.  One more is known: where a capsule stands steeper than 60° on a plane, the two choose
other directions for the four edges of the friction pyramid.  Both are right, but an ant's feet
then push differently.  With elliptic friction cones, which have no edges, ants agree as well.
"""

import dataclasses
import os
import subprocess
import sys
import warnings
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from scipy import stats

from reward_synth.errors import UserError
from reward_synth.reward import parse
from reward_synth.simulation import open_simulator, warp_physics
from reward_synth.simulation.episodes import EpisodeRecorder, rollout_episodes
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.mujoco_warp import POOL_STRIDE, WarpSimulator
from reward_synth.simulation.rollout import Rollout
from reward_synth.task import Episode, Task, list_tasks, load_task, reward_source
from tests.simulation.robots import robot_task

HOPPER = load_task("hopper-forward")
EVERYONE = slice(0, None)

FREE = {
    "ant-forward": (2, 1e-4),
    "cartpole-swingup": (50, 2e-4),
    "cheetah-run": (10, 5e-3),
    "hopper-backflip": (50, 5e-4),
    "hopper-forward": (50, 5e-4),
    "humanoid-run": (50, 1e-3),
    "reacher-reach": (50, 2e-4),
}
"""Control steps that both run on their own, and by how much a variable may then differ.

Ants land after two to three steps, and a cheetah's contacts multiply an error by ten in ten steps.
"""
ONE_STEP = {"ant-forward": 5e-4, "cheetah-run": 1e-3, "humanoid-run": 5e-4}
"""By how much a variable may differ in 99 of 100 control steps from the same state; 5e-5 in the
other tasks.  In the hundredth, where a contact just begins or ends, 50 times as much."""


def with_elliptic_cones(task: Task) -> Task:
    def edit(spec: Any) -> None:
        if task.edit_model is not None:
            task.edit_model(spec)
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC

    return dataclasses.replace(task, edit_model=edit)


def warp(task: Task, count: int) -> WarpSimulator:
    return WarpSimulator(task, count, device="cpu")


def actions(steps: int, count: int, size: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.uniform(-1.0, 1.0, (steps, count, size)), dtype=torch.float32)


def differences(task: Task, ours: Any, theirs: Any) -> np.ndarray:
    """``(N,)``: by how much the variable that differs most does."""
    each = [np.abs(ours[name].numpy() - theirs[name]) for name in task.variables]
    return np.max([error.reshape(len(error), -1).max(axis=1) for error in each], axis=0)


def same_state(gpu: WarpSimulator, cpu: MujocoSimulator) -> None:
    """Put the CPU's state into the other simulator."""
    theirs, ours = cpu.snapshot(EVERYONE), gpu.snapshot(EVERYONE)
    ours["record"] = theirs["record"][:, 1:]
    for name in ("elapsed", "first"):
        ours[name] = theirs[name]
    gpu.restore(EVERYONE, ours)


def test_every_built_in_task_is_compared() -> None:
    assert sorted(FREE) == list_tasks()


@pytest.mark.parametrize("name", FREE)
def test_both_simulators_agree_on_their_own(name: str) -> None:
    task = load_task(name)
    steps, tolerance = FREE[name]
    gpu, cpu = warp(task, 8), MujocoSimulator(task, 8)
    np.testing.assert_allclose(gpu.reset(3).numpy(), cpu.reset(3), atol=1e-6)
    going = np.ones(8, bool)
    compared = 0
    for action in actions(steps, 8, cpu.action_size):
        ours, theirs = gpu.step(action), cpu.step(action.numpy())
        assert differences(task, ours.variables, theirs.variables)[going].max(initial=0) < tolerance
        np.testing.assert_array_equal(ours.terminated[going], theirs.terminated[going])
        # The next episodes start elsewhere.
        going &= ~theirs.terminated
        compared += going.sum()
    assert compared >= (8 * steps if not task.name.startswith("h") else 100)


@pytest.mark.parametrize("name", FREE)
def test_both_simulators_agree_step_by_step(name: str) -> None:
    task = load_task(name)
    task = with_elliptic_cones(task) if name == "ant-forward" else task
    gpu, cpu = warp(task, 16), MujocoSimulator(task, 16)
    gpu.reset(0)
    cpu.reset(0)
    errors = []
    for action in actions(50, 16, cpu.action_size):
        same_state(gpu, cpu)
        ours, theirs = gpu.step(action), cpu.step(action.numpy())
        errors.append(differences(task, ours.variables, theirs.variables))
        np.testing.assert_array_equal(ours.terminated.numpy(), theirs.terminated)
    tolerance = ONE_STEP.get(name, 5e-5)
    assert np.quantile(errors, 0.99) < tolerance
    assert np.max(errors) < 50 * tolerance


def test_ants_with_friction_pyramids_agree_where_nothing_touches() -> None:
    task = load_task("ant-forward")
    gpu, cpu = warp(task, 16), MujocoSimulator(task, 16)
    gpu.reset(0)
    cpu.reset(0)
    data = mujoco.MjData(cpu.model)
    free, errors = [], []
    for action in actions(50, 16, cpu.action_size):
        same_state(gpu, cpu)
        starts = cpu.snapshot(EVERYONE)["record"]
        ours, theirs = gpu.step(action), cpu.step(action.numpy())
        errors.append(differences(task, ours.variables, theirs.variables))
        ends = theirs.record
        heights = []
        for state in (*starts, *ends):
            data.qpos[:] = state[1:16]
            mujoco.mj_kinematics(cpu.model, data)
            heights.append(lowest_end(cpu.model, data))
        free.append(np.array(heights).reshape(2, 16).min(axis=0) > 0.1)
    free, errors = np.array(free), np.array(errors)
    assert free.sum() > 30
    assert errors[free].max() < 5e-4


def lowest_end(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Height of the lowest end of any capsule above the floor, m."""
    capsules = model.geom_type == int(mujoco.mjtGeom.mjGEOM_CAPSULE)
    axes, sizes = data.geom_xmat[capsules, 8], model.geom_size[capsules]
    return float(np.min(data.geom_xpos[capsules, 2] - np.abs(axes) * sizes[:, 1] - sizes[:, 0]))


@pytest.mark.parametrize("name", FREE)
def test_a_policy_has_the_same_fitness_on_both(name: str) -> None:
    count = 48
    steps = 50 if name == "reacher-reach" else 80
    task = dataclasses.replace(load_task(name), episode_steps=steps)
    gpu, cpu = warp(task, count), MujocoSimulator(task, count)
    shape = (cpu.observation_size, cpu.action_size)
    weights = np.random.default_rng(0).normal(0.0, 0.5, shape)
    on_gpu = torch.tensor(weights, dtype=torch.float32)
    episodes = rollout_episodes(cpu, lambda o: np.tanh(o @ weights), count, seed=0)
    theirs = [measure(task, episode) for episode in episodes]
    episodes = rollout_episodes(gpu, lambda o: torch.tanh(o @ on_gpu), count, seed=0)
    ours = [measure(task, episode) for episode in episodes]
    assert np.std(theirs) > 0
    # The same initial states: only chaos tells the two samples apart, and it has no side.
    test: Any = stats.ks_2samp(ours, theirs, method="asymp")
    assert test.pvalue > 0.01
    assert abs(np.mean(ours) - np.mean(theirs)) < 2 * np.std(theirs) / np.sqrt(count)


def measure(task: Task, episode: Episode) -> float:
    """The fitness; of a flip, which no such policy completes, how far the hopper turned."""
    if task.name == "hopper-backflip":
        return float(episode["turned_angle"][-1])
    assert task.fitness is not None
    return task.fitness(episode)


def trace(simulator: WarpSimulator, given: torch.Tensor, rows: slice) -> list[torch.Tensor]:
    steps = [simulator.step(action) for action in given]
    return [
        torch.stack([value[rows].float() for value in values])
        for values in zip(*((s.observation, s.terminated, s.first) for s in steps), strict=True)
    ]


def test_a_group_does_not_depend_on_its_neighbours() -> None:
    given = actions(60, 4, 3)
    alone = warp(HOPPER, 4)
    first = alone.reset([5])
    expected = trace(alone, given, EVERYONE)
    assert expected[1].sum() > 4
    crowd = warp(HOPPER, 12)
    observation = crowd.reset([9, 5, 2])
    assert torch.equal(observation[4:8], first)
    others = actions(60, 12, 3, seed=1)
    others[:, 4:8] = given
    for ours, theirs in zip(trace(crowd, others, slice(4, 8)), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_a_snapshot_goes_on_exactly_in_another_place() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=30)
    simulator = warp(task, 4)
    simulator.reset([1, 2])
    trace(simulator, actions(20, 4, 3), EVERYONE)
    left, right = (simulator.snapshot(half) for half in (slice(0, 2), slice(2, 4)))
    given = actions(60, 4, 3, seed=1)
    expected = trace(simulator, given, EVERYONE)
    other = warp(task, 4)
    other.restore(slice(0, 2), right)
    other.restore(slice(2, 4), left)
    swap = [2, 3, 0, 1]
    for ours, theirs in zip(trace(other, given[:, swap], EVERYONE), expected, strict=True):
        assert torch.equal(ours[:, swap], theirs)
    assert torch.equal(other.observe()[swap], simulator.observe())


def test_ended_environments_start_as_the_pool_says() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=4)
    simulator = warp(task, 3)
    simulator.reset(7)
    for number, action in enumerate(actions(9, 3, 3), start=1):
        step = simulator.step(action)
        assert torch.equal(step.truncated, torch.full((3,), number % 4 == 0))
        assert torch.equal(step.first, torch.full((3,), number % 4 == 1))
        if number % 4:
            assert torch.equal(step.observation, step.final_observation)
            continue
        rows = [(i + POOL_STRIDE * number // 4) % 1024 for i in range(3)]
        starts = [task.reset(np.random.default_rng([7, row, 0]), 1) for row in rows]
        expected = [np.concatenate([qpos[0, 1:], qvel[0]]) for qpos, qvel in starts]
        np.testing.assert_allclose(step.observation.numpy(), expected, atol=1e-6)
        assert not torch.equal(step.observation, step.final_observation)


def test_a_diverged_environment_ends_alone_and_starts_anew() -> None:
    simulator = warp(HOPPER, 3)
    simulator.reset(0)
    calm = simulator.snapshot(EVERYONE)
    wild = {name: array.copy() for name, array in calm.items()}
    wild["record"][1, 6:12] = 1e9
    wild["first"][:] = False
    given = actions(30, 3, 3)
    expected = trace(simulator, given, EVERYONE)
    simulator.restore(EVERYONE, wild)
    step = simulator.step(given[0])
    assert step.terminated.tolist() == [False, True, False]
    assert step.variables["forward_velocity"][1] == 1e9
    assert torch.isfinite(step.observation).all()
    rest = trace(simulator, given[1:], EVERYONE)
    assert torch.isfinite(rest[0]).all()
    assert torch.equal(rest[0][:, [0, 2]], expected[0][1:][:, [0, 2]])


def test_actions_are_clipped_and_earlier_values_follow() -> None:
    simulator = warp(dataclasses.replace(HOPPER, episode_steps=3), 2)
    simulator.reset(0)
    wild = torch.tensor([[5.0, -torch.inf, torch.nan], [torch.inf, 0.25, -7.0]])
    tame = torch.tensor([[1.0, -1.0, 0.0], [1.0, 0.25, -1.0]])
    before = None
    for number in range(4):
        step = simulator.step(wild * (1 + number % 2))
        inputs = simulator.reward_inputs(("action", "prev_action", "prev_torso_height", "pitch"))
        height = step.variables["torso_height"]
        if number == 0:
            assert torch.equal(inputs["action"], tame)
        if number % 3:
            assert before is not None
            assert torch.equal(inputs["prev_torso_height"], before[0])
            assert torch.equal(inputs["prev_action"], before[1])
        else:
            assert torch.equal(inputs["prev_torso_height"], height)
            assert torch.equal(inputs["prev_action"], inputs["action"])
        before = height, inputs["action"]


SMOOTH_RISE = """
def compute_reward(torso_height, prev_torso_height, foot_height, action, prev_action):
    rise = torso_height - prev_torso_height
    smooth = xp.sum((action - prev_action) ** 2, axis=-1)
    return rise + foot_height - 0.1 * smooth, {"rise": rise}
"""


def test_a_rollout_feeds_torch_programs_what_numpy_programs_get() -> None:
    rewards = []
    pairs: list[Any] = [(warp(HOPPER, 4), "torch"), (MujocoSimulator(HOPPER, 4), "numpy")]
    for simulator, namespace in pairs:
        sizes = simulator.variable_sizes
        names = [name for name, v in HOPPER.variables.items() if v.public] + ["action"]
        program = parse(SMOOTH_RISE, {name: sizes[name] for name in names})
        reward = program.compile(namespace)
        rollout = Rollout(simulator, 5)
        simulator.reset([1, 2])
        for number, action in enumerate(actions(15, 4, 3), start=1):
            rollout.record(simulator.step(action if namespace == "torch" else action.numpy()))
            if number == 10:
                row = rollout.last_row(EVERYONE)
                rollout = Rollout(simulator, 5)
                rollout.continue_from(row)
        total, _ = reward(**rollout.inputs(program.arguments, slice(2, 4)))
        rewards.append(np.asarray(total))
    assert rewards[0].shape == (10,)
    np.testing.assert_allclose(*rewards, atol=1e-4)


@pytest.mark.parametrize("name", FREE)
def test_expert_rewards_run_on_tensors(name: str) -> None:
    task = load_task(name)
    simulator = warp(task, 2)
    public = [name for name, v in task.variables.items() if v.public] + ["action"]
    program = parse(
        reward_source(task, "expert"), {name: simulator.variable_sizes[name] for name in public}
    )
    simulator.reset(0)
    simulator.step(torch.zeros(2, simulator.action_size))
    total, _ = program.compile("torch")(**simulator.reward_inputs(program.arguments))
    assert total.shape == (2,)
    assert torch.isfinite(total).all()


def test_watched_episodes_are_fetched_when_asked_for() -> None:
    task = dataclasses.replace(HOPPER, episode_steps=12)
    simulator = warp(task, 5)
    simulator.reset(0)
    recorder = EpisodeRecorder(simulator, [1, 3, 4])
    seen: dict[int, list[float]] = {1: [], 3: [], 4: []}
    whole: dict[int, list[list[float]]] = {1: [], 3: [], 4: []}
    found: dict[int, list[list[float]]] = {1: [], 3: [], 4: []}
    for number, action in enumerate(actions(40, 5, 3), start=1):
        step = simulator.step(action)
        assert recorder.record(step) == []
        for index, heights in seen.items():
            heights.append(float(step.variables["foot_height"][index]))
            if step.terminated[index] or step.truncated[index]:
                whole[index].append(heights.copy())
                heights.clear()
        if number == 20:
            kept = recorder.snapshot(slice(0, 4))
            assert len(kept["length"]) == 2
            recorder.restore(slice(0, 4), kept)
        if number % 7 == 0 or number == 40:
            for index, episode in recorder.collect():
                assert episode.variables["foot_height"].dtype == np.float64
                assert len(episode.action) == len(episode["foot_height"])
                found[index].append(episode["foot_height"].tolist())
    assert found == whole
    assert all(len(episodes) >= 3 for episodes in found.values())


def test_devices_that_are_not_there_are_named() -> None:
    for device, words in (
        ("tpu", "unknown device 'tpu'"),
        ("cuda:99", "no device cuda:99"),
        ("cuda:x", "unknown device"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            open_simulator(HOPPER, 2, device)
        assert "\n" not in str(caught.value)
    assert isinstance(open_simulator(HOPPER, 2, "warp-cpu"), WarpSimulator)
    assert isinstance(open_simulator(HOPPER, 2, "cpu"), MujocoSimulator)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)
    with pytest.raises(UserError, match=r"pip install 'reward-synth\[gpu\]'"):
        warp(HOPPER, 1)


def test_what_mujoco_warp_lacks_is_named(tmp_path: Any) -> None:
    original = dataclasses.replace(load_task("humanoid-run"), edit_model=None)
    with pytest.raises(UserError, match="mjSOL_PGS is unsupported"):
        warp(original, 1)

    def sleep(spec: Any) -> None:
        spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP.value)

    with pytest.raises(UserError, match="sleeping"):
        warp(robot_task(tmp_path, edit_model=sleep), 1)

    with pytest.raises(UserError, match="terminated raised AttributeError"):
        warp(robot_task(tmp_path, terminated=lambda v, xp: (0 * v["slide"]).astype(bool)), 1)


def test_what_found_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulator = warp(HOPPER, 2)
        simulator.reset(0)
        trace(simulator, actions(10, 2, 3), EVERYONE)
        assert simulator.overflow() is None
        simulator.close()
    monkeypatch.setattr(warp_physics, "room", lambda model, pairs: (1, 1))
    crammed = warp(HOPPER, 2)
    crammed.reset(0)
    trace(crammed, actions(10, 2, 3), EVERYONE)
    assert "1 contacts and 1 constraint rows" in (crammed.overflow() or "")
    with pytest.warns(RuntimeWarning, match="of 2 environments more things touched"):
        crammed.close()
    crammed.close()
    monkeypatch.setattr(warp_physics, "CHECK_EVERY", 4)
    crammed = warp(HOPPER, 2)
    crammed.reset(0)
    with pytest.warns(RuntimeWarning, match="more things touched") as told:
        trace(crammed, actions(12, 2, 3), EVERYONE)
        crammed.close()
    assert len(told) == 1


OUT_OF_MEMORY = """
import resource
from reward_synth.errors import DeviceMemoryError
from reward_synth.simulation.mujoco_warp import WarpSimulator
from reward_synth.task import load_task

task = load_task("hopper-forward")
WarpSimulator(task, 2, device="cpu").close()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
count = 2**17
while True:
    try:
        simulator = WarpSimulator(task, count, device="cpu")
        break
    except DeviceMemoryError as error:
        print(error)
        count //= 64
simulator.reset(0)
print(count)
"""


def test_less_may_fit_where_memory_ran_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    *refusals, count = done.stdout.splitlines()
    assert refusals[0] == (
        "the memory of cpu is too small for 131072 environments of hopper-forward; train with fewer"
    )
    assert int(count) in (2048, 32)
