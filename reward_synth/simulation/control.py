"""From a policy's action to the controls of a model's actuators (:mod:`reward_synth.task.control`).

What is carried from step to step (a smoothed action, actions on their way, a moving target) is the
*filter*: columns of a record, so that an environment's records are all that it needs to go on.
"""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.interface import ActionEntry
from reward_synth.task import Actions, Array, Delta, Full, Residual
from reward_synth.task.validation import nearest

_UNITS = {mujoco.mjtJoint.mjJNT_HINGE: ("rad", "N m"), mujoco.mjtJoint.mjJNT_SLIDE: ("m", "N")}
"""Of a joint's position and of the force along it."""


class ControlMap:
    """Controls ``(N, nu)`` for actions ``(N, nu)`` within [-1, 1], on arrays of one namespace.

    Args:
        actions: what an action means.
        model: whose actuators are controlled.
        where: begins error messages.
        xp: array namespace.
        placement: arguments that make a new array of it on the simulator's device.

    Raises:
        UserError: an unknown keyframe or actuator, or smoothing, delay or scale out of range.
    """

    def __init__(
        self,
        actions: Actions,
        model: mujoco.MjModel,
        where: str,
        xp: Any = np,
        placement: Mapping[str, Any] | None = None,
    ) -> None:
        if not 0.0 <= actions.smoothing < 1.0 or actions.delay < 0:
            raise UserError(
                f"{where}: actions have smoothing {actions.smoothing} and delay {actions.delay}; "
                "smoothing lies in [0, 1) and delay is a whole number of control steps"
            )
        self.actions = actions
        self._xp = xp
        nu = self._nu = int(model.nu)
        limited = model.actuator_ctrllimited.astype(bool)
        low, high = control_ranges(model)
        self._moving = isinstance(actions, Delta)
        self.home: np.ndarray
        """``(nu,)``: the control that the action 0 stands for at an episode's start."""
        if isinstance(actions, Full):
            self.home, self._scale = (low + high) / 2, (high - low) / 2
        else:
            self.home = home_control(model, actions.home, where)
            self._scale = _scales(model, actions.scale, where)
            low, high = np.where(limited, low, -np.inf), np.where(limited, high, np.inf)
            self.home = np.clip(self.home, low, high)
        self.entries = tuple(
            ActionEntry(_name(model, i), _meaning(model, i, actions, self.home[i], self._scale[i]))
            for i in range(nu)
        )
        self._clips = not isinstance(actions, Full)
        self.initial = np.concatenate(
            [
                np.zeros(nu * (actions.delay + (actions.smoothing > 0))),
                self.home if self._moving else np.zeros(0),
            ]
        )
        """``(f,)``: the filter at an episode's start."""
        self.size = len(self.initial)
        place = {"dtype": xp.float64 if xp is np else xp.float32, **(placement or {})}
        self._center, self._half, self._low, self._high = (
            xp.asarray(array, **place) for array in (self.home, self._scale, low, high)
        )

    @property
    def plain(self) -> bool:
        """Whether a control is a linear function of the same step's action."""
        return not self.size and not self._clips

    def __call__(self, action: Array, state: Array) -> tuple[Array, Array]:
        """Controls ``(N, nu)`` and the next filter ``(N, f)``, from actions and the filter."""
        xp, nu, actions = self._xp, self._nu, self.actions
        parts: list[Array] = []
        begin = 0
        if actions.delay:
            waiting = state[:, : nu * actions.delay]
            begin = nu * actions.delay
            parts.append(xp.concat((waiting[:, nu:], action), axis=1))
            action = waiting[:, :nu]
        if actions.smoothing:
            before = state[:, begin : begin + nu]
            begin += nu
            action = actions.smoothing * before + (1.0 - actions.smoothing) * action
            parts.append(action)
        base = state[:, begin : begin + nu] if self._moving else self._center
        control = action * self._half + base
        if self._clips:
            control = xp.minimum(xp.maximum(control, self._low), self._high)
        if self._moving:
            parts.append(control)
        return control, (xp.concat(parts, axis=1) if parts else state[:, :0])


def control_ranges(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    """``(nu,)`` lowest and highest controls: an actuator's control range; without one, of a
    position actuator the range of its joint, of a motor the controls at its force limits, else ±1.
    """
    low, high = -np.ones(model.nu), np.ones(model.nu)
    for i in range(model.nu):
        joint, gain = driven_joint(model, i), model.actuator_gainprm[i, 0]
        if model.actuator_ctrllimited[i]:
            low[i], high[i] = model.actuator_ctrlrange[i]
        elif is_position(model, i) and joint is not None and model.jnt_limited[joint]:
            low[i], high[i] = np.sort(model.jnt_range[joint] * model.actuator_gear[i, 0])
        elif model.actuator_forcelimited[i] and not model.actuator_biastype[i] and gain > 0:
            low[i], high[i] = model.actuator_forcerange[i] / gain
    return low, high


def has_range(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether the model says how far a control goes."""
    joint = driven_joint(model, actuator)
    position = is_position(model, actuator) and joint is not None
    return bool(
        model.actuator_ctrllimited[actuator]
        or (position and model.jnt_limited[joint])
        or (model.actuator_forcelimited[actuator] and not model.actuator_biastype[actuator])
    )


def keyframe(model: mujoco.MjModel, name: str, where: str) -> int:
    """The number of a model's keyframe.

    Raises:
        UserError: the model has none of that name.
    """
    names = [model.key(i).name for i in range(model.nkey)]
    if name not in names:
        raise UserError(f"{where}: the model has no keyframe {name!r}{nearest(name, names)}")
    return names.index(name)


def home_control(model: mujoco.MjModel, home: str | None, where: str) -> np.ndarray:
    """``(nu,)``: the controls of a keyframe, or, where these are all 0, its joint positions for
    position actuators; 0 without a keyframe."""
    if home is None:
        return np.zeros(model.nu)
    key = keyframe(model, home, where)
    control = np.array(model.key_ctrl[key])
    if control.any():
        return control
    for i in range(model.nu):
        joint = driven_joint(model, i)
        if joint is not None and is_position(model, i):
            gear = model.actuator_gear[i, 0]
            control[i] = model.key_qpos[key, model.jnt_qposadr[joint]] * gear
    return control


def driven_joint(model: mujoco.MjModel, actuator: int) -> int | None:
    """The scalar joint that an actuator drives; None where it drives something else."""
    transmission = mujoco.mjtTrn(int(model.actuator_trntype[actuator]))
    if transmission not in (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT):
        return None
    joint = int(model.actuator_trnid[actuator, 0])
    return joint if mujoco.mjtJoint(int(model.jnt_type[joint])) in _UNITS else None


def is_position(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether an actuator's control is a position that it pulls towards."""
    affine = model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
    gain, bias = model.actuator_gainprm[actuator, 0], model.actuator_biasprm[actuator, 1]
    return bool(affine and gain > 0 and np.isclose(bias, -gain))


def _scales(model: mujoco.MjModel, scale: float | Mapping[str, float], where: str) -> np.ndarray:
    """``(nu,)``: control added by the action 1."""
    names = [_name(model, i) for i in range(model.nu)]
    if isinstance(scale, Mapping):
        for name in scale:
            if name not in names:
                raise UserError(
                    f"{where}: actions scale the unknown actuator {name!r}{nearest(name, names)}"
                )
        missing = [name for name in names if name not in scale]
        if missing:
            raise UserError(f"{where}: actions have no scale for {', '.join(missing)}")
        values = np.array([float(scale[name]) for name in names])
    else:
        values = np.full(model.nu, float(scale))
    if not np.isfinite(values).all() or (values <= 0).any():
        raise UserError(f"{where}: the scale of actions has to be above 0 and finite")
    return values


def _name(model: mujoco.MjModel, actuator: int) -> str:
    return model.actuator(actuator).name or f"actuator {actuator}"


def _meaning(
    model: mujoco.MjModel, actuator: int, actions: Actions, home: float, scale: float
) -> str:
    """What -1 and 1 do, in words."""
    joint = driven_joint(model, actuator)
    position = is_position(model, actuator)
    gain = model.actuator_gainprm[actuator, 0]
    what, unit, detail, factor = "control", "", "", 1.0
    if joint is not None:
        kind = mujoco.mjtJoint(int(model.jnt_type[joint]))
        length, force = _UNITS[kind]
        name = model.joint(joint).name or f"joint {joint}"
        if position:
            turn = "angle" if kind == mujoco.mjtJoint.mjJNT_HINGE else "position"
            what, unit = f"target {turn} of joint {name}", f" {length}"
            detail = f" (position actuator, stiffness {gain:.4g} {force}/{length})"
        elif (
            model.actuator_gaintype[actuator] == mujoco.mjtGain.mjGAIN_FIXED
            and not model.actuator_biastype[actuator]
        ):
            turn = "torque on" if kind == mujoco.mjtJoint.mjJNT_HINGE else "force on"
            what, unit = f"{turn} joint {name}", f" {force}"
            factor = gain * model.actuator_gear[actuator, 0]
    scale, home = scale * factor, home * factor
    if isinstance(actions, Residual):
        return f"{what}, up to {scale:.4g}{unit} either way from {home:.4g}{detail}"
    if isinstance(actions, Delta):
        return f"{what}, changed by up to {scale:.4g}{unit} either way in a control step{detail}"
    if not has_range(model, actuator):
        detail += "; the model gives no range, and ±1 of control is taken: give it a ctrlrange"
    return f"{what}, from {home - scale:.4g} to {home + scale:.4g}{unit}{detail}"
