"""Carries out a training job with population PPO: members in, policies and reports out.

Each member owns a slice of the simulator's environments, which its own compiled program rewards.
A member that produces a number that is not finite leaves with its reason; the others go on as if
it had never been there.
"""

import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from safetensors import safe_open

from reward_synth.errors import DeviceMemoryError
from reward_synth.reward import RewardError, RewardProgram, parse
from reward_synth.simulation import WARP_ON_CPU, open_simulator, task_spec
from reward_synth.simulation.episodes import EpisodeRecorder, not_finite
from reward_synth.simulation.interface import Step
from reward_synth.simulation.policy import save_policy
from reward_synth.simulation.rollout import Rollout, on_host
from reward_synth.task import Episode, PpoSettings, Task, load_task
from sandbox.failures import NonFiniteError, explain_observation, explain_reward
from sandbox.messages import Failure, Member, MemberResult, Message, TrainJob, TrainResult
from sandbox.population import Experience, Population
from sandbox.recorder import TrainingRecord, peak_memory

TRAINER = "population PPO"
POLICY_SUFFIX = ".safetensors"
STATE_SUFFIX = ".state.safetensors"
WATCHED_ON_DEVICE = 16
"""Environments of each member whose episodes come back from a device."""
LEAST_ENVIRONMENTS = 8
"""A policy is not trained on fewer for want of memory."""
LARGEST_REWARD = 1e100
"""What is larger counts as infinite: its square, or a sum of many, would be."""

Snapshot = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by name, and what can stand in JSON."""


def train(job: TrainJob, emit: Callable[[Message], None]) -> TrainResult:
    """Train the job's members; what stays behind are files in ``job.folder``.

    Where a device's memory is too small, each member gets half as many environments, and the
    report says so.  Raises UserError for a device that is not there, DeviceMemoryError where not
    even few environments fit, ValueError for members that have not got equally far.
    """
    torch.set_num_threads(1)  # more could change the order of sums; threads are for physics
    task = load_task(Path(job.task))
    settings = with_environments(task.ppo, job.environments or task.ppo.environments)
    note = ""
    while True:
        training = None
        try:
            training = PopulationTraining(job, task, settings, emit, note)
            return training.to_end()
        except (DeviceMemoryError, torch.OutOfMemoryError) as error:
            fewer = settings.environments // 2
            if fewer < LEAST_ENVIRONMENTS or any(is_resumed(job, m) for m in job.members):
                raise DeviceMemoryError(f"{job.device} has too little memory") from error
            note = f"{fewer} instead of {job.environments or task.ppo.environments} environments"
            note += f" for each policy: {job.device} has too little memory for more"
            settings = with_environments(settings, fewer)
        finally:
            if training is not None:
                training.opened.close()


def with_environments(settings: PpoSettings, environments: int) -> PpoSettings:
    """The same learner on another number of environments: as many gradient steps a rollout."""
    scale = environments / settings.environments
    return dataclasses.replace(
        settings,
        environments=environments,
        minibatch_size=max(1, round(settings.minibatch_size * scale)),
    )


def is_resumed(job: TrainJob, member: Member) -> bool:
    return (Path(job.folder) / (member.name + STATE_SUFFIX)).exists()


class PopulationTraining:
    """One leg of a population's training."""

    def __init__(
        self,
        job: TrainJob,
        task: Task,
        settings: PpoSettings,
        emit: Callable[[Message], None],
        note: str,
    ) -> None:
        self.job = job
        self.task = task
        self.emit = emit
        self.note = note
        self.folder = Path(job.folder)
        found = [read_snapshot(self.folder / (m.name + STATE_SUFFIX)) for m in job.members]
        for _, facts in filter(None, found):
            settings = with_environments(settings, facts["environments"])
        environments = settings.environments
        rollout_steps = settings.rollout_within(job.steps)
        self.settings = dataclasses.replace(settings, rollout_steps=rollout_steps)
        batch = rollout_steps * environments
        self.total = math.ceil(job.steps / batch) * batch
        self.until = min(self.total, math.ceil((job.until or job.steps) / batch) * batch)
        self.failures: dict[str, Failure] = {}
        self.members: list[Member] = []
        self.records: list[TrainingRecord] = []
        self.opened = contextlib.ExitStack()
        """Closes the simulator."""
        self.programs = self.parse(job.members)
        sound = [k for k, member in enumerate(job.members) if member.name in self.programs]
        if sound:
            self.assemble([job.members[k] for k in sound], [found[k] for k in sound])

    def parse(self, members: Sequence[Member]) -> dict[str, RewardProgram]:
        """The members' programs; where the reward language refuses one, its member fails."""
        spec = task_spec(self.task)
        programs: dict[str, RewardProgram] = {}
        for member in members:
            try:
                sizes = spec.readable_by(own=member.own)
                programs[member.name] = parse(member.program, sizes)
            except RewardError as error:
                self.failures[member.name] = Failure(reason="raised", message=str(error))
        return programs

    def assemble(self, members: Sequence[Member], snapshots: Sequence[Snapshot | None]) -> None:
        """Build simulator, learners and records for these members, new or from snapshots."""
        self.opened.close()
        settings = self.settings
        E = settings.environments
        self.members = list(members)
        self.gone: set[int] = set()
        """Members that failed and kept their places, where environments have no snapshots."""
        device = self.job.device
        self.simulator = open_simulator(self.task, len(members) * E, device, self.job.threads)
        self.opened.callback(self.simulator.close)
        programs = [self.programs[member.name] for member in members]
        self.arguments = [program.arguments for program in programs]
        namespace = "numpy" if self.simulator.xp is np else "torch"
        self.rewards = [
            program.compile(namespace, member.constants)
            for program, member in zip(programs, members, strict=True)
        ]
        self.rollout = Rollout(self.simulator, settings.rollout_steps)
        self.episodes = EpisodeRecorder(self.simulator, self.watched(device, len(members)))
        self.ended: list[list[Episode]] = [[] for _ in members]
        interval = self.total / self.job.checkpoints
        self.population = Population(
            settings,
            self.simulator.observation_size,
            self.simulator.action_space,
            [member.seed for member in members],
            rollout_steps=settings.rollout_steps,
            total_steps=self.total,
            critic_observation_size=self.simulator.critic_observation_size,
            device="cpu" if device == WARP_ON_CPU else device,
        )
        self.simulator.reset(
            [
                m.seed if s is None or self.has_snapshots else leg_seed(m.seed, s[1]["learned"])
                for m, s in zip(members, snapshots, strict=True)
            ]
        )
        critic = self.simulator.critic_observe()
        self.population.begin(
            self.population.tensor(self.simulator.observe()),
            None if critic is None else self.population.tensor(critic),
        )
        # After the reset, in which the environments of others are made: their clocks run.
        self.records = [
            TrainingRecord(
                member.name, self.task, E, interval, self.emit, partial(self.population.noise, k)
            )
            for k, member in enumerate(members)
        ]
        states = [snapshot for snapshot in snapshots if snapshot is not None]
        progress = {0 if snapshot is None else snapshot[1]["step"] for snapshot in snapshots}
        if len(progress) > 1:
            raise ValueError("the members of a population must have got equally far")
        if states:
            self.restore(states)

    @property
    def has_snapshots(self) -> bool:
        """Whether environments go on after a cut; else they are reset there."""
        return self.simulator.capabilities.snapshots

    def watched(self, device: str, members: int) -> list[int] | None:
        """Environments whose episodes are gathered: all, but on a device a few of each member."""
        if device == "cpu":
            return None
        E = self.settings.environments
        return [k * E + i for k in range(members) for i in range(min(E, WATCHED_ON_DEVICE))]

    def to_end(self) -> TrainResult:
        """Train up to the end of the leg."""
        while self.members and self.population.steps < self.until:
            experience = self.population.collect(self.simulator, self.hear)
            self.keep(self.episodes.collect())
            reasons, reward, components = self.judge(experience)
            done = experience.done.bool().cpu().numpy()
            for k, record in enumerate(self.records):
                if k not in reasons and k not in self.gone:
                    try:
                        record.take(self.ended[k], reward[k], components[k], done[k])
                    except NonFiniteError as error:
                        reasons[k] = non_finite(str(error))
            self.ended = [[] for _ in self.members]
            experience, reward = self.drop(reasons, experience, reward)
            if not self.members:
                break
            self.population.learn(experience, torch.as_tensor(reward))
            finite = self.population.finite().tolist()
            reasons = {
                k: non_finite("the policy's weights became NaN or infinite during training")
                for k, sound in enumerate(finite)
                if not sound and k not in self.gone
            }
            self.drop(reasons, experience, reward)
        members = [*self.results(), *self.failed()]
        return TrainResult(members=members, peak_memory=peak_memory())

    def hear(self, step: Step) -> None:
        self.rollout.record(step)
        self.keep(self.episodes.record(step))

    def keep(self, ended: Sequence[tuple[int, Episode]]) -> None:
        for environment, episode in ended:
            self.ended[environment // self.settings.environments].append(episode)

    def judge(
        self, experience: Experience
    ) -> tuple[dict[int, Failure], np.ndarray, list[dict[str, np.ndarray]]]:
        """Rewards ``(K, T, E)`` of a rollout with their components, and who failed why."""
        E, T = self.settings.environments, self.settings.rollout_steps
        reasons: dict[int, Failure] = {}
        rewards = np.zeros((len(self.members), T, E))
        parts: list[dict[str, np.ndarray]] = []
        seen = torch.cat([experience.s.flatten(1, 2), experience.next_s], dim=1)
        sound = torch.isfinite(seen).flatten(1).all(1).tolist()
        for k, reward in enumerate(self.rewards):
            if k in self.gone:
                parts.append({})
                continue
            inputs = self.rollout.inputs(self.arguments[k], slice(k * E, (k + 1) * E))
            components: dict[str, np.ndarray] = {}
            try:
                total, components = reward(**inputs)
                total = on_host(total)
                components = {name: on_host(value) for name, value in components.items()}
                if not all(map(usable, (total, *components.values()))):
                    guilty = [name for name, value in components.items() if not usable(value)]
                    reasons[k] = non_finite(explain_reward(guilty))
                else:
                    rewards[k] = total.reshape(T, E)
            except RewardError as error:
                reasons[k] = Failure(reason="raised", message=str(error))
            if not sound[k]:
                bad = (~torch.isfinite(seen[k])).any(0).cpu().numpy()
                reasons[k] = non_finite(explain_observation(self.simulator, bad))
            if k in reasons:
                # An environment may be the cause, which says more than what came of it.
                record = on_host(self.rollout.records(slice(k * E, (k + 1) * E)))
                cause = not_finite(self.task, self.simulator.host_variables_at(record))
                if cause is not None:
                    reasons[k] = non_finite(cause)
            parts.append(components)
        return reasons, rewards, parts

    # --- members leave -------------------------------------------------------------------------

    def drop(
        self, reasons: Mapping[int, Failure], experience: Experience, reward: np.ndarray
    ) -> tuple[Experience, np.ndarray]:
        """Let members go; gives what is left of a rollout and its rewards."""
        if not reasons:
            return experience, reward
        self.failures |= {self.members[k].name: failure for k, failure in reasons.items()}
        kept = [k for k in range(len(self.members)) if k not in reasons and k not in self.gone]
        if kept and not self.has_snapshots:
            # Built again, the others' environments would begin new episodes.
            self.gone |= reasons.keys()
            E = self.settings.environments
            self.simulator.rest([k * E + i for k in reasons for i in range(E)])
            return experience, reward
        snapshots = [self.snapshot(k) for k in kept]
        if kept:
            self.assemble([self.members[k] for k in kept], snapshots)
        else:
            self.members, self.records = [], []
            return experience, reward
        left = Experience(**{f.name: getattr(experience, f.name)[kept] for f in FIELDS})
        return left, reward[kept]

    def results(self) -> list[MemberResult]:
        """Write the files of those that are still here."""
        results = []
        for k, (member, record) in enumerate(zip(self.members, self.records, strict=True)):
            if k in self.gone:
                continue
            save_policy(self.folder / (member.name + POLICY_SUFFIX), self.population.policy(k))
            if self.job.keep:
                write_snapshot(self.folder / (member.name + STATE_SUFFIX), self.snapshot(k))
            environments = self.settings.environments
            results.append(record.result(member.seed, environments, TRAINER, self.note))
        return results

    def failed(self) -> list[MemberResult]:
        return [MemberResult(member=name, failure=f) for name, f in self.failures.items()]

    # --- between two legs ------------------------------------------------------------------------

    def snapshot(self, k: int) -> Snapshot:
        """All that decides how a member's training goes on."""
        E = self.settings.environments
        mine = slice(k * E, (k + 1) * E)
        record, facts = self.records[k].snapshot()
        parts = {"population": self.population.snapshot(k), "record": record}
        if self.has_snapshots:
            parts["simulator"] = self.simulator.snapshot(mine)
            parts["rollout"] = self.rollout.last_row(mine) if self.records[k].step else {}
            parts["episodes"] = self.episodes.snapshot(mine)
        arrays = {f"{part}/{n}": array for part, own in parts.items() for n, array in own.items()}
        return arrays, facts | {"learned": self.population.steps, "environments": E}

    def restore(self, snapshots: Sequence[Snapshot]) -> None:
        """Put every member back to where its snapshot was taken.

        Environments without snapshots were reset instead: what their cut episodes had earned so
        far counts for no other.
        """
        E = self.settings.environments
        rows: list[dict[str, np.ndarray]] = []
        for k, (arrays, facts) in enumerate(snapshots):
            mine = slice(k * E, (k + 1) * E)
            self.population.restore(k, part(arrays, "population"))
            self.records[k].restore(part(arrays, "record"), facts)
            self.population.steps = facts["learned"]
            if not self.has_snapshots:
                self.population.discounted[k] = 0.0
                self.records[k].returns[:] = 0.0
                continue
            self.simulator.restore(mine, part(arrays, "simulator"))
            self.episodes.restore(mine, part(arrays, "episodes"))
            rows.append(part(arrays, "rollout"))
        if rows and rows[0]:
            self.rollout.continue_from({n: np.concatenate([r[n] for r in rows]) for n in rows[0]})


FIELDS = dataclasses.fields(Experience)


def leg_seed(seed: int, steps: int) -> int:
    """Seed of a member's environments where they are reset after so many environment steps."""
    return int(np.random.SeedSequence([seed, steps]).generate_state(1)[0])


def non_finite(message: str) -> Failure:
    return Failure(reason="non-finite", message=message)


def part(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """One part of a snapshot."""
    prefix = name + "/"
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def usable(values: np.ndarray) -> bool:
    """Whether all values are numbers whose sums and squares are numbers too."""
    return bool((np.abs(values, dtype=np.float64) < LARGEST_REWARD).all())  # False for NaN


def read_snapshot(path: Path) -> Snapshot | None:
    """A snapshot that an earlier leg left; None where there is none."""
    if not path.exists():
        return None
    with safe_open(path, framework="numpy") as file:
        facts = json.loads(file.metadata()["facts"])
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    arrays, facts = snapshot
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # Not save_file, whose error is none of the operating system's when the disk is full.
    path.write_bytes(safetensors.numpy.save(contiguous, {"facts": json.dumps(facts)}))
