"""A number for a whole episode, from a reward program that measures each of its steps.

The rows of the program are the control steps of one episode.  What it gives for them, its
components, is reduced over the episode in one of a few ways, and the results are added up.  The
program is checked and run as every reward program: it reaches nothing but its arguments.  So a
fitness that a language model wrote can be run without trust in it.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol, get_args

import numpy as np

from reward_synth.errors import UserError
from reward_synth.reward.compiled import CompiledReward
from reward_synth.reward.names import ENTRY, PREVIOUS
from reward_synth.reward.program import parse
from reward_synth.reward.source import read_tree

Over = Literal["mean", "last", "max", "min"]
"""How the values of the steps become one number.

``mean`` divides their sum by the steps of a full episode: those that are missing after an early end
count as much as the worst of the steps, and never as more than 0, so that an early end does not
pay.  ``last`` is the value of the last step, ``max`` and ``min`` are the largest and the smallest.
"""
WAYS: tuple[str, ...] = get_args(Over)
ACTION = "action"
ROWS_AT_ONCE = 256
"""Steps that are computed together: a program's memory is limited for each row."""

Sizes = dict[str, int | None]


class Steps(Protocol):
    """An episode: arrays ``(T,)`` or ``(T, d)`` by the name of the variable."""

    @property
    def variables(self) -> Mapping[str, np.ndarray]: ...
    @property
    def action(self) -> np.ndarray: ...


@dataclass(frozen=True)
class EpisodeMeasure:
    """A measure of episodes.

    Args:
        program: a reward program; it may read any variable of the task.
        over: how each of its components is reduced over the episode, by name.
        written_by: the language model that wrote the program; empty where a person did.

    Raises:
        UserError: the program is no Python, or there is no such reduction.
    """

    program: str
    over: Mapping[str, Over]
    written_by: str = ""
    _compiled: dict[tuple[tuple[str, int | None], ...], CompiledReward] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        _, findings = read_tree(self.program)
        if findings:
            raise UserError(f"the program of a measure: {findings[0]}")
        for name, way in self.over.items():
            if way not in WAYS:
                raise UserError(
                    f"a measure reduces {name!r} by {way!r}; choose one of {', '.join(WAYS)}"
                )

    def __call__(self, episode: Steps, full_steps: int) -> float:
        """The measure of an episode; a full one has ``full_steps`` steps.

        Raises RewardError where the program is not in the reward language, reads what is no
        variable, or fails, and ValueError where ``over`` does not name its components.
        """
        components = self.components(episode)
        if components.keys() != self.over.keys():
            raise ValueError(
                f"the program's components are {', '.join(components)}, and over names "
                f"{', '.join(self.over) or 'none'}; name each of them"
            )
        return float(
            sum(reduced(components[name], way, full_steps) for name, way in self.over.items())
        )

    def components(self, episode: Steps) -> dict[str, np.ndarray]:
        """What the program gives for each step, ``(T,)`` by name.  Raises RewardError."""
        values: dict[str, np.ndarray] = {ACTION: episode.action}
        for name in self._arguments:
            plain = name if name in episode.variables else name.removeprefix(PREVIOUS)
            if plain in episode.variables:
                values[plain] = np.asarray(episode.variables[plain])
        compiled = self._compile(
            {name: None if value.ndim == 1 else value.shape[1] for name, value in values.items()}
        )
        columns = {name: column(values, name) for name in compiled.sizes}
        parts: list[dict[str, np.ndarray]] = []
        for begin in range(0, len(episode.action), ROWS_AT_ONCE):
            rows = slice(begin, begin + ROWS_AT_ONCE)
            parts.append(compiled(**{name: value[rows] for name, value in columns.items()})[1])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @cached_property
    def _arguments(self) -> tuple[str, ...]:
        """As they are written; () where there are none that can be read."""
        tree, _ = read_tree(self.program)
        return tuple(
            argument.arg
            for node in (tree.body if tree is not None else [])
            if isinstance(node, ast.FunctionDef) and node.name == ENTRY
            for argument in node.args.args
        )

    def _compile(self, sizes: Sizes) -> CompiledReward:
        key = tuple(sizes.items())
        if key not in self._compiled:
            self._compiled[key] = parse(self.program, sizes).compile()
        return self._compiled[key]


def column(values: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """The values of an argument; of ``prev_NAME`` one step later, and at first its own."""
    if name in values:
        return values[name]
    value = values[name.removeprefix(PREVIOUS)]
    return np.concatenate([value[:1], value[:-1]])


def reduced(values: np.ndarray, way: Over, full_steps: int) -> float:
    """One number of a component's values ``(T,)``."""
    if way == "last":
        return float(values[-1])
    if way == "max":
        return float(values.max())
    if way == "min":
        return float(values.min())
    missing = max(0, full_steps - len(values))
    return float(values.sum() + missing * min(0.0, float(values.min()))) / max(full_steps, 1)
