"""The allow-list: which constructs and which names a reward program may hold.

This first pass looks at the form alone, in all of the program, also where it would never get
to.  What it refuses is remembered, so that the second pass (``inference``) stays silent on it.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reward_synth.reward import advice
from reward_synth.reward.finding import Finding
from reward_synth.reward.source import Lines
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_CONSTANTS, XP_FUNCTIONS

ENTRY = "compute_reward"
LARGEST_NUMBER = 1e9
CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
PREVIOUS = "prev_"
RESERVED = frozenset({"xp", "range", ENTRY, *HELPER_FUNCTIONS})
"""Names that mean something already."""

SIMPLE = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare, ast.Slice, ast.Tuple, ast.List,
    ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.Pass, ast.Return,
)  # fmt: skip
"""Nodes that are allowed wherever Python allows them, if what they hold is allowed."""


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


class Grammar(ast.NodeVisitor):
    """Walks a module; ``findings`` and ``refused`` (node ids) hold the outcome."""

    def __init__(self, tree: ast.Module, variables: Iterable[str], lines: Lines) -> None:
        self.names = Names(tree, variables)
        self.lines = lines
        self.findings: list[Finding] = []
        self.refused: set[int] = set()
        self.function: ast.FunctionDef | None = None
        self.local: set[str] = set()
        entry = self.names.functions.get(ENTRY)
        self.docstring = (ast.get_docstring(entry) or "") if entry else ""
        self.check_module(tree)

    def refuse(self, node: ast.AST, code: str, message: str, instead: str) -> None:
        line, column = self.lines.position(node)
        self.findings.append(Finding(line, column, code, message, instead))
        self.refused.add(id(node))

    # Statements

    def check_module(self, tree: ast.Module) -> None:
        seen: set[str] = set()
        for position, statement in enumerate(tree.body):
            if isinstance(statement, ast.FunctionDef):
                self.check_function(statement, seen)
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                self.check_constant(statement, seen)
            elif position == 0 and is_docstring(statement):
                continue
            elif type(statement).__name__ in advice.STATEMENTS:
                self.refuse(statement, *advice.node_advice(statement))
            else:
                message = "only constants and functions stand at the top level"
                self.refuse(statement, "top-level", message, f"move it into {ENTRY}")
        if ENTRY not in self.names.functions:
            misnamed = advice.nearest(ENTRY, self.names.functions)
            line = self.names.functions[misnamed].lineno if misnamed else 1
            message = f"there is no function {ENTRY}"
            instead = f"define def {ENTRY}(...): that returns total, components"
            self.findings.append(Finding(line, 1, "no-entry", message, instead))

    def check_constant(self, statement: ast.Assign | ast.AnnAssign, seen: set[str]) -> None:
        """``NAME = number`` at the top level."""
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if len(statement.targets) == 1 else None
        else:
            target = statement.target
        value = statement.value
        if not isinstance(target, ast.Name) or value is None:
            message = "a constant is one name and one value"
            self.refuse(statement, "constant", message, "write NAME = 1.0")
            return
        name = target.id
        if name in RESERVED or name in self.names.functions or name in self.names.arguments:
            message = f"the name '{name}' means something already"
            self.refuse(target, "shadow", message, "choose another name")
        elif not CONSTANT_NAME.fullmatch(name):
            message = f"the constant '{name}' is not in upper case"
            instead = f"write {name.upper().lstrip('_') or 'NAME'}, or move it into {ENTRY}"
            self.refuse(target, "constant-case", message, instead)
        elif name in seen:
            message = f"the constant '{name}' is defined twice"
            self.refuse(target, "twice", message, "delete one of the two")
        seen.add(name)
        self.visit(value)

    def check_function(self, function: ast.FunctionDef, seen: set[str]) -> None:
        name = function.name
        if name in seen:
            message = f"the function '{name}' is defined twice"
            self.refuse(function, "twice", message, "delete one of the two")
        elif name in RESERVED - {ENTRY} or name in self.names.arguments:
            message = f"the name '{name}' means something already"
            self.refuse(function, "shadow", message, "choose another name")
        elif name.startswith("__"):
            self.refuse(function, "dunder", f"the name '{name}' is not allowed", "rename it")
        seen.add(name)
        for decorator in function.decorator_list:
            self.refuse(decorator, "decorator", "decorators are not allowed", "delete it")
        if getattr(function, "type_params", None):
            message = "type parameters are not allowed"
            self.refuse(function, "construct", message, "delete them")
        self.check_parameters(function)
        parameters = {argument.arg for argument in all_arguments(function.args)}
        self.function = function
        self.local = parameters | stored_names(function)
        body = function.body[1:] if is_docstring(function.body[0]) else function.body
        for statement in body:
            self.visit(statement)
        self.function, self.local = None, set()

    def check_parameters(self, function: ast.FunctionDef) -> None:
        arguments = function.args
        odd = [*arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in odd:
            if argument is not None:
                message = f"the argument '{argument.arg}' is not a plain name"
                self.refuse(argument, "argument", message, "write plain names, without / and *")
        entry = function.name == ENTRY
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            if entry:
                message = f"arguments of {ENTRY} have no default values"
                instead = "define an upper-case constant at the top level"
                self.refuse(default, "default", message, instead)
            else:
                self.visit(default)
        if entry and not arguments.args:
            message = f"{ENTRY} takes no variables"
            instead = f"name those that it reads; variables: {advice.listing(self.names.variables)}"
            self.refuse(function, "argument", message, instead)
        for argument in arguments.args:
            name = argument.arg
            if entry and name not in self.names.arguments:
                message = f"'{name}' is not a variable of this task"
                if name == "self":
                    instead = "delete it: the program is a plain function"
                else:
                    known = [*self.names.variables]
                    guess = advice.nearest(name, self.names.arguments)
                    instead = f"variables: {advice.listing(known)} (each also as prev_NAME)"
                    instead = f"did you mean '{guess}'? {instead}" if guess else instead
                self.refuse(argument, "unknown-variable", message, instead)
            elif not entry and (name in RESERVED or name in self.names.functions):
                message = f"the name '{name}' means something already"
                self.refuse(argument, "shadow", message, "choose another name")
            elif name in self.names.globals:
                message = f"the argument '{name}' hides the constant of that name"
                self.refuse(argument, "shadow", message, "choose another name")

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, SIMPLE):
            super().generic_visit(node)
            return
        for child in ast.iter_child_nodes(node):
            self.visit(child)
        if hasattr(node, "lineno") and isinstance(node, ast.stmt | ast.expr):
            self.refuse(node, *advice.node_advice(node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        message = f"the function '{node.name}' is defined inside another"
        self.refuse(node, "nested-function", message, "define it at the top level")

    def visit_refused(self, node: ast.AST) -> None:
        """Refuse the whole: names bound inside it would be unknown outside."""
        self.refuse(node, *advice.node_advice(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_refused
    visit_GeneratorExp = visit_Match = visit_refused
    visit_ClassDef = visit_Lambda = visit_JoinedStr = visit_refused
    visit_Import = visit_ImportFrom = visit_AsyncFunctionDef = visit_refused

    def visit_Try(self, node: ast.Try) -> None:
        for statement in node.body:
            self.visit(statement)
        self.visit_refused(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.check_target(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.check_target(node.target)
        if node.value is None:
            message = "a declaration without a value does nothing"
            self.refuse(node, "declaration", message, "assign a value, or delete it")
        else:
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.check_target(node.target)
        if isinstance(node.target, ast.Name):
            self.check_read(node.target)
        self.check_operator(node, node.op)
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    def visit_For(self, node: ast.For) -> None:
        self.check_target(node.target, "the loop variable")
        call = node.iter
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            if call.func.id != "range":
                message = f"a loop over {call.func.id}(...) is not allowed"
                self.refuse(call, "loop", message, "write for i in range(...) with numbers")
            elif call.keywords or not 1 <= len(call.args) <= 3:
                message = "range takes one to three numbers"
                self.refuse(call, "loop", message, "write range(3) or range(0, 6, 2)")
            else:
                for argument in call.args:
                    self.visit(argument)
        else:
            message = "a loop runs over range(...) only"
            self.refuse(call, "loop", message, "write for i in range(...) with numbers")
        for statement in node.body:
            self.visit(statement)
        if node.orelse:
            message = "else after a loop is not allowed"
            self.refuse(node.orelse[0], "loop", message, "write it after the loop")

    def visit_Expr(self, node: ast.Expr) -> None:
        if is_docstring(node):
            message = "a string on its own does nothing"
            self.refuse(node, "string", message, "write a comment (#)")
            return
        before = len(self.findings)
        self.visit(node.value)
        if len(self.findings) == before:
            message = "the value of this line is not used"
            self.refuse(node, "no-effect", message, "assign it to a name, or delete it")

    def check_target(self, target: ast.expr, what: str = "a target") -> None:
        """What an assignment stores into: names, or tuples of them."""
        if isinstance(target, ast.Tuple | ast.List) and what == "a target":
            for item in target.elts:
                self.check_target(item)
        elif isinstance(target, ast.Name):
            self.check_new_name(target)
        elif isinstance(target, ast.Subscript):
            message = "arrays and dicts cannot be changed in place"
            instead = "build a new one: xp.where(condition, a, b), xp.stack((a, b), axis=-1), {...}"
            self.refuse(target, "in-place", message, instead)
        elif isinstance(target, ast.Attribute):
            message = "attributes cannot be assigned"
            self.refuse(target, "attribute", message, "assign to a plain name")
        elif isinstance(target, ast.Starred):
            self.refuse(target, *advice.node_advice(target))
        else:
            self.refuse(target, "loop", f"{what} must be one name", "write for i in range(...)")

    def check_new_name(self, target: ast.Name) -> None:
        name = target.id
        function = self.function
        parameters = {a.arg for a in all_arguments(function.args)} if function else set()
        if name.startswith("__"):
            self.refuse(target, "dunder", f"the name '{name}' is not allowed", "rename it")
        elif name in RESERVED or name in self.names.functions:
            message = f"the name '{name}' means something already"
            self.refuse(target, "shadow", message, "choose another name")
        elif name in self.names.globals:
            message = f"the constant '{name}' cannot be assigned again"
            self.refuse(target, "shadow", message, "choose another name")
        elif name in self.names.arguments and name not in parameters:
            message = f"'{name}' is a variable of the task, but not an argument"
            instead = "add it to the arguments, or choose another name"
            self.refuse(target, "shadow", message, instead)

    # Expressions

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
            if name == "range":
                message = "range stands in a for loop only"
                self.refuse(function, "loop", message, "write for i in range(...)")
            elif name in self.local or name in self.names.globals:
                message = f"'{name}' is not a function"
                self.refuse(function, "not-function", message, "call xp.NAME or a helper")
            elif name in advice.BUILTINS or name.startswith("__") or name == "xp":
                self.check_read(function)
            else:
                known = [*HELPER_FUNCTIONS, *self.names.functions]
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
            self.refuse(node, "chained", message, "write (a < x) & (x < b)")
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


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute chain on a name; '' for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and is_string(statement.value)


def all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    extra = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def stored_names(function: ast.AST) -> set[str]:
    """Names that are assigned anywhere inside."""
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
