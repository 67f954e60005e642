"""The one interface behind which every batched simulator stands.

``N`` environments advance together by one control step.  Environments that end are reset at
once (automatic reset); the step still reports the state that was reached before the reset.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reward_synth.task import Array, Task


@dataclass(frozen=True)
class Step:
    """The outcome of one control step, all arrays with leading axis ``N``."""

    variables: Mapping[str, Array]
    """Every variable of the task at the state reached, before any automatic reset."""
    observation: Array
    """``(N, obs)``: what the policy sees next, after automatic resets."""
    final_observation: Array
    """``(N, obs)``: of the state reached, before automatic resets (for bootstrapping)."""
    terminated: Array
    """``(N,)`` bool."""
    truncated: Array
    """``(N,)`` bool: the episode's time ran out (never together with terminated)."""
    first: Array
    """``(N,)`` bool: this was the episode's first control step."""


class Simulator(Protocol):
    """A batch of environments of one task."""

    task: Task
    num_envs: int
    xp: Any
    """Array namespace of the values: NumPy, or array_api_compat's torch."""
    placement: Mapping[str, Any]
    """Arguments that make a new array of ``xp`` on the simulator's device: {} or {"device": …}."""
    action_size: int
    observation_size: int
    state_size: int
    """Entries of a state, as :meth:`variables_at` takes it."""
    sensor_size: int
    """Entries of a state's sensor values."""
    control_step: float
    """Seconds of simulated time per control step."""
    variable_sizes: Mapping[str, int | None]
    """Entries of each variable: None for ``(N,)``, d for ``(N, d)``; ``action`` included."""

    def reset(self, seed: int | Sequence[int]) -> Array:
        """Start every environment anew and give observations ``(N, obs)``.

        Several seeds divide the environments into as many groups of equal size, in order.
        The ``i``-th environment of a group with seed ``s`` plays episodes ``e`` = 0, 1, …;
        each depends on ``(s, i, e)`` and its actions alone, so neither the other environments
        nor the thread count can change it.
        """
        ...

    def step(self, action: Array) -> Step:
        """Advance one control step; ``action (N, nu)`` is clipped to [-1, 1] and scaled to the
        actuators' control ranges."""
        ...

    def rest(self, environments: Sequence[int]) -> None:
        """Those environments are not needed until the next reset, so they need not be stepped.

        Where they rest, nothing of them changes and no episode of theirs ends.
        """
        ...

    def reward_inputs(self, names: Iterable[str]) -> dict[str, Array]:
        """Arguments for a reward program at the last step, by name: variables, ``action`` (as
        applied, in [-1, 1]) and ``prev_NAME`` (one control step earlier; the current value at an
        episode's first step)."""
        ...

    def variables_at(self, state: Array, sensordata: Array) -> Mapping[str, Array]:
        """The task's variables on states and sensor values, ``M`` rows each."""
        ...

    def host_variables_at(
        self, state: np.ndarray, sensordata: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        """:meth:`variables_at` on NumPy arrays, in NumPy's float64."""
        ...

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """All that decides how those environments go on, as arrays with leading axis ``E``."""
        ...

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Put ``E`` environments back to where they were when a snapshot was taken."""
        ...

    def observe(self) -> Array:
        """Observations ``(N, obs)`` of the states that the next step starts from."""
        ...

    def close(self) -> None:
        """Release threads and memory."""
        ...
