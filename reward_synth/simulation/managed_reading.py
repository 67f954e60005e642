"""What a task's variables read of an environment of mjlab or Isaac Lab."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from reward_synth.errors import UserError
from reward_synth.simulation.variables import Entries
from reward_synth.task import Accumulated, Derived, Info, Measured, NativeReward, Observed, Task
from reward_synth.task.validation import nearest

if TYPE_CHECKING:
    from reward_synth.simulation.managed_worlds import Outcome, World

RECORD = "record"
"""The one array that a record is."""
USUAL_GROUPS = ("policy", "actor")
"""Groups of observations that ``Observed()`` without a key means, the first that is there."""


class Reading:
    """Reads bound quantities ``(N, width)``, float32, from an environment.

    Args:
        task: whose variables are read.
        world: where they are tried: at an episode's start and after a step with action 0.
        action_size: entries of an action.
        device: of the tensors.

    Raises:
        UserError: a variable raises, has a wrong shape, or lacks what it is bound to.  So does
            reading.
    """

    def __init__(self, task: Task, world: "World", action_size: int, device: str) -> None:
        self._where = task.folder / "task.py"
        self._bindings = {
            name: variable.binding
            for name, variable in task.variables.items()
            if not isinstance(variable.binding, Derived | Accumulated | NativeReward)
        }
        self._widths: dict[str, int] = {}
        self._last: dict[str, torch.Tensor] = {}
        self._logged: list[tuple[str, Info]] = []
        """Variables that are read of the log."""
        count = world.env.num_envs
        action = torch.zeros(count, action_size, device=device)
        self._check_keys(world, action)
        self.example = world.step(action, self).begun
        self.entries: dict[str, Entries] = {}
        begin = 0
        for name, value in self._last.items():
            width = 1 if value.ndim == 1 else value.shape[1]
            columns = tuple(range(begin, begin + width))
            self.entries[name] = Entries(RECORD, columns, value.ndim == 1)
            self._widths[name] = width
            begin += width
        self.width = begin

    def __call__(
        self, env: Any, seen: Mapping[str, Any], extras: Mapping[str, Any]
    ) -> torch.Tensor:
        """Values ``(N, width)`` of the state that the environment is in."""
        parts: list[torch.Tensor] = []
        count = env.num_envs
        for name, binding in self._bindings.items():
            where = f"{self._where}: variable {name!r}"
            if isinstance(binding, Measured):
                value = _measured(binding, env, where)
            elif isinstance(binding, Observed):
                value = _picked(_group(seen, binding.key, where), binding.index, where)
            elif isinstance(binding, Info):
                value = self._info(name, binding, extras, env, where)
            else:
                raise UserError(
                    f"{where} is bound to a {type(binding).__name__}, which such environments do "
                    "not have; bind it to Measured, Observed, Info, NativeReward, Derived or "
                    "Accumulated"
                )
            width = self._widths.get(name)
            wide = 1 if value.ndim == 1 else value.shape[-1]
            if value.ndim not in (1, 2) or len(value) != count or wide != (width or wide):
                raise UserError(
                    f"{where} gives shape {tuple(value.shape)} for {count} environments; it must "
                    f"give ({count},) or ({count}, {'d' if width is None else width})"
                )
            self._last[name] = value
            parts.append(value.reshape(count, -1).to(torch.float32))
        if not parts:
            return torch.zeros(count, 0, device=env.device)
        return torch.cat(parts, dim=1)

    def logged(self, outcome: "Outcome") -> torch.Tensor:
        """Values ``(N, width)`` that a step reached, with what the environment logged at its end.

        Manager-based environments log when they reset: means over those whose episodes ended then.
        The others' values are 0.
        """
        reached, log = outcome.reached, outcome.log
        if not log or not self._logged:
            return reached
        reached = reached.clone()
        ended = outcome.terminated | outcome.truncated
        for name, binding in self._logged:
            if binding.key in log:
                where = f"{self._where}: variable {name!r}"
                value = _number(log[binding.key], binding, len(reached), reached.device, where)
                columns = list(self.entries[name].indices)
                value = value.reshape(len(reached), -1)
                reached[:, columns] = torch.where(ended[:, None], value, 0.0)
        return reached

    def _check_keys(self, world: "World", action: torch.Tensor) -> None:
        """Find out which keys of extras and of the log there are."""
        extras_seen: set[str] = set()
        log_seen: set[str] = set()

        def look(env: Any, seen: Mapping[str, Any], extras: Mapping[str, Any]) -> torch.Tensor:
            extras_seen.update(key for key in extras if key != "log")
            log_seen.update(extras.get("log") or {})
            return torch.zeros(env.num_envs, 0, device=env.device)

        world.begin(look)
        world.step(action, look)
        for name, binding in self._bindings.items():
            if not isinstance(binding, Info) or binding.key in extras_seen:
                continue
            if binding.key not in log_seen:
                known = [*extras_seen, *log_seen]
                raise UserError(
                    f"{self._where}: variable {name!r}: the environment's extras and log have no "
                    f"{binding.key!r}{nearest(binding.key, known)}"
                )
            self._logged.append((name, binding))

    def _info(
        self, name: str, binding: Info, extras: Mapping[str, Any], env: Any, where: str
    ) -> torch.Tensor:
        value = extras.get(binding.key)
        if value is None:
            width = self._widths.get(name)
            shape = (env.num_envs,) if width is None else (env.num_envs, width)
            return torch.zeros(shape, device=env.device)
        return _number(value, binding, env.num_envs, env.device, where)


def _number(value: Any, binding: Info, count: int, device: Any, where: str) -> torch.Tensor:
    try:
        value = torch.as_tensor(value, dtype=torch.float32, device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{where}: {binding.key!r} is no number: {error}") from error
    if value.ndim == 0:
        value = value.expand(count)
    return _picked(value, binding.index, where)


def _measured(binding: Measured, env: Any, where: str) -> torch.Tensor:
    try:
        value = binding.function(env)
    except Exception as error:
        said = str(error).splitlines()
        raise UserError(
            f"{where} raised {type(error).__name__}: {said[0] if said else ''}"
        ) from error
    if not isinstance(value, torch.Tensor):
        raise UserError(f"{where} gives a {type(value).__name__}; it must give a tensor")
    return value


def _group(seen: Mapping[str, Any], key: str | int | None, where: str) -> torch.Tensor:
    if key is None:
        key = next((name for name in USUAL_GROUPS if name in seen), next(iter(seen), ""))
    if key not in seen:
        raise UserError(
            f"{where}: the environment has no group of observations {key!r}"
            f"{nearest(str(key), seen)}"
        )
    group = seen[str(key)]
    if isinstance(group, Mapping):
        return torch.cat([term.flatten(1) for term in group.values()], dim=1)
    return group.flatten(1)


def _picked(value: torch.Tensor, index: int | tuple[int, int] | None, where: str) -> torch.Tensor:
    if index is None:
        return value
    flat = value.reshape(len(value), -1)
    begin, end = (index, index + 1) if isinstance(index, int) else index
    if not 0 <= begin < end <= flat.shape[1]:
        raise UserError(f"{where} has index {index}, but there are {flat.shape[1]} entries")
    return flat[:, begin] if isinstance(index, int) else flat[:, begin:end]
