"""Names in a program: which there are, what they stand for, and where they are bound."""

import ast
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reward_synth.reward.vocabulary import HELPER_FUNCTIONS

ENTRY = "compute_reward"
PREVIOUS = "prev_"
RESERVED = frozenset({"xp", "range", ENTRY, *HELPER_FUNCTIONS})
"""Names that mean something already."""


class Names:
    """What a program may call upon: its own functions and constants, and the task's variables."""

    def __init__(self, tree: ast.Module, variables: Iterable[str]) -> None:
        self.variables = list(variables)
        self.arguments = [*self.variables, *(PREVIOUS + name for name in self.variables)]
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        self.functions: Mapping[str, ast.FunctionDef] = MappingProxyType(
            {function.name: function for function in functions}
        )
        self.globals = {
            name.id
            for statement in tree.body
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            for name in ast.walk(statement)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute chain on a name; '' for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def is_join(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)


def is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def is_ellipsis(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and is_string(statement.value)


def all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    extra = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def inner_functions(tree: ast.Module) -> set[str]:
    """Names of functions that are defined inside others: refused where they are defined."""
    found = set()
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and id(node) not in top:
            found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def stored_names(function: ast.AST) -> set[str]:
    """Names that are assigned anywhere inside."""
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
