"""What a task is once its simulator has been opened: sizes, actions, times and typical ranges.

Opened once for each task object, and remembered: whoever needs a size, a control step or a range
asks here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from reward_synth.simulation.actions import ACTION, ActionSpace
from reward_synth.simulation.interface import ActionEntry, Capabilities
from reward_synth.task import Task

if TYPE_CHECKING:
    from reward_synth.simulation.statistics import VariableStatistics

REMEMBERED = 64
"""Tasks whose specifications are kept."""


@dataclass(frozen=True, eq=False)
class TaskSpec:
    """Facts about a task that only its simulator knows."""

    task: Task
    variable_sizes: Mapping[str, int | None]
    """Entries of each variable: None for ``(N,)``, d for ``(N, d)``; ``action`` included."""
    action_space: ActionSpace
    action_entries: tuple[ActionEntry, ...]
    """What each entry of an action means."""
    observation_size: int
    critic_observation_size: int
    """Entries of what the value function sees; 0 where that is the policy's observation."""
    control_step: float
    """Seconds of simulated time per control step."""
    capabilities: Capabilities

    @property
    def readable(self) -> dict[str, int | None]:
        """Entries of each name that a reward program may read: the public variables and
        ``action``."""
        public = [name for name, variable in self.task.variables.items() if variable.public]
        return {name: self.variable_sizes[name] for name in [*public, ACTION]}

    def readable_by(self, *, own: bool) -> dict[str, int | None]:
        """What a program may read: the task's ``own`` everything, any other what is public."""
        return dict(self.variable_sizes) if own else self.readable

    @cached_property
    def statistics(self) -> "dict[str, VariableStatistics]":
        """Start and random ranges of each public variable, over random actions."""
        from reward_synth.simulation.statistics import variable_statistics

        return variable_statistics(self.task)


@lru_cache(maxsize=REMEMBERED)
def task_spec(task: Task) -> TaskSpec:
    """The specification of a task, from a simulator of one environment.

    Raises:
        UserError: the task is wrong.
    """
    from reward_synth.simulation import open_simulator

    simulator = open_simulator(task, 1)
    try:
        return TaskSpec(
            task=task,
            variable_sizes=simulator.variable_sizes,
            action_space=simulator.action_space,
            action_entries=tuple(simulator.action_entries),
            observation_size=simulator.observation_size,
            critic_observation_size=simulator.critic_observation_size,
            control_step=simulator.control_step,
            capabilities=simulator.capabilities,
        )
    finally:
        simulator.close()
