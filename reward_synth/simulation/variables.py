"""A task's variables on a batch of records, each computed when first asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION
from reward_synth.task import Array, Derived, Task
from reward_synth.task.validation import nearest

HOST: Mapping[str, Any] = {}
"""The placement of NumPy's arrays: nothing to say."""

Reader = Callable[["Variables"], Array]


@dataclass(frozen=True)
class Entries:
    """Where a variable's entries lie in one of the arrays that make up a record."""

    array: str
    """``qpos``, ``qvel``, ``sensordata`` or ``action``, of a MuJoCo model."""
    indices: tuple[int, ...]
    scalar: bool
    """Whether the variable is ``(N,)`` rather than ``(N, len(indices))``."""


class Variables(Mapping[str, Array]):
    """Variables of ``N`` records by name, arrays ``(N,)`` or ``(N, d)`` of the records' namespace.

    Values are views of the records where they can be, and read-only where the namespace knows
    that; whoever holds the mapping keeps the records of that step alive.
    """

    __slots__ = ("_readers", "_values", "record")

    def __init__(self, readers: Mapping[str, Reader], record: Array) -> None:
        # A reward that wrote into a view would change the physics.
        self.record = _read_only(record)
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


def reward_inputs(
    names: Iterable[str],
    variables: Variables | None,
    previous: Variables | None,
    first: Array | None,
    xp: Any = np,
) -> dict[str, Array]:
    """Arguments for a reward program at a step, by name; see the simulator's interface.

    Args:
        names: variables, ``action`` and ``prev_NAME``.
        variables: at the step; None before the first one.
        previous: one control step earlier; None where there was none.
        first: ``(N,)`` bool, which environments took their episode's first step; None for none.
        xp: array namespace.

    Raises:
        RuntimeError: there was no step yet.
    """
    if variables is None:
        raise RuntimeError("reward inputs exist only after a step")
    inputs: dict[str, Array] = {}
    for name in names:
        bare = name.removeprefix("prev_")
        value = variables[bare]
        if bare != name and previous is not None:
            before = previous[bare]
            if first is not None:
                rows = first if value.ndim == 1 else first[:, None]
                before = xp.where(rows, value, before)
            value = before
        inputs[name] = value
    return inputs


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
    """How to compute each variable, and ``action``, from a :class:`Variables`, in the task's order.

    ``entries`` says where each variable that is not derived lies, and ``action``; ``offsets`` where
    each of their arrays begins in a record; ``xp`` is the array namespace of the records, and
    ``placement`` the arguments that make a new array where they are.
    """
    readers: dict[str, Reader] = {}
    for name, variable in task.variables.items():
        binding = variable.binding
        if isinstance(binding, Derived):
            readers[name] = _derived_reader(binding.function, xp)
        else:
            readers[name] = _record_reader(entries[name], offsets, xp, placement)
    readers[ACTION] = _record_reader(entries[ACTION], offsets, xp, placement)
    return readers


def check_variables(task: Task, variables: Variables) -> dict[str, int | None]:
    """Evaluate every variable, and ``action``, on some records and give its size: None for
    ``(N,)``, else d.

    Raises:
        UserError: a derived variable raises, gives a wrong shape, or reads what it may not.
    """
    count = len(variables.record)
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
    values[ACTION] = variables[ACTION]
    return {name: None if v.ndim == 1 else v.shape[1] for name, v in values.items()}


def compact_index(indices: list[int], xp: Any = np, placement: Mapping[str, Any] = HOST) -> Any:
    """A slice for consecutive indices, else an array: a slice gives a view and is faster."""
    if indices and indices == list(range(indices[0], indices[-1] + 1)):
        return slice(indices[0], indices[-1] + 1)
    return xp.asarray(indices, dtype=xp.int64, **placement)


def _record_reader(
    entries: Entries, offsets: Mapping[str, int], xp: Any, placement: Mapping[str, Any]
) -> Reader:
    indices = [index + offsets[entries.array] for index in entries.indices]
    selection = indices[0] if entries.scalar else compact_index(indices, xp, placement)
    return lambda variables: _read_only(variables.record[:, selection])


def _derived_reader(function: Callable[[Mapping[str, Any], Any], Any], xp: Any) -> Reader:
    if xp is np:
        return lambda variables: _read_only(np.asarray(function(variables, np), np.float64))
    return lambda variables: xp.asarray(function(variables, xp), dtype=variables.record.dtype)


def _read_only(array: Array) -> Array:
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array
