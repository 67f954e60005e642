"""What is known of a value before any program runs: a number, or an array's shape.

The language is small enough that the shape of every expression follows from the sizes of the
variables.  ``N``, the rows of the batch, can only be an array's first axis; whatever would
mix rows, or move them to another axis, has no shape here and is refused.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

ROWS = "N"
"""The batch axis, whose length is not known."""
MOST_AXES = 4
MOST_ENTRIES = 4096
"""Entries of an array per row."""

Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class Number:
    """A Python number, the same for every row: whatever computes it is known to the check."""

    value: int | float | bool
    constants: frozenset[str] = frozenset()
    """Tunable constants that it was computed from."""
    boolean: bool = False


@dataclass(frozen=True)
class Array:
    """An array of floats, or of booleans."""

    shape: Shape
    boolean: bool = False

    @property
    def batched(self) -> bool:
        return self.shape[:1] == (ROWS,)


@dataclass(frozen=True)
class Sequence:
    """A tuple or a list written out."""

    items: tuple["Value", ...]


@dataclass(frozen=True)
class Table:
    """A dict written out, with string keys."""

    entries: Mapping[str, "Value"]
    nodes: Mapping[str, ast.expr]
    """Where each entry is written."""


@dataclass(frozen=True)
class Text:
    """A string literal: a component's name or a sigmoid's."""

    value: str


@dataclass(frozen=True)
class Nothing:
    """``None``."""


@dataclass(frozen=True)
class Unknown:
    """The value of something refused: nothing more is said about it."""


Value = Number | Array | Sequence | Table | Text | Nothing | Unknown

UNKNOWN = Unknown()


class ShapeError(ValueError):
    """Two shapes that do not go together: what, and what to write instead."""

    def __init__(self, message: str, instead: str) -> None:
        super().__init__(message)
        self.message = message
        self.instead = instead


def spell(shape: Shape) -> str:
    """``(N, 3)`` as Python writes it."""
    inner = ", ".join(str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def describe(value: Value) -> str:
    """A value in words, for messages."""
    match value:
        case Number(boolean=True):
            return "True or False"
        case Number():
            return "a number"
        case Array(boolean=True):
            return f"a condition of shape {spell(value.shape)}"
        case Array():
            return f"an array of shape {spell(value.shape)}"
        case Sequence():
            return f"a tuple or list of {len(value.items)}"
        case Table():
            return "a dict"
        case Text():
            return "a string"
        case Nothing():
            return "None"
        case _:
            return "unknown"


def broadcast(*shapes: Shape) -> Shape:
    """The shape that ``shapes`` have together; raises ShapeError where rows would mix."""
    result: Shape = ()
    for shape in shapes:
        result = broadcast_two(result, shape)
    return result


def broadcast_two(first: Shape, second: Shape) -> Shape:
    rank = max(len(first), len(second))
    result: list[int | str] = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in (first, second) if len(shape) >= -axis}
        sizes = (sizes - {1}) or {1}
        if len(sizes) > 1:
            raise mismatch(first, second)
        result.extend(sizes)
    if ROWS in result[1:]:
        raise mismatch(first, second)
    return check_size(tuple(result))


def mismatch(first: Shape, second: Shape) -> ShapeError:
    message = f"the shapes {spell(first)} and {spell(second)} do not go together"
    batched = [shape for shape in (first, second) if shape[:1] == (ROWS,)]
    if len(batched) == 2 and len(first) != len(second):
        instead = (
            "reduce the wider one (xp.sum(..., axis=-1)) or pick an entry ([:, 0]); "
            "to spread the (N,) one over all entries write it as x[:, None]"
        )
    elif len(batched) == 1 and batched[0] == (ROWS,):
        instead = "a (N,) array goes with numbers and (N,) arrays; for entries write x[:, None]"
    else:
        instead = "pick entries ([:, 0]) or reduce (xp.sum(..., axis=-1)) until they agree"
    return ShapeError(message, instead)


def check_size(shape: Shape) -> Shape:
    """``shape`` itself; raises ShapeError where it is too large."""
    entries = 1
    for size in shape:
        entries *= size if isinstance(size, int) else 1
    if len(shape) > MOST_AXES or entries > MOST_ENTRIES:
        message = f"an array of shape {spell(shape)} is too large"
        instead = f"keep to {MOST_AXES} axes and {MOST_ENTRIES:,} entries per row"
        raise ShapeError(message, instead)
    return shape
