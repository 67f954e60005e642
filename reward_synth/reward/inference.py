"""The second pass: follow a program from statement to statement with shapes for values.

Every condition and every loop bound is a constant, so there is one path through a program.
Following it once tells the shape of every value, that rows never mix, and how much work one
call is, without running anything.
"""

import ast
import math
from dataclasses import dataclass, field

from reward_synth.reward.expressions import Environment, Expressions
from reward_synth.reward.finding import Refused, TooMuchWork
from reward_synth.reward.names import ENTRY, PREVIOUS, stored_names
from reward_synth.reward.result import Returned, check_result
from reward_synth.reward.values import (
    ROWS,
    UNKNOWN,
    Array,
    Number,
    Sequence,
    Unknown,
    Value,
    describe,
)

MOST_ITERATIONS = 1_000
DEEPEST_CALLS = 20


@dataclass
class Inference(Expressions):
    """Follows one program; ``findings``, ``casts`` and ``constants`` are the outcome."""

    tunable: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Numeric constants: value and line."""
    stack: list[str] = field(default_factory=list)
    """Functions being followed, outermost first."""
    iterations: int = 0

    def run(self, tree: ast.Module) -> None:
        """Follow the whole program."""
        try:
            for statement in tree.body:
                if isinstance(statement, ast.Assign):
                    self.define_constant(statement)
                elif isinstance(statement, ast.FunctionDef):
                    self.functions[statement.name] = statement
                    defaults = [self.evaluate(value, {}) for value in statement.args.defaults]
                    self.defaults[statement.name] = defaults
            entry = self.functions.get(ENTRY)
            if entry is not None:
                self.follow_entry(entry)
        except TooMuchWork as refusal:
            self.report(refusal)

    @property
    def constants(self) -> dict[str, tuple[float, int]]:
        """Tunable constants: value and line."""
        return {n: v for n, v in self.tunable.items() if n not in self.structural}

    # The module and its functions

    def define_constant(self, statement: ast.Assign) -> None:
        target = statement.targets[0]
        if id(statement) in self.refused or not isinstance(target, ast.Name):
            for name in stored_names(statement):
                self.globals[name] = UNKNOWN
            return
        value = self.evaluate(statement.value, {})
        fixed = isinstance(value, Number | Unknown | Array) or (
            isinstance(value, Sequence) and all(isinstance(v, Number) for v in value.items)
        )
        if not fixed:
            message = f"the constant '{target.id}' is {describe(value)}"
            self.report(Refused(statement.value, "constant", message, "write a number"))
            value = UNKNOWN
        if isinstance(value, Number) and not value.boolean and not value.constants:
            known = value.value
            if math.isfinite(known):
                self.tunable[target.id] = (float(known), statement.lineno)
                value = Number(known, frozenset({target.id}))
        self.globals[target.id] = value

    def follow_entry(self, entry: ast.FunctionDef) -> None:
        environment: Environment = {}
        for argument in entry.args.args:
            name = argument.arg
            plain = name if name in self.variables else name.removeprefix(PREVIOUS)
            if plain in self.variables:
                size = self.variables[plain]
                environment[name] = Array((ROWS,) if size is None else (ROWS, size))
            else:
                environment[name] = UNKNOWN
        self.stack.append(ENTRY)
        returned = self.follow(entry.body, environment)
        self.stack.pop()
        if returned is None:
            message = f"{ENTRY} ends without a return"
            instead = 'end with return total, {"name": component}'
            self.report(Refused(entry, "no-return", message, instead))
        elif returned.certain:
            try:
                check_result(returned)
            except Refused as refusal:
                self.report(refusal)

    def call_function(self, node: ast.Call, name: str, arguments: Environment) -> Value:
        """Follow one of the program's own functions with these arguments."""
        function = self.functions.get(name)
        if not self.stack:
            message = "constants do not call functions of the program"
            raise Refused(node, "constant", message, "write a number")
        if name in self.stack or name == ENTRY:
            message = f"the function '{name}' calls itself"
            raise Refused(node, "recursion", message, "write for i in range(...)")
        if function is None or len(self.stack) >= DEEPEST_CALLS:
            raise TooMuchWork(node, "too-deep", "calls are nested too deeply", "write it flat")
        self.stack.append(name)
        returned = self.follow(function.body, dict(arguments))
        self.stack.pop()
        if returned is None:
            message = f"the function '{name}' ends without a return"
            raise Refused(function, "no-return", message, "end with return value")
        return returned.value if returned.certain else UNKNOWN

    # Statements

    def follow(self, body: list[ast.stmt], environment: Environment) -> Returned | None:
        """Follow statements; gives the return they reach, or None."""
        unsure: Returned | None = None
        for statement in body:
            self.spend(statement)
            try:
                returned = self.follow_statement(statement, environment)
            except TooMuchWork:
                raise
            except Refused as refusal:
                self.report(refusal)
                returned = None
                for name in stored_names(statement):
                    environment[name] = UNKNOWN
            if returned is not None and returned.certain:
                return returned if unsure is None else unsure
            unsure = unsure or returned
        return unsure

    def follow_statement(self, statement: ast.stmt, environment: Environment) -> Returned | None:
        if id(statement) in self.refused:
            nodes = list(ast.walk(statement))
            self.look(statement, len(nodes))
            for name in stored_names(statement):
                environment[name] = UNKNOWN
            inside = any(isinstance(node, ast.Return | ast.Raise) for node in nodes)
            return Returned(UNKNOWN, statement, certain=False) if inside else None
        match statement:
            case ast.Assign():
                value = self.evaluate(statement.value, environment)
                for target in statement.targets:
                    self.store(target, value, environment)
            case ast.Return():
                if statement.value is None:
                    message = "return gives nothing"
                    raise Refused(statement, "no-return", message, "return a value")
                value = self.evaluate(statement.value, environment)
                return Returned(value, statement.value)
            case ast.If():
                return self.follow_if(statement, environment)
            case ast.For():
                return self.follow_for(statement, environment)
        return None

    def store(self, target: ast.expr, value: Value, environment: Environment) -> None:
        if isinstance(target, ast.Name):
            environment[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = self.unpacked(target, value)
            for item, part in zip(target.elts, items, strict=True):
                self.store(item, part, environment)

    def unpacked(self, target: ast.Tuple | ast.List, value: Value) -> tuple[Value, ...]:
        wanted = len(target.elts)
        if isinstance(value, Sequence) and len(value.items) == wanted:
            return value.items
        starred = any(isinstance(item, ast.Starred) for item in target.elts)
        if not isinstance(value, Unknown) and not starred:
            instead = f"give {wanted} values"
            if isinstance(value, Array):
                instead = "pick entries: a, b = x[:, 0], x[:, 1]"
            message = f"{describe(value)} cannot be unpacked into {wanted} names"
            self.report(Refused(target, "unpack", message, instead))
        return (UNKNOWN,) * wanted

    def follow_if(self, statement: ast.If, environment: Environment) -> Returned | None:
        truth = self.truth(statement.test, environment, "write xp.where(condition, a, b)")
        if truth is not None:
            return self.follow(statement.body if truth else statement.orelse, environment)
        other = dict(environment)
        first = self.follow(statement.body, environment)
        second = self.follow(statement.orelse, other)
        self.look(statement, len(environment) + len(other))
        for name in {*environment, *other}:
            # Equal values are not compared: nested tuples may double with every line.
            if environment.get(name) is not other.get(name):
                environment[name] = UNKNOWN
        if first is None and second is None:
            return None
        return Returned(UNKNOWN, statement, certain=False)

    def follow_for(self, statement: ast.For, environment: Environment) -> Returned | None:
        call = statement.iter
        steps: list[Value] = [UNKNOWN]
        if id(call) not in self.refused and isinstance(call, ast.Call):
            bounds = [self.integer(bound, environment) for bound in call.args]
            if len(bounds) == 3 and bounds[2] == 0:
                raise Refused(call.args[2], "loop", "the step is 0", "write another one")
            counted = range(*bounds)
            if self.iterations + len(counted) > MOST_ITERATIONS:
                message = f"one call runs more than {MOST_ITERATIONS:,} iterations"
                instead = "work on whole arrays: xp.sum(x, axis=-1)"
                raise TooMuchWork(statement, "too-much-work", message, instead)
            steps = [Number(i) for i in counted]
        unsure: Returned | None = None
        for step in steps:
            self.iterations += 1
            self.store(statement.target, step, environment)
            returned = self.follow(statement.body, environment)
            if returned is not None and returned.certain:
                return returned if unsure is None else unsure
            unsure = unsure or returned
        return unsure
