"""The least program that still shows something."""

import ast
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy

PLAIN = ("1.0", "action[:, 0]", "action")
"""What an expression is replaced by."""

Shows = Callable[[str], bool]


def reduce_program(source: str, shows: Shows, seconds: float = 20.0) -> str:
    """The shortest text found, within some seconds, that still ``shows``."""
    ending = time.monotonic() + seconds
    source = fewest_lines(source, shows, ending)
    while time.monotonic() < ending:
        smaller = next(
            (
                text
                for text in simpler(source)
                if time.monotonic() < ending and len(text) < len(source) and shows(text)
            ),
            None,
        )
        if smaller is None:
            break
        source = smaller
    return fewest_lines(source, shows, ending)


def fewest_lines(source: str, shows: Shows, ending: float) -> str:
    """Drop runs of lines, long ones first, as long as it still shows."""
    lines = source.splitlines(keepends=True)
    run = len(lines) // 2
    while run >= 1:
        start = 0
        while start < len(lines) and time.monotonic() < ending:
            fewer = lines[:start] + lines[start + run :]
            if fewer and shows("".join(fewer)):
                lines = fewer
            else:
                start += run
        run //= 2
    return "".join(lines)


def simpler(source: str) -> Iterator[str]:
    """Programs with one node less: without a statement, or with a part in the place of a whole."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        for size in (20, 5, 1):
            for start in range(0, len(source), size):
                yield source[:start] + source[start + size :]
        return
    yield ast.unparse(tree) + "\n"
    for position, node in enumerate(ast.walk(tree)):
        for name, value in ast.iter_fields(node):
            items = value if isinstance(value, list) else [value]
            for index, item in enumerate(items):
                for new in replacements(item, isinstance(value, list)):
                    copy = deepcopy(tree)
                    parent = list(ast.walk(copy))[position]
                    if isinstance(value, list):
                        getattr(parent, name)[index : index + 1] = new
                    else:
                        setattr(parent, name, new[0])
                    try:
                        yield ast.unparse(ast.fix_missing_locations(copy)) + "\n"
                    except Exception:
                        continue  # A tree that is none.


def replacements(node: object, listed: bool) -> Iterator[Sequence[ast.AST]]:
    """What may stand in a node's place; nothing at all where it is one of several."""
    if isinstance(node, ast.stmt | ast.keyword | ast.arg) and listed:
        yield []
    if isinstance(node, ast.If | ast.For):
        yield list(node.body)
        yield list(node.orelse)
    if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        if listed:
            yield []
        yield from ([child] for child in ast.walk(node) if isinstance(child, ast.expr))
        yield from ([ast.parse(text, mode="eval").body] for text in PLAIN)
