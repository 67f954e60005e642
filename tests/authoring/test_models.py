"""Folders that are drafted from models load and step as they are."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest

from reward_synth.authoring.making import make_folder
from reward_synth.authoring.models import draft_model
from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator

ASSETS = Path(gymnasium.__file__).parent / "envs/mujoco/assets"


@pytest.mark.parametrize(
    ("file", "observed"),
    [("ant.xml", "projected_gravity"), ("hopper.xml", "joint_angles"), ("humanoid.xml", "action"),
     ("pusher.xml", "tips_arm_position"), ("reacher.xml", "fingertip_to_target")],
)  # fmt: skip
def test_a_models_draft_is_a_task_that_steps(file, observed, tmp_path):
    task = make_folder(draft_model(ASSETS / file), tmp_path / "made")
    assert observed in task.observation
    simulator = open_simulator(task, 2)
    simulator.reset(0)
    step = simulator.step(simulator.action_space.random(np.random.default_rng(0), 2))
    assert np.isfinite(step.observation).all()
    simulator.close()


def test_a_goal_that_the_model_lacks_is_one_line():
    with pytest.raises(UserError, match="no body or site 'torsoo'"):
        draft_model(ASSETS / "ant.xml", goal="near=torsoo,torso")
