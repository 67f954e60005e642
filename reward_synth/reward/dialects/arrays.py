"""Making arrays, joining them and giving them another shape, in other dialects."""

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.building import binary, call, column, number
from reward_synth.reward.dialects.given import Given
from reward_synth.reward.dialects.kinds import (
    Stacked,
    is_array,
    is_column,
    is_numeric,
    is_vectors,
)
from reward_synth.reward.values import Array, Number, Sequence

if TYPE_CHECKING:
    from reward_synth.reward.dialects.calls import Calls

Maker = Callable[["Calls", Given, str], ast.expr | None]
Method = Callable[["Calls", ast.expr, Given], ast.expr | None]

LONGEST_FILLED = 64


def values(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """``np.array(...)``: a number, an array, or numbers and arrays written out."""
    bound = given.bind("x dtype")
    if bound is None or "x" not in bound or "dtype" in bound:
        return None
    x = bound["x"]
    if is_numeric(calls.kind(x)):
        return x
    if library == "torch" and not all_numbers(calls, x):
        return None
    return joined_numbers(calls, x)


def all_numbers(calls: "Calls", x: ast.expr) -> bool:
    kind = calls.kind(x)
    return isinstance(kind, Sequence) and all(isinstance(item, Number) for item in kind.items)


def joined_numbers(calls: "Calls", x: ast.expr) -> ast.expr | None:
    """A tuple or list of numbers, or of arrays ``(N,)``, as one array."""
    kind = calls.kind(x)
    if not isinstance(kind, Sequence) or not kind.items:
        return None
    if all_numbers(calls, x):
        items = x.elts if isinstance(x, ast.Tuple | ast.List) else None
        return calls.made(call("xp.asarray", x if items is None else building.tuple_of(items)), x)
    return stacked(calls, x, 0)


def stacked(calls: "Calls", arrays: ast.expr, axis: int) -> ast.expr | None:
    """Arrays ``(N,)`` along a new axis: the last, or a first one that is reduced later."""
    kind = calls.kind(arrays)
    if not isinstance(kind, Sequence) or not isinstance(arrays, ast.Tuple | ast.List):
        return None
    columns = all(is_column(item) or isinstance(item, Number) for item in kind.items)
    if not columns or not any(map(is_column, kind.items)):
        return None
    items = tuple(arrays.elts)
    if axis == 0 and not calls.one_state:
        # As it stands it has no place in the language; what reduces it writes it the other way.
        node = call("xp.stack", building.tuple_of(items), axis=number(0))
        return calls.shapes.keep(building.placed(node, arrays), Stacked(items))
    return calls.made(call("xp.stack", building.tuple_of(items), axis=number(-1)), arrays)


def stack(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("arrays axis")
    if bound is None or "arrays" not in bound:
        return None
    axis = bound.get("axis", number(0))
    known = building.numbers_in(axis)
    if known == 0 or (known in (-1, 1) and calls.one_state):
        return stacked(calls, bound["arrays"], 0)
    return call("xp.stack", as_tuple(bound["arrays"]), axis=axis)


def as_tuple(node: ast.expr) -> ast.expr:
    return building.tuple_of(node.elts) if isinstance(node, ast.List) else node


def column_stack(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("arrays")
    return None if bound is None else stacked(calls, bound["arrays"], -1)


def row_stack(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("arrays")
    return None if bound is None or calls.one_state else stacked(calls, bound["arrays"], 0)


def concat(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("arrays axis")
    if bound is None or "arrays" not in bound:
        return None
    axis = bound.get("axis", number(0))
    kind = calls.kind(bound["arrays"])
    if calls.one_state:
        if building.numbers_in(axis) not in (0, -1) or not isinstance(kind, Sequence):
            return None
        axis = number(-1)
    return call("xp.concat", as_tuple(bound["arrays"]), axis=axis)


def hstack(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("arrays")
    if bound is None:
        return None
    kind = calls.kind(bound["arrays"])
    if isinstance(kind, Sequence) and all(is_vectors(item) for item in kind.items):
        return call("xp.concat", as_tuple(bound["arrays"]), axis=number(-1))
    if calls.one_state:
        return stacked(calls, bound["arrays"], -1)
    return None


def filled(value: float | None) -> Maker:
    """``zeros``, ``ones`` and ``full``: of the batch's rows, or of a few entries."""

    def maker(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        sizes = [*given.positional]
        if value is None:
            bound = given.bind("size value")
            if bound is None or bound.keys() != {"size", "value"}:
                return None
            sizes, fill = [bound["size"]], bound["value"]
        else:
            bound = Given([], given.keywords, given.kinds).bind("size")
            if bound is None:
                return None
            sizes, fill = [*sizes, *bound.values()], number(value)
        if len(sizes) != 1:
            return None
        size = sizes[0]
        like = calls.rows_like(size)
        if like is not None:
            return filled_like(calls, like, fill)
        if isinstance(size, ast.Tuple | ast.List):
            if not size.elts:
                return fill
            if len(size.elts) != 1:
                return None
            size = size.elts[0]
        entries = building.numbers_in(size)
        if not isinstance(entries, int) or not 1 <= entries <= LONGEST_FILLED:
            return None
        if not isinstance(calls.kind(fill), Number):
            return None
        return call("xp.asarray", building.tuple_of([fill] * entries))

    return maker


def filled_like(calls: "Calls", like: ast.expr, fill: ast.expr) -> ast.expr:
    known = building.numbers_in(fill)
    if known == 0:
        return call("xp.zeros_like", like)
    if known == 1:
        return call("xp.ones_like", like)
    return call("xp.full_like", like, fill)


def like(value: float | None) -> Maker:
    def maker(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind("x" if value is not None else "x value")
        if bound is None or "x" not in bound:
            return None
        fill = number(value) if value is not None else bound.get("value")
        if fill is None:
            return None
        if isinstance(calls.kind(bound["x"]), Number):
            return fill
        return filled_like(calls, bound["x"], fill)

    return maker


def same_values(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x")
    return None if bound is None or "x" not in bound else kept(calls, bound["x"], Given([], {}, {}))


def kept(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    return x if is_numeric(calls.kind(x)) else None


def squeezed(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    """Without axes of one entry; an array ``(N,)`` has none (one row alone is no batch)."""
    bound = Given([x, *given.positional], given.keywords, given.kinds).bind("x axis")
    kind = calls.kind(x)
    if bound is None or not isinstance(kind, Array):
        return None
    axis = building.numbers_in(bound["axis"]) if "axis" in bound else None
    if is_column(kind):
        return x if axis in (None, -1) else None
    if not is_vectors(kind) or (axis not in (None, -1, 1)):
        return None
    return call("xp.squeeze", x, axis=number(-1)) if kind.shape[1] == 1 else x


def unsqueezed(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    bound = Given([x, *given.positional], given.keywords, given.kinds).bind("x axis")
    if bound is None or "axis" not in bound or calls.one_state:
        return None
    kind = calls.kind(x)
    if is_column(kind) and building.numbers_in(bound["axis"]) in (-1, 1):
        return column(x, ast.Constant(None))
    return call("xp.expand_dims", x, axis=bound["axis"])


def reshaped(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    """``(N,)`` or ``(N, 1)`` as ``(N,)``, and ``(N,)`` as ``(N, 1)``."""
    sizes = list(given.positional)
    if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple | ast.List):
        sizes = list(sizes[0].elts)
    kind = calls.kind(x)
    if given.keywords or not isinstance(kind, Array) or not sizes:
        return None
    rows = building.numbers_in(sizes[0]) == -1 or calls.rows_like(sizes[0]) is not None
    if len(sizes) == 1 and rows:
        return flattened(calls, x, Given([], {}, {}))
    if len(sizes) == 2 and rows and not calls.one_state:
        last = building.numbers_in(sizes[1])
        if is_column(kind) and last == 1:
            return column(x, ast.Constant(None))
        if is_vectors(kind) and last in (kind.shape[1], -1):
            same_rows = building.numbers_in(sizes[0]) is None or last != -1
            return x if same_rows else None
    return None


def flattened(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    kind = calls.kind(x)
    if not isinstance(kind, Array) or given.positional or given.keywords:
        return None
    if is_column(kind) or (calls.one_state and is_vectors(kind)):
        return x
    if is_vectors(kind) and kind.shape[1] == 1:
        return call("xp.squeeze", x, axis=number(-1))
    return None


def expanded_as(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    other = given.positional[0] if len(given.positional) == 1 else None
    if other is None or not is_array(calls.kind(other)) or not is_array(calls.kind(x)):
        return None
    return binary(x, ast.Add(), call("xp.zeros_like", other))


def as_type(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    """``.to(device)``, ``.astype(np.float32)``, ``.type(torch.float)``."""
    wanted = [
        *given.positional,
        *(v for k, v in given.keywords.items() if k in ("dtype", "device")),
    ]
    if not is_numeric(calls.kind(x)):
        return None
    for item in wanted:
        if is_array(calls.kind(item)):
            continue
        kind = calls.placement(item)
        if kind is None:
            return None
        x = calls.made(calls.converted(x, kind), x) if kind != "device" else x
    return x


def as_kind(kind: str) -> Method:
    def method(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
        return calls.converted(x, kind) if is_numeric(calls.kind(x)) else None

    return method


def item(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    """``.item()``: of one state a number; of a batch there is none."""
    if is_column(calls.kind(x)) and calls.imports.framework != "torch":
        calls.reads_one_state = True
    return x if calls.one_state and is_column(calls.kind(x)) else None


def size(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
    kind = calls.kind(x)
    axis = building.numbers_in(given.positional[0]) if len(given.positional) == 1 else None
    if not isinstance(kind, Array) or not isinstance(axis, int):
        return None
    return calls.length(x, kind.shape, axis)


def function_of(method: Method) -> Maker:
    def maker(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind("x axis")
        if bound is None or "x" not in bound:
            return None
        rest = [bound["axis"]] if "axis" in bound else []
        return method(calls, bound["x"], Given(rest, {}, given.kinds))

    return maker


def new_filled(value: float | None) -> Method:
    def method(calls: "Calls", x: ast.expr, given: Given) -> ast.expr | None:
        return filled(value)(calls, given, "torch")

    return method


def broadcast(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """``np.broadcast_to(x, y.shape)``."""
    bound = given.bind("x size")
    if bound is None or bound.keys() != {"x", "size"}:
        return None
    other = calls.rows_like(bound["size"])
    return None if other is None else expanded_as(calls, bound["x"], Given([other], {}, {}))


MAKERS: Mapping[str, Maker] = {
    **{
        name: values
        for name in ("array", "asarray", "tensor", "as_tensor", "Tensor", "FloatTensor")
    },
    **{
        name: same_values
        for name in ("clone", "copy", "detach", "lax.stop_gradient", "ascontiguousarray")
    },
    "stack": stack,
    "column_stack": column_stack,
    "vstack": row_stack,
    "hstack": hstack,
    **{name: concat for name in ("cat", "concat", "concatenate")},
    "zeros": filled(0.0),
    "ones": filled(1.0),
    "empty": filled(0.0),
    "full": filled(None),
    "zeros_like": like(0.0),
    "ones_like": like(1.0),
    "full_like": like(None),
    "squeeze": function_of(squeezed),
    "unsqueeze": function_of(unsqueezed),
    "expand_dims": function_of(unsqueezed),
    "ravel": function_of(flattened),
    "flatten": function_of(flattened),
    "broadcast_to": broadcast,
}
"""Functions that make arrays of other things."""

METHODS: Mapping[str, Method] = {
    **{
        name: kept
        for name in (
            "detach",
            "clone",
            "copy",
            "contiguous",
            "cpu",
            "cuda",
            "numpy",
            "requires_grad_",
        )
    },
    **{name: as_type for name in ("to", "type", "astype")},
    **{name: as_kind("float") for name in ("float", "double")},
    **{name: as_kind("int") for name in ("int", "long")},
    "bool": as_kind("bool"),
    "type_as": kept,
    "item": item,
    "squeeze": squeezed,
    "unsqueeze": unsqueezed,
    "view": reshaped,
    "reshape": reshaped,
    "flatten": flattened,
    "ravel": flattened,
    "expand_as": expanded_as,
    "view_as": lambda calls, x, given: None,
    "size": size,
    "new_zeros": new_filled(0.0),
    "new_ones": new_filled(1.0),
    "new_full": new_filled(None),
    "new_tensor": lambda calls, x, given: values(calls, given, "torch"),
}
"""Methods of arrays that are not functions of a library too."""

ARRAY_METHODS = frozenset(
    {
        *(
            "abs",
            "acos",
            "all",
            "any",
            "asin",
            "atan",
            "atan2",
            "ceil",
            "clamp",
            "clip",
            "cos",
            "cosh",
        ),
        *(
            "exp",
            "expm1",
            "floor",
            "isfinite",
            "isnan",
            "log",
            "log10",
            "log1p",
            "log2",
            "logical_and",
        ),
        *("logical_not", "logical_or", "max", "maximum", "mean", "min", "minimum", "norm", "pow"),
        *(
            "prod",
            "relu",
            "round",
            "sigmoid",
            "sign",
            "sin",
            "sinh",
            "sqrt",
            "square",
            "std",
            "sum",
        ),
        *("tan", "tanh", "var", *METHODS),
    }
)
"""What an array of unknown shape may be taken for having."""

NOT_METHODS = frozenset({*MAKERS, "where", "select"} - {*METHODS})
"""Functions of libraries that are no methods of arrays, or not with the same meaning."""
