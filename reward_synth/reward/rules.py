"""What each function of the language gives: the shape that follows from its arguments' shapes.

A rule reads the arguments of one call and gives the value's description, or refuses.  Rules
are where rows are kept apart: no axis of a result may mix two of them.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from reward_synth.reward import plain, shaping
from reward_synth.reward.plain import Plain
from reward_synth.reward.values import (
    ROWS,
    Array,
    Nothing,
    Number,
    Shape,
    Text,
    Value,
    broadcast,
    check_size,
    describe,
    spell,
)

LARGEST_EXPONENT = 10
LARGEST_RESULT = 1e15
"""Of arithmetic on numbers, unless it is infinite: arrays in single precision hold it."""
SMALLEST_DIVISOR = 1e-30


class Call(Protocol):
    """One call under check, as its rule sees it."""

    @property
    def name(self) -> str: ...
    def given(self, name: str) -> bool: ...
    def value(self, name: str) -> Value: ...
    def numeric(self, name: str) -> Number | Array:
        """A number or an array; a condition among them will count as 0 and 1."""
        ...

    def condition(self, name: str) -> Number | Array: ...
    def items(self, name: str) -> list[Number | Array]:
        """Of a tuple written out, each numeric."""
        ...

    def integer(self, name: str) -> int:
        """A whole number that is known now."""
        ...

    def known(self, name: str) -> float:
        """The value of a number."""
        ...

    def refuse(self, code: str, message: str, instead: str, at: str | None = None) -> NoReturn: ...


Rule = Callable[[Call], Value]


@dataclass(frozen=True)
class Function:
    """How a function is called and what it gives."""

    parameters: tuple[str, ...]
    required: int
    rule: Rule


def spread(
    call: Call, values: list[Number | Array], plain: Callable[..., Plain], boolean: bool = False
) -> Value:
    """What ``plain`` gives for numbers; with an array among them, an array of their shape."""
    numbers = [value for value in values if isinstance(value, Number)]
    if len(numbers) < len(values):
        return Array(common_shape(values), boolean)
    try:
        result = plain(*(number.value for number in numbers))
    except (ValueError, ArithmeticError):
        result = None
    if not isinstance(result, int | float):
        message = f"{call.name} of these numbers is not a real number"
        call.refuse("number", message, "write other ones")
    if LARGEST_RESULT < abs(result) < math.inf:
        call.refuse("number", "the number is too large", "write a smaller one")
    sources = frozenset[str]().union(*(number.constants for number in numbers))
    return Number(result, sources, boolean)


def common_shape(values: list[Number | Array]) -> Shape:
    return broadcast(*(value.shape if isinstance(value, Array) else () for value in values))


def of(*names: str, plain: Callable[..., Plain], boolean: bool = False) -> Function:
    """A function of each entry; of numbers, what ``plain`` gives."""

    def rule(call: Call) -> Value:
        return spread(call, [call.numeric(name) for name in names], plain, boolean)

    return Function(names, len(names), rule)


def logical(*names: str, plain: Callable[..., Plain]) -> Function:
    def rule(call: Call) -> Value:
        return spread(call, [call.condition(name) for name in names], plain, boolean=True)

    return Function(names, len(names), rule)


def batched_axis(call: Call, shape: Shape, name: str = "axis") -> int:
    """The axis given, from 0; refused where it is missing, out of range, or the batch's."""
    rows = shape[:1] == (ROWS,)
    if not call.given(name) or isinstance(call.value(name), Nothing):
        if not rows:
            call.refuse("axis", f"{call.name} is given no axis", "write axis=-1")
        message = f"{call.name} without an axis mixes the rows of the batch"
        call.refuse("rows", message, reduce_advice(shape))
    axis = call.integer(name)
    if not -len(shape) <= axis < len(shape):
        message = f"axis={axis} is out of range for the shape {spell(shape)}"
        call.refuse("axis", message, reduce_advice(shape), name)
    axis %= len(shape)
    if rows and axis == 0:
        message = f"{call.name} along axis {call.integer(name)} of {spell(shape)} mixes the rows"
        call.refuse("rows", message, reduce_advice(shape), name)
    return axis


def reduce_advice(shape: Shape) -> str:
    if shape == (ROWS,):
        return "leave it out: there is one number per row already"
    return "write axis=-1"


def reduced(call: Call, shape: Shape, axis: int) -> Shape:
    keep = call.given("keepdims") and bool(call.known("keepdims"))
    return (*shape[:axis], *((1,) if keep else ()), *shape[axis + 1 :])


def array_argument(call: Call, name: str = "x") -> Array:
    value = call.numeric(name)
    if isinstance(value, Number):
        message = f"{call.name} needs an array, not a number"
        call.refuse("kind", message, "leave it out, or pass a variable", name)
    return value


def reduction(*extra: str) -> Function:
    def rule(call: Call) -> Value:
        array = array_argument(call)
        axis = batched_axis(call, array.shape)
        entries = array.shape[axis]
        for name in extra:
            if call.given(name) and not call.known(name) < int(entries):
                message = f"the correction is not less than the {entries} entries"
                call.refuse("number", message, f"write {name}=0", name)
        return Array(reduced(call, array.shape, axis))

    return Function(("x", "axis", "keepdims", *extra), 1, rule)


def condition_reduction() -> Function:
    def rule(call: Call) -> Value:
        value = call.condition("x")
        if isinstance(value, Number):
            call.refuse("kind", f"{call.name} needs an array", "leave it out", "x")
        axis = batched_axis(call, value.shape)
        return Array(reduced(call, value.shape, axis), boolean=True)

    return Function(("x", "axis", "keepdims"), 1, rule)


def vector_norm(call: Call) -> Value:
    array = array_argument(call)
    if call.given("ord"):
        order = call.known("ord")
        if order not in (0, 1, 2, math.inf, -math.inf):
            call.refuse("number", f"ord={order} is not allowed", "write ord=1 or ord=2", "ord")
    return Array(reduced(call, array.shape, batched_axis(call, array.shape)))


def along_last(call: Call, length: int | None) -> Shape:
    """Common shape of two arrays of vectors along the last axis, ``axis=-1`` being implied."""
    shape = broadcast(array_argument(call, "a").shape, array_argument(call, "b").shape)
    vectors = shape[-1] if shape else None
    axis = call.integer("axis") if call.given("axis") else -1
    last = axis in (-1, len(shape) - 1)
    if not isinstance(vectors, int) or not last or (length and vectors != length):
        wanted = f"{length} entries" if length else "entries"
        message = f"{call.name} needs vectors of {wanted} along the last axis, not {spell(shape)}"
        call.refuse("shape", message, "pass (N, d) arrays and axis=-1")
    return shape


def cross(call: Call) -> Value:
    for name in ("a", "b"):
        shape = array_argument(call, name).shape
        if shape[-1:] != (3,):
            message = f"{call.name} needs 3 entries along the last axis, not {spell(shape)}"
            call.refuse("shape", message, "pass (N, 3) arrays", name)
    return Array(along_last(call, 3))


def vecdot(call: Call) -> Value:
    return Array(along_last(call, None)[:-1])


def where(call: Call) -> Value:
    condition = call.condition("condition")
    if isinstance(condition, Number):
        message = "the condition of xp.where is the same for every row"
        call.refuse("constant-condition", message, "write a if CONDITION else b", "condition")
    return Array(common_shape([condition, call.numeric("a"), call.numeric("b")]))


def clip(call: Call) -> Value:
    names = [n for n in ("min", "max") if call.given(n) and not isinstance(call.value(n), Nothing)]
    if not names:
        call.refuse("arguments", "xp.clip is given no bounds", "write xp.clip(x, low, high)")
    bounds = [call.known(name) if is_number(call, name) else None for name in ("min", "max")]
    if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
        message = f"xp.clip's lower bound {bounds[0]:g} is above its upper bound {bounds[1]:g}"
        call.refuse("bounds", message, "swap the two", "min")
    value = call.numeric("x")
    values = [value, *(call.numeric(name) for name in names)]
    result = spread(call, values, lambda x, *_: plain.clip(x, *bounds))
    if isinstance(value, Array) and isinstance(result, Array) and value.shape != result.shape:
        message = f"the bounds do not fit into the shape {spell(value.shape)}"
        call.refuse("shape", message, "use xp.minimum and xp.maximum")
    return result


def is_number(call: Call, name: str) -> bool:
    return call.given(name) and isinstance(call.value(name), Number)


def joined_arrays(call: Call) -> tuple[list[Number | Array], Shape]:
    """The items of ``arrays``, and the shape that its arrays share."""
    items = call.items("arrays")
    shapes = {item.shape for item in items if isinstance(item, Array)}
    if not shapes:
        message = f"{call.name} is given numbers only"
        call.refuse("kind", message, "write xp.asarray((1.0, 2.0))", "arrays")
    if len(shapes) > 1 and call.name == "xp.stack":
        shown = " and ".join(spell(shape) for shape in sorted(shapes, key=len)[:2])
        message = f"xp.stack joins arrays of one shape, not {shown}"
        call.refuse("shape", message, "pick entries ([:, 0]), or use xp.concat", "arrays")
    return items, max(shapes, key=len)


def stack(call: Call) -> Value:
    items, shape = joined_arrays(call)
    new = (*shape, len(items))
    axis = call.integer("axis") if call.given("axis") else 0
    if not -len(new) <= axis < len(new):
        message = f"axis={axis} is out of range for {len(new)} axes"
        call.refuse("axis", message, "write axis=-1", "axis")
    axis %= len(new)
    if axis == 0 and shape[:1] == (ROWS,):
        message = "xp.stack along axis 0 puts the batch second"
        call.refuse("rows", message, "write axis=-1", "axis" if call.given("axis") else None)
    return Array(check_size((*shape[:axis], len(items), *shape[axis:])))


def concat(call: Call) -> Value:
    items, shape = joined_arrays(call)
    axis = call.integer("axis") if call.given("axis") else 0
    if shape == (ROWS,) or shape == ():
        message = f"xp.concat joins arrays along an axis that {spell(shape)} does not have"
        call.refuse("shape", message, "write xp.stack((a, b), axis=-1)")
    if not -len(shape) <= axis < len(shape):
        message = f"axis={axis} is out of range for the shape {spell(shape)}"
        call.refuse("axis", message, "write axis=-1", "axis")
    axis %= len(shape)
    if axis == 0 and shape[:1] == (ROWS,):
        message = "xp.concat along axis 0 joins the rows"
        call.refuse("rows", message, "write axis=-1", "axis" if call.given("axis") else None)
    length = 0
    for item in items:
        part = item.shape if isinstance(item, Array) else ()
        size = part[axis] if len(part) == len(shape) else None
        if not isinstance(size, int) or (part[:axis], part[axis + 1 :]) != (
            shape[:axis],
            shape[axis + 1 :],
        ):
            message = f"xp.concat cannot join {spell(part)} to {spell(shape)}"
            call.refuse("shape", message, "write x[:, None] for a (N,) array", "arrays")
        length += size
    return Array(check_size((*shape[:axis], length, *shape[axis + 1 :])))


def asarray(call: Call) -> Value:
    value = call.value("values")
    if isinstance(value, Number | Array):
        message = f"xp.asarray of {describe(value)} does nothing"
        call.refuse("kind", message, "leave it out", "values")
    items = call.items("values")
    if not all(isinstance(item, Number) for item in items):
        message = "xp.asarray takes numbers only"
        call.refuse("kind", message, "write xp.stack((a, b), axis=-1) for arrays", "values")
    return Array(check_size((len(items),)))


def like(*extra: str) -> Function:
    def rule(call: Call) -> Value:
        array = array_argument(call)
        for name in extra:
            if not isinstance(call.numeric(name), Number):
                message = f"'{name}' is not a number"
                call.refuse("kind", message, "write x * 0.0 + value", name)
        return Array(array.shape)

    return Function(("x", *extra), 1 + len(extra), rule)


def power(call: Call) -> Value:
    problem = exponent_problem(call.numeric("b"))
    if problem is not None:
        call.refuse("exponent", *problem, "b")
    return spread(call, [call.numeric("a"), call.numeric("b")], operator.pow)


def exponent_problem(exponent: Value) -> tuple[str, str] | None:
    """Exponents are bounded numbers: what grows faster is spelt ``xp.exp``."""
    if isinstance(exponent, Array):
        return "the exponent is not a constant", "write xp.exp(y * xp.log(x)), for x > 0"
    if isinstance(exponent, Number) and not abs(exponent.value) <= LARGEST_EXPONENT:
        message = f"the exponent {exponent.value:g} is beyond {LARGEST_EXPONENT}"
        return message, "write a smaller one, or xp.exp(x)"
    return None


def quotient(plain: Callable[..., Plain]) -> Function:
    def rule(call: Call) -> Value:
        problem = divisor_problem(call.numeric("b"))
        if problem is not None:
            call.refuse("zero", *problem, "b")
        return spread(call, [call.numeric("a"), call.numeric("b")], plain)

    return Function(("a", "b"), 2, rule)


def divisor_problem(divisor: Value) -> tuple[str, str] | None:
    """No number divides that single precision takes for zero."""
    if isinstance(divisor, Number) and abs(divisor.value) < SMALLEST_DIVISOR:
        what = "zero" if divisor.value == 0 else f"{divisor.value:g}, which is as good as zero"
        return f"this divides by {what}", "write another divisor"
    return None


def expand_dims(call: Call) -> Value:
    shape = array_argument(call).shape
    axis = call.integer("axis") if call.given("axis") else 0
    if not -len(shape) - 1 <= axis <= len(shape):
        call.refuse("axis", f"axis={axis} is out of range", "write axis=-1", "axis")
    axis %= len(shape) + 1
    if axis == 0 and shape[:1] == (ROWS,):
        call.refuse("rows", "a new axis 0 puts the batch second", "write axis=-1")
    return Array(check_size((*shape[:axis], 1, *shape[axis:])))


def squeeze(call: Call) -> Value:
    shape = array_argument(call).shape
    axis = batched_axis(call, shape)
    if shape[axis] != 1:
        message = f"axis {axis} of {spell(shape)} is not of size 1"
        call.refuse("shape", message, "pick an entry ([:, 0])", "axis")
    return Array((*shape[:axis], *shape[axis + 1 :]))


def tolerance(call: Call) -> Value:
    lower = upper = 0.0
    if call.given("bounds"):
        items = [item for item in call.items("bounds") if isinstance(item, Number)]
        if len(items) != 2 or len(call.items("bounds")) != 2:
            message = "tolerance's bounds are not two numbers"
            call.refuse("bounds", message, "write bounds=(0.9, 1.0)", "bounds")
        lower, upper = (item.value for item in items)
        if math.isnan(lower) or math.isnan(upper):
            call.refuse("bounds", "a bound of tolerance is NaN", "write a number", "bounds")
        if lower > upper:
            message = f"tolerance's lower bound {lower:g} is above its upper bound {upper:g}"
            call.refuse("bounds", message, "swap the two", "bounds")
    sigmoid = "gaussian"
    if call.given("sigmoid"):
        value = call.value("sigmoid")
        sigmoid = value.value if isinstance(value, Text) else ""
        if sigmoid not in shaping.SIGMOIDS:
            message = f"there is no sigmoid '{sigmoid}'" if sigmoid else "sigmoid is not a string"
            names = ", ".join(f'"{name}"' for name in shaping.SIGMOIDS)
            call.refuse("sigmoid", message, f"write one of {names}", "sigmoid")
    margin = call.known("margin") if call.given("margin") else 0.0
    if not margin >= 0:
        message = f"tolerance's margin is {margin:g}"
        message = f"tolerance's margin {margin:g} is negative" if margin < 0 else message
        call.refuse("bounds", message, "write a margin of 0 or more", "margin")
    at_margin = call.known("value_at_margin") if call.given("value_at_margin") else 0.1
    if not shaping.value_allowed(sigmoid, at_margin):
        message = f"value_at_margin={at_margin:g} is out of range for the sigmoid '{sigmoid}'"
        call.refuse("bounds", message, "write a number between 0 and 1", "value_at_margin")

    def of_number(x: Plain) -> Plain:
        return shaping.tolerance(plain.XP, x, (lower, upper), margin, sigmoid, at_margin)

    return spread(call, [call.numeric("x")], of_number)


def rows_of(call: Call, name: str, length: int) -> Shape:
    """Leading axes of an argument whose last axis must have ``length`` entries."""
    shape = array_argument(call, name).shape
    if shape[-1:] != (length,):
        message = f"{call.name} needs {length} entries in '{name}', not the shape {spell(shape)}"
        call.refuse("shape", message, f"pass (N, {length})", name)
    return shape[:-1]


def quaternions(*names: str, last: int | None) -> Function:
    """A helper on quaternions (and ``v``, a vector of 3) that gives ``last`` entries, or one."""

    def rule(call: Call) -> Value:
        leading = broadcast(*(rows_of(call, name, 3 if name == "v" else 4) for name in names))
        return Array(leading if last is None else (*leading, last))

    return Function(names, len(names), rule)
