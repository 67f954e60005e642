"""What a policy's action means to the actuators of a MuJoCo task, and how episodes start and vary.

Actions are ``(N, nu)`` within [-1, 1].  Times are in control steps where nothing else is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

# --- actions -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Full:
    """-1 and 1 are the ends of each actuator's control range.

    Args:
        smoothing: share of the previous step's smoothed action that is kept, in [0, 1):
            ``applied = smoothing × previous + (1 − smoothing) × action``.
        delay: control steps after which an action is applied.
    """

    smoothing: float = 0.0
    delay: int = 0


@dataclass(frozen=True)
class Residual:
    """The action is added to the controls of a home pose: ``home + scale × action``.

    For position actuators the usual choice.  The sum is clipped to the control range.

    Args:
        home: the model's keyframe whose controls are home; where it has no controls of its own (all
            zero), position actuators take its joint positions.
        scale: control added by the action 1, in the actuators' unit (rad, m): one number, or one
            for each actuator by name.
        smoothing, delay: as in :class:`Full`.
    """

    home: str = "home"
    scale: float | Mapping[str, float] = 0.25
    smoothing: float = 0.0
    delay: int = 0


@dataclass(frozen=True)
class Delta:
    """The action changes the controls: ``control += scale × action`` each control step.

    The control starts an episode at the home pose's, or at 0 without one, and is clipped to the
    control range.

    Args:
        scale: control added in one step by the action 1, in the actuators' unit: one number, or
            one for each actuator by name.
        home: the model's keyframe that episodes start from; None starts at 0.
        smoothing, delay: as in :class:`Full`.
    """

    scale: float | Mapping[str, float] = 0.05
    home: str | None = None
    smoothing: float = 0.0
    delay: int = 0


Actions = Full | Residual | Delta

# --- starts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """What ``reset(rng, n)`` draws for ``n`` episodes, where positions and velocities do not do."""

    qpos: np.ndarray
    """``(n, nq)``"""
    qvel: np.ndarray
    """``(n, nv)``"""
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    """``(n,)`` or ``(n, d)`` each: goals, commands; read by :class:`Parameter`."""
    mocap_position: Mapping[str, np.ndarray] = field(default_factory=dict)
    """``(n, 3)`` for each mocap body that is moved, by the body's name, m."""
    mocap_quaternion: Mapping[str, np.ndarray] = field(default_factory=dict)
    """``(n, 4)`` for each mocap body that is turned, (w, x, y, z)."""


@dataclass(frozen=True)
class Home:
    """A reset to one of the model's keyframes with uniform noise; quaternions are normalised.

    Args:
        keyframe: its name; the model's own starting position where None.
        noise: half width of the noise on scalar joint positions, rad or m: one number, or one for
            each joint by name (joints that are not named get none).
        velocity_noise: half width of the noise on scalar joint velocities, rad/s or m/s.
        free_noise: half width of the noise on the position of free joints, m.
    """

    keyframe: str | None = "home"
    noise: float | Mapping[str, float] = 0.0
    velocity_noise: float = 0.0
    free_noise: float = 0.0


@dataclass(frozen=True)
class Resampled:
    """Parameters that are drawn anew in mid-episode, a velocity command for one.

    Args:
        draw: ``draw(rng, n)`` gives ``{name: (n,) or (n, d)}``, at an episode's start and then
            every ``every`` control steps.
        every: control steps between two draws.
    """

    draw: Callable[[np.random.Generator, int], Mapping[str, np.ndarray]]
    every: int


# --- randomisation -------------------------------------------------------------------------------

RandomisedField = Literal["mass", "friction", "damping", "armature", "stiffness", "gain", "gravity"]


@dataclass(frozen=True)
class Randomised:
    """A property of the model that is multiplied by a number drawn for each episode.

    Args:
        field: ``mass`` of bodies (inertia with it), sliding ``friction`` of geoms, ``damping``,
            ``armature`` and ``stiffness`` of joints, ``gain`` of actuators (of a position actuator
            its stiffness, so that its set point stays where it is), ``gravity`` (no names).
        low, high: the factor is uniform between them.
        names: which bodies, geoms, joints or actuators; all if empty.
        each: whether each of them gets a factor of its own, or all the same.
    """

    field: RandomisedField
    low: float
    high: float
    names: tuple[str, ...] = ()
    each: bool = False


@dataclass(frozen=True)
class Pushes:
    """Sudden changes of a free body's horizontal velocity in mid-episode.

    Args:
        body: the body with the free joint.
        speed: largest change of each of the velocity's x and y part, m/s; uniform within ±speed.
        every: control steps between two pushes.
    """

    body: str
    speed: float
    every: int
