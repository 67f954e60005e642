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

from reward_synth.task.bindings import Array, Binding
from reward_synth.task.control import (
    Actions,
    Full,
    Pushes,
    Randomised,
    Resampled,
)
from reward_synth.task.environments import Environment, Model


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
class Episode:
    """One whole episode, as fitness and success see it.

    ``variables[name]`` is ``(T,)`` or ``(T, d)``: the value after each control step;
    ``action`` is ``(T, nu)``, as applied; ``terminated`` tells an early end from a time-out.
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


def never(v: Mapping[str, Array], xp: Any) -> Array:
    """No episode ends early."""
    first = next(iter(v.values()))
    return xp.zeros(first.shape[0], dtype=xp.bool)


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learned: the value that a task folder's ``task.py`` defines.

    A task has either a ``model``, simulated by MuJoCo, or an ``environment`` that somebody else
    wrote, whose resets, termination and time limit are its own.
    """

    description: str
    """The sentence that a person would say, and that the model is given."""
    variables: Mapping[str, Variable]
    observation: tuple[str, ...]
    """Variable names, concatenated in this order to the policy's input ``(N, obs)``; ``action`` is
    the last action as applied, 0 at an episode's start."""
    episode_steps: int
    """Control steps after which an episode is truncated; an environment's own time limit has to
    agree with it."""
    training_steps: int
    """Environment steps that one training gets by default."""
    model: Model | None = None
    environment: Environment | None = None
    frame_skip: int = 1
    """Physics steps per control step, of a model."""
    reset: Any = None
    """``reset(rng, n)`` gives initial ``qpos (n, nq)`` and ``qvel (n, nv)``, or a :class:`Start`;
    or a :class:`Home` stands in its place.  Of a model alone, which must have one."""
    terminated: Callable[[Mapping[str, Array], Any], Array] = never
    """``terminated(v, xp)`` gives ``(N,)`` booleans: the episode failed and ends.  Of a model
    alone."""
    fitness: Callable[[Episode], float] | None = None
    """The task's true measure of one episode; more is better.  None where nobody can write it
    down: then what people prefer decides."""
    fitness_doc: str = ""
    """What fitness measures, with its unit, in one phrase."""
    success: Callable[[Episode], bool] | None = None
    success_doc: str = ""
    ppo: PpoSettings = field(default_factory=PpoSettings)
    actions: Actions = field(default_factory=Full)
    """What the policy's action means to the actuators of a model."""
    history: int = 1
    """Observations of so many control steps, the oldest first, make up the policy's input."""
    observation_noise: Mapping[str, float] = field(default_factory=dict)
    """Half width of uniform noise on what the policy sees of a variable, in the variable's unit."""
    critic_observation: tuple[str, ...] = ()
    """Variable names, concatenated to the value function's input; the policy's input if empty."""
    resampled: Resampled | None = None
    """Parameters that are drawn at each episode's start and again in mid-episode."""
    randomised: tuple[Randomised, ...] = ()
    """Properties of the model that are drawn for each episode."""
    pushes: Pushes | None = None
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
