"""Environments that others wrote, behind Gymnasium's interface or EnvPool's, as a simulator.

What an environment gives is read before it is reset, into one record row: the entries of
observation and ``info`` that variables are bound to, its own reward, the action as applied, and the
task's memory.  Episodes end where the environment says so or where the task's time runs out; an
environment that ended is reset at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION
from reward_synth.simulation.initial import seed_groups
from reward_synth.simulation.interface import Capabilities, Step
from reward_synth.simulation.memory import Memory
from reward_synth.simulation.pools import Probe, open_pool, probe_environment
from reward_synth.simulation.pools.layout import RECORD, Layout, reward_bound
from reward_synth.simulation.pools.watchdog import Watchdog
from reward_synth.simulation.sight import Moment, Sight
from reward_synth.simulation.spaces import Actions
from reward_synth.simulation.spec import REMEMBERED
from reward_synth.simulation.variables import (
    Entries,
    Variables,
    check_variables,
    make_readers,
    reward_inputs,
)
from reward_synth.task import Accumulated, Derived, Task, VectorEnvironment


@lru_cache(maxsize=REMEMBERED)
def probed(task: Task) -> Probe:
    """What a task's environment is like; seen once for each task object.

    Raises:
        UserError: it cannot be made, hangs or raises.
    """
    assert isinstance(task.environment, VectorEnvironment)
    watch = Watchdog(task.environment.id)
    try:
        return watch(probe_environment, task.environment)
    finally:
        watch.close()


class VectorSimulator:
    """:class:`reward_synth.simulation.interface.Simulator` on environments of others, and NumPy.

    Arrays are float64.  Variables are read-only and computed when first asked for.  Values of an
    environment that are NaN are left as they are: who trains or scores says what they come from.

    EnvPool's episodes after the first also depend on what their environment drew before (see
    :mod:`reward_synth.simulation.pools.envpool`); Gymnasium's depend on seed, index and episode
    alone.

    Args:
        task: whose environment is stepped.
        num_envs: environments that advance together.
        threads: of EnvPool; results do not depend on it.

    Raises:
        UserError: the environment cannot be made, hangs, or lacks what a variable is bound to; the
            task's variables are wrong.
    """

    def __init__(self, task: Task, num_envs: int, *, threads: int = 1) -> None:
        if num_envs < 1 or threads < 1:
            raise ValueError("num_envs and threads must be at least 1")
        environment = task.environment
        assert isinstance(environment, VectorEnvironment)
        self.task = task
        self.num_envs = num_envs
        self.xp: Any = np
        self.placement: Mapping[str, Any] = {}
        self._where = task.folder / "task.py"
        seen = probed(task)
        self.control_step = seen.control_step
        self.capabilities = Capabilities(
            snapshots=False,
            devices=("cpu",),
            video="environment" if seen.renders else "none",
            native_reward=True,
        )
        self._actions = Actions(seen.action_space, environment.id)
        self._bind(Layout(task, seen.observation_space, seen.infos))
        self._check(seen)
        self._pool = open_pool(task, num_envs, threads)
        self._watch = Watchdog(environment.id)

        self._everyone = np.arange(num_envs)
        self._seed = np.zeros(num_envs, np.int64)
        self._index = np.arange(num_envs)
        self._episode = np.zeros(num_envs, np.int64)
        self._elapsed = np.zeros(num_envs, np.int64)
        self._start: np.ndarray | None = None
        """Records that the next step starts from."""
        self._seen: np.ndarray | None = None
        """Observations of them."""
        self._resting: np.ndarray | None = None
        self._variables: Variables | None = None
        self._previous_variables: Variables | None = None
        self._first = np.ones(num_envs, bool)
        self._step_first = self._first

    def _bind(self, layout: Layout) -> None:
        """Decide where everything lies in a record."""
        task = self.task
        self._layout = layout
        self.action_space, self.action_entries = self._actions.space, self._actions.entries
        self.action_size = self.action_space.size
        self._reward = layout.width
        self._applied = slice(self._reward + 1, self._reward + 1 + self.action_size)
        self._memory = Memory(task, self._applied.stop)
        self.record_size = self._applied.stop + self._memory.size
        applied = tuple(range(self._applied.start, self._applied.stop))
        entries = dict(layout.entries)
        entries |= {name: Entries(RECORD, (self._reward,), True) for name in reward_bound(task)}
        entries |= {
            name: Entries(RECORD, tuple(range(columns.start, columns.stop)), scalar)
            for name, (columns, scalar) in self._memory.columns.items()
        }
        entries[ACTION] = Entries(RECORD, applied, False)
        for name, variable in task.variables.items():
            if name not in entries and not isinstance(variable.binding, Derived | Accumulated):
                raise UserError(
                    f"{self._where}: variable {name!r} is bound to a "
                    f"{type(variable.binding).__name__}, which {layout.environment} does not have; "
                    "bind it to Observed, Info, NativeReward, Derived or Accumulated"
                )
        self._entries = entries
        self._readers = make_readers(task, entries, {RECORD: 0})

    def _check(self, seen: Probe) -> None:
        """Try the task's variables on the environment's first observation."""
        layout = self._layout
        values = np.zeros((2, layout.width))
        layout.row(values[0], seen.observation, seen.infos[0], start=True)
        bad = np.flatnonzero(~np.isfinite(values[0]))
        if bad.size:
            leaf = next(
                leaf
                for leaf in (*layout.observed, *layout.informed)
                if leaf.begin <= bad[0] < leaf.begin + leaf.size
            )
            raise UserError(
                f"{layout.environment} begins an episode with a value that is not finite in "
                f"{leaf.label}, entry {bad[0] - leaf.begin}; choose another environment or option"
            )
        values[1] = values[0]
        examples = self._records(values)
        step = examples.copy()
        self._memory.update(step, examples, self._readers)
        self.variable_sizes: Mapping[str, int | None] = check_variables(
            self.task, self.variables_at(examples)
        )
        self._sight = Sight(self.task, self._entries, {RECORD: 0}, self.variable_sizes)
        self.observation_size = self._sight.size
        self.critic_observation_size = self._sight.critic_size

    # --- the interface ---------------------------------------------------------------------

    def reset(self, seed: int | Sequence[int]) -> np.ndarray:
        """Start every environment anew; see the interface.  Seeds are not negative."""
        seeds, group = seed_groups(seed, self.num_envs)
        self._seed = np.repeat(seeds, group)
        self._index = np.tile(np.arange(group), len(seeds))
        self._resting = None
        self._episode[:] = 0
        self._elapsed[:] = 0
        self._first = np.ones(self.num_envs, bool)
        values = self._watch(self._pool.begin, self._layout, self._names()[:, :2])
        self._start = self._records(values)
        self._variables = self._previous_variables = None
        self._seen = self._sight.begin(self.variables_at(self._start), self._moment())
        return self.observe()

    def observe(self) -> np.ndarray:
        """Observations of the states that the next step starts from."""
        assert self._seen is not None
        return self._seen.copy()

    def critic_observe(self) -> np.ndarray | None:
        """What the value function sees of those states."""
        assert self._start is not None
        return self._sight.critic(self.variables_at(self._start))

    def step(self, action: np.ndarray) -> Step:
        """Advance one control step; see the interface."""
        start = self._start
        if start is None:
            raise RuntimeError("reset the simulator before its first step")
        if np.shape(action) != (self.num_envs, self.action_size):
            expected = (self.num_envs, self.action_size)
            raise ValueError(f"action has shape {np.shape(action)}, not {expected}")
        applied = self._actions.applied(action)
        record, terminated, truncated = self._advance(start, applied)
        variables = self.variables_at(record)
        self._previous_variables, self._variables = self._variables, variables
        self._step_first = first = self._first
        self._elapsed += 1
        self._refuse_early(truncated & ~terminated)
        truncated = (self._elapsed >= self.task.episode_steps) & ~terminated
        if self._resting is not None:
            truncated &= ~self._resting
        ended = terminated | truncated
        assert self._seen is not None
        final_observation = self._sight.follow(self._seen, variables, self._moment())
        if self._resting is not None:
            final_observation[self._resting] = self._seen[self._resting]
        final_critic = self._sight.critic(variables)
        observation, critic = final_observation.copy(), final_critic
        self._start = record
        if ended.any():
            rows = np.flatnonzero(ended)
            self._restart(rows)
            begun = self.variables_at(self._start[rows])
            observation[rows] = self._sight.begin(begun, self._moment(rows))
            if final_critic is not None:
                critic = final_critic.copy()
                critic[rows] = self._sight.critic(begun)
        self._seen = observation
        self._first = ended
        return Step(
            record=record,
            variables=variables,
            observation=observation,
            final_observation=final_observation,
            terminated=terminated,
            truncated=truncated,
            first=first,
            critic_observation=critic,
            final_critic_observation=final_critic,
        )

    def rest(self, environments: Sequence[int]) -> None:
        """Stop stepping environments until the next reset; see the interface."""
        if self._resting is None:
            self._resting = np.zeros(self.num_envs, bool)
        self._resting[list(environments)] = True

    def reward_inputs(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Arguments for a reward program at the last step; see the interface."""
        return reward_inputs(names, self._variables, self._previous_variables, self._step_first)

    def variables_at(self, record: np.ndarray) -> Variables:
        """The task's variables on records ``(M, r)``."""
        return Variables(self._readers, record)

    host_variables_at = variables_at

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """Environments of others cannot be put back."""
        raise NotImplementedError(f"{self.task.environment} has no snapshots")

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Environments of others cannot be put back."""
        raise NotImplementedError(f"{self.task.environment} has no snapshots")

    def render(self) -> np.ndarray:
        """A picture ``(H, W, 3)`` uint8 of the first environment, made with
        ``render_mode="rgb_array"``."""
        return self._watch(self._pool.render)

    def close(self) -> None:
        """Release threads and memory, but for what hangs.  Closing twice is harmless."""
        if not self._watch.hanging:
            self._watch(self._pool.close)
            self._watch.close()
        self._start = None

    # --- stepping --------------------------------------------------------------------------

    def _advance(
        self, start: np.ndarray, applied: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Records one step later, and ``(N,)`` which environments terminated and truncated
        themselves; those that rest stay as they are."""
        rows = self._everyone if self._resting is None else np.flatnonzero(~self._resting)
        ends = np.zeros((2, self.num_envs), bool)
        if not len(rows):
            return start.copy(), ends[0], ends[1]
        native = self._actions.native(applied[rows])
        outcome = self._watch(self._pool.step, native, rows)
        record = np.empty((len(rows), self.record_size))
        record[:, : self._reward] = outcome.values
        record[:, self._reward] = outcome.reward
        record[:, self._applied] = applied[rows]
        if self._memory.size:
            self._memory.update(record, start[rows], self._readers)
        ends[0, rows], ends[1, rows] = outcome.terminated, outcome.truncated
        if len(rows) < self.num_envs:
            stepped, record = record, start.copy()
            record[rows] = stepped
        return record, ends[0], ends[1]

    def _restart(self, rows: np.ndarray) -> None:
        """Begin the next episode of those environments."""
        assert self._start is not None
        self._episode[rows] += 1
        self._elapsed[rows] = 0
        values = self._watch(self._pool.restart, rows, self._names()[rows])
        # A copy: the step's variables still look at the records that were reached.
        self._start = self._start.copy()
        self._start[rows] = self._records(values)

    def _records(self, values: np.ndarray) -> np.ndarray:
        """Records ``(M, r)`` of episodes' starts, where reward and action count as 0."""
        records = np.zeros((len(values), self.record_size))
        records[:, : self._reward] = values
        records[:, self._applied.stop :] = self._memory.initial
        return records

    def _names(self) -> np.ndarray:
        """``(N, 3)``: seed, index and episode."""
        return np.stack((self._seed, self._index, self._episode), axis=1)

    def _moment(self, rows: Any = slice(None)) -> Moment:
        """When it is in environments' episodes, for noise."""
        return self._seed[rows], self._index[rows], self._episode[rows], self._elapsed[rows]

    def _refuse_early(self, truncated: np.ndarray) -> None:
        early = truncated & (self._elapsed < self.task.episode_steps)
        if early.any():
            steps = int(self._elapsed[early].min())
            raise UserError(
                f"{self._where}: {self._layout.environment} truncated an episode after {steps} "
                f"steps, before the task's {self.task.episode_steps}; write episode_steps={steps}"
            )
