"""Calls in other dialects: of libraries, of arrays' methods, of Python's own functions."""

import ast
import copy
from collections.abc import Mapping

from reward_synth.reward import advice
from reward_synth.reward.dialects import arrays, building
from reward_synth.reward.dialects.building import call, compare, number
from reward_synth.reward.dialects.expressions import type_name
from reward_synth.reward.dialects.functions import HANDLED, MATH, ONE, TWO
from reward_synth.reward.dialects.given import Given
from reward_synth.reward.dialects.kinds import (
    Extremum,
    Kind,
    Placement,
    Rows,
    ShapeOf,
    Stacked,
    is_array,
    is_column,
    is_condition,
    is_numeric,
    is_vectors,
)
from reward_synth.reward.dialects.libraries import RENAMED
from reward_synth.reward.dialects.sequences import Sequences
from reward_synth.reward.names import dotted
from reward_synth.reward.values import UNKNOWN, Array, Number, Sequence
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_FUNCTIONS

CHANGES: Mapping[str, ast.operator] = {
    "add": ast.Add(),
    "sub": ast.Sub(),
    "mul": ast.Mult(),
    "multiply": ast.Mult(),
    "div": ast.Div(),
}
"""Changes of some rows of an array, as JAX and augmented assignments name them."""


class Calls(Sequences):
    """Translates calls."""

    def call_own(self, node: ast.Call, known: str) -> ast.expr:
        """A call of one of the program's own functions."""
        raise NotImplementedError

    def expr_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        path = dotted(function)
        root, _, rest = path.partition(".")
        if root in self.objects and self.is_own_function(rest):
            return self.call_own(node, rest)
        if isinstance(function, ast.Name) and path not in self.scope.names:
            if self.is_own_function(path):
                return self.call_own(node, path)
            if (
                path not in self.scope.local
                and path not in self.imports.paths
                and path not in HELPER_FUNCTIONS
            ):
                return self.builtin(node, path) or self.plain(node)
        library, known = self.resolve(function)
        if library:
            return self.library_call(node, library, known)
        if root == "xp" or (path in HELPER_FUNCTIONS and path not in self.scope.local):
            return self.plain(node)
        if isinstance(function, ast.Attribute):
            return self.method_call(node, function)
        return self.shapes.keep(self.plain(node), UNKNOWN)

    def given(self, node: ast.Call) -> Given | None:
        """The translated arguments; None where some are spread with ``*``."""
        if any(isinstance(a, ast.Starred) for a in node.args) or any(
            keyword.arg is None for keyword in node.keywords
        ):
            return None
        positional = [self.expr(argument) for argument in node.args]
        keywords = {k.arg: self.expr(k.value) for k in node.keywords if k.arg is not None}
        kinds = {id(value): self.kind(value) for value in [*positional, *keywords.values()]}
        return Given(positional, keywords, kinds)

    def plain(self, node: ast.Call) -> ast.expr:
        """The same call with its arguments translated."""
        path = dotted(node.func)
        function = building.dot(path) if path else self.expr(node.func)
        if path and not path.startswith("xp."):
            self.shapes.keep(function, UNKNOWN)
        positional = [self.expr(argument) for argument in node.args]
        keywords = [
            building.placed(ast.keyword(keyword.arg, self.expr(keyword.value)), keyword)
            for keyword in node.keywords
        ]
        return ast.Call(building.placed(function, node.func), positional, keywords)

    # Python's own functions

    def builtin(self, node: ast.Call, known: str) -> ast.expr | None:
        """A call of one of Python's own functions; None where it stays as it is."""
        method = getattr(self, f"builtin_{known}", None)
        if method is None:
            return None
        given = self.given(node)
        found = None if given is None else method(node, given)
        if found is not None:
            used = dotted(found.func) if isinstance(found, ast.Call) else ""
            self.note(node, f"{known} is {used}" if used else f"{known} is written out")
        return found

    def one_argument(self, given: Given) -> ast.expr | None:
        return given.positional[0] if len(given.positional) == 1 and not given.keywords else None

    def builtin_abs(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        return None if value is None else call("xp.abs", value)

    def extreme_of(self, given: Given, two: str, reduce: str) -> ast.expr | None:
        if given.keywords:
            return None
        values = given.positional
        if len(values) == 1:
            kind = self.kind(values[0])
            if isinstance(kind, Sequence) and isinstance(values[0], ast.Tuple | ast.List):
                values = values[0].elts
            elif self.one_state and is_vectors(kind):
                return self.reduced(reduce, values[0], None, None)
        if len(values) < 2:
            return None
        if any(is_array(self.kind(value)) for value in values):
            self.reads_one_state = True
        return building.nested(two, values)

    def builtin_max(self, node: ast.Call, given: Given) -> ast.expr | None:
        return self.extreme_of(given, "xp.maximum", "max")

    def builtin_min(self, node: ast.Call, given: Given) -> ast.expr | None:
        return self.extreme_of(given, "xp.minimum", "min")

    def builtin_sum(self, node: ast.Call, given: Given) -> ast.expr | None:
        items = None
        if len(node.args) == 1 and not node.keywords:
            items = self.items(node.args[0])
        if items:
            return building.chain(items, ast.Add())
        value = self.one_argument(given)
        if value is not None and self.one_state and is_vectors(self.kind(value)):
            return self.reduced("sum", value, None, None)
        return None

    def joined(self, node: ast.Call, operator: ast.operator) -> ast.expr | None:
        items = self.items(node.args[0]) if len(node.args) == 1 else None
        if not items or not all(is_condition(self.kind(item)) for item in items):
            return None
        return building.chain(items, operator)

    def builtin_all(self, node: ast.Call, given: Given) -> ast.expr | None:
        return self.joined(node, ast.BitAnd())

    def builtin_any(self, node: ast.Call, given: Given) -> ast.expr | None:
        return self.joined(node, ast.BitOr())

    def builtin_float(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            known = value.value.strip().lower().lstrip("+")
            if known.lstrip("-") in ("inf", "infinity"):
                return number(float(known))
            return None
        if value is None or not is_numeric(self.kind(value)):
            return None
        if is_array(self.kind(value)):
            self.reads_one_state = True
        return self.converted(value, "float")

    def builtin_int(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        if value is None or not is_array(self.kind(value)):
            return None
        self.reads_one_state = True
        return self.converted(value, "int")

    def builtin_bool(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        if value is None or not is_array(self.kind(value)):
            return None
        self.reads_one_state = True
        return self.converted(value, "bool")

    def builtin_round(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        return None if value is None else call("xp.round", value)

    def builtin_pow(self, node: ast.Call, given: Given) -> ast.expr | None:
        if len(given.positional) != 2 or given.keywords:
            return None
        return self.operation(node, given.positional[0], ast.Pow(), given.positional[1])

    def builtin_len(self, node: ast.Call, given: Given) -> ast.expr | None:
        value = self.one_argument(given)
        if value is None:
            return None
        kind = self.kind(value)
        if isinstance(kind, Sequence):
            return number(len(kind.items))
        return self.length(value, kind.shape, 0) if isinstance(kind, Array) else None

    def builtin_dict(self, node: ast.Call, given: Given) -> ast.expr | None:
        return None if given.positional else building.text_dict(given.keywords.items())

    def builtin_tuple(self, node: ast.Call, given: Given) -> ast.expr | None:
        items = self.items(node.args[0]) if len(node.args) == 1 else None
        return None if items is None else building.tuple_of(items)

    builtin_list = builtin_tuple

    # Other libraries

    def library_call(self, node: ast.Call, library: str, known: str) -> ast.expr:
        given = self.given(node)
        found = None if given is None else self.written(node, library, known, given)
        said = dotted(node.func)
        if found is None:
            message = f"{said}, as it is called here, is not in the reward language"
            self.refuse(node, "module", message, advice.translate(known, XP_FUNCTIONS))
            return self.shapes.keep(self.plain(node), UNKNOWN)
        used = dotted(found.func) if isinstance(found, ast.Call) else ""
        self.note(node, f"{said} is {used}" if used else f"{said} is written out")
        return found

    def written(self, node: ast.Call, library: str, known: str, given: Given) -> ast.expr | None:
        """A function of a library in the reward language, None where it has no place there."""
        function = RENAMED.get(known, known)
        if library == "math":
            if function not in MATH:
                return None
            if any(is_array(self.kind(value)) for value in given.positional):
                self.reads_one_state = True
        array = arrays.MAKERS.get(known)
        if array is not None:
            return array(self, given, library)
        handler = HANDLED.get(known) or HANDLED.get(function)
        if handler is not None:
            return handler(self, given, library)
        kind = type_name(known)
        if kind is not None:
            value = self.one_argument(given)
            return (
                None
                if value is None or not is_numeric(self.kind(value))
                else self.converted(value, kind)
            )
        if function in ONE:
            bound = given.bind("x")
            return None if bound is None or "x" not in bound else call(f"xp.{function}", bound["x"])
        if function in TWO:
            bound = given.bind("x y")
            if bound is None or bound.keys() != {"x", "y"}:
                return None
            return call(f"xp.{function}", bound["x"], bound["y"])
        if known in ("maximum.reduce", "minimum.reduce") and given.positional:
            items = given.positional[0]
            if (
                isinstance(items, ast.Tuple | ast.List)
                and items.elts
                and len(given.positional) == 1
            ):
                return building.nested(f"xp.{known.partition('.')[0]}", items.elts)
        return None

    def method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        """A method of an array (or of a dict that is put together here)."""
        updated = self.updated_at(node, function)
        if updated is not None:
            return updated
        if function.attr == "get" and isinstance(function.value, ast.Name):
            key = self.text(node.args[0]) if node.args else None
            slot = self.scope.tables.get(function.value.id, {}).get(key or "")
            if slot is not None:
                return self.read(slot, node)
        receiver = self.expr(function.value)
        given = self.given(node)
        found = None
        kind = self.kind(receiver)
        if given is not None and (is_numeric(kind) or isinstance(kind, Stacked | type(UNKNOWN))):
            found = self.method(node, function.attr, receiver, given)
        if found is None:
            positional = [self.expr(argument) for argument in node.args]
            keywords = [ast.keyword(k.arg, self.expr(k.value)) for k in node.keywords]
            attribute = ast.Attribute(receiver, function.attr, ast.Load())
            self.shapes.keep(attribute, UNKNOWN)
            return self.shapes.keep(ast.Call(attribute, positional, keywords), UNKNOWN)
        self.note(node, f".{function.attr}() of arrays is written as a function")
        return found

    def method(
        self, node: ast.Call, known: str, receiver: ast.expr, given: Given
    ) -> ast.expr | None:
        library = self.imports.framework
        if not library:
            torch = {"dim", "keepdim"} & given.keywords.keys()
            numpy = {"axis", "keepdims"} & given.keywords.keys()
            library = "torch" if torch else "np" if numpy else ""
        if known in arrays.METHODS:
            return arrays.METHODS[known](self, receiver, given)
        if isinstance(self.kind(receiver), type(UNKNOWN)) and known not in arrays.ARRAY_METHODS:
            return None
        if known in arrays.NOT_METHODS:
            return None
        return self.written(node, library, known, given.before(receiver))

    def updated_at(self, node: ast.Call, function: ast.Attribute) -> ast.expr | None:
        """JAX's ``x.at[condition].set(v)``."""
        match function:
            case ast.Attribute(
                value=ast.Subscript(value=ast.Attribute(value=array, attr="at"), slice=condition),
                attr="set" | "add" | "multiply" | "mul" | "max" | "min" as change,
            ) if len(node.args) == 1 and not node.keywords:
                return self.changed(array, condition, change, node.args[0])
        return None

    def changed(
        self, array: ast.expr, condition: ast.expr, change: str, value: ast.expr
    ) -> ast.expr | None:
        """``array`` with the rows where ``condition`` holds changed; None for other indices."""
        old, test = self.expr(array), self.expr(condition)
        kind = self.kind(test)
        if not is_condition(kind) or not is_column(kind) or not is_column(self.kind(old)):
            return None
        new = self.expr(WithoutIndex(condition).visit(copy.deepcopy(value)))
        operator = CHANGES.get(change)
        if operator is not None:
            new = self.made(building.binary(old, operator, new), value)
        elif change != "set":
            new = self.made(call(f"xp.{change}imum", old, new), value)
        if not is_numeric(self.kind(new)):
            return None
        self.note(array, "a change of some rows is xp.where(condition, new, old)")
        return self.chosen(test, new, old)

    # Reductions

    def reduced(
        self,
        function: str,
        x: ast.expr,
        axis: ast.expr | None,
        keepdims: ast.expr | None,
        **further: ast.expr | None,
    ) -> ast.expr | None:
        """``xp.FUNCTION(x, axis=axis)``, over the entries of each row."""
        kind: Kind = self.kind(x)
        if isinstance(axis, ast.Tuple | ast.List) and len(axis.elts) == 1:
            axis = axis.elts[0]
        known = None if axis is None else building.numbers_in(axis)
        if isinstance(keepdims, ast.Constant) and keepdims.value is False:
            keepdims = None
        if isinstance(kind, Sequence):
            joined = arrays.joined_numbers(self, x)
            if joined is None:
                return None
            x, kind = joined, self.kind(joined)
        if isinstance(kind, Stacked):
            if known != 0 or keepdims is not None:
                return None
            x, axis = self.values_of(x), number(-1)
        elif self.one_state and (axis is None or known in (0, -1)):
            if is_column(kind):
                # One number has no sum, but the distance of two is often written as a norm.
                return call("xp.abs", x) if function == "linalg.vector_norm" else None
            axis = number(-1)
        return call(f"xp.{function}", x, axis=axis, keepdims=keepdims, **further)

    def extremum(self, node: ast.expr) -> ast.expr:
        """What PyTorch's ``max`` along an axis gives: the values are ``[0]`` or ``.values``."""
        return self.shapes.keep(node, Extremum())

    def converted(self, node: ast.expr, kind: str) -> ast.expr:
        """``node`` as a float, an int or a bool."""
        known = self.kind(node)
        if isinstance(known, Number):
            if known.boolean and kind != "bool" and isinstance(node, ast.Constant):
                return number(1.0 if node.value else 0.0)
            return node
        if is_condition(known):
            return (
                node
                if kind in ("bool", "device")
                else call("xp.where", node, number(1.0), number(0.0))
            )
        if kind == "bool":
            return compare(node, ast.NotEq(), number(0.0))
        return call("xp.trunc", node) if kind == "int" else node

    def rows_like(self, node: ast.expr) -> ast.expr | None:
        """An array ``(N,)`` where ``node`` is the batch's number of rows, as a size."""
        kind = self.kind(node)
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 1:
            kind = self.kind(node.elts[0])
        if isinstance(kind, ShapeOf) and not self.one_state:
            return kind.node
        return kind.like if isinstance(kind, Rows) else None

    def placement(self, node: ast.expr) -> str | None:
        kind = self.kind(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return "device"
        path = dotted(node)
        if path in ("float", "int", "bool") and path not in self.scope.local:
            return path
        return kind.kind if isinstance(kind, Placement) else None


class WithoutIndex(ast.NodeTransformer):
    """``x[condition]`` as ``x``, in a value that is given to those rows only."""

    def __init__(self, condition: ast.expr) -> None:
        self.condition = condition

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if building.same(node.slice, self.condition):
            return self.visit(node.value)
        return self.generic_visit(node)
