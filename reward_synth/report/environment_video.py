"""Frames of a policy in an environment that somebody else wrote, by the environment's own renderer.

EnvPool draws without a screen only in a process that was started with EGL's library loaded before
all others, and ends the process otherwise: so this runs in a child, as all filming does.
"""

import ctypes.util
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reward_synth.errors import UserError

if TYPE_CHECKING:
    from reward_synth.simulation.vector import VectorSimulator
    from reward_synth.task import Task

LARGEST_WIDTH = 640
EGL_PACKAGES = "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri on Debian and Ubuntu"
UNKNOWN_STEP = 1.0
"""Seconds that a simulator says of a step where its environment says nothing."""


def drawing_environment(pool: str) -> dict[str, str] | None:
    """Variables of a process in which a pool's environments, or ``mujoco``, draw without a screen;
    None where a library is missing that they need."""
    if pool == "mujoco":
        return {}
    if pool == "gymnasium":
        return {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    library = ctypes.util.find_library("EGL")
    if library is None:
        return None
    return {"LD_PRELOAD": library, "EGL_PLATFORM": "surfaceless", "LIBGL_ALWAYS_SOFTWARE": "1"}


def frames(task: "Task", policy_path: Path, seconds: float, rate: int) -> Iterator[np.ndarray]:
    """``rate`` frames ``(H, W, 3)`` uint8 for each of ``seconds`` of simulated time, of the first
    environment that is scored; H and W are even, W is at most 640.

    An environment that does not say how long a step takes is shown at ``rate`` steps a second.

    Raises:
        UserError: the environment cannot draw, or the file is no policy for it.
    """
    from reward_synth.evaluation.score import EVALUATION_SEED
    from reward_synth.simulation.policy import load_policy

    simulator = drawing_simulator(task)
    policy = load_policy(policy_path, simulator.observation_size, simulator.action_space)
    step = 1.0 / rate if simulator.control_step == UNKNOWN_STEP else simulator.control_step
    observation = simulator.reset(EVALUATION_SEED)
    shown = 0
    for k in range(round(seconds / step)):
        observation = simulator.step(policy(observation)).observation
        due = round((k + 1) * step * rate)
        if due > shown:
            frame = scaled(simulator.render())
            yield from [frame] * (due - shown)
            shown = due
    simulator.close()


def first_frame(task: "Task") -> np.ndarray:
    """The start of an episode ``(H, W, 3)`` uint8.  Raises UserError as :func:`frames` does."""
    from reward_synth.evaluation.score import EVALUATION_SEED

    simulator = drawing_simulator(task)
    simulator.reset(EVALUATION_SEED)
    frame = scaled(simulator.render())
    simulator.close()
    return frame


def drawing_simulator(task: "Task") -> "VectorSimulator":
    """One environment that draws.  Raises UserError where it cannot."""
    from reward_synth.simulation import task_spec
    from reward_synth.simulation.vector import VectorSimulator
    from reward_synth.task import VectorEnvironment

    environment = task.environment
    if not isinstance(environment, VectorEnvironment):
        raise UserError(f"{environment.id if environment else task.folder} draws no pictures")
    if task_spec(task).capabilities.video != "environment":
        raise UserError(f"{environment.id} draws no pictures")
    drawn = VectorEnvironment(
        environment.id,
        environment.pool,
        package=environment.package,
        **{**environment.options, "render_mode": "rgb_array"},
    )
    return VectorSimulator(dataclasses.replace(task, environment=drawn), 1)


def scaled(frame: np.ndarray) -> np.ndarray:
    """A frame no wider than films are, of an even number of rows and columns as H.264 wants it."""
    from PIL import Image

    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise UserError(f"the environment draws frames of shape {frame.shape}, not (H, W, 3)")
    height, width = frame.shape[:2]
    wide = max(2, min(width, LARGEST_WIDTH) // 2 * 2)
    high = max(2, round(height * wide / width) // 2 * 2)
    if (high, wide) == (height, width):
        return frame
    return np.asarray(Image.fromarray(frame).resize((wide, high), Image.Resampling.LANCZOS))
