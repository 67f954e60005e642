"""Batched simulators behind one interface (:mod:`reward_synth.simulation.interface`)."""

from reward_synth.simulation.interface import Simulator
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import Task

__all__ = ["WARP_ON_CPU", "MujocoSimulator", "make_simulator"]

WARP_ON_CPU = "warp-cpu"
"""The device that runs the GPU's simulator on the processor, slowly."""


def make_simulator(task: Task, num_envs: int, device: str = "cpu", threads: int = 1) -> Simulator:
    """The simulator for a device: "cpu", "cuda", "cuda:K", or "warp-cpu" (for tests).

    ``threads`` matters to "cpu" alone.

    Raises:
        UserError: the task is wrong, or there is no such device.
        DeviceMemoryError: the device's memory is too small for so many environments.
    """
    if device == "cpu":
        return MujocoSimulator(task, num_envs, threads=threads)
    from reward_synth.simulation.mujoco_warp import WarpSimulator

    return WarpSimulator(task, num_envs, device="cpu" if device == WARP_ON_CPU else device)
