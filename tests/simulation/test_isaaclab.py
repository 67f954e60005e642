"""Isaac Lab's environments: what is read before the reset that its own step makes.

The real sources step here; only the modules of Isaac Sim, which runs on a GPU alone, are empty.
They are found as an installed package, or in the folder of an unpacked wheel that the variable
``ISAACLAB_SOURCE`` names; without either, the test is skipped.
"""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EMPTY = "flatdict omni carb pxr isaacsim usdrt cv2 h5py"
"""Packages of Isaac Sim, and others that its sources import but do not need here."""

PROGRAM = """
import importlib.abc, importlib.machinery, sys, types
from pathlib import Path
folder, empty = sys.argv[1], set(sys.argv[2].split())
def lookup(self, name):
    if name.startswith("__"): raise AttributeError(name)
    return make(name)
def make(name):
    return Meta(name, (), {"__init__": lambda self, *a, **k: None, "__getattr__": lookup})
class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"): raise AttributeError(name)
        return make(name)
class Module(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return make(name)
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in empty:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return Module(spec.name)
    def exec_module(self, module): pass
sys.meta_path.insert(0, Finder())
for source in Path(folder).glob("source/*"):
    sys.path.insert(0, str(source))
import tomllib
toml = types.ModuleType("toml")
toml.load = lambda path: tomllib.loads(Path(path).read_text())
sys.modules.setdefault("toml", toml)
import torch
import isaaclab.envs
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.managers import RewardManager, RewardTermCfg
from reward_synth.simulation.managed_worlds import IsaacWorld

class Quiet:
    active_terms = []
    def __getattr__(self, name): return lambda *a, **k: {}
class Clock:
    "Two environments whose episodes take 2 and 3 steps; the second ends by time."
    def compute(self):
        clock = env.episode_length_buf
        self.terminated = torch.stack([clock[0] >= 2, torch.tensor(False)])
        self.time_outs = torch.stack([torch.tensor(False), clock[1] >= 3])
        return self.terminated | self.time_outs
    def reset(self, ids): return {}
class Seen:
    def compute(self, update_history=False):
        return {"policy": env.episode_length_buf[:, None].float()}
    def reset(self, ids): return {}
class Sim:
    def has_gui(self): return False
    has_rtx_sensors = has_gui
    def step(self, render): pass

env = ManagerBasedRLEnv.__new__(ManagerBasedRLEnv)
env._is_closed = True
class Scene(Quiet):
    num_envs = 2
env.scene, env.sim = Scene(), Sim()
env.sim.device = "cpu"; env.sim.is_playing = lambda: True
env.sim.get_physics_dt = lambda: 0.01
env.cfg = types.SimpleNamespace(decimation=2, episode_length_s=0.06, is_finite_horizon=False,
    sim=types.SimpleNamespace(dt=0.01, render_interval=2, device="cpu"))
env.extras, env._sim_step_counter, env.common_step_counter = {}, 0, 0
env.episode_length_buf = torch.zeros(2, dtype=torch.long)
for name in ("action", "recorder", "command", "event", "curriculum"):
    manager = Quiet()
    manager.available_modes = []
    setattr(env, name + "_manager", manager)
env.observation_manager, env.termination_manager = Seen(), Clock()
def paid(env): return env.episode_length_buf.float()
env.reward_manager = RewardManager({"paid": RewardTermCfg(func=paid, weight=10.0)}, env)
world = IsaacWorld(env)
def read(env, seen, extras): return seen["policy"].clone()
world._read = read
clocks = [1, 1], [2, 2], [1, 3], [2, 1], [1, 2], [2, 3]
for clock in clocks:
    out = world.step(torch.zeros(2, 1), read)
    assert out.reached[:, 0].tolist() == clock, (out, clock)
    assert out.terminated.tolist() == [clock[0] == 2, False]
    assert out.truncated.tolist() == [False, clock[1] == 3]
    ended = out.terminated | out.truncated
    assert torch.equal(out.begun[:, 0], out.reached[:, 0].masked_fill(ended, 0))
    assert torch.allclose(out.reward, out.reached[:, 0] * 10 * 0.02)
print("stepped")
"""


def sources() -> Path | None:
    """The folder that holds ``source``; None where Isaac Lab is not there."""
    named = os.environ.get("ISAACLAB_SOURCE")
    if named:
        return Path(named) / "isaaclab"
    found = importlib.util.find_spec("isaaclab")
    return Path(found.origin).parent if found and found.origin else None


def test_what_is_reached_is_read_before_isaac_lab_resets() -> None:
    folder = sources()
    if folder is None:
        pytest.skip("Isaac Lab is not here; ISAACLAB_SOURCE can name an unpacked wheel of it")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), EMPTY],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("stepped"), done.stderr
