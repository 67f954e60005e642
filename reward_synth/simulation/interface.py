"""The one interface behind which every batched simulator stands.

``N`` environments advance together by one control step.  Environments that end are reset at
once (automatic reset); the step still reports the state that was reached before the reset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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
    """Array namespace of the values."""
    action_size: int
    observation_size: int
    control_step: float
    """Seconds of simulated time per control step."""
    variable_sizes: Mapping[str, int | None]
    """Entries of each variable: None for ``(N,)``, d for ``(N, d)``; ``action`` included."""

    def reset(self, seed: int) -> Array:
        """Start every environment anew and give observations ``(N, obs)``.

        Environment ``i``'s episode ``e`` depends on ``(seed, i, e)`` and its actions alone, so
        neither the other environments nor the thread count can change it.
        """
        ...

    def step(self, action: Array) -> Step:
        """Advance one control step; ``action (N, nu)`` is clipped to [-1, 1] and scaled to the
        actuators' control ranges."""
        ...

    def reward_inputs(self, names: Iterable[str]) -> dict[str, Array]:
        """Arguments for a reward program at the last step, by name: variables, ``action`` (as
        applied, in [-1, 1]) and ``prev_NAME`` (one control step earlier; the current value at an
        episode's first step)."""
        ...

    def close(self) -> None:
        """Release threads and memory."""
        ...
