"""Runs the corpus's originals as they are, each in its own library.  They are ours: no walls."""

import math
import typing
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from reward_synth.reward.namespace import Namespace
from tests.reward.dialects.corpus import Entry

Values = Mapping[str, np.ndarray]


class State:
    """``self.robot.torso_height``: whatever the path, the variable of the last name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__["_values"] = values

    def __getattr__(self, name: str) -> Any:
        return self._values[name] if name in self._values else State(self._values)


def run_original(entry: Entry, source: str, values: Values) -> tuple[np.ndarray, dict[str, Any]]:
    """Total and components of the untranslated program on ``values``, row by row if it must be."""
    names = libraries(entry)
    # TorchScript compiles what it finds in a file; the function is the same without it.
    source = source.replace("@torch.jit.script\n", "\n")
    # dont_inherit: this module's own future imports are none of the program's.
    exec(compile(source, entry.name, "exec", dont_inherit=True), names)
    torch.set_default_dtype(torch.float64)
    try:
        return run_in(names, entry, values)
    finally:
        torch.set_default_dtype(torch.float32)


def run_in(
    names: dict[str, Any], entry: Entry, values: Values
) -> tuple[np.ndarray, dict[str, Any]]:
    rows = next(iter(values.values())).shape[0]
    if not entry.one_state:
        return called(names, {k: array_of(entry, v) for k, v in values.items()}, rows)
    results = [called(names, {k: v[row] for k, v in values.items()}, None) for row in range(rows)]
    parts = {key: np.array([p[key] for _, p in results], dtype=float) for key in results[0][1]}
    return np.array([total for total, _ in results], dtype=float), parts


def libraries(entry: Entry) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np, "math": math, "torch": torch, "Tensor": torch.Tensor}
    names |= {"Dict": typing.Dict, "Tuple": typing.Tuple, "Optional": typing.Optional}  # noqa: UP006
    if entry.framework == "jax" and find_spec("jax") is not None:
        import jax

        jax.config.update("jax_enable_x64", True)
        names |= {"jnp": jax.numpy, "jax": jax}
    if entry.framework == "xp":
        names |= Namespace.like("numpy", np.zeros(1)).globals
        names |= {"__builtins__": __builtins__}
    return names


def array_of(entry: Entry, value: np.ndarray) -> Any:
    if entry.framework == "torch":
        return torch.from_numpy(value.copy())
    if entry.framework == "jax":
        import jax

        return jax.numpy.asarray(value)
    return value.copy()


def function_in(names: dict[str, Any], state: State) -> Callable[..., Any]:
    """The program's reward function, bound to the state if it is a method."""
    for value in list(names.values()):
        if (
            isinstance(value, type)
            and value.__module__ == "builtins"
            and "compute_reward" in vars(value)
        ):
            # The class finds in the state what it has not got itself.
            value.__getattr__ = lambda self, name: getattr(state, name)  # type: ignore[attr-defined]
            return value().compute_reward
    return names.get("compute_reward") or names["compute_dense_reward"]


def called(
    names: dict[str, Any], values: Mapping[str, Any], rows: int | None
) -> tuple[Any, dict[str, Any]]:
    state = State(values)
    function = plain(function_in(names, state))
    code = function.__code__
    arguments: dict[str, Any] = {}
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        if name in ("self", "env", "state"):
            if getattr(function, "__self__", None) is None:
                arguments[name] = state
        elif name in values:
            arguments[name] = values[name]
    result = function(**arguments)
    total, parts = result if isinstance(result, tuple) else (result, {})
    if rows is None:
        return float(total), {key: float(part) for key, part in parts.items()}
    return column(total, rows), {key: column(part, rows) for key, part in parts.items()}


def plain(function: Any) -> Any:
    """A function without its compilation."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def column(value: Any, rows: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, dtype=float), (rows,))
