"""Whole episodes from a batched simulator: for the trusted score, and while a policy learns.

A step is recorded as the states it reached; an episode computes a variable from its own states
when a fitness function asks for it.  Recording therefore costs two copies a step, however many
variables a task has.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from reward_synth.simulation.interface import Step
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.simulation.variables import Variables
from reward_synth.task import Episode

Policy = Callable[[np.ndarray], np.ndarray]
"""Observations ``(N, obs)`` to actions ``(N, nu)``."""


class EpisodeRecorder:
    """Gathers the steps of a simulator into episodes.

    Keeps the last ``episode_steps`` states of each environment, which no episode outlasts.
    """

    def __init__(self, simulator: MujocoSimulator) -> None:
        steps = simulator.task.episode_steps
        count = simulator.num_envs
        self._simulator = simulator
        self._steps = steps
        self._states = np.empty((count, steps, simulator.state_size))
        self._sensordata = np.empty((count, steps, simulator.model.nsensordata))
        self._actions = np.empty((count, steps, simulator.action_size))
        self._begin = np.full(count, -1)
        """Step at which each environment's episode began; -1 where that was not seen."""
        self._now = 0

    def record(self, step: Step) -> list[tuple[int, Episode]]:
        """Take the simulator's last step; gives the episodes that it ended, by environment.

        An episode whose beginning was not recorded is left out.
        """
        variables = step.variables
        assert isinstance(variables, Variables)
        place = self._now % self._steps
        self._states[:, place] = variables.state
        self._sensordata[:, place] = variables.sensordata
        self._actions[:, place] = self._simulator.reward_inputs(("action",))["action"]
        self._begin[step.first] = self._now
        self._now += 1
        ended = np.flatnonzero(np.logical_or(step.terminated, step.truncated)).tolist()
        return [
            (index, self._episode(index, bool(step.terminated[index])))
            for index in ended
            if self._begin[index] >= 0
        ]

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """The unfinished episodes of some environments, as arrays with leading axis ``E``."""
        begin = self._begin[environments]
        length = np.where(begin < 0, 0, self._now - begin)
        rows = np.arange(self._now - length.max(initial=0), self._now) % self._steps
        return {
            "states": self._states[environments, rows],
            "sensordata": self._sensordata[environments, rows],
            "actions": self._actions[environments, rows],
            "length": np.where(begin < 0, -1, length),
        }

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Go on with the episodes of a snapshot in those environments."""
        length = snapshot["length"]
        count = snapshot["states"].shape[1]
        # Steps are numbered from one episode's length on, so that none began before step 0.
        self._now = max(self._now, self._steps)
        rows = np.arange(self._now - count, self._now) % self._steps
        self._states[environments, rows] = snapshot["states"]
        self._sensordata[environments, rows] = snapshot["sensordata"]
        self._actions[environments, rows] = snapshot["actions"]
        self._begin[environments] = np.where(length < 0, -1, self._now - length)

    def _episode(self, index: int, terminated: bool) -> Episode:
        rows = np.arange(self._begin[index], self._now) % self._steps
        return Episode(
            variables=self._simulator.variables_at(
                self._states[index, rows], self._sensordata[index, rows]
            ),
            action=self._actions[index, rows],
            terminated=terminated,
            control_step=self._simulator.control_step,
        )


def rollout_episodes(
    simulator: MujocoSimulator, policy: Policy, episodes: int, seed: int | Sequence[int]
) -> list[Episode]:
    """The first episode of each of the first ``episodes`` environments, in that order.

    Several seeds divide the environments into groups.  Taking the first episodes *to end* instead
    would favour short ones.

    Raises:
        ValueError: fewer environments than episodes.
    """
    if not 1 <= episodes <= simulator.num_envs:
        raise ValueError(f"{episodes} episodes need as many environments, not {simulator.num_envs}")
    observation = simulator.reset(seed)
    recorder = EpisodeRecorder(simulator)
    found: dict[int, Episode] = {}
    while len(found) < episodes:
        step = simulator.step(policy(observation))
        observation = step.observation
        for index, episode in recorder.record(step):
            if index < episodes:
                found.setdefault(index, episode)
    return [found[index] for index in range(episodes)]


def random_policy(action_size: int, rng: np.random.Generator) -> Policy:
    """Uniformly random actions, whatever is observed."""
    return lambda observation: rng.uniform(-1.0, 1.0, (len(observation), action_size))
