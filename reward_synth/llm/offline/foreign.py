"""Varying reward programs that this grammar did not write: a person's or a language model's.

Their text is kept and edited at places that the syntax tree gives: constants are changed where
they stand, and a term of the grammar is added to the returned total and components.
"""

import ast
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from reward_synth.llm.offline.grammar import Term, rounded
from reward_synth.llm.offline.recover import constants_of
from reward_synth.reward.source import syntax_tree

STEP = 0.4
"""Standard deviation of a constant's change, in natural logarithms."""

Edit = tuple[int, int, str]
"""Byte offsets of a piece of the source, and what stands there instead."""


def vary_constants(source: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """Change one to three tunable constants, or where there are none a number in the function.

    Gives the new source and a note, or None where there is no number to change.
    """
    tree = syntax_tree(source)
    places = _constants(tree) or _numbers(tree)
    if not places:
        return None
    count = min(len(places), int(rng.integers(1, 4)))
    chosen = sorted(int(index) for index in rng.choice(len(places), size=count, replace=False))
    edits: list[Edit] = []
    notes: list[str] = []
    for index in chosen:
        name, node, value = places[index]
        changed = rounded(value * float(np.exp(rng.normal(0.0, STEP))))
        edits.append((*_span(source, node), repr(changed)))
        notes.append(f"{name} {value:g} to {changed:g}")
    return _edited(source, edits), ", ".join(notes)


def graft(source: str, term: Term) -> str | None:
    """Add ``term`` to a program that returns ``total, {components}``; None for other endings."""
    tree = syntax_tree(source)
    function = next((n for n in tree.body if _is_reward(n)), None)
    if not isinstance(function, ast.FunctionDef) or not isinstance(function.body[-1], ast.Return):
        return None
    ending = function.body[-1]
    value = ending.value
    if not (
        isinstance(value, ast.Tuple)
        and len(value.elts) == 2
        and isinstance(value.elts[1], ast.Dict)
        and value.elts[1].keys
    ):
        return None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    arguments = [argument.arg for argument in function.args.args]
    names |= set(arguments) | set(constants_of(tree))
    while term.name in names or any(name in names for name in term.constants()):
        term = replace(term, name=f"{term.name}_more")
    missing = [name for name in term.signal.arguments() if name not in arguments]
    total, components = value.elts
    body_indent = " " * ending.col_offset
    start, end = _span(source, total)
    closing = _span(source, components)[1] - 1
    inner = source.encode()[start:end].decode()
    edits: list[Edit] = [
        (start, end, f"({inner}) + {term.name}"),
        (closing, closing, f', "{term.name}": {term.name}'),
    ]
    line_start = _offset(source, ending.lineno, 0)
    edits.append((line_start, line_start, f"{body_indent}{term.name} = {term.expression()}\n"))
    if missing:
        last = _span(source, function.args.args[-1])[1] if arguments else None
        if last is None:
            return None
        edits.append((last, last, "".join(f", {name}" for name in missing)))
    constants = "".join(f"{name} = {value!r}\n" for name, value in term.constants().items())
    trimmed = _without_trailing_comma(source, components, edits)
    return constants + _edited(source, trimmed)


def _without_trailing_comma(source: str, components: ast.expr, edits: list[Edit]) -> list[Edit]:
    """A dict literal that ends in a comma takes the new entry without another one."""
    end = _span(source, components)[1] - 1
    before = source.encode()[:end].decode().rstrip()
    if not before.endswith(","):
        return edits
    return [(a, b, text.removeprefix(", ") if a == b == end else text) for a, b, text in edits]


def _is_reward(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "compute_reward"


def _constants(tree: ast.Module) -> list[tuple[str, ast.expr, float]]:
    """Upper-case constants that are not 0, with the node of their value."""
    values: Mapping[str, float] = constants_of(tree)
    return [
        (node.targets[0].id, node.value, values[node.targets[0].id])
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and values.get(node.targets[0].id)
    ]


def _numbers(tree: ast.Module) -> list[tuple[str, ast.expr, float]]:
    """Floating-point numbers within functions, but for the values of keywords and bounds."""
    return [
        (f"{node.value:g}", node, node.value)
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value != 0.0
    ]


def _offset(source: str, line: int, column: int) -> int:
    """Byte offset of a place that ``ast`` gives as line (from 1) and UTF-8 column."""
    lines = source.encode().splitlines(keepends=True)
    return sum(len(text) for text in lines[: line - 1]) + column


def _span(source: str, node: ast.expr | ast.arg) -> tuple[int, int]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return (
        _offset(source, node.lineno, node.col_offset),
        _offset(source, node.end_lineno, node.end_col_offset),
    )


def _edited(source: str, edits: list[Edit]) -> str:
    data = source.encode()
    for start, end, text in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        data = data[:start] + text.encode() + data[end:]
    return data.decode()
