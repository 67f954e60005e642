"""Expressions of the reward language, drawn at random for a wanted shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from reward_synth.reward.plain import BINARY, COMPARISONS, DIVISIONS, PREDICATES, UNARY
from reward_synth.reward.shaping import SIGMOIDS

T = TypeVar("T")
Shape = tuple[int | str, ...]
ROWS = "N"
NUMBER: Shape = ()
COLUMN: Shape = (ROWS,)
WIDTHS = (1, 2, 3, 4, 6)
DEEPEST = 3
"""Levels of an expression."""
NUMBERS = (
    *("0.5", "1.0", "2.0", "0.1", "3", "1", "0.05", "-1.0", "1e-3", "10", "0.75", "-0.2", "2"),
    *("0", "0.0", "100", "1e-6", "1_0.5", "0x10", "1e6", "-3", "True", "xp.pi", "xp.e"),
)
UNBOUNDED = ("1e9", "1e-300", "5e-324", "1e8", "-1e9", "xp.inf", "-0.0", "-xp.inf", "False")
EXPONENTS = ("2", "2", "3", "0.5", "-1", "1", "0", "10", "-2", "1.5", "-10", "2.0")
NEEDING_POSITIVE = ("log", "log10", "log2", "sqrt", "reciprocal", "log1p")
NEEDING_UNIT = ("acos", "asin", "atanh")
NEEDING_SMALL = ("exp", "expm1", "cosh", "sinh", "tan")


class Choices:
    """Everything that is left to chance."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def below(self, limit: int) -> int:
        """A whole number from 0."""
        return int(self.random.random() * limit)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent


@dataclass
class Function:
    """A function of the program's own."""

    name: str
    parameters: list[tuple[str, Shape]]
    defaults: int
    """How many of the last parameters have one; all of those are numbers."""
    result: Shape


@dataclass
class Expressions:
    """Draws expressions from what is in scope; ``used`` are the variables that they read."""

    choices: Choices
    sizes: Mapping[str, int | None]
    used: dict[str, None] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)
    """Arrays of constants, and their entries."""
    pairs: list[str] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    scope: dict[str, Shape] = field(default_factory=dict)
    conditions: dict[str, Shape] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=dict)
    """Loop variables, and the number of their values."""
    dicts: dict[str, list[str]] = field(default_factory=dict)
    inside: str = ""
    """The function that is being written."""

    def width(self) -> Shape:
        return (ROWS, self.choices.pick(WIDTHS))

    def literal(self) -> str:
        return self.choices.pick(UNBOUNDED if self.choices.chance(4) else NUMBERS)

    def number(self, depth: int) -> str:
        choose = self.choices
        known = [*self.numbers, *(n for n, shape in self.scope.items() if shape == NUMBER)]
        known += list(self.indices)
        kind = choose.below(14) if depth > 0 else choose.below(4)
        if kind < 2 and known:
            return choose.pick(known)
        if kind < 4 or depth <= 0:
            return self.literal()
        inner = self.number(depth - 1)
        if kind < 8:
            other = self.number(depth - 1)
            return f"({inner} {choose.pick(('+', '-', '*', '/', '%', '//'))} {other})"
        if kind == 8:
            return f"xp.{choose.pick(UNARY)}({inner})"
        if kind == 9:
            return f"xp.{choose.pick((*BINARY, *DIVISIONS))}({inner}, {self.number(depth - 1)})"
        if kind == 10:
            return f"({inner} if {self.truth(depth - 1)} else {self.number(depth - 1)})"
        if kind == 11:
            return f"({choose.pick(('-', '+'))}{inner})"
        if kind == 12 and self.pairs:
            return f"{choose.pick(self.pairs)}[{choose.pick(('0', '1', '-1'))}]"
        return choose.pick(
            (
                f"({inner} ** {choose.pick(EXPONENTS)})",
                f"wrap_angle({inner})",
                f"tolerance({inner}, {self.shaping()})",
                f"smooth_step({inner}, {self.number(0)}, {self.number(0)})",
                f"xp.clip({inner}, {self.number(0)}, 2.0)",
                self.call(NUMBER, depth) or inner,
            )
        )

    def truth(self, depth: int) -> str:
        """A condition that is the same for every row."""
        choose = self.choices
        kind = choose.below(6) if depth > 0 else 0
        plain = f"{self.number(0)} {choose.pick(('<', '>', '==', '!=', '<=', '>='))} "
        plain += self.number(0)
        if kind < 3:
            return choose.pick((plain, self.number(0), f"({plain})"))
        if kind == 3:
            return f"not {plain}"
        return f"({plain} {choose.pick(('and', 'or'))} {self.truth(depth - 1)})"

    def variable(self, shape: Shape) -> str:
        """A variable of the task, if there is one of the shape, or a part of a larger one."""
        choose = self.choices
        wanted = None if shape == COLUMN else shape[1]
        exact = [name for name, size in self.sizes.items() if size == wanted]
        larger = [n for n, size in self.sizes.items() if size and int(wanted or 0) < size]
        name = choose.pick(exact or larger)
        size = self.sizes[name]
        spelt = f"prev_{name}" if choose.chance(20) else name
        self.used.setdefault(spelt)
        if name in exact:
            return spelt
        assert size is not None
        if wanted is None:
            return self.entry_of(spelt, size)
        start = choose.below(size - int(wanted) + 1)
        bounds = (f"{start}:{start + int(wanted)}", f"{start - size}:{start + int(wanted)}")
        return f"{spelt}[{choose.pick((':, ', '..., '))}{choose.pick(bounds)}]"

    def entry_of(self, array: str, size: int) -> str:
        """A column of an (N, size) array."""
        choose = self.choices
        entry = choose.below(size)
        known = [name for name, steps in self.indices.items() if steps < size]
        spelt = choose.pick((str(entry), str(entry - size), *known))
        return f"{array}[{choose.pick((':', '...'))}, {spelt}]"

    def leaf(self, shape: Shape) -> str:
        """A name, or the least that gives the shape where no name does."""
        choose = self.choices
        known = [name for name, kept in self.scope.items() if kept == shape]
        if known and (self.inside != "compute_reward" or choose.chance(60)):
            return choose.pick(known)
        if self.inside == "compute_reward":
            sizes = [size or 0 for size in self.sizes.values()]
            if len(shape) <= 2 and max(sizes) >= int((*shape, 0)[1]):
                return self.variable(shape)
        if shape == COLUMN:
            wide = [(n, kept) for n, kept in self.scope.items() if len(kept) == 2]
            if wide:
                name, kept = choose.pick(wide)
                return self.entry_of(name, int(kept[1]))
            return f"xp.asarray(({self.literal()},))[0]"
        column = self.leaf(COLUMN)
        if len(shape) == 2:
            return f"xp.stack(({(column + ', ') * int(shape[1])}), axis=-1)"
        return f"{self.leaf(shape[:2])}[:, :, None]"

    def value(self, shape: Shape, depth: int) -> str:
        """An expression of that shape."""
        if shape == NUMBER:
            return self.number(min(depth, 2))
        choose = self.choices
        if depth <= 0 or choose.chance(15):
            return self.leaf(shape)
        kind = choose.below(10)
        if kind < 3:
            return self.operation(shape, depth - 1)
        if kind < 6:
            return self.elementwise(shape, depth - 1)
        return self.column(depth - 1) if shape == COLUMN else self.wide(shape, depth - 1)

    def operation(self, shape: Shape, depth: int) -> str:
        choose = self.choices
        first = self.value(shape, depth)
        kind = choose.below(8)
        if kind == 0:
            return f"({first} ** {choose.pick(EXPONENTS)})"
        if kind == 1:
            return f"({choose.pick(('-', '+'))}{first})"
        if kind == 2:
            return f"({first} / (1.0 + xp.abs({self.value(shape, depth)})))"
        other = self.value(choose.pick((shape, NUMBER)), depth)
        if len(shape) == 2 and choose.chance(25):
            tables = [name for name, size in self.tables.items() if size in (1, shape[1])]
            other = choose.pick([f"{self.value(COLUMN, depth)}[:, None]", *tables])
        sign = choose.pick(("+", "-", "*", "+", "-", "*", "/", "//", "%"))
        pair = (first, other) if choose.chance(70) else (other, first)
        return f"({pair[0]} {sign} {pair[1]})"

    def elementwise(self, shape: Shape, depth: int) -> str:
        choose = self.choices
        kind = choose.below(16)
        first = self.value(shape, depth)
        if kind < 4:
            return self.of_one(choose.pick(UNARY), first)
        other = self.value(choose.pick((shape, NUMBER)), depth)
        if kind < 6:
            pair = (first, other) if choose.chance(70) else (other, first)
            return f"xp.{choose.pick((*BINARY, *DIVISIONS))}({pair[0]}, {pair[1]})"
        if kind < 8:
            return f"xp.where({self.condition(shape, depth)}, {first}, {other})"
        if kind == 8:
            low, high = choose.pick((("-1.0", "1.0"), ("0", "2"), ("-0.5", "xp.inf")))
            spelt = choose.pick((f"{low}, {high}", f"min={low}", f"max={high}", f"None, {high}"))
            return f"xp.clip({first}, {spelt})"
        if kind == 9:
            return f"tolerance({first}, {self.shaping()})"
        if kind == 10:
            return choose.pick(
                (
                    f"smooth_step({first}, {self.number(0)}, {other})",
                    f"smooth_step({first}, low={self.number(0)}, high={self.number(0)})",
                    f"wrap_angle({first})",
                )
            )
        if kind == 11:
            return f"({first} if {self.truth(1)} else {self.value(shape, depth)})"
        if kind == 12:
            return f"({self.condition(shape, depth)} {choose.pick(('*', '+', '-'))} {first})"
        if kind == 13:
            return choose.pick(
                (
                    f"xp.zeros_like({first})",
                    f"xp.ones_like({first})",
                    f"xp.full_like({first}, {self.number(1)})",
                )
            )
        if kind == 14:
            return f"xp.pow({first}, {choose.pick(EXPONENTS)})"
        return self.call(shape, depth) or first

    def of_one(self, name: str, value: str) -> str:
        """A function of one array, mostly kept where it is finite."""
        if self.choices.chance(85):
            if name in NEEDING_POSITIVE:
                value = f"xp.abs({value}) + 0.1"
            elif name in NEEDING_UNIT:
                value = f"0.9 * xp.tanh({value})"
            elif name in NEEDING_SMALL:
                value = f"xp.tanh({value})"
            elif name == "acosh":
                value = f"1.0 + xp.abs({value})"
        return f"xp.{name}({value})"

    def shaping(self) -> str:
        """What ``tolerance`` takes beside its first argument."""
        choose = self.choices
        bounds = choose.pick(("(-0.5, 0.5)", "(0.2, xp.inf)", "(0.0, 0.0)", *self.pairs))
        margin = choose.pick(("0.5", "1", "0.0", *self.numbers))
        sigmoid = choose.pick(SIGMOIDS)
        return choose.pick(
            (
                f"bounds={bounds}, margin={margin}",
                f'{bounds}, {margin}, "{sigmoid}", 0.2',
                f'margin=0.7, sigmoid="{sigmoid}"',
                f'bounds={bounds}, margin=2.0, sigmoid="{sigmoid}", value_at_margin=0.5',
                f"bounds={bounds}",
            )
        )

    def call(self, shape: Shape, depth: int) -> str | None:
        """A call of one of the program's own functions that gives the shape."""
        choose = self.choices
        fitting = [function for function in self.functions if function.result == shape]
        if not fitting:
            return None
        function = choose.pick(fitting)
        given = len(function.parameters) - choose.below(function.defaults + 1)
        arguments = []
        for name, kind in function.parameters[:given]:
            keyword = "" if not arguments or choose.chance(70) else f"{name}="
            if arguments and "=" in arguments[-1].split("(")[0]:
                keyword = f"{name}="
            arguments.append(keyword + self.value(kind, depth))
        return f"{function.name}({', '.join(arguments)})"

    def column(self, depth: int) -> str:
        choose = self.choices
        kind = choose.below(16)
        shape = self.width()
        size = int(shape[1])
        if kind < 4:
            name = choose.pick(("sum", "mean", "max", "min", "prod", "std", "var"))
            also = ", correction=0.5" if name in ("std", "var") and choose.chance(30) else ""
            axis = choose.pick(("axis=-1", "axis=1", "-1"))
            return f"xp.{name}({self.value(shape, depth)}, {axis}{also})"
        if kind < 6:
            return self.entry_of(self.value(shape, depth), size)
        if kind == 6:
            order = choose.pick(("", ", ord=1", ", ord=xp.inf", ", keepdims=0", ", ord=0"))
            return f"xp.linalg.vector_norm({self.value(shape, depth)}, axis=-1{order})"
        if kind == 7:
            path = choose.pick(("vecdot", "linalg.vecdot"))
            return f"xp.{path}({self.value(shape, depth)}, {self.value(shape, depth)})"
        if kind == 8:
            four: Shape = (ROWS, 4)
            return f"quaternion_angle({self.value(four, depth)}, {self.value(four, depth)})"
        if kind == 9:
            return f"({self.condition(COLUMN, depth)} * {self.number(1)})"
        if kind == 10:
            items = [self.value(choose.pick((COLUMN, NUMBER)), depth) for _ in range(2)]
            stack = f"xp.stack(({self.leaf(COLUMN)}, {', '.join(items)}), axis=-1)"
            return f"xp.{choose.pick(('sum', 'max', 'mean'))}({stack}, axis=-1)"
        if kind == 11 and self.dicts:
            name = choose.pick(list(self.dicts))
            return f'{name}["{choose.pick(self.dicts[name])}"]'
        if kind == 12:
            single: Shape = (ROWS, 1)
            return f"xp.squeeze({self.value(single, depth)}, axis={choose.pick(('-1', '1'))})"
        if kind == 13:
            first, second = self.leaf(shape), self.value(shape, depth)
            outer = f"{first}[:, :, None] * {second}[:, None, :]"
            return f"xp.sum(xp.max({outer}, axis={choose.pick(('1', '2', '-1'))}), axis=-1)"
        if kind == 14:
            return f"xp.where({self.condition(COLUMN, depth)}, {self.number(1)}, 0.0)"
        return self.call(COLUMN, depth) or self.leaf(COLUMN)

    def wide(self, shape: Shape, depth: int) -> str:
        choose = self.choices
        size = int(shape[1])
        kind = choose.below(9)
        if kind == 0 and size == 3:
            return f"xp.linalg.cross({self.value(shape, depth)}, {self.value(shape, depth)})"
        if kind == 1 and size == 3:
            return f"quaternion_rotate({self.value((ROWS, 4), depth)}, {self.value(shape, depth)})"
        if kind <= 1 and size == 4:
            name = choose.pick(("multiply", "conjugate"))
            also = f", {self.value(shape, depth)}" if name == "multiply" else ""
            return f"quaternion_{name}({self.value(shape, depth)}{also})"
        if kind <= 2 and size == 1:
            return choose.pick(
                (
                    f"xp.expand_dims({self.value(COLUMN, depth)}, axis=-1)",
                    f"{self.value(COLUMN, depth)}[:, None]",
                    f"{self.value(COLUMN, depth)}[..., xp.newaxis]",
                    f"xp.sum({self.value(self.width(), depth)}, axis=-1, keepdims=True)",
                )
            )
        if kind == 3 and size > 1:
            first = 1 + choose.below(size - 1)
            parts = self.value((ROWS, first), depth), self.value((ROWS, size - first), depth)
            axis = choose.pick(("axis=-1", "axis=1", "1"))
            return f"xp.concat(({parts[0]}, {parts[1]}), {axis})"
        if kind == 4:
            items = [self.value(COLUMN, min(depth, 1)), self.number(1)]
            listed = ", ".join(choose.pick(items) for _ in range(size - 1))
            return f"xp.stack([{items[0]}, {listed}], axis={choose.pick(('-1', '1'))})"
        if kind == 5:
            numbers = "".join(self.number(1) + ", " for _ in range(size))
            return f"({self.value(shape, depth)} - xp.asarray(({numbers})))"
        if kind == 6:
            larger = size + 1 + choose.below(2)
            if larger <= max(WIDTHS):
                start = choose.below(larger - size + 1)
                return f"{self.leaf((ROWS, larger))}[:, {start}:{start + size}]"
            return f"{self.leaf((ROWS, 2 * size))}[:, ::2]"
        if kind == 7:
            return f"({self.value(COLUMN, depth)}[:, None] * {self.value(shape, depth)})"
        return self.call(shape, depth) or self.leaf(shape)

    def condition(self, shape: Shape, depth: int) -> str:
        """A condition for every entry, in parentheses where it needs them."""
        choose = self.choices
        kind = choose.below(12) if depth > 0 else choose.below(4)
        known = [name for name, kept in self.conditions.items() if kept == shape]
        if kind == 0 and known:
            return choose.pick(known)
        if kind < 5:
            sign = choose.pick(("<", ">", "<=", ">=", ">", "==", "!="))
            other = self.value(choose.pick((NUMBER, shape)), depth - 1)
            return f"({self.value(shape, depth - 1)} {sign} {other})"
        inner = self.condition(shape, depth - 1)
        if kind < 8:
            return f"({inner} {choose.pick(('&', '|'))} {self.condition(shape, depth - 1)})"
        if kind == 8:
            return choose.pick((f"(~{inner})", f"xp.logical_not({inner})"))
        if kind == 9:
            name = choose.pick(("and", "or", "xor"))
            return f"xp.logical_{name}({inner}, {self.condition(shape, depth - 1)})"
        value = self.value(shape, depth - 1)
        if kind == 10 and shape == COLUMN:
            inner = self.condition(self.width(), depth - 1)
            return f"xp.{choose.pick(('all', 'any'))}({inner}, axis=-1)"
        if kind == 11:
            return f"xp.{choose.pick(COMPARISONS)}({value}, {self.number(0)})"
        return f"xp.{choose.pick(PREDICATES)}({value})"
