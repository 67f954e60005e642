"""The value of an expression, as far as it is known before any program runs."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reward_synth.reward import advice
from reward_synth.reward.calls import BoundCall, bind
from reward_synth.reward.finding import (
    MOST_FINDINGS,
    EnoughFindings,
    Finding,
    Refused,
    Silent,
    TooMuchWork,
)
from reward_synth.reward.indexing import index_shape
from reward_synth.reward.names import dotted, is_ellipsis
from reward_synth.reward.rules import (
    LARGEST_RESULT,
    common_shape,
    divisor_problem,
    exponent_problem,
)
from reward_synth.reward.source import Lines
from reward_synth.reward.values import (
    UNKNOWN,
    Array,
    Nothing,
    Number,
    Sequence,
    Shape,
    ShapeError,
    Table,
    Text,
    Unknown,
    Value,
    describe,
)
from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_CONSTANTS, XP_FUNCTIONS

MOST_OPERATIONS = 10_000
MOST_EXPRESSIONS = 100_000
"""Expressions of one call, numbers and names among them: the check looks at each."""
MOST_ENTRIES_MADE = 16_384
"""Entries per row of all the arrays that one call makes: it may keep every one of them."""
HELPER_OPERATIONS = 8
"""What a helper function counts for: it computes about as many arrays on its way."""

ARITHMETIC: Mapping[type[ast.operator], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[..., bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

MAKERS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call)
"""Expressions that make an array; the others name one, or a part of it."""

Environment = dict[str, Value]


@dataclass
class Expressions:
    """Gives expressions their values; ``findings`` and ``casts`` are the outcome."""

    variables: Mapping[str, int | None]
    lines: Lines
    refused: set[int]
    """Nodes (by id) that the grammar refused: nothing more is said about them."""
    findings: list[Finding] = field(default_factory=list)
    casts: set[ast.expr] = field(default_factory=set)
    """Expressions that are a condition where a number is wanted: 1.0 for True."""
    structural: set[str] = field(default_factory=set)
    """Constants that a count, an index or an ``if`` reads, which are not tunable."""
    globals: Environment = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    defaults: dict[str, list[Value]] = field(default_factory=dict)
    """Default values of each function's last parameters."""
    operations: int = 0
    expressions: int = 0
    entries: int = 0

    def call_function(self, node: ast.Call, name: str, arguments: Environment) -> Value:
        """What one of the program's own functions gives."""
        raise NotImplementedError

    def report(self, refusal: Refused) -> None:
        if isinstance(refusal, Silent):
            return
        line, column = self.lines.position(refusal.node)
        self.findings.append(Finding(line, column, refusal.code, refusal.message, refusal.instead))
        if len(self.findings) >= MOST_FINDINGS:
            raise EnoughFindings

    def spend(self, node: ast.AST, operations: int = 1) -> None:
        self.operations += operations
        if self.operations > MOST_OPERATIONS:
            message = f"one call is more than {MOST_OPERATIONS:,} operations"
            instead = "work on whole arrays: xp.sum(x, axis=-1)"
            raise TooMuchWork(node, "too-much-work", message, instead)

    def look(self, node: ast.AST, expressions: int = 1) -> None:
        """Count what the check itself has to do."""
        self.expressions += expressions
        if self.expressions > MOST_EXPRESSIONS:
            message = f"one call is more than {MOST_EXPRESSIONS:,} expressions"
            instead = "work on whole arrays: xp.sum(x, axis=-1)"
            raise TooMuchWork(node, "too-much-work", message, instead)

    def make(self, node: ast.AST, shape: Shape, arrays: int = 1) -> None:
        """Count the entries of new arrays."""
        self.entries += arrays * math.prod(size for size in shape if isinstance(size, int))
        if self.entries > MOST_ENTRIES_MADE:
            message = f"the arrays of one call have more than {MOST_ENTRIES_MADE:,} entries per row"
            instead = "pick entries ([:, 0]) or reduce (xp.sum(..., axis=-1)) earlier"
            raise TooMuchWork(node, "too-much-work", message, instead)

    def truth(self, test: ast.expr, environment: Environment, instead: str) -> bool | None:
        """Whether a constant condition holds; None with a finding where it is not constant."""
        value = self.evaluate(test, environment)
        if isinstance(value, Number):
            self.structural |= value.constants
            return bool(value.value)
        if not isinstance(value, Unknown):
            message = f"the condition is {describe(value)}, not a constant"
            if isinstance(value, Array):
                message = "the condition differs from row to row of the batch"
            self.report(Refused(test, "data-dependent", message, instead))
        return None

    def evaluate(self, node: ast.expr, environment: Environment) -> Value:
        """The value of an expression; a refusal is reported, and gives Unknown."""
        if id(node) in self.refused:
            return UNKNOWN
        self.look(node)
        try:
            value = self.value_of(node, environment)
            if isinstance(value, Array) and isinstance(node, MAKERS):
                self.make(node, value.shape)
            return value
        except TooMuchWork:
            raise
        except Refused as refusal:
            self.report(refusal)
        except ShapeError as error:
            self.report(Refused(node, "shape", error.message, error.instead))
        return UNKNOWN

    def value_of(self, node: ast.expr, environment: Environment) -> Value:
        match node:
            case ast.Constant(value=bool() as value):
                return Number(value, boolean=True)
            case ast.Constant(value=int() | float() as value):
                return Number(value)
            case ast.Constant(value=str() as value):
                return Text(value)
            case ast.Constant(value=None):
                return Nothing()
            case ast.Name():
                return self.read(node, environment)
            case ast.Tuple() | ast.List():
                self.spend(node)
                return Sequence(tuple(self.evaluate(item, environment) for item in node.elts))
            case ast.Dict():
                keys = [k.value for k in node.keys if isinstance(k, ast.Constant)]
                values = [self.evaluate(value, environment) for value in node.values]
                names = [str(key) for key in keys]
                return Table(
                    dict(zip(names, values, strict=True)),
                    dict(zip(names, node.values, strict=True)),
                )
            case ast.Attribute():
                value = XP_CONSTANTS.get(dotted(node).removeprefix("xp."))
                return Nothing() if value is None else Number(value)
        self.spend(node)
        match node:
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                return self.joined(node, environment)
            case ast.BinOp():
                return self.arithmetic(node, environment)
            case ast.UnaryOp():
                return self.unary(node, environment)
            case ast.Compare():
                return self.compared(node, environment)
            case ast.BoolOp():
                return self.bool_operation(node, environment)
            case ast.IfExp():
                truth = self.truth(node.test, environment, "write xp.where(condition, a, b)")
                if truth is None:
                    return UNKNOWN
                return self.evaluate(node.body if truth else node.orelse, environment)
            case ast.Subscript():
                return self.subscripted(node, environment)
            case ast.Call():
                return self.called(node, environment)
        # Whatever has no value here is refused: nothing unknown may pass for a right program.
        raise Refused(node, *advice.node_advice(node))

    def read(self, node: ast.Name, environment: Environment) -> Value:
        name = node.id
        if name in environment:
            return environment[name]
        if name in self.globals:
            return self.globals[name]
        message = f"the name '{name}' is read before it is assigned"
        raise Refused(node, "unassigned", message, "assign it on a line above, on every path")

    def numeric(self, node: ast.expr, value: Value) -> Number | Array:
        """``value`` as a number or array of floats; conditions are marked to be cast, True and
        False among them, which PyTorch does not subtract from arrays."""
        if isinstance(value, Number | Array):
            if not value.boolean:
                return value
            self.casts.add(node)
            if isinstance(value, Array):
                return Array(value.shape)
            return Number(int(value.value), value.constants)
        instead = "use its items" if isinstance(value, Sequence | Table) else "write a number"
        if isinstance(value, Sequence):
            instead = "write xp.asarray((1.0, 2.0)) for numbers, xp.stack(..., axis=-1) for arrays"
        raise Refused(node, "kind", f"{describe(value)} stands where a number is wanted", instead)

    def condition(self, node: ast.expr, value: Value) -> Number | Array:
        if isinstance(value, Number | Array) and value.boolean:
            return value
        message = f"{describe(value)} stands where a condition is wanted"
        raise Refused(node, "kind", message, "compare it: x > 0.0, in parentheses beside & and |")

    def integer(self, node: ast.expr, environment: Environment) -> int:
        """A whole number that is known now: a bound, an index or an axis."""
        value = self.evaluate(node, environment)
        if isinstance(value, Unknown):
            raise Silent(node)
        if isinstance(value, Number) and type(value.value) is int:
            self.structural |= value.constants
            return value.value
        message = f"{describe(value)} stands where a whole number is wanted"
        if isinstance(value, Number):
            message = f"{value.value} is not a whole number"
        raise Refused(node, "integer", message, "write it out, such as 0, 1 or -1")

    def pair(
        self, first: ast.expr, second: ast.expr, environment: Environment
    ) -> tuple[Value, Value]:
        values = self.evaluate(first, environment), self.evaluate(second, environment)
        if any(isinstance(value, Unknown) for value in values):
            raise Silent(first)
        return values

    def arithmetic(self, node: ast.BinOp, environment: Environment) -> Value:
        pair = self.pair(node.left, node.right, environment)
        left, right = self.numeric(node.left, pair[0]), self.numeric(node.right, pair[1])
        if isinstance(node.op, ast.Pow):
            problem = exponent_problem(right)
            if problem is not None:
                raise Refused(node.right, "exponent", *problem)
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            problem = divisor_problem(right)
            if problem is not None:
                raise Refused(node, "zero", *problem)
        if isinstance(left, Number) and isinstance(right, Number):
            return fold(node, left, right)
        return Array(common_shape([left, right]))

    def joined(self, node: ast.BinOp, environment: Environment) -> Value:
        """``&`` and ``|`` join conditions."""
        pair = self.pair(node.left, node.right, environment)
        left, right = self.condition(node.left, pair[0]), self.condition(node.right, pair[1])
        if isinstance(left, Number) and isinstance(right, Number):
            sources = left.constants | right.constants
            both = left.value and right.value
            either = left.value or right.value
            value = both if isinstance(node.op, ast.BitAnd) else either
            return Number(bool(value), sources, boolean=True)
        return Array(common_shape([left, right]), boolean=True)

    def unary(self, node: ast.UnaryOp, environment: Environment) -> Value:
        value = self.evaluate(node.operand, environment)
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(node.op, ast.Not):
            if not isinstance(value, Number):
                message = f"'not' before {describe(value)}"
                raise Refused(node, "data-dependent", message, "write ~(condition)")
            return Number(not value.value, value.constants, boolean=True)
        if isinstance(node.op, ast.Invert):
            if isinstance(value, Number):
                raise Refused(node, "operator", "'~' before a number", "write not")
            return self.condition(node.operand, value)
        value = self.numeric(node.operand, value)
        if isinstance(value, Number):
            known = -value.value if isinstance(node.op, ast.USub) else +value.value
            return Number(known, value.constants)
        return Array(value.shape)

    def compared(self, node: ast.Compare, environment: Environment) -> Value:
        other = node.comparators[0]
        pair = self.pair(node.left, other, environment)
        conditions = [value for value in pair if isinstance(value, Number | Array)]
        if not all(value.boolean for value in conditions) or len(conditions) < 2:
            pair = self.numeric(node.left, pair[0]), self.numeric(other, pair[1])
        left, right = pair
        if isinstance(left, Number) and isinstance(right, Number):
            value = COMPARISONS[type(node.ops[0])](left.value, right.value)
            return Number(value, left.constants | right.constants, boolean=True)
        numbers = [value for value in (left, right) if isinstance(value, Number | Array)]
        return Array(common_shape(numbers), boolean=True)

    def bool_operation(self, node: ast.BoolOp, environment: Environment) -> Value:
        """``and`` and ``or`` on constants, as Python reads them."""
        word, sign = ("and", "&") if isinstance(node.op, ast.And) else ("or", "|")
        sources: frozenset[str] = frozenset()
        result: Value = UNKNOWN
        for operand in node.values:
            value = self.evaluate(operand, environment)
            if isinstance(value, Unknown):
                return UNKNOWN
            if not isinstance(value, Number):
                message = f"'{word}' on {describe(value)}"
                instead = f"write (a) {sign} (b), each comparison in parentheses"
                raise Refused(node, "data-dependent", message, instead)
            sources |= value.constants
            result = Number(value.value, sources, value.boolean)
            if bool(value.value) is isinstance(node.op, ast.Or):
                break
        return result

    def subscripted(self, node: ast.Subscript, environment: Environment) -> Value:
        value = self.evaluate(node.value, environment)
        match value:
            case Unknown():
                return UNKNOWN
            case Table():
                key = node.slice.value if isinstance(node.slice, ast.Constant) else None
                if not isinstance(key, str) or key not in value.entries:
                    message = "the dict has no such entry"
                    instead = advice.choose(str(key), value.entries, "entries")
                    raise Refused(node.slice, "key", message, instead)
                return value.entries[key]
            case Sequence():
                if isinstance(node.slice, ast.Slice) or is_ellipsis(node.slice):
                    message = f"one whole number picks from {describe(value)}"
                    raise Refused(node.slice, "index", message, "write t[0]")
                index = self.integer(node.slice, environment)
                if not -len(value.items) <= index < len(value.items):
                    message = f"the index {index} is out of range for {describe(value)}"
                    raise Refused(node.slice, "index", message, "count from 0")
                return value.items[index]
            case Array():
                shape = index_shape(self, node, value.shape, environment)
                return Array(shape, value.boolean)
        message = f"{describe(value)} has no entries"
        raise Refused(node, "index", message, "write it without [...]")

    def called(self, node: ast.Call, environment: Environment) -> Value:
        path = dotted(node.func)
        own = self.functions.get(path)
        function = XP_FUNCTIONS.get(path[3:]) if path.startswith("xp.") else None
        function = function or HELPER_FUNCTIONS.get(path)
        unknown = id(node.func) in self.refused
        given: list[tuple[str | None, ast.expr]] = [(None, value) for value in node.args]
        given += [(keyword.arg, keyword.value) for keyword in node.keywords]
        values = [self.evaluate(value, environment) for _, value in given]
        if unknown or (own is None and function is None):
            if not unknown and path.isidentifier():
                message = f"the function '{path}' is defined below this line"
                raise Refused(node, "constant", message, "write a number")
            return UNKNOWN
        if own is not None:
            names = [argument.arg for argument in own.args.args]
            required = len(names) - len(own.args.defaults)
        else:
            assert function is not None
            names, required = list(function.parameters), function.required
        self.look(node, len(names))
        bound = bind(node, path, names, required, [name for name, _ in given])
        if own is not None:
            arguments = {name: values[position] for name, position in bound.items()}
            defaults = dict(zip(names[required:], self.defaults[path], strict=True))
            return self.call_function(node, path, defaults | arguments)
        assert function is not None
        if any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        arguments = {name: (values[i], given[i][1]) for name, i in bound.items()}
        result = function.rule(BoundCall(self, node, path, arguments))
        if path in HELPER_FUNCTIONS:
            self.spend(node, HELPER_OPERATIONS)
            if isinstance(result, Array):
                self.make(node, result.shape, HELPER_OPERATIONS)
        return result


def fold(node: ast.BinOp, left: Number, right: Number) -> Number:
    """Arithmetic on numbers, as far as they are known."""
    sources = left.constants | right.constants
    try:
        value = ARITHMETIC[type(node.op)](left.value, right.value)
    except (OverflowError, ZeroDivisionError):
        value = 0j
    if isinstance(value, complex):
        raise Refused(node, "number", "this is not a real number", "write another one")
    if abs(value) > LARGEST_RESULT and not math.isinf(value):
        raise Refused(node, "number", "the number is too large", "write a smaller one")
    return Number(value, sources)
