"""A small robot of the tests' own: a free box with an arm on a ball joint and a pushed slider."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_synth.task import JointPosition, MjcfFile, Task, Variable

ROBOT = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom name="floor" type="plane" size="5 5 0.1"/>
    <camera name="side" pos="0 -3 1" xyaxes="1 0 0 0 0 1"/>
    <body name="box" pos="0 0 1">
      <freejoint name="root"/>
      <geom name="box" type="box" size="0.1 0.1 0.1"/>
      <site name="foot" pos="0 0 -0.1" size="0.05"/>
      <body name="arm" pos="0.2 0 0">
        <joint name="shoulder" type="ball"/>
        <geom name="arm" type="capsule" size="0.02" fromto="0 0 0 0.3 0 0"/>
      </body>
    </body>
    <body name="cart" pos="0 2 0.5">
      <joint name="slide" type="slide" axis="1 0 0"/>
      <joint name="turn" type="hinge" axis="0 0 1"/>
      <geom name="cart" type="sphere" size="0.1"/>
    </body>
  </worldbody>
  <actuator>
    <motor name="push" joint="slide" ctrllimited="true" ctrlrange="-1 3"/>
    <motor name="twist" joint="turn"/>
  </actuator>
</mujoco>
"""
"""nq = 7 + 4 + 1 + 1, nv = 6 + 3 + 1 + 1, in that order."""

REST = np.array([0.0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0.25, -0.5])
"""The box upright at 1 m, the arm level, the cart a little off."""


def at_rest(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(REST, (n, 1)), np.zeros((n, 11))


def robot_task(
    folder: Path, variables: Mapping[str, Variable] | None = None, **changes: Any
) -> Task:
    """A task on the robot with the cart's position and whatever else is given."""
    (folder / "robot.xml").write_text(ROBOT)
    fields: dict[str, Any] = {
        "description": "Push the cart.",
        "model": MjcfFile("robot.xml"),
        "variables": {
            "slide": Variable("the cart's position", "m", JointPosition("slide")),
            **(variables or {}),
        },
        "observation": ("slide",),
        "frame_skip": 3,
        "episode_steps": 10,
        "reset": at_rest,
        "terminated": lambda v, xp: xp.zeros_like(v["slide"], dtype=bool),
        "fitness": lambda episode: float(episode["slide"][-1]),
        "fitness_doc": "where the cart ends, m",
        "training_steps": 1000,
        "folder": folder,
    }
    return Task(**(fields | changes))
