"""Tries the functions of a task folder on random play, and reports every fault at once.

What only running tells: functions that mix environments, that give other values when called again,
that read what is not there, that are written for NumPy alone, and measures that are no numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reward_synth.errors import FaultsError
from reward_synth.simulation import open_simulator
from reward_synth.simulation.episodes import random_policy, rollout_episodes
from reward_synth.simulation.interface import Simulator
from reward_synth.simulation.rollout import on_host
from reward_synth.task import Accumulated, Array, Derived, Episode, Home, Task
from reward_synth.task.validation import nearest

ENVIRONMENTS = 6
STEPS = 12
EPISODES = 2
CHECKED_ROWS = 8
LONGEST_TRIAL = 300
"""Control steps of the episodes on which fitness and success are tried."""
SEED = 0
TOLERANCE = 1e-9
"""Relative, of values that have to be the same."""


def check_functions(task: Task, *, tensors: bool = False) -> None:
    """Try every function of a task, with ``tensors`` on PyTorch's as well (which takes seconds to
    import).

    Raises:
        FaultsError: what is wrong, a line for each fault, with file, line and cure.
        UserError: the task cannot be opened at all.
    """
    faults = faults_of(task, tensors=tensors)
    if faults:
        raise FaultsError(faults)


def faults_of(task: Task, *, tensors: bool = False) -> list[str]:
    """What is wrong with the functions of a task, a line each; [] where nothing is.

    Raises:
        UserError: the task cannot be opened at all.
    """
    simulator = open_simulator(task, ENVIRONMENTS)
    try:
        faults = [*_reset_faults(task), *_row_faults(task, simulator, tensors)]
    finally:
        simulator.close()
    return faults + _measure_faults(task)


# --- resets --------------------------------------------------------------------------------------


def _reset_faults(task: Task) -> list[str]:
    """A reset that does not depend on its generator alone."""
    if not callable(task.reset) or isinstance(task.reset, Home):
        return []
    once, again = (_flat(task.reset(np.random.default_rng(SEED), 2)) for _ in range(2))
    if all(np.array_equal(a, b) for a, b in zip(once, again, strict=True)):
        return []
    return [
        f"{_place(task, task.reset)}: reset gives other states for the same rng; draw all random "
        "numbers from the rng that it is given"
    ]


def _flat(start: Any) -> list[np.ndarray]:
    """All arrays of what a reset gave."""
    if isinstance(start, tuple):
        return [np.asarray(part) for part in start]
    parts = [start.qpos, start.qvel]
    for mapping in (start.parameters, start.mocap_position, start.mocap_quaternion):
        parts += [mapping[name] for name in sorted(mapping)]
    return [np.asarray(part) for part in parts]


# --- functions of rows ---------------------------------------------------------------------------


def _row_faults(task: Task, simulator: Simulator, tensors: bool) -> list[str]:
    """Faults of derived variables, memory and termination."""
    rng = np.random.default_rng(SEED)
    act = random_policy(simulator, rng)
    observation = simulator.reset(SEED)
    records: list[np.ndarray] = []
    for _ in range(STEPS):
        step = simulator.step(act(observation))
        observation = step.observation
        records.append(on_host(step.record))
    rows = np.concatenate(records).astype(np.float64)
    # A few of the rows: a mean over all of them is the same in whatever order they are.
    order = rng.permutation(len(rows))[:CHECKED_ROWS]
    here = _Rows(simulator, rows, tensors and task.model is not None)
    faults: list[str] = []
    for name, variable in task.variables.items():
        binding = variable.binding
        if isinstance(binding, Derived):
            function, what = binding.function, f"variable {name!r}"
            faults += _function_faults(task, function, what, here, order, lambda f, v, xp: f(v, xp))
        elif isinstance(binding, Accumulated):
            before = here[name]
            faults += _memory_faults(task, binding, name, here, before, order)
    if task.model is not None:
        faults += _function_faults(
            task, task.terminated, "terminated", here, order, lambda f, v, xp: f(v, xp)
        )
    return faults


class _Rows(Mapping[str, np.ndarray]):
    """A task's variables on records, as NumPy arrays."""

    def __init__(self, simulator: Simulator, rows: np.ndarray, tensors: bool) -> None:
        self.simulator, self.rows, self.tensors = simulator, rows, tensors
        self._variables = simulator.host_variables_at(rows.copy())

    def taken(self, order: np.ndarray) -> "_Rows":
        return _Rows(self.simulator, self.rows[order], self.tensors)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self._variables[name])

    def __iter__(self) -> Any:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


Call = Callable[[Callable[..., Array], Mapping[str, Any], Any], Array]


def _function_faults(
    task: Task,
    function: Callable[..., Array],
    what: str,
    rows: _Rows,
    order: np.ndarray,
    call: Call,
) -> list[str]:
    """Faults of a function of variables: called again, on a part of the rows, on tensors."""
    place = _place(task, function)
    try:
        value = np.asarray(call(function, rows, np))
        again = np.asarray(call(function, rows, np))
        permuted = np.asarray(call(function, rows.taken(order), np))
    except Exception as error:
        return [f"{place}: {what} raised {type(error).__name__}: {error}"]
    if not _same(value, again):
        return [
            f"{place}: {what} gives other values for the same states; leave out random numbers and "
            "what it remembers (Accumulated keeps memory)"
        ]
    if not _same(value[order], permuted):
        return [
            f"{place}: {what} of one environment depends on the others; reduce over axis=-1 of "
            "vectors only, never over the environments"
        ]
    return _tensor_faults(place, what, function, rows, value, call) if rows.tensors else []


def _memory_faults(
    task: Task,
    binding: Accumulated,
    name: str,
    rows: _Rows,
    before: np.ndarray,
    order: np.ndarray,
) -> list[str]:
    """The same of a memory's function, which is also given its value before."""
    in_order = {len(before): before}

    def call(function: Callable[..., Array], v: Mapping[str, Any], xp: Any) -> Array:
        previous = in_order[len(before)]
        if isinstance(v, _Rows) and v is not rows:
            previous = previous[order]
        return function(xp.asarray(previous), v, xp)

    return _function_faults(task, binding.function, f"variable {name!r}", rows, order, call)


def _tensor_faults(
    place: str,
    what: str,
    function: Callable[..., Array],
    rows: _Rows,
    value: np.ndarray,
    call: Call,
) -> list[str]:
    """A function that works on NumPy's arrays alone: on a GPU it would fail."""
    import array_api_compat.torch as xp
    import torch

    tensors = {name: torch.as_tensor(rows[name]) for name in rows}
    cure = "use xp in place of np, and arrays' own operators, so that it runs on a GPU as well"
    try:
        found = call(function, tensors, xp)
    except Exception as error:
        return [f"{place}: {what} raised {type(error).__name__} on tensors: {error}; {cure}"]
    if not isinstance(found, torch.Tensor) or not _same(value, found.numpy()):
        return [f"{place}: {what} gives something else on tensors than on arrays; {cure}"]
    return []


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype == bool or other.dtype == bool:
        return bool(np.array_equal(one, other))
    return bool(np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


# --- fitness and success -------------------------------------------------------------------------


def _measure_faults(task: Task) -> list[str]:
    """Fitness and success on whole episodes of random actions."""
    if task.fitness is None and task.success is None:
        return []
    episodes = trial_episodes(task)
    faults: list[str] = []
    for name in ("fitness", "success"):
        function = getattr(task, name)
        if function is not None:
            fault = measure_fault(task, name, function, episodes)
            faults += [] if fault is None else [f"{_place(task, function)}: {fault}"]
    return faults


def trial_episodes(task: Task) -> list[Episode]:
    """Episodes of random actions, cut short where a model's take long.

    Raises:
        UserError: the task cannot be opened.
    """
    short = task
    if task.model is not None and task.episode_steps > LONGEST_TRIAL:
        short = replace(task, episode_steps=LONGEST_TRIAL)
    simulator = open_simulator(short, EPISODES)
    try:
        act = random_policy(simulator, np.random.default_rng(SEED))
        return rollout_episodes(simulator, act, EPISODES, SEED)
    finally:
        simulator.close()


def measure_fault(
    task: Task, name: str, function: Callable[[Episode], Any], episodes: Sequence[Episode]
) -> str | None:
    """What is wrong with a ``fitness`` or ``success`` (``name``), in words; None if nothing is."""
    for episode in episodes:
        try:
            found, again = function(episode), function(episode)
        except KeyError as error:
            key = str(error.args[0]) if error.args else ""
            return f"{name} reads the unknown variable {key!r}{nearest(key, task.variables)}"
        except Exception as error:
            return f"{name} raised {type(error).__name__}: {error}"
        wanted = "a finite number" if name == "fitness" else "True or False"
        if not _sound(name, found):
            return f"{name} gives {_shown(found)}; it must give {wanted}"
        if found != again:
            return (
                f"{name} gives other values for the same episode; leave out random numbers and "
                "what it remembers"
            )
    return None


def _sound(name: str, found: Any) -> bool:
    if np.ndim(found) != 0 or found is None:
        return False
    if name == "success":
        return isinstance(found, bool | np.bool_)
    return isinstance(found, int | float | np.number) and bool(np.isfinite(found))


def _shown(found: Any) -> str:
    if isinstance(found, np.ndarray) and found.ndim:
        return f"an array of shape {found.shape}"
    return " ".join(repr(found).split())[:60]


def _place(task: Task, function: Callable[..., Any]) -> str:
    """File and line of a function, where it has them."""
    code = getattr(function, "__code__", None)
    if code is None:
        return str(task.folder / "task.py")
    return f"{code.co_filename}, line {code.co_firstlineno}"
