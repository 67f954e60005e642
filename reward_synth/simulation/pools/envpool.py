"""EnvPool's environments, stepped by its C++ threads.

Each environment gets a seed of its own, by which alone it plays: neither the number of the others
nor the thread count changes a bit.  EnvPool draws all of an environment's episodes from that one
seed, so that a later episode also depends on what its environment drew before; and a new seed takes
a new pool.
"""

import contextlib
import difflib
import warnings
from collections.abc import Iterator
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

INSTALL = "pip install 'reward-synth[envpool]'"


def registered_limit(environment: VectorEnvironment) -> int | None:
    """Steps after which the environment, as it is registered, truncates an episode."""
    package = _package(environment)
    with _making(environment):
        config = package.make_spec(environment.id, **environment.options).config
    limit = int(getattr(config, "max_episode_steps", 0))
    # EnvPool writes "none" as a number that no episode reaches.
    return limit if 0 < limit < np.iinfo(np.int32).max else None


def probe(environment: VectorEnvironment) -> Probe:
    """What one environment is like, seen on its first step."""
    pool = _make(environment, 1, 1, seed=[0])
    observed, space = pool.observation_space, pool.action_space
    Actions(space, environment.id)  # refuses what could not be stepped
    space.seed(0)
    with _running(environment, "step"):
        observation, first = pool.reset()
        action = np.asarray(space.sample())[None]
        _, _, _, _, info = pool.step(action.astype(space.dtype))
        config = pool.config
    pool.close()
    return Probe(
        observation_space=observed,
        action_space=space,
        observation=_first(observation),
        infos=tuple({k: _first(v) for k, v in found.items()} for found in (first, info)),
        control_step=float(config.get("ctrl_dt", 1.0)),
        renders="rgb_array" in pool.metadata["render_modes"],
    )


def open(environment: VectorEnvironment, num_envs: int, steps: int, threads: int) -> "EnvPool":
    return EnvPool(environment, num_envs, steps, threads)


class EnvPool:
    """:class:`reward_synth.simulation.pools.interface.Pool` by EnvPool."""

    def __init__(
        self, environment: VectorEnvironment, num_envs: int, steps: int, threads: int
    ) -> None:
        self._environment = environment
        self._num_envs = num_envs
        # One more: where its own time runs out, EnvPool does not say whether the episode also
        # terminated.
        self._limit = steps + 1
        self._threads = min(threads, num_envs)
        self._pool: Any = None

    def begin(self, layout: Layout, names: np.ndarray) -> np.ndarray:
        """Make the environments with seeds of these names, and reset them."""
        self.close()
        self._layout = layout
        self._pool = _make(
            self._environment,
            self._num_envs,
            self._threads,
            seed=[mixed_seed(name) for name in names],
            max_episode_steps=self._limit,
        )
        with _running(self._environment, "reset"):
            observation, info = self._pool.reset()
        return layout.batched(observation, info, self._num_envs)

    def step(self, action: np.ndarray, rows: np.ndarray) -> Outcome:
        """Step some environments."""
        with _running(self._environment, "step"):
            observation, reward, terminated, truncated, info = self._pool.step(action, rows)
        values = self._layout.batched(observation, info, len(rows))
        return Outcome(values, reward, terminated, truncated)

    def restart(self, rows: np.ndarray, names: np.ndarray) -> np.ndarray:
        """Reset some environments, each by its own stream of random numbers."""
        with _running(self._environment, "reset"):
            observation, info = self._pool.reset(rows.astype(np.int32))
        return self._layout.batched(observation, info, len(rows))

    def render(self) -> np.ndarray:
        """A picture of the first environment."""
        with _running(self._environment, "render"):
            return np.asarray(self._pool.render(0))[0]

    def close(self) -> None:
        """Release the threads."""
        if self._pool is not None:
            self._pool.close()
        self._pool = None


def _first(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _first(inner) for key, inner in value.items()}
    return np.asarray(value)[0]


def _package(environment: VectorEnvironment) -> Any:
    import_package(environment)
    try:
        import envpool
    except ImportError as error:
        raise UserError(
            f"{environment.id} needs EnvPool, which is not installed; {INSTALL}"
        ) from error
    names = envpool.list_all_envs()
    if environment.id not in names:
        near = difflib.get_close_matches(environment.id, names, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "`reward-synth tasks search` finds"
        raise UserError(f"EnvPool has no environment {environment.id!r}; {hint}")
    return envpool


def _make(environment: VectorEnvironment, num_envs: int, threads: int, **arguments: Any) -> Any:
    package = _package(environment)
    with _making(environment):
        pool = package.make_gymnasium(
            environment.id,
            num_envs=num_envs,
            num_threads=threads,
            **{**environment.options, **arguments},
        )
        # The spaces are made when first asked for, with warnings about their precision.
        _ = pool.observation_space, pool.action_space
        return pool


@contextlib.contextmanager
def _making(environment: VectorEnvironment) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise UserError(
            f"EnvPool cannot make {environment.id} with the options "
            f"{dict(environment.options)}: {in_words(error)}"
        ) from error


@contextlib.contextmanager
def _running(environment: VectorEnvironment, method: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise raised(environment, method, error) from error
