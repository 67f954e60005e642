"""What a task's variables look like under random actions: scales for prompts and proposers."""

from dataclasses import dataclass

import numpy as np

from reward_synth.simulation.episodes import random_policy
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import Task


@dataclass(frozen=True)
class VariableStatistics:
    """Of one variable, over all steps, environments and entries."""

    mean: float
    std: float
    min: float
    max: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""
    step_std: float
    """Standard deviation of the change over one control step."""
    start: tuple[float, float]
    """5th and 95th percentile after the first control step of an episode."""


def variable_statistics(
    task: Task, *, seed: int = 0, environments: int = 16, steps: int = 256
) -> dict[str, VariableStatistics]:
    """Statistics of each public variable over ``steps`` control steps of random actions.

    Raises:
        UserError: the task is wrong.
    """
    names = [name for name, variable in task.variables.items() if variable.public]
    seen: dict[str, list[np.ndarray]] = {name: [] for name in names}
    changes: dict[str, list[np.ndarray]] = {name: [] for name in names}
    starts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    simulator = MujocoSimulator(task, environments)
    try:
        policy = random_policy(simulator.action_size, np.random.default_rng([seed, environments]))
        observation = simulator.reset(seed)
        for _ in range(steps):
            step = simulator.step(policy(observation))
            observation = step.observation
            earlier = simulator.reward_inputs(f"prev_{name}" for name in names)
            for name in names:
                value = step.variables[name]
                seen[name].append(value)
                starts[name].append(value[step.first])
                # At an episode's first step the value before is not known.
                changes[name].append((value - earlier[f"prev_{name}"])[~step.first])
    finally:
        simulator.close()
    return {name: _summarise(seen[name], changes[name], starts[name]) for name in names}


def _summarise(
    seen: list[np.ndarray], changes: list[np.ndarray], starts: list[np.ndarray]
) -> VariableStatistics:
    values = np.stack(seen)
    low, high = np.percentile(values, [5.0, 95.0])
    first, last = np.percentile(np.concatenate(starts), [5.0, 95.0])
    change = np.concatenate(changes)
    return VariableStatistics(
        mean=float(values.mean()),
        std=float(values.std()),
        min=float(values.min()),
        max=float(values.max()),
        low=float(low),
        high=float(high),
        step_std=float(change.std()) if change.size else 0.0,
        start=(float(first), float(last)),
    )
