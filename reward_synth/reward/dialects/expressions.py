"""Expressions of other dialects, each written as the reward language writes it.

Whatever is not known here stays as it is: the check of the translated program then says why it
cannot stay.
"""

import ast
from collections.abc import Mapping
from typing import Any

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.building import binary, call, column, name, number
from reward_synth.reward.dialects.kinds import (
    Extremum,
    Kind,
    Placement,
    Rows,
    ShapeOf,
    Shapes,
    Stacked,
    is_array,
    is_column,
    is_condition,
    is_vectors,
)
from reward_synth.reward.dialects.libraries import (
    BOOLEAN_TYPES,
    FLOAT_TYPES,
    INTEGER_TYPES,
    Imports,
)
from reward_synth.reward.dialects.scope import Scope
from reward_synth.reward.finding import Finding
from reward_synth.reward.names import PREVIOUS, dotted
from reward_synth.reward.source import Lines
from reward_synth.reward.values import ROWS, UNKNOWN, Array, Number

MOST_VISITS = 8_000
"""Expressions that one translation looks at: unrolled loops count each time."""


class TooMuch(Exception):
    """The translation would not end in reasonable time."""


class Expressions:
    """Translates expressions in one function after another."""

    def __init__(
        self,
        tree: ast.Module,
        source: str,
        variables: Mapping[str, int | None],
        renamed: Mapping[str, str],
        *,
        one_state: bool,
    ) -> None:
        self.lines = Lines(source)
        self.imports = Imports(tree)
        self.variables = variables
        self.renamed = renamed
        """Names of the original (``object_pos``, ``robot.ee_pos``) that are variables here."""
        self.one_state = one_state
        """Whether the program is of one state: ``(d,)`` is what is ``(N, d)`` here."""
        self.shapes = Shapes.of(variables)
        self.scope: Scope
        self.constants: dict[str, str] = {}
        """Module-level constants of the original: what the translation calls them."""
        self.constant_tables: dict[str, dict[str, str]] = {}
        self.objects: set[str] = set()
        """Arguments that are read by attribute alone: ``self``, ``state``."""
        self.paths: dict[str, str] = {}
        """Variables that were read as an attribute: through which path."""
        self.notes: dict[str, int] = {}
        self.refusals: list[Finding] = []
        self.reads_one_state = False
        """Whether something was met that only a program of one state can hold."""
        self.visits = 0

    # What came of it

    def note(self, node: ast.AST, text: str) -> None:
        self.notes.setdefault(text, self.lines.position(node)[0])

    def refuse(self, node: ast.AST, code: str, message: str, instead: str) -> None:
        line, column_ = self.lines.position(node)
        self.refusals.append(Finding(line, column_, code, message, instead))

    def kind(self, node: ast.expr) -> Kind:
        """What is known of a translated expression."""
        return self.shapes.evaluate(node, self.scope.values)

    def expr(self, node: ast.expr) -> ast.expr:
        """``node`` in the reward language, as far as it can be written in it."""
        self.visits += 1
        if self.visits > MOST_VISITS:
            raise TooMuch
        method = getattr(self, f"expr_{type(node).__name__}", None)
        new = self.left(node) if method is None else method(node)
        building.placed(new, node)
        self.kind(new)
        return new

    def made(self, node: ast.expr, like: ast.AST) -> ast.expr:
        """An expression put together here, with its place and value."""
        building.placed(node, like)
        self.kind(node)
        return node

    def left(self, node: ast.expr) -> ast.expr:
        """The same expression, with its parts translated."""
        if isinstance(
            node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda
        ):
            return self.shapes.keep(node, UNKNOWN)
        fields: dict[str, Any] = {}
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                fields[field] = self.expr(value)
            elif isinstance(value, list):
                fields[field] = [self.expr(v) if isinstance(v, ast.expr) else v for v in value]
            else:
                fields[field] = value
        return type(node)(**fields)

    def foreign(self, node: ast.expr) -> ast.expr:
        """The same expression, of which nothing is known."""
        new = self.left(node)
        return self.shapes.keep(new, UNKNOWN)

    def resolve(self, node: ast.expr) -> tuple[str, str]:
        """Library and function that ``node`` names; ('', '') for anything else."""
        path = dotted(node)
        root = path.partition(".")[0]
        if not path or root in self.scope.local or root in self.constants:
            return "", ""
        return self.imports.resolve(path)

    # Names and attributes

    def expr_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(node.value)

    def expr_Name(self, node: ast.Name) -> ast.expr:
        scope, known = self.scope, node.id
        if known in scope.tables:
            slots = scope.tables[known]
            return building.text_dict((key, self.read(slot, node)) for key, slot in slots.items())
        if known in scope.inserted or known in scope.names or known in scope.local:
            return self.read(known, node)
        if known in self.constants:
            return name(self.constants[known])
        library, function = self.resolve(node)
        if library:
            return self.library_value(node, library, function)
        if self.is_own_function(known):
            return self.shapes.keep(name(known), UNKNOWN)
        if (variable := self.variable(known)) is not None:
            return self.read_variable(variable, node)
        if scope.parent is not None and self.outer(known) is not None:
            return self.capture(known, node)
        return self.shapes.keep(name(known), UNKNOWN)

    def read(self, original: str, node: ast.AST) -> ast.expr:
        """A local name, as the translation calls it now."""
        scope = self.scope
        if original in scope.inserted:
            return scope.inserted[original]
        new = name(scope.names.get(original, original.replace("[", "_").strip("]")))
        if original not in scope.names:
            self.shapes.keep(new, UNKNOWN)
        return new

    def is_own_function(self, known: str) -> bool:
        raise NotImplementedError

    def variable(self, known: str) -> str | None:
        """The task's variable that a name (or a path, ``robot.ee_pos``) of the original is."""
        known = self.renamed.get(known, known)
        plain = known if known in self.variables else known.removeprefix(PREVIOUS)
        return known if plain in self.variables else None

    def variable_value(self, variable: str) -> Kind:
        plain = variable if variable in self.variables else variable.removeprefix(PREVIOUS)
        size = self.variables[plain]
        return Array((ROWS,) if size is None else (ROWS, size))

    def read_variable(self, variable: str, node: ast.AST) -> ast.expr:
        """A variable that is not among the arguments: it becomes one."""
        self.capture_name(variable, self.variable_value(variable))
        return name(variable)

    def capture_name(self, known: str, kind: Kind) -> None:
        if known not in self.scope.captured:
            self.scope.captured.append(known)
        self.scope.values[known] = kind
        self.scope.taken.add(known)

    def outer(self, known: str) -> Scope | None:
        """The enclosing function whose local value ``known`` is."""
        scope = self.scope.parent
        while scope is not None and known not in scope.names and known not in scope.inserted:
            scope = scope.parent
        return scope

    def capture(self, known: str, node: ast.AST) -> ast.expr:
        """A value of the enclosing function: the function takes it as an argument."""
        outer = self.outer(known)
        assert outer is not None
        if known in outer.inserted:
            return outer.inserted[known]
        inner = outer.names[known]
        self.capture_name(inner, outer.values.get(inner, UNKNOWN))
        self.note(node, f"'{inner}' is given to {self.scope.function} as an argument")
        return name(inner)

    def expr_Attribute(self, node: ast.Attribute) -> ast.expr:
        path = dotted(node)
        library, function = self.resolve(node)
        if library:
            return self.library_value(node, library, function)
        if path and (found := self.attribute_of_object(node, path)) is not None:
            return found
        if path.startswith("xp.") and "xp" not in self.scope.local:
            return building.dot(path)
        value = self.expr(node.value)
        return self.attribute_of(node, value)

    def attribute_of_object(self, node: ast.Attribute, path: str) -> ast.expr | None:
        """``self.torso_height``: the variable, constant or value of that name."""
        root, _, rest = path.partition(".")
        if f"{root}.{rest}" in self.scope.names or f"{root}.{rest}" in self.scope.inserted:
            return self.read(f"{root}.{rest}", node)
        given = self.variable(path) or self.variable(rest)
        if root in self.objects and given is not None:
            self.reads_one_state = True
        if root not in self.objects:
            return None if path not in self.renamed else self.read_path(node, path, path)
        if rest in self.constants:
            return name(self.constants[rest])
        if given is None and "." in rest:
            last = rest.rpartition(".")[2]
            if rest.partition(".")[0] not in self.variables and self.variable(last) is not None:
                return self.read_path(node, path, last)
            return None
        return None if given is None else self.read_path(node, path, given)

    def read_path(self, node: ast.Attribute, path: str, known: str) -> ast.expr:
        variable = self.variable(known)
        assert variable is not None
        before = self.paths.setdefault(variable, path)
        if before != path:
            message = f"both {before} and {path} could be the variable '{variable}'"
            instead = "read the variables under their own names"
            self.refuse(node, "ambiguous", message, instead)
        self.note(node, f"{path} is the variable {variable}")
        return self.read_variable(variable, node)

    def library_value(self, node: ast.expr, library: str, path: str) -> ast.expr:
        """A value of another library that is not called: a constant, a dtype."""
        last = path.rpartition(".")[2]
        if last in ("pi", "e", "inf"):
            return building.dot(f"xp.{last}")
        if last == "tau":
            return binary(number(2.0), ast.Mult(), building.dot("xp.pi"))
        if last == "newaxis":
            return ast.Constant(None)
        kind = type_name(last)
        return self.shapes.keep(self.raw(node), UNKNOWN if kind is None else Placement(kind))

    def raw(self, node: ast.expr) -> ast.expr:
        """A chain of names as it stands."""
        if isinstance(node, ast.Attribute):
            return ast.Attribute(self.raw(node.value), node.attr, ast.Load())
        assert isinstance(node, ast.Name)
        return name(node.id)

    def attribute_of(self, node: ast.Attribute, value: ast.expr) -> ast.expr:
        """An attribute of an array."""
        kind = self.kind(value)
        new = ast.Attribute(value, node.attr, ast.Load())
        if isinstance(kind, Extremum) and node.attr == "values":
            return self.values_of(value)
        if isinstance(kind, Stacked) and node.attr in ("T", "mT"):
            return self.values_of(value)
        if isinstance(kind, Array) and node.attr == "shape":
            return self.shapes.keep(new, ShapeOf(value, kind.shape))
        if node.attr in ("dtype", "device"):
            return self.shapes.keep(new, Placement("float" if node.attr == "dtype" else "device"))
        if node.attr == "data" and is_array(kind):
            return value
        return self.shapes.keep(new, UNKNOWN)

    def values_of(self, node: ast.expr) -> ast.expr:
        """The array that is meant by what stands for more: an extremum, or a stack of columns."""
        kind = self.kind(node)
        if isinstance(kind, Stacked):
            return self.made(call("xp.stack", building.tuple_of(kind.items), axis=number(-1)), node)
        return self.made(type(node)(**dict(ast.iter_fields(node))), node)

    # Subscripts

    def expr_Subscript(self, node: ast.Subscript) -> ast.expr:
        slot = self.slot(node)
        if slot is not None:
            return self.read(slot, node)
        constant = self.constant_slot(node)
        if constant is not None:
            return name(constant)
        value = self.expr(node.value)
        kind = self.kind(value)
        index = self.index(node.slice)
        at = building.numbers_in(index)
        if isinstance(kind, ShapeOf) and isinstance(at, int):
            found = self.length(kind.node, kind.shape, at)
            if found is not None:
                return found
        if isinstance(kind, Extremum) and at == 0:
            return self.values_of(value)
        if isinstance(kind, Stacked) and isinstance(at, int) and -1 <= at < len(kind.items):
            return kind.items[at]
        new = ast.Subscript(value, index, ast.Load())
        if self.one_state and isinstance(kind, Array):
            return self.entry_of_state(value, kind, index)
        if is_vectors(kind) and (isinstance(at, int) or isinstance(index, ast.Slice)):
            self.reads_one_state = True
        return new

    def index(self, node: ast.expr) -> ast.expr:
        """What stands in ``[...]``."""
        if isinstance(node, ast.Tuple):
            return building.tuple_of(self.index(item) for item in node.elts)
        if isinstance(node, ast.Slice):
            bounds = [b and self.expr(b) for b in (node.lower, node.upper, node.step)]
            return building.placed(ast.Slice(*bounds), node)
        if isinstance(node, ast.Constant):
            return building.placed(ast.Constant(node.value), node)
        return self.expr(node)

    def entry_of_state(self, value: ast.expr, kind: Array, index: ast.expr) -> ast.expr:
        """``x[2]`` of one state is ``x[:, 2]`` of a batch of them."""
        if is_column(kind) and isinstance(index, ast.Constant) and index.value in ((), Ellipsis):
            return value
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        whole: list[ast.expr] = [ast.Slice(), *parts]
        return ast.Subscript(value, building.tuple_of(whole), ast.Load())

    def length(self, node: ast.expr, shape: tuple[int | str, ...], axis: int) -> ast.expr | None:
        """``x.shape[axis]``."""
        if self.one_state:
            shape = shape[1:]
        if not -len(shape) <= axis < len(shape):
            return None
        size = shape[axis]
        if isinstance(size, int):
            return number(size)
        if len(shape) > 2:
            return None
        like = node if len(shape) == 1 else self.made(column(node, number(0)), node)
        return self.shapes.keep(name("number_of_rows"), Rows(like))

    def slot(self, node: ast.expr) -> str | None:
        """The local name of ``parts["run"]`` where the dict is put together here."""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            slots = self.scope.tables.get(node.value.id)
            key = self.text(node.slice)
            return slots.get(key) if slots is not None and key is not None else None
        return None

    def constant_slot(self, node: ast.Subscript) -> str | None:
        path = dotted(node.value)
        root, _, rest = path.partition(".")
        known = rest if root in self.objects else path
        slots = self.constant_tables.get(known) if root not in self.scope.local or rest else None
        key = self.text(node.slice)
        return slots.get(key) if slots is not None and key is not None else None

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression spells out."""
        match node:
            case ast.Constant(value=str() as value):
                return value
            case ast.Name(id=known) if known in self.scope.inserted:
                return self.text(self.scope.inserted[known])
            case ast.JoinedStr():
                parts = [self.text(part) for part in node.values]
                return None if None in parts else "".join(part or "" for part in parts)
            case ast.FormattedValue(format_spec=None, conversion=-1):
                found = self.expr(node.value)
                known_number = building.numbers_in(found)
                return self.text(found) if known_number is None else str(known_number)
            case ast.BinOp(op=ast.Add()):
                left, right = self.text(node.left), self.text(node.right)
                return None if left is None or right is None else left + right
        return None

    # Operators

    def expr_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.expr(node.left), self.expr(node.right)
        return self.operation(node, left, node.op, right)

    def operation(
        self, node: ast.AST, left: ast.expr, operator: ast.operator, right: ast.expr
    ) -> ast.expr:
        kinds = self.kind(left), self.kind(right)
        conditions = all(is_condition(kind) for kind in kinds)
        if conditions and not self.imports.own:
            if isinstance(operator, ast.Add):
                self.note(node, "conditions added are conditions joined by |")
                return binary(left, ast.BitOr(), right)
            if isinstance(operator, ast.Mult):
                return binary(left, ast.BitAnd(), right)
        if isinstance(operator, ast.BitXor) and conditions:
            return call("xp.logical_xor", left, right)
        if isinstance(operator, ast.MatMult) and self.one_state and all(map(is_vectors, kinds)):
            self.reads_one_state = True
            return self.dot_product(left, right)
        if isinstance(operator, ast.Pow):
            if isinstance(left, ast.Attribute) and building.same(left, building.dot("xp.e")):
                return call("xp.exp", right)
            if (
                isinstance(left, ast.Constant)
                and is_array(kinds[1])
                and building.numbers_in(left) == 2
            ):
                return call("xp.exp", binary(right, ast.Mult(), call("xp.log", number(2.0))))
        return binary(left, operator, right)

    def dot_product(self, left: ast.expr, right: ast.expr) -> ast.expr:
        product = binary(left, ast.Mult(), right)
        return call("xp.sum", product, axis=number(-1))

    def expr_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand = self.expr(node.operand)
        if isinstance(node.op, ast.Not) and is_condition(self.kind(operand)):
            self.note(node, "not, of conditions, is ~")
            self.reads_one_state = True
            return ast.UnaryOp(ast.Invert(), operand)
        return ast.UnaryOp(node.op, operand)

    def expr_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        values = [self.expr(value) for value in node.values]
        kinds = [self.kind(value) for value in values]
        conditions = all(isinstance(k, Array | Number) and k.boolean for k in kinds)
        if conditions and any(is_array(kind) for kind in kinds):
            self.reads_one_state = True
            joined = isinstance(node.op, ast.And)
            self.note(node, "and, or of conditions are &, |")
            return building.chain(values, ast.BitAnd() if joined else ast.BitOr())
        return ast.BoolOp(node.op, values)

    def expr_Compare(self, node: ast.Compare) -> ast.expr:
        items = [self.expr(item) for item in (node.left, *node.comparators)]
        if len(node.ops) == 1:
            return ast.Compare(items[0], node.ops, items[1:])
        pairs: list[ast.expr] = [
            self.made(building.compare(a, op, b), node)
            for a, op, b in zip(items, node.ops, items[1:], strict=False)
        ]
        if any(is_array(self.kind(pair)) for pair in pairs):
            self.reads_one_state = True
            self.note(node, "a < x < b is (a < x) & (x < b)")
            return building.chain(pairs, ast.BitAnd())
        return ast.BoolOp(ast.And(), pairs)

    def expr_IfExp(self, node: ast.IfExp) -> ast.expr:
        test, body, orelse = self.expr(node.test), self.expr(node.body), self.expr(node.orelse)
        if is_condition(self.kind(test)):
            self.reads_one_state = True
            self.note(node, "a if condition else b is xp.where(condition, a, b)")
            return self.chosen(test, body, orelse)
        return ast.IfExp(test, body, orelse)

    def chosen(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.expr:
        """``body`` where ``test`` holds, else ``orelse``: a condition, if both are."""
        kinds = self.kind(body), self.kind(orelse)
        if all(isinstance(kind, Array | Number) and kind.boolean for kind in kinds):
            first = binary(test, ast.BitAnd(), body)
            other = binary(ast.UnaryOp(ast.Invert(), test), ast.BitAnd(), orelse)
            return binary(first, ast.BitOr(), other)
        return call("xp.where", test, body, orelse)

    def expr_Call(self, node: ast.Call) -> ast.expr:
        raise NotImplementedError


def type_name(last: str) -> str | None:
    """float, int or bool for the name of a dtype."""
    for kind, names in (("float", FLOAT_TYPES), ("int", INTEGER_TYPES), ("bool", BOOLEAN_TYPES)):
        if last in names:
            return kind
    return None
