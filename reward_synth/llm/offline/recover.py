"""From a reward program back to its genome.

Each component's expression is compared with what the grammar would write for every term that
its names allow.  So there is no second grammar: what is recovered is exactly what would be
rendered, and a program that was written otherwise (by a person or a language model) gives None.
"""

import ast
import itertools
from collections.abc import Iterator, Mapping
from typing import get_args

from reward_synth.llm.offline.grammar import VECTOR_FORMS, Form, Genome, Shape, Signal, Term
from reward_synth.reward.source import expression_tree, syntax_tree

CONSTANTS = ("weight", "scale", "target", "low", "high", "margin")


def constants_of(tree: ast.Module) -> dict[str, float]:
    """Upper-case numeric constants at the top of a program."""
    found: dict[str, float] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.isupper():
                try:
                    value = ast.literal_eval(node.value)
                except ValueError:
                    continue
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found[name] = float(value)
    return found


def recover(source: str, sizes: Mapping[str, int | None]) -> Genome | None:
    """The genome that renders as ``source``, or None where the grammar did not write it.

    ``sizes`` are the entries of the task's public variables and of ``action``.
    """
    try:
        tree = syntax_tree(source)
    except (SyntaxError, ValueError):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1:
        return None
    constants = constants_of(tree)
    *body, ending = functions[0].body
    terms: list[Term] = []
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            return None
        term = _term(
            statement.targets[0].id, statement.value, constants, sizes, [t.name for t in terms]
        )
        if term is None:
            return None
        terms.append(term)
    genome = Genome(tuple(terms))
    return genome if genome.summed and _same_ending(ending, genome) else None


def _same_ending(ending: ast.stmt, genome: Genome) -> bool:
    total = " + ".join(term.name for term in genome.summed)
    entries = ", ".join(f'"{term.name}": {term.name}' for term in genome.terms)
    wanted = expression_tree(f"({total}, {{{entries}}})")
    given = ending.value if isinstance(ending, ast.Return) else None
    return given is not None and ast.dump(given) == ast.dump(wanted)


def _term(
    name: str,
    expression: ast.expr,
    constants: Mapping[str, float],
    sizes: Mapping[str, int | None],
    earlier: list[str],
) -> Term | None:
    """The term whose expression this is."""
    mentioned = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    values = {
        kind: constants[f"{name.upper()}_{kind.upper()}"]
        for kind in CONSTANTS
        if f"{name.upper()}_{kind.upper()}" in mentioned & constants.keys()
    }
    gates = tuple(node.id for node in _names(expression) if node.id in earlier)
    given = ast.dump(expression)
    for signal in _signals(mentioned, expression, sizes):
        for shape, sign in itertools.product(get_args(Shape), (1, -1)):
            term = Term(
                name,
                shape,
                signal,
                weight=values.get("weight"),
                sign=sign,
                **{kind: values.get(kind) for kind in CONSTANTS if kind != "weight"},
                gates=tuple(dict.fromkeys(gates)),
            )
            if term.constants().keys() <= constants.keys() and _dump(term) == given:
                return term
    return None


def _names(expression: ast.expr) -> list[ast.Name]:
    names = [node for node in ast.walk(expression) if isinstance(node, ast.Name)]
    return sorted(names, key=lambda node: (node.lineno, node.col_offset))


def _dump(term: Term) -> str:
    return ast.dump(expression_tree(term.expression()))


def _signals(
    mentioned: set[str], expression: ast.expr, sizes: Mapping[str, int | None]
) -> Iterator[Signal]:
    """Signals that the grammar can read off the variables that an expression mentions."""
    plain = [name for name in sizes if name in mentioned]
    change = any(f"prev_{name}" in mentioned for name in plain)
    columns = {
        node.slice.elts[1].value
        for node in ast.walk(expression)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Tuple)
        and len(node.slice.elts) == 2
        and isinstance(node.slice.elts[1], ast.Constant)
        and isinstance(node.slice.elts[1].value, int)
    }
    pairs = [(name, None) for name in plain] if len(plain) == 1 else []
    pairs += [(a, b) for a in plain for b in plain if a != b and len(plain) == 2]
    for variable, other in pairs:
        entries = sorted(columns) or [None]
        for form, entry in itertools.product(get_args(Form), entries):
            vector = sizes[variable] is not None and entry is None
            if vector == (form in VECTOR_FORMS):
                yield Signal(variable, form, entry, other, change)
