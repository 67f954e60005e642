"""The GPU simulator: MuJoCo Warp steps thousands of environments, and nothing leaves the device.

A control step is a few CUDA graphs and some dozens of small PyTorch kernels; the host only
launches them, and never waits for a result.  That rules out drawing initial states when an
episode ends: they come from pools that are drawn when the simulator is reset.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import array_api_compat.torch
import mujoco
import numpy as np
import torch

from reward_synth.errors import DeviceMemoryError, UserError
from reward_synth.simulation.actions import ACTION, ActionSpace
from reward_synth.simulation.extras import Extras
from reward_synth.simulation.initial import (
    Drawn,
    InitialStates,
    check_terminated,
    seed_groups,
    silence_warnings,
)
from reward_synth.simulation.interface import Step
from reward_synth.simulation.model import CAPABILITIES, build_model
from reward_synth.simulation.rollout import on_host
from reward_synth.simulation.sight import Moment, Sight
from reward_synth.simulation.variables import (
    Variables,
    check_variables,
    make_readers,
    reward_inputs,
)
from reward_synth.simulation.warp_physics import WarpPhysics, load_warp
from reward_synth.task import Task

LARGEST_STATE = mujoco.mjMAXVAL
"""MuJoCo calls a state beyond it bad, and so does this."""
POOL_SIZE = 1024
"""Initial states that a group of up to so many environments draws from; larger groups have the
next power of two."""
POOL_STRIDE = 389
"""An environment's next episode starts so many rows further.  It is odd, and the pool's size a
power of two, so that an environment sees every row before it sees one again."""


class WarpSimulator:
    """:class:`reward_synth.simulation.interface.Simulator` on MuJoCo Warp and PyTorch.

    Arrays are float32 tensors on the device.  Each step makes new ones, so whoever holds an
    earlier step keeps its values.

    Episode ``e`` of the ``i``-th environment of a group with seed ``s`` starts as that seed's
    environment ``(i + 389 e) mod P`` starts on the CPU, where ``P`` is 1024, or the next power
    of two for a group that is larger.  First episodes therefore start as they do on the CPU.

    An environment whose physics diverges (a state that is not finite or beyond 1e10)
    terminates: it reports the state before that step, and starts anew.  An action entry that is
    NaN counts as 0, an infinite one as ±1.

    On the CPU device the same calls give the same bits.  On CUDA contacts are found in no fixed
    order and summed in the order found, so that two runs agree to rounding until chaos takes
    over; a group does not depend on its neighbours beyond that.

    Args:
        task: what is simulated.
        num_envs: environments that advance together.
        device: "cuda:K", "cuda" (the first), or "cpu" for Warp's own CPU device, which is slow
            and meant for tests.

    Raises:
        UserError: the task's model, variables, reset or termination are wrong or need what
            MuJoCo Warp lacks, or there is no such device.
        DeviceMemoryError: the device has too little memory for so many environments.  So do
            ``reset`` and ``step``; nothing is kept on the device then, and the simulator closed.
    """

    capabilities = CAPABILITIES

    def __init__(self, task: Task, num_envs: int, *, device: str = "cuda:0") -> None:
        if num_envs < 1:
            raise ValueError("num_envs must be at least 1")
        device = "cuda:0" if device == "cuda" else device
        load_warp(device)  # says what is wrong with a device before anything is put there
        silence_warnings()
        bound = build_model(task)
        model = bound.model
        self.task = task
        self.num_envs = num_envs
        self.device = device
        self.xp: Any = array_api_compat.torch
        self.placement: Mapping[str, Any] = {"device": device}
        self.model = model
        self.action_size = int(model.nu)
        self.action_space = ActionSpace("continuous", self.action_size)
        self.control_step = float(model.opt.timestep) * task.frame_skip
        self._state_size = int(model.nq + model.nv + model.na)
        """Entries of ``qpos``, ``qvel`` and activations, with which a record begins."""
        self._without_action = self._state_size + int(model.nsensordata)

        self._initial = InitialStates(task, model)
        self._extras = Extras(
            task,
            model,
            bound.entries,
            self._initial,
            self._without_action + self.action_size,
            self.xp,
            self.placement,
        )
        self.record_size = self._extras.end
        self.action_entries = self._extras.map.entries
        entries = self._extras.entries
        offsets = {
            "qpos": 0,
            "qvel": int(model.nq),
            "act": int(model.nq + model.nv),
            "sensordata": self._state_size,
            ACTION: self._without_action,
            **self._extras.offsets,
        }
        self._host_readers = make_readers(task, entries, offsets)
        examples = self._start_records(self._initial.examples())
        self.variable_sizes: Mapping[str, int | None] = check_variables(
            task, self.host_variables_at(examples)
        )

        self._physics: WarpPhysics | None = None
        where = str(task.folder / "task.py")
        self._guarded(self._allocate, where)
        self._readers = make_readers(task, entries, offsets, self.xp, self.placement)
        self._sight = Sight(task, entries, offsets, self.variable_sizes, self.xp, self.placement)
        self.observation_size = self._sight.size
        self.critic_observation_size = self._sight.critic_size
        self._check_on_device(examples)

    def _allocate(self, where: str) -> None:
        count, task = self.num_envs, self.task
        variation = self._initial.variation
        varied = () if variation is None else variation.fields
        self._physics = WarpPhysics(self.model, count, task.frame_skip, self.device, where, varied)
        self._seed = np.zeros(count, np.int64)
        self._index = np.arange(count)
        self._size = np.full(count, POOL_SIZE)
        self._pools: dict[tuple[int, int], int] = {}
        """First row of each pool, by seed and size."""
        self._pool: tuple[torch.Tensor, ...] = ()
        """Records, resampled parameters, pushes and fields of the model that the episodes of all
        pools start with or have ahead, one below the other."""
        not_physics = np.arange(self.record_size) >= self._without_action
        self._not_physics = self._tensor(not_physics, torch.bool)
        self._row = self._tensor(np.zeros(count), torch.int64)
        self._stop = self._tensor(np.zeros(count), torch.int64)
        self._episode = self._tensor(np.zeros(count), torch.int64)
        self._elapsed = self._tensor(np.zeros(count), torch.int64)
        self._first = self._step_first = self._tensor(np.ones(count), torch.bool)
        self._start: torch.Tensor | None = None
        """Records that the next step starts from."""
        self._seen: torch.Tensor | None = None
        """What the policy sees of them."""
        self._variables: Variables | None = None
        self._previous_variables: Variables | None = None

    # --- the interface ---------------------------------------------------------------------

    def reset(self, seed: int | Sequence[int]) -> torch.Tensor:
        """Start every environment anew; see the interface.  Seeds are not negative."""
        return self._guarded(self._reset, *seed_groups(seed, self.num_envs))

    def step(self, action: torch.Tensor) -> Step:
        """Advance one control step; see the interface.  The host does not wait for it."""
        return self._guarded(self._step, action)

    def rest(self, environments: Sequence[int]) -> None:
        """Nothing is saved here: a graph steps all environments."""

    def observe(self) -> torch.Tensor:
        """Observations of the states that the next step starts from."""
        assert self._seen is not None
        return self._seen

    def critic_observe(self) -> torch.Tensor | None:
        """What the value function sees of them; None where that is what the policy sees."""
        assert self._start is not None
        return self._sight.critic(self.variables_at(self._start))

    def reward_inputs(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        """Arguments for a reward program at the last step; see the interface."""
        return reward_inputs(
            names, self._variables, self._previous_variables, self._step_first, self.xp
        )

    def variables_at(self, record: torch.Tensor) -> Variables:
        """The task's variables on records ``(M, r)``."""
        return Variables(self._readers, record)

    def host_variables_at(self, record: np.ndarray) -> Variables:
        """:meth:`variables_at` on NumPy arrays, in NumPy's float64."""
        return Variables(self._host_readers, np.asarray(record, np.float64))

    def snapshot(self, environments: slice) -> dict[str, np.ndarray]:
        """All that decides how those environments go on; see the interface."""
        everything = self._everything() | {"reached": self._reached()}
        rows = {name: value[environments] for name, value in everything.items()}
        return {name: on_host(value).copy() for name, value in rows.items()}

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Put environments back to where they were; see the interface."""
        if self._start is None:
            self.reset(0)
        # Copies: whoever holds an earlier step still looks at its tensors.
        assert self._start is not None
        assert self._seen is not None
        self._start, self._first = self._start.clone(), self._first.clone()
        self._seen = self._seen.clone()
        for name, value in self._everything().items():
            if isinstance(value, torch.Tensor):
                value[environments] = self._tensor(snapshot[name], value.dtype)
            else:
                value[environments] = snapshot[name]
        self._draw_pools()
        self._write(self._start)
        # At an episode's first step the values before do not matter; else they are these.
        reached = self._reached().clone()
        reached[environments] = self._tensor(snapshot["reached"])
        self._variables = self.variables_at(reached)

    def _reached(self) -> torch.Tensor:
        """Records that the last step reached; those that the next one starts from before any."""
        assert self._start is not None
        return self._start if self._variables is None else self._variables.record

    def overflow(self) -> str | None:
        """What did not fit into the room made for contacts, in words; None if all did.

        It is also warned of, once.  Waits for the device.
        """
        assert self._physics is not None
        return self._physics.overflow()

    def close(self) -> None:
        """Let go of the device's memory.  Closing twice is harmless."""
        if self._physics is not None:
            self._physics.close()
        self._release()

    # --- stepping --------------------------------------------------------------------------

    def _reset(self, seeds: np.ndarray, group: int) -> torch.Tensor:
        assert self._physics is not None
        self._seed = np.repeat(seeds, group)
        self._index = np.tile(np.arange(group), len(seeds))
        size = max(POOL_SIZE, 1 << (group - 1).bit_length())
        self._size = np.full(self.num_envs, size)
        self._pools = {}
        self._pool = ()
        self._draw_pools()
        self._episode = torch.zeros_like(self._episode)
        self._elapsed = torch.zeros_like(self._elapsed)
        self._first = torch.ones_like(self._first)
        self._start, *_ = self._episodes()
        self._physics.warmstart.zero_()
        self._physics.time.zero_()
        self._write(self._start)
        self._variables = self._previous_variables = None
        self._seen = self._sight.begin(self.variables_at(self._start), self._moment())
        return self.observe()

    def _step(self, action: torch.Tensor) -> Step:
        start, physics = self._start, self._physics
        if start is None or physics is None:
            raise RuntimeError("reset the simulator before its first step")
        given = torch.as_tensor(action, dtype=torch.float32, device=self.device)
        expected = (self.num_envs, self.action_size)
        if tuple(given.shape) != expected:
            raise ValueError(f"action has shape {tuple(given.shape)}, not {expected}")
        applied = torch.nan_to_num(given, nan=0.0, posinf=1.0, neginf=-1.0).clamp_(-1.0, 1.0)
        extras = self._extras
        control, filtered = extras.map(applied, start[:, extras.filter])
        physics.ctrl.copy_(control)
        physics.advance()

        parts = [physics.qpos, physics.qvel, physics.act, physics.sensordata, applied]
        if extras.end > extras.kept.start:
            parts += [
                filtered,
                control[:, : extras.control.stop - extras.control.start],
                start[:, extras.parameters.start :],
            ]
        record = torch.cat(parts, dim=1)
        # A comparison with NaN is false.
        sound = (record[:, : self._state_size].abs() < LARGEST_STATE).all(dim=1)
        record = torch.where(sound[:, None] | self._not_physics, record, start)
        if extras.memory.size:
            extras.memory.update(record, start, self._readers)

        variables = self.variables_at(record)
        self._previous_variables, self._variables = self._variables, variables
        self._step_first = first = self._first
        terminated = self.task.terminated(variables, self.xp) | ~sound
        elapsed = self._elapsed + 1
        truncated = (elapsed >= self.task.episode_steps) & ~terminated
        ended = terminated | truncated
        before, sight = self._seen, self._sight
        assert before is not None
        self._elapsed = elapsed
        final_observation = sight.follow(before, variables, self._moment())
        final_critic = sight.critic(variables)

        self._episode = self._episode + ended
        self._elapsed = elapsed.masked_fill(ended, 0)
        initial, schedule, pushes, *_ = self._episodes()
        self._start = torch.where(ended[:, None], initial, record)
        self._happen(self._start, ended, schedule, pushes)
        physics.warmstart.masked_fill_(ended[:, None], 0.0)
        physics.time.masked_fill_(ended, 0.0)
        self._write(self._start)
        begun = self.variables_at(self._start)
        observation = sight.begin(begun, self._moment())
        if sight.history > 1:
            goes_on = sight.follow(before, begun, self._moment())
            observation = torch.where(ended[:, None], observation, goes_on)
        self._seen, self._first = observation, ended
        return Step(
            record=record,
            variables=variables,
            observation=observation,
            final_observation=final_observation,
            terminated=terminated,
            truncated=truncated,
            first=first,
            critic_observation=sight.critic(begun),
            final_critic_observation=final_critic,
        )

    def _happen(
        self,
        start: torch.Tensor,
        ended: torch.Tensor,
        schedule: torch.Tensor,
        pushes: torch.Tensor,
    ) -> None:
        """Resample parameters and push, in episodes that go on, in ``start``."""
        task, elapsed = self.task, self._elapsed
        if task.resampled is not None:
            due = ~ended & (elapsed % task.resampled.every == 0)
            values = _at(schedule, elapsed // task.resampled.every)
            columns = start[:, self._extras.resampled]
            start[:, self._extras.resampled] = torch.where(due[:, None], values, columns)
        if task.pushes is not None and self._initial.pushes:
            due = ~ended & (elapsed % task.pushes.every == 0)
            change = _at(pushes, elapsed // task.pushes.every - 1)
            begin = int(self.model.nq) + self._initial.push_columns[0]
            start[:, begin : begin + 2] += torch.where(due[:, None], change, 0.0)

    def _write(self, record: torch.Tensor) -> None:
        """Put the states of records into the physics."""
        physics, nq = self._physics, self.model.nq
        assert physics is not None
        physics.qpos.copy_(record[:, :nq])
        physics.qvel.copy_(record[:, nq : nq + self.model.nv])
        physics.act.copy_(record[:, nq + self.model.nv : self._state_size])
        if physics.mocap:
            poses = record[:, self._extras.mocap]
            end = 3 * self.model.nmocap
            physics.mocap[0].copy_(poses[:, :end].unflatten(1, (-1, 3)))
            physics.mocap[1].copy_(poses[:, end:].unflatten(1, (-1, 4)))
        if physics.fields:
            # Which environments begin a new episode is known on the device alone.
            _, _, _, *fields = self._episodes()
            for tensor, values in zip(physics.fields.values(), fields, strict=True):
                tensor.copy_(values.view(tensor.shape))

    # --- initial states --------------------------------------------------------------------

    def _episodes(self) -> list[torch.Tensor]:
        """What each environment's present episode starts from and has ahead: the parts of a pool.

        For all environments: which of them start anew is known on the device alone.
        """
        row = self._row + (self._index_on_device + self._episode * POOL_STRIDE) % self._stop
        return [part.index_select(0, row) for part in self._pool]

    def _draw_pools(self) -> None:
        """Draw the pools that are not there yet, and point each environment to its own."""
        keys = list(zip(self._seed.tolist(), self._size.tolist(), strict=True))
        missing = [key for key in dict.fromkeys(keys) if key not in self._pools]
        parts = [self._pool] if self._pool else []
        begin = len(self._pool[0]) if self._pool else 0
        for seed, size in missing:
            names = np.zeros((size, 3), np.int64)
            names[:, 0], names[:, 1] = seed, np.arange(size)
            drawn = self._initial(names)
            drawn_parts = (drawn.schedule, drawn.pushes, *drawn.fields.values())
            parts.append(
                (self._tensor(self._start_records(drawn)), *map(self._tensor, drawn_parts))
            )
            self._pools[seed, size] = begin
            begin += size
        self._pool = tuple(torch.cat(part) for part in zip(*parts, strict=True))
        self._row = self._tensor(np.array([self._pools[key] for key in keys]), torch.int64)
        self._stop = self._tensor(self._size, torch.int64)
        self._index_on_device = self._tensor(self._index, torch.int64)
        self._seed_on_device = self._tensor(self._seed, torch.int64)

    def _start_records(self, drawn: Drawn) -> np.ndarray:
        """Records ``(M, r)`` of MuJoCo's states, which begin with time; the action before the
        first one counts as 0."""
        action = np.zeros((len(drawn.states), self.action_size))
        state = drawn.states[:, 1 : 1 + self._state_size]
        return np.concatenate((state, drawn.sensors, action, self._extras.start(drawn)), axis=1)

    def _moment(self) -> Moment:
        """When it is in each environment's episode, for noise."""
        return self._seed_on_device, self._index_on_device, self._episode, self._elapsed

    # --- the device ------------------------------------------------------------------------

    def _everything(self) -> dict[str, Any]:
        """What decides how environments go on, with leading axis ``N``."""
        physics = self._physics
        if self._start is None or physics is None:
            raise RuntimeError("reset the simulator before a snapshot")
        return {
            "record": self._start,
            "seen": self._seen,
            "warmstart": physics.warmstart,
            "time": physics.time,
            "seed": self._seed,
            "index": self._index,
            "pool": self._size,
            "episode": self._episode,
            "elapsed": self._elapsed,
            "first": self._first,
        }

    def _tensor(self, values: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.tensor(values, dtype=dtype, device=self.device)

    def _check_on_device(self, examples: np.ndarray) -> None:
        """Try the task's functions on tensors: NumPy may have let something pass."""
        variables = self.variables_at(self._tensor(examples))
        where = self.task.folder / "task.py"
        for name, size in self.variable_sizes.items():
            try:
                shape = tuple(variables[name].shape)
            except Exception as error:
                raise UserError(
                    f"{where}: variable {name!r} raised {type(error).__name__} on tensors of "
                    f"{self.device}: {error}; it may use xp and plain numbers alone"
                ) from error
            if shape[1:] != (() if size is None else (size,)):
                raise UserError(
                    f"{where}: variable {name!r} gives shape {shape} on tensors, other than on "
                    "NumPy's arrays"
                )
        check_terminated(self.task, variables, self.xp)

    def _guarded(self, function: Any, *arguments: Any) -> Any:
        """Call it; raises DeviceMemoryError, holding on to nothing, when memory runs out."""
        try:
            return function(*arguments)
        except (MemoryError, RuntimeError) as error:
            if not _ran_out_of_memory(error):
                raise
        # Outside of the handler: an error's traceback would keep tensors alive.
        self._release()
        if self.device != "cpu":
            torch.cuda.empty_cache()
        raise DeviceMemoryError(
            f"the memory of {self.device} is too small for {self.num_envs} environments of "
            f"{self.task.name}; train with fewer"
        )

    def _release(self) -> None:
        self._physics = self._start = None
        self._variables = self._previous_variables = None
        for name, value in list(vars(self).items()):
            if isinstance(value, torch.Tensor):
                delattr(self, name)
        self._pool = ()


def _at(table: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Rows ``(N, q)`` of tables ``(N, C, q)``, each at its own count, which is kept within it."""
    index = count.clamp(0, table.shape[1] - 1)[:, None, None].expand(-1, 1, table.shape[2])
    return table.gather(1, index)[:, 0]


def _ran_out_of_memory(error: Exception) -> bool:
    """Whether an error says so; Warp's and PyTorch's on the processor have no type of their own."""
    said = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in said for words in ("out of memory", "failed to allocate", "can't allocate memory")
    )
