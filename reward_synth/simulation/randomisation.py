"""Properties of a model that are drawn for each episode (:class:`reward_synth.task.Randomised`).

What follows from masses and armatures (subtree masses, inverse weights) is computed by MuJoCo's own
``mj_setConst``, on the processor; a device is given the results.
"""

import copy
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.control import is_position
from reward_synth.task import Randomised
from reward_synth.task.validation import nearest

_DERIVED = ("body_subtreemass", "body_invweight0", "dof_invweight0")
"""What ``mj_setConst`` computes from masses and armatures and a step depends on."""
_FIELDS: dict[str, tuple[str, ...]] = {
    "mass": ("body_mass", "body_inertia", *_DERIVED),
    "armature": ("dof_armature", *_DERIVED),
    "friction": ("geom_friction",),
    "damping": ("dof_damping",),
    "stiffness": ("jnt_stiffness",),
    "gain": ("actuator_gainprm", "actuator_biasprm"),
    "gravity": ("gravity",),
}
"""Fields of ``mjModel`` (``gravity`` of its options) that each kind of randomisation changes."""
_OBJECTS = {
    "mass": ("body", "nbody"),
    "friction": ("geom", "ngeom"),
    "damping": ("joint", "njnt"),
    "armature": ("joint", "njnt"),
    "stiffness": ("joint", "njnt"),
    "gain": ("actuator", "nu"),
}
"""What each kind applies to, and where a model keeps how many there are."""


class Variation:
    """The randomised fields of a model.

    Raises:
        UserError: an unknown kind or name, or a range that is none.
    """

    def __init__(
        self, randomised: tuple[Randomised, ...], model: mujoco.MjModel, where: str
    ) -> None:
        self._base = model
        self._scratch = copy.copy(model)
        self._data = mujoco.MjData(model)
        self._parts = [(part, self._members(part, where)) for part in randomised]
        self.fields = tuple(
            dict.fromkeys(f for part, _ in self._parts for f in _FIELDS[part.field])
        )
        """Fields of the model that differ from episode to episode."""
        self._constants = any(part.field in ("mass", "armature") for part in randomised)

    def __call__(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The fields of one episode, each as the model has it."""
        model = self._scratch
        for name in self.fields:
            _field(model, name)[...] = _field(self._base, name)
        for part, members in self._parts:
            factors = rng.uniform(part.low, part.high, max(1, len(members)) if part.each else 1)
            self._scale(part.field, members, factors)
        if self._constants:
            mujoco.mj_setConst(model, self._data)
        return {name: _field(model, name).copy() for name in self.fields}

    def base(self) -> dict[str, np.ndarray]:
        """The fields of the model as it is."""
        return {name: _field(self._base, name).copy() for name in self.fields}

    def _scale(self, kind: str, members: np.ndarray, factors: np.ndarray) -> None:
        model = self._scratch
        if kind == "gravity":
            model.opt.gravity *= factors[0]
        elif kind == "mass":
            model.body_mass[members] *= factors
            model.body_inertia[members] *= factors[:, None]
        elif kind == "friction":
            model.geom_friction[members, 0] *= factors
        elif kind == "stiffness":
            model.jnt_stiffness[members] *= factors
        elif kind == "gain":
            model.actuator_gainprm[members, 0] *= factors
            positions = np.array([is_position(self._base, int(i)) for i in members])
            own = factors if len(factors) > 1 else np.repeat(factors, len(members))
            model.actuator_biasprm[members[positions], 1] *= own[positions]
        else:
            array = model.dof_damping if kind == "damping" else model.dof_armature
            own = factors if len(factors) > 1 else np.repeat(factors, len(members))
            for joint, factor in zip(members.tolist(), own, strict=True):
                array[model.dof_jntid == joint] *= factor

    def _members(self, part: Randomised, where: str) -> np.ndarray:
        """Numbers of the bodies, geoms, joints or actuators that a randomisation applies to."""
        if part.field not in _FIELDS:
            raise UserError(
                f"{where}: randomised has the unknown field {part.field!r}"
                f"{nearest(str(part.field), _FIELDS)}"
            )
        if not 0.0 <= part.low <= part.high or not np.isfinite(part.high):
            raise UserError(
                f"{where}: randomised {part.field} from {part.low} to {part.high}; give factors "
                "from low to high that are not negative"
            )
        if part.field == "gravity":
            return np.zeros(0, int)
        kind, count = _OBJECTS[part.field]
        names = [getattr(self._base, kind)(i).name for i in range(getattr(self._base, count))]
        for name in part.names:
            if name not in names:
                raise UserError(
                    f"{where}: randomised {part.field}: the model has no {kind} {name!r}"
                    f"{nearest(name, [n for n in names if n])}"
                )
        if part.names:
            return np.array([names.index(name) for name in part.names])
        return np.arange(1 if part.field == "mass" else 0, len(names))


def set_fields(model: mujoco.MjModel, fields: dict[str, np.ndarray]) -> None:
    """Write one episode's fields into a model."""
    for name, values in fields.items():
        _field(model, name)[...] = values


def _field(model: mujoco.MjModel, name: str) -> Any:
    return model.opt.gravity if name == "gravity" else getattr(model, name)
