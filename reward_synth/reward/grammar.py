"""The allow-list: which constructs and which names a reward program may hold.

This first pass looks at the form alone, in all of the program, also where it would never get
to.  What it refuses is remembered, so that the second pass (``inference``) stays silent on it.
"""

import ast
import re
from collections.abc import Iterable

from reward_synth.reward import advice
from reward_synth.reward.finding import EnoughFindings, Finding
from reward_synth.reward.forms import Forms
from reward_synth.reward.names import ENTRY, RESERVED, all_arguments, is_docstring, stored_names
from reward_synth.reward.source import Lines

CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
MOST_CONSTANTS = 100


class Grammar(Forms):
    """Walks a module by :meth:`run`; ``findings`` and ``refused`` (node ids) are the outcome."""

    def __init__(self, tree: ast.Module, variables: Iterable[str], lines: Lines) -> None:
        super().__init__(tree, variables, lines)
        entry = self.names.functions.get(ENTRY)
        self.docstring = (ast.get_docstring(entry) or "") if entry else ""
        self.constants = 0

    def run(self, tree: ast.Module) -> None:
        """Walk the module.  Raises EnoughFindings where there are too many to go on."""
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
            instead = f"rename '{misnamed}' to {ENTRY}" if misnamed else instead
            self.findings.append(Finding(line, 1, "no-entry", message, instead))

    def check_constant(self, statement: ast.Assign | ast.AnnAssign, seen: set[str]) -> None:
        """``NAME = number`` at the top level."""
        self.constants += 1
        if self.constants > MOST_CONSTANTS:
            message = f"there are more than {MOST_CONSTANTS} constants"
            self.refuse(statement, "too-many", message, "write the numbers where they are used")
            raise EnoughFindings
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
        self.function, self.parameters = function, parameters
        self.local = parameters | stored_names(function)
        body = function.body[1:] if is_docstring(function.body[0]) else function.body
        for statement in body:
            self.visit(statement)
        self.function, self.parameters, self.local = None, set(), set()

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
        defaulted = arguments.args[len(arguments.args) - len(arguments.defaults) :]
        seen: set[str] = set()
        for argument in arguments.args:
            name = argument.arg
            if name in seen:
                message = f"the argument '{name}' is there twice"
                self.refuse(argument, "twice", message, "delete one of the two")
            seen.add(name)
            if name.startswith("__"):
                self.refuse(argument, "dunder", f"the name '{name}' is not allowed", "rename it")
            elif entry and name not in self.names.arguments:
                if argument in defaulted:
                    continue  # The default was refused already, with better advice.
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

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        message = f"the function '{node.name}' is defined inside another"
        self.refuse(node, "nested-function", message, "define it at the top level")

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
        if name.startswith("__"):
            self.refuse(target, "dunder", f"the name '{name}' is not allowed", "rename it")
        elif name in RESERVED or name in self.names.functions:
            message = f"the name '{name}' means something already"
            self.refuse(target, "shadow", message, "choose another name")
        elif name in self.names.globals:
            message = f"the constant '{name}' cannot be assigned again"
            self.refuse(target, "shadow", message, "choose another name")
        elif name in self.names.arguments and name not in self.parameters:
            message = f"'{name}' is a variable of the task, but not an argument"
            instead = "add it to the arguments, or choose another name"
            self.refuse(target, "shadow", message, instead)
