"""Loads task folders, built-in or the user's own, and says clearly what is wrong with one.

A folder holds ``task.py`` (a module-level ``task = Task(...)``), ``expert_reward.py`` and
``sparse_reward.py``, and, once measured, ``baselines.json``.  Nothing here imports a simulator:
what only the compiled model can tell (joint names, sensor names, shapes) is found by it.
"""

import contextlib
import dataclasses
import difflib
import hashlib
import importlib
import importlib.util
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from reward_synth.errors import UserError
from reward_synth.task.contract import Task
from reward_synth.task.own_rewards import OwnReward, brought_along
from reward_synth.task.validation import check_task

Which = Literal["expert", "sparse"]
LOADING = threading.RLock()
"""While a task is loaded, its folder is on the path of the whole process."""


class Baseline(BaseModel):
    """Fitness of policies trained with one of the task's own rewards, one entry per seed."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(gt=0)
    seeds: list[int] = Field(min_length=1)
    fitness: list[FiniteFloat]
    mean: FiniteFloat
    low: FiniteFloat
    """Lower end of the 95 % interval of the mean over seeds."""
    high: FiniteFloat
    """Upper end of the 95 % interval of the mean over seeds."""
    seconds: FiniteFloat
    """Wall-clock of all its trainings together."""
    machine: str
    date: str


def builtin_tasks() -> Path:
    """The folder of built-in tasks: packaged in a wheel, at the top level in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "tasks"
    return packaged if packaged.is_dir() else package.parent / "tasks"


def list_tasks() -> list[str]:
    """Names of the built-in tasks, sorted."""
    folder = builtin_tasks()
    return sorted(path.parent.name for path in folder.glob("*/task.py"))


def load_task(name_or_path: str | Path) -> Task:
    """Load a task by the name of a built-in one, or by the path of its folder.

    Raises:
        UserError: no such task or folder, or the folder is wrong; names the file and what to do.
    """
    folder = _find_folder(name_or_path)
    source = folder / "task.py"
    if not source.is_file():
        raise UserError(f"{folder} is not a task folder: it has no task.py")
    found = getattr(_run_module(source), "task", None)
    if found is None:
        raise UserError(f"{source} defines no task; write task = Task(...) at module level")
    if not isinstance(found, Task):
        raise UserError(
            f"{source}: task is a {type(found).__name__}, not a reward_synth.task.Task; "
            "write task = Task(...)"
        )
    loaded = dataclasses.replace(found, folder=folder)
    check_task(loaded)
    return loaded


def reward_source(task: Task, which: OwnReward) -> str:
    """Source of the task's expert or sparse reward program, or of its environment's own reward.

    Where the folder has no file, the environment's own reward is the expert one, and its success
    the sparse one.

    Raises:
        UserError: there is none, or the file is empty, unreadable or not UTF-8.
    """
    path = task.folder / f"{which}_reward.py"
    if which == "native" or not path.is_file():
        brought = brought_along(task, which)
        if brought is not None:
            return brought
        if which == "native":
            raise UserError(
                f"{task.folder / 'task.py'} has no variable bound to NativeReward(), which the "
                "environment's own reward is read from; add one (public=False hides it from "
                "candidates)"
            )
        raise UserError(
            f"{task.folder} has no {path.name}; write the task's {which} reward program there"
        )
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if not source.strip():
        raise UserError(f"{path} is empty; write the task's {which} reward program there")
    return source


def baselines(task: Task) -> dict[Which, Baseline]:
    """Measured baselines from the folder's ``baselines.json``; empty where there is none.

    Raises:
        UserError: the file is unreadable, not JSON, or lacks a field.
    """
    path = task.folder / "baselines.json"
    if not path.is_file():
        return {}
    try:
        found = TypeAdapter(dict[Which, Baseline]).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        where = f"{path}, {place}" if place else str(path)
        raise UserError(f"{where}: {first['msg']}; measure the baselines again") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for which, baseline in found.items():
        if len(baseline.seeds) != len(baseline.fitness):
            raise UserError(
                f"{path}, {which}: {len(baseline.seeds)} seeds but {len(baseline.fitness)} "
                "fitness values; measure the baselines again"
            )
    return found


def _find_folder(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if isinstance(name_or_path, str) and not text.strip():
        raise UserError(f"no task was named; {_choices(list_tasks())}")
    looks_like_path = isinstance(name_or_path, Path) or any(
        separator in text for separator in (os.sep, os.altsep, "/") if separator
    )
    if not looks_like_path and text not in (".", ".."):
        names = list_tasks()
        if text in names:
            return builtin_tasks() / text
        if not (Path(text) / "task.py").is_file():
            near = difflib.get_close_matches(text.lower(), names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UserError(f"unknown task {text!r}; {hint}{_choices(names)}")
    folder = Path(text).expanduser()
    try:
        folder = folder.resolve()
        if folder.is_file() and folder.name == "task.py":
            folder = folder.parent
        if not folder.exists():
            raise UserError(f"no such task folder: {folder}; {_choices(list_tasks())}")
        if not folder.is_dir():
            raise UserError(f"{folder} is a file; give the task's folder, which holds task.py")
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"cannot open the task folder {text!r}: {error}") from None
    return folder


def _choices(names: Iterable[str]) -> str:
    return f"built-in tasks: {', '.join(names)}; or give the path of a task folder"


def _run_module(path: Path) -> ModuleType:
    """Execute ``task.py`` under a name of its own, leaving no bytecode beside it."""
    # The name is registered because dataclasses and pickle look their module up by it.
    name = "reward_synth_task_" + hashlib.sha256(str(path).encode()).hexdigest()[:16]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise UserError(f"cannot load {path} as a Python module")
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module
    try:
        with _importable(path.parent):
            exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        if isinstance(error, (Exception, SystemExit)):
            raise UserError(_describe(error, path)) from error
        raise
    return module


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Lets ``task.py`` import modules that lie next to it, at its top, leaving nothing behind:
    neither the folder on the path, nor bytecode in it, nor modules that another task's would be
    taken for."""
    helpers = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    helpers -= sys.stdlib_module_names | {"task", "reward_synth", "sandbox"}
    with LOADING:
        shared = [name for name in list(sys.modules) if name.split(".")[0] in helpers]
        hidden = {name: sys.modules.pop(name) for name in shared}
        written = sys.dont_write_bytecode
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(folder))
            sys.dont_write_bytecode = written
            for name in [n for n in list(sys.modules) if n.split(".")[0] in helpers]:
                del sys.modules[name]
            sys.modules.update(hidden)


def _describe(error: BaseException, path: Path) -> str:
    """One line for what went wrong while ``path`` was read or executed."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}, line {error.lineno or 1}: {error.msg}"
    if isinstance(error, OSError) and error.filename == str(path):
        return f"cannot read {path}: {error.strerror}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    where = f"{path}, line {lines[-1]}" if lines else str(path)
    message = next(iter(str(error).splitlines()), "")
    return (
        f"{where}: {type(error).__name__}: {message}"
        if message
        else (f"{where}: {type(error).__name__}")
    )
