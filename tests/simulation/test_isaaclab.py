"""Isaac Lab's environments: what is read before the reset that their own ``step`` makes.

Isaac Lab needs Isaac Sim, which runs on a GPU alone; so a program of its own steps the environments
from Isaac Lab's sources, with Isaac Sim's modules empty (:mod:`tests.simulation.isaaclab_steps`).
Sources are those of an installed package, or of an unpacked wheel whose folder the variable
``ISAACLAB_SOURCE`` names; without either, that test is skipped.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator
from reward_synth.task import ManagerBasedEnvironment, Measured, Task, Variable

STEPS = Path(__file__).with_name("isaaclab_steps.py")


def sources() -> Path | None:
    """The folder that holds ``source``; None where Isaac Lab is not there."""
    named = os.environ.get("ISAACLAB_SOURCE")
    if named:
        return Path(named) / "isaaclab"
    found = importlib.util.find_spec("isaaclab")
    return Path(found.origin).parent if found and found.origin else None


def test_what_is_reached_is_read_before_isaac_lab_resets() -> None:
    folder = sources()
    if folder is None:
        pytest.skip("Isaac Lab is not here; ISAACLAB_SOURCE can name an unpacked wheel of it")
    done = subprocess.run(
        [sys.executable, STEPS, folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("both stepped"), done.stderr


@pytest.mark.skipif(importlib.util.find_spec("isaacsim") is not None, reason="Isaac Sim is here")
def test_a_missing_isaac_lab_is_said() -> None:
    task = Task(
        description="Run.",
        variables={"clock": Variable("steps", "1", Measured(lambda env: env.episode_length_buf))},
        observation=("clock",),
        episode_steps=5,
        training_steps=1000,
        environment=ManagerBasedEnvironment("Isaac-Ant-v0", package="isaaclab"),
    )
    with pytest.raises(UserError, match="Isaac-Ant-v0 needs Isaac Lab and Isaac Sim"):
        open_simulator(task, 1)
