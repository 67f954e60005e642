"""Environments of mjlab and Isaac Lab as a simulator, on PyTorch tensors of their own device.

A record row holds every bound quantity (Measured, Observed, Info, NativeReward), the action as
applied, and the task's memory, in float32.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import array_api_compat.torch
import numpy as np
import torch

from reward_synth.errors import UserError
from reward_synth.simulation.actions import ACTION, ActionSpace
from reward_synth.simulation.initial import seed_groups
from reward_synth.simulation.interface import Capabilities, Step
from reward_synth.simulation.managed_reading import RECORD, Reading
from reward_synth.simulation.managed_worlds import (
    NO_SEED,
    IsaacWorld,
    MjlabWorld,
    World,
    action_entries,
    open_isaac,
)
from reward_synth.simulation.memory import Memory
from reward_synth.simulation.sight import Sight
from reward_synth.simulation.variables import (
    Entries,
    Variables,
    check_variables,
    make_readers,
    reward_inputs,
)
from reward_synth.task import ManagerBasedEnvironment, NativeReward, Task

PROBED = 2
"""Environments in which variables are tried: more than one, so that shapes can be told apart."""


class ManagedSimulator:
    """:class:`reward_synth.simulation.interface.Simulator` on mjlab and Isaac Lab.

    Actions are within [-1, 1] and go to the environment as they are: its action terms' scales say
    what they mean (``action_entries``).

    With mjlab each seed of a reset has a batch and random draws of its own, so that a group of
    environments is the same alone and among others; within a group, all draw from one
    generator, so that an environment also depends on when its neighbours' episodes end.  Isaac Lab
    allows one batch in a process: there all groups share draws, seeded with the first seed.

    Args:
        task: whose environment is stepped.
        num_envs: environments that advance together.
        device: "cpu", "cuda" (the first) or "cuda:K".
        world: an Isaac Lab environment of ``num_envs`` environments that is open already.

    Raises:
        UserError: the package is missing, or does not know the id or an option; a variable is wrong
            or lacks what it is bound to; ``episode_steps`` is not the environment's.
    """

    def __init__(
        self, task: Task, num_envs: int, *, device: str = "cpu", world: World | None = None
    ) -> None:
        if num_envs < 1:
            raise ValueError("num_envs must be at least 1")
        environment = task.environment
        assert isinstance(environment, ManagerBasedEnvironment)
        self.task = task
        self.num_envs = num_envs
        self.device = device = "cuda:0" if device == "cuda" else device
        self.xp: Any = array_api_compat.torch
        self.placement: Mapping[str, Any] = {"device": device}
        self._environment = environment
        self._worlds: list[World] = []
        self._shared = world
        if environment.package == "isaaclab":
            self._shared = world or open_isaac(environment, num_envs, NO_SEED, device)
        probed = self._shared or MjlabWorld(environment, PROBED, NO_SEED, device)
        try:
            self._bind(probed)
        finally:
            if probed is not self._shared:
                probed.close()
        self._start: torch.Tensor | None = None
        """Records that the next step starts from."""
        self._seen: torch.Tensor | None = None
        self._variables: Variables | None = None
        self._previous_variables: Variables | None = None

    def _bind(self, world: World) -> None:
        """Decide where everything lies in a record, and try it."""
        task, env = self.task, world.env
        where = task.folder / "task.py"
        steps = int(env.max_episode_length)
        if task.episode_steps != steps:
            raise UserError(
                f"{where}: episodes of {self._environment.id} take {steps} steps, not "
                f"{task.episode_steps}; write episode_steps={steps}"
            )
        manager = getattr(env, "action_manager", None)
        shape = env.single_action_space.shape
        self.action_size = int(shape[-1] if manager is None else manager.total_action_dim)
        self.action_space = ActionSpace("continuous", self.action_size)
        self.action_entries = action_entries(env, self.action_size)
        self.control_step = float(env.step_dt)
        self.capabilities = Capabilities(
            snapshots=False,
            devices=("cpu", "cuda"),
            video="none",
            native_reward=True,
        )
        self._reading = Reading(task, world, self.action_size, self.device)
        self._reward = self._reading.width
        self._applied = slice(self._reward + 1, self._reward + 1 + self.action_size)
        self._memory = Memory(task, self._applied.stop, self.xp)
        self.record_size = self._applied.stop + self._memory.size
        entries = dict(self._reading.entries)
        for name, variable in task.variables.items():
            if isinstance(variable.binding, NativeReward):
                entries[name] = Entries(RECORD, (self._reward,), True)
        for name, (columns, scalar) in self._memory.columns.items():
            entries[name] = Entries(RECORD, tuple(range(columns.start, columns.stop)), scalar)
        columns = tuple(range(self._applied.start, self._applied.stop))
        entries[ACTION] = Entries(RECORD, columns, False)
        offsets = {RECORD: 0}
        self._readers = make_readers(task, entries, offsets, self.xp, self.placement)
        self._host_readers = make_readers(task, entries, offsets)
        examples = self._records(self._reading.example)
        self.variable_sizes: Mapping[str, int | None] = check_variables(
            task, self.host_variables_at(examples.cpu().numpy())
        )
        self._memory.update(examples.clone(), examples, self._readers)
        self._sight = Sight(task, entries, offsets, self.variable_sizes, self.xp, self.placement)
        self.observation_size = self._sight.size
        self.critic_observation_size = self._sight.critic_size

    # --- the interface ---------------------------------------------------------------------

    def reset(self, seed: int | Sequence[int]) -> torch.Tensor:
        """Start every environment anew; see the interface.  Seeds are not negative."""
        seeds, group = seed_groups(seed, self.num_envs)
        self._open(seeds, group)
        self._seed = self._integers(np.repeat(seeds, group))
        self._index = self._integers(np.tile(np.arange(group), len(seeds)))
        self._episode = self._integers(np.zeros(self.num_envs))
        self._elapsed = self._integers(np.zeros(self.num_envs))
        self._first = self._step_first = torch.ones_like(self._elapsed, dtype=torch.bool)
        self._start = self._records(
            torch.cat([world.begin(self._reading) for world in self._worlds])
        )
        self._variables = self._previous_variables = None
        self._seen = self._sight.begin(self.variables_at(self._start), self._moment())
        return self.observe()

    def step(self, action: torch.Tensor) -> Step:
        """Advance one control step; see the interface."""
        start, before = self._start, self._seen
        if start is None or before is None:
            raise RuntimeError("reset the simulator before its first step")
        given = torch.as_tensor(action, dtype=torch.float32, device=self.device)
        expected = (self.num_envs, self.action_size)
        if tuple(given.shape) != expected:
            raise ValueError(f"action has shape {tuple(given.shape)}, not {expected}")
        applied = torch.nan_to_num(given, nan=0.0, posinf=1.0, neginf=-1.0).clamp(-1.0, 1.0)
        # A copy: an environment may keep and change the action that it is given.
        shares = applied.clone().chunk(len(self._worlds))
        outcomes = [
            world.step(share, self._reading)
            for world, share in zip(self._worlds, shares, strict=True)
        ]
        terminated = torch.cat([outcome.terminated for outcome in outcomes])
        truncated = torch.cat([outcome.truncated for outcome in outcomes])
        ended = terminated | truncated
        record = self._records(torch.cat([self._reading.logged(outcome) for outcome in outcomes]))
        record[:, self._reward] = torch.cat([outcome.reward for outcome in outcomes])
        record[:, self._applied] = applied
        self._memory.update(record, start, self._readers)
        variables = self.variables_at(record)
        self._previous_variables, self._variables = self._variables, variables
        self._step_first = first = self._first
        self._elapsed = self._elapsed + 1
        sight = self._sight
        final_observation = sight.follow(before, variables, self._moment())
        final_critic = sight.critic(variables)

        self._episode = self._episode + ended
        self._elapsed = self._elapsed.masked_fill(ended, 0)
        initial = self._records(torch.cat([outcome.begun for outcome in outcomes]))
        self._start = torch.where(ended[:, None], initial, record)
        begun = self.variables_at(self._start)
        fresh = sight.begin(begun, self._moment())
        observation = torch.where(ended[:, None], fresh, final_observation)
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

    def rest(self, environments: Sequence[int]) -> None:
        """Nothing is saved here: a batch steps all its environments."""

    def observe(self) -> torch.Tensor:
        """Observations of the states that the next step starts from."""
        assert self._seen is not None
        return self._seen

    def critic_observe(self) -> torch.Tensor | None:
        """What the value function sees of those states."""
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
        """Environments of others cannot be put back."""
        raise NotImplementedError(f"{self._environment.id} has no snapshots")

    def restore(self, environments: slice, snapshot: Mapping[str, np.ndarray]) -> None:
        """Environments of others cannot be put back."""
        raise NotImplementedError(f"{self._environment.id} has no snapshots")

    def close(self) -> None:
        """Release the simulation.  Closing twice is harmless."""
        worlds = {id(world): world for world in [*self._worlds, self._shared] if world}
        for world in worlds.values():
            world.close()
        self._worlds, self._shared, self._start = [], None, None

    # --- worlds and records ----------------------------------------------------------------

    def _open(self, seeds: np.ndarray, group: int) -> None:
        """One world for each seed, new, so that nothing is left of what was before."""
        if self._shared is not None:
            if isinstance(self._shared, IsaacWorld):
                self._shared.env.seed(int(seeds[0]))
            self._worlds = [self._shared]
            return
        for world in self._worlds:
            world.close()
        self._worlds = [
            MjlabWorld(self._environment, group, int(seed), self.device) for seed in seeds
        ]

    def _records(self, values: torch.Tensor) -> torch.Tensor:
        """Records ``(M, r)`` of episodes' starts, where reward and action count as 0."""
        records = torch.zeros(len(values), self.record_size, device=self.device)
        records[:, : self._reward] = values
        initial = torch.as_tensor(self._memory.initial, dtype=torch.float32, device=self.device)
        records[:, self._applied.stop :] = initial
        return records

    def _moment(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        return self._seed, self._index, self._episode, self._elapsed

    def _integers(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.int64, device=self.device)
