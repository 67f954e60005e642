"""Whole episodes from a batched simulator: for the trusted score, and while a policy learns.

A step is kept as its record; an episode computes a variable from its own records when a fitness
function asks for it.  Recording therefore costs one copy a step, however many variables a task has.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reward_synth.simulation.actions import ACTION
from reward_synth.simulation.interface import Simulator, Step
from reward_synth.simulation.rollout import on_host
from reward_synth.simulation.variables import compact_index
from reward_synth.task import Array, Derived, Episode, Task

Policy = Callable[[Array], Array]
"""Observations ``(N, obs)`` to actions ``(N, nu)``, arrays of the simulator's namespace."""

COLLECT_EVERY = 32
"""Control steps after which :func:`rollout_episodes` looks for ended episodes on a device."""


class EpisodeRecorder:
    """Gathers the steps of a simulator into episodes, which are NumPy's.

    Keeps the last ``episode_steps`` records of each watched environment, which no episode outlasts.
    A simulator on a device is not made to wait: ``record`` keeps the step there, and ``collect``
    fetches what was recorded, once for many steps.

    Args:
        simulator: whose steps are recorded.
        watched: environments to record, in ascending order; all by default.
    """

    def __init__(self, simulator: Simulator, watched: Sequence[int] | None = None) -> None:
        steps = simulator.task.episode_steps
        self._watched = np.arange(simulator.num_envs) if watched is None else np.array(watched)
        if len(self._watched) < 1 or np.any(np.diff(self._watched) <= 0):
            raise ValueError("watched environments must be in ascending order")
        count = len(self._watched)
        xp = simulator.xp
        self._on_device = xp is not np
        self._rows = compact_index(self._watched.tolist(), xp, simulator.placement)
        self._simulator = simulator
        self._steps = steps
        dtype = np.float32 if self._on_device else np.float64
        self._records = np.empty((count, steps, simulator.record_size), dtype)
        self._begin = np.full(count, -1)
        """Step at which each environment's episode began; -1 where that was not seen."""
        # From one episode's length on, so that none that is restored began before step 0.
        self._now = steps
        self._waiting: list[Array] = []
        """Steps on the device, ``(W, …)`` each."""
        self._ended: list[tuple[int, Episode]] = []

    def record(self, step: Step) -> list[tuple[int, Episode]]:
        """Take the simulator's last step; gives the episodes that it ended, by environment.

        An episode whose beginning was not recorded is left out.  On a device there are none yet:
        they come with :meth:`collect`.
        """
        rows = self._rows
        record = step.record[rows]
        ends = step.first[rows], step.terminated[rows], step.truncated[rows]
        if self._on_device:
            xp: Any = self._simulator.xp
            flags = xp.astype(xp.stack(ends, axis=1), record.dtype)
            # One block, because each transfer costs about the same whatever its size.
            self._waiting.append(xp.concat((record, flags), axis=1))
            return []
        return self._record(record, *ends)

    def collect(self) -> list[tuple[int, Episode]]:
        """The episodes that ended on a device since the last time, by environment.

        Waits for the device.
        """
        self._fetch()
        ended, self._ended = self._ended, []
        return ended

    def _fetch(self) -> None:
        if not self._waiting:
            return
        block = on_host(self._simulator.xp.stack(self._waiting))
        self._waiting = []
        for rows in block:
            record, flags = np.split(rows, [self._records.shape[2]], axis=1)
            self._ended += self._record(record, *(flags.T > 0))

    def _record(
        self,
        record: np.ndarray,
        first: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
    ) -> list[tuple[int, Episode]]:
        place = self._now % self._steps
        self._records[:, place] = record
        self._begin[first] = self._now
        self._now += 1
        ended = np.flatnonzero(np.logical_or(terminated, truncated)).tolist()
        return [
            (int(self._watched[row]), self._episode(row, bool(terminated[row])))
            for row in ended
            if self._begin[row] >= 0
        ]

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """The unfinished episodes of some environments, as arrays with leading axis ``E``.

        ``E`` counts the watched ones among them.  On a device this waits for it.
        """
        self._fetch()
        environments = self._places(environments)
        begin = self._begin[environments]
        length = np.where(begin < 0, 0, self._now - begin)
        rows = np.arange(self._now - length.max(initial=0), self._now) % self._steps
        return {
            "records": self._records[environments, rows],
            "length": np.where(begin < 0, -1, length),
        }

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Go on with the episodes of a snapshot in those environments."""
        self._fetch()
        environments = self._places(environments)
        length = snapshot["length"]
        count = snapshot["records"].shape[1]
        rows = np.arange(self._now - count, self._now) % self._steps
        self._records[environments, rows] = snapshot["records"]
        self._begin[environments] = np.where(length < 0, -1, self._now - length)

    def _places(self, environments: slice) -> slice:
        """Where the watched ones among some environments are kept."""
        begin, end, _ = environments.indices(self._simulator.num_envs)
        return slice(*np.searchsorted(self._watched, (begin, end)).tolist())

    def _episode(self, index: int, terminated: bool) -> Episode:
        rows = np.arange(self._begin[index], self._now) % self._steps
        variables = self._simulator.host_variables_at(self._records[index, rows])
        return Episode(
            variables=variables,
            action=np.ascontiguousarray(variables[ACTION]),
            terminated=terminated,
            control_step=self._simulator.control_step,
        )


def rollout_episodes(
    simulator: Simulator, policy: Policy, episodes: int, seed: int | Sequence[int]
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
    recorder = EpisodeRecorder(simulator, range(episodes))
    found: dict[int, Episode] = {}
    steps = 0
    while len(found) < episodes:
        step = simulator.step(policy(observation))
        observation = step.observation
        steps += 1
        ended = recorder.record(step)
        if steps % COLLECT_EVERY == 0:
            ended += recorder.collect()
        for index, episode in ended:
            found.setdefault(index, episode)
        if ended:
            simulator.rest([index for index, _ in ended])
    return [found[index] for index in range(episodes)]


def not_finite(task: Task, values: Mapping[str, np.ndarray]) -> str | None:
    """Which variable an environment of others made NaN or infinite, as one line; None where none.

    MuJoCo's own simulators end an episode before that.
    """
    if task.environment is None:
        return None
    for name, variable in task.variables.items():
        if isinstance(variable.binding, Derived) or name not in values:
            continue
        if not np.isfinite(values[name]).all():
            return (
                f"{task.environment.id} gave a value that is not finite: variable {name!r} of "
                f"{task.folder / 'task.py'}; choose other options of it, or another environment"
            )
    return None


def random_policy(simulator: Simulator, rng: np.random.Generator) -> Policy:
    """Uniformly random actions, whatever is observed."""
    space, xp, placement = simulator.action_space, simulator.xp, simulator.placement
    return lambda observation: xp.asarray(space.random(rng, len(observation)), **placement)
