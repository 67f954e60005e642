"""The tasks that claim to be Gymnasium's v5 environments are them.

Given the same state and actions, both run the same MuJoCo on the same model.  Three differences
are known.  Humanoid-v5 solves contacts by projected Gauss-Seidel, and is told to use Newton's
method here, as our task does.  Gymnasium starts the constraint solver from its last solution,
``mujoco.rollout`` from nothing at each control step: both stop at the solver's tolerance of 1e-8,
and contacts make the difference grow.  And Reacher-v5 observes a body's position, which MuJoCo
leaves at the last Runge-Kutta stage (some millimetres off), where ours is the position at the
state reached.
"""

import copy
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import load_task

ENVIRONMENTS = {
    "cheetah-run": ("HalfCheetah-v5", {}),
    "hopper-forward": ("Hopper-v5", {}),
    "ant-forward": ("Ant-v5", {"include_cfrc_ext_in_observation": False}),
    "humanoid-run": (
        "Humanoid-v5",
        {
            f"include_{name}_in_observation": False
            for name in ("cinert", "cvel", "qfrc_actuator", "cfrc_ext")
        },
    ),
    "reacher-reach": ("Reacher-v5", {}),
}
FINGERTIP = slice(8, 10)
"""Reacher-v5's observation of the fingertip relative to the target."""


def fingertip_offset(env: Any) -> np.ndarray:
    """Where Reacher-v5's fingertip is at the state reached."""
    data = copy.copy(env.data)
    mujoco.mj_kinematics(env.model, data)
    return (data.body("fingertip").xpos - data.body("target").xpos)[:2]


@pytest.mark.parametrize("warm, tolerance", [(False, 1e-8), (True, 1e-4)])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_same_state_and_actions_give_same_observations_and_ends(
    name: str, warm: bool, tolerance: float
) -> None:
    identifier, arguments = ENVIRONMENTS[name]
    gym: Any = gymnasium.make(identifier, **arguments)
    gym.reset(seed=0)
    env = gym.unwrapped
    for seed in range(3):
        simulator = MujocoSimulator(load_task(name), 1)
        observation = simulator.reset(seed)
        assert observation.shape[1:] == env.observation_space.shape
        assert simulator.control_step == pytest.approx(env.dt)
        assert simulator.task.episode_steps == gym.spec.max_episode_steps

        qpos, qvel = simulator.task.reset(np.random.default_rng([seed, 0, 0]), 1)
        env.model.opt.solver = simulator.model.opt.solver
        if name == "reacher-reach":
            env.goal = qpos[0, 2:]
        env.set_state(qpos[0], qvel[0])
        np.testing.assert_allclose(observation[0], env._get_obs(), rtol=0, atol=1e-12)
        rng = np.random.default_rng(seed)
        steps = 0
        terminated = False
        while steps < 50 and not terminated:
            action = rng.uniform(-1.0, 1.0, simulator.action_size)
            # Gymnasium takes controls, and limits them to the ranges that actions are scaled to.
            control = action * env.model.actuator_ctrlrange[:, 1]
            if not warm:
                env.data.qacc_warmstart[:] = 0.0
            expected, _, terminated, _, _ = env.step(control)
            if name == "reacher-reach":
                np.testing.assert_allclose(expected[FINGERTIP], fingertip_offset(env), atol=3e-3)
                expected[FINGERTIP] = fingertip_offset(env)
            step = simulator.step(action[None])
            np.testing.assert_allclose(
                step.final_observation[0], expected, rtol=tolerance, atol=tolerance
            )
            assert bool(step.terminated[0]) == terminated
            steps += 1
        assert steps == 50 or name in ("hopper-forward", "ant-forward", "humanoid-run")


def test_resets_are_drawn_as_gymnasium_draws_them() -> None:
    """Means and spreads of a thousand initial observations."""
    for name in ("cheetah-run", "hopper-forward", "ant-forward", "humanoid-run"):
        identifier, arguments = ENVIRONMENTS[name]
        env = gymnasium.make(identifier, **arguments)
        theirs = np.array([env.reset(seed=seed)[0] for seed in range(1000)])
        ours = MujocoSimulator(load_task(name), 1000).reset(0)
        spread = theirs.std(axis=0)
        np.testing.assert_array_less(
            np.abs(ours.mean(axis=0) - theirs.mean(axis=0)), 0.25 * spread + 1e-9
        )
        np.testing.assert_allclose(ours.std(axis=0), spread, rtol=0.2, atol=1e-9)
