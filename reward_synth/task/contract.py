"""What a task is: the one value that every other room reads.

A task folder's ``task.py`` builds one :class:`Task`.  Nothing here imports a simulator: a
binding only *names* a joint or a sensor, and the simulator resolves the name on its own model.

Shapes use ``N`` for the number of environments and ``T`` for the control steps of an episode.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Array = Any
"""An array of whichever namespace the simulator uses (NumPy, torch, JAX)."""


@dataclass(frozen=True)
class JointPosition:
    """Generalised positions of named joints: ``(N,)`` for one scalar joint, else ``(N, d)``."""

    joints: tuple[str, ...]

    def __init__(self, *joints: str) -> None:
        object.__setattr__(self, "joints", joints)


@dataclass(frozen=True)
class JointVelocity:
    """Generalised velocities of named joints: ``(N,)`` for one scalar joint, else ``(N, d)``."""

    joints: tuple[str, ...]

    def __init__(self, *joints: str) -> None:
        object.__setattr__(self, "joints", joints)


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
class Derived:
    """A pure, row-wise ``function(v, xp)`` of other variables, giving ``(N,)`` or ``(N, d)``.

    ``v`` maps variable names to arrays; only variables listed *before* this one may be read.
    """

    function: Callable[[Mapping[str, Array], Any], Array]


Binding = JointPosition | JointVelocity | Sensor | Derived


@dataclass(frozen=True)
class Variable:
    """One named, documented quantity of the state.

    ``public`` variables may be read by reward programs; the others exist only for the
    observation (a clipped copy, say) or for the fitness, and no prompt mentions them.
    """

    doc: str
    unit: str
    binding: Binding
    public: bool = True


@dataclass(frozen=True)
class GymnasiumModel:
    """An MJCF file that ships in ``gymnasium`` (its ``envs/mujoco/assets`` folder)."""

    file: str


@dataclass(frozen=True)
class MjcfFile:
    """An MJCF file, relative to the task folder."""

    file: str


@dataclass(frozen=True)
class Episode:
    """One whole episode, as fitness and success see it.

    ``variables[name]`` is ``(T,)`` or ``(T, d)``: the value after each control step;
    ``action`` is ``(T, nu)`` in [-1, 1]; ``terminated`` tells an early end from a time-out.
    """

    variables: Mapping[str, np.ndarray]
    action: np.ndarray
    terminated: bool
    control_step: float
    """Seconds of one control step."""

    def __getitem__(self, name: str) -> np.ndarray:
        return self.variables[name]

    def __len__(self) -> int:
        return len(self.action)

    @property
    def seconds(self) -> float:
        """Simulated duration of the episode, s."""
        return len(self) * self.control_step


@dataclass(frozen=True)
class PpoSettings:
    """Hyperparameters of PPO (Schulman et al. 2017), with stable-baselines3's meaning."""

    environments: int = 16
    rollout_steps: int = 128
    minibatch_size: int = 256
    epochs: int = 10
    learning_rate: float = 3e-4
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    entropy_coefficient: float = 0.0
    value_coefficient: float = 0.5
    max_gradient_norm: float = 0.5
    initial_log_std: float = 0.0
    hidden_sizes: tuple[int, ...] = (64, 64)
    target_kl: float | None = None
    anneal: bool = True
    """Whether the learning rate falls linearly to 0 over the training."""

    def rollout_within(self, steps: int) -> int:
        """Control steps of a rollout in a training of ``steps`` environment steps: one rollout is
        no longer than the whole."""
        return min(self.rollout_steps, math.ceil(steps / self.environments))


@dataclass(frozen=True)
class Task:
    """What is to be learned.  See section 5 of the design for the folder that holds it."""

    description: str
    """The sentence that a person would say, and that the model is given."""
    model: GymnasiumModel | MjcfFile
    variables: Mapping[str, Variable]
    observation: tuple[str, ...]
    """Variable names, concatenated in this order to the policy's input ``(N, obs)``."""
    frame_skip: int
    """Physics steps per control step."""
    episode_steps: int
    """Control steps after which an episode is truncated."""
    reset: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    """``reset(rng, n)`` gives initial ``qpos (n, nq)`` and ``qvel (n, nv)``."""
    terminated: Callable[[Mapping[str, Array], Any], Array]
    """``terminated(v, xp)`` gives ``(N,)`` booleans: the episode failed and ends."""
    training_steps: int
    """Environment steps that one training gets by default."""
    fitness: Callable[[Episode], float] | None = None
    """The task's true measure of one episode; more is better.  None where nobody can write it
    down: then what people prefer decides."""
    fitness_doc: str = ""
    """What fitness measures, with its unit, in one phrase."""
    success: Callable[[Episode], bool] | None = None
    success_doc: str = ""
    ppo: PpoSettings = field(default_factory=PpoSettings)
    edit_model: Callable[[Any], None] | None = None
    """Changes the ``mujoco.MjSpec`` before it is compiled (a joint's range, a site, …)."""
    camera: str | None = None
    """Camera of the model that videos are taken from; the free camera tracks the root if None."""
    folder: Path = Path()
    """Where the task was loaded from; set by the loader."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name
