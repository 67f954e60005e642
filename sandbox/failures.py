"""Errors that a job may end with, beside Python's own, and how they are worded."""

from collections.abc import Sequence

import numpy as np

from reward_synth.simulation.interface import Simulator


class NonFiniteError(ArithmeticError):
    """A reward, an observation or a weight became NaN or infinite; the message says which."""


def explain_reward(guilty: Sequence[str]) -> str:
    """Which components are not finite; none where the total alone is not."""
    where = f" in component {', '.join(map(repr, guilty))}" if guilty else ""
    return f"the reward became NaN or infinite during training{where}"


def explain_observation(simulator: Simulator, bad: np.ndarray) -> str:
    """Which variable of the observation is not finite, given the bad columns ``(obs,)`` bool."""
    task, sizes = simulator.task, simulator.variable_sizes
    names = [name for name in task.observation for _ in range(sizes[name] or 1)]
    guilty = names[int(np.flatnonzero(bad)[0]) % len(names)]
    return f"the observation is not finite: variable {guilty!r} of {task.folder / 'task.py'}"
