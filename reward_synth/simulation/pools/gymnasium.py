"""Gymnasium's environments, each stepped by itself in this process.

Every episode is begun by ``reset(seed=…)`` with a seed of its own, as soon as the one before ended.
An environment that has a vector entry point alone is made as a vector of one, so that no random
numbers are shared, and its own automatic reset never comes to pass: in next-step mode because it is
reset before its next step, in same-step mode because the state before that reset is in ``info``.
"""

import difflib
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.pools.interface import (
    Outcome,
    Probe,
    import_package,
    in_words,
    mixed_seed,
    raised,
)
from reward_synth.simulation.pools.layout import Layout
from reward_synth.simulation.spaces import Actions
from reward_synth.task import VectorEnvironment

Moment = tuple[Any, float, bool, bool, Mapping[str, Any]]
"""What a step gives: observation, reward, terminated, truncated, info."""
ENTRY_POINT = "vectorization"
"""The option that chooses ``vector_entry_point`` where an id has both."""


def registered_limit(environment: VectorEnvironment) -> int | None:
    """Steps after which the environment, as it is registered, truncates an episode."""
    return _specification(environment).max_episode_steps


def probe(environment: VectorEnvironment) -> Probe:
    """What one environment is like, seen on its first step."""
    one = _make(environment, None)
    Actions(one.action_space, environment.id)  # refuses what could not be stepped
    observation, first = one.reset(0)
    one.action_space.seed(0)
    info = one.step(one.action_space.sample())[4]
    found = Probe(
        observation_space=one.observation_space,
        action_space=one.action_space,
        observation=observation,
        infos=(first, info),
        control_step=one.control_step,
        renders="rgb_array" in one.metadata.get("render_modes", ()),
    )
    one.close()
    return found


def open(
    environment: VectorEnvironment, num_envs: int, steps: int, threads: int
) -> "GymnasiumPool":
    del threads  # environments in Python gain nothing from them
    return GymnasiumPool(environment, num_envs, steps)


class One:
    """One environment."""

    def __init__(self, environment: VectorEnvironment, made: Any) -> None:
        self.environment = environment
        self.made = made
        self.observation_space, self.action_space = made.observation_space, made.action_space
        self.metadata: Mapping[str, Any] = made.metadata or {}

    @property
    def control_step(self) -> float:
        """Seconds: the environment's ``dt``, else what it asks of a film, else 1."""
        dt = getattr(self.made.unwrapped, "dt", None)
        if isinstance(dt, int | float) and dt > 0:
            return float(dt)
        rate = self.metadata.get("render_fps")
        return 1.0 / rate if isinstance(rate, int | float) and rate > 0 else 1.0

    def reset(self, seed: int) -> tuple[Any, Mapping[str, Any]]:
        try:
            return self._reset(seed)
        except Exception as error:
            raise raised(self.environment, "reset", error) from error

    def step(self, action: Any) -> Moment:
        try:
            return self._step(action)
        except Exception as error:
            raise raised(self.environment, "step", error) from error

    def close(self) -> None:
        self.made.close()

    def _reset(self, seed: int) -> tuple[Any, Mapping[str, Any]]:
        return self.made.reset(seed=seed)

    def _step(self, action: Any) -> Moment:
        return self.made.step(action)


class VectorOfOne(One):
    """A vector environment of one, as one environment."""

    def __init__(self, environment: VectorEnvironment, made: Any) -> None:
        super().__init__(environment, made)
        self.observation_space = made.single_observation_space
        self.action_space = made.single_action_space
        mode = self.metadata.get("autoreset_mode")
        self.same_step = str(getattr(mode, "value", mode)) == "SameStep"
        if mode is None:
            raise UserError(
                f"{environment.id} does not say when it resets itself; its metadata needs "
                "autoreset_mode"
            )

    def _reset(self, seed: int) -> tuple[Any, Mapping[str, Any]]:
        observation, info = self.made.reset(seed=seed)
        return _only(observation), _only_info(info)

    def _step(self, action: Any) -> Moment:
        from gymnasium.vector.utils import concatenate, create_empty_array

        space = self.action_space
        actions = concatenate(space, [action], create_empty_array(space, 1))
        observation, reward, terminated, truncated, info = self.made.step(actions)
        if self.same_step and (terminated[0] or truncated[0]):
            if "final_obs" not in info:
                raise UserError(
                    f"{self.environment.id} resets itself in the step that ends an episode and "
                    "does not give that episode's last observation as info['final_obs']"
                )
            observation, info = info["final_obs"], info.get("final_info", {})
        only = _only(observation)
        return only, reward[0], bool(terminated[0]), bool(truncated[0]), _only_info(info)


class GymnasiumPool:
    """:class:`reward_synth.simulation.pools.interface.Pool` of single environments."""

    def __init__(self, environment: VectorEnvironment, num_envs: int, steps: int) -> None:
        self._environment = environment
        self._num_envs = num_envs
        self._steps = steps
        self._ones: list[One] = []

    def begin(self, layout: Layout, names: np.ndarray) -> np.ndarray:
        """Make the environments if they are not there, and reset them."""
        self._layout = layout
        if not self._ones:
            self._ones = [_make(self._environment, self._steps) for _ in range(self._num_envs)]
        episode_0 = np.concatenate((names, np.zeros((len(names), 1), names.dtype)), axis=1)
        return self.restart(np.arange(self._num_envs), episode_0)

    def step(self, action: np.ndarray, rows: np.ndarray) -> Outcome:
        """Step some environments, one after the other."""
        count = len(rows)
        values = np.empty((count, self._layout.width))
        reward = np.empty(count)
        ends = np.empty((2, count), bool)
        for k, row in enumerate(rows.tolist()):
            observation, reward[k], ends[0, k], ends[1, k], info = self._ones[row].step(action[k])
            self._layout.row(values[k], observation, info, start=False)
        return Outcome(values, reward, *ends)

    def restart(self, rows: np.ndarray, names: np.ndarray) -> np.ndarray:
        """Reset some environments, by a seed for each episode."""
        values = np.empty((len(rows), self._layout.width))
        for k, row in enumerate(rows.tolist()):
            observation, info = self._ones[row].reset(mixed_seed(names[k]))
            self._layout.row(values[k], observation, info, start=True)
        return values

    def render(self) -> np.ndarray:
        """A picture of the first environment."""
        try:
            drawn = self._ones[0].made.render()
        except Exception as error:
            raise raised(self._environment, "render", error) from error
        frame = drawn[0] if isinstance(drawn, tuple | list) else drawn
        if not isinstance(frame, np.ndarray):
            raise UserError(f"{self._environment.id} draws no pictures")
        return frame

    def close(self) -> None:
        """Close the environments."""
        for one in self._ones:
            one.close()
        self._ones = []


def make_one(environment: VectorEnvironment, steps: int | None, **arguments: Any) -> One:
    """One environment that truncates after ``steps``; ``arguments`` come before its options.

    Raises:
        UserError: it cannot be made.
    """
    return _make(environment, steps, **arguments)


def _make(environment: VectorEnvironment, steps: int | None, **arguments: Any) -> One:
    import gymnasium

    spec = _specification(environment)
    options = {**environment.options, **arguments}
    chosen = options.pop(ENTRY_POINT, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if chosen == "vector_entry_point" or spec.entry_point is None:
                if steps is not None and spec.max_episode_steps is not None:
                    options["max_episode_steps"] = steps
                return VectorOfOne(
                    environment,
                    gymnasium.make_vec(
                        environment.id, 1, vectorization_mode="vector_entry_point", **options
                    ),
                )
            made = gymnasium.make(
                environment.id, max_episode_steps=steps, disable_env_checker=True, **options
            )
            return One(environment, made)
        except UserError:
            raise
        except Exception as error:
            if isinstance(error, ImportError | gymnasium.error.DependencyNotInstalled):
                raise UserError(
                    f"{environment.id} needs a package that is not installed: {in_words(error)}"
                ) from error
            raise UserError(
                f"Gymnasium cannot make {environment.id} with the options "
                f"{dict(environment.options)}: {in_words(error)}"
            ) from error


def _specification(environment: VectorEnvironment) -> Any:
    import gymnasium

    import_package(environment)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gymnasium.spec(environment.id)
    except gymnasium.error.Error as error:
        near = difflib.get_close_matches(environment.id, gymnasium.registry, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "`reward-synth tasks search` finds"
        raise UserError(
            f"Gymnasium has no environment {environment.id!r}; {hint} (an id of another package "
            'needs package="NAME" in its VectorEnvironment)'
        ) from error
    except ImportError as error:
        raise UserError(
            f"{environment.id} needs a package that is not installed: {in_words(error)}"
        ) from error


def _only(tree: Any) -> Any:
    """The one environment's part of a batched observation."""
    if isinstance(tree, Mapping):
        return {key: _only(value) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_only(value) for value in tree)
    return tree[0]


def _only_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """The one environment's part of a vector's ``info``, whose masks begin with ``_``."""
    found: dict[str, Any] = {}
    for key, value in info.items():
        mask = info.get(f"_{key}")
        if key.startswith("_") or (mask is not None and not np.ravel(mask)[0]):
            continue
        found[key] = _only_info(value) if isinstance(value, Mapping) else value[0]
    return found
