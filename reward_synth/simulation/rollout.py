"""A whole rollout's reward inputs at once.

A reward program judges each row by itself, so nothing is lost by rewarding ``T`` control steps of
``E`` environments in one call; what it costs is then hardly more than what one step of them costs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from reward_synth.simulation.interface import Simulator, Step
from reward_synth.task import Array


class Rollout:
    """The last ``steps`` control steps of a simulator, and the one before them.

    ``record`` every step, ask for the inputs when ``steps`` of them are there, and go on: the
    next ``record`` begins the next rollout.
    """

    def __init__(self, simulator: Simulator, steps: int) -> None:
        self.simulator = simulator
        self.steps = steps
        self._recorded = 0
        self._arrays: dict[str, Array] = {}
        """``(steps + 1, N, …)`` each; row 0 is the last step of the rollout before."""

    def record(self, step: Step) -> None:
        """Take the simulator's last step."""
        values = {"record": step.record, "first": step.first}
        if not self._arrays:
            self._arrays = {name: self._rows(value) for name, value in values.items()}
        elif self._recorded == self.steps:
            self._recorded = 0
            for array in self._arrays.values():
                array[0] = array[-1]
        self._recorded += 1
        for name, value in values.items():
            self._arrays[name][self._recorded] = value

    def inputs(self, names: Iterable[str], environments: slice) -> dict[str, Array]:
        """Arguments for a reward program on ``steps × E`` rows, step by step.

        Variables, ``action`` and ``prev_NAME``, as :meth:`Simulator.reward_inputs` gives them.
        """
        if self._recorded != self.steps:
            raise RuntimeError(f"{self._recorded} of {self.steps} steps are recorded")
        record, first = (self._arrays[name][:, environments] for name in ("record", "first"))
        count = record.shape[1]
        variables = self.simulator.variables_at(_flat(record))
        inputs: dict[str, Array] = {}
        for name in names:
            bare = name.removeprefix("prev_")
            value = variables[bare]
            if bare == name:
                inputs[name] = value[count:]
            else:
                begins = _flat(first)[count:].reshape(-1, *[1] * (value.ndim - 1))
                inputs[name] = self.simulator.xp.where(begins, value[count:], value[:-count])
        return inputs

    def records(self, environments: slice) -> Array:
        """Records ``(steps × E, r)`` of the recorded steps."""
        return _flat(self._arrays["record"][1 : self._recorded + 1, environments])

    def last_row(self, environments: slice) -> dict[str, np.ndarray]:
        """What the next rollout must know of this one, ``(E, …)`` each, on the host."""
        return {
            name: on_host(array[self._recorded, environments])
            for name, array in self._arrays.items()
        }

    def continue_from(self, row: Mapping[str, np.ndarray]) -> None:
        """Take up where a rollout of all ``N`` environments ended that gave this last row."""
        simulator = self.simulator
        self._arrays = {
            name: self._rows(simulator.xp.asarray(value, **simulator.placement))
            for name, value in row.items()
        }
        self._recorded = self.steps

    def _rows(self, value: Array) -> Array:
        """Room for all steps; before the first step the values are taken to be the same."""
        simulator = self.simulator
        shape = (self.steps + 1, *value.shape)
        array: Any = simulator.xp.empty(shape, dtype=value.dtype, **simulator.placement)
        array[:] = value
        return array


def on_host(array: Array) -> np.ndarray:
    """The values as a NumPy array; for a device's array this waits until they are there."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def _flat(array: Array) -> Array:
    """``(T, E, …)`` to ``(T × E, …)``."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])
