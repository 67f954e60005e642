"""What distinguishes two reward programs, said in a line: a diff would be too long.

Two programs are compared component by component, each as the expression that it stands for once
the names of intermediate results are replaced by what they hold.  So a renamed intermediate
result or a constant written as a number is no difference.
"""

import ast
import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from reward_synth.reward.source import syntax_tree

ENTRY = "compute_reward"
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Differences:
    """What makes one program out of another."""

    added: tuple[str, ...]
    """Components by name, as all of these."""
    removed: tuple[str, ...]
    rewritten: tuple[str, ...]
    rescaled: tuple[str, ...]
    """Those whose numbers alone differ."""
    total: bool
    """Whether components that are all there still are put together otherwise."""
    constants: tuple[tuple[str, str, str], ...]
    """Name, value before and value now of upper-case constants that both programs have."""

    def __bool__(self) -> bool:
        parts = (self.added, self.removed, self.rewritten, self.rescaled, self.constants)
        return self.total or any(parts)


@dataclass(frozen=True)
class Meaning:
    """An expression's form, and the numbers in it: two digests."""

    form: str
    numbers: str = ""


@dataclass
class Outline:
    """A program as its components."""

    components: dict[str, Meaning] = field(default_factory=dict)
    total: str = ""
    """The form of the total, in which each component stands as its name."""
    constants: dict[str, str] = field(default_factory=dict)


def differences(before: str, now: str) -> Differences | None:
    """What changed from one program to another; None where one of them is none."""
    old, new = outline(before), outline(now)
    if old is None or new is None:
        return None
    common = [name for name in new.components if name in old.components]
    forms = {name for name in common if new.components[name].form != old.components[name].form}
    same_parts = old.components.keys() == new.components.keys()
    return Differences(
        added=tuple(name for name in new.components if name not in old.components),
        removed=tuple(name for name in old.components if name not in new.components),
        rewritten=tuple(name for name in common if name in forms),
        rescaled=tuple(
            name
            for name in common
            if name not in forms and new.components[name] != old.components[name]
        ),
        total=same_parts and old.total != new.total,
        constants=tuple(
            (name, old.constants[name], value)
            for name, value in new.constants.items()
            if name in old.constants and old.constants[name] != value
        ),
    )


def component_list(source: str) -> tuple[str, ...]:
    """The names of a program's components, in its order; () where they cannot be read."""
    found = outline(source)
    return () if found is None else tuple(found.components)


def unified(before: str, now: str, before_name: str, now_name: str) -> str:
    """The lines by which one program differs from another; "" for equal ones."""
    lines = difflib.unified_diff(
        before.strip().splitlines(), now.strip().splitlines(), before_name, now_name, lineterm=""
    )
    return "\n".join(lines)


def docstring(source: str) -> str:
    """The first paragraph of what a program says of itself, on one line; "" where nothing."""
    try:
        for statement in syntax_tree(source).body:
            if isinstance(statement, ast.FunctionDef) and statement.name == ENTRY:
                said = ast.get_docstring(statement) or ""
                return " ".join(said.split("\n\n")[0].split())
    except UNREADABLE:
        pass
    return ""


def tunable_constants(source: str) -> list[tuple[str, str]]:
    """Upper-case constants of a program as (name, value), in order; none if it is no Python."""
    try:
        statements = syntax_tree(source).body
    except UNREADABLE:
        return []
    return [
        (target.id, ast.unparse(statement.value))
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    ]


def outline(source: str) -> Outline | None:
    """A program's components and how the total is made of them; None where it is no program."""
    try:
        reader = Reader()
        for statement in syntax_tree(source).body:
            reader.read(statement)
    except UNREADABLE:
        return None
    if not reader.outline.components:
        return None
    reader.outline.constants = dict(tunable_constants(source))
    return reader.outline


class Reader:
    """Follows a program's statements, and knows what each name stands for."""

    def __init__(self) -> None:
        self.known: dict[str, Meaning] = {}
        self.dicts: dict[str, ast.Dict] = {}
        self.outline = Outline()

    def read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name, body=body):
                outside = dict(self.known)
                for argument in statement.args.args:
                    self.known[argument.arg] = Meaning(argument.arg)
                for inner in body:
                    self.read(inner)
                self.known = outside
                if name != ENTRY:
                    self.known[name] = self.meaning(statement)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self.assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, value)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                before = self.known.get(name, Meaning(name))
                parts = [before, self.meaning(value)]
                self.known[name] = combined(type(op).__name__, parts)
            case ast.Return(value=ast.Tuple(elts=[total, parts])):
                self.give(total, parts)
            case ast.For(target=target, iter=limits, body=body):
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        self.known[name.id] = Meaning(name.id)
                self.within(self.meaning(limits), body)
            case ast.If(test=test, body=body, orelse=orelse):
                condition = self.meaning(test)
                self.within(condition, body)
                self.within(combined("else", [condition]), orelse)
            case _:
                pass

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        meaning = self.meaning(value)
        match target:
            case ast.Name(id=name):
                self.known[name] = meaning
                if isinstance(value, ast.Dict):
                    self.dicts[name] = value
            case ast.Tuple(elts=parts):
                for index, part in enumerate(parts):
                    if isinstance(part, ast.Name):
                        self.known[part.id] = combined(f"part {index}", [meaning])

    def within(self, header: Meaning, body: Sequence[ast.stmt]) -> None:
        """Statements under a condition or in a loop: what they assign depends on it."""
        before = dict(self.known)
        for statement in body:
            self.read(statement)
        for name, meaning in self.known.items():
            if meaning != before.get(name):
                self.known[name] = combined("under", [header, meaning])

    def give(self, total: ast.expr, parts: ast.expr) -> None:
        """What the program returns; the first return that names a component tells what it is."""
        if isinstance(parts, ast.Name):
            parts = self.dicts.get(parts.id, parts)
        if not isinstance(parts, ast.Dict):
            return
        named: dict[Meaning, str] = {}
        for key, value in zip(parts.keys, parts.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                meaning = self.meaning(value)
                self.outline.components.setdefault(key.value, meaning)
                named.setdefault(meaning, key.value)
        meaning = Reader.of_total(self, total, named)
        self.outline.total = combined("total", [Meaning(self.outline.total), meaning]).form

    def of_total(self, total: ast.expr, named: dict[Meaning, str]) -> Meaning:
        """The total, with components as their names, so that a change in one is none here."""
        inner = Reader()
        inner.known = {
            name: Meaning(f"component {named[meaning]}") if meaning in named else meaning
            for name, meaning in self.known.items()
        }
        return inner.meaning(total)

    def meaning(self, node: ast.AST) -> Meaning:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Meaning("number", repr(float(value)))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return Meaning("number", repr(-float(value)))
            case ast.Name(id=name):
                return self.known.get(name, Meaning(name))
            case ast.Subscript(value=value, slice=place):
                return combined(f"entry {ast.dump(place)}", [self.meaning(value)])
            case _:
                children = list(ast.iter_child_nodes(node))
                own = [repr(v) for _, v in ast.iter_fields(node) if isinstance(v, str | bytes)]
                if isinstance(node, ast.Constant):
                    own.append(repr(node.value))
                return combined(
                    " ".join([type(node).__name__, *own]), [self.meaning(c) for c in children]
                )


def combined(what: str, parts: Sequence[Meaning]) -> Meaning:
    """The meaning of something that is made of others."""
    numbers = [part.numbers for part in parts]
    return Meaning(
        digest([what, *(part.form for part in parts)]), digest(numbers) if any(numbers) else ""
    )


def digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()
