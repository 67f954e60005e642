"""What is known of a value while a program is translated.

The reward language's own :mod:`~reward_synth.reward.values` say what a translated expression is;
beside them stand the things that other libraries have and the language has not.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reward_synth.reward.expressions import COMPARISONS, Environment
from reward_synth.reward.finding import Refused
from reward_synth.reward.inference import Inference
from reward_synth.reward.source import Lines
from reward_synth.reward.values import ROWS, UNKNOWN, Array, Number, Shape


@dataclass(frozen=True)
class Rows:
    """The number of rows of the batch, as ``x.shape[0]``; ``like`` is an array ``(N,)``."""

    like: ast.expr


@dataclass(frozen=True)
class ShapeOf:
    """``x.shape`` of an array."""

    node: ast.expr
    shape: Shape


@dataclass(frozen=True)
class Placement:
    """A dtype or a device; ``kind`` is float, int, bool or device."""

    kind: str


@dataclass(frozen=True)
class Extremum:
    """What ``torch.max(x, dim=-1)`` gives: values and indices; the node is of the values."""


@dataclass(frozen=True)
class Stacked:
    """Arrays ``(N,)`` stacked along a new first axis, which only a reduction makes sense of."""

    items: tuple[ast.expr, ...]


Kind = Any
"""A value of the reward language, or one of the classes above."""


@dataclass
class Shapes(Inference):
    """Gives translated expressions their values, each once, and reports nothing.

    What is wrong with a translated program is said by the check of its text.
    """

    kept: dict[int, tuple[ast.AST, Kind]] = field(default_factory=dict)

    @classmethod
    def of(cls, variables: Mapping[str, int | None]) -> "Shapes":
        return cls(variables, Lines(""), set())

    def keep(self, node: ast.expr, kind: Kind) -> ast.expr:
        self.kept[id(node)] = node, kind
        return node

    def evaluate(self, node: ast.expr, environment: Environment) -> Kind:
        if id(node) not in self.kept:
            value = UNKNOWN if out_of_language(node) else super().evaluate(node, environment)
            self.kept[id(node)] = node, value
        return self.kept[id(node)][1]

    def report(self, refusal: Refused) -> None:
        pass

    def spend(self, node: ast.AST, operations: int = 1) -> None:
        pass

    def look(self, node: ast.AST, expressions: int = 1) -> None:
        pass

    def make(self, node: ast.AST, shape: Shape, arrays: int = 1) -> None:
        pass


def out_of_language(node: ast.expr) -> bool:
    """Forms that the language's inference never meets: its grammar refuses them first."""
    match node:
        case ast.Dict():
            return not all(
                isinstance(k, ast.Constant) and isinstance(k.value, str) for k in node.keys
            )
        case ast.Compare():
            return len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS
        case ast.BinOp(op=ast.MatMult() | ast.BitXor() | ast.LShift() | ast.RShift()):
            return True
        case ast.Call():
            return any(k.arg is None for k in node.keywords)
    return False


def is_array(kind: Kind) -> bool:
    return isinstance(kind, Array)


def is_condition(kind: Kind) -> bool:
    return isinstance(kind, Array) and kind.boolean


def is_numeric(kind: Kind) -> bool:
    return isinstance(kind, Array | Number)


def is_column(kind: Kind) -> bool:
    """One value per row: ``(N,)``."""
    return isinstance(kind, Array) and kind.shape == (ROWS,)


def is_vectors(kind: Kind) -> bool:
    """One vector per row: ``(N, d)``."""
    return isinstance(kind, Array) and len(kind.shape) == 2 and kind.shape[0] == ROWS
