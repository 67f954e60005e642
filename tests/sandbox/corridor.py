"""A small world with discrete actions, in NumPy: walk along a corridor to its end."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from reward_synth.simulation.actions import ACTION, ActionSpace
from reward_synth.simulation.interface import Capabilities, Step

LENGTH = 6
STEPS = 20


class Corridor:
    """Each step goes one place back, stays, or goes one place on; the place is what is seen.

    With ``switches`` the action is binary: the first switch goes on, the second goes back.
    Where a ``critic`` is wanted, it sees the place squared as well.
    """

    num_envs: int
    xp: Any = np
    capabilities = Capabilities(snapshots=False, devices=("cpu",), video="none")
    observation_size = 1
    control_step = 1.0

    def __init__(self, num_envs: int, *, switches: bool = False, critic: bool = False) -> None:
        self.num_envs = num_envs
        self.action_space = (
            ActionSpace("binary", 2) if switches else ActionSpace("discrete", 3, (3,))
        )
        self.action_size = self.action_space.size
        self.critic_observation_size = 2 if critic else 0
        self.place = np.zeros(num_envs)
        self.elapsed = np.zeros(num_envs, int)

    def reset(self, seed: int | Sequence[int] = 0) -> np.ndarray:
        self.place[:] = 0.0
        self.elapsed[:] = 0
        return self.observe()

    def observe(self) -> np.ndarray:
        return self.place[:, None].copy()

    def critic_observe(self) -> np.ndarray | None:
        if not self.critic_observation_size:
            return None
        return np.stack((self.place, self.place**2), axis=1)

    def step(self, action: np.ndarray) -> Step:
        if self.action_space.kind == "binary":
            move = action[:, 0] - action[:, 1]
        else:
            move = self.action_space.indices(action)[:, 0] - 1.0
        first = self.elapsed == 0
        self.place = np.clip(self.place + move, 0.0, LENGTH)
        self.elapsed += 1
        reached, final_critic = self.observe(), self.critic_observe()
        truncated = self.elapsed >= STEPS
        self.place = np.where(truncated, 0.0, self.place)
        self.elapsed = np.where(truncated, 0, self.elapsed)
        variables = {"place": reached[:, 0], ACTION: action}
        record = np.concatenate((reached, action), axis=1)
        nobody = np.zeros(self.num_envs, bool)
        return Step(
            record, variables, self.observe(), reached, nobody, truncated, first,
            self.critic_observe(), final_critic,
        )  # fmt: skip

    def rest(self, environments: Sequence[int]) -> None: ...

    def reward_inputs(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def close(self) -> None: ...
