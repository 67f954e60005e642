"""The CPU simulator: a batch of environments stepped by ``mujoco.rollout`` on a thread pool.

One call of the pool advances every environment by one control step; everything around it is
vectorised over environments, so that physics is what time goes into.  ``rollout`` starts each
call from the states alone (time, qpos, qvel, activations) with no constraint-solver warm start,
which is why an environment's numbers cannot depend on its neighbours or on the thread count.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np
from mujoco.rollout import Rollout

from reward_synth.simulation.actions import ACTION, ActionSpace
from reward_synth.simulation.extras import Extras
from reward_synth.simulation.initial import (
    POSE,
    Drawn,
    InitialStates,
    check_terminated,
    seed_groups,
    silence_warnings,
)
from reward_synth.simulation.interface import Step
from reward_synth.simulation.model import CAPABILITIES, build_model
from reward_synth.simulation.randomisation import set_fields
from reward_synth.simulation.sight import Moment, Sight
from reward_synth.simulation.variables import (
    Variables,
    check_variables,
    make_readers,
    reward_inputs,
)
from reward_synth.task import Task

_CONTROL = int(mujoco.mjtState.mjSTATE_CTRL.value)
_MOCAP = int(mujoco.mjtState.mjSTATE_MOCAP_POS.value | mujoco.mjtState.mjSTATE_MOCAP_QUAT.value)
_LARGEST_STATE = mujoco.mjMAXVAL
"""MuJoCo calls a state beyond it bad, and so does this."""


class MujocoSimulator:
    """:class:`reward_synth.simulation.interface.Simulator` on MuJoCo and NumPy.

    Arrays are float64.  Variables are read-only and computed when first asked for.

    An environment whose physics diverges (a state that is not finite or beyond 1e10, or any
    warning of MuJoCo's that stopped the step) terminates: it reports the state before that
    step, and starts anew.  An action entry that is NaN counts as 0, an infinite one as ±1.

    Args:
        task: what is simulated.
        num_envs: environments that advance together.
        threads: threads of the pool; results do not depend on it.

    Raises:
        UserError: the task's model, variables, reset or termination are wrong.
    """

    capabilities = CAPABILITIES

    def __init__(self, task: Task, num_envs: int, *, threads: int = 1) -> None:
        if num_envs < 1 or threads < 1:
            raise ValueError("num_envs and threads must be at least 1")
        bound = build_model(task)
        model = bound.model
        self.task = task
        self.num_envs = num_envs
        self.xp: Any = np
        self.placement: Mapping[str, Any] = {}
        self.model = model
        self.action_size = int(model.nu)
        self.action_space = ActionSpace("continuous", self.action_size)
        self.control_step = float(model.opt.timestep) * task.frame_skip

        threads = min(threads, num_envs)
        silence_warnings()
        # One thread needs no pool: rollouts then run on the calling thread.
        self._rollout = Rollout(nthread=0 if threads == 1 else threads)
        self._data = [mujoco.MjData(model) for _ in range(threads)]
        self._initial = InitialStates(task, model)
        self._vary = self._initial.variation is not None
        # Each environment's own, where they differ; rollout takes one for each.
        self._models = [copy.copy(model) if self._vary else model for _ in range(num_envs)]

        state_size = self._initial.state_size
        sensors = state_size + int(model.nsensordata)
        self._state = slice(0, state_size)
        self._sensors = slice(state_size, sensors)
        self._applied = slice(sensors, sensors + self.action_size)
        """Where a record holds MuJoCo's state, the sensors' values and the action."""
        self._extras = Extras(task, model, bound.entries, self._initial, self._applied.stop)
        self.record_size = self._extras.end
        self.action_entries = self._extras.map.entries
        steps = task.frame_skip
        self._given = _CONTROL | (_MOCAP if model.nmocap else 0)
        self._control = np.empty((num_envs, steps, model.nu + POSE * model.nmocap))
        self._state_out = np.empty((num_envs, steps, state_size))
        self._sensor_out = np.empty((num_envs, steps, model.nsensordata))

        self._velocity = 1 + model.nq
        self._eventful = task.resampled is not None or task.pushes is not None
        offsets = {
            "qpos": 1,
            "qvel": 1 + model.nq,
            "sensordata": self._sensors.start,
            "act": 1 + model.nq + model.nv,
            ACTION: self._applied.start,
            **self._extras.offsets,
        }
        self._readers = make_readers(task, self._extras.entries, offsets)
        self._seed = np.zeros(num_envs, np.int64)
        self._index = np.arange(num_envs)
        self._episode = np.zeros(num_envs, np.int64)
        self._elapsed = np.zeros(num_envs, np.int64)
        self._start: np.ndarray | None = None
        """Records that the next step starts from."""
        self._seen: np.ndarray | None = None
        """What the policy sees of them."""
        self._schedule = np.empty((num_envs, self._initial.draws, self._initial.resampled_count))
        self._pushes = np.empty((num_envs, self._initial.pushes, 2))
        """Of each environment's present episode: resampled parameters and changes of velocity."""
        self._resting: np.ndarray | None = None
        self._variables: Variables | None = None
        self._previous_variables: Variables | None = None
        self._first = np.ones(num_envs, bool)
        self._step_first = self._first
        self._any_first = True
        records = self._start_records(self._initial.examples())
        examples = self.variables_at(records)
        self.variable_sizes: Mapping[str, int | None] = check_variables(task, examples)
        check_terminated(task, examples)
        self._extras.memory.update(records.copy(), records, self._readers)
        self._sight = Sight(task, self._extras.entries, offsets, self.variable_sizes)
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
        self._start = self._drawn(slice(None))
        self._variables = self._previous_variables = None
        self._seen = self._sight.begin(self.variables_at(self._start), self._moment())
        return self.observe()

    def observe(self) -> np.ndarray:
        """Observations of the states that the next step starts from."""
        assert self._seen is not None
        return self._seen.copy()

    def critic_observe(self) -> np.ndarray | None:
        """What the value function sees of them; None where that is what the policy sees."""
        assert self._start is not None
        return self._sight.critic(self.variables_at(self._start))

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """All that decides how those environments go on; see the interface."""
        if self._start is None:
            raise RuntimeError("reset the simulator before a snapshot")
        everything = {
            "record": self._start,
            "seen": self._seen,
            # Where something happens between two steps, they start elsewhere than they ended.
            "reached": self._reached() if self._eventful else None,
            "seed": self._seed,
            "index": self._index,
            "episode": self._episode,
            "elapsed": self._elapsed,
            "first": self._first,
        }
        return {
            name: array[environments].copy()
            for name, array in everything.items()
            if array is not None
        }

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Put environments back to where they were; see the interface."""
        if self._start is None:
            self.reset(0)
        assert self._start is not None and self._seen is not None
        # Copies: whoever holds an earlier step still looks at its arrays.
        self._start, self._seen = self._start.copy(), self._seen.copy()
        self._first = self._first.copy()
        for array, name in (
            (self._start, "record"),
            (self._seen, "seen"),
            (self._seed, "seed"),
            (self._index, "index"),
            (self._episode, "episode"),
            (self._elapsed, "elapsed"),
            (self._first, "first"),
        ):
            array[environments] = snapshot[name]
        if self._eventful or self._vary:
            self._drawn(environments)  # what is scheduled for the episode follows from its name
        # At an episode's first step the values before do not matter; else they are these.
        reached = self._reached().copy()
        reached[environments] = snapshot.get("reached", snapshot["record"])
        self._variables = self.variables_at(reached)

    def _reached(self) -> np.ndarray:
        """Records that the last step reached; those that the next one starts from before any."""
        assert self._start is not None
        return self._start if self._variables is None else self._variables.record

    def step(self, action: np.ndarray) -> Step:
        """Advance one control step; see the interface."""
        start = self._start
        if start is None:
            raise RuntimeError("reset the simulator before its first step")
        applied = np.array(action, np.float64)
        if applied.shape != (self.num_envs, self.action_size):
            expected = (self.num_envs, self.action_size)
            raise ValueError(f"action has shape {applied.shape}, not {expected}")
        np.clip(applied, -1.0, 1.0, out=applied)
        if np.isnan(applied.sum()):
            np.nan_to_num(applied, copy=False, nan=0.0)
        extras = self._extras
        control, filtered = extras.map(applied, start[:, extras.filter])
        self._control[:, :, : self.action_size] = control[:, None, :]
        if self.model.nmocap:
            self._control[:, :, self.action_size :] = start[:, None, extras.mocap]

        record = self._advance(start)
        diverged = self._diverged(start[:, self._state], record[:, self._state])
        if diverged is not None:
            record[diverged] = start[diverged]
        record[:, self._applied] = applied
        if extras.end > self._applied.stop:
            record[:, extras.kept] = start[:, extras.kept]
            record[:, extras.filter] = filtered
            record[:, extras.control] = control[:, : extras.control.stop - extras.control.start]
            if extras.memory.size:
                extras.memory.update(record, start, self._readers)

        variables = self.variables_at(record)
        self._previous_variables, self._variables = self._variables, variables
        self._elapsed += 1
        self._step_first = first = self._first
        self._any_first = bool(first.any())
        terminated = np.array(self.task.terminated(variables, np), bool)
        if diverged is not None:
            terminated |= diverged
        truncated = (self._elapsed >= self.task.episode_steps) & ~terminated
        if self._resting is not None:
            terminated &= ~self._resting
            truncated &= ~self._resting
        ended = terminated | truncated
        assert self._seen is not None
        before = self._seen
        final_observation = self._sight.follow(before, variables, self._moment())
        final_critic = self._sight.critic(variables)
        observation = final_observation.copy()
        critic = None if final_critic is None else final_critic.copy()
        self._start = record
        changed = self._happen(ended, before, observation) if self._eventful else None
        if ended.any():
            changed = self._restart(np.flatnonzero(ended), observation, changed)
        if critic is not None and changed is not None and len(changed):
            critic[changed] = self._sight.critic(self.variables_at(self._start[changed]))
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

    def _advance(self, start: np.ndarray) -> np.ndarray:
        """Records one control step later, but for the action; those that rest stay as they are."""
        rest = self._resting
        rows = slice(None) if rest is None else np.flatnonzero(~rest)
        count = self.num_envs if rest is None else int((~rest).sum())
        if count:
            self._rollout.rollout(
                self._awake(rows) if self._vary else self._models[:count],
                self._data,
                np.ascontiguousarray(start[rows, self._state]),
                self._control[rows],
                control_spec=self._given,
                skip_checks=True,
                nstep=self.task.frame_skip,
                state=self._state_out[:count],
                sensordata=self._sensor_out[:count],
                chunk_size=-(-count // len(self._data)),
            )
        record = np.empty_like(start) if rest is None else start.copy()
        record[rows, self._state] = self._state_out[:count, -1]
        record[rows, self._sensors] = self._sensor_out[:count, -1]
        return record

    def rest(self, environments: Sequence[int]) -> None:
        """Stop stepping environments until the next reset; see the interface."""
        if self._resting is None:
            self._resting = np.zeros(self.num_envs, bool)
        self._resting[list(environments)] = True

    def reward_inputs(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Arguments for a reward program at the last step; see the interface."""
        return reward_inputs(
            names,
            self._variables,
            self._previous_variables,
            self._step_first if self._any_first else None,
        )

    def variables_at(self, record: np.ndarray) -> Variables:
        """The task's variables on records ``(M, r)``."""
        return Variables(self._readers, record)

    host_variables_at = variables_at

    def poses(self, record: np.ndarray | None = None) -> np.ndarray:
        """Generalised positions and mocap poses ``(M, nq + 7 nmocap)`` of records; of those that
        the next step starts from if None."""
        record = self._start if record is None else record
        assert record is not None
        return np.concatenate(
            (record[:, 1 : 1 + self.model.nq], record[:, self._extras.mocap]), axis=1
        )

    def close(self) -> None:
        """Release the thread pool.  Closing twice is harmless."""
        if self._rollout.rollout_ is not None:
            self._rollout.close()
        self._start = None

    # --- resets ----------------------------------------------------------------------------

    def _names(self, environments: Any = slice(None)) -> np.ndarray:
        """``(M, 3)``: seed, index and episode, which decide an episode's initial state."""
        return np.stack((self._seed, self._index, self._episode), axis=1)[environments]

    def _restart(
        self, ended: np.ndarray, observation: np.ndarray, changed: np.ndarray | None
    ) -> np.ndarray:
        """Begin the next episode of environments ``ended``, writing their observations.

        Gives the environments that do not go on from where they were, ``changed`` among them.
        """
        assert self._start is not None
        self._episode[ended] += 1
        self._elapsed[ended] = 0
        records = self._drawn(ended)
        observation[ended] = self._sight.begin(self.variables_at(records), self._moment(ended))
        # A copy: the step's variables still look at the records that were reached.
        self._start = self._start.copy()
        self._start[ended] = records
        return ended if changed is None else np.union1d(changed, ended)

    def _happen(self, ended: np.ndarray, before: np.ndarray, observation: np.ndarray) -> np.ndarray:
        """Resample parameters and push, in episodes that go on; gives the environments."""
        assert self._start is not None
        task, going = self.task, ~ended
        if self._resting is not None:
            going &= ~self._resting
        start = self._start.copy()
        changed = np.zeros(self.num_envs, bool)
        if task.resampled is not None:
            due = np.flatnonzero(going & (self._elapsed % task.resampled.every == 0))
            count = self._elapsed[due] // task.resampled.every
            start[due, self._extras.resampled] = self._schedule[due, count]
            changed[due] = True
        if task.pushes is not None:
            due = np.flatnonzero(going & (self._elapsed % task.pushes.every == 0))
            count = self._elapsed[due] // task.pushes.every - 1
            begin = self._velocity + self._initial.push_columns[0]
            start[due, begin : begin + 2] += self._pushes[due, count]
            changed[due] = True
        rows = np.flatnonzero(changed)
        if len(rows):
            self._start = start
            observation[rows] = self._sight.follow(
                before[rows], self.variables_at(start[rows]), self._moment(rows)
            )
        return rows

    def _drawn(self, environments: Any) -> np.ndarray:
        """Records of the starts of environments' present episodes; keeps what is scheduled."""
        drawn = self._initial(self._names(environments))
        if self._eventful:
            self._schedule[environments], self._pushes[environments] = drawn.schedule, drawn.pushes
        if self._vary:
            for row, k in enumerate(np.arange(self.num_envs)[environments].tolist()):
                set_fields(self._models[k], {name: f[row] for name, f in drawn.fields.items()})
        return self._start_records(drawn)

    def _start_records(self, drawn: Drawn) -> np.ndarray:
        """Records ``(M, r)`` of episodes' starts: the action before the first one counts as 0."""
        action = np.zeros((len(drawn.states), self.action_size))
        parts = (drawn.states, drawn.sensors, action, self._extras.start(drawn))
        return np.concatenate(parts, axis=1)

    def _awake(self, rows: Any) -> list[mujoco.MjModel]:
        """The models of environments, where each has its own."""
        return [self._models[k] for k in np.arange(self.num_envs)[rows].tolist()]

    def _moment(self, environments: Any = slice(None)) -> Moment:
        """When it is in environments' episodes, for noise."""
        parts = (self._seed, self._index, self._episode, self._elapsed)
        seed, index, episode, elapsed = (part[environments] for part in parts)
        return seed, index, episode, elapsed

    def _diverged(self, start: np.ndarray, state: np.ndarray) -> np.ndarray | None:
        """``(N,)`` bool: which environments' physics broke down; None when none did.

        MuJoCo answers a bad state with a reset of its own, and ``rollout`` stops an environment
        at any warning; either way its clock is then not where it should be.
        """
        late = np.abs(state[:, 0] - start[:, 0] - self.control_step)
        if self._resting is not None:
            late[self._resting] = 0.0
        if late.max() < 0.5 * self.model.opt.timestep and np.abs(state).max() < _LARGEST_STATE:
            return None
        on_time = late < 0.5 * self.model.opt.timestep
        return ~(on_time & (np.abs(state) < _LARGEST_STATE).all(axis=1))
