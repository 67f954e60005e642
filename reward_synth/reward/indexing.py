"""The shape of ``x[...]``: what an index may do to an array whose first axis is the batch."""

import ast
from typing import TYPE_CHECKING

from reward_synth.reward.values import (
    ROWS,
    Array,
    Nothing,
    Shape,
    ShapeError,
    Unknown,
    check_size,
    spell,
)

if TYPE_CHECKING:
    from reward_synth.reward.expressions import Environment, Expressions

ROWS_ADVICE = "write x[:, 0] for the first entry of every row"


def index_shape(
    expressions: "Expressions", node: ast.Subscript, shape: Shape, environment: "Environment"
) -> Shape:
    """The shape of an array of ``shape`` after the subscript ``node``; raises ShapeError."""
    index = node.slice
    parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    kinds = [kind_of(expressions, part, environment) for part in parts]
    consumed = sum(kind in ("slice", "integer") for kind in kinds)
    if kinds.count("ellipsis") > 1:
        raise ShapeError("'...' stands twice in one index", "write it once")
    if consumed > len(shape):
        message = f"{consumed} indices for an array of shape {spell(shape)}"
        instead = (
            "leave the index out: there is one number per row"
            if shape == (ROWS,)
            else ("write one index for each axis")
        )
        raise ShapeError(message, instead)
    if "ellipsis" not in kinds:
        kinds.append("ellipsis")
        parts.append(index)
    result: list[int | str] = []
    axis = 0
    for kind, part in zip(kinds, parts, strict=True):
        if kind == "new":
            result.append(1)
        elif kind == "ellipsis":
            kept = len(shape) - consumed
            result.extend(shape[axis : axis + kept])
            axis += kept
        elif kind == "slice":
            assert isinstance(part, ast.Slice)
            result.append(slice_size(expressions, part, shape[axis], environment))
            axis += 1
        else:
            check_entry(expressions, part, shape, axis, environment)
            axis += 1
    if ROWS in result[1:]:
        raise ShapeError("a new first axis puts the batch second", "write x[:, None]")
    return check_size(tuple(result))


def kind_of(expressions: "Expressions", part: ast.expr, environment: "Environment") -> str:
    if isinstance(part, ast.Slice):
        return "slice"
    if isinstance(part, ast.Constant) and part.value is Ellipsis:
        return "ellipsis"
    if isinstance(part, ast.Constant) and part.value is None:
        return "new"
    if isinstance(part, ast.Attribute):
        value = expressions.evaluate(part, environment)
        return "new" if isinstance(value, Nothing) else "integer"
    return "integer"


def slice_size(
    expressions: "Expressions", part: ast.Slice, size: int | str, environment: "Environment"
) -> int | str:
    bounds = [
        None if bound is None else expressions.integer(bound, environment)
        for bound in (part.lower, part.upper, part.step)
    ]
    if size == ROWS or isinstance(size, str):
        if bounds != [None, None, None]:
            raise ShapeError("the index picks rows of the batch", ROWS_ADVICE)
        return size
    step = bounds[2]
    if step is not None and step <= 0:
        raise ShapeError(f"the step {step} of the slice is not positive", "write x[..., i]")
    length = len(range(*slice(*bounds).indices(size)))
    if length == 0:
        raise ShapeError(f"the slice of {size} entries is empty", f"count from 0 to {size}")
    return length


def check_entry(
    expressions: "Expressions",
    part: ast.expr,
    shape: Shape,
    axis: int,
    environment: "Environment",
) -> None:
    """An index that picks one entry along ``axis``."""
    size = shape[axis]
    value = expressions.evaluate(part, environment)
    if isinstance(value, Array) and value.boolean:
        raise ShapeError("a condition cannot be an index", "write xp.where(condition, x, 0.0)")
    if not isinstance(size, int):
        if isinstance(value, Unknown):
            return
        message = "the index picks one row of the batch"
        instead = ROWS_ADVICE
        if shape == (ROWS,):
            instead = "leave the index out: there is one number per row"
        raise ShapeError(message, instead)
    entry = expressions.integer(part, environment)
    if not -size <= entry < size:
        message = f"the index {entry} is out of range for {size} entries"
        instead = "leave it out or write 0" if size == 1 else f"write 0 to {size - 1}"
        raise ShapeError(message, instead)
