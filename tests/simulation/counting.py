"""A Gymnasium environment that counts, so that each number says which step of which episode it is.

Importing it registers ``Counting-v0``, and the same behind vector entry points of each kind of
automatic reset, and environments that go wrong.
"""

import time
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

LENGTH = 4
"""Steps after which an episode whose first number is even terminates."""


class Counting(gymnasium.Env[np.ndarray, Any]):
    """Observes (a number drawn at the episode's start, steps so far, last action).

    Its reward is the number of steps so far.  With an even first number, it terminates after
    ``LENGTH`` steps; with an odd one, never.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - Gymnasium's
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float64)
    action_space = gymnasium.spaces.Box(-2.0, 6.0, (1,), np.float64)

    def __init__(self, fault: str = "", at: int = 2, render_mode: str | None = None) -> None:
        self.fault, self.at, self.render_mode = fault, at, render_mode
        self.resets = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.first = float(self.np_random.integers(0, 1000))
        self.count = 0
        self.resets += 1
        return np.array([self.first, 0.0, 0.0]), {"only_at_reset": 1}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.count += 1
        if self.count == self.at:
            if self.fault == "raise":
                raise RuntimeError("the arm fell\noff")
            if self.fault == "hang":
                time.sleep(3600)
        late = self.count >= self.at
        observation = np.array([self.first, self.count, float(np.ravel(action)[0])])
        if self.fault == "nan" and late:
            observation[1] = np.nan
        if self.fault == "shape" and late:
            observation = observation[:2]
        terminated = self.count >= LENGTH and self.first % 2 == 0
        info: dict[str, Any] = {"steps": self.count, "deep": {"squared": self.count**2}}
        if self.fault == "info" and late:
            info = {}
        return observation, float(self.count), terminated, self.fault == "early" and late, info

    def render(self) -> np.ndarray:
        return np.full((90, 160, 3), 10 * self.count, np.uint8)


def counting_vector(mode: AutoresetMode, num_envs: int, **arguments: Any) -> VectorEnv:
    return SyncVectorEnv([partial(Counting, **arguments)] * num_envs, autoreset_mode=mode)


class Image(Counting):
    observation_space = gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8)  # pyright: ignore[reportAssignmentType]


class Many(Counting):
    """Dict and Tuple observations, and an action of several choices."""

    observation_space = gymnasium.spaces.Dict(  # pyright: ignore[reportAssignmentType]
        {
            "arm": gymnasium.spaces.Dict({"angle": gymnasium.spaces.Box(-9, 9, (2,))}),
            "pair": gymnasium.spaces.Tuple(
                (gymnasium.spaces.Discrete(9), gymnasium.spaces.Box(-9, 9, (2, 2)))
            ),
        }
    )
    action_space = gymnasium.spaces.MultiDiscrete([2, 3], start=[0, 5])  # pyright: ignore[reportAssignmentType]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._observed([0, 0]), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        super().step(action)
        return self._observed(action), 0.0, False, False, {}

    def _observed(self, action: Any) -> dict[str, Any]:
        angle = np.array(action, np.float32)
        box = np.array([[1.0, 2.0], [3.0, self.count]], np.float32)
        return {"arm": {"angle": angle}, "pair": (self.count, box)}


def register() -> None:
    """Register the environments once."""
    if "Counting-v0" in gymnasium.registry:
        return
    made: dict[str, Any] = {"": Counting, "Image": Image, "Many": Many}
    for name, entry_point in made.items():
        gymnasium.register(f"Counting{name}-v0", entry_point)
    for mode in AutoresetMode:
        name = f"Counting{mode.value}-v0"
        gymnasium.register(name, vector_entry_point=partial(counting_vector, mode))


register()
