"""A compiled reward program: the function that trainers and the probe call."""

import ast
import warnings
from collections.abc import Mapping
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from reward_synth.reward import advice
from reward_synth.reward.finding import Finding, RewardError
from reward_synth.reward.names import ENTRY
from reward_synth.reward.namespace import Namespace, NamespaceName
from reward_synth.reward.plain import is_plain

Array = Any

FILE_NAME = "<reward program>"


def code_of(tree: ast.Module) -> CodeType:
    """The code of a checked program; raises SyntaxError on what only Python's compiler finds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns of functions that are never called, too.
        return compile(tree, FILE_NAME, "exec", dont_inherit=True)


class CompiledReward:
    """Calls ``compute_reward`` on arrays of one namespace, whatever their dtype and device."""

    def __init__(
        self, tree: ast.Module, sizes: Mapping[str, int | None], namespace: NamespaceName
    ) -> None:
        self.code = code_of(tree)
        self.sizes = dict(sizes)
        self.namespace: NamespaceName = namespace
        self.line = next(
            node.lineno
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == ENTRY
        )
        self.loaded: dict[Any, tuple[Namespace, Any]] = {}

    def __call__(self, **arguments: Array) -> tuple[Array, dict[str, Array]]:
        """Total ``(N,)`` and components ``(N,)``; raises RewardError with the program's line."""
        rows = self.check_arguments(arguments)
        try:
            # Overflow and division by zero give inf and NaN, which the probe looks for.
            with np.errstate(all="ignore"):
                space, function = self.load(next(iter(arguments.values())))
                inputs = {name: space.cast(value) for name, value in arguments.items()}
                total, components = function(**inputs)
                held = list(arguments.values())
                return self.column(space, total, rows, held, "the total"), {
                    name: self.column(space, value, rows, held, f"component '{name}'")
                    for name, value in components.items()
                }
        except (RewardError, MemoryError):
            raise
        except Exception as error:
            line, column = place(error.__traceback__) or (self.line, 1)
            said = str(error).split("\n")[0][:200]
            message = f"the program raised {type(error).__name__}: {said}"
            raise RewardError([Finding(line, column, "raised", message)]) from error

    def load(self, like: Array) -> tuple[Namespace, Any]:
        """The program's function, loaded for arrays of the dtype and device of ``like``."""
        device = like.device if self.namespace == "torch" else None
        key = (like.dtype, device)
        if key not in self.loaded:
            space = Namespace.like(self.namespace, like)
            names = space.globals
            with space.loading():
                exec(self.code, names)
            self.loaded[key] = space, names[ENTRY]
        return self.loaded[key]

    def check_arguments(self, arguments: Mapping[str, Array]) -> int:
        """The number of rows; raises RewardError where arguments do not fit the program."""
        if arguments.keys() != self.sizes.keys():
            for name in self.sizes:
                if name not in arguments:
                    raise self.wrong(f"the argument '{name}' is missing", "give its values")
            extra = next(name for name in arguments if name not in self.sizes)
            instead = f"arguments: {advice.listing(self.sizes)}"
            raise self.wrong(f"the program takes no argument '{extra}'", instead)
        rows = next(iter(arguments.values())).shape[:1]
        for name, size in self.sizes.items():
            shape = tuple(arguments[name].shape)
            wanted = rows if size is None else (*rows, size)
            if shape != wanted or not rows:
                spelt = "(N,)" if size is None else f"(N, {size})"
                message = f"the argument '{name}' has the shape {shape}"
                raise self.wrong(message, f"give {spelt}, with the same N for all")
        return rows[0]

    def wrong(self, message: str, instead: str) -> RewardError:
        return RewardError([Finding(self.line, 1, "argument", message, instead)])

    def column(
        self, space: Namespace, value: Array, rows: int, held: list[Array], what: str
    ) -> Array:
        """A result as a float array ``(rows,)`` that shares no memory with those ``held``,
        which it then is one of."""
        if is_plain(value) or value.shape == ():
            return space.column(value, rows)
        if value.shape != (rows,):
            message = f"{what} has the shape {tuple(value.shape)}, not ({rows},)"
            raise self.wrong(message, "reduce with xp.sum(..., axis=-1)")
        result = space.fresh(space.cast(value), held)
        held.append(result)
        return result


def place(traceback: TracebackType | None) -> tuple[int, int] | None:
    """Line and column of the program's innermost frame."""
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == FILE_NAME:
            positions = list(code.co_positions())[traceback.tb_lasti // 2]
            found = traceback.tb_lineno, (positions[2] or 0) + 1
        traceback = traceback.tb_next
    return found
