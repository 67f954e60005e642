"""Environments of mjlab and Isaac Lab, stepped so that the state reached before a reset is seen.

mjlab is asked not to reset by itself.  Isaac Lab always does, inside its step: there, what is read
just before its ``_reset_idx`` is what those environments reached.
"""

import contextlib
import io
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from reward_synth.errors import UserError
from reward_synth.simulation.interface import ActionEntry
from reward_synth.simulation.warp_physics import load_warp
from reward_synth.task import ManagerBasedEnvironment
from reward_synth.task.validation import nearest

Read = Callable[[Any, Mapping[str, Any], Mapping[str, Any]], torch.Tensor]
"""Values ``(N, w)`` from an environment, its groups of observations and its extras."""
ONE_AT_A_TIME = threading.RLock()
"""Held by the thread whose world draws: policies are scored in several threads, but generators,
Warp's device and its capture of graphs are the process's."""
NO_SEED = 0
"""Seeds what an environment draws while it is made to be looked at."""


@dataclass(frozen=True)
class Outcome:
    """One control step of ``N`` environments, as tensors on their device."""

    reached: torch.Tensor
    """``(N, w)``: before resets."""
    reward: torch.Tensor
    """``(N,)``: the environment's own."""
    terminated: torch.Tensor
    """``(N,)`` bool."""
    truncated: torch.Tensor
    """``(N,)`` bool, never together with terminated."""
    begun: torch.Tensor
    """``(N, w)``: after resets."""
    log: Mapping[str, Any]
    """What the environment logged of the episodes that ended; {} where none did."""


class World(Protocol):
    """``N`` environments of one batched simulation."""

    env: Any

    def begin(self, read: Read) -> torch.Tensor:
        """Start every environment's first episode: values ``(N, w)``."""
        ...

    def step(self, action: torch.Tensor, read: Read) -> Outcome:
        """Advance one control step; those that end begin their next episode."""
        ...

    def close(self) -> None:
        """Release the simulation."""
        ...


class Draws:
    """The state of the global generators that one world draws from.

    The packages draw from those of PyTorch, NumPy and Python.  Each world has its own state of
    them, so what one draws does not change what another does, in whichever thread.

    Args:
        seed: what they begin with.
        device: of the tensors.
    """

    def __init__(self, seed: int, device: str) -> None:
        self._cuda = [torch.device(device)] if device.startswith("cuda") else []
        with self._forked():
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)
            self._state = self._current()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Draw from this state inside, and leave the global generators as they were."""
        with self._forked():
            self._use(self._state)
            try:
                yield
            finally:
                self._state = self._current()

    @contextlib.contextmanager
    def _forked(self) -> Iterator[None]:
        with ONE_AT_A_TIME:
            before = self._current()
            try:
                yield
            finally:
                self._use(before)

    def _current(self) -> tuple[Any, ...]:
        cuda = [torch.cuda.get_rng_state(device) for device in self._cuda]
        return torch.get_rng_state(), cuda, np.random.get_state(), random.getstate()

    def _use(self, state: tuple[Any, ...]) -> None:
        torch.set_rng_state(state[0])
        for device, value in zip(self._cuda, state[1], strict=True):
            torch.cuda.set_rng_state(value, device)
        np.random.set_state(state[2])
        random.setstate(state[3])


@contextlib.contextmanager
def without_drawing() -> Iterator[None]:
    """Let mjlab be imported without its choice of a library for drawing, which may be missing, and
    which processes that film would inherit."""
    chosen = os.environ.get("MUJOCO_GL")
    os.environ.setdefault("MUJOCO_GL", "disable")
    try:
        yield
    finally:
        if chosen is None:
            del os.environ["MUJOCO_GL"]


class MjlabWorld:
    """A :class:`World` of mjlab.

    Raises:
        UserError: mjlab is missing or does not know the id or an option.
    """

    def __init__(
        self, environment: ManagerBasedEnvironment, num_envs: int, seed: int, device: str
    ) -> None:
        with without_drawing():
            try:
                import mjlab.tasks  # noqa: F401  # pyright: ignore[reportMissingImports]
                from mjlab.envs import ManagerBasedRlEnv  # pyright: ignore[reportMissingImports]
                from mjlab.tasks.registry import (  # pyright: ignore[reportMissingImports]
                    list_tasks,
                    load_env_cfg,
                )
            except ImportError as error:
                raise UserError(
                    f"{environment.id} needs mjlab ({error}); pip install 'reward-synth[isaac]'"
                ) from error
        load_warp(device)  # after mjlab, which makes Warp say what it compiles
        known = list_tasks()
        if environment.id not in known:
            raise UserError(f"mjlab has no task {environment.id!r}{nearest(environment.id, known)}")
        configuration = load_env_cfg(environment.id)
        set_options(configuration, environment)
        configuration.scene.num_envs = num_envs
        configuration.auto_reset = False
        # Drawn from the world's own state; mjlab would seed the global generators.
        configuration.seed = None
        self._draws = Draws(seed, device)
        # It prints tables of what it is made of.
        with self._draws(), contextlib.redirect_stdout(io.StringIO()):
            self.env: Any = ManagerBasedRlEnv(configuration, device=device)
            if device == "cpu":
                # mjlab launches kernels one by one there; Warp's graphs, the same to the bit, are
                # several times as fast.
                self.env.sim.use_cuda_graph = True
                self.env.sim.create_graph()

    def begin(self, read: Read) -> torch.Tensor:
        """Start every environment's first episode; see :class:`World`."""
        with self._draws():
            seen, extras = self.env.reset()
            return read(self.env, seen, extras)

    def step(self, action: torch.Tensor, read: Read) -> Outcome:
        """Advance one control step; see :class:`World`."""
        env = self.env
        with self._draws():
            seen, reward, terminated, late, extras = env.step(action)
            reached = begun = read(env, seen, extras)
            # Copies: these are buffers that mjlab writes into again.
            reward, terminated = reward.clone(), terminated.clone()
            late = late | (env.episode_length_buf >= env.max_episode_length)
            ended = env.reset_buf | late
            log: Mapping[str, Any] = {}
            if ended.any():
                rows = ended.nonzero().squeeze(-1)
                seen, extras = env.reset(env_ids=rows)
                begun = torch.where(ended[:, None], read(env, seen, extras), reached)
                log = extras["log"]
        return Outcome(reached, reward, terminated, late & ~terminated, begun, log)

    def close(self) -> None:
        """Release the simulation."""
        self.env.close()


class IsaacWorld:
    """A :class:`World` of Isaac Lab: manager-based, or direct (``DirectRLEnv``).

    The state that an episode ends in is read before its reset.  Groups of observations that have a
    history lack their newest entry there, as Isaac Lab's own recorders see them.

    Args:
        env: the environment, without wrappers.
    """

    def __init__(self, env: Any) -> None:
        self.env = env
        self._read: Read | None = None
        self._before: torch.Tensor | None = None
        self._reset = env._reset_idx
        env._reset_idx = self._look_and_reset

    def begin(self, read: Read) -> torch.Tensor:
        """Start every environment's first episode; see :class:`World`."""
        self._read = None
        seen, extras = self.env.reset()
        return read(self.env, seen, extras)

    def step(self, action: torch.Tensor, read: Read) -> Outcome:
        """Advance one control step; see :class:`World`."""
        self._read, self._before = read, None
        seen, reward, terminated, late, extras = self.env.step(action)
        reward, terminated, late = reward.clone(), terminated.clone(), late.clone()
        begun = read(self.env, seen, extras)
        before = self._before
        ended = (terminated | late)[:, None]
        reached = begun if before is None else torch.where(ended, before, begun)
        # It stays there until the next reset.
        log = {} if before is None else extras.get("log") or {}
        return Outcome(reached, reward, terminated, late & ~terminated, begun, log)

    def close(self) -> None:
        """Release the simulation."""
        self.env.close()

    def _look_and_reset(self, env_ids: Any) -> None:
        if self._read is not None:
            env = self.env
            manager = getattr(env, "observation_manager", None)
            seen = env._get_observations() if manager is None else manager.compute()
            self._before = self._read(env, seen, env.extras)
        self._reset(env_ids)


def open_isaac(
    environment: ManagerBasedEnvironment, num_envs: int, seed: int, device: str
) -> IsaacWorld:
    """A world of Isaac Lab, in whose process Isaac Sim is started.

    Raises:
        UserError: Isaac Lab or Isaac Sim is missing, or does not know the id or an option.
    """
    try:
        from isaaclab.app import AppLauncher  # pyright: ignore[reportMissingImports]

        AppLauncher(headless=True, device=device)
        import gymnasium
        import isaaclab_tasks  # noqa: F401  # pyright: ignore[reportMissingImports]
        from isaaclab_tasks.utils import parse_env_cfg  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError(
            f"{environment.id} needs Isaac Lab and Isaac Sim ({error}); install them as Isaac "
            "Lab's manual says"
        ) from error
    if environment.id not in gymnasium.registry:
        known = list(gymnasium.registry)
        raise UserError(f"Isaac Lab has no task {environment.id!r}{nearest(environment.id, known)}")
    configuration = parse_env_cfg(environment.id, device=device, num_envs=num_envs)
    set_options(configuration, environment)
    configuration.seed = seed  # pyright: ignore[reportAttributeAccessIssue]
    return IsaacWorld(gymnasium.make(environment.id, cfg=configuration).unwrapped)


def set_options(configuration: Any, environment: ManagerBasedEnvironment) -> None:
    """Put a task's options, by dotted path, in place of a configuration's fields.

    Raises:
        UserError: there is no such field.
    """
    for path, value in environment.options.items():
        place: Any = configuration
        *outer, last = path.split(".")
        for name in [*outer, last]:
            fields = place if isinstance(place, dict) else vars(place)
            if name not in fields:
                raise UserError(
                    f"{environment.id} has no option {path!r}: no field {name!r}"
                    f"{nearest(name, fields)}"
                )
            if name is not last:
                place = fields[name]
        if isinstance(place, dict):
            place[last] = value
        else:
            setattr(place, last, value)


def action_entries(env: Any, size: int) -> tuple[ActionEntry, ...]:
    """What each entry of an action means, where the environment's action manager says it."""
    manager = getattr(env, "action_manager", None)
    if manager is None:
        return tuple(
            ActionEntry(f"action {k}", "-1 and 1 are what the environment makes of them")
            for k in range(size)
        )
    entries: list[ActionEntry] = []
    for term_name in manager.active_terms:
        term = manager.get_term(term_name)
        names = getattr(term, "target_names", None) or getattr(term, "_joint_names", None)
        scale = getattr(term, "scale", getattr(term, "_scale", None))
        if names is None or len(names) != term.action_dim:
            names = [f"{term_name} {k}" for k in range(term.action_dim)]
        for k, name in enumerate(names):
            each: float | None = scale[0, k].item() if isinstance(scale, torch.Tensor) else scale
            amount = "the term's own scale" if each is None else f"±{each:.4g}"
            entries.append(ActionEntry(name, f"-1 and 1 are {amount} of {type(term).__name__}"))
    return tuple(entries)
