"""Statements of other dialects: choices by row, loops, and what needs no translation.

The translation of a statement is a list of statements, each of which remembers in ``origin``
which of the original's it came from.
"""

import ast

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.assignments import COMPONENTS, TOTAL, Assignments
from reward_synth.reward.dialects.building import name
from reward_synth.reward.dialects.choices import inlined, with_one_return
from reward_synth.reward.dialects.kinds import (
    is_array,
    is_column,
    is_condition,
)
from reward_synth.reward.dialects.libraries import droppable
from reward_synth.reward.names import dotted, is_docstring
from reward_synth.reward.values import Array, Number, Table

MOST_UNROLLED = 64


class Statements(Assignments):
    """Translates the statements of one function after another."""

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for position, statement in enumerate(body):
            self.visits += 1
            if isinstance(statement, ast.If):
                whole = self.choice(statement, body[position + 1 :])
                if whole is not None:
                    return [*result, *whole]
            result += self.statement(statement)
        return result

    def statement(self, statement: ast.stmt) -> list[ast.stmt]:
        """``statement`` in the reward language; one that needs nothing there gives []."""
        method = getattr(self, f"stmt_{type(statement).__name__}", None)
        made = [statement] if method is None else method(statement)
        if made is None:
            made = [statement]
        for new in made:
            building.placed(new, statement)
            if getattr(new, "origin", None) is None:
                new.origin = statement  # type: ignore[attr-defined]
        return made

    # What disappears

    def stmt_Import(self, statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        if not droppable(statement):
            return [statement]
        self.note(statement, "imports are dropped")
        return []

    stmt_ImportFrom = stmt_Import

    def stmt_Expr(self, statement: ast.Expr) -> list[ast.stmt]:
        value = statement.value
        if isinstance(value, ast.Constant) and (value.value is Ellipsis or is_docstring(statement)):
            return []
        if isinstance(value, ast.Call):
            if isinstance(value.func, ast.Name) and value.func.id == "print":
                self.note(statement, "print is dropped")
                return []
            if isinstance(value.func, ast.Attribute):
                changed = self.changing_call(statement, value, value.func)
                if changed is not None:
                    return changed
        return [ast.Expr(self.expr(value))]

    def changing_call(
        self, statement: ast.Expr, value: ast.Call, function: ast.Attribute
    ) -> list[ast.stmt] | None:
        """``x.clamp_(0, 1)`` and ``parts.update({...})``."""
        owner = function.value
        if not isinstance(owner, ast.Name):
            return None
        if function.attr == "update" and owner.id in self.scope.tables and len(value.args) <= 1:
            entries = [self.expr(argument) for argument in value.args]
            if all(isinstance(e, ast.Dict) and isinstance(self.kind(e), Table) for e in entries):
                pairs = [
                    (self.text(key) or "", item)
                    for entry in entries
                    if isinstance(entry, ast.Dict)
                    for key, item in zip(entry.keys, entry.values, strict=True)
                    if key is not None
                ]
                pairs += [(k.arg, self.expr(k.value)) for k in value.keywords if k.arg]
                return self.put_all(statement, owner.id, pairs)
        attr = function.attr
        if attr.endswith("_") and not attr.startswith("_") and owner.id in self.scope.names:
            plain = ast.copy_location(ast.Attribute(owner, attr[:-1], ast.Load()), function)
            new = ast.copy_location(ast.Call(plain, value.args, value.keywords), value)
            self.check_aliases(statement, owner.id)
            return self.assign_to(statement, owner.id, self.expr(new))
        return None

    def stmt_With(self, statement: ast.With) -> list[ast.stmt] | None:
        for item in statement.items:
            call = item.context_expr
            path = dotted(call.func) if isinstance(call, ast.Call) else ""
            if item.optional_vars is not None or path.rpartition(".")[2] not in (
                *("no_grad", "errstate", "inference_mode"),
            ):
                return None
        self.note(statement, "with is dropped, its body kept")
        return self.block(statement.body)

    def stmt_Pass(self, statement: ast.Pass) -> list[ast.stmt]:
        return []

    def stmt_Delete(self, statement: ast.Delete) -> list[ast.stmt] | None:
        return [] if all(isinstance(target, ast.Name) for target in statement.targets) else None

    # Choices

    def choice(self, statement: ast.If, rest: list[ast.stmt]) -> list[ast.stmt] | None:
        """An ``if`` that returns for some rows only, with what follows it; None for any other."""
        if not any(isinstance(n, ast.Return) for n in building.simple_statements([statement])):
            return None
        test = self.expr(statement.test)
        if not is_condition(self.kind(test)):
            return None
        one = with_one_return([statement, *rest], TOTAL, COMPONENTS)
        if one is None:
            message = "some rows return here and others do not"
            instead = "write xp.where(condition, a, b), and return once at the end"
            self.refuse(statement, "data-dependent", message, instead)
            return None
        return self.block(one)

    def stmt_If(self, statement: ast.If) -> list[ast.stmt]:
        test = self.expr(statement.test)
        kind = self.kind(test)
        if is_column(kind) and is_condition(kind):
            self.reads_one_state = True
            self.note(statement, "if, by row, is xp.where(condition, a, b)")
            return self.by_row(statement, test)
        known = isinstance(kind, Number) and kind.value is not None
        if not known:
            if is_array(kind):
                message = "the condition differs from row to row of the batch"
                if not is_condition(kind):
                    message = "the condition is an array of numbers"
                self.refuse(statement.test, "data-dependent", message, "compare it: x > 0.0")
            return [statement]
        state, values = self.scope.snapshot(), dict(self.scope.values)
        returned = self.scope.returned
        taken_body = statement.body if kind.value else statement.orelse
        other_body = statement.orelse if kind.value else statement.body
        other = self.block(other_body)
        self.scope.restore(state, taken=False)
        self.scope.values, self.scope.returned = values, returned
        taken = self.block(taken_body)
        body, orelse = (taken, other) if kind.value else (other, taken)
        return [ast.If(test, body or [ast.copy_location(ast.Pass(), statement)], orelse)]

    def by_row(self, statement: ast.If, test: ast.expr) -> list[ast.stmt]:
        """Both branches, and then each value that they give, chosen by row."""
        scope = self.scope
        state = scope.snapshot()
        given: list[list[ast.stmt]] = []
        ends: list[dict[str, ast.expr]] = []
        tables: list[dict[str, dict[str, str]]] = []
        for body in (statement.body, statement.orelse):
            scope.restore(state, taken=False)
            scope.branches.append(dict(scope.names))
            given.append(self.block(body))
            scope.branches.pop()
            ends.append(self.held(statement))
            tables.append(scope.snapshot()[1])
        scope.restore(state, taken=False)
        for table in {*tables[0], *tables[1]}:
            scope.tables[table] = tables[0].get(table, {}) | tables[1].get(table, {})
        merged = [
            (original, first, ends[1][original])
            for original, first in ends[0].items()
            if original in ends[1] and not building.same(first, ends[1][original])
        ]
        return self.merge(statement, test, given, merged)

    def held(self, at: ast.AST) -> dict[str, ast.expr]:
        """What each local name of the original stands for now."""
        scope = self.scope
        named = {
            k: self.made(name(v), at) for k, v in scope.names.items() if k not in scope.inserted
        }
        return named | scope.inserted

    def merge(
        self,
        statement: ast.If,
        test: ast.expr,
        given: list[list[ast.stmt]],
        merged: list[tuple[str, ast.expr, ast.expr]],
    ) -> list[ast.stmt]:
        scope = self.scope
        result: list[ast.stmt] = []
        changed = {scope.names[k] for k, _, _ in merged if k in scope.names}
        if len(merged) > 1 and building.names_read(test) & changed:
            condition = scope.fresh("condition")
            scope.values[condition] = self.kind(test)
            result.append(ast.Assign([ast.Name(condition, ast.Store())], test))
            test = self.made(name(condition), statement)
        choices: list[ast.stmt] = []
        for original, first, second in merged:
            kinds = self.kind(first), self.kind(second)
            if not all(isinstance(kind, Array | Number) for kind in kinds):
                message = f"'{original}' is not a number in both branches"
                self.refuse(statement, "data-dependent", message, "write xp.where(condition, a, b)")
                continue
            value = self.made(self.chosen(test, first, second), statement)
            choices += self.assign_to(statement, original, value)
            scope.tokens[original] = 1_000_000 + self.visits
        kept, choices = inlined([*given[0], *given[1]], choices)
        for new in [*result, *choices]:
            building.placed(new, statement)
            new.origin = statement  # type: ignore[attr-defined]
        return [*result, *kept, *choices]

    # Loops

    def stmt_For(self, statement: ast.For) -> list[ast.stmt] | None:
        if statement.orelse:
            return None
        items = self.items(statement.iter)
        counted = isinstance(statement.iter, ast.Call) and dotted(statement.iter.func) == "range"
        if items is None:
            return [statement]
        in_words = any(isinstance(node, ast.JoinedStr) for node in ast.walk(statement))
        if not counted or (in_words and len(items) <= MOST_UNROLLED):
            return self.unroll(statement, items)
        if not isinstance(statement.target, ast.Name) or not items:
            return None
        result: list[ast.stmt] = []
        if self.scope.branches:
            for known in sorted(self.stored_in(statement)):
                if known in self.scope.names and known != statement.target.id:
                    result += self.assign_to(statement, known, self.read(known, statement))
        self.scope.target(statement.target.id)
        variable = self.scope.names[statement.target.id]
        self.scope.values[variable] = Number(building.numbers_in(items[0]) or 0)
        state = self.scope.snapshot()
        first = self.block(statement.body)
        self.scope.restore(state, taken=True)
        self.scope.values[variable] = Number(building.numbers_in(items[0]) or 0)
        second = self.block(statement.body)
        if [ast.dump(new) for new in first] != [ast.dump(new) for new in second]:
            message = "a value in this loop is of another kind at each turn"
            self.refuse(statement, "loop", message, "start with xp.zeros_like(x)")
        call = statement.iter
        assert isinstance(call, ast.Call)
        bounds = ast.Call(name("range"), [self.expr(bound) for bound in call.args], [])
        loop = ast.For(ast.Name(variable, ast.Store()), bounds, second, [], None)
        return [*result, loop]

    def unroll(self, statement: ast.For, items: list[ast.expr]) -> list[ast.stmt] | None:
        """A loop over things that are written out, written out."""
        if len(items) > MOST_UNROLLED:
            return None
        stored = {self.scope.names.get(k, k) for k in self.stored_in(statement)}
        if any(building.names_read(item) & stored for item in items):
            message = "the loop changes what it runs over"
            self.refuse(statement, "loop", message, "write the statements out")
            return [statement]
        before = dict(self.scope.inserted)
        result: list[ast.stmt] = []
        for item in items:
            if not self.insert(statement.target, item):
                return [statement]
            result += self.block(statement.body)
        targets = {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
        kept = {k: v for k, v in self.scope.inserted.items() if k not in targets}
        self.scope.inserted = kept | {k: v for k, v in before.items() if k in targets}
        self.note(statement, "a loop over things that are written out is written out")
        return result

    def stmt_FunctionDef(self, statement: ast.FunctionDef) -> list[ast.stmt]:
        self.define(statement)
        self.note(statement, f"the function {statement.name} is defined at the top level")
        return []

    def stmt_Return(self, statement: ast.Return) -> list[ast.stmt]:
        if statement.value is None:
            return [statement]
        value = self.expr(statement.value)
        if self.scope.returned is None:
            self.scope.returned = self.kind(value)
        return self.result(statement, value)

    def result(self, statement: ast.Return, value: ast.expr) -> list[ast.stmt]:
        return [ast.Return(value)]
