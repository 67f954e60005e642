"""What a task's variables look like under random actions: scales for prompts and proposers."""

from dataclasses import dataclass

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation import open_simulator
from reward_synth.simulation.episodes import not_finite, random_policy
from reward_synth.simulation.rollout import on_host
from reward_synth.task import Task


@dataclass(frozen=True)
class EntryRange:
    """Where one entry of a variable lies, as 5th and 95th percentile over environments."""

    random: tuple[float, float]
    """Over all steps of random actions."""
    start: tuple[float, float]
    """After the first control step of an episode."""


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
    entries: tuple[EntryRange, ...]
    """The same of each entry; one of a scalar variable."""


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
    simulator = open_simulator(task, environments)
    try:
        policy = random_policy(simulator, np.random.default_rng([seed, environments]))
        observation = simulator.reset(seed)
        for _ in range(steps):
            step = simulator.step(policy(observation))
            observation = step.observation
            earlier = simulator.reward_inputs(f"prev_{name}" for name in names)
            first = on_host(step.first)
            for name in names:
                value = on_host(step.variables[name])
                seen[name].append(value)
                starts[name].append(value[first])
                # At an episode's first step the value before is not known.
                changes[name].append((value - on_host(earlier[f"prev_{name}"]))[~first])
    finally:
        simulator.close()
    fault = not_finite(task, {name: np.stack(values) for name, values in seen.items()})
    if fault is not None:
        raise UserError(fault)
    return {name: _summarise(seen[name], changes[name], starts[name]) for name in names}


def _summarise(
    seen: list[np.ndarray], changes: list[np.ndarray], starts: list[np.ndarray]
) -> VariableStatistics:
    values, begins = np.stack(seen), np.concatenate(starts)
    low, high = np.percentile(values, [5.0, 95.0])
    first, last = np.percentile(begins, [5.0, 95.0])
    size = 1 if begins.ndim == 1 else begins.shape[1]
    ranges = [
        np.percentile(part.reshape(-1, size), [5.0, 95.0], axis=0) for part in (values, begins)
    ]
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
        entries=tuple(
            EntryRange(*(tuple(limits[:, entry].tolist()) for limits in ranges))
            for entry in range(size)
        ),
    )
