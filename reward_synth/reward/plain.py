"""The functions of ``xp`` on plain numbers, which are the same for every row.

Programs call them when they run, and the check folds with them: whatever a number's value makes
wrong (a division by zero, a negative margin) is known before anything runs.  NumPy computes them in
double precision on every namespace.
"""

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

Plain = int | float | bool

PLAIN = (int, float, bool)
"""Types of plain numbers.  NumPy's own double is none: it is an entry of an array, and divides by
zero as arrays do."""


def is_plain(value: Any) -> bool:
    return type(value) in PLAIN


def of_numbers(name: str) -> Callable[..., Plain]:
    """NumPy's function of that name, from floats to a float or bool."""
    function = getattr(np, name)

    def call(*numbers: Plain) -> Plain:
        return function(*map(float, numbers)).item()

    return call


def clip(x: Plain, low: Plain | None = None, high: Plain | None = None) -> Plain:
    x = x if low is None else FUNCTIONS["maximum"](x, low)
    return x if high is None else FUNCTIONS["minimum"](x, high)


UNARY = (
    *("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh"),
    *("exp", "expm1", "floor", "log", "log10", "log1p", "log2", "negative", "positive"),
    *("reciprocal", "round", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc"),
)
PREDICATES = ("isfinite", "isinf", "isnan", "signbit")
BINARY = (
    *("add", "atan2", "copysign", "hypot", "logaddexp"),
    *("maximum", "minimum", "multiply", "subtract"),
)
DIVISIONS = ("divide", "floor_divide", "remainder")
COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
LOGICAL = ("logical_and", "logical_not", "logical_or", "logical_xor")

FUNCTIONS: Mapping[str, Callable[..., Plain]] = {
    name: of_numbers(name)
    for name in (*UNARY, *PREDICATES, *BINARY, *DIVISIONS, *COMPARISONS, *LOGICAL)
}
XP = SimpleNamespace(
    **FUNCTIONS,
    clip=clip,
    select=lambda condition, a, b: a if condition else b,
    pi=math.pi,
)
"""What helper functions find as their namespace if all their arguments are numbers."""
