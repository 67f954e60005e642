"""Assembles a task's observation from its variables."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reward_synth.simulation.variables import HOST, Entries, Variables, compact_index
from reward_synth.task import Array, Task


class Observation:
    """The observation ``(N, size)`` of ``N`` records.

    Everything that lies in the record is gathered in one indexing, because a copy for each
    variable would cost more than the physics of a small batch leaves.
    """

    def __init__(
        self,
        task: Task,
        entries: Mapping[str, Entries],
        offsets: Mapping[str, int],
        sizes: Mapping[str, int | None],
        xp: Any = np,
        placement: Mapping[str, Any] = HOST,
    ) -> None:
        columns: list[int] = []
        places: list[int] = []
        self._others: list[tuple[str, Any]] = []
        begin = 0
        for name in task.observation:
            size = sizes[name]
            end = begin + (1 if size is None else size)
            entry = entries.get(name)
            if entry is not None:
                columns.extend(index + offsets[entry.array] for index in entry.indices)
                places.extend(range(begin, end))
            else:
                self._others.append((name, begin if size is None else slice(begin, end)))
            begin = end
        self.size = begin
        self._xp = xp
        self._placement = placement
        self._columns = compact_index(columns, xp, self._placement)
        self._places = compact_index(places, xp, self._placement)

    def __call__(self, variables: Variables) -> Array:
        record = variables.record
        shape = (len(record), self.size)
        observation = self._xp.empty(shape, dtype=record.dtype, **self._placement)
        observation[:, self._places] = record[:, self._columns]
        for name, place in self._others:
            observation[:, place] = variables[name]
        return observation
