"""What a record of a MuJoCo task keeps beyond state, sensors and action, and how it goes on.

The filter of the actions, the controls as applied, the episode's parameters, the poses of mocap
bodies and the task's memory; most tasks have none of them.
"""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.control import ControlMap
from reward_synth.simulation.initial import POSE, Drawn, InitialStates
from reward_synth.simulation.memory import Memory
from reward_synth.simulation.variables import Entries
from reward_synth.task import Accumulated, Parameter, Task
from reward_synth.task.validation import nearest

CONTROL, PARAMETERS, MEMORY = "control", "parameters", "memory"
"""Arrays that variables may lie in, besides those of MuJoCo."""


class Extras:
    """Columns of records from ``begin`` on.

    Args:
        task: whose records these are.
        model: its compiled model.
        bound: where the variables that are bound to the model lie.
        initial: what draws the task's episodes.
        begin: the first column.
        xp: array namespace of the records.
        placement: arguments that make a new array of it on the simulator's device.

    Raises:
        UserError: a variable names a parameter that is not drawn; the task's actions are wrong.
    """

    def __init__(
        self,
        task: Task,
        model: mujoco.MjModel,
        bound: Mapping[str, Entries],
        initial: InitialStates,
        begin: int,
        xp: Any = np,
        placement: Mapping[str, Any] | None = None,
    ) -> None:
        where = task.folder / "task.py"
        self.map = ControlMap(task.actions, model, str(where), xp, placement)
        wanted = any(entry.array == CONTROL for entry in bound.values())
        keeps_control = wanted or not self.map.plain
        self.filter = slice(begin, begin + self.map.size)
        self.control = slice(self.filter.stop, self.filter.stop + model.nu * keeps_control)
        parameters = self.control.stop + initial.parameter_count
        self.parameters = slice(self.control.stop, parameters)
        self.resampled = slice(parameters - initial.resampled_count, parameters)
        self.mocap = slice(parameters, parameters + POSE * model.nmocap)
        self.memory = Memory(task, self.mocap.stop, xp)
        self.end = self.mocap.stop + self.memory.size
        self.kept = slice(begin, self.mocap.stop)
        """What a step leaves as it is, unless something changes it."""
        self.offsets = {
            CONTROL: self.control.start,
            PARAMETERS: self.parameters.start,
            MEMORY: 0,
        }
        self.entries = {**bound, **self._own(task, initial, where)}
        """Where every variable lies that is not derived, and ``action``."""
        at_start = (self.map.initial, self.map.home if keeps_control else np.zeros(0))
        self._at_start = np.concatenate(at_start)

    def start(self, drawn: Drawn) -> np.ndarray:
        """``(M, e)``: these columns at the start of episodes."""
        count = len(drawn.states)
        return np.concatenate(
            (
                np.tile(self._at_start, (count, 1)),
                drawn.parameters,
                drawn.mocap,
                np.tile(self.memory.initial, (count, 1)),
            ),
            axis=1,
        )

    def _own(self, task: Task, initial: InitialStates, where: Any) -> dict[str, Entries]:
        """Of parameters and memory."""
        places: dict[str, Entries] = {}
        begin = 0
        for name, size in initial.parameter_sizes.items():
            end = begin + (size or 1)
            places[name] = Entries(PARAMETERS, tuple(range(begin, end)), size is None)
            begin = end
        entries: dict[str, Entries] = {}
        for name, variable in task.variables.items():
            binding = variable.binding
            if isinstance(binding, Parameter):
                if binding.name not in places:
                    raise UserError(
                        f"{where}: variable {name!r}: neither reset nor resampled draws the "
                        f"parameter {binding.name!r}{nearest(binding.name, places)}"
                    )
                entries[name] = places[binding.name]
            elif isinstance(binding, Accumulated):
                columns, scalar = self.memory.columns[name]
                indices = tuple(range(columns.start, columns.stop))
                entries[name] = Entries(MEMORY, indices, scalar)
        return entries
