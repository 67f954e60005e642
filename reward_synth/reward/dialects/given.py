"""The arguments of one call of another library's function, under one set of names."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from reward_synth.reward.dialects.kinds import Kind, Placement

SYNONYMS: Mapping[str, str] = {
    **{
        name: "x"
        for name in ("input", "a", "A", "x1", "arr", "self", "m", "object", "data", "array")
    },
    **{name: "y" for name in ("other", "b", "x2", "exponent")},
    **{name: "low" for name in ("min", "a_min")},
    **{name: "high" for name in ("max", "a_max")},
    **{name: "arrays" for name in ("tensors", "tup", "arys")},
    **{name: "size" for name in ("shape",)},
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "p": "ord",
    "ddof": "correction",
    "fill_value": "value",
}
"""Names of parameters in the libraries, and the one that stands for them here."""

WITHOUT_EFFECT = frozenset(
    {
        "device",
        "requires_grad",
        "layout",
        "copy",
        "order",
        "memory_format",
        "non_blocking",
        "pin_memory",
    }
)
"""Arguments that say where and how an array is kept, not what it holds."""


@dataclass
class Given:
    """Translated arguments of a call; ``kinds`` what is known of each."""

    positional: list[ast.expr]
    keywords: dict[str, ast.expr]
    kinds: Mapping[int, Kind]

    def bind(self, parameters: str) -> dict[str, ast.expr] | None:
        """The arguments by the names in ``parameters``; None where they do not fit."""
        names = parameters.split()
        keywords = {
            SYNONYMS.get(k, k): v for k, v in self.keywords.items() if k not in WITHOUT_EFFECT
        }
        dtype = keywords.pop("dtype", None)
        if dtype is not None and self.kinds.get(id(dtype)) != Placement("float"):
            return None
        if len(self.positional) > len(names) or not keywords.keys() <= set(names):
            return None
        bound = dict(zip(names, self.positional, strict=False))
        if bound.keys() & keywords.keys():
            return None
        bound |= keywords
        return {
            k: v for k, v in bound.items() if not (isinstance(v, ast.Constant) and v.value is None)
        }

    def before(self, receiver: ast.expr) -> "Given":
        """The same call with the receiver of a method as the first argument."""
        return Given([receiver, *self.positional], self.keywords, self.kinds)
