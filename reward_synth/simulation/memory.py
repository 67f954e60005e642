"""The task's memory: what its :class:`Accumulated` variables carry from step to step.

It lies in records like everything else, so that a reward reads it and cannot change it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION
from reward_synth.simulation.variables import Reader, Variables
from reward_synth.task import Accumulated, Array, Task
from reward_synth.task.validation import nearest


class Memory:
    """Keeps the memory's columns of records, on NumPy.

    Args:
        task: whose Accumulated variables are kept.
        begin: the first column; the others follow.
    """

    def __init__(self, task: Task, begin: int) -> None:
        self._task = task
        self._names = list(task.variables)
        self.columns: dict[str, tuple[slice, bool]] = {}
        """Of each variable, and whether it is ``(N,)``."""
        initial: list[float] = []
        for name, variable in task.variables.items():
            binding = variable.binding
            if isinstance(binding, Accumulated):
                scalar = not isinstance(binding.initial, tuple | list)
                values = [binding.initial] if scalar else list(binding.initial)  # pyright: ignore[reportArgumentType]
                first = begin + len(initial)
                self.columns[name] = slice(first, first + len(values)), scalar
                initial += map(float, values)  # pyright: ignore[reportArgumentType]
        self.initial = np.array(initial)
        """``(M,)``: its values at an episode's start."""
        self.size = len(initial)

    def update(
        self, record: np.ndarray, previous: np.ndarray, readers: Mapping[str, Reader]
    ) -> None:
        """Write the next values into records ``(N, r)``, whose other entries are there already,
        from the records before.

        Raises:
            UserError: a function raises, gives a wrong shape, or reads what it may not.
        """
        for name, (columns, scalar) in self.columns.items():
            binding = self._task.variables[name].binding
            assert isinstance(binding, Accumulated)
            before = previous[:, columns.start] if scalar else previous[:, columns]
            # New for each variable: a later one reads what an earlier one has just written.
            seen = Variables(readers, record.view())
            record[:, columns] = self._next(name, binding.function, before, seen).reshape(
                len(record), -1
            )

    def _next(
        self, name: str, function: Callable[..., Array], before: np.ndarray, seen: Variables
    ) -> np.ndarray:
        where = f"{self._task.folder / 'task.py'}: variable {name!r}"
        place = self._names.index(name)
        allowed = {n: None for n in [*self._names[:place], ACTION]}
        try:
            value = np.asarray(function(before, _Allowed(seen, allowed, where), np), np.float64)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"{where} raised {type(error).__name__}: {error}") from error
        if value.shape != before.shape:
            raise UserError(
                f"{where} gives shape {value.shape} for {len(before)} environments; it must give "
                f"{before.shape}, as its initial value says"
            )
        return value


class _Allowed(Mapping[str, Any]):
    """The variables that one memory may read: those listed before it, and ``action``."""

    def __init__(self, seen: Variables, allowed: Mapping[str, None], where: str) -> None:
        self._seen, self._allowed, self._where = seen, allowed, where

    def __getitem__(self, name: str) -> Any:
        if name in self._allowed:
            return self._seen[name]
        if name in self._seen:
            raise UserError(f"{self._where} reads {name!r}, which is not listed before it; move it")
        raise UserError(
            f"{self._where} reads the unknown variable {name!r}{nearest(str(name), self._allowed)}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._allowed

    def __iter__(self) -> Any:
        return iter(self._allowed)

    def __len__(self) -> int:
        return len(self._allowed)
