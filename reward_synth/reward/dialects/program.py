"""A whole program of another dialect: its constants, its functions, and which is the reward."""

import ast

from reward_synth.reward.dialects.definitions import Definitions, Function
from reward_synth.reward.dialects.kinds import Placement, Rows, ShapeOf
from reward_synth.reward.dialects.libraries import droppable
from reward_synth.reward.names import ENTRY, dotted, is_docstring
from reward_synth.reward.values import Table


class Programs(Definitions):
    """Translates a module."""

    def run(self, tree: ast.Module) -> ast.Module:
        """The module in the reward language, as far as it can be written in it."""
        body = self.flat(tree.body)
        for statement in body:
            if isinstance(statement, ast.FunctionDef):
                if statement.name in self.functions:
                    message = f"the function '{statement.name}' is defined twice"
                    self.refuse(statement, "twice", message, "delete one of the two")
                self.functions[statement.name] = Function(statement, statement.name)
                self.functions[statement.name].method = hasattr(statement, "method")
        entry = self.entry()
        made: list[ast.stmt] = []
        for statement in body:
            made += self.module_statement(statement, first=statement is body[0])
        if entry is not None:
            self.enter(entry)
        else:
            self.refuse_without_entry(tree)
        for function in self.functions.values():
            if function.made is None:
                self.note(function.node, f"the function {function.name} is not called: dropped")
        return ast.Module(self.arranged(made), [])

    @property
    def order_known(self) -> bool:
        """Whether the reward function was found, and with it which others are called."""
        return any(f.name == ENTRY and f.made is not None for f in self.functions.values())

    def refuse_without_entry(self, tree: ast.Module) -> None:
        known = [function.name for function in self.functions.values()]
        message = f"there is no function {ENTRY}"
        if known:
            message += f", and which of {', '.join(known[:5])} is the reward is not clear"
        self.refuse(
            tree, "no-entry", message, f"define def {ENTRY}(...): that returns total, components"
        )

    # The module

    def flat(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of a module, with those of its classes among them."""
        result: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.ClassDef) and not statement.keywords:
                self.note(statement, f"the class {statement.name} is taken apart")
                for inner in statement.body:
                    if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                        result += self.attributes(inner)
                        continue
                    inner.method = True  # type: ignore[attr-defined]
                    if not is_docstring(inner):
                        result.append(inner)
                self.objects |= {"self", "cls", statement.name}
            elif isinstance(statement, ast.If) and is_main(statement):
                self.note(statement, "what runs only as a script is dropped")
            else:
                result.append(statement)
        return result

    def attributes(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """``self.weight = 1.0`` in ``__init__``: constants.  Anything else stays unknown."""
        defaults = self.defaults_of(function.args)
        result: list[ast.stmt] = []
        for statement in function.body:
            match statement:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=known)]):
                    value = statement.value
                case ast.AnnAssign(
                    target=ast.Attribute(value=ast.Name(id="self"), attr=known), value=ast.expr()
                ):
                    value = statement.value
                case _:
                    continue
            assert value is not None
            if isinstance(value, ast.Name) and value.id in defaults:
                value = defaults[value.id]
            if isinstance(value, ast.Name):
                continue
            new = ast.Assign([ast.Name(known, ast.Store())], value)
            result.append(ast.copy_location(new, statement))
        return result

    def entry(self) -> Function | None:
        """The function that is the reward: ``compute_reward``, or the one that no other calls."""
        if ENTRY in self.functions:
            return self.functions[ENTRY]
        called = {
            dotted(node.func).rpartition(".")[2]
            for function in self.functions.values()
            for node in ast.walk(function.node)
            if isinstance(node, ast.Call)
        }
        free = [function for known, function in self.functions.items() if known not in called]
        rewards = [function for function in free if "reward" in function.name.lower()]
        found = free if len(free) == 1 else rewards
        if len(found) != 1:
            return None
        self.note(found[0].node, f"the function {found[0].name} is {ENTRY}")
        found[0].name = ENTRY
        return found[0]

    def module_statement(self, statement: ast.stmt, *, first: bool) -> list[ast.stmt]:
        match statement:
            case ast.Import() | ast.ImportFrom() if droppable(statement):
                self.note(statement, "imports are dropped")
                return []
            case ast.FunctionDef():
                return [statement]
            case ast.Assign(targets=[ast.Name(id=known)], value=value):
                return self.constant(statement, known, value)
            case ast.AnnAssign(target=ast.Name(id=known), value=ast.expr() as value):
                return self.constant(statement, known, value)
            case ast.Expr(value=ast.Constant(value=str())):
                return [statement] if first else []
            case ast.Pass():
                return []
        statement.origin = statement  # type: ignore[attr-defined]
        return [statement]

    def constant(self, statement: ast.stmt, known: str, value: ast.expr) -> list[ast.stmt]:
        """``NAME = 1.0`` at the top level, and dicts of them."""
        if isinstance(value, ast.Lambda):
            body: list[ast.stmt] = [ast.copy_location(ast.Return(value.body), value)]
            function = ast.FunctionDef(known, value.args, body, [], None, None)
            ast.fix_missing_locations(ast.copy_location(function, statement))
            self.functions[known] = Function(function, known)
            self.note(statement, f"the lambda {known} is a function")
            return [function]
        new = self.expr(value)
        kind = self.kind(new)
        if isinstance(kind, Table) and isinstance(new, ast.Dict):
            self.note(statement, f"the numbers of the dict {known} are constants")
            slots = self.constant_tables.setdefault(known, {})
            result: list[ast.stmt] = []
            for key, item in zip(new.keys, new.values, strict=True):
                text = self.text(key) if key is not None else None
                if text is not None:
                    slots[text] = self.constant_name(f"{known}_{text}")
                    result += self.define_as(statement, slots[text], item)
            return result
        if isinstance(kind, Placement | Rows | ShapeOf) or (
            isinstance(new, ast.Constant) and isinstance(new.value, str)
        ):
            return []
        if known in self.constants:
            message = f"the constant '{known}' is defined twice"
            self.refuse(statement, "twice", message, "delete one of the two")
        self.constants[known] = self.constant_name(known)
        if self.constants[known] != known:
            self.note(statement, f"the constant {known} is {self.constants[known]}")
        return self.define_as(statement, self.constants[known], new)

    def arranged(self, made: list[ast.stmt]) -> list[ast.stmt]:
        """Functions in the place of the original's, those from inside others before them."""
        result: list[ast.stmt] = []
        before: list[ast.stmt] = []
        done: set[int] = set()

        def with_inner(function: Function) -> list[ast.stmt]:
            inner = [
                f for f in self.order if f.parent is not None and f.parent.node is function.node
            ]
            new: ast.stmt = function.made or function.node
            new.origin = function.node  # type: ignore[attr-defined]
            done.add(id(function))
            return [*(s for f in inner if id(f) not in done for s in with_inner(f)), new]

        by_node = {id(function.node): function for function in self.functions.values()}
        for statement in made:
            function = by_node.get(id(statement))
            if function is not None:
                before += with_inner(function) if function.made or not self.order_known else []
            elif isinstance(statement, ast.FunctionDef):
                continue
            else:
                result.append(statement)
        docstring = [s for s in result[:1] if is_docstring(s)]
        constants = [*result[len(docstring) :], *self.top]
        return [*docstring, *constants, *before]


def is_main(statement: ast.If) -> bool:
    test = statement.test
    return isinstance(test, ast.Compare) and dotted(test.left) == "__name__"
