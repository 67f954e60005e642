"""Module-level crossover: a component of one reward program put into another, by the syntax tree.

After R* (Li et al., ICML 2025), where a reward is a set of modules and offspring take modules from
two parents; no model is asked.  Only straight-line programs are cut: assignments to names, then
``return total, {"component": …}``.
"""

import ast
import copy
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import cast

from reward_synth.reward.source import syntax_tree

ENTRY = "compute_reward"


@dataclass(frozen=True)
class Parts:
    """A program taken apart."""

    module: ast.Module
    function: ast.FunctionDef
    statements: list[ast.Assign | ast.AugAssign]
    total: ast.expr
    components: dict[str, ast.expr]

    @property
    def arguments(self) -> list[str]:
        return [argument.arg for argument in self.function.args.args]

    @property
    def outside(self) -> dict[str, ast.stmt]:
        """Constants and helper functions by name."""
        found: dict[str, ast.stmt] = {}
        for statement in self.module.body:
            if isinstance(statement, ast.FunctionDef) and statement is not self.function:
                found[statement.name] = statement
            elif isinstance(statement, ast.Assign):
                found |= {name: statement for name in written(statement)}
        return found


def take_apart(source: str) -> Parts | None:
    """The parts of a straight-line program; None for any other."""
    try:
        module = syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == ENTRY]
    if len(functions) != 1:
        return None
    *body, end = functions[0].body
    if body and ast.get_docstring(functions[0]) is not None:
        body = body[1:]
    statements = [s for s in body if isinstance(s, ast.Assign | ast.AugAssign) and written(s)]
    if len(statements) != len(body) or not isinstance(end, ast.Return):
        return None
    value = end.value
    if not (
        isinstance(value, ast.Tuple)
        and len(value.elts) == 2
        and isinstance(value.elts[1], ast.Dict)
    ):
        return None
    total, entries = value.elts
    assert isinstance(entries, ast.Dict)
    keys = [key.value for key in entries.keys if isinstance(key, ast.Constant)]
    if len(keys) != len(entries.keys) or not all(isinstance(key, str) for key in keys):
        return None
    components = dict(zip([str(key) for key in keys], entries.values, strict=True))
    return Parts(module, functions[0], statements, total, components)


def written(statement: ast.Assign | ast.AugAssign) -> list[str]:
    """Names that a statement assigns; [] where it assigns anything else."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return names if len(names) == len(targets) else []


def read(node: ast.AST) -> set[str]:
    """Names that are read within a node, those that an augmented assignment changes included."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    if isinstance(node, ast.Assign):
        names -= {n for n in written(node) if not reads_itself(node, n)}
    return names


def reads_itself(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(statement.value))


def needed_for(parts: Parts, values: Sequence[ast.AST]) -> list[ast.Assign | ast.AugAssign]:
    """The statements that ``values`` depend on, in their order (a backward slice)."""
    needed = set().union(*(read(value) for value in values))
    kept = []
    for statement in reversed(parts.statements):
        if needed & set(written(statement)):
            if isinstance(statement, ast.Assign):
                needed -= set(written(statement))
            needed |= read(statement)
            kept.append(statement)
    return kept[::-1]


def transplant(recipient: str, donor: str, component: str) -> str | None:
    """``recipient`` with the donor's component of that name, added to the total.

    It takes the place of the recipient's own one of that name if that is added there, too.  None
    where a program cannot be cut or the donor has no such component.
    """
    into, out = take_apart(recipient), take_apart(donor)
    if into is None or out is None or component not in out.components:
        return None
    value = out.components[component]
    body = needed_for(out, [value])
    used = set().union(read(value), *(read(statement) for statement in body))
    outside = closure(out, used)
    taken = names_of(into)
    locals_ = {name for statement in body for name in written(statement)}
    renamed = {
        name: fresh(name, taken | locals_ | set(out.arguments))
        for name in sorted(locals_ | clashing(outside, into))
        if name in taken
    }
    if any(isinstance(s, ast.FunctionDef) and shadows(s, renamed) for s in outside.values()):
        return None
    rename = Rename(renamed)
    grown = [rename.visit(copy.deepcopy(statement)) for statement in body]
    value = rename.visit(copy.deepcopy(value))
    new = value.id if isinstance(value, ast.Name) else fresh(component, taken | locals_)
    if not isinstance(value, ast.Name):
        grown.append(ast.Assign([ast.Name(new, ast.Store())], value))
    total, components = into.total, dict(into.components)
    own = components.get(component)
    if isinstance(own, ast.Name) and own.id in addends(total) and count(total, own.id) == 1:
        total = Rename({own.id: new}).visit(copy.deepcopy(total))
    else:
        total = ast.BinOp(total, ast.Add(), ast.Name(new, ast.Load()))
        component = fresh(component, set(components))
    components[component] = ast.Name(new, ast.Load())
    kept = needed_for(into, [total, *components.values()])
    brought = [
        rename.visit(copy.deepcopy(s)) for n, s in outside.items() if n in renamed or n not in taken
    ]
    return assembled(into, [*kept, *grown], total, components, brought, out)


def closure(parts: Parts, names: set[str]) -> dict[str, ast.stmt]:
    """Constants and helper functions that ``names`` stand for, and what those need."""
    found: dict[str, ast.stmt] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name in parts.outside and name not in found:
            found[name] = parts.outside[name]
            waiting += sorted(read(found[name]))
    return {name: found[name] for name in parts.outside if name in found}


def clashing(outside: dict[str, ast.stmt], into: Parts) -> set[str]:
    """Constants and helpers of which the other program has none, or has one that means something
    else: it reads otherwise, or what it reads does."""
    theirs = into.outside
    found = {n for n, s in outside.items() if n not in theirs or ast.dump(theirs[n]) != ast.dump(s)}
    while more := {n for n, s in outside.items() if n not in found and read(s) & found}:
        found |= more
    return found


def names_of(parts: Parts) -> set[str]:
    """Every name that a program assigns or defines; its arguments are the task's."""
    return {n for s in parts.statements for n in written(s)} | set(parts.outside)


def fresh(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return name if name not in taken else f"{name}_{number}"


def addends(total: ast.expr) -> set[str]:
    """Names that are added up to a total."""
    if isinstance(total, ast.BinOp) and isinstance(total.op, ast.Add):
        return addends(total.left) | addends(total.right)
    return {total.id} if isinstance(total, ast.Name) else set()


def count(node: ast.AST, name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


class Rename(ast.NodeTransformer):
    """Other names for names, and for the helper functions that they name."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self.names.get(node.name, node.name)
        return (
            node if shadows(node, self.names) else cast(ast.FunctionDef, self.generic_visit(node))
        )


def shadows(helper: ast.FunctionDef, names: Container[str]) -> bool:
    """Whether a helper has names of its own among ``names``, which would be renamed with them."""
    own = {a.arg for a in helper.args.args}
    own |= {
        n.id for n in ast.walk(helper) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return any(name in names for name in own)


def assembled(
    parts: Parts,
    body: Sequence[ast.stmt],
    total: ast.expr,
    components: dict[str, ast.expr],
    brought: Sequence[ast.stmt],
    donor: Parts,
) -> str:
    """The text of a program like ``parts`` with another body, and constants and helpers more."""
    used = set().union(*(read(node) for node in (*body, total, *components.values())))
    arguments = [n for n in dict.fromkeys((*parts.arguments, *donor.arguments)) if n in used]
    keys: list[ast.expr | None] = [ast.Constant(name) for name in components]
    end = ast.Return(ast.Tuple([total, ast.Dict(keys, list(components.values()))], ast.Load()))
    doc = parts.function.body[:1] if ast.get_docstring(parts.function) is not None else []
    function = copy.deepcopy(parts.function)
    function.args.args = [ast.arg(name) for name in arguments]
    function.body = [*doc, *body, end]
    wanted = closure(parts, used | set().union(*(read(statement) for statement in brought), set()))
    outside = [s for s in parts.module.body if any(s is kept for kept in wanted.values())]
    module = ast.Module([*outside, *brought, function], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"
