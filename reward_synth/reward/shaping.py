"""Helper functions that turn a quantity into a score between 0 and 1.

``tolerance`` and its sigmoids are those of dm_control (Tassa et al. 2018,
``dm_control.utils.rewards``).  Every function takes the array namespace first, which a reward
program does not see.
"""

import math
from typing import Any

Array = Any

SIGMOIDS = (
    "gaussian",
    "hyperbolic",
    "long_tail",
    "reciprocal",
    "cosine",
    "linear",
    "quadratic",
    "tanh_squared",
)
REACHING_ZERO = ("cosine", "linear", "quadratic")
"""Sigmoids that fall to 0 at a finite distance, so that the value at the margin may be 0."""


def value_allowed(sigmoid: str, value_at_margin: float) -> bool:
    """Whether ``sigmoid`` can have that value at its margin."""
    lowest_allowed = sigmoid in REACHING_ZERO and value_at_margin == 0
    return lowest_allowed or 0 < 1 - value_at_margin < 1


def tolerance(
    xp: Any,
    x: Array,
    bounds: tuple[float, float] = (0.0, 0.0),
    margin: float = 0.0,
    sigmoid: str = "gaussian",
    value_at_margin: float = 0.1,
) -> Array:
    """1 where x lies within bounds, falling to value_at_margin at the distance margin from them.

    ``x`` may have any shape; the result has it too and lies in [0, 1].  With a margin of 0 it is
    1 inside and 0 outside.  Bounds may be infinite.  Raises ValueError on bounds in the wrong
    order, a negative margin, an unknown sigmoid or a value at the margin that it cannot have.
    """
    lower, upper = bounds
    if lower > upper:
        raise ValueError(f"tolerance's lower bound {lower:g} is above its upper bound {upper:g}")
    if margin < 0:
        raise ValueError(f"tolerance's margin {margin:g} is negative")
    if sigmoid not in SIGMOIDS:
        raise ValueError(f"there is no sigmoid '{sigmoid}'")
    inside = xp.logical_and(xp.greater_equal(x, lower), xp.less_equal(x, upper))
    if margin == 0:
        return xp.select(inside, 1.0, 0.0)
    if not value_allowed(sigmoid, value_at_margin):
        raise ValueError(f"value_at_margin={value_at_margin:g} is out of range for '{sigmoid}'")
    distance = xp.maximum(xp.maximum(lower - x, x - upper), 0.0) / margin
    return xp.select(inside, 1.0, fall_off(xp, distance, value_at_margin, sigmoid))


def fall_off(xp: Any, distance: Array, value_at_1: float, sigmoid: str) -> Array:
    """The sigmoid that is 1 at 0 and ``value_at_1`` at 1, for ``distance`` >= 0."""
    if sigmoid == "gaussian":
        scale = math.sqrt(-2.0 * math.log(value_at_1))
        return xp.exp(-0.5 * (distance * scale) ** 2)
    if sigmoid == "hyperbolic":
        return 1.0 / xp.cosh(distance * math.acosh(1.0 / value_at_1))
    if sigmoid == "long_tail":
        return 1.0 / ((distance * math.sqrt(1.0 / value_at_1 - 1.0)) ** 2 + 1.0)
    if sigmoid == "reciprocal":
        return 1.0 / (distance * (1.0 / value_at_1 - 1.0) + 1.0)
    if sigmoid == "cosine":
        scaled = xp.minimum(distance * (math.acos(2.0 * value_at_1 - 1.0) / math.pi), 1.0)
        return (1.0 + xp.cos(math.pi * scaled)) / 2.0
    if sigmoid == "linear":
        return 1.0 - xp.minimum(distance * (1.0 - value_at_1), 1.0)
    if sigmoid == "quadratic":
        return 1.0 - xp.minimum(distance * math.sqrt(1.0 - value_at_1), 1.0) ** 2
    return 1.0 - xp.tanh(distance * math.atanh(math.sqrt(1.0 - value_at_1))) ** 2


def smooth_step(xp: Any, x: Array, low: Array, high: Array) -> Array:
    """0 below low, 1 above high, and t * t * (3 - 2 t) with t = (x - low) / (high - low) between.

    The slope is 0 at both ends; with ``high`` below ``low`` the step goes down.
    """
    t = xp.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
