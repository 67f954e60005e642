"""The ``xp`` that a reward program sees at run time, over NumPy, PyTorch or JAX.

It offers the functions of ``vocabulary.XP_FUNCTIONS`` and nothing else.  Python numbers are
welcome wherever arrays are: a function of numbers alone gives a number, so that programs need
not know on which device or with which dtype they run.
"""

import builtins
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from importlib import import_module
from types import MappingProxyType, SimpleNamespace
from typing import Any, Literal

import numpy as np

from reward_synth.reward.plain import (
    BINARY,
    COMPARISONS,
    DIVISIONS,
    FUNCTIONS,
    PREDICATES,
    UNARY,
    Plain,
    is_plain,
)
from reward_synth.reward.vocabulary import HELPER_IMPLEMENTATIONS

Array = Any
NamespaceName = Literal["numpy", "torch", "jax"]
LIBRARIES: Mapping[str, str] = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
}


def backend(name: NamespaceName) -> Any:
    """The array library in its standard's spelling; raises ImportError where it is missing."""
    if name not in LIBRARIES:
        raise ValueError(f"there is no namespace '{name}'; choose {', '.join(LIBRARIES)}")
    return import_module(LIBRARIES[name])


def of_one(function: Callable[..., Array], plain: Callable[..., Plain]) -> Callable[..., Array]:
    """``function`` of one array, or ``plain`` of one number."""

    def call(x: Array) -> Array:
        return plain(x) if is_plain(x) else function(x)

    return call


def of_two(function: Callable[..., Array], plain: Callable[..., Plain]) -> Callable[..., Array]:
    """``function`` of arrays, or of an array and a number; ``plain`` of two numbers."""

    def call(a: Array, b: Array) -> Array:
        return plain(a, b) if is_plain(a) and is_plain(b) else function(a, b)

    return call


class Namespace:
    """Functions for arrays of one library, dtype and device."""

    def __init__(self, name: NamespaceName, dtype: Any, device: Any) -> None:
        self.name = name
        self.library = backend(name)
        self.dtype = dtype
        self.placement = {"device": device} if name == "torch" else {}
        self.asarray = lru_cache(maxsize=256)(self.make_array)
        library = self.library
        functions: dict[str, Callable[..., Array]] = {}
        for one in (*UNARY, *PREDICATES, "logical_not"):
            functions[one] = of_one(getattr(library, one), FUNCTIONS[one])
        for two in (*BINARY, *DIVISIONS, *COMPARISONS, "logical_and", "logical_or", "logical_xor"):
            functions[two] = of_two(getattr(library, two), FUNCTIONS[two])
        for each in ("sum", "mean", "max", "min", "prod", "all", "any"):
            functions[each] = reduction(getattr(library, each))
        functions["var"] = spread_reduction(library.var, 1.0)
        functions["std"] = spread_reduction(library.std, 0.5)
        functions["copysign"] = of_two(self.copysign, FUNCTIONS["copysign"])
        functions["signbit"] = of_one(self.signbit, FUNCTIONS["signbit"])
        self.maximum, self.minimum = functions["maximum"], functions["minimum"]
        linear = {"vecdot": self.vecdot, "cross": self.cross, "vector_norm": self.vector_norm}
        self.xp = SimpleNamespace(
            **functions,
            pow=lambda a, b: a**b,
            where=self.where,
            clip=self.clip,
            stack=self.stack,
            concat=self.concat,
            asarray=lambda values: self.asarray(tuple(float(value) for value in values)),
            zeros_like=lambda x: library.zeros_like(x),
            ones_like=lambda x: library.ones_like(x),
            full_like=lambda x, value: library.full_like(x, float(value)),
            expand_dims=lambda x, axis: library.expand_dims(x, axis=axis),
            squeeze=lambda x, axis: library.squeeze(x, axis=axis),
            vecdot=self.vecdot,
            linalg=SimpleNamespace(**linear),
            pi=math.pi,
            e=math.e,
            inf=math.inf,
            newaxis=None,
            select=self.select,
        )

    @classmethod
    def like(cls, name: NamespaceName, array: Array) -> "Namespace":
        """The namespace for arrays of the dtype and device of ``array``."""
        library = backend(name)
        floating = library.isdtype(array.dtype, "real floating")
        dtype = array.dtype if floating else library.asarray(0.5).dtype
        return cls(name, dtype, array.device if name == "torch" else None)

    @property
    def globals(self) -> dict[str, Any]:
        """The names that a program finds, beside its own."""
        helpers = {
            name: partial(function, self.xp) for name, function in HELPER_IMPLEMENTATIONS.items()
        }
        return {
            "__builtins__": dict(BUILTINS),
            "xp": self.xp,
            "range": range,
            NUMBER: self.number,
            **helpers,
        }

    def number(self, value: Any) -> Any:
        """A condition as 0.0 and 1.0, True and False as 1 and 0; anything else as it is."""
        if isinstance(value, tuple | list):
            return tuple(self.number(item) for item in value)
        if is_plain(value):
            return int(value) if value is True or value is False else value
        if value.dtype != self.library.bool:
            return value
        return self.cast(value)

    def cast(self, value: Array) -> Array:
        """``value`` in this namespace's float dtype."""
        if value.dtype == self.dtype:
            return value
        if hasattr(self.library, "astype"):
            return self.library.astype(value, self.dtype)
        return value.astype(self.dtype)

    def fresh(self, value: Array, held: Iterable[Array]) -> Array:
        """``value``, copied if a change of one of the ``held`` arrays could reach it."""
        if self.name == "numpy":
            shared = value.base is not None or any(value is other for other in held)
            return value.copy() if shared else value
        if self.name == "torch":
            storage = value.untyped_storage().data_ptr()
            shared = any(storage == other.untyped_storage().data_ptr() for other in held)
            return value.clone() if shared else value
        return value

    def make_array(self, values: tuple[float, ...]) -> Array:
        # JAX takes NumPy's arrays for constants; its own, if kept, would outlive a trace.
        library = np if self.name == "jax" else self.library
        return library.asarray(values, dtype=self.dtype, **self.placement)

    def loading(self) -> AbstractContextManager[object]:
        """The context in which a program's constants are computed: never within a trace."""
        if self.name != "jax":
            return nullcontext()
        return import_module("jax").ensure_compile_time_eval()

    def column(self, value: Array, rows: int) -> Array:
        """A number, or an array of one number, for each of the rows: ``(rows,)``."""
        if is_plain(value):
            return self.library.full((rows,), float(value), dtype=self.dtype, **self.placement)
        return self.library.zeros((rows,), dtype=self.dtype, **self.placement) + value

    def where(self, condition: Array, a: Array, b: Array) -> Array:
        if is_plain(a) and is_plain(b):
            a = self.asarray((float(a),))[0]  # PyTorch would round both to its default precision.
        return self.library.where(condition, a, b)

    def select(self, condition: Array, a: Array, b: Array) -> Array:
        """``where`` that also takes a plain condition; for the helpers."""
        if is_plain(condition):
            return a if condition else b
        return self.where(condition, a, b)

    def clip(self, x: Array, min: Array = None, max: Array = None) -> Array:
        x = x if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def copysign(self, a: Array, b: Array) -> Array:
        """NaN where b is: its sign means nothing, and each library gives it another."""
        result = self.library.copysign(a, b)
        return result if is_plain(b) else self.library.where(b == b, result, b)

    def signbit(self, x: Array) -> Array:
        """False for NaN."""
        return self.library.logical_and(self.library.signbit(x), x == x)

    def filled(self, arrays: Any) -> list[Array]:
        """``arrays`` with plain numbers among them spread to the shape of the others."""
        shaped = next(array for array in arrays if not is_plain(array))
        return [
            self.library.full_like(shaped, float(array)) if is_plain(array) else array
            for array in arrays
        ]

    def stack(self, arrays: Any, axis: int = 0) -> Array:
        return self.library.stack(self.filled(arrays), axis=axis)

    def concat(self, arrays: Any, axis: int = 0) -> Array:
        return self.library.concat(list(arrays), axis=axis)

    def vecdot(self, a: Array, b: Array, axis: int = -1) -> Array:
        return self.library.sum(a * b, axis=-1)

    def cross(self, a: Array, b: Array, axis: int = -1) -> Array:
        # Written out, for PyTorch's own fuses its steps: a vector's product with itself is 0.
        a0, a1, a2 = (a[..., i] for i in range(3))
        b0, b1, b2 = (b[..., i] for i in range(3))
        parts = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
        return self.library.stack(parts, axis=-1)

    def vector_norm(
        self, x: Array, axis: int | None = None, keepdims: bool = False, ord: float = 2
    ) -> Array:
        return self.library.linalg.vector_norm(x, axis=axis, keepdims=bool(keepdims), ord=ord)


def import_array_library(name: str, *arguments: Any) -> Any:
    """Import a module of an array library; raises ImportError for any other.

    Compiled code of torch and NumPy imports its own Python parts on first use, through the
    builtins of whoever called it: of the reward program, which itself cannot spell an import.
    """
    if name.partition(".")[0] not in ("numpy", "torch", "jax", "jaxlib"):
        raise ImportError(f"a reward program cannot import {name}")
    return builtins.__import__(name, *arguments)


BUILTINS = MappingProxyType({"__import__": import_array_library})
"""All that is left of Python's builtins."""

NUMBER = "<number>"
"""The name under which rewritten programs find ``Namespace.number``: no program can spell it."""


def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    def call(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
        return function(x, axis=axis, keepdims=bool(keepdims))

    return call


def spread_reduction(function: Callable[..., Array], power: float) -> Callable[..., Array]:
    """A variance to that power; PyTorch's own takes whole corrections only."""

    def call(
        x: Array, axis: int | None = None, keepdims: bool = False, correction: float = 0.0
    ) -> Array:
        spread = function(x, axis=axis, keepdims=bool(keepdims), correction=0)
        if correction == 0:
            return spread
        entries = x.shape[axis]
        return spread * (entries / (entries - correction)) ** power

    return call
