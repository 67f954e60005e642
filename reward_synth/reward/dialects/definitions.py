"""The functions of a program of another dialect: their arguments, their calls, what they return."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.building import name
from reward_synth.reward.dialects.kinds import Kind, Placement, is_numeric
from reward_synth.reward.dialects.libraries import DECORATORS
from reward_synth.reward.dialects.scope import Scope
from reward_synth.reward.dialects.statements import Statements
from reward_synth.reward.names import ENTRY, RESERVED, all_arguments, dotted, is_docstring
from reward_synth.reward.values import UNKNOWN, Array, Number, Sequence
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS

DEEPEST_CALLS = 20
OBJECTS = frozenset({"self", "env", "environment", "state", "sim", "task", "cls"})
"""Names under which other systems hand over the state as one object."""


@dataclass
class Function:
    """One of the program's own functions."""

    node: ast.FunctionDef
    name: str
    """In the translation."""
    parent: Scope | None = None
    method: bool = False
    made: ast.FunctionDef | None = None
    spelt: str = ""
    captured: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Its parameters, in the translation."""
    returned: dict[str, Kind] = field(default_factory=dict)
    """What it gives, by what it is called with."""


class Definitions(Statements):
    """Translates functions, each for the calls that there are of it."""

    def __init__(
        self,
        tree: ast.Module,
        source: str,
        variables: Mapping[str, int | None],
        renamed: Mapping[str, str],
        *,
        one_state: bool,
    ) -> None:
        super().__init__(tree, source, variables, renamed, one_state=one_state)
        self.functions: dict[str, Function] = {}
        self.order: list[Function] = []
        self.stack: list[str] = []
        self.top: list[ast.stmt] = []
        """Constants of the translation that the entry's defaults became."""
        self.scope = Scope("", ast.FunctionDef("", no_arguments(), [], [], None, None), set())

    def is_own_function(self, known: str) -> bool:
        return known in self.functions

    def define(self, function: ast.FunctionDef) -> None:
        known = function.name
        new = Function(function, known, parent=self.scope)
        if known in self.functions and self.functions[known].node is not function:
            message = f"the function '{known}' is defined twice"
            self.refuse(function, "twice", message, "give one of the two another name")
            return
        self.functions[known] = new

    def forbidden(self) -> set[str]:
        names = {function.name for function in self.functions.values()}
        previous = {f"prev_{variable}" for variable in self.variables}
        return names | set(self.constants.values()) | set(self.variables) | previous

    def enter(self, entry: Function) -> None:
        """Translate the reward function itself, whose arguments are the task's variables."""
        node = entry.node
        self.plain_arguments(node)
        scope = Scope(ENTRY, node, self.forbidden())
        defaults = self.defaults_of(node.args)
        arguments: list[str] = []
        for argument in all_arguments(node.args):
            known = argument.arg
            variable = self.variable(known)
            if variable is not None:
                if variable != known:
                    self.note(argument, f"{known} is the variable {variable}")
                arguments.append(variable)
                scope.names[known] = variable
                scope.values[variable] = self.variable_value(variable)
                scope.taken.add(variable)
            elif known in defaults:
                self.default(scope, argument, defaults[known])
            elif self.is_object(node, argument):
                self.objects.add(known)
            else:
                arguments.append(known)
                scope.names[known] = known
                scope.values[known] = UNKNOWN
        self.scope = scope
        self.stack.append(node.name)
        made = self.body(node)
        self.stack.pop()
        order = [*arguments, *(known for known in scope.captured if known not in arguments)]
        entry.made = self.function(entry, order, [], made)

    def is_object(self, node: ast.FunctionDef, argument: ast.arg) -> bool:
        """Whether an argument is read by attribute alone, as ``self`` is."""
        known = argument.arg
        if known == "self" or known == "cls":
            return True
        attributes = {
            id(part.value)
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
        }
        uses = [p for p in ast.walk(node) if isinstance(p, ast.Name) and p.id == known]
        if not uses:
            extra = argument in (node.args.vararg, node.args.kwarg)
            return extra or known in OBJECTS
        return known in OBJECTS and all(id(use) in attributes for use in uses)

    def defaults_of(self, arguments: ast.arguments) -> dict[str, ast.expr]:
        plain = [*arguments.posonlyargs, *arguments.args]
        given = plain[len(plain) - len(arguments.defaults) :]
        found = {a.arg: d for a, d in zip(given, arguments.defaults, strict=True)}
        more = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        return found | {a.arg: d for a, d in more if d is not None}

    def default(self, scope: Scope, argument: ast.arg, value: ast.expr) -> None:
        """An argument with a default is a constant."""
        known = argument.arg
        new = self.expr(value)
        kind = self.kind(new)
        if isinstance(kind, Placement) or (
            isinstance(new, ast.Constant) and isinstance(new.value, str)
        ):
            scope.inserted[known] = self.shapes.keep(new, Placement("device"))
            return
        constant = self.constant_name(known)
        self.constants[f"[{known}]"] = constant
        self.note(argument, f"the argument {known} is the constant {constant}")
        self.top += self.define_as(argument, constant, new)
        stored = any(
            isinstance(part, ast.Name) and part.id == known and isinstance(part.ctx, ast.Store)
            for part in ast.walk(scope.node)
        )
        scope.forbidden.add(constant)
        if not is_numeric(kind) and not isinstance(kind, Sequence):
            kind = UNKNOWN
        scope.inserted[known] = self.made(name(constant), argument)
        if stored:
            scope.tokens[known] = 1_000_000 + self.visits

    def plain_arguments(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if dotted(target).rpartition(".")[2] not in {
                known.rpartition(".")[2] for known in DECORATORS
            }:
                self.refuse(decorator, "decorator", "decorators are not allowed", "delete it")
        if node.decorator_list:
            self.note(node, "decorators are dropped")
        if node.returns or any(argument.annotation for argument in all_arguments(node.args)):
            self.note(node, "type hints are dropped")

    def body(self, node: ast.FunctionDef) -> list[ast.stmt]:
        docstring = node.body[:1] if is_docstring(node.body[0]) else []
        for statement in docstring:
            statement.origin = statement  # type: ignore[attr-defined]
        return [*docstring, *self.block(node.body[len(docstring) :])]

    def function(
        self,
        function: Function,
        arguments: list[str],
        defaults: list[ast.expr],
        body: list[ast.stmt],
    ) -> ast.FunctionDef:
        node = function.node
        given = ast.arguments(
            [], [ast.arg(known) for known in arguments], None, [], [], None, defaults
        )
        places = {argument.arg: argument for argument in all_arguments(node.args)}
        for argument in given.args:
            ast.copy_location(argument, places.get(argument.arg, node))
        whole = body or [ast.copy_location(ast.Pass(), node)]
        made = ast.FunctionDef(function.name, given, whole, [], None, None)
        ast.copy_location(made, node)
        made.end_lineno, made.end_col_offset = node.end_lineno, node.end_col_offset
        return made

    def call_own(self, node: ast.Call, known: str) -> ast.expr:
        """A call of one of the program's own functions, with what it reads beside its arguments."""
        function = self.functions[known]
        given = self.given(node)
        if given is None or known in self.stack or len(self.stack) > DEEPEST_CALLS:
            return self.shapes.keep(self.plain(node), UNKNOWN)
        parameters = self.parameters(function)
        values: dict[str, Kind] = {}
        for parameter, value in zip(parameters, given.positional, strict=False):
            values[parameter] = self.kind(value)
        values |= {key: self.kind(value) for key, value in given.keywords.items()}
        kind = self.call_with(function, values)
        by_place = list(zip(parameters, given.positional, strict=False))
        if len(given.positional) > len(parameters):
            return self.shapes.keep(self.plain(node), UNKNOWN)
        optional = self.defaults_of(function.node.args) if function.captured else {}
        positional = [value for parameter, value in by_place if parameter not in optional]
        named = {parameter: value for parameter, value in by_place if parameter in optional}
        keywords = [
            ast.keyword(function.names.get(key, key), value)
            for key, value in (named | given.keywords).items()
        ]
        for captured in function.captured:
            value = self.captured_value(captured, node)
            keywords.append(ast.keyword(captured, value))
        callee = self.shapes.keep(name(self.safe_name(function)), UNKNOWN)
        new = ast.Call(callee, positional, keywords)
        return self.shapes.keep(new, kind)

    def captured_value(self, captured: str, node: ast.AST) -> ast.expr:
        """What the caller hands on to a function that reads more than its arguments."""
        if captured in self.scope.values:
            return self.made(name(captured), node)
        variable = self.variable(captured)
        if variable is not None:
            return self.made(self.read_variable(variable, node), node)
        for original, current in (self.scope.parent.names if self.scope.parent else {}).items():
            if current == captured:
                return self.made(self.capture(original, node), node)
        return self.made(name(captured), node)

    def safe_name(self, function: Function) -> str:
        """A function's name, if the language has not got one of that name already."""
        if function.name in HELPER_FUNCTIONS or (function.name in RESERVED - {ENTRY}):
            function.name = f"own_{function.name}"
        if function.name in self.variables:
            function.name = f"{function.name}_of"
        return function.name

    def parameters(self, function: Function) -> list[str]:
        plain = [argument.arg for argument in all_arguments(function.node.args)]
        static = any(dotted(d) == "staticmethod" for d in function.node.decorator_list)
        if function.method and not static and plain[:1] in (["self"], ["cls"]):
            return plain[1:]
        return plain

    def call_with(self, function: Function, given: dict[str, Kind]) -> Kind:
        """Translate a function for a call with these values; gives what it returns."""
        signature = repr(sorted((k, repr(v)) for k, v in given.items()))
        if signature in function.returned:
            return function.returned[signature]
        node = function.node
        self.safe_name(function)
        self.plain_arguments(node)
        outer, self.scope = (
            self.scope,
            Scope(function.name, node, self.forbidden(), function.parent),
        )
        scope = self.scope
        self.stack.append(node.name)
        parameters = self.parameters(function)
        if len(parameters) < len(all_arguments(node.args)):
            self.objects.add(node.args.args[0].arg)
        defaults = {key: self.expr(value) for key, value in self.defaults_of(node.args).items()}
        names: list[str] = []
        for parameter in parameters:
            known = parameter
            if known in self.forbidden() - set(self.variables) or known in RESERVED:
                known = scope.fresh(f"own_{parameter}")
            scope.names[parameter] = known
            names.append(known)
            value = given.get(
                parameter, self.kind(defaults[parameter]) if parameter in defaults else UNKNOWN
            )
            if isinstance(value, Placement):
                scope.inserted[parameter] = self.shapes.keep(name(known), value)
            scope.values[known] = value
        odd = node.args.vararg or node.args.kwarg
        made = self.body(node)
        if odd is not None:
            self.refuse(node, "argument", f"'{odd.arg}' takes any arguments", "name each of them")
        self.stack.pop()
        captured = [known for known in scope.captured if known not in names]
        names_of = list(zip(parameters, names, strict=True))
        ordered = [p for p in parameters if p not in defaults] + [
            p for p in parameters if p in defaults
        ]
        start = [function_name for p, function_name in names_of if p not in defaults]
        after = [*start, *captured, *(known for p, known in names_of if p in defaults)]
        new = self.function(function, after, [defaults[p] for p in ordered if p in defaults], made)
        spelt = ast.dump(new)
        if function.made is not None and function.spelt != spelt and given:
            message = f"'{function.name}' is called with values of different kinds"
            self.refuse(node, "kind", message, "write one function for each kind")
        if function.made is None:
            self.order.append(function)
            function.names = {p: scope.names[p] for p in parameters}
            function.made, function.spelt, function.captured = new, spelt, captured
        function.returned[signature] = scope.returned if scope.returned is not None else UNKNOWN
        self.scope = outer
        return function.returned[signature]

    def constant_name(self, known: str) -> str:
        """An upper-case name for a constant."""
        wish = re.sub(r"\W", "_", known).upper().strip("_")
        wish = wish if wish[:1].isalpha() and wish.isascii() else f"VALUE_{wish}"
        taken = {*self.constants.values(), *self.functions, *self.variables}
        taken |= {slot for slots in self.constant_tables.values() for slot in slots.values()}
        while wish in taken:
            wish += "_2"
        return wish

    def define_as(self, statement: ast.AST, known: str, value: ast.expr) -> list[ast.stmt]:
        kind = self.kind(value)
        if isinstance(kind, Number) and kind.value is not None:
            kind = Number(kind.value, boolean=kind.boolean)
        self.shapes.globals[known] = kind
        new = ast.Assign([ast.Name(known, ast.Store())], value)
        new.origin = statement  # type: ignore[attr-defined]
        return [building.placed(new, statement)]

    # What is returned

    def result(self, statement: ast.Return, value: ast.expr) -> list[ast.stmt]:
        if self.scope.function != ENTRY:
            return [ast.Return(value)]
        kind = self.kind(value)
        if isinstance(value, ast.Tuple) and len(value.elts) == 2:
            total, components = value.elts
            if isinstance(components, ast.Dict):
                components = self.components(components, statement)
                if not components.keys:
                    return self.only_total(statement, total)
                return [ast.Return(building.tuple_of([total, components]))]
            return [ast.Return(value)]
        if isinstance(kind, Array | Number):
            return self.only_total(statement, value)
        return [ast.Return(value)]

    def only_total(self, statement: ast.Return, value: ast.expr) -> list[ast.stmt]:
        """A total without components is its own component."""
        self.note(statement, "the total is the one component")
        result: list[ast.stmt] = []
        if not isinstance(value, ast.Name):
            known = self.scope.fresh("total")
            result = [ast.Assign([ast.Name(known, ast.Store())], value)]
            self.scope.values[known] = self.kind(value)
            value = self.made(name(known), statement)
        entries = building.text_dict([("total", value)])
        return [*result, ast.Return(building.tuple_of([value, entries]))]

    def components(self, node: ast.Dict, statement: ast.AST) -> ast.Dict:
        """Components under names that are Python names."""
        entries: dict[str, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return node
            known = re.sub(r"[^A-Za-z0-9_]+", "_", key.value).strip("_") or "component"
            known = known if not known[0].isdigit() else f"component_{known}"
            if key.value.isidentifier() and key.value.isascii():
                known = key.value
            else:
                self.note(statement, f"the component {key.value!r} is {known}")
            if known in entries:
                return node
            entries[known] = value
        return building.placed(building.text_dict(entries.items()), node)


def no_arguments() -> ast.arguments:
    return ast.arguments([], [], None, [], [], None, [])
