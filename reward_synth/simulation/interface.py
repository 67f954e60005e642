"""The one interface behind which every batched simulator stands.

``N`` environments advance together by one control step.  Environments that end are reset at
once (automatic reset); the step still reports the state that was reached before the reset.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from reward_synth.simulation.actions import ActionSpace
from reward_synth.task import Array, Task


@dataclass(frozen=True)
class Step:
    """The outcome of one control step, all arrays with leading axis ``N``."""

    record: Array
    """``(N, r)``: what the step leaves behind, before any automatic reset; the simulator's
    :meth:`Simulator.variables_at` computes the task's variables from it."""
    variables: Mapping[str, Array]
    """Every variable of the task, and ``action`` as applied, from the record."""
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
    critic_observation: Array | None = None
    """``(N, c)``: what the value function sees next, of a task with a ``critic_observation``."""
    final_critic_observation: Array | None = None
    """``(N, c)``: of the state reached, before automatic resets."""


@dataclass(frozen=True)
class Capabilities:
    """What a simulator can do beyond stepping; who needs one of these asks here."""

    snapshots: bool
    """Whether environments can be put back to where they were.  Those of others mostly cannot: they
    are reset where a training is cut."""
    devices: tuple[str, ...]
    """Kinds of devices that it runs on: ``cpu``, ``cuda``."""
    video: Literal["mujoco", "environment", "none"]
    """How an episode is filmed: from MuJoCo's poses, by the environment's own renderer, not at all.
    """
    native_reward: bool = False
    """Whether the environment has a reward of its own."""


@dataclass(frozen=True)
class ActionEntry:
    """What one entry of an action means."""

    name: str
    """Of the actuator, or of the option."""
    meaning: str
    """What -1 and 1 (or choosing it) do, with the unit."""


class Simulator(Protocol):
    """A batch of environments of one task."""

    task: Task
    num_envs: int
    xp: Any
    """Array namespace of the values: NumPy, or array_api_compat's torch."""
    placement: Mapping[str, Any]
    """Arguments that make a new array of ``xp`` on the simulator's device: {} or {"device": …}."""
    capabilities: Capabilities
    action_space: ActionSpace
    action_entries: tuple[ActionEntry, ...]
    """What each entry of an action means, in order."""
    action_size: int
    """Entries of an action: those of the action space."""
    observation_size: int
    critic_observation_size: int
    """Entries of what the value function sees; 0 where that is the policy's observation."""
    record_size: int
    """Entries ``r`` of a record."""
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
        """Advance one control step; ``action (N, A)`` is a row of the action space for each
        environment.  Continuous entries are clipped to [-1, 1]; of discrete ones the largest of
        each block counts, and switches are on above 0.5."""
        ...

    def rest(self, environments: Sequence[int]) -> None:
        """Those environments are not needed until the next reset, so they need not be stepped.

        Where they rest, nothing of them changes and no episode of theirs ends.
        """
        ...

    def reward_inputs(self, names: Iterable[str]) -> dict[str, Array]:
        """Arguments for a reward program at the last step, by name: variables, ``action`` (as
        applied) and ``prev_NAME`` (one control step earlier; the current value at an episode's
        first step)."""
        ...

    def variables_at(self, record: Array) -> Mapping[str, Array]:
        """The task's variables, and ``action``, of records ``(M, r)``."""
        ...

    def host_variables_at(self, record: np.ndarray) -> Mapping[str, np.ndarray]:
        """:meth:`variables_at` on NumPy arrays, in NumPy's float64."""
        ...

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """All that decides how those environments go on, as arrays with leading axis ``E``.

        Only where ``capabilities.snapshots``."""
        ...

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Put ``E`` environments back to where they were when a snapshot was taken.

        Only where ``capabilities.snapshots``."""
        ...

    def observe(self) -> Array:
        """Observations ``(N, obs)`` of the states that the next step starts from."""
        ...

    def critic_observe(self) -> Array | None:
        """What the value function sees of those states, ``(N, c)``; None without a
        ``critic_observation``."""
        ...

    def close(self) -> None:
        """Release threads and memory."""
        ...
