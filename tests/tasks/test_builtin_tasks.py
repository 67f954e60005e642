"""Every built-in task on the real simulator, and its two reward programs."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from reward_synth.reward import check, parse
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import list_tasks, load_task, reward_source

TASKS = [
    "ant-forward",
    "cartpole-swingup",
    "cheetah-run",
    "hopper-backflip",
    "hopper-forward",
    "humanoid-run",
    "reacher-reach",
]

GYMNASIUM = {
    "ant-forward": ("Ant-v5", {"include_cfrc_ext_in_observation": False}),
    "cheetah-run": ("HalfCheetah-v5", {}),
    "hopper-forward": ("Hopper-v5", {}),
    "reacher-reach": ("Reacher-v5", {}),
}


def public_sizes(simulator: MujocoSimulator) -> dict[str, int | None]:
    """What a reward program of the task may read."""
    variables = simulator.task.variables
    return {
        name: size
        for name, size in simulator.variable_sizes.items()
        if name == "action" or variables[name].public
    }


def test_the_built_in_tasks_are_these_seven():
    assert list_tasks() == TASKS


@pytest.mark.parametrize("name", TASKS)
def test_variables_are_finite_and_of_the_stated_shape(name: str):
    simulator = MujocoSimulator(load_task(name), 3)
    simulator.reset(0)
    rng = np.random.default_rng(0)
    step = simulator.step(rng.uniform(-1, 1, (3, simulator.action_size)))
    for _ in range(20):
        step = simulator.step(rng.uniform(-1, 1, (3, simulator.action_size)))
    for variable in simulator.task.variables:
        size = simulator.variable_sizes[variable]
        value = step.variables[variable]
        assert value.shape == ((3,) if size is None else (3, size)), variable
        assert np.isfinite(value).all(), variable
    assert step.observation.shape == (3, simulator.observation_size)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("which", ["expert", "sparse"])
def test_reward_programs_are_right_and_run(name: str, which):
    task = load_task(name)
    simulator = MujocoSimulator(task, 4)
    sizes = public_sizes(simulator)
    source = reward_source(task, which)
    assert check(source, sizes) == []
    program = parse(source, sizes)
    reward = program.compile()
    simulator.reset(1)
    rng = np.random.default_rng(1)
    for _ in range(10):
        simulator.step(rng.uniform(-1, 1, (4, simulator.action_size)))
        total, components = reward(**simulator.reward_inputs(program.arguments))
        assert total.shape == (4,)
        assert np.allclose(total, sum(components.values())) or name == "cartpole-swingup"
        if which == "sparse":
            assert np.isin(total, [-1.0, 0.0, 1.0]).all()


@pytest.mark.parametrize("name", TASKS)
def test_public_variables_tell_their_unit_and_never_the_score(name: str):
    task = load_task(name)
    for variable_name, variable in task.variables.items():
        if variable.public:
            assert len(variable.doc.split()) >= 6, variable_name
            assert variable.unit, variable_name
    hidden = {"turned_angle", "root_position"} & set(task.variables)
    assert not any(task.variables[name].public for name in hidden)


@pytest.mark.parametrize("name", sorted(GYMNASIUM))
def test_control_step_episode_and_observation_are_gymnasiums(name: str):
    """The same state and actions give the same observation as Gymnasium's environment.

    The tolerance is what the constraint solver's warm start and the rounding of
    positions make of a few steps.
    """
    environment_id, options = GYMNASIUM[name]
    environment = gymnasium.make(environment_id, **options)
    simulator = MujocoSimulator(load_task(name), 1)
    robot: Any = environment.unwrapped
    assert simulator.control_step == pytest.approx(robot.dt)
    assert environment.spec is not None
    assert simulator.task.episode_steps == environment.spec.max_episode_steps
    assert environment.observation_space.shape == (simulator.observation_size,)

    observation = simulator.reset(3)[0]
    environment.reset(seed=0)
    rng = np.random.default_rng([3, 0, 0])
    qpos, qvel = simulator.task.reset(rng, 1)
    robot.set_state(qpos[0], qvel[0])
    assert observation == pytest.approx(robot._get_obs(), abs=1e-9)
    actions = np.random.default_rng(0).uniform(-1, 1, (5, simulator.action_size))
    for action in actions:
        step = simulator.step(action[None])
        observation, _, terminated, _, _ = environment.step(action)
        assert step.final_observation[0] == pytest.approx(observation, abs=2e-3)
        assert bool(step.terminated[0]) == terminated
    environment.close()


def test_the_expert_of_a_gymnasium_task_pays_what_the_environment_pays():
    environment = gymnasium.make("HalfCheetah-v5")
    task = load_task("cheetah-run")
    simulator = MujocoSimulator(task, 1)
    program = parse(reward_source(task, "expert"), public_sizes(simulator))
    reward = program.compile()
    simulator.reset(0)
    environment.reset(seed=0)
    qpos, qvel = task.reset(np.random.default_rng([0, 0, 0]), 1)
    robot: Any = environment.unwrapped
    robot.set_state(qpos[0], qvel[0])
    paid, published = 0.0, 0.0
    for action in np.random.default_rng(2).uniform(-1, 1, (100, 6)):
        simulator.step(action[None])
        paid += float(reward(**simulator.reward_inputs(program.arguments))[0][0])
        published += float(environment.step(action)[1])
    environment.close()
    # The environment takes the mean velocity over a control step, the program the one at its end.
    assert paid == pytest.approx(published, abs=5.0)
    assert published < -10.0
