"""The allow-list of expressions: which operators, names, calls and literals there are."""

import ast
from collections.abc import Iterable

from reward_synth.reward import advice
from reward_synth.reward.finding import MOST_FINDINGS, EnoughFindings, Finding
from reward_synth.reward.names import (
    ENTRY,
    RESERVED,
    Names,
    dotted,
    inner_functions,
    is_join,
    is_string,
)
from reward_synth.reward.source import Lines
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_CONSTANTS, XP_FUNCTIONS

LARGEST_NUMBER = 1e9
MOST_COMPONENTS = 50
LONGEST_COMPONENT_NAME = 60

SIMPLE = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare, ast.Slice, ast.Tuple, ast.List,
    ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.Pass, ast.Return,
)  # fmt: skip
"""Nodes that are allowed wherever Python allows them, if what they hold is allowed."""


class Forms(ast.NodeVisitor):
    """Visits expressions; ``findings`` and ``refused`` (node ids) hold the outcome."""

    def __init__(self, tree: ast.Module, variables: Iterable[str], lines: Lines) -> None:
        self.names = Names(tree, variables)
        self.lines = lines
        self.findings: list[Finding] = []
        self.refused: set[int] = set()
        self.function: ast.FunctionDef | None = None
        self.parameters: set[str] = set()
        """Those of the function that is being visited."""
        self.local: set[str] = set()
        self.inner = inner_functions(tree)

    def refuse(self, node: ast.AST, code: str, message: str, instead: str) -> None:
        line, column = self.lines.position(node)
        self.findings.append(Finding(line, column, code, message, instead))
        self.refused.add(id(node))
        if len(self.findings) >= MOST_FINDINGS:
            raise EnoughFindings

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, SIMPLE):
            super().generic_visit(node)
            return
        for child in ast.iter_child_nodes(node):
            self.visit(child)
        if hasattr(node, "lineno") and isinstance(node, ast.stmt | ast.expr):
            self.refuse(node, *advice.node_advice(node))

    def visit_refused(self, node: ast.AST) -> None:
        """Refuse the whole: names bound inside it would be unknown outside."""
        self.refuse(node, *advice.node_advice(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_refused
    visit_GeneratorExp = visit_Match = visit_refused
    visit_ClassDef = visit_Lambda = visit_JoinedStr = visit_refused
    visit_Raise = visit_Assert = visit_refused
    visit_Import = visit_ImportFrom = visit_AsyncFunctionDef = visit_refused

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.check_read(node)

    def check_read(self, node: ast.Name) -> None:
        name, names = node.id, self.names
        if name in self.local or name in names.globals:
            return
        if name.startswith("__"):
            self.refuse(node, "dunder", f"the name '{name}' is not allowed", "delete it")
        elif name == "xp":
            self.refuse(node, "attribute", "xp stands alone", "write xp.NAME(...)")
        elif name in RESERVED or name in names.functions:
            message = f"the function '{name}' is not called"
            self.refuse(node, "function-value", message, f"write {name}(...)")
        elif name in advice.OTHER_MODULES:
            self.refuse(node, "module", f"the module '{name}' is not available", "write xp.NAME")
        elif name in names.arguments and self.function is not None:
            message = f"'{name}' is not an argument of {self.function.name}"
            self.refuse(node, "not-argument", message, "add it to the arguments")
        elif name in advice.BUILTINS:
            message = f"Python's '{name}' is not available"
            self.refuse(node, "builtin", message, advice.BUILTINS[name])
        else:
            available = [*sorted(self.local), *sorted(names.globals)]
            pool = [*available, *names.arguments, *names.functions, *HELPER_FUNCTIONS]
            guess = advice.nearest(name, pool)
            instead = f"available: {advice.listing(available or names.variables)}"
            instead = f"did you mean '{guess}'? {instead}" if guess else instead
            self.refuse(node, "unknown-name", f"the name '{name}' is unknown", instead)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = dotted(node)
        root, _, rest = path.partition(".")
        if root == "xp" and rest and "xp" not in self.local:
            if rest not in XP_CONSTANTS:
                self.refuse_xp(node, rest)
        elif root in advice.OTHER_MODULES - self.local and rest:
            instead = advice.translate(rest, XP_FUNCTIONS)
            self.refuse(node, "module", f"the module '{root}' is not available", instead)
        else:
            self.visit(node.value)
            if node.attr.startswith("__"):
                message = f"the attribute '{node.attr}' is not allowed"
            else:
                message = f"values have no attribute '{node.attr}'"
            self.refuse(node, "attribute", message, advice.method(node.attr, XP_FUNCTIONS))

    def refuse_xp(self, node: ast.Attribute, rest: str) -> None:
        if rest in XP_FUNCTIONS:
            message = f"the function xp.{rest} is not called"
            self.refuse(node, "function-value", message, f"write xp.{rest}(...)")
        else:
            instead = advice.translate(rest, [*XP_FUNCTIONS, *XP_CONSTANTS])
            self.refuse(node, "unknown-function", f"xp.{rest} is not available", instead)

    def visit_Call(self, node: ast.Call) -> None:
        self.check_called(node.func)
        sigmoids = self.sigmoid_literals(node)
        for argument in node.args:
            if id(argument) not in sigmoids:
                self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                message = "'**' before an argument is not allowed"
                self.refuse(keyword.value, "starred", message, "write the arguments out")
                self.refused.add(id(node))
            elif id(keyword.value) not in sigmoids:
                self.visit(keyword.value)

    def sigmoid_literals(self, node: ast.Call) -> set[int]:
        """The strings that name a sigmoid: the one place for a string beside dict keys."""
        if not (isinstance(node.func, ast.Name) and node.func.id == "tolerance"):
            return set()
        given = [k.value for k in node.keywords if k.arg == "sigmoid"] + node.args[3:4]
        return {id(v) for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)}

    def check_called(self, function: ast.expr) -> None:
        if isinstance(function, ast.Name):
            name = function.id
            if name in HELPER_FUNCTIONS or name in self.names.functions:
                return
            if name in self.inner:
                self.refused.add(id(function))
                return
            if name == "range":
                message = "range stands in a for loop only"
                self.refuse(function, "loop", message, "write for i in range(...)")
            elif name in self.local or name in self.names.globals:
                message = f"'{name}' is not a function"
                self.refuse(function, "not-function", message, "call xp.NAME or a helper")
            elif name in advice.BUILTINS or name.startswith("__") or name == "xp":
                self.check_read(function)
            else:
                known = [*HELPER_FUNCTIONS, *(f for f in self.names.functions if f != ENTRY)]
                instead = advice.choose(name, known, "functions")
                if name in XP_FUNCTIONS:
                    instead = f"write xp.{name}(...)"
                message = f"the function '{name}' is unknown"
                self.refuse(function, "unknown-function", message, instead)
        elif isinstance(function, ast.Attribute):
            path = dotted(function)
            if path.startswith("xp.") and path[3:] in XP_FUNCTIONS:
                return
            if path.startswith("xp.") and path[3:] in XP_CONSTANTS:
                message = f"{path} is a number, not a function"
                self.refuse(function, "not-function", message, f"write {path}")
                return
            self.visit(function)
        else:
            self.visit(function)
            message = "this is not a function"
            self.refuse(function, "not-function", message, "call xp.NAME or a helper by name")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.check_operator(node, node.op)
        self.visit(node.left)
        self.visit(node.right)

    def visit_Compare(self, node: ast.Compare) -> None:
        for operand in [node.left, *node.comparators]:
            self.visit(operand)
        if len(node.ops) > 1:
            message = "comparisons cannot be chained"
            instead = "write (a < x) & (x < b)"
            if any(is_join(operand) for operand in node.comparators):
                message = "'&' and '|' bind tighter than comparisons"
                instead = "put each comparison in parentheses: (a > 0.7) & (b < 0.2)"
            self.refuse(node, "chained", message, instead)
        else:
            self.check_operator(node, node.ops[0])

    def check_operator(self, node: ast.AST, operator: ast.AST) -> None:
        known = advice.OPERATORS.get(type(operator).__name__)
        if known is not None:
            self.refuse(node, "operator", *known)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if is_string(node.slice):
            return
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if isinstance(part, ast.Constant) and part.value in (None, Ellipsis):
                continue
            self.visit(part)

    def visit_Dict(self, node: ast.Dict) -> None:
        if len(node.keys) > MOST_COMPONENTS:
            message = f"there are more than {MOST_COMPONENTS} components"
            self.refuse(node, "too-many", message, "add up those that belong together")
            return
        seen: set[str] = set()
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                message = "'**' in a dict is not allowed"
                self.refuse(value, "starred", message, "write the components out")
                self.refused.add(id(node))
                continue
            self.visit(value)
            self.check_key(node, key, seen)

    def check_key(self, node: ast.Dict, key: ast.expr, seen: set[str]) -> None:
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            message = "a component's name is not a string literal"
            self.refuse(key, "component-name", message, 'write {"name": value}')
            self.refused.add(id(node))
        elif not (key.value.isidentifier() and key.value.isascii()):
            message = f"the component's name {key.value[:60]!r} is not an identifier"
            self.refuse(key, "component-name", message, "use letters, digits and _ only")
        elif len(key.value) > LONGEST_COMPONENT_NAME:
            message = f"the component's name is longer than {LONGEST_COMPONENT_NAME} characters"
            self.refuse(key, "component-name", message, "write a shorter one")
        elif key.value.startswith("__"):
            message = f"the component's name '{key.value}' is not allowed"
            self.refuse(key, "dunder", message, "start it with a letter")
        elif key.value in seen:
            message = f"the component '{key.value}' is there twice"
            self.refuse(key, "component-name", message, "rename one of the two")
        else:
            seen.add(key.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, str | bytes):
            message = "strings are names of components only"
            self.refuse(node, "string", message, "write a number, or delete it")
        elif isinstance(value, complex):
            self.refuse(node, "number", "complex numbers are not allowed", "write a real number")
        elif value is Ellipsis:
            self.refuse(node, "ellipsis", "'...' stands for axes only", "write the code out")
        elif isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
            message = "the number is larger than 1e9"
            self.refuse(node, "number", message, "write a smaller one, or xp.inf as a bound")
