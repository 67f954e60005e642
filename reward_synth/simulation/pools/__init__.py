"""Pools of environments that others wrote, each behind the same small interface."""

from reward_synth.simulation.pools.interface import Pool, Probe
from reward_synth.task import Task, VectorEnvironment

__all__ = ["Pool", "Probe", "open_pool", "probe_environment", "registered_limit"]


def probe_environment(environment: VectorEnvironment) -> Probe:
    """What one environment is like, seen on its first step.

    Raises:
        UserError: its package is missing, its id is unknown, it cannot be made, or it raises.
    """
    return _module(environment).probe(environment)


def registered_limit(environment: VectorEnvironment) -> int | None:
    """Steps after which the environment, as it is registered, truncates an episode; None where it
    has no time limit.

    Raises:
        UserError: its package is missing, or its id is unknown.
    """
    return _module(environment).registered_limit(environment)


def open_pool(task: Task, num_envs: int, threads: int) -> Pool:
    """A pool of the task's environments; nothing is made before its first reset."""
    environment = task.environment
    assert isinstance(environment, VectorEnvironment)
    return _module(environment).open(environment, num_envs, task.episode_steps, threads)


def _module(environment: VectorEnvironment):
    if environment.pool == "envpool":
        from reward_synth.simulation.pools import envpool as module
    else:
        from reward_synth.simulation.pools import gymnasium as module
    return module
