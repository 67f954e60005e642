"""What an environment's action space means to a policy, and what a row of actions is to it.

A policy's continuous entries lie within [-1, 1] and are scaled to the space's bounds; an infinite
bound counts as ±1, and the entry's meaning says so.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ActionSpace
from reward_synth.simulation.interface import ActionEntry

SWITCH_ON = 0.5
"""An entry of a binary space above it is a switch that is on."""


class Actions:
    """Between rows of actions ``(N, A)`` and the environment's own actions.

    Args:
        space: of one environment.
        where: names the environment in an error.

    Raises:
        UserError: the space is none of Box (of floats), Discrete, MultiDiscrete and MultiBinary.
    """

    space: ActionSpace
    entries: tuple[ActionEntry, ...]

    def __init__(self, space: Any, where: str) -> None:
        self._shape: tuple[int, ...] = getattr(space, "shape", None) or ()
        self._dtype = getattr(space, "dtype", np.float64)
        if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
            low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
            self._low = np.where(np.isfinite(low), low, -1.0)
            self._high = np.where(np.isfinite(high), high, 1.0)
            self.space = ActionSpace("continuous", low.size)
            self.entries = tuple(
                ActionEntry(f"action[{k}]", self._range(k, not np.isfinite(low[k] + high[k])))
                for k in range(low.size)
            )
        elif isinstance(space, spaces.Discrete):
            self._start = np.array([space.start])
            self._shape = ()
            self._choose((int(space.n),))
        elif isinstance(space, spaces.MultiDiscrete):
            self._start = np.asarray(space.start).ravel()
            self._choose(tuple(int(n) for n in space.nvec.ravel()))
        elif isinstance(space, spaces.MultiBinary):
            self.space = ActionSpace("binary", int(np.prod(self._shape)))
            self.entries = tuple(
                ActionEntry(f"action[{k}]", "0 is off, 1 is on") for k in range(self.space.size)
            )
        else:
            raise UserError(
                f"{where} has the action space {' '.join(str(space).split())}; only Box of floats, "
                "Discrete, MultiDiscrete and MultiBinary can be learned"
            )

    def applied(self, action: Any) -> np.ndarray:
        """Rows as they are applied, float64: clipped to [-1, 1] (NaN counts as 0), the chosen
        option of each block 1, switches 0 or 1."""
        rows = np.array(action, np.float64)
        if self.space.kind == "continuous":
            np.clip(rows, -1.0, 1.0, out=rows)
            return np.nan_to_num(rows, copy=False, nan=0.0)
        if self.space.kind == "binary":
            return (rows > SWITCH_ON).astype(np.float64)
        return self.space.one_hot(self.space.indices(np.nan_to_num(rows, nan=0.0)))

    def native(self, applied: np.ndarray) -> np.ndarray:
        """The environment's own actions ``(N, …)`` of applied rows."""
        if self.space.kind == "continuous":
            values = self._low + (applied + 1.0) * (0.5 * (self._high - self._low))
            # Rounding must not leave the bounds, which some environments check.
            values = np.clip(values, self._low, self._high)
        elif self.space.kind == "binary":
            values = applied
        else:
            values = self.space.indices(applied) + self._start
        return values.reshape(len(applied), *self._shape).astype(self._dtype)

    def _range(self, k: int, unbounded: bool) -> str:
        low, high = f"{self._low[k]:g}", f"{self._high[k]:g}"
        said = f"-1 is {low}, 1 is {high}"
        return f"{said} (the environment's own range is unbounded)" if unbounded else said

    def _choose(self, choices: tuple[int, ...]) -> None:
        self.space = ActionSpace("discrete", sum(choices), choices)
        self.entries = tuple(
            ActionEntry(
                f"action[{option}]" if len(choices) == 1 else f"action[{choice}][{option}]",
                f"1 chooses option {option + int(self._start[choice])}",
            )
            for choice, count in enumerate(choices)
            for option in range(count)
        )
