"""One function under translation: its names, and what is known of their values."""

import ast
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from reward_synth.reward.dialects.kinds import Kind
from reward_synth.reward.names import RESERVED, all_arguments


@dataclass
class Scope:
    """Names as the original spells them, and as the translation does."""

    function: str
    node: ast.FunctionDef
    forbidden: set[str]
    """Names that mean something else in the translation: no local value may take them."""
    parent: "Scope | None" = None
    names: dict[str, str] = field(default_factory=dict)
    """Local names of the original: what the translation calls them now."""
    values: dict[str, Kind] = field(default_factory=dict)
    """By the translation's names."""
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    """Dicts that are put together over several statements: each key's local name."""
    inserted: dict[str, ast.expr] = field(default_factory=dict)
    """Local names that stand for an expression wherever they are read."""
    captured: list[str] = field(default_factory=list)
    """Values of the caller that the translated function takes as further arguments."""
    taken: set[str] = field(default_factory=set)
    """Names that the translation uses already."""
    branches: list[dict[str, str]] = field(default_factory=list)
    """The names at the start of each branch of an ``if`` on arrays, outermost first."""
    tokens: dict[str, int] = field(default_factory=dict)
    """Which names of the original hold the very same array."""
    returned: Kind = None
    local: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        stored = {
            node.id
            for node in own_nodes(self.node)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        parameters = {argument.arg for argument in all_arguments(self.node.args)}
        self.local = frozenset(stored | parameters)
        self.taken |= stored | parameters

    def fresh(self, wish: str) -> str:
        """A name for the translation that nothing else has, near to ``wish``."""
        wish = "".join(c if c.isalnum() and c.isascii() else "_" for c in wish).strip("_")
        wish = wish if wish[:1].isalpha() else f"value_{wish}"
        options = itertools.chain([wish], (f"{wish}_{k}" for k in itertools.count(2)))
        found = next(n for n in options if n not in self.taken and self.allowed(n))
        self.taken.add(found)
        return found

    def allowed(self, name: str) -> bool:
        return name not in self.forbidden and name not in RESERVED

    def target(self, original: str) -> str:
        """What the translation calls ``original`` where it is assigned now."""
        current = self.names.get(original)
        wish = original.rpartition("[")[2].strip("]").rpartition(".")[2]
        if self.branches:
            if current is None or current == self.branches[-1].get(original):
                known = current is not None
                current = self.fresh(f"{current}_if" if known else wish)
        elif current is None:
            if original.isidentifier():
                current = original if self.allowed(original) else self.fresh(f"own_{original}")
            else:
                current = self.fresh(wish)
        self.names[original] = current
        self.inserted.pop(original, None)
        return current

    def snapshot(
        self,
    ) -> tuple[dict[str, str], dict[str, dict[str, str]], set[str], dict[str, ast.expr]]:
        tables = {name: dict(slots) for name, slots in self.tables.items()}
        return dict(self.names), tables, set(self.taken), dict(self.inserted)

    def restore(
        self,
        state: tuple[dict[str, str], dict[str, dict[str, str]], set[str], dict[str, ast.expr]],
        *,
        taken: bool,
    ) -> None:
        names, tables, used, inserted = state
        self.names, self.inserted = dict(names), dict(inserted)
        self.tables = {name: dict(slots) for name, slots in tables.items()}
        if taken:
            self.taken = set(used)


def own_nodes(function: ast.AST) -> Iterable[ast.AST]:
    """The nodes of a function, without those of functions and lambdas inside it."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
