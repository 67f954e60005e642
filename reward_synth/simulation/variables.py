"""A task's variables on a batch of states, each computed when first asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.model import Entries
from reward_synth.task import Array, Derived, Task
from reward_synth.task.validation import nearest

HOST: Mapping[str, Any] = {}
"""The placement of NumPy's arrays: nothing to say."""

Reader = Callable[["Variables"], Array]


class Variables(Mapping[str, Array]):
    """Variables of ``N`` states by name, arrays ``(N,)`` or ``(N, d)`` of the states' namespace.

    Values are views of the states where they can be, and read-only where the namespace knows
    that; whoever holds the mapping keeps the states of that step alive.
    """

    __slots__ = ("_readers", "_values", "sensordata", "state")

    def __init__(self, readers: Mapping[str, Reader], state: Array, sensordata: Array) -> None:
        # A reward that wrote into a view would change the physics.
        self.state = _read_only(state)
        self.sensordata = _read_only(sensordata)
        self._readers = readers
        self._values: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        value = self._values.get(name)
        if value is None:
            value = self._readers[name](self)
            self._values[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


class _Earlier(Mapping[str, Array]):
    """What one derived variable may read: those listed before it."""

    def __init__(self, values: dict[str, Array], task: Task, where: str) -> None:
        self._values, self._task, self._where = values, task, where

    def __getitem__(self, name: str) -> Array:
        if name in self._values:
            return self._values[name]
        if name in self._task.variables:
            raise UserError(f"{self._where} reads {name!r}, which is not listed before it; move it")
        raise UserError(
            f"{self._where} reads the unknown variable {name!r}"
            f"{nearest(str(name), self._task.variables)}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def make_readers(
    task: Task,
    entries: Mapping[str, Entries],
    offsets: Mapping[str, int],
    xp: Any = np,
    placement: Mapping[str, Any] = HOST,
) -> dict[str, Reader]:
    """How to compute each variable from a :class:`Variables`, in the task's order.

    ``offsets`` says where ``qpos`` and ``qvel`` begin in a state; ``xp`` is the array namespace
    of the states, and ``placement`` the arguments that make a new array where they are.
    """
    readers: dict[str, Reader] = {}
    for name, variable in task.variables.items():
        binding = variable.binding
        if isinstance(binding, Derived):
            readers[name] = _derived_reader(binding.function, xp)
        elif entries[name].array == "sensordata":
            readers[name] = _sensor_reader(_selection(entries[name], 0, xp, placement))
        else:
            entry = entries[name]
            readers[name] = _state_reader(_selection(entry, offsets[entry.array], xp, placement))
    return readers


def check_variables(task: Task, variables: Variables) -> dict[str, int | None]:
    """Evaluate every variable on some states and give its size: None for ``(N,)``, else d.

    Raises:
        UserError: a derived variable raises, gives a wrong shape, or reads what it may not.
    """
    count = len(variables.state)
    values: dict[str, Array] = {}
    for name, variable in task.variables.items():
        where = f"{task.folder / 'task.py'}: variable {name!r}"
        binding = variable.binding
        if isinstance(binding, Derived):
            try:
                value = np.asarray(binding.function(_Earlier(values, task, where), np), np.float64)
            except UserError:
                raise
            except Exception as error:
                raise UserError(f"{where} raised {type(error).__name__}: {error}") from error
            if value.ndim not in (1, 2) or len(value) != count:
                raise UserError(
                    f"{where} gives shape {value.shape} for {count} environments; "
                    f"it must give ({count},) or ({count}, d)"
                )
            values[name] = value
        else:
            values[name] = variables[name]
    return {name: None if v.ndim == 1 else v.shape[1] for name, v in values.items()}


def compact_index(indices: list[int], xp: Any = np, placement: Mapping[str, Any] = HOST) -> Any:
    """A slice for consecutive indices, else an array: a slice gives a view and is faster."""
    if indices and indices == list(range(indices[0], indices[-1] + 1)):
        return slice(indices[0], indices[-1] + 1)
    return xp.asarray(indices, dtype=xp.int64, **placement)


def _selection(entries: Entries, offset: int, xp: Any, placement: Mapping[str, Any]) -> Any:
    indices = [index + offset for index in entries.indices]
    return indices[0] if entries.scalar else compact_index(indices, xp, placement)


def _state_reader(selection: Any) -> Reader:
    return lambda variables: _read_only(variables.state[:, selection])


def _sensor_reader(selection: Any) -> Reader:
    return lambda variables: _read_only(variables.sensordata[:, selection])


def _derived_reader(function: Callable[[Mapping[str, Any], Any], Any], xp: Any) -> Reader:
    if xp is np:
        return lambda variables: _read_only(np.asarray(function(variables, np), np.float64))
    return lambda variables: xp.asarray(function(variables, xp), dtype=variables.state.dtype)


def _read_only(array: Array) -> Array:
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array
