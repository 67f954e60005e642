"""Reward programs drawn from the language: its statements, operators, indices and functions.

Every expression is drawn for a wanted shape, so that most programs are right ones; what is drawn is
left to :class:`Choices`.
"""

from collections.abc import Mapping

from benchmarks.fuzzing.expressions import (
    COLUMN,
    DEEPEST,
    NUMBER,
    ROWS,
    WIDTHS,
    Choices,
    Expressions,
    Function,
    Shape,
)

NEW_NAMES = tuple("abcdefghkmpqrstuvwyz")
DOCSTRINGS = ('"""Run."""', "'''Two\n    lines, größe, \\t {x} %s.\n    '''", '"plain"', 'r"\\d"')


class Writer(Expressions):
    """Writes one program."""

    # --- the module

    def program(self) -> str:
        choose = self.choices
        parts = [self.constant(i) for i in range(choose.below(4))]
        parts += [self.function(i) for i in range(max(0, choose.below(5) - 2))]
        parts.append(self.entry())
        if choose.chance(10):
            parts.insert(0, choose.pick(('"""A reward."""', "# A comment: größe", "\ufeff")))
        return "\n".join(parts).replace("\n\ufeff", "\n") + "\n"

    def constant(self, position: int) -> str:
        choose = self.choices
        name = choose.pick(("A", "SCALE", "ON", "W_1", "LIMIT")) + str(position)
        kind = choose.below(10)
        if kind == 0:
            length = choose.pick(WIDTHS)
            self.tables[name] = length
            return f"{name} = xp.asarray(({''.join(self.number(1) + ', ' for _ in range(length))}))"
        if kind == 1:
            self.pairs.append(name)
            return f"{name} = (-{choose.pick(('0.5', '1', '0.0'))}, {choose.pick(('0.7', '2'))})"
        if kind == 2 and self.tables:
            known = choose.pick(list(self.tables))
            self.tables[name] = self.tables[known]
            return f"{name} = xp.tanh({known}) + {self.number(0)}"
        value = self.number(1 if kind > 6 else 0)
        self.numbers.append(name)
        return f"{name}: float = {value}" if kind == 3 else f"{name} = {value}"

    def function(self, position: int) -> str:
        choose = self.choices
        name = choose.pick(("bell", "score", "near", "_f", "compute")) + str(position)
        width = choose.pick((2, 3, 4))
        first = choose.pick((COLUMN, (ROWS, width), COLUMN, NUMBER))
        parameters = [("x", first)]
        parameters += [(f"p{i}", NUMBER) for i in range(choose.below(3))]
        defaults = choose.below(len(parameters))
        result = choose.pick((COLUMN, NUMBER) if first == NUMBER else (COLUMN, first))
        self.scope, self.inside = dict(parameters), name
        body = self.statements(choose.below(3), 1)
        result = NUMBER if first == NUMBER else result
        body.append(f"    return {self.value(result, 2)}")
        if choose.chance(15):
            body.insert(0, "    " + choose.pick(DOCSTRINGS))
        spelt = [parameter for parameter, _ in parameters]
        for i in range(len(spelt) - defaults, len(spelt)):
            spelt[i] += f"={self.literal()}"
        self.leave()
        self.functions.append(Function(name, parameters, defaults, result))
        return f"def {name}({', '.join(spelt)}):\n" + "\n".join(body) + "\n"

    def leave(self) -> None:
        self.scope, self.conditions, self.indices, self.dicts = {}, {}, {}, {}

    def entry(self) -> str:
        choose = self.choices
        self.inside = "compute_reward"
        if choose.chance(30):
            self.variable(COLUMN)
        body = self.statements(1 + choose.below(5), 1)
        names = [n for n, shape in self.scope.items() if shape in (COLUMN, NUMBER)]
        parts = [choose.pick(names) for _ in range(choose.below(3))] if names else []
        parts += [self.value(COLUMN, 1) for _ in range(choose.below(2) + (not parts))]
        entries = ", ".join(f'"part_{i}": {part}' for i, part in enumerate(parts))
        total = self.value(COLUMN, 2)
        ways = (
            f"return {total}, {{{entries}}}",
            f"parts = {{{entries}}}\n    return {total}, parts",
            f"result = ({total}, {{{entries}}})\n    return result",
            f"return [{total}, {{{entries}}}]",
            f'parts = {{{entries}}}\n    return parts["part_0"] * 1.0, parts',
            f"if {self.truth(1)}:\n        return {total}, {{{entries}}}\n"
            f"    return {self.value(COLUMN, 1)}, {{{entries}}}",
        )
        body.append("    " + choose.pick(ways))
        if choose.chance(25):
            body.insert(0, "    " + choose.pick(DOCSTRINGS))
        arguments = list(self.used) or [self.variable(COLUMN)]
        kind = choose.below(8)
        spelt = ", ".join(f"{a}: Array" if kind == 0 else a for a in arguments)
        ending = " -> tuple" if kind == 1 else ""
        return f"def compute_reward({spelt}){ending}:\n" + "\n".join(body)

    # --- statements

    def statements(self, count: int, level: int) -> list[str]:
        return [line for _ in range(count) for line in self.statement(level)]

    def statement(self, level: int) -> list[str]:
        """The lines of one statement, indented by ``level``."""
        choose, pad = self.choices, "    " * level
        kind = choose.below(20)
        if kind == 0:
            return self.loop(level)
        if kind == 1 and level < 3:
            return self.branches(level)
        if kind == 2:
            name = choose.pick(NEW_NAMES)
            shape = choose.pick((COLUMN, self.width()))
            line = f"{pad}{name} = {self.condition(shape, 1)}"
            self.forget(name)
            if level == 1:
                self.conditions[name] = shape
            return [line]
        if kind == 3 and self.scope:
            name = choose.pick(list(self.scope))
            shape = self.scope[name]
            sign = choose.pick(("+", "-", "*", "/", "+", "//", "%"))
            return [f"{pad}{name} {sign}= {self.value(choose.pick((shape, NUMBER)), 1)}"]
        if kind == 4:
            first, second = choose.pick(NEW_NAMES), choose.pick(NEW_NAMES).upper() + "_"
            line = f"{pad}{first}, {second} = {self.value(COLUMN, 1)}, {self.value(NUMBER, 1)}"
            self.bind({first: COLUMN, second: NUMBER}, level)
            return [line]
        if kind == 5 and level == 1:
            name = choose.pick(NEW_NAMES)
            keys = ["one", "two"][: 1 + choose.below(2)]
            entries = ", ".join(f'"{key}": {self.value(COLUMN, 1)}' for key in keys)
            self.forget(name)
            self.dicts[name] = keys
            return [f"{pad}{name} = {{{entries}}}"]
        if kind == 6:
            return [pad + choose.pick(("pass", "# A comment", "", "pass; pass"))]
        shape = choose.pick((COLUMN, COLUMN, COLUMN, self.width(), NUMBER))
        name, value = choose.pick(NEW_NAMES), self.value(shape, DEEPEST - (level > 1))
        also = f"{choose.pick(NEW_NAMES)}_2 = " if kind == 7 else ""
        annotation = ": float" if kind == 8 else ""
        self.bind({name: shape}, level)
        return [f"{pad}{also}{name}{annotation} = {value}"]

    def forget(self, name: str) -> None:
        for names in (self.scope, self.conditions, self.dicts, self.indices):
            names.pop(name, None)

    def bind(self, shapes: Mapping[str, Shape], level: int) -> None:
        """Names that hold arrays from here on; within a branch they may be left unassigned."""
        for name in shapes:
            self.forget(name)
        if level == 1:
            self.scope |= shapes

    def loop(self, level: int) -> list[str]:
        choose, pad = self.choices, "    " * level
        start, steps = choose.below(2), 1 + choose.below(4)
        bounds = choose.pick((f"{start + steps}", f"{start}, {start + steps}", f"{steps}, 0, -1"))
        index = "ijln"[level % 4]
        self.indices[index] = steps
        body = self.statements(1 + choose.below(2), level + 1) if level < 3 else [f"{pad}    pass"]
        self.indices.pop(index, None)
        return [f"{pad}for {index} in range({bounds}):", *self.filled(body, level + 1)]

    def branches(self, level: int) -> list[str]:
        choose, pad = self.choices, "    " * level
        kept = dict(self.scope)
        lines = [
            f"{pad}if {self.truth(1)}:",
            *self.filled(self.statements(1, level + 1), level + 1),
        ]
        if choose.chance(30):
            lines.append(f"{pad}elif {self.truth(0)}:")
            lines += self.filled(self.statements(1, level + 1), level + 1)
        if choose.chance(50):
            lines.append(f"{pad}else:")
            lines += self.filled(self.statements(1, level + 1), level + 1)
        self.scope = {name: shape for name, shape in kept.items() if name in self.scope}
        return lines

    def filled(self, body: list[str], level: int) -> list[str]:
        """A block needs a statement, and a comment is none."""
        return [*body, "    " * level + "pass"]


def write_program(choices: Choices, sizes: Mapping[str, int | None]) -> str:
    """A program for a task's variables; now and then one that is slightly wrong."""
    return Writer(choices, sizes).program()
