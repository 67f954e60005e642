"""Batched simulators behind one interface (:mod:`reward_synth.simulation.interface`)."""

from reward_synth.simulation.interface import Simulator
from reward_synth.simulation.spec import TaskSpec, task_spec
from reward_synth.task import ManagerBasedEnvironment, Task, VectorEnvironment

__all__ = ["WARP_ON_CPU", "Simulator", "TaskSpec", "open_simulator", "task_spec"]

WARP_ON_CPU = "warp-cpu"
"""The device that runs the GPU's simulator of a model on the processor, slowly."""


def open_simulator(task: Task, num_envs: int, device: str = "cpu", threads: int = 1) -> Simulator:
    """The simulator of a task on a device: "cpu", "cuda", "cuda:K", or "warp-cpu" (for tests).

    A task's model is simulated by MuJoCo on "cpu", else by MuJoCo Warp; its environment by what it
    is made of.  ``threads`` matters to "cpu" alone.

    Raises:
        UserError: the task is wrong, or there is no such device.
        DeviceMemoryError: the device's memory is too small for so many environments.
    """
    if isinstance(task.environment, VectorEnvironment):
        from reward_synth.simulation.vector import VectorSimulator

        return VectorSimulator(task, num_envs, threads=threads)
    if isinstance(task.environment, ManagerBasedEnvironment):
        from reward_synth.simulation.managed import ManagedSimulator

        return ManagedSimulator(task, num_envs, device=device)
    if device == "cpu":
        from reward_synth.simulation.mujoco_cpu import MujocoSimulator

        return MujocoSimulator(task, num_envs, threads=threads)
    from reward_synth.simulation.mujoco_warp import WarpSimulator

    return WarpSimulator(task, num_envs, device="cpu" if device == WARP_ON_CPU else device)
