"""What to write instead: the advice that goes with a refusal.

Most wrong programs are right ones of a neighbouring dialect (NumPy, PyTorch, plain Python), so
most advice is a translation.
"""

import ast
import difflib
from collections.abc import Iterable
from itertools import islice

NAMES_SHOWN = 20
NAMES_COMPARED = 500
"""A comparison takes microseconds, and a hostile program may hold thousands of names."""

OTHER_MODULES = frozenset({"F", "jax", "jnp", "math", "np", "numpy", "onp", "scipy", "th", "torch"})
"""Names under which other dialects import their array library."""

STATEMENTS: dict[str, tuple[str, str, str]] = {
    "Import": ("import", "imports are not allowed", "delete it: xp and the helpers are there"),
    "ImportFrom": ("import", "imports are not allowed", "delete it: xp and the helpers are there"),
    "ClassDef": ("class", "classes are not allowed", "write plain functions"),
    "AsyncFunctionDef": ("async", "async functions are not allowed", "write def"),
    "While": ("while", "while loops are not allowed", "write for i in range(...) with numbers"),
    "AsyncFor": ("async", "async loops are not allowed", "write for i in range(...)"),
    "Try": ("try", "try is not allowed", "guard the computation, such as xp.maximum(x, 1e-6)"),
    "TryStar": ("try", "try is not allowed", "guard the computation, such as xp.maximum(x, 1e-6)"),
    "With": ("with", "with is not allowed", "delete it and keep its body"),
    "AsyncWith": ("with", "with is not allowed", "delete it and keep its body"),
    "Raise": ("raise", "raise is not allowed", "delete it: a reward is given for every state"),
    "Assert": ("assert", "assert is not allowed", "delete it: shapes are checked beforehand"),
    "Delete": ("del", "del is not allowed", "delete the line"),
    "Global": ("global", "global is not allowed", "pass values as arguments and return them"),
    "Nonlocal": ("global", "nonlocal is not allowed", "pass values as arguments and return them"),
    "Break": ("break", "break is not allowed", "loop over the range that is meant"),
    "Continue": ("continue", "continue is not allowed", "loop over the range that is meant"),
    "Match": ("match", "match is not allowed", "write xp.where(condition, a, b)"),
    "TypeAlias": ("type", "type aliases are not allowed", "delete it"),
    "Lambda": ("lambda", "lambda is not allowed", "define a function at the top level"),
    "ListComp": ("comprehension", "comprehensions are not allowed", "write the items out"),
    "SetComp": ("comprehension", "comprehensions are not allowed", "write the items out"),
    "DictComp": ("comprehension", "comprehensions are not allowed", "write the items out"),
    "GeneratorExp": (
        "comprehension",
        "generator expressions are not allowed",
        "write the sum out, or xp.sum(..., axis=-1)",
    ),
    "NamedExpr": ("walrus", "':=' is not allowed", "assign on a line of its own"),
    "Await": ("async", "await is not allowed", "delete it"),
    "Yield": ("yield", "yield is not allowed", "return total, {...}"),
    "YieldFrom": ("yield", "yield is not allowed", "return total, {...}"),
    "JoinedStr": ("string", "f-strings are not allowed", "write the component's name out"),
    "TemplateStr": ("string", "t-strings are not allowed", "write the component's name out"),
    "Set": ("set", "sets are not allowed", "write a tuple"),
    "Starred": ("starred", "'*' before a value is not allowed", "write the items out"),
}
"""Node class: code, message, what instead."""

OPERATORS: dict[str, tuple[str, str]] = {
    "MatMult": ("'@' is not allowed", "write xp.sum(a * b, axis=-1)"),
    "LShift": ("'<<' is not allowed", "write a < b, or multiply"),
    "RShift": ("'>>' is not allowed", "write a > b, or divide"),
    "BitXor": ("'^' is not a power", "write x ** 2, or xp.logical_xor(a, b) for conditions"),
    "In": ("'in' is not allowed", "compare with ==, joined by |"),
    "NotIn": ("'not in' is not allowed", "compare with !=, joined by &"),
    "Is": ("'is' is not allowed", "compare with =="),
    "IsNot": ("'is not' is not allowed", "compare with !="),
}

BUILTINS: dict[str, str] = {
    "abs": "write xp.abs(x)",
    "all": "write xp.all(x, axis=-1), or join conditions with &",
    "any": "write xp.any(x, axis=-1), or join conditions with |",
    "bool": "comparisons are conditions already",
    "dict": 'write the dict out: {"name": value}',
    "enumerate": "write for i in range(...) with numbers",
    "float": "numbers are floats already; infinity is xp.inf",
    "int": "write xp.floor(x), or leave the number as it is",
    "len": "write the number out: shapes are fixed",
    "list": "write a tuple out",
    "map": "write the items out",
    "max": "write xp.maximum(a, b), or xp.max(x, axis=-1) over the entries of one array",
    "min": "write xp.minimum(a, b), or xp.min(x, axis=-1) over the entries of one array",
    "pow": "write x ** 2",
    "print": "delete it: return what you want to see as a component",
    "round": "write xp.round(x)",
    "sum": "write a + b, or xp.sum(x, axis=-1) over the entries of one array",
    "tuple": "write the tuple out",
    "zip": "write for i in range(...) with numbers",
}
"""Python's own functions that programs are often written with."""

OTHER_NAMES: dict[str, str] = {
    "absolute": "xp.abs(x)",
    "amax": "xp.max(x, axis=-1)",
    "amin": "xp.min(x, axis=-1)",
    "arange": "for i in range(...) with numbers",
    "arccos": "xp.acos(x)",
    "arccosh": "xp.acosh(x)",
    "arcsin": "xp.asin(x)",
    "arcsinh": "xp.asinh(x)",
    "arctan": "xp.atan(x)",
    "arctan2": "xp.atan2(y, x)",
    "arctanh": "xp.atanh(x)",
    "array": "xp.asarray((1.0, 2.0))",
    "astype": "xp.where(condition, 1.0, 0.0); conditions in arithmetic count as 0 and 1",
    "bitwise_and": "a & b",
    "bitwise_not": "~a",
    "bitwise_or": "a | b",
    "broadcast_to": "x[:, None], or leave it: numbers spread by themselves",
    "cat": "xp.concat((a, b), axis=-1)",
    "clamp": "xp.clip(x, low, high)",
    "column_stack": "xp.stack((a, b), axis=-1)",
    "concatenate": "xp.concat((a, b), axis=-1)",
    "deg2rad": "x * xp.pi / 180.0",
    "dot": "xp.sum(a * b, axis=-1)",
    "einsum": "xp.sum(a * b, axis=-1)",
    "empty_like": "xp.zeros_like(x)",
    "fabs": "xp.abs(x)",
    "fmax": "xp.maximum(a, b)",
    "fmin": "xp.minimum(a, b)",
    "full": "the number itself: numbers spread by themselves",
    "hstack": "xp.stack((a, b), axis=-1)",
    "linalg.norm": "xp.linalg.vector_norm(x, axis=-1)",
    "linspace": "the numbers out",
    "matmul": "xp.sum(a * b, axis=-1)",
    "mod": "x % y",
    "nan": "xp.inf, or nothing",
    "norm": "xp.linalg.vector_norm(x, axis=-1)",
    "ones": "1.0: numbers spread by themselves",
    "outer": "x[:, :, None] * y[:, None, :]",
    "permute_dims": "x[:, i] for the entry that is meant",
    "power": "x ** 2",
    "rad2deg": "x * 180.0 / xp.pi",
    "relu": "xp.maximum(x, 0.0)",
    "repeat": "x[:, None]: numbers and columns spread by themselves",
    "reshape": "x[:, i] for the entry that is meant",
    "rsqrt": "1.0 / xp.sqrt(x)",
    "sigmoid": "1.0 / (1.0 + xp.exp(-x))",
    "sort": "xp.min(x, axis=-1) or xp.max(x, axis=-1)",
    "tensor": "xp.asarray((1.0, 2.0))",
    "tile": "x[:, None]: numbers and columns spread by themselves",
    "true_divide": "a / b",
    "vstack": "xp.stack((a, b), axis=-1)",
    "zeros": "0.0: numbers spread by themselves",
}
"""Functions of other libraries, and what to write for them."""

DTYPES = ("bool", "double", "float", "float16", "float32", "float64", "int", "int32", "int64")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` was probably meant to be."""
    compared = list(islice(names, NAMES_COMPARED))
    found = difflib.get_close_matches(name[:80], compared, n=1, cutoff=0.6)
    return found[0] if found else None


def listing(names: Iterable[str]) -> str:
    """Names in one line, the first of them if they are many."""
    ordered = list(names)
    shown = ", ".join(ordered[:NAMES_SHOWN])
    return f"{shown}, …" if len(ordered) > NAMES_SHOWN else shown


def choose(name: str, names: Iterable[str], kind: str = "available") -> str:
    """'did you mean …; available: …' for a name that is not among ``names``."""
    ordered = list(names)
    guess = nearest(name, ordered)
    available = f"{kind}: {listing(ordered)}"
    return f"did you mean '{guess}'? {available}" if guess else available


def translate(name: str, known: Iterable[str]) -> str:
    """What to write for another library's (or a misspelt) ``name`` in ``xp``."""
    if name in OTHER_NAMES:
        return f"write {OTHER_NAMES[name]}"
    if name in known:
        return f"write xp.{name}"
    if name.split(".")[-1] in DTYPES:
        return "delete it: all numbers are floats"
    guess = nearest(name, known)
    return f"did you mean xp.{guess}?" if guess else "see the functions of xp that are listed"


def method(name: str, known: Iterable[str]) -> str:
    """What to write for ``x.name``."""
    plain = {"clamp": "clip", "norm": "linalg.vector_norm", "absolute": "abs"}.get(name, name)
    reductions = ("sum", "mean", "max", "min", "prod", "std", "var", "any", "all")
    if plain in reductions or plain == "linalg.vector_norm":
        return f"write xp.{plain}(x, axis=-1)"
    if plain == "clip":
        return "write xp.clip(x, low, high)"
    if plain in known:
        return f"write xp.{plain}(x)"
    if name in ("shape", "size", "ndim", "numel", "dim"):
        return "write the number out: shapes are fixed"
    if name in ("values", "keys", "items", "get", "update", "append"):
        return "write the items out"
    if name in ("copy", "clone", "detach", "item", "numpy", "cpu", "squeeze", "to", *DTYPES):
        return "delete it: values are plain arrays of floats"
    return "only xp.NAME is allowed"


def node_advice(node: ast.AST) -> tuple[str, str, str]:
    """Code, message and advice for a kind of node that the language does not have."""
    known = STATEMENTS.get(type(node).__name__)
    if known is not None:
        return known
    message = f"{type(node).__name__} is not part of the reward language"
    return "construct", message, "write assignments, if on constants, for over range, return"
