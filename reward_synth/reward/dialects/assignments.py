"""Assignments of other dialects: changes in place, dicts that are filled, arrays with two names."""

import ast
from collections.abc import Iterable

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.calls import Calls
from reward_synth.reward.dialects.kinds import (
    Extremum,
    Kind,
    Placement,
    Rows,
    ShapeOf,
    Stacked,
    is_array,
    is_column,
)
from reward_synth.reward.dialects.scope import own_nodes
from reward_synth.reward.names import ENTRY, all_arguments, dotted
from reward_synth.reward.values import UNKNOWN, Sequence, Table, Text

TOTAL, COMPONENTS = "[total]", "[components]"
"""What a function returns where its returns are brought together: no program can spell these."""
NOT_VALUES = (Rows, ShapeOf, Placement)
"""What is known of the original and does not exist in the translation."""


def in_words(kind: Kind) -> bool:
    """Whether a value is a sequence of strings: the language has strings as names alone."""
    return isinstance(kind, Sequence) and any(isinstance(item, Text) for item in kind.items)


class Assignments(Calls):
    """Translates what gives names their values."""

    def define(self, function: ast.FunctionDef) -> None:
        """Remember a function that is defined inside another."""
        raise NotImplementedError

    def stmt_AnnAssign(self, statement: ast.AnnAssign) -> list[ast.stmt]:
        if statement.value is None:
            return []
        return self.assignment(statement, [statement.target], statement.value)

    def stmt_Assign(self, statement: ast.Assign) -> list[ast.stmt]:
        return self.assignment(statement, statement.targets, statement.value)

    def assignment(
        self, statement: ast.stmt, targets: list[ast.expr], value: ast.expr
    ) -> list[ast.stmt]:
        target = targets[0]
        if len(targets) == 1 and isinstance(target, ast.Name) and isinstance(value, ast.Lambda):
            body: list[ast.stmt] = [ast.copy_location(ast.Return(value.body), value)]
            function = ast.FunctionDef(target.id, value.args, body, [], None, None)
            self.define(ast.fix_missing_locations(ast.copy_location(function, statement)))
            self.note(statement, f"the lambda {target.id} is a function")
            return []
        if len(targets) == 1 and isinstance(target, ast.Name) and self.is_table(target.id, value):
            return self.start_table(statement, target.id, value)
        if len(targets) == 1 and isinstance(target, ast.Tuple | ast.List):
            return self.unpacked(statement, target, value)
        new = self.expr(value)
        result: list[ast.stmt] = []
        for position, each in enumerate(targets):
            given = new if position == 0 else self.kept_once(targets[0], new)
            result += self.store(statement, each, given)
            self.alias(each, value)
        return result

    def kept_once(self, first: ast.expr, value: ast.expr) -> ast.expr:
        return self.read(first.id, first) if isinstance(first, ast.Name) else value

    def store(self, statement: ast.stmt, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """``target = value``."""
        if isinstance(target, ast.Name):
            return self.assign_to(statement, target.id, value)
        if isinstance(target, ast.Attribute):
            path = dotted(target)
            if path.partition(".")[0] in self.objects:
                return self.assign_to(statement, path, value)
        if isinstance(target, ast.Subscript):
            changed = self.store_entry(statement, target, value, None)
            if changed is not None:
                return changed
        return [ast.Assign([target], value)]

    def assign_to(self, statement: ast.AST, original: str, value: ast.expr) -> list[ast.stmt]:
        """``original = value``, under the name that the translation has for it."""
        kind = self.kind(value)
        if isinstance(kind, (*NOT_VALUES, Extremum, Stacked, Text)) or in_words(kind):
            if self.is_stable(value):
                self.scope.target(original)
                self.scope.inserted[original] = value
                return []
            kind = UNKNOWN
        target = self.scope.target(original)
        if target != original and original.isidentifier() and not self.scope.branches:
            self.note(
                statement, f"the local name {original} is {target}: {original} means something else"
            )
        self.scope.values[target] = kind
        return [ast.Assign([ast.Name(target, ast.Store())], value)]

    def is_stable(self, node: ast.expr) -> bool:
        """Whether ``node`` has the same value wherever it is read later."""
        used = building.names_read(node)
        stored: list[str] = [
            self.scope.names.get(part.id, part.id)
            for part in own_nodes(self.scope.node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        ]
        looped = {
            self.scope.names.get(known, known)
            for loop in own_nodes(self.scope.node)
            if isinstance(loop, ast.For)
            for known in self.stored_in(loop)
        }
        parameters = {a.arg for a in self.scope.node.args.args}
        return not used & looped and all(
            stored.count(known) <= (known not in parameters) for known in used
        )

    def unpacked(
        self, statement: ast.stmt, target: ast.Tuple | ast.List, value: ast.expr
    ) -> list[ast.stmt]:
        """``a, b = x``."""
        names = [item.id for item in target.elts if isinstance(item, ast.Name)]
        new = self.expr(value)
        kind = self.kind(new)
        if len(names) != len(target.elts):
            return [ast.Assign([target], new)]
        if isinstance(kind, Extremum) and len(names) == 2:
            return self.assign_to(statement, names[0], self.values_of(new))
        if isinstance(kind, ShapeOf):
            lengths = [self.length(kind.node, kind.shape, k) for k in range(len(names))]
            if len(names) == len(kind.shape) - self.one_state and all(lengths):
                for known, length in zip(names, lengths, strict=True):
                    assert length is not None
                    self.scope.target(known)
                    self.scope.inserted[known] = length
                return []
        kinds: Iterable[Kind] = [UNKNOWN] * len(names)
        if isinstance(kind, Sequence) and len(kind.items) == len(names):
            kinds = kind.items
        targets = [self.scope.target(known) for known in names]
        for known, part in zip(targets, kinds, strict=True):
            self.scope.values[known] = part
        stored = ast.Tuple([ast.Name(known, ast.Store()) for known in targets], ast.Store())
        return [ast.Assign([stored], new)]

    def stmt_AugAssign(self, statement: ast.AugAssign) -> list[ast.stmt]:
        target = statement.target
        if isinstance(target, ast.Subscript):
            changed = self.store_entry(statement, target, self.expr(statement.value), statement.op)
            if changed is not None:
                return changed
            return [ast.AugAssign(target, statement.op, self.expr(statement.value))]
        known = target.id if isinstance(target, ast.Name) else dotted(target)
        inside = known in self.scope.names
        if not inside or known in self.scope.tables:
            return [ast.AugAssign(target, statement.op, self.expr(statement.value))]
        value = self.expr(statement.value)
        self.check_aliases(statement, known)
        old = self.made(self.read(known, target), target)
        both = self.made(self.operation(statement, old, statement.op, value), statement)
        current = self.scope.names[known]
        new = self.assign_to(statement, known, both)
        plain = isinstance(both, ast.BinOp) and type(both.op) is type(statement.op)
        if plain and self.scope.names.get(known) == current and known not in self.scope.inserted:
            return [ast.AugAssign(ast.Name(current, ast.Store()), statement.op, value)]
        return new

    def store_entry(
        self,
        statement: ast.stmt,
        target: ast.Subscript,
        value: ast.expr,
        operator: ast.operator | None,
    ) -> list[ast.stmt] | None:
        """``parts["run"] = run`` and ``reward[fallen] = -1.0``; None where it has no meaning."""
        owner = target.value
        if not isinstance(owner, ast.Name):
            return None
        key = self.text(target.slice)
        if owner.id in self.scope.tables:
            if key is None:
                return None
            slot = self.scope.tables[owner.id].get(key)
            if operator is not None:
                if slot is None:
                    return None
                old = self.read(slot, target)
                value = self.made(self.operation(statement, old, operator, value), statement)
                self.check_aliases(statement, slot)
            made = self.put(statement, owner.id, key, value)
            if operator is None and not isinstance(statement, ast.AugAssign):
                self.alias_slot(owner.id, key, getattr(statement, "value", None))
            return made
        if owner.id not in self.scope.names or self.imports.framework == "jnp":
            return None
        whole = isinstance(target.slice, ast.Slice) and ast.unparse(target.slice) == ":"
        given = getattr(statement, "value", None)
        if whole and operator is None and is_column(self.kind(value)):
            self.check_aliases(statement, owner.id)
            return self.assign_to(statement, owner.id, value)
        changes = {ast.Add: "add", ast.Mult: "mul", ast.Sub: "sub", ast.Div: "div"}
        change = "set" if operator is None else changes.get(type(operator), "")
        if not change or given is None:
            return None
        new = self.changed(owner, target.slice, change, given)
        if new is None:
            return None
        self.check_aliases(statement, owner.id)
        return self.assign_to(statement, owner.id, self.made(new, statement))

    # Dicts that are put together

    def is_table(self, known: str, value: ast.expr) -> bool:
        """Whether a dict is changed, or gone through, after it was made."""
        if known == COMPONENTS:
            return True
        empty_call = isinstance(value, ast.Call) and dotted(value.func) == "dict"
        if not isinstance(value, ast.Dict | ast.DictComp) and not empty_call:
            return False
        if isinstance(value, ast.Dict) and not value.keys:
            return True
        for node in own_nodes(self.scope.node):
            match node:
                case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store()) if owner == known:
                    return True
                case ast.Attribute(value=ast.Name(id=owner)) if owner == known:
                    return True
        return False

    def start_table(self, statement: ast.stmt, known: str, value: ast.expr) -> list[ast.stmt]:
        new = self.expr(value)
        if not isinstance(new, ast.Dict) or not isinstance(self.kind(new), Table):
            return self.assign_to(statement, known, new)
        if isinstance(value, ast.Dict) and value.keys:
            self.note(statement, f"the dict {known} is put together where it is read")
        self.scope.tables[known] = {}
        originals = value.values if isinstance(value, ast.Dict) else []
        keys = [self.text(key) or "" for key in new.keys if key is not None]
        result = self.put_all(statement, known, list(zip(keys, new.values, strict=True)))
        if len(originals) == len(keys):
            for key, original in zip(keys, originals, strict=True):
                self.alias_slot(known, key, original)
        return result

    def put_all(
        self, statement: ast.stmt, table: str, pairs: list[tuple[str, ast.expr]]
    ) -> list[ast.stmt]:
        return [new for key, value in pairs for new in self.put(statement, table, key, value)]

    def put(self, statement: ast.stmt, table: str, key: str, value: ast.expr) -> list[ast.stmt]:
        """``table[key] = value``: the value has a name of its own until the dict is read."""
        scope, slot = self.scope, f"{table}[{key}]"
        scope.tables[table][key] = slot
        self.note(statement, "dicts are written where they are read, not filled")
        if not scope.branches and (building.numbers_in(value) is not None or self.lasts(value)):
            if isinstance(value, ast.Name):
                scope.names[slot] = value.id
                scope.inserted.pop(slot, None)
            else:
                scope.inserted[slot] = value
            return []
        if not scope.branches and slot in scope.names and self.shared(slot):
            scope.names[slot] = scope.fresh(key)
        return self.assign_to(statement, slot, value)

    def shared(self, slot: str) -> bool:
        """Whether the slot's name is another value's too."""
        current = self.scope.names[slot]
        return sum(known == current for known in self.scope.names.values()) > 1

    def lasts(self, value: ast.expr) -> bool:
        """Whether a name keeps its value to the end of the function."""
        return isinstance(value, ast.Name) and self.is_stable(value)

    # Arrays that share their memory: changed in place, they all change

    def alias(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.share(target.id, value)

    def alias_slot(self, table: str, key: str, value: ast.expr | None) -> None:
        if value is not None:
            self.share(f"{table}[{key}]", value)

    def share(self, known: str, value: ast.expr) -> None:
        source = value
        while isinstance(source, ast.Subscript | ast.Attribute | ast.Call):
            if isinstance(source, ast.Call):
                method = source.func
                viewing = ("detach", "view", "reshape", "squeeze", "unsqueeze", "float", "to")
                if not isinstance(method, ast.Attribute) or method.attr not in viewing:
                    break
                source = method.value
            else:
                source = source.value
        tokens = self.scope.tokens
        if isinstance(source, ast.Name) and source.id in self.scope.local:
            tokens[known] = tokens.setdefault(source.id, len(tokens) + 1)
        else:
            tokens[known] = 1_000_000 + self.visits

    def check_aliases(self, statement: ast.stmt, known: str) -> None:
        """Refuse a change in place of an array that another name holds, and that is read later.

        The program's own library changes both; here, and in the author's mind, only one is.
        """
        scope = self.scope
        if self.imports.own or self.imports.framework == "jnp":
            return
        token = scope.tokens.get(known)
        parameters = {argument.arg for argument in all_arguments(scope.node.args)}
        if scope.function != ENTRY and known in parameters and (token or 0) < 1_000_000:
            message = f"this changes the array that '{known}' was called with"
            instead = f"write {known} = {known} + ..., which makes a new one"
            self.refuse(statement, "alias", message, instead)
            return
        current = scope.names.get(known, "")
        held = scope.values.get(current, UNKNOWN)
        if not is_array(held) or (self.one_state and is_column(held)):  # a number of one state
            return
        others = [other for other, of in scope.tokens.items() if of == token and other != known]
        for other in others:
            if token is not None and ("[" in other or self.read_later(other, statement)):
                message = f"this changes the array that '{other}' holds too"
                instead = f"write {known} = {known} + ..., which makes a new one"
                if "[" in known:
                    instead = "write x = x + ..., which makes a new one"
                self.refuse(statement, "alias", message.replace("[", " of ["), instead)
                return

    def read_later(self, known: str, statement: ast.stmt) -> bool:
        """Whether a name is read after ``statement``, or anywhere in a loop around it."""
        first = statement.lineno
        for node in own_nodes(self.scope.node):
            if isinstance(node, ast.For) and node.lineno <= statement.lineno <= (
                node.end_lineno or 0
            ):
                first = min(first, node.lineno)
        return any(
            isinstance(node, ast.Name)
            and node.id == known
            and isinstance(node.ctx, ast.Load)
            and (node.lineno > statement.lineno or first < node.lineno < statement.lineno)
            for node in own_nodes(self.scope.node)
        )

    def stored_in(self, statement: ast.For) -> set[str]:
        return {
            node.id
            for node in own_nodes(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
