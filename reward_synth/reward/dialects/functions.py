"""Functions of NumPy, PyTorch, JAX and ``math``, written as the reward language writes them.

A function that has one meaning for a batch of rows has an entry in :data:`HANDLED` or is one of
the plain ones, which the language has too; what has none of both stays, and is refused.
"""

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from reward_synth.reward.dialects import building
from reward_synth.reward.dialects.building import binary, call, compare, number
from reward_synth.reward.dialects.given import Given
from reward_synth.reward.dialects.kinds import is_array, is_condition, is_vectors
from reward_synth.reward.plain import BINARY, COMPARISONS, DIVISIONS, PREDICATES, UNARY
from reward_synth.reward.values import Number

if TYPE_CHECKING:
    from reward_synth.reward.dialects.calls import Calls

ONE = frozenset({*UNARY, *PREDICATES, "logical_not"})
TWO = frozenset({*BINARY, *DIVISIONS, *COMPARISONS, "logical_and", "logical_or", "logical_xor"})

MATH = frozenset(
    {
        *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "cos"),
        *("cosh", "degrees", "exp", "expm1", "abs", "floor", "fmod", "hypot", "isfinite", "isinf"),
        *("isnan", "log", "log10", "log1p", "log2", "pow", "radians", "sin", "sinh", "sqrt", "tan"),
        *("tanh", "trunc"),
    }
)
"""Those of ``math`` that mean the same for every entry of an array."""

Handler = Callable[["Calls", Given, str], ast.expr | None]
"""Gives the call in the reward language, or None where it has no one meaning there; the string
is the library."""


def of_x(write: Callable[[ast.expr], ast.expr]) -> Handler:
    """A function of one array, entry by entry."""

    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind("x")
        return None if bound is None or "x" not in bound else write(bound["x"])

    return handler


def of_x_and_y(write: Callable[[ast.expr, ast.expr], ast.expr]) -> Handler:
    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind("x y")
        if bound is None or bound.keys() != {"x", "y"}:
            return None
        return write(bound["x"], bound["y"])

    return handler


def sigmoid(x: ast.expr) -> ast.expr:
    below = binary(number(1.0), ast.Add(), call("xp.exp", ast.UnaryOp(ast.USub(), x)))
    return binary(number(1.0), ast.Div(), below)


def softplus(x: ast.expr) -> ast.expr:
    return call("xp.logaddexp", x, call("xp.zeros_like", x))


def log_sigmoid(x: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), softplus(ast.UnaryOp(ast.USub(), x)))


def leaky_relu(x: ast.expr) -> ast.expr:
    small = binary(number(0.01), ast.Mult(), x)
    return call("xp.where", compare(x, ast.Gt(), number(0.0)), x, small)


def elu(x: ast.expr) -> ast.expr:
    below = call("xp.expm1", call("xp.minimum", x, number(0.0)))
    return call("xp.where", compare(x, ast.Gt(), number(0.0)), x, below)


def c_remainder(x: ast.expr, y: ast.expr) -> ast.expr:
    """``fmod``: of the sign of x, as C's."""
    whole = call("xp.trunc", binary(x, ast.Div(), y))
    return binary(x, ast.Sub(), binary(y, ast.Mult(), whole))


def cube_root(x: ast.expr) -> ast.expr:
    size = binary(call("xp.abs", x), ast.Pow(), binary(number(1.0), ast.Div(), number(3.0)))
    return binary(call("xp.sign", x), ast.Mult(), size)


def scaled(numerator: ast.expr, denominator: ast.expr) -> Callable[[ast.expr], ast.expr]:
    def write(x: ast.expr) -> ast.expr:
        return binary(binary(x, ast.Mult(), numerator), ast.Div(), denominator)

    return write


def norm_of(x: ast.expr, *, keep: bool) -> ast.expr:
    kept = ast.Constant(True) if keep else None
    return call("xp.linalg.vector_norm", x, axis=number(-1), keepdims=kept)


def power(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x y")
    if bound is None or bound.keys() != {"x", "y"}:
        return None
    return calls.operation(bound["x"], bound["x"], ast.Pow(), bound["y"])


def logarithm(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x base" if library == "math" else "x")
    if bound is None or "x" not in bound:
        return None
    log = call("xp.log", bound["x"])
    return binary(log, ast.Div(), call("xp.log", bound["base"])) if "base" in bound else log


def clip(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x low high")
    if bound is None or "x" not in bound:
        return None
    low, high = bound.get("low"), bound.get("high")
    if low is not None and high is not None:
        return call("xp.clip", bound["x"], low, high)
    if low is not None:
        return call("xp.maximum", bound["x"], low)
    return None if high is None else call("xp.minimum", bound["x"], high)


def of_bound(bound_name: str, function: str) -> Handler:
    """``clamp_min`` and ``clamp_max``."""

    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind(f"x {bound_name}")
        return call(function, *bound.values()) if bound is not None and len(bound) == 2 else None

    return handler


def squared_error(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """``mse_loss(x, y, reduction="none")``; with a reduction it mixes the rows."""
    bound = given.bind("x target reduction")
    if bound is None or bound.keys() != {"x", "target", "reduction"}:
        return None
    kept = bound["reduction"]
    if not isinstance(kept, ast.Constant) or kept.value != "none":
        return None
    return binary(binary(bound["x"], ast.Sub(), bound["target"]), ast.Pow(), number(2))


def where(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("condition x y")
    if bound is None or len(bound) < 3:
        return None
    kind = calls.kind(bound["condition"])
    if isinstance(kind, Number) and kind.boolean:
        return ast.IfExp(bound["condition"], bound["x"], bound["y"])
    return calls.chosen(bound["condition"], bound["x"], bound["y"])


def select(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("conditions choices default")
    if bound is None or not {"conditions", "choices"} <= bound.keys():
        return None
    conditions, choices = bound["conditions"], bound["choices"]
    if not isinstance(conditions, ast.Tuple | ast.List) or not isinstance(
        choices, ast.Tuple | ast.List
    ):
        return None
    if len(conditions.elts) != len(choices.elts):
        return None
    result = bound.get("default", number(0.0))
    for condition, choice in reversed(list(zip(conditions.elts, choices.elts, strict=True))):
        result = call("xp.where", condition, choice, result)
    return result


def reducing(function: str) -> Handler:
    """``sum``, ``mean``, …: over the entries of each row."""

    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        torch = library in ("torch", "")
        bound = given.bind("x axis keepdims" if torch else "x axis dtype out keepdims")
        if bound is None or "x" not in bound or {"dtype", "out"} & bound.keys():
            return None
        return calls.reduced(function, bound["x"], bound.get("axis"), bound.get("keepdims"))

    return handler


def spreading(function: str) -> Handler:
    """``std`` and ``var``: PyTorch divides by one less than NumPy does."""

    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        if library == "torch":
            bound = given.bind("x axis unbiased keepdims correction")
        else:
            bound = given.bind("x axis dtype out correction keepdims")
        if not library or bound is None or "x" not in bound or {"dtype", "out"} & bound.keys():
            return None
        correction = bound.get("correction")
        if library == "torch" and correction is None:
            biased = bound.get("unbiased")
            if biased is not None and not isinstance(biased, ast.Constant):
                return None
            known = biased.value if isinstance(biased, ast.Constant) else True
            correction = number(1 if known else 0)
        axis, keep = bound.get("axis"), bound.get("keepdims")
        return calls.reduced(function, bound["x"], axis, keep, correction=correction)

    return handler


def extreme(function: str, of_two: str) -> Handler:
    """``max`` and ``min``: of two arrays, or over the entries of each row."""

    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        two = given.bind("x y")
        if library in ("torch", "") and two is not None and two.keys() == {"x", "y"}:
            kinds = calls.kind(two["x"]), calls.kind(two["y"])
            if "other" in given.keywords or is_array(kinds[1]):
                return call(of_two, two["x"], two["y"])
        found = reducing(function)(calls, given, library)
        bound = given.bind("x axis keepdims")
        if found is None or bound is None or "axis" not in bound:
            return found
        if library == "":
            return found if "axis" in given.keywords else None
        return calls.extremum(found) if library == "torch" else found

    return handler


def norm(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x ord axis keepdims")
    if bound is None or "x" not in bound:
        return None
    order = bound.get("ord")
    known = None if order is None else building.numbers_in(order)
    plain = (
        order is None or known == 2 or (isinstance(order, ast.Constant) and order.value == "fro")
    )
    axis, keep = bound.get("axis"), bound.get("keepdims")
    return calls.reduced("linalg.vector_norm", bound["x"], axis, keep, ord=None if plain else order)


def dot(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """Of two vectors; of batches it is a product of matrices, which mixes rows."""
    bound = given.bind("x y")
    if bound is None or bound.keys() != {"x", "y"}:
        return None
    if not calls.one_state or not all(is_vectors(calls.kind(v)) for v in bound.values()):
        return None
    calls.reads_one_state = True
    return calls.dot_product(bound["x"], bound["y"])


def vecdot(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x y axis")
    if bound is None or not {"x", "y"} <= bound.keys():
        return None
    axis = bound.get("axis", number(-1))
    return call("xp.sum", binary(bound["x"], ast.Mult(), bound["y"]), axis=axis)


def cross(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x y axis")
    if bound is None or not {"x", "y"} <= bound.keys():
        return None
    if library == "torch" and "axis" not in bound and len(given.positional) < 3:
        return call("xp.linalg.cross", bound["x"], bound["y"])
    return call("xp.linalg.cross", bound["x"], bound["y"], axis=bound.get("axis"))


def einsum(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """``ij,ij->i``: the product of two arrays, summed over the entries of each row."""
    if len(given.positional) != 3 or given.keywords:
        return None
    pattern, x, y = given.positional
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
        return None
    inputs, arrow, output = pattern.value.replace(" ", "").replace("...", "N").partition("->")
    left, _, right = inputs.partition(",")
    if not arrow or left != right or len(left) != 2 or left[0] == left[1] or output != left[0]:
        return None
    return calls.dot_product(x, y)


def normalize(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x ord axis eps")
    if bound is None or "x" not in bound or "ord" in bound:
        return None
    axis = bound.get("axis")
    if axis is not None and building.numbers_in(axis) not in (-1, 1):
        return None
    floor = bound.get("eps", number(1e-12))
    return binary(bound["x"], ast.Div(), call("xp.maximum", norm_of(bound["x"], keep=True), floor))


def cosine_similarity(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x y axis eps")
    if bound is None or not {"x", "y"} <= bound.keys():
        return None
    axis = bound.get("axis")
    if axis is not None and building.numbers_in(axis) not in (-1, 1):
        return None
    floor = bound.get("eps", number(1e-8))
    sizes = [call("xp.maximum", norm_of(bound[k], keep=False), floor) for k in ("x", "y")]
    product = calls.dot_product(bound["x"], bound["y"])
    return binary(product, ast.Div(), building.chain(sizes, ast.Mult()))


def lerp(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x end weight")
    if bound is None or len(bound) < 3:
        return None
    way = binary(bound["end"], ast.Sub(), bound["x"])
    return binary(bound["x"], ast.Add(), binary(bound["weight"], ast.Mult(), way))


def is_close(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    bound = given.bind("x y rtol atol")
    if bound is None or not {"x", "y"} <= bound.keys() or library == "math":
        return None
    relative = binary(bound.get("rtol", number(1e-5)), ast.Mult(), call("xp.abs", bound["y"]))
    allowed = binary(bound.get("atol", number(1e-8)), ast.Add(), relative)
    off = call("xp.abs", binary(bound["x"], ast.Sub(), bound["y"]))
    return compare(off, ast.LtE(), allowed)


def difference(calls: "Calls", given: Given, library: str) -> ast.expr | None:
    """``diff``: each entry of a row less the one before it."""
    bound = given.bind("x n axis")
    if bound is None or "x" not in bound or "n" in bound or not is_vectors(calls.kind(bound["x"])):
        return None
    if "axis" in bound and building.numbers_in(bound["axis"]) not in (-1, 1):
        return None

    def part(bounds: tuple[ast.expr | None, ast.expr | None]) -> ast.expr:
        return building.column(bound["x"], ast.Slice(*bounds))

    return binary(part((number(1), None)), ast.Sub(), part((None, number(-1))))


def all_or_any(function: str) -> Handler:
    def handler(calls: "Calls", given: Given, library: str) -> ast.expr | None:
        bound = given.bind("x axis keepdims")
        if bound is None or "x" not in bound or not is_condition(calls.kind(bound["x"])):
            return None
        return calls.reduced(function, bound["x"], bound.get("axis"), bound.get("keepdims"))

    return handler


HANDLED: Mapping[str, Handler] = {
    **{name: reducing(name) for name in ("sum", "mean", "prod")},
    **{name: spreading(name) for name in ("std", "var")},
    **{name: all_or_any(name) for name in ("all", "any")},
    "max": extreme("max", "xp.maximum"),
    "min": extreme("min", "xp.minimum"),
    "amax": reducing("max"),
    "amin": reducing("min"),
    **{name: power for name in ("pow", "power", "float_power")},
    "log": logarithm,
    "clip": clip,
    "where": where,
    "clamp_min": of_bound("low", "xp.maximum"),
    "clamp_max": of_bound("high", "xp.minimum"),
    "mse_loss": squared_error,
    "lax.select": where,
    "select": select,
    **{name: norm for name in ("norm", "linalg.norm", "linalg.vector_norm")},
    **{name: dot for name in ("dot", "inner", "vdot", "matmul", "linalg.dot")},
    **{name: vecdot for name in ("vecdot", "linalg.vecdot")},
    **{name: cross for name in ("cross", "linalg.cross")},
    "einsum": einsum,
    "normalize": normalize,
    "cosine_similarity": cosine_similarity,
    "lerp": lerp,
    "isclose": is_close,
    "diff": difference,
    "sigmoid": of_x(sigmoid),
    "expit": of_x(sigmoid),
    "relu": of_x(lambda x: call("xp.maximum", x, number(0.0))),
    "relu6": of_x(lambda x: call("xp.clip", x, number(0.0), number(6.0))),
    "leaky_relu": of_x(leaky_relu),
    "elu": of_x(elu),
    "softplus": of_x(softplus),
    "logsigmoid": of_x(log_sigmoid),
    "log_sigmoid": of_x(log_sigmoid),
    "silu": of_x(lambda x: binary(x, ast.Mult(), sigmoid(x))),
    "swish": of_x(lambda x: binary(x, ast.Mult(), sigmoid(x))),
    "softsign": of_x(
        lambda x: binary(x, ast.Div(), binary(number(1.0), ast.Add(), call("xp.abs", x)))
    ),
    "soft_sign": of_x(
        lambda x: binary(x, ast.Div(), binary(number(1.0), ast.Add(), call("xp.abs", x)))
    ),
    "rsqrt": of_x(lambda x: binary(number(1.0), ast.Div(), call("xp.sqrt", x))),
    "cbrt": of_x(cube_root),
    "exp2": of_x(lambda x: call("xp.exp", binary(x, ast.Mult(), call("xp.log", number(2.0))))),
    "fmod": of_x_and_y(c_remainder),
    **{name: of_x(scaled(building.dot("xp.pi"), number(180.0))) for name in ("deg2rad", "radians")},
    **{name: of_x(scaled(number(180.0), building.dot("xp.pi"))) for name in ("rad2deg", "degrees")},
}
