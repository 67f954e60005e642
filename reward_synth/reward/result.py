"""What compute_reward must return: the total ``(N,)`` and a dict of components ``(N,)``."""

import ast
from dataclasses import dataclass

from reward_synth.reward.finding import Refused
from reward_synth.reward.names import ENTRY
from reward_synth.reward.values import (
    ROWS,
    Array,
    Number,
    Sequence,
    Table,
    Unknown,
    Value,
    describe,
)


@dataclass(frozen=True)
class Returned:
    """A return was reached; ``certain`` is False where only a refused path leads to it."""

    value: Value
    node: ast.AST
    certain: bool = True


def check_result(returned: Returned) -> None:
    """The value that compute_reward gives: the total ``(N,)`` and a dict of components."""
    value, node = returned.value, returned.node
    wanted = 'write return total, {"name": component}'
    if isinstance(value, Unknown):
        return
    if not isinstance(value, Sequence):
        only = "only the total" if isinstance(value, Array | Number) else describe(value)
        message = f"{ENTRY} returns {only}, without its components"
        if isinstance(value, Table):
            message = f"{ENTRY} returns the components without the total"
        raise Refused(node, "result", message, wanted)
    if len(value.items) != 2:
        message = f"{ENTRY} returns {len(value.items)} values, not total and components"
        raise Refused(node, "result", message, wanted)
    total, components = value.items
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node, node]
    if isinstance(total, Table) and not isinstance(components, Table):
        raise Refused(node, "result", "the components stand before the total", wanted)
    check_column(parts[0], total, "the total")
    if isinstance(components, Unknown):
        return
    if not isinstance(components, Table):
        message = f"the components are {describe(components)}, not a dict"
        raise Refused(parts[1], "result", message, 'write {"name": component}')
    if not components.entries:
        message = "there are no components"
        raise Refused(parts[1], "result", message, 'write {"name": component}')
    for name, component in components.entries.items():
        check_column(components.nodes[name], component, f"component '{name}'")


def check_column(node: ast.AST, value: Value, what: str) -> None:
    """One number per row."""
    if isinstance(value, Unknown | Number):
        return
    if not isinstance(value, Array):
        message = f"{what} is {describe(value)}, not an array of shape (N,)"
        raise Refused(node, "result", message, "give one number per row")
    if value.shape not in ((ROWS,), ()):
        message = f"{what} is {describe(value)}, not (N,)"
        instead = "sum it: xp.sum(..., axis=-1), or pick an entry: [:, 0]"
        raise Refused(node, "shape", message, instead)
