"""Tuples, dicts and comprehensions: what is written out, and loops over it, written out too."""

import ast

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.building import number
from reward_synth.reward.dialects.expressions import Expressions
from reward_synth.reward.values import UNKNOWN, Sequence, Table


class Sequences(Expressions):
    """Translates what is put together of other values."""

    def expr_Dict(self, node: ast.Dict) -> ast.expr:
        entries: dict[str, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            new = self.expr(value)
            if key is None and isinstance(new, ast.Dict) and isinstance(self.kind(new), Table):
                given = zip(new.keys, new.values, strict=True)
                entries |= {k.value: v for k, v in given if isinstance(k, ast.Constant)}  # type: ignore[misc]
                continue
            known = None if key is None else self.text(key)
            if known is None or (known in entries and None not in node.keys):
                return self.foreign(node)
            entries[known] = new
        return building.text_dict(entries.items())

    def expr_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        known = self.text(node)
        return self.shapes.keep(node, UNKNOWN) if known is None else ast.Constant(known)

    def expr_ListComp(self, node: ast.ListComp) -> ast.expr:
        items = self.unrolled(node)
        return self.left(node) if items is None else building.tuple_of(items)

    expr_GeneratorExp = expr_ListComp  # type: ignore[assignment]

    def expr_DictComp(self, node: ast.DictComp) -> ast.expr:
        keys, values = self.unrolled(node, node.key), self.unrolled(node, node.value)
        if keys is None or values is None:
            return self.left(node)
        names = [self.text(key) for key in keys]
        if any(known is None for known in names):
            return self.left(node)
        pairs = zip(names, values, strict=True)
        return building.text_dict((known or "", value) for known, value in pairs)

    def unrolled(
        self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp, what: ast.expr | None = None
    ) -> list[ast.expr] | None:
        """The items of a comprehension over a sequence that is written out."""
        generator = node.generators[0]
        if len(node.generators) > 1 or generator.ifs or generator.is_async:
            return None
        items = self.items(generator.iter)
        if items is None:
            return None
        before = dict(self.scope.inserted)
        result: list[ast.expr] = []
        for item in items:
            if not self.insert(generator.target, item):
                self.scope.inserted = before
                return None
            result.append(self.expr(what if what is not None else node.elt))  # type: ignore[union-attr]
        self.scope.inserted = before
        self.note(node, "a comprehension is written out")
        return result

    def insert(self, target: ast.expr, item: ast.expr) -> bool:
        """Let ``target`` stand for ``item`` wherever it is read."""
        if isinstance(target, ast.Name):
            self.scope.inserted[target.id] = item
            return True
        parts = item.elts if isinstance(item, ast.Tuple | ast.List) else []
        if not isinstance(target, ast.Tuple | ast.List) or len(target.elts) != len(parts):
            return False
        return all(self.insert(t, part) for t, part in zip(target.elts, parts, strict=True))

    def items(self, node: ast.expr) -> list[ast.expr] | None:
        """The items of a sequence that is written out, or of a loop over one."""
        match node:
            case ast.Call(func=ast.Name(id="zip"), args=arguments, keywords=[]) if arguments:
                columns = [self.items(argument) for argument in arguments]
                if any(items is None for items in columns):
                    return None
                return [
                    self.made(building.tuple_of(row), node)
                    for row in zip(*(items or [] for items in columns), strict=False)
                ]
            case ast.Call(func=ast.Name(id="enumerate"), args=[argument], keywords=[]):
                items = self.items(argument)
                if items is None:
                    return None
                pairs = ((number(k), item) for k, item in enumerate(items))
                return [self.made(building.tuple_of(pair), node) for pair in pairs]
            case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
                bounds = [building.numbers_in(self.expr(argument)) for argument in arguments]
                if not 1 <= len(bounds) <= 3 or not all(type(b) is int for b in bounds):
                    return None
                counted = range(*bounds) if bounds[2:] != [0] else range(0)  # type: ignore[arg-type]
                return [self.made(number(k), node) for k in counted[:1_000]]
            case ast.Call(func=ast.Attribute(value=table, attr=part), args=[], keywords=[]) if (
                part in ("items", "values", "keys")
            ):
                return self.table_items(table, part)
        new = self.expr(node)
        if isinstance(new, ast.Tuple | ast.List) and isinstance(self.kind(new), Sequence):
            return list(new.elts)
        kind = self.kind(new)
        if isinstance(new, ast.Name) and isinstance(kind, Sequence):
            entries = (ast.Subscript(new, number(k), ast.Load()) for k in range(len(kind.items)))
            return [self.made(entry, node) for entry in entries]
        return self.table_items(node, "keys") if isinstance(new, ast.Dict) else None

    def table_items(self, table: ast.expr, part: str) -> list[ast.expr] | None:
        new = self.expr(table)
        if not isinstance(new, ast.Dict) or not isinstance(self.kind(new), Table):
            return None
        keys = [key for key in new.keys if key is not None]
        if part == "keys":
            return keys
        if part == "values":
            return list(new.values)
        pairs = zip(keys, new.values, strict=True)
        return [self.made(building.tuple_of(pair), table) for pair in pairs]
