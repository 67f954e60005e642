"""What a variable of a task is bound to.

A binding only *names* a joint, a sensor or an entry of an observation; the simulator resolves the
name on its own model or environment.  Nothing here imports a simulator.

Shapes use ``N`` for the number of environments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Array = Any
"""An array of whichever namespace the simulator uses (NumPy, torch, JAX)."""

# --- of a MuJoCo model -------------------------------------------------------------------------


@dataclass(frozen=True)
class JointPosition:
    """Generalised positions of joints: ``(N,)`` for one scalar joint, else ``(N, d)``.

    Args:
        joints: names of joints, in the order in which their entries are wanted.
        body: in place of names, the body whose own joints are meant (for joints without a name).
    """

    joints: tuple[str, ...]
    body: str | None

    def __init__(self, *joints: str, body: str | None = None) -> None:
        object.__setattr__(self, "joints", joints)
        object.__setattr__(self, "body", body)


@dataclass(frozen=True)
class JointVelocity:
    """Generalised velocities of joints: ``(N,)`` for one scalar joint, else ``(N, d)``.

    Args:
        joints: names of joints, in the order in which their entries are wanted.
        body: in place of names, the body whose own joints are meant (for joints without a name).
    """

    joints: tuple[str, ...]
    body: str | None

    def __init__(self, *joints: str, body: str | None = None) -> None:
        object.__setattr__(self, "joints", joints)
        object.__setattr__(self, "body", body)


@dataclass(frozen=True)
class Sensor:
    """A MuJoCo sensor that the simulator adds to the model.

    ``kind`` is MuJoCo's MJCF element name (``framepos``, ``framelinvel``, ``framezaxis``,
    ``velocimeter``, ``subtreecom``, ``touch``, …); ``object`` and ``object_type`` (``body``,
    ``xbody``, ``geom``, ``site``, ``joint``, ``actuator``) say what it measures, ``reference``
    and ``reference_type`` relative to what.  ``component`` picks one entry, giving ``(N,)``.
    Values are those at the start of the last physics substep of a control step.
    """

    kind: str
    object: str
    object_type: str = "body"
    reference: str | None = None
    reference_type: str = "body"
    component: int | None = None


@dataclass(frozen=True)
class ModelSensor:
    """A sensor that the MJCF file declares, by its name; ``component`` picks one entry.

    Values are those at the start of the last physics substep of a control step.
    """

    name: str
    component: int | None = None


@dataclass(frozen=True)
class Contact:
    """Contact between two parts of the model, by MuJoCo's ``contact`` sensor.

    ``data`` is ``found`` (number of contacts, ``(N,)``), ``force`` (``(N, 3)``, N, in the world's
    frame, that the first exerts on the second, summed over all contacts) or ``normal`` (``(N, 3)``,
    of the deepest contact, pointing from the first to the second).  ``first_type`` and
    ``second_type`` are ``geom``, ``body`` or ``subtree``; without ``second`` contact with anything
    counts.
    Values are those at the start of the last physics substep of a control step.
    """

    first: str
    second: str | None = None
    first_type: Literal["geom", "body", "subtree"] = "geom"
    second_type: Literal["geom", "body", "subtree"] = "geom"
    data: Literal["found", "force", "normal"] = "found"


@dataclass(frozen=True)
class Actuator:
    """A quantity of actuators: ``(N,)`` for one, else ``(N, d)``; of all where none is named.

    ``quantity`` is ``force`` (N or N m, at the start of the last physics substep), ``activation``
    (of actuators that have one) or ``control`` (as applied, in the actuator's own unit).
    """

    quantity: Literal["force", "activation", "control"]
    actuators: tuple[str, ...]

    def __init__(
        self, quantity: Literal["force", "activation", "control"], *actuators: str
    ) -> None:
        object.__setattr__(self, "quantity", quantity)
        object.__setattr__(self, "actuators", actuators)


@dataclass(frozen=True)
class Parameter:
    """A number or vector that is drawn for each episode: a goal, a command, a mass.

    ``name`` is a key of :attr:`Start.parameters` or of what :class:`Resampled` draws.
    """

    name: str


# --- of an environment that somebody else wrote --------------------------------------------------


@dataclass(frozen=True)
class Observed:
    """Entries of an environment's observation.

    Args:
        key: of a Dict observation its key, of a Tuple its position; None where the observation
            is one array.
        index: one entry of the flattened array, giving ``(N,)``; a slice ``(begin, end)``, giving
            ``(N, end - begin)``; all of it if None.
    """

    key: str | int | None = None
    index: int | tuple[int, int] | None = None


@dataclass(frozen=True)
class Info:
    """An entry of the ``info`` that an environment gives with each step, as a number.

    ``index`` is as in :class:`Observed`.  At an episode's start, where an environment's ``reset``
    does not give it, the value is 0.
    """

    key: str
    index: int | tuple[int, int] | None = None


@dataclass(frozen=True)
class NativeReward:
    """The environment's own reward of the step, ``(N,)``; 0 at an episode's start."""


@dataclass(frozen=True)
class Measured:
    """A function of a manager-based environment (Isaac Lab, mjlab) or a direct one.

    ``function(env)`` gives ``(N,)`` or ``(N, d)`` tensors on the environment's device, as the terms
    of its observation manager do: ``lambda env: env.scene["robot"].data.root_link_pos_w``.
    """

    function: Callable[[Any], Any]


# --- of both -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derived:
    """A pure, row-wise ``function(v, xp)`` of other variables, giving ``(N,)`` or ``(N, d)``.

    ``v`` maps variable names to arrays; only variables listed *before* this one may be read.
    """

    function: Callable[[Mapping[str, Array], Any], Array]


@dataclass(frozen=True)
class Accumulated:
    """Memory of the task: a value that a pure, row-wise function carries from step to step.

    After each control step ``function(previous, v, xp)`` gives the next value from the previous one
    and from the variables listed *before* this one and ``action``; at an episode's start the value
    is ``initial``.  Seconds in the air, for one:
    ``Accumulated(lambda t, v, xp: xp.where(v["contact"] > 0, 0.0, t + 0.02))``.
    A reward program may read it, and cannot change it.

    Args:
        function: gives ``(N,)``, or ``(N, d)`` where ``initial`` is a tuple of ``d`` numbers.
        initial: the value at an episode's start.
    """

    function: Callable[[Array, Mapping[str, Array], Any], Array]
    initial: float | tuple[float, ...] = 0.0


ModelBinding = JointPosition | JointVelocity | Sensor | ModelSensor | Contact | Actuator | Parameter
"""Of a MuJoCo model."""
EnvironmentBinding = Observed | Info | NativeReward | Measured
"""Of an environment that somebody else wrote."""
Binding = ModelBinding | EnvironmentBinding | Derived | Accumulated
