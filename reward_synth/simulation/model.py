"""Compiles a task's MuJoCo model and finds where each variable's entries lie.

Shared by every MuJoCo simulator: nothing here depends on how the model is stepped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION
from reward_synth.simulation.interface import ActionEntry, Capabilities
from reward_synth.simulation.variables import Entries
from reward_synth.task import JointPosition, JointVelocity, Sensor, Task
from reward_synth.task.validation import model_file, nearest

CAPABILITIES = Capabilities(snapshots=True, devices=("cpu", "cuda"), video="mujoco")
"""Of a task on a MuJoCo model, whichever simulator steps it."""
SENSOR_PREFIX = "reward_synth:"
"""Added sensors are named with it, so that they cannot clash with the model's own."""


def _sensor_kinds() -> dict[str, Any]:
    kinds = {
        member.removeprefix("mjSENS_").lower(): kind
        for member, kind in mujoco.mjtSensor.__members__.items()
    }
    # Three elements are not named like their type; three types need code or a plugin.
    renamed = {"distance": "geomdist", "normal": "geomnormal", "fromto": "geomfromto"}
    for element, name in renamed.items():
        kinds[element] = kinds.pop(name)
    for name in ("tactile", "plugin", "user"):
        del kinds[name]
    return kinds


SENSOR_KINDS: Mapping[str, Any] = _sensor_kinds()
"""MJCF element name to MuJoCo's sensor type; those that need code or a plugin are left out."""

OBJECT_TYPES: Mapping[str, tuple[mujoco.mjtObj, str]] = {
    "body": (mujoco.mjtObj.mjOBJ_BODY, "bodies"),
    "xbody": (mujoco.mjtObj.mjOBJ_XBODY, "bodies"),
    "geom": (mujoco.mjtObj.mjOBJ_GEOM, "geoms"),
    "site": (mujoco.mjtObj.mjOBJ_SITE, "sites"),
    "joint": (mujoco.mjtObj.mjOBJ_JOINT, "joints"),
    "actuator": (mujoco.mjtObj.mjOBJ_ACTUATOR, "actuators"),
    "tendon": (mujoco.mjtObj.mjOBJ_TENDON, "tendons"),
    "camera": (mujoco.mjtObj.mjOBJ_CAMERA, "cameras"),
}
"""Object type to MuJoCo's, and the MjSpec list that holds such objects."""

FARTHEST_DISTANCE = 100.0
"""How far apart two geoms are measured, m; by default MuJoCo measures only overlap."""

_ON_SITE = ("touch", "accelerometer", "velocimeter", "gyro", "force", "torque", "magnetometer")
_BETWEEN_GEOMS = ("distance", "normal", "fromto")
_ON_NOTHING = ("clock", "e_potential", "e_kinetic")
_SETTINGS = {"contact": [1, 0, 1], "rangefinder": [1, 0, 0]}
"""What MJCF sets by default, and MjSpec does not: contacts are counted, distance is measured."""


@dataclass(frozen=True)
class BoundModel:
    """A compiled model and what a simulator needs to know to serve the task on it."""

    model: mujoco.MjModel
    entries: Mapping[str, Entries]
    """Variables that are bound to the model, and ``action``; the task's others are derived."""
    control_center: np.ndarray
    """``(nu,)``: control that the action 0 stands for."""
    control_half_range: np.ndarray
    """``(nu,)``: control added by the action 1."""
    action_entries: tuple[ActionEntry, ...]
    """What each entry of an action means."""


def build_model(task: Task) -> BoundModel:
    """Compile the task's model with its sensors added.

    Raises:
        UserError: the model file is broken, or a binding names something that it lacks.
    """
    where = task.folder / "task.py"
    path = model_file(task)
    try:
        spec = mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise UserError(f"{path}: {_one_line(error)}") from None
    if task.edit_model is not None:
        try:
            task.edit_model(spec)
        except Exception as error:
            raise UserError(
                f"{where}: edit_model raised {type(error).__name__}: {_one_line(error)}"
            ) from error
    for name, variable in task.variables.items():
        if isinstance(variable.binding, Sensor):
            _add_sensor(spec, name, variable.binding, f"{where}: variable {name!r}")
    try:
        model: Any = spec.compile()
    except ValueError as error:
        raise UserError(f"{where}: the model does not compile: {_one_line(error)}") from None
    if model.nu == 0:
        raise UserError(f"{where}: the model has no actuators, so there is nothing to learn")
    if task.camera is not None:
        cameras = [model.camera(i).name for i in range(model.ncam)]
        if task.camera not in cameras:
            raise UserError(
                f"{where}: the model has no camera {task.camera!r}{nearest(task.camera, cameras)}"
            )
    entries = {}
    for name, variable in task.variables.items():
        binding = variable.binding
        if isinstance(binding, JointPosition | JointVelocity):
            entries[name] = _joint_entries(model, binding, f"{where}: variable {name!r}")
        elif isinstance(binding, Sensor):
            entries[name] = _sensor_entries(model, name, binding, f"{where}: variable {name!r}")
    entries[ACTION] = Entries(ACTION, tuple(range(model.nu)), False)
    limited = model.actuator_ctrllimited.astype(bool)
    low = np.where(limited, model.actuator_ctrlrange[:, 0], -1.0)
    high = np.where(limited, model.actuator_ctrlrange[:, 1], 1.0)
    described = tuple(
        ActionEntry(
            model.actuator(i).name or f"actuator {i}",
            f"-1 to 1 is its control from {low[i]:.4g} to {high[i]:.4g}",
        )
        for i in range(model.nu)
    )
    return BoundModel(model, entries, (low + high) / 2, (high - low) / 2, described)


def _joint_entries(
    model: mujoco.MjModel, binding: JointPosition | JointVelocity, where: str
) -> Entries:
    positions = isinstance(binding, JointPosition)
    widths = {
        mujoco.mjtJoint.mjJNT_FREE: 7 if positions else 6,
        mujoco.mjtJoint.mjJNT_BALL: 4 if positions else 3,
    }
    indices: list[int] = []
    for name in binding.joints:
        joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if joint < 0:
            names = [model.joint(i).name for i in range(model.njnt)]
            raise UserError(f"{where}: the model has no joint {name!r}{nearest(name, names)}")
        start = int((model.jnt_qposadr if positions else model.jnt_dofadr)[joint])
        width = widths.get(mujoco.mjtJoint(int(model.jnt_type[joint])), 1)
        indices.extend(range(start, start + width))
    return Entries("qpos" if positions else "qvel", tuple(indices), len(indices) == 1)


def _sensor_entries(model: mujoco.MjModel, name: str, binding: Sensor, where: str) -> Entries:
    sensor = model.sensor(SENSOR_PREFIX + name)
    start, size = int(sensor.adr[0]), int(sensor.dim[0])
    if binding.component is None:
        return Entries("sensordata", tuple(range(start, start + size)), size == 1)
    if not 0 <= binding.component < size:
        raise UserError(
            f"{where}: {binding.kind} has {size} entries, so component {binding.component} "
            f"does not exist; give 0 to {size - 1}"
        )
    return Entries("sensordata", (start + binding.component,), True)


def _add_sensor(spec: Any, name: str, binding: Sensor, where: str) -> None:
    kind = SENSOR_KINDS.get(binding.kind)
    if kind is None:
        raise UserError(
            f"{where}: MuJoCo has no sensor {binding.kind!r}{nearest(binding.kind, SENSOR_KINDS)}"
        )
    arguments: dict[str, Any] = {"name": SENSOR_PREFIX + name, "type": kind}
    if binding.kind not in _ON_NOTHING:
        object_type = _object_type(binding, where)
        arguments["objtype"] = _find(spec, object_type, binding.object, where)
        arguments["objname"] = binding.object
    if binding.reference is not None:
        arguments["reftype"] = _find(spec, binding.reference_type, binding.reference, where)
        arguments["refname"] = binding.reference
    sensor = spec.add_sensor(**arguments)
    if binding.kind in _SETTINGS:
        sensor.intprm = _SETTINGS[binding.kind]
    if binding.kind in _BETWEEN_GEOMS:
        sensor.cutoff = FARTHEST_DISTANCE


def _object_type(binding: Sensor, where: str) -> str:
    """The object type of a sensor, which for many kinds follows from the kind alone."""
    kind = binding.kind
    if kind in _ON_SITE:
        implied = "site"
    elif kind.startswith(("joint", "ball")):
        implied = "joint"
    elif kind.startswith("subtree"):
        implied = "body"
    elif kind.startswith("actuator"):
        implied = "actuator"
    elif kind.startswith("tendon"):
        implied = "tendon"
    else:
        return binding.object_type
    if binding.object_type not in (implied, "body"):
        raise UserError(f"{where}: {kind} measures a {implied}, not a {binding.object_type}")
    return implied


def _find(spec: Any, object_type: str, name: str, where: str) -> mujoco.mjtObj:
    """MuJoCo's type of the named object, after checking that it exists."""
    if object_type not in OBJECT_TYPES:
        raise UserError(
            f"{where}: unknown object type {object_type!r}{nearest(object_type, OBJECT_TYPES)}"
        )
    kind, container = OBJECT_TYPES[object_type]
    names = [entry.name for entry in getattr(spec, container) if entry.name]
    if name not in names:
        raise UserError(f"{where}: the model has no {object_type} {name!r}{nearest(name, names)}")
    return kind


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "no message"
