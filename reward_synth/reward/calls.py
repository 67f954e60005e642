"""The arguments of a call: which parameter each is for, and what a rule may ask of them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from reward_synth.reward.finding import Refused, Silent
from reward_synth.reward.values import Array, Number, Sequence, Unknown, Value, describe

if TYPE_CHECKING:
    from reward_synth.reward.expressions import Expressions


@dataclass(frozen=True)
class BoundCall:
    """The arguments of one call by name, for the rule of the function."""

    inference: "Expressions"
    node: ast.Call
    name: str
    arguments: Mapping[str, tuple[Value, ast.expr]]

    def given(self, name: str) -> bool:
        return name in self.arguments

    def value(self, name: str) -> Value:
        return self.arguments[name][0]

    def numeric(self, name: str) -> Number | Array:
        value, node = self.arguments[name]
        return self.inference.numeric(node, value)

    def condition(self, name: str) -> Number | Array:
        value, node = self.arguments[name]
        return self.inference.condition(node, value)

    def items(self, name: str) -> list[Number | Array]:
        value, node = self.arguments[name]
        if not isinstance(value, Sequence) or not value.items:
            message = f"{describe(value)} stands where a tuple is wanted"
            self.refuse("kind", message, "write (a, b)", name)
        self.inference.look(node, len(value.items))
        items: list[Number | Array] = []
        for item in value.items:
            if isinstance(item, Unknown):
                raise Silent(node)
            items.append(self.inference.numeric(node, item))
        return items

    def integer(self, name: str) -> int:
        value = self.value(name)
        if isinstance(value, Number) and type(value.value) is int:
            self.inference.structural |= value.constants
            return value.value
        message = f"'{name}' of {self.name} is not one whole number"
        self.refuse("integer", message, f"write {name}=-1", name)

    def known(self, name: str) -> float:
        value = self.numeric(name)
        if not isinstance(value, Number):
            message = f"'{name}' of {self.name} is not a number"
            self.refuse("kind", message, "write a number or an upper-case constant", name)
        if name in ("keepdims", "correction", "ord"):
            self.inference.structural |= value.constants
        return value.value

    def refuse(self, code: str, message: str, instead: str, at: str | None = None) -> NoReturn:
        node = self.node if at is None or at not in self.arguments else self.arguments[at][1]
        raise Refused(node, code, message, instead)


def bind(
    node: ast.Call, path: str, names: list[str], required: int, given: list[str | None]
) -> dict[str, int]:
    """Which parameter each argument is for: name to position in ``given``."""
    signature = f"write {path}({', '.join(names)})"
    bound: dict[str, int] = {}
    for position, keyword in enumerate(given):
        if keyword is None and position >= len(names):
            message = f"{path} takes {len(names)} arguments, not {len(given)}"
            raise Refused(node, "arguments", message, signature)
        name = names[position] if keyword is None else keyword
        if name not in names:
            like = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "p": "ord"}.get(name)
            instead = f"write {like}=" if like in names else signature
            raise Refused(node, "arguments", f"{path} has no argument '{name}'", instead)
        if name in bound:
            raise Refused(node, "arguments", f"{path} is given '{name}' twice", signature)
        bound[name] = position
    missing = [name for name in names[:required] if name not in bound]
    if missing:
        message = f"{path} is not given '{missing[0]}'"
        raise Refused(node, "arguments", message, signature)
    return bound
