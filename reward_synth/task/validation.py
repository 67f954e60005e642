"""What can be wrong with a task that needs no simulator to see."""

import dataclasses
import difflib
import importlib.util
import keyword
from collections.abc import Iterable, Mapping
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.task.bindings import (
    Accumulated,
    Derived,
    Info,
    JointPosition,
    JointVelocity,
    NativeReward,
    Observed,
    Sensor,
)
from reward_synth.task.contract import PpoSettings, Task, Variable
from reward_synth.task.environments import GymnasiumModel, MjcfFile

RESERVED = ("action", "xp")
"""Names that mean something else in a reward program."""


def check_task(task: Task) -> None:
    """Check every field of a task.

    Raises:
        UserError: the first fault found, with its file.
    """
    where = task.folder / "task.py"
    _check_words(task, where)
    _check_numbers(task, where)
    _check_variables(task.variables, where)
    _check_observation(task, where)
    _check_functions(task, where)
    if task.environment is None:
        model_file(task)


def model_file(task: Task) -> Path:
    """Path of the task's MJCF file.

    Raises:
        UserError: there is no such file.
    """
    where = task.folder / "task.py"
    model = task.model
    if isinstance(model, GymnasiumModel):
        # find_spec locates the package without importing it, which would take a second.
        package = importlib.util.find_spec("gymnasium")
        if package is None or package.origin is None:
            raise UserError(f"{where}: the model ships in gymnasium; pip install gymnasium")
        assets = Path(package.origin).parent / "envs" / "mujoco" / "assets"
        path = assets / model.file
        if not path.is_file():
            names = sorted(entry.name for entry in assets.glob("*.xml"))
            raise UserError(
                f"{where}: gymnasium has no model {model.file!r}{nearest(model.file, names)}"
            )
        return path
    if isinstance(model, MjcfFile):
        path = task.folder / model.file
        if not path.is_file():
            raise UserError(f"{where}: the model file {path} does not exist")
        return path
    raise UserError(
        f"{where}: model is a {type(model).__name__}; give GymnasiumModel(FILE) or MjcfFile(FILE)"
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """``"; did you mean X?"``, or a list of what there is when nothing is near."""
    names = list(names)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names) or 'none'}"


def _check_words(task: Task, where: Path) -> None:
    wanted = {"description": "say in one sentence what is to be learned"}
    if task.fitness is not None:
        wanted["fitness_doc"] = "say in one phrase what fitness measures, with its unit"
    elif task.fitness_doc:
        raise UserError(
            f"{where}: fitness_doc says what fitness measures, and there is no fitness; give the "
            "function, or leave both out"
        )
    for field, advice in wanted.items():
        value = getattr(task, field)
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{where}: {field} is empty; {advice}")
    if task.success is not None and not task.success_doc.strip():
        raise UserError(f"{where}: success_doc is empty; say in one phrase what success is")


def _check_numbers(task: Task, where: Path) -> None:
    for field in ("frame_skip", "episode_steps", "training_steps"):
        _check_count(getattr(task, field), field, where)
    if not isinstance(task.ppo, PpoSettings):
        raise UserError(f"{where}: ppo is a {type(task.ppo).__name__}; give PpoSettings(...)")
    for field in ("environments", "rollout_steps", "minibatch_size", "epochs"):
        _check_count(getattr(task.ppo, field), f"ppo.{field}", where)
    for size in task.ppo.hidden_sizes:
        _check_count(size, "ppo.hidden_sizes", where)


def _check_count(value: object, field: str, where: Path) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{where}: {field} is {value!r}; give a positive whole number")


def _check_variables(variables: object, where: Path) -> None:
    if not isinstance(variables, Mapping) or not variables:
        raise UserError(f"{where}: variables is empty; give a dict of name to Variable(...)")
    for name, variable in variables.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise UserError(
                f"{where}: variable name {name!r} is not a Python name; "
                "use letters, digits and underscores"
            )
        if name in RESERVED or name.startswith("prev_"):
            raise UserError(
                f"{where}: variable name {name!r} is taken: reward programs read action, xp and "
                "prev_NAME; rename it"
            )
        if not isinstance(variable, Variable):
            raise UserError(
                f"{where}: variable {name!r} is a {type(variable).__name__}; give Variable(...)"
            )
        for field in ("doc", "unit"):
            value = getattr(variable, field)
            if not isinstance(value, str) or not value.strip():
                raise UserError(f"{where}: variable {name!r} has no {field}; describe it")
        _check_binding(name, variable, where)


def _check_binding(name: str, variable: Variable, where: Path) -> None:
    binding = variable.binding
    if isinstance(binding, JointPosition | JointVelocity):
        if not binding.joints or not all(isinstance(joint, str) for joint in binding.joints):
            raise UserError(
                f"{where}: variable {name!r}: {type(binding).__name__} needs joint names"
            )
    elif isinstance(binding, Derived):
        if not callable(binding.function):
            raise UserError(f"{where}: variable {name!r}: Derived needs a function of (v, xp)")
    elif not isinstance(binding, Sensor | Observed | Info | NativeReward | Accumulated):
        raise UserError(
            f"{where}: variable {name!r} is bound to a {type(binding).__name__}; "
            "bind it to what its model or environment has, or to Derived or Accumulated"
        )


def _check_observation(task: Task, where: Path) -> None:
    if isinstance(task.observation, str) or not task.observation:
        raise UserError(f"{where}: observation is not a tuple of variable names; list at least one")
    for name in task.observation:
        if name != "action" and name not in task.variables:
            raise UserError(
                f"{where}: observation names the unknown variable {name!r}"
                f"{nearest(str(name), task.variables)}"
            )


def _check_functions(task: Task, where: Path) -> None:
    optional = {field.name for field in dataclasses.fields(task) if field.default is None}
    for field in ("reset", "terminated", "fitness", "success", "edit_model"):
        value = getattr(task, field)
        if not callable(value) and not (value is None and field in optional):
            raise UserError(f"{where}: {field} is {value!r}; give a function")
