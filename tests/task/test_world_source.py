"""What a task's text says of its world."""

from pathlib import Path

import pytest

from reward_synth.task.world_source import environment_packages, model_paths
from tests.cli.command import reward_synth

MODEL = """<mujoco><include file="{part}"/><worldbody><body><joint name="hinge" axis="0 1 0"/>
<geom size="0.1"/></body></worldbody>
<actuator><motor joint="hinge" ctrlrange="-1 1" ctrllimited="true"/></actuator></mujoco>"""
PART = '<mujoco><worldbody><geom name="post" size="0.1" pos="1 0 0"/></worldbody></mujoco>'
TASK = """
import numpy as np
from reward_synth.task import *
task = Task(
    description="Turn.", model=MjcfFile("../robots/robot.xml"),
    variables={"angle": Variable("angle", "rad", JointPosition("hinge"))}, observation=("angle",),
    frame_skip=2, episode_steps=20, training_steps=100,
    reset=lambda rng, n: (np.zeros((n, 1)), np.zeros((n, 1))),
    fitness=lambda episode: float(episode["angle"][-1]), fitness_doc="angle",
)
"""


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ('environment=VectorEnvironment("Pendulum-v1")', ["gymnasium"]),
        ('environment=VectorEnvironment("WalkerWalk-v1", pool="envpool")', ["envpool"]),
        ('environment=ManagerBasedEnvironment("Mjlab-Cartpole-Balance")', ["mjlab"]),
        ("environment=ManagerBasedEnvironment('Isaac-Ant-v0', 'isaaclab')", ["isaaclab"]),
        ('model=MjcfFile("robot.xml")', []),
    ],
)
def test_packages_and_models_are_read(text: str, packages: list[str], tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(f"raise SystemExit\ntask = Task({text})\n")
    assert environment_packages(tmp_path) == packages
    assert model_paths(tmp_path) == ([tmp_path / "robot.xml"] if "Mjcf" in text else [])
    assert environment_packages(tmp_path / "nowhere") == model_paths(tmp_path / "nowhere") == []


def test_a_model_outside_the_folder_is_within_reach_of_workers(tmp_path: Path) -> None:
    """And what it includes from elsewhere."""
    for folder in ("task", "robots", "parts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "task" / "task.py").write_text(TASK)
    (tmp_path / "robots" / "robot.xml").write_text(MODEL.format(part="../parts/post.xml"))
    (tmp_path / "parts" / "post.xml").write_text(PART)
    program = tmp_path / "reward.py"
    program.write_text('def compute_reward(angle):\n    return angle, {"angle": angle}\n')
    checked = reward_synth("check", tmp_path / "task", program)
    assert checked.status == 0, checked.out + checked.err
