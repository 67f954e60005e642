"""Which entries of observations and ``info`` a task's variables need, and in which columns.

Only the arrays that some variable is bound to are kept, each of them flattened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from reward_synth.errors import UserError
from reward_synth.simulation.variables import Entries
from reward_synth.task import Info, NativeReward, Observed, Task
from reward_synth.task.validation import nearest

RECORD = "record"
"""The one array that a record of an environment is."""
IMAGE_RANK = 3
"""Arrays of this rank and above are images."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One array of the observation or of ``info``."""

    path: Path
    label: str
    """As people write it: ``observation['a']``, ``info['success']``."""
    shape: tuple[int, ...]
    begin: int
    """Its first column."""

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def columns(self) -> slice:
        return slice(self.begin, self.begin + self.size)


class Layout:
    """Columns of what a pool's environments give.

    Args:
        task: whose bindings say what is needed.
        space: the observation space of one environment.
        infos: examples of its ``info``.

    Raises:
        UserError: a bound key is not there, is no array of numbers, or is an image.
    """

    def __init__(self, task: Task, space: Any, infos: Sequence[Mapping[str, Any]]) -> None:
        assert task.environment is not None
        self.environment = task.environment.id
        self.width = 0
        self.entries: dict[str, Entries] = {}
        """Where each Observed and Info variable lies."""
        observed: dict[Path, Leaf] = {}
        informed: dict[Path, Leaf] = {}
        for name, variable in task.variables.items():
            binding = variable.binding
            where = f"{task.folder / 'task.py'}: variable {name!r}"
            if isinstance(binding, Observed):
                path, shape, label = find_observed(space, binding.key, where, self.environment)
                leaf = self._leaf(observed, path, shape, label)
            elif isinstance(binding, Info):
                path, shape, label = find_info(infos, binding.key, where, self.environment)
                leaf = self._leaf(informed, path, shape, label)
            else:
                continue
            self.entries[name] = entries_of(leaf, binding.index, where)
        self.observed: tuple[Leaf, ...] = tuple(observed.values())
        self.informed: tuple[Leaf, ...] = tuple(informed.values())

    def _leaf(self, leaves: dict[Path, Leaf], path: Path, shape: Any, label: str) -> Leaf:
        if path not in leaves:
            leaves[path] = leaf = Leaf(path, label, shape, self.width)
            self.width += leaf.size
        return leaves[path]

    def batched(self, observation: Any, info: Mapping[str, Any], count: int) -> np.ndarray:
        """Values ``(count, W)`` of batched arrays."""
        values = np.empty((count, self.width))
        for leaf in self.observed:
            array = np.asarray(pick(observation, leaf.path))
            values[:, leaf.columns] = array.reshape(count, leaf.size)
        for leaf in self.informed:
            array = np.asarray(pick(info, leaf.path))
            values[:, leaf.columns] = array.reshape(count, leaf.size)
        return values

    def row(
        self, values: np.ndarray, observation: Any, info: Mapping[str, Any], *, start: bool
    ) -> None:
        """Write the values ``(W,)`` of one environment.

        At an episode's start, an ``info`` that is not there counts as 0.

        Raises:
            UserError: a key is not there, or an array changed its shape.
        """
        for leaf in self.observed:
            self._write(values, leaf, pick(observation, leaf.path))
        for leaf in self.informed:
            found = pick(info, leaf.path)
            self._write(values, leaf, 0.0 if found is None and start else found, fill=start)

    def _write(self, values: np.ndarray, leaf: Leaf, found: Any, fill: bool = False) -> None:
        if found is None:
            raise UserError(
                f"{self.environment} gave no {leaf.label} with one of its steps, to which a "
                "variable is bound; bind variables to what is there with every step"
            )
        shape = np.shape(found)
        if shape != leaf.shape and not (fill and shape == ()):
            raise UserError(
                f"{self.environment} changed the shape of {leaf.label} from {leaf.shape} to "
                f"{shape}; environments whose arrays change their shapes cannot be learned"
            )
        values[leaf.columns] = np.ravel(found)


def pick(tree: Any, path: Path) -> Any:
    """The array at a path; None where it is not there."""
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def find_observed(
    space: Any, key: str | int | None, where: str, environment: str
) -> tuple[Path, tuple[int, ...], str]:
    """Path, shape and label of a bound key of the observation."""
    parts: Path = ()
    if isinstance(key, int):
        parts = (key,)
    elif key is not None:
        own = isinstance(space, spaces.Dict) and key in space.spaces  # it may have dots itself
        parts = (key,) if own else tuple(key.split("."))
    path: Path = ()
    for part in parts:
        inner = space.spaces if isinstance(space, spaces.Dict | spaces.Tuple) else None
        if isinstance(inner, Mapping):
            found = part if part in inner else None
            there = [str(name) for name in inner]
        elif inner is not None:
            number = int(part) if str(part).lstrip("-").isdigit() else -1
            found = number if 0 <= number < len(inner) else None
            there = [str(number) for number in range(len(inner))]
        else:
            raise UserError(
                f"{where}: the observation of {environment} is one array where {label_of(path)} "
                f"lies, which has no key {part!r}; leave it out"
            )
        if found is None:
            raise UserError(
                f"{where}: the observation of {environment} has no key {str(key)!r}"
                f"{nearest(str(part), there)}"
            )
        path = (*path, found)
        space = inner[found]  # pyright: ignore[reportArgumentType, reportCallIssue]
    label = label_of(path)
    if isinstance(space, spaces.Dict | spaces.Tuple):
        inner = space.spaces
        keys = list(inner) if isinstance(inner, Mapping) else list(range(len(inner)))
        raise UserError(
            f"{where}: {label} of {environment} is made up of several arrays; bind it to one of "
            f"their keys: {', '.join(map(str, keys))}"
        )
    shape = space.shape
    if isinstance(space, spaces.Box | spaces.MultiBinary) and len(shape) >= IMAGE_RANK:
        raise UserError(
            f"{where}: {label} of {environment} is an image of shape {shape}, and images cannot be "
            "learned from; choose an environment, or an option of it, that observes numbers"
        )
    if not isinstance(
        space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary
    ):
        raise UserError(
            f"{where}: {label} of {environment} is a {type(space).__name__}, which is no array of "
            "a fixed shape; bind the variable to another key"
        )
    return path, tuple(shape), label


def find_info(
    infos: Sequence[Mapping[str, Any]], key: str, where: str, environment: str
) -> tuple[Path, tuple[int, ...], str]:
    """Path, shape and label of a bound key of ``info``."""
    path: Path = (key,) if any(key in info for info in infos) else tuple(key.split("."))
    found = None
    for info in infos:
        there = pick(info, path)
        found = there if there is not None else found
    if found is None:
        names = {name: None for info in infos for name in keys_of(info)}
        raise UserError(
            f"{where}: the info of {environment} has no key {key!r}{nearest(key, names)}"
        )
    label = f"info[{key!r}]"
    shape = np.shape(found)
    if isinstance(found, Mapping) or not is_numeric(found):
        raise UserError(
            f"{where}: {label} of {environment} is a {type(found).__name__}, and no number or "
            "array of numbers; bind the variable to another key"
        )
    if len(shape) >= IMAGE_RANK:
        raise UserError(
            f"{where}: {label} of {environment} is an image of shape {shape}, and images cannot be "
            "learned from; bind the variable to another key"
        )
    return path, shape, label


def keys_of(info: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Keys of an ``info``'s numbers, nested ones with dots."""
    names: list[str] = []
    for key, value in info.items():
        if isinstance(value, Mapping):
            names += keys_of(value, f"{prefix}{key}.")
        elif is_numeric(value):
            names.append(f"{prefix}{key}")
    return names


def is_numeric(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # lists of unequal lengths
        return False


def label_of(path: Path) -> str:
    return "observation" + "".join(f"[{key!r}]" for key in path)


def entries_of(leaf: Leaf, index: int | tuple[int, int] | None, where: str) -> Entries:
    """The columns of a binding's entries."""
    size = leaf.size
    if index is None:
        return Entries(RECORD, tuple(range(leaf.begin, leaf.begin + size)), leaf.shape == ())
    if isinstance(index, int):
        if not -size <= index < size:
            raise UserError(
                f"{where}: {leaf.label} has {size} entries, and none of number {index}; give "
                f"0 to {size - 1}"
            )
        return Entries(RECORD, (leaf.begin + index % size,), True)
    begin, end = index
    if not 0 <= begin < end <= size:
        raise UserError(
            f"{where}: {leaf.label} has {size} entries, and no slice ({begin}, {end}); give "
            f"(begin, end) with 0 <= begin < end <= {size}"
        )
    return Entries(RECORD, tuple(range(leaf.begin + begin, leaf.begin + end)), False)


def reward_bound(task: Task) -> list[str]:
    """Names of the variables that are the environment's own reward."""
    return [
        n for n, variable in task.variables.items() if isinstance(variable.binding, NativeReward)
    ]
