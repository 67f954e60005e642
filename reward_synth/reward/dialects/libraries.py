"""Other array libraries: what their modules and functions are called."""

import ast
from collections.abc import Mapping

MODULES: Mapping[str, tuple[str, str]] = {
    "torch.nn.functional": ("torch", ""),
    "torch.special": ("torch", ""),
    "torch": ("torch", ""),
    "jax.numpy": ("jnp", ""),
    "jax.nn": ("jnp", ""),
    "jax.lax": ("jnp", "lax."),
    "jax": ("jax", ""),
    "numpy": ("np", ""),
    "math": ("math", ""),
}
"""Modules whose functions are known: the library, and what stands before a function's name."""

SILENT_MODULES = frozenset(
    {
        "__future__",
        "typing",
        "typing_extensions",
        "collections.abc",
        "functools",
        "numpy.typing",
        "jaxtyping",
    }
)
"""Modules that give nothing but type hints."""

USUAL_NAMES: Mapping[str, str] = {
    "np": "numpy",
    "numpy": "numpy",
    "onp": "numpy",
    "torch": "torch",
    "th": "torch",
    "F": "torch.nn.functional",
    "jnp": "jax.numpy",
    "jax": "jax",
    "math": "math",
}
"""Names under which everybody imports them: they are known where the import was left out."""

DECORATORS = frozenset(
    {
        *("staticmethod", "classmethod", "torch.jit.script", "torch.jit.export", "torch.compile"),
        *("torch.no_grad", "torch.jit.ignore", "jax.jit", "jax.numpy.vectorize"),
        *("functools.partial", "torch.inference_mode"),
    }
)

RENAMED: Mapping[str, str] = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "bitwise_and": "logical_and",
    "bitwise_not": "logical_not",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "clamp": "clip",
    "fabs": "abs",
    "fix": "trunc",
    "fmax": "maximum",
    "fmin": "minimum",
    "mod": "remainder",
    "neg": "negative",
    "sgn": "sign",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "true_divide": "divide",
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "ne": "not_equal",
}
"""Functions that the language has under another name."""

FLOAT_TYPES = frozenset(
    {"float", "double", "float32", "float64", "FloatTensor", "float_", "get_default_dtype"}
)
INTEGER_TYPES = frozenset({"int", "long", "int32", "int64", "int8", "uint8", "int16"})
BOOLEAN_TYPES = frozenset({"bool", "bool_"})


class Imports:
    """What names of other libraries stand for in one program."""

    def __init__(self, tree: ast.Module) -> None:
        self.paths: dict[str, str] = dict(USUAL_NAMES)
        imported: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    root = alias.name.partition(".")[0]
                    self.paths[alias.asname or root] = alias.name if alias.asname else root
                    imported.add(alias.asname or root)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self.paths[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    imported.add(alias.asname or alias.name)
        used = {
            library(path)[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and (path := self.paths.get(node.id))
        }
        used |= {library(path)[0] for name, path in self.paths.items() if name in imported}
        self.framework = next((name for name in ("torch", "jnp", "np") if name in used), "")
        """The library that the program's arrays are of; '' where nothing tells."""
        self.own = any(isinstance(node, ast.Name) and node.id == "xp" for node in ast.walk(tree))
        """Whether the program is written with ``xp``, that is, with this language in mind."""

    def resolve(self, dotted: str) -> tuple[str, str]:
        """Library and function of ``np.linalg.norm``; ('', '') for anything else."""
        root, _, rest = dotted.partition(".")
        path = self.paths.get(root)
        if path is None:
            return "", ""
        return library(f"{path}.{rest}" if rest else path)


def library(path: str) -> tuple[str, str]:
    for module, (short, prefix) in MODULES.items():
        if path == module:
            return short, ""
        if path.startswith(module + "."):
            return short, prefix + path[len(module) + 1 :]
    return "", ""


def droppable(statement: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import is of modules that are translated, or of type hints alone."""
    if isinstance(statement, ast.ImportFrom):
        modules = [statement.module or ""]
        if statement.level or any(alias.name == "*" for alias in statement.names):
            return False
    else:
        modules = [alias.name for alias in statement.names]
    return all(
        module in SILENT_MODULES or module.partition(".")[0] in ("numpy", "torch", "jax", "math")
        for module in modules
    )
