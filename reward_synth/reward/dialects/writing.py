"""The text of a translated program: what was not changed stays as it was written, comments too."""

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

from reward_synth.reward.dialects import building

INDENT = "    "
LONGEST_LINE = 100
SINGLE_QUOTED = re.compile(r"'([A-Za-z_0-9]*)'")


@dataclass
class Writer:
    """Writes the statements of one translation; ``lines`` is the text so far."""

    source: str
    lines: list[str] = field(default_factory=list)
    written: set[int] = field(default_factory=set)
    """Lines of the original whose comments are written."""

    def __post_init__(self) -> None:
        self.original = self.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.comments = dict(comments_of(self.source))

    def module(self, tree: ast.Module) -> str:
        """The text of a whole module."""
        self.head(tree)
        for position, statement in enumerate(tree.body):
            function = isinstance(statement, ast.FunctionDef)
            after = position and isinstance(tree.body[position - 1], ast.FunctionDef)
            if self.lines and (function or after):
                while self.lines and not self.lines[-1].strip():
                    self.lines.pop()
                self.lines += ["", ""]
            self.statement(statement, 0)
        return "\n".join(self.lines).strip("\n") + "\n"

    def head(self, tree: ast.Module) -> None:
        """Comments that stand before anything else."""
        first = next((self.place(s) for s in tree.body if self.place(s)), None)
        line = 1
        while first and line < first[0] and self.original[line - 1].lstrip().startswith("#"):
            self.comment(line, "")
            line += 1

    def place(self, statement: ast.stmt) -> tuple[int, int] | None:
        """First and last line of what a statement came from."""
        origin = getattr(statement, "origin", None)
        if origin is None:
            return None
        first = min([origin.lineno, *(d.lineno for d in getattr(origin, "decorator_list", []))])
        return first, origin.end_lineno or origin.lineno

    def comment(self, line: int, indent: str) -> None:
        if line in self.comments and line not in self.written:
            self.written.add(line)
            self.lines.append(indent + self.comments[line])

    def above(self, first: int, indent: str) -> None:
        """The comments that stand on lines of their own right above line ``first``."""
        start = first - 1
        while start >= 1 and self.original[start - 1].lstrip().startswith("#"):
            start -= 1
        gap = start >= 1 and not self.original[start - 1].strip()
        inside = indent and self.lines and self.lines[-1].strip()
        if gap and inside and not self.lines[-1].endswith(":"):
            self.lines.append("")
        for line in range(start + 1, first):
            self.comment(line, indent)

    def statement(self, statement: ast.stmt, depth: int) -> None:
        indent = INDENT * depth
        origin: ast.stmt | None = getattr(statement, "origin", None)
        place = self.place(statement)
        if place is not None:
            self.above(place[0], indent)
        if origin is not None and place is not None and self.unchanged(statement, origin):
            text = textwrap.dedent("\n".join(self.original[place[0] - 1 : place[1]]))
            self.written |= set(range(place[0], place[1] + 1))
            self.lines += [indent + line if line else "" for line in text.split("\n")]
            return
        match statement:
            case ast.FunctionDef():
                self.lines.append(f"{indent}def {statement.name}({ast.unparse(statement.args)}):")
                self.wrap_signature(statement, indent)
                self.suite(statement.body, depth)
            case ast.If():
                self.lines.append(f"{indent}if {ast.unparse(statement.test)}:")
                self.suite(statement.body, depth)
                if statement.orelse:
                    self.lines.append(f"{indent}else:")
                    self.suite(statement.orelse, depth)
            case ast.For(target=target, iter=loop):
                self.lines.append(f"{indent}for {ast.unparse(target)} in {ast.unparse(loop)}:")
                self.suite(statement.body, depth)
            case _:
                self.simple(statement, place, indent)

    def suite(self, body: list[ast.stmt], depth: int) -> None:
        for statement in body:
            self.statement(statement, depth + 1)

    def wrap_signature(self, statement: ast.FunctionDef, indent: str) -> None:
        if len(self.lines[-1]) <= LONGEST_LINE:
            return
        self.lines.pop()
        self.lines.append(f"{indent}def {statement.name}(")
        arguments = ast.unparse(statement.args).split(", ")
        line = indent + INDENT
        for argument in arguments:
            if len(line) + len(argument) + 1 > LONGEST_LINE:
                self.lines.append(line.rstrip())
                line = indent + INDENT
            line += f"{argument}, "
        self.lines += [line.rstrip(", ").rstrip() + ",", f"{indent}):"]

    def simple(self, statement: ast.stmt, place: tuple[int, int] | None, indent: str) -> None:
        """A statement of its own line, with the comments that the original has in it."""
        behind = ""
        if place is not None:
            inside = range(place[0], place[1] + 1)
            if place[0] == place[1] and place[0] in self.comments and place[0] not in self.written:
                behind = f"  {self.comments[place[0]]}"
                self.written.add(place[0])
            for line in inside:
                self.comment(line, indent)
        text = indent + spelt(statement)
        if len(text) > LONGEST_LINE:
            self.lines += [*wrapped(statement, indent)]
            self.lines[-1] += behind
        elif len(text) + len(behind) > LONGEST_LINE:
            self.lines += [indent + behind.strip(), text]
        else:
            self.lines.append(text + behind)

    def unchanged(self, statement: ast.stmt, origin: ast.stmt) -> bool:
        """Whether the original's text may stand: it says the same, and has its lines alone."""
        if not building.same(statement, origin):
            return False
        first, last = origin.lineno, origin.end_lineno or origin.lineno
        before = self.original[first - 1].encode()[: origin.col_offset].strip()
        after = self.original[last - 1].encode()[origin.end_col_offset :].strip()
        return not before and (not after or after.startswith(b"#")) and first not in self.written


def wrapped(statement: ast.stmt, indent: str) -> Iterator[str]:
    """A long ``return total, {...}`` with an entry on each line; anything else as it is."""
    match statement:
        case ast.Return(value=ast.Tuple(elts=[total, ast.Dict() as table])):
            yield f"{indent}return {spelt(total)}, {{"
            for key, value in zip(table.keys, table.values, strict=True):
                if key is None:
                    yield f"{indent}{INDENT}**{spelt(value)},"
                else:
                    yield f"{indent}{INDENT}{spelt(key)}: {spelt(value)},"
            yield f"{indent}}}"
        case _:
            yield indent + spelt(statement)


def spelt(node: ast.AST) -> str:
    """The text of a node, as people write it: no parentheses around what is returned, names of
    components in double quotes."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and node.value.elts:
        text = f"return {', '.join(ast.unparse(item) for item in node.value.elts)}"
    else:
        text = ast.unparse(node)
    return SINGLE_QUOTED.sub(r'"\1"', text)


def comments_of(source: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError, ValueError):
        return
