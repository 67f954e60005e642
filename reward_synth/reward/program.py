"""Reward programs: from a source to a function of arrays."""

import ast
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reward_synth.reward import advice
from reward_synth.reward.compiled import CompiledReward, code_of
from reward_synth.reward.finding import MOST_FINDINGS, EnoughFindings, Finding, RewardError
from reward_synth.reward.grammar import Grammar
from reward_synth.reward.inference import Inference
from reward_synth.reward.names import ENTRY, PREVIOUS, is_docstring
from reward_synth.reward.namespace import NUMBER, NamespaceName, backend
from reward_synth.reward.source import Lines, read_tree, syntax_finding

LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class RewardProgram:
    """A checked reward program.  Made by :func:`parse`."""

    source: str
    arguments: tuple[str, ...]
    """Variables it reads, in its own order."""
    constants: dict[str, float]
    """Tunable constants and their values; those that count, index or decide are left out."""
    constant_lines: dict[str, int]
    """The line that each tunable constant is defined on."""
    docstring: str
    digest: str
    """SHA-256 of the program without comments, layout, annotations and docstrings."""
    sizes: Mapping[str, int | None] = field(repr=False)
    """Entries of each argument: None for ``(N,)``, d for ``(N, d)``."""
    tree: ast.Module = field(repr=False, compare=False)
    """The rewritten syntax tree that is compiled."""

    def compile(
        self, namespace: NamespaceName = "numpy", constants: Mapping[str, float] | None = None
    ) -> CompiledReward:
        """A function that takes the arguments by name and gives total and components.

        Arguments are arrays of ``namespace``, ``(N,)`` or ``(N, d)``; results are fresh float
        arrays ``(N,)`` of the arguments' dtype and device.  ``constants`` override tunable ones.
        The function raises RewardError, with the program's line, on whatever fails in it, and
        where arguments are missing or of wrong shape.

        Raises RewardError on unknown or infinite constants, ImportError where the namespace's
        library is not installed.
        """
        overrides = {} if constants is None else dict(constants)
        for name, value in overrides.items():
            if name not in self.constants:
                instead = advice.choose(name, self.constants, "tunable constants")
                message = f"the program has no tunable constant '{name}'"
                raise RewardError([Finding(1, 1, "constant", message, instead)])
            if not math.isfinite(value):
                message = f"the constant '{name}' is given the value {value}"
                line = self.constant_lines[name]
                raise RewardError([Finding(line, 1, "constant", message, "give a finite one")])
        tree = Overrides({name: float(value) for name, value in overrides.items()}).apply(self.tree)
        backend(namespace)
        return CompiledReward(tree, self.sizes, namespace)


def check(source: str, variables: Mapping[str, int | None]) -> list[Finding]:
    """What is wrong with a program, in the order of its lines; [] for a right one.

    ``variables`` gives the entries of each variable that it may read, ``action`` among them:
    None for ``(N,)``, d for ``(N, d)``.  Nothing is executed, and no text makes it raise.
    """
    try:
        parse(source, variables)
    except RewardError as error:
        return error.findings
    return []


def parse(source: str, variables: Mapping[str, int | None]) -> RewardProgram:
    """Check a program and make it ready to be compiled; see :func:`check` for the arguments.

    Raises RewardError with every finding where the program is not in the language.
    """
    source = source.removeprefix("\ufeff")
    tree, findings = read_tree(source)
    if tree is None:
        raise RewardError(findings)
    lines = Lines(source)
    grammar = Grammar(tree, variables, lines)
    inference = Inference(variables, lines, grammar.refused)
    try:
        grammar.run(tree)
        canonical = Canonical(grammar.refused).visit(tree)
        with np.errstate(all="ignore"):  # Of numbers, as where the program runs.
            inference.run(canonical)
    except EnoughFindings:
        raise RewardError(tidy([*findings, *grammar.findings, *inference.findings])) from None
    except RecursionError:
        message = "the program is nested too deeply"
        finding = Finding(1, 1, "too-deep", message, "name intermediate results")
        raise RewardError([finding]) from None
    findings = list(tidy([*findings, *grammar.findings, *inference.findings]))
    if findings:
        raise RewardError(findings)
    rewritten = ast.fix_missing_locations(Casts(inference.casts).visit(canonical))
    try:
        code_of(rewritten)
    except SyntaxError as error:  # Python finds some mistakes only here: 21 nested loops
        raise RewardError([syntax_finding(error)]) from None
    entry = inference.functions[ENTRY]
    arguments = tuple(argument.arg for argument in entry.args.args)
    digest = hashlib.sha256(spell_out(canonical).encode()).hexdigest()
    return RewardProgram(
        source=source,
        arguments=arguments,
        constants={name: value for name, (value, _) in inference.constants.items()},
        constant_lines={name: line for name, (_, line) in inference.constants.items()},
        docstring=grammar.docstring,
        digest=digest,
        sizes={
            name: variables[name if name in variables else name.removeprefix(PREVIOUS)]
            for name in arguments
        },
        tree=rewritten,
    )


def tidy(findings: list[Finding]) -> Iterator[Finding]:
    """Findings by line, each place and code once, and not without end."""
    seen: set[tuple[int, int, str]] = set()
    for finding in sorted(findings):
        place = (finding.line, finding.column, finding.code)
        if finding.code and place not in seen and len(seen) < MOST_FINDINGS:
            seen.add(place)
            message, instead = (
                text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
                for text in (finding.message, finding.instead)
            )
            yield Finding(finding.line, finding.column, finding.code, message, instead)


class Canonical(ast.NodeTransformer):
    """The same program without what does not matter, and without in-place changes."""

    def __init__(self, refused: set[int]) -> None:
        self.refused = refused

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = without_docstring(node.body)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = without_docstring(node.body) or [ast.copy_location(ast.Pass(), node)]
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if id(node) in self.refused or node.value is None:
            return node
        assign = ast.Assign(targets=[node.target], value=node.value)
        return self.generic_visit(ast.copy_location(assign, node))  # type: ignore[return-value]

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """``a += b`` becomes ``a = a + b``: an alias of ``a`` keeps its value."""
        if id(node) in self.refused or not isinstance(node.target, ast.Name):
            return node
        read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
        value = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
        assign = ast.Assign(targets=[node.target], value=value)
        return self.generic_visit(ast.copy_location(assign, node))  # type: ignore[return-value]


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] if body and is_docstring(body[0]) else body


class Casts(ast.NodeTransformer):
    """Makes numbers of conditions where the check found that numbers are wanted."""

    def __init__(self, casts: set[ast.expr]) -> None:
        self.casts = casts

    def visit(self, node: ast.AST) -> Any:
        changed = self.generic_visit(node)
        if node in self.casts and isinstance(changed, ast.expr):
            name = ast.copy_location(ast.Name(NUMBER, ast.Load()), node)
            return ast.copy_location(ast.Call(name, [changed], []), node)
        return changed


class Overrides:
    """Other values for a module's constants."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def apply(self, tree: ast.Module) -> ast.Module:
        body = [self.replaced(statement) for statement in tree.body]
        return ast.Module(body=body, type_ignores=[])

    def replaced(self, statement: ast.stmt) -> ast.stmt:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return statement
        value = self.values.get(statement.targets[0].id)
        if value is None:
            return statement
        constant = ast.copy_location(ast.Constant(value), statement.value)
        return ast.copy_location(ast.Assign(statement.targets, constant), statement)


def spell_out(node: Any) -> str:
    """A syntax tree as text that is the same on every version of Python."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        inner = ",".join(f"{name}={spell_out(value)}" for name, value in fields)
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{','.join(spell_out(item) for item in node)}]"
    return repr(node)
