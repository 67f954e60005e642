"""What a policy and its value function see of records: noise, history, and a critic's own view.

Noise is uniform and depends on ``(seed, index, episode, control step, entry)`` alone, so that an
environment sees the same whatever its neighbours are; it is on what the policy sees, not on
variables.  Neither noise nor history is on what the value function sees.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.hashing import uniform
from reward_synth.simulation.observation import Observation
from reward_synth.simulation.variables import HOST, Entries, Variables
from reward_synth.task import Array, Task
from reward_synth.task.validation import nearest

Moment = tuple[Array, Array, Array, Array]
"""Seed, index, episode and control step of environments, ``(M,)`` int64 each."""


class Sight:
    """Observations of a task, on arrays of one namespace.

    Args:
        task: whose observation, noise, history and critic observation these are.
        entries: where variables lie in a record.
        offsets: where each of their arrays begins.
        sizes: entries of each variable.
        xp: array namespace.
        placement: arguments that make a new array of it on the simulator's device.

    Raises:
        UserError: history, noise or critic observation are wrong.
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
        where = task.folder / "task.py"
        if task.history < 1:
            raise UserError(f"{where}: history is {task.history}; give control steps, at least 1")

        def assembled(names: Sequence[str]) -> Observation:
            wanted = dataclasses.replace(task, observation=tuple(names))
            return Observation(wanted, entries, offsets, sizes, xp, placement)

        self._now = assembled(task.observation)
        self._critic = assembled(task.critic_observation) if task.critic_observation else None
        self._xp = xp
        self.history = task.history
        self.size = self._now.size * task.history
        self.critic_size = 0 if self._critic is None else self._critic.size
        self._noise: Array | None = None
        if task.observation_noise:
            widths: list[float] = []
            for name in task.observation_noise:
                if name not in task.observation:
                    raise UserError(
                        f"{where}: observation_noise is on {name!r}, which is not in the "
                        f"observation{nearest(name, task.observation)}"
                    )
            for name in task.observation:
                width = float(task.observation_noise.get(name, 0.0))
                if not 0.0 <= width < np.inf:
                    raise UserError(f"{where}: observation_noise of {name!r} is {width}")
                widths += [width] * (sizes[name] or 1)
            dtype = xp.float64 if xp is np else xp.float32
            self._noise = xp.asarray(widths, dtype=dtype, **placement)
            self._columns = xp.arange(len(widths), **placement)[None, :]

    @property
    def plain(self) -> bool:
        """Whether an observation follows from the present record alone, without noise."""
        return self.history == 1 and self._noise is None

    def begin(self, variables: Variables, moment: Moment) -> Array:
        """Observations ``(M, size)`` at episodes' starts, as if it had always been so."""
        now = self._seen(variables, moment)
        return now if self.history == 1 else self._xp.concat([now] * self.history, axis=1)

    def follow(self, before: Array, variables: Variables, moment: Moment) -> Array:
        """Observations ``(M, size)`` one step after those of ``before``, the oldest first."""
        now = self._seen(variables, moment)
        if self.history == 1:
            return now
        return self._xp.concat((before[:, self._now.size :], now), axis=1)

    def critic(self, variables: Variables) -> Array | None:
        """What the value function sees, ``(M, critic_size)``; None where that is what the policy
        sees."""
        return None if self._critic is None else self._critic(variables)

    def _seen(self, variables: Variables, moment: Moment) -> Array:
        now = self._now(variables)
        if self._noise is None:
            return now
        key = [part[:, None] for part in moment]
        return now + self._noise * (2.0 * uniform(*key, self._columns) - 1.0)
