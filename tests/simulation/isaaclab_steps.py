"""``python isaaclab_steps.py FOLDER``: step Isaac Lab's environments from its sources, on clocks.

The environments' own ``step`` runs, and the real reward manager; what needs Isaac Sim is replaced:
its modules by empty ones; scene, simulation and the other managers by what ``step`` calls of them.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from reward_synth.simulation.managed_worlds import IsaacWorld

EMPTY = {"omni", "carb", "pxr", "isaacsim", "usdrt", "cv2", "flatdict", "h5py", "hid"}
"""Packages of Isaac Sim, and others that the sources import but do not need here."""
CLOCKS = [1, 1], [2, 2], [1, 3], [2, 1], [1, 2], [2, 3]
"""Steps of the two environments' episodes: the first terminates at 2, the second's time is 3."""
DECIMATION, PHYSICS_STEP = 2, 0.01
PAID = 10.0
"""A second, times the clock."""


class EmptyClass(type):
    """Classes whose attributes are such classes, and whose instances have them too."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return empty_class(name)


def empty_class(name: str) -> EmptyClass:
    def look(self: Any, name: str) -> Any:
        return EmptyClass.__getattr__(type(self), name)

    def begin(self: Any, *arguments: Any, **more: Any) -> None:
        """Take anything."""

    return EmptyClass(name, (), {"__init__": begin, "__getattr__": look})


class EmptyModule(types.ModuleType):
    """A module whose attributes are empty classes."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return empty_class(name)


class EmptyPackages(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds empty modules for the packages in ``EMPTY``."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname.split(".")[0] in EMPTY:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return EmptyModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing in it."""


class Quiet:
    """A scene, simulation or manager that does nothing."""

    active_terms = available_modes = ()
    num_envs = 2
    device = "cpu"

    def get_physics_dt(self) -> float:
        return PHYSICS_STEP

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **more: {}


def read(env: Any, seen: Any, extras: Any) -> torch.Tensor:
    return seen["policy"].clone()


def dones(env: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Which environments terminated, and whose time ran out; both at once, of the first."""
    clock = env.episode_length_buf
    terminated = torch.tensor([clock[0] >= 2, False])
    return terminated, torch.tensor([clock[0] >= 2, clock[1] >= 3])


def observed(env: Any) -> dict[str, torch.Tensor]:
    return {"policy": env.episode_length_buf[:, None].float()}


def furnish(env: Any) -> None:
    """What an environment's own constructor makes with Isaac Sim."""
    env._is_closed = True
    env.scene, env.sim = Quiet(), Quiet()
    env.cfg = types.SimpleNamespace(
        decimation=DECIMATION,
        episode_length_s=3 * DECIMATION * PHYSICS_STEP,
        is_finite_horizon=False,
        sim=types.SimpleNamespace(dt=PHYSICS_STEP, render_interval=DECIMATION),
        events=None,
        action_noise_model=None,
        observation_noise_model=None,
        num_rerenders_on_reset=0,
        wait_for_textures=False,
    )
    env.extras, env._sim_step_counter, env.common_step_counter = {}, 0, 0
    env.episode_length_buf = torch.zeros(2, dtype=torch.long)
    env.reset_terminated = torch.zeros(2, dtype=torch.bool)
    env.reset_time_outs = torch.zeros(2, dtype=torch.bool)


def manager_based() -> Any:
    from isaaclab.envs import ManagerBasedRLEnv  # pyright: ignore[reportMissingImports]
    from isaaclab.managers import (  # pyright: ignore[reportMissingImports]
        RewardManager,
        RewardTermCfg,
    )

    env = ManagerBasedRLEnv.__new__(ManagerBasedRLEnv)
    furnish(env)
    env.sim.is_playing = lambda: True
    for name in ("action", "recorder", "command", "event", "curriculum"):
        setattr(env, name + "_manager", Quiet())

    class Observations(Quiet):
        def compute(self, update_history: bool = False) -> dict[str, torch.Tensor]:
            return observed(env)

    class Terminations(Quiet):
        def compute(self) -> torch.Tensor:
            self.terminated, self.time_outs = dones(env)
            return self.terminated | self.time_outs

    def clock(env: Any) -> torch.Tensor:
        return env.episode_length_buf.float()

    env.observation_manager, env.termination_manager = Observations(), Terminations()
    env.reward_manager = RewardManager({"clock": RewardTermCfg(func=clock, weight=PAID)}, env)
    return env


def direct() -> Any:
    from isaaclab.envs import DirectRLEnv  # pyright: ignore[reportMissingImports]

    class Counting(DirectRLEnv):
        def _pre_physics_step(self, actions: torch.Tensor) -> None:
            """Nothing moves."""

        def _apply_action(self) -> None:
            """Nothing moves."""

        def _get_dones(self) -> tuple[torch.Tensor, torch.Tensor]:
            return dones(self)

        def _get_rewards(self) -> torch.Tensor:
            return self.episode_length_buf * PAID * self.step_dt

        def _get_observations(self) -> dict[str, torch.Tensor]:
            return observed(self)

    env = Counting.__new__(Counting)
    furnish(env)
    return env


def check(env: Any, *, logs: bool) -> None:
    """Six steps, in which each environment ends two or three episodes."""
    world = IsaacWorld(env)
    assert world.begin(read)[:, 0].tolist() == [0, 0]
    for clock in CLOCKS:
        outcome = world.step(torch.zeros(2, 1), read)
        assert outcome.reached[:, 0].tolist() == clock
        assert outcome.terminated.tolist() == [clock[0] == 2, False]
        assert outcome.truncated.tolist() == [False, clock[1] == 3]
        ended = outcome.terminated | outcome.truncated
        assert torch.equal(outcome.begun[:, 0], outcome.reached[:, 0].masked_fill(ended, 0))
        paid = outcome.reached[:, 0] * PAID * DECIMATION * PHYSICS_STEP
        assert torch.allclose(outcome.reward, paid)
        # What an earlier step logged is not this one's.
        assert ("Episode_Reward/clock" in outcome.log) == (logs and bool(ended.any()))


def main() -> None:
    [folder] = sys.argv[1:]
    sys.meta_path.insert(0, EmptyPackages())
    sys.path[:0] = map(str, Path(folder).glob("source/*"))
    if importlib.util.find_spec("toml") is None:
        toml: Any = types.ModuleType("toml")
        toml.load = lambda path: tomllib.loads(Path(path).read_text())
        sys.modules["toml"] = toml
    import isaaclab.envs  # noqa: F401  # pyright: ignore[reportMissingImports]

    check(manager_based(), logs=True)
    check(direct(), logs=False)
    print("both stepped")


if __name__ == "__main__":
    main()
