"""Pieces of syntax trees: what a translation is put together from."""

import ast
import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


def name(identifier: str) -> ast.Name:
    return ast.Name(identifier, ast.Load())


def dot(path: str) -> ast.expr:
    """``xp.linalg.cross`` as an attribute chain."""
    first, *rest = path.split(".")
    node: ast.expr = name(first)
    for part in rest:
        node = ast.Attribute(node, part, ast.Load())
    return node


def call(path: str, *arguments: ast.expr, **keywords: ast.expr | None) -> ast.Call:
    """``path(*arguments, **keywords)``; keywords that are None are left out."""
    given = [ast.keyword(key, value) for key, value in keywords.items() if value is not None]
    return ast.Call(dot(path), list(arguments), given)


def number(value: float) -> ast.expr:
    """A number as Python writes it: a minus sign stands before it, infinity has a name."""
    if value < 0 or (value == 0 and math.copysign(1.0, value) < 0):
        return ast.UnaryOp(ast.USub(), number(-value))
    return dot("xp.inf") if math.isinf(value) else ast.Constant(value)


def binary(left: ast.expr, operator: ast.operator, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left, operator, right)


def chain(items: Iterable[ast.expr], operator: ast.operator) -> ast.expr:
    """``a + b + c``."""
    first, *rest = items
    for item in rest:
        first = binary(first, operator, item)
    return first


def nested(path: str, items: Iterable[ast.expr]) -> ast.expr:
    """``path(path(a, b), c)``."""
    first, *rest = items
    for item in rest:
        first = call(path, first, item)
    return first


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [operator], [right])


def column(node: ast.expr, index: ast.expr) -> ast.Subscript:
    """``node[:, index]``."""
    return ast.Subscript(node, ast.Tuple([ast.Slice(), index], ast.Load()), ast.Load())


def tuple_of(items: Iterable[ast.expr]) -> ast.Tuple:
    return ast.Tuple(list(items), ast.Load())


def text_dict(entries: Iterable[tuple[str, ast.expr]]) -> ast.Dict:
    pairs = list(entries)
    return ast.Dict([ast.Constant(key) for key, _ in pairs], [value for _, value in pairs])


def same(first: ast.AST, second: ast.AST) -> bool:
    return ast.dump(first) == ast.dump(second)


def placed(node: Node, like: ast.AST) -> Node:
    """``node`` with the place of ``like`` wherever it has none of its own."""
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if getattr(part, "lineno", None) is None and "lineno" in part._attributes:
            ast.copy_location(part, like)
        elif part is not node and "lineno" in part._attributes:
            continue
        waiting.extend(ast.iter_child_nodes(part))
    return node


def names_read(node: ast.AST) -> set[str]:
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }


def numbers_in(node: ast.expr) -> int | float | None:
    """The number that an expression spells out, None for any other."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return None


def simple_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement of ``body`` and of the blocks in it, but not of functions in it."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from simple_statements(getattr(statement, field, []))
