"""Action spaces: what a row of an action array means, whatever the simulator.

A row ``(A,)`` holds, for a *continuous* space, numbers within [-1, 1]; for a *discrete* one, one
block of entries for each choice that is made at once, in which the chosen option is 1 and the
others are 0 (Gymnasium's ``Discrete`` is one block, ``MultiDiscrete`` several); for a *binary* one
(``MultiBinary``) a 0 or 1 for each switch.  A policy network has as many outputs as a row has
entries: means, logits, or logits of each switch.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

ACTION = "action"
"""The name under which the action, as applied, stands among a task's variables."""

Kind = Literal["continuous", "discrete", "binary"]


@dataclass(frozen=True)
class ActionSpace:
    """The kind of an action and its size.

    Args:
        kind: continuous, discrete or binary.
        size: entries ``A`` of a row.
        choices: of a discrete space the options of each choice, which sum to ``size``.
    """

    kind: Kind
    size: int
    choices: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 1 or (self.kind == "discrete") != bool(self.choices):
            raise ValueError(f"no action space: {self}")
        if self.choices and (sum(self.choices) != self.size or min(self.choices) < 1):
            raise ValueError(f"choices {self.choices} do not make up {self.size} entries")

    @property
    def blocks(self) -> list[slice]:
        """Where each choice of a discrete space lies in a row."""
        ends = itertools.accumulate(self.choices)
        return [slice(end - count, end) for count, end in zip(self.choices, ends, strict=True)]

    def likeliest(self, outputs: np.ndarray) -> np.ndarray:
        """The action ``(N, A)`` of a deterministic policy, from its network's outputs ``(N, A)``:
        means clipped to [-1, 1], the option with the largest logit, a switch where it is > 0.

        Outputs that are NaN count as 0.
        """
        outputs = np.nan_to_num(outputs, nan=0.0)
        if self.kind == "continuous":
            return np.clip(outputs, -1.0, 1.0)
        if self.kind == "binary":
            return (outputs > 0).astype(outputs.dtype)
        return self.one_hot(self.indices(outputs), outputs.dtype)

    def indices(self, rows: np.ndarray) -> np.ndarray:
        """``(N, choices)``: the option chosen in each block of discrete rows ``(N, A)``."""
        return np.stack([rows[:, block].argmax(axis=1) for block in self.blocks], axis=1)

    def one_hot(self, indices: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """Discrete rows ``(N, A)`` of options ``(N, choices)``."""
        return np.concatenate(
            [
                np.eye(count, dtype=dtype)[indices[:, column]]
                for column, count in enumerate(self.choices)
            ],
            axis=1,
        )

    def random(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """``(count, A)`` uniformly random actions."""
        if self.kind == "continuous":
            return rng.uniform(-1.0, 1.0, (count, self.size))
        if self.kind == "binary":
            return rng.integers(0, 2, (count, self.size)).astype(np.float64)
        options = [rng.integers(0, choice, count) for choice in self.choices]
        return self.one_hot(np.stack(options, axis=1))
