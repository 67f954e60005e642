"""Compiles a task's MuJoCo model and finds where each variable's entries lie.

Shared by every MuJoCo simulator: nothing here depends on how the model is stepped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION
from reward_synth.simulation.interface import Capabilities
from reward_synth.simulation.model_source import read_model
from reward_synth.simulation.variables import Entries
from reward_synth.task import (
    Actuator,
    Contact,
    EnvironmentBinding,
    JointPosition,
    JointVelocity,
    ModelSensor,
    Sensor,
    Task,
    UrdfFile,
)
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
_CONTACT_DATA = {"found": [1, 0, 1], "force": [2, 3, 1], "normal": [32, 1, 1]}
"""Of the contact sensor: which data as a bit, how contacts are reduced, and to how many.  A force
is the net force of all, a normal that of the deepest."""
_CONTACT_TYPES = {
    "geom": mujoco.mjtObj.mjOBJ_GEOM,
    "body": mujoco.mjtObj.mjOBJ_BODY,
    "subtree": mujoco.mjtObj.mjOBJ_XBODY,
}
_SETTINGS = {"contact": [1, 0, 1], "rangefinder": [1, 0, 0]}
"""What MJCF sets by default, and MjSpec does not: contacts are counted, distance is measured."""


@dataclass(frozen=True)
class BoundModel:
    """A compiled model and what a simulator needs to know to serve the task on it."""

    model: mujoco.MjModel
    entries: Mapping[str, Entries]
    """Variables that are bound to the model, and ``action``; the task's others are derived."""


def build_model(task: Task) -> BoundModel:
    """Compile the task's model with its sensors added.

    Raises:
        UserError: the model file is broken, or a binding names something that it lacks.
    """
    where = task.folder / "task.py"
    floating = isinstance(task.model, UrdfFile) and task.model.floating
    spec = read_model(model_file(task), floating=floating)
    if task.edit_model is not None:
        try:
            task.edit_model(spec)
        except Exception as error:
            raise UserError(
                f"{where}: edit_model raised {type(error).__name__}: {_one_line(error)}"
            ) from error
    for name, variable in task.variables.items():
        binding, what = variable.binding, f"{where}: variable {name!r}"
        if isinstance(binding, Sensor):
            _add_sensor(spec, name, binding, what)
        elif isinstance(binding, Contact):
            _add_contact(spec, name, binding, what)
        elif isinstance(binding, Actuator) and binding.quantity == "force":
            _add_forces(spec, name, binding, what)
    try:
        model: Any = spec.compile()
    except ValueError as error:
        raise UserError(f"{where}: the model does not compile: {_one_line(error)}") from None
    if model.nu == 0:
        raise UserError(
            f"{where}: the model has no actuators, so there is nothing to learn; add them in "
            'edit_model: spec.add_actuator(name="elbow", target="elbow", '
            "trntype=mujoco.mjtTrn.mjTRN_JOINT)"
        )
    if task.camera is not None:
        cameras = [model.camera(i).name for i in range(model.ncam)]
        if task.camera not in cameras:
            raise UserError(
                f"{where}: the model has no camera {task.camera!r}{nearest(task.camera, cameras)}"
            )
    entries = {}
    for name, variable in task.variables.items():
        binding, what = variable.binding, f"{where}: variable {name!r}"
        if isinstance(binding, JointPosition | JointVelocity):
            entries[name] = _joint_entries(model, binding, what)
        elif isinstance(binding, Sensor):
            sensor = model.sensor(SENSOR_PREFIX + name)
            entries[name] = _sensor_entries(sensor, binding.kind, binding.component, what)
        elif isinstance(binding, ModelSensor):
            sensor = _declared_sensor(model, binding.name, what)
            entries[name] = _sensor_entries(sensor, binding.name, binding.component, what)
        elif isinstance(binding, Contact):
            sensor = model.sensor(SENSOR_PREFIX + name)
            entries[name] = _sensor_entries(sensor, binding.data, None, what)
        elif isinstance(binding, Actuator):
            entries[name] = _actuator_entries(model, name, binding, what)
        elif isinstance(binding, EnvironmentBinding):
            raise UserError(
                f"{what} is bound to {type(binding).__name__}, which environments of others have, "
                "and this task has a model"
            )
    entries[ACTION] = Entries(ACTION, tuple(range(model.nu)), False)
    return BoundModel(model, entries)


def _joint_entries(
    model: mujoco.MjModel, binding: JointPosition | JointVelocity, where: str
) -> Entries:
    positions = isinstance(binding, JointPosition)
    widths = {
        mujoco.mjtJoint.mjJNT_FREE: 7 if positions else 6,
        mujoco.mjtJoint.mjJNT_BALL: 4 if positions else 3,
    }
    indices: list[int] = []
    for joint in _joints(model, binding, where):
        start = int((model.jnt_qposadr if positions else model.jnt_dofadr)[joint])
        width = widths.get(mujoco.mjtJoint(int(model.jnt_type[joint])), 1)
        indices.extend(range(start, start + width))
    return Entries("qpos" if positions else "qvel", tuple(indices), len(indices) == 1)


def _joints(model: mujoco.MjModel, binding: JointPosition | JointVelocity, where: str) -> list[int]:
    """Numbers of the joints that a binding names, or of those of its body."""
    if binding.body is not None:
        names = [model.body(i).name for i in range(model.nbody)]
        if binding.body not in names:
            raise UserError(
                f"{where}: the model has no body {binding.body!r}{nearest(binding.body, names)}"
            )
        body = names.index(binding.body)
        first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
        if not count:
            raise UserError(f"{where}: the body {binding.body!r} has no joint of its own")
        return list(range(first, first + count))
    found: list[int] = []
    for name in binding.joints:
        joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        if joint < 0:
            names = [model.joint(i).name for i in range(model.njnt)]
            raise UserError(f"{where}: the model has no joint {name!r}{nearest(name, names)}")
        found.append(joint)
    return found


def _declared_sensor(model: mujoco.MjModel, name: str, where: str) -> Any:
    names = [model.sensor(i).name for i in range(model.nsensor)]
    if name not in names:
        declared = [other for other in names if not other.startswith(SENSOR_PREFIX)]
        raise UserError(f"{where}: the model declares no sensor {name!r}{nearest(name, declared)}")
    return model.sensor(name)


def _sensor_entries(sensor: Any, kind: str, component: int | None, where: str) -> Entries:
    start, size = int(sensor.adr[0]), int(sensor.dim[0])
    if component is None:
        return Entries("sensordata", tuple(range(start, start + size)), size == 1)
    if not 0 <= component < size:
        raise UserError(
            f"{where}: {kind} has {size} entries, so component {component} "
            f"does not exist; give 0 to {size - 1}"
        )
    return Entries("sensordata", (start + component,), True)


def _actuator_entries(model: mujoco.MjModel, name: str, binding: Actuator, where: str) -> Entries:
    names = [model.actuator(i).name for i in range(model.nu)]
    for actuator in binding.actuators:
        if actuator not in names:
            raise UserError(
                f"{where}: the model has no actuator {actuator!r}{nearest(actuator, names)}"
            )
    chosen = [names.index(actuator) for actuator in binding.actuators] or list(range(model.nu))
    if binding.quantity == "force":
        indices = [int(model.sensor(_force_name(name, i)).adr[0]) for i in range(len(chosen))]
        return Entries("sensordata", tuple(indices), len(indices) == 1)
    if binding.quantity == "control":
        return Entries("control", tuple(chosen), len(chosen) == 1)
    for actuator in chosen:
        if model.actuator_actnum[actuator] != 1:
            raise UserError(
                f"{where}: the actuator {names[actuator]!r} has no activation; name those that "
                'have, or use Actuator("control", …)'
            )
    indices = [int(model.actuator_actadr[actuator]) for actuator in chosen]
    return Entries("act", tuple(indices), len(indices) == 1)


def _add_contact(spec: Any, name: str, binding: Contact, where: str) -> None:
    if binding.data not in _CONTACT_DATA:
        raise UserError(
            f"{where}: Contact has no data {binding.data!r}{nearest(binding.data, _CONTACT_DATA)}"
        )
    sides = [("obj", binding.first, binding.first_type)]
    if binding.second is not None:
        sides.append(("ref", binding.second, binding.second_type))
    arguments: dict[str, Any] = {}
    for side, object_name, kind in sides:
        if kind not in _CONTACT_TYPES:
            raise UserError(f"{where}: Contact is of geom, body or subtree, not of a {kind!r}")
        _find(spec, "geom" if kind == "geom" else "body", object_name, where)
        arguments |= {f"{side}type": _CONTACT_TYPES[kind], f"{side}name": object_name}
    kind = SENSOR_KINDS["contact"]
    sensor = spec.add_sensor(name=SENSOR_PREFIX + name, type=kind, **arguments)
    sensor.intprm = _CONTACT_DATA[binding.data]


def _add_forces(spec: Any, name: str, binding: Actuator, where: str) -> None:
    """A sensor for the force of each actuator."""
    actuators = binding.actuators or tuple(actuator.name for actuator in spec.actuators)
    for i, actuator in enumerate(actuators):
        kind = _find(spec, "actuator", actuator, where)
        spec.add_sensor(
            name=_force_name(name, i),
            type=SENSOR_KINDS["actuatorfrc"],
            objtype=kind,
            objname=actuator,
        )


def _force_name(name: str, index: int) -> str:
    return f"{SENSOR_PREFIX}{name}:{index}"


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
