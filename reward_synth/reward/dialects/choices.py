"""Choices by row: returns brought together, and values that are read once put where they are."""

import ast

from reward_synth.reward.dialects import building

MOST_RETURNS = 5
"""Each may double what follows it."""


def with_one_return(body: list[ast.stmt], total: str, components: str) -> list[ast.stmt] | None:
    """``body`` with a single return at its end; None where some path ends without one."""
    returned = [n for n in building.simple_statements(body) if isinstance(n, ast.Return)]
    pairs = [isinstance(n.value, ast.Tuple) and len(n.value.elts) == 2 for n in returned]
    if (not all(pairs) and any(pairs)) or len(returned) > MOST_RETURNS:
        return None
    tail = to_result(body, total, components if all(pairs) else None)
    if tail is None:
        return None
    last = returned[-1]
    value: ast.expr = building.name(total)
    if all(pairs):
        value = building.tuple_of([value, building.name(components)])
    return [*tail, building.placed(ast.Return(value), last)]


def to_result(body: list[ast.stmt], total: str, components: str | None) -> list[ast.stmt] | None:
    """``body`` with assignments where it returns, whatever follows a return for some rows moved
    into the other branch."""
    for position, statement in enumerate(body):
        if isinstance(statement, ast.Return):
            return [*body[:position], *assigned(statement, total, components)]
        inner = list(building.simple_statements([statement]))
        if not any(isinstance(node, ast.Return) for node in inner):
            continue
        if not isinstance(statement, ast.If):
            return None
        rest = body[position + 1 :]
        first = to_result(branch(statement.body, rest), total, components)
        second = to_result(branch(statement.orelse, rest), total, components)
        if first is None or second is None:
            return None
        new = ast.copy_location(ast.If(statement.test, first, second), statement)
        return [*body[:position], new]
    return None


def branch(body: list[ast.stmt], rest: list[ast.stmt]) -> list[ast.stmt]:
    """A branch with what follows the ``if``, unless it returns."""
    return body if body and isinstance(body[-1], ast.Return) else [*body, *rest]


def assigned(statement: ast.Return, total: str, components: str | None) -> list[ast.stmt]:
    value = statement.value or ast.Constant(None)
    targets, values = [total], [value]
    if components is not None and isinstance(value, ast.Tuple):
        targets, values = [total, components], value.elts
    return [
        building.placed(ast.Assign([ast.Name(target, ast.Store())], each), statement)
        for target, each in zip(targets, values, strict=True)
    ]


def inlined(
    given: list[ast.stmt], choices: list[ast.stmt]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Values that one choice alone reads, written inside it.

    A value stays where it is if an earlier choice changes something that it reads.
    """
    assigned_by_choice = [target_of(choice) for choice in choices]
    kept: list[ast.stmt] = []
    for position, statement in enumerate(given):
        target = target_of(statement)
        others = [s for s in given[:position] + given[position + 1 :]]
        readers = [c for c in choices if reads(c, target) == 1]
        alone = (
            target
            and isinstance(statement, ast.Assign)
            and not any(target in stored(other) or reads(other, target) for other in others)
            and len(readers) == 1
            and sum(reads(c, target) for c in choices) == 1
        )
        if not alone:
            kept.append(statement)
            continue
        assert isinstance(statement, ast.Assign)
        reader = readers[0]
        earlier = {t for t in assigned_by_choice[: choices.index(reader)] if t}
        later = {t for other in given[position + 1 :] for t in stored(other)}
        if building.names_read(statement.value) & (earlier | later):
            kept.append(statement)
            continue
        new = Inline(target, statement.value).visit(reader)
        choices = [new if choice is reader else choice for choice in choices]
    return kept, choices


def target_of(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=known)]):
            return known
    return ""


def stored(statement: ast.AST) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def reads(statement: ast.AST, known: str) -> int:
    return sum(
        isinstance(node, ast.Name) and node.id == known and isinstance(node.ctx, ast.Load)
        for node in ast.walk(statement)
    )


class Inline(ast.NodeTransformer):
    def __init__(self, known: str, value: ast.expr) -> None:
        self.known, self.value = known, value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.value if node.id == self.known and isinstance(node.ctx, ast.Load) else node
