"""Trainings of a run: dispatched, pruned at rungs, scored, and recorded before they count."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from reward_synth.errors import LimitError, UserError
from reward_synth.evaluation import (
    Layout,
    Legs,
    Pool,
    Trained,
    TrainerChoice,
    WorkerPool,
    compiled_kernels,
    cores,
    decide,
    guess,
    keep_at,
    measured,
    rung_steps,
    standings,
)
from reward_synth.search.config import RunConfig, TrainConfig, search_seeds
from reward_synth.search.progress import Observer, Progress
from reward_synth.store import RungDecision, Store
from reward_synth.store.schema import Candidate
from reward_synth.task import TASKS_OWN, Task
from sandbox.messages import Checkpoint, Failure, Member

WORTH_MEASURING = 1_000_000
"""Environment steps to train from which on measuring the best layout pays."""
MEMBERS_ON_DEVICE = 64
"""Policies that train at once on a device; a job that does not fit is halved."""
Outcomes = Mapping[str, Trained | Failure]
Known = Mapping[int, Mapping[int, Trained]]
"""What was trained so far, by the candidate's number and the seed."""
OnGlimpse = Callable[[Known, int], None]
"""Hears that, and the environment steps of each."""
OpenPool = Callable[[Path, RunConfig | TrainConfig, int], Pool]
"""Opens a pool for a task folder, as a run's settings ask, of at most so many workers."""
AS_MANY_AS_THERE_ARE = 2**20
"""Workers of a cluster, whose size is known when it is joined."""


def check_trainer(task: Task, config: RunConfig | TrainConfig) -> None:
    """Raises UserError for settings that contradict each other, an engine or a device that is not
    there, and parameters that no trainer has."""
    check_choice(config.choice)
    if config.engine == "ray":
        from reward_synth.evaluation.cluster import join

        join(config.ray_address, config.device)
    else:
        compiled_kernels(task.folder, config.device)
    if config.trainer == "sb3":
        from sandbox.reference import check_parameters, check_spaces

        check_parameters(config.algorithm, config.parameters)
        check_spaces(task, config.algorithm)


def check_choice(choice: TrainerChoice) -> None:
    """Raises UserError for a trainer's settings that contradict each other."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?|warp-cpu", choice.device):
        raise UserError(f"--device {choice.device}: give cpu, cuda, or cuda:K for the K-th GPU")
    if choice.trainer == "sb3" and (choice.device != "cpu" or choice.environments is not None):
        raise UserError("--device and --environments are the population trainer's, not sb3's")
    if choice.trainer == "population" and (choice.parameters or choice.algorithm != "ppo"):
        raise UserError(
            "--algorithm and --set are stable-baselines3's: add --trainer sb3; the population "
            "trainer takes its hyperparameters from the task"
        )


def worker_count(config: RunConfig | TrainConfig) -> int:
    """0 means one per core that this process may use, and one alone on another device; of a
    cluster, as many as there are."""
    if config.engine == "ray":
        return config.workers or AS_MANY_AS_THERE_ARE
    return config.workers or (cores() if config.device == "cpu" else 1)


def local_pool(task_folder: Path, config: RunConfig | TrainConfig, workers: int) -> WorkerPool:
    """Worker processes of this machine that can do what a run needs."""
    kinds = config.choice.worker_kinds
    return WorkerPool(task_folder, workers, config.isolation, kinds, config.device)


def cluster_pool(task_folder: Path, config: RunConfig | TrainConfig, workers: int) -> Pool:
    """Workers on the nodes of a Ray cluster that can do what a run needs."""
    from reward_synth.evaluation.cluster import ClusterPool

    kinds, isolation = config.choice.worker_kinds, config.isolation
    return ClusterPool(
        task_folder, workers, isolation, kinds, config.device, address=config.ray_address
    )


def open_pool_for(task_folder: Path, config: RunConfig | TrainConfig, workers: int) -> Pool:
    """Workers of the engine that a run's settings name."""
    opened = cluster_pool if config.engine == "ray" else local_pool
    return opened(task_folder, config, workers)


@dataclass(frozen=True)
class Training:
    """One candidate to be trained with one seed."""

    candidate: Candidate
    seed: int
    purpose: Literal["search", "confirm"]
    main: bool = True
    """Whether the candidate's own folder keeps its files."""

    @property
    def member(self) -> Member:
        name = f"{self.candidate.number:04d}-{self.seed}"
        own = self.candidate.origin in TASKS_OWN
        return Member(name=name, program=self.candidate.source, seed=self.seed, own=own)


class Trainer:
    """Carries out trainings of one run on a pool of workers."""

    def __init__(
        self,
        store: Store,
        run: str,
        task: Task,
        pool: Pool,
        *,
        steps: int,
        episodes: int,
        observer: Observer,
        choice: TrainerChoice | None = None,
        rungs: Sequence[float] = (),
        rung_episodes: int = 8,
        limit: Callable[[], LimitError | None] = lambda: None,
        measure: bool = True,
    ) -> None:
        """``limit`` gives the limit that forbids to begin another training, if there is one;
        ``measure`` says whether layouts may be tried, which tells of this machine alone."""
        self.store = store
        self.run = run
        self.task = task
        self.pool = pool
        self.steps = steps
        self.episodes = episodes
        self.observer = observer
        self.choice = choice or TrainerChoice()
        self.rungs = rung_steps(rungs, steps, self.rollout())
        self.rung_episodes = rung_episodes
        self.limit = limit
        self.measure = measure

    def rollout(self) -> int:
        """Environment steps of one policy's rollout."""
        settings = self.task.ppo
        environments = self.choice.environments or settings.environments
        return environments * replace(settings, environments=environments).rollout_within(
            self.steps
        )

    def search(
        self,
        candidates: Sequence[Candidate],
        seed: int,
        seeds: int,
        whole: int,
        glimpse: OnGlimpse | None = None,
    ) -> None:
        """Train candidates of a generation, on ``seeds`` seeds each, dropping the weak at rungs.

        ``whole`` counts the generation's candidates that passed the gate, those included whose
        fate is recorded already: how many go on at a rung does not depend on interruptions.
        ``glimpse`` hears what is known at the last rung of those that go on.
        """
        every = [
            Training(c, own, "search", main=own == seed)
            for c in candidates
            for own in search_seeds(seed, seeds)
        ]
        done = {(e.candidate_id, e.seed) for c in candidates for e in c.evaluations}
        trainings = [t for t in every if (t.candidate.id, t.seed) not in done]
        with self.legs(trainings if glimpse is None else every) as legs:
            last: Outcomes = {}
            for rung, until in enumerate(self.rungs):
                left = {t.candidate.id: t.candidate for t in trainings}.values()
                # What was decided before a kill stands: who is done by now would be missing.
                decided = all(any(r.rung == rung for r in c.rungs) for c in left)
                if decided or len(left) <= keep_at(rung, whole):
                    continue
                members = [t.member for t in trainings]
                outcomes = legs.advance(members, until, episodes=self.rung_episodes)
                trainings = self.drop_failed(trainings, outcomes)
                trainings = self.drop_weak(trainings, outcomes, rung, until, whole)
                last = outcomes if until == self.rungs[-1] else {}
            if glimpse is not None and self.rungs:
                left = {t.candidate.id for t in trainings} | {candidate for candidate, _ in done}
                self.show([t for t in every if t.candidate.id in left], legs, last, glimpse)
            self.to_end(legs, trainings)

    def show(
        self, trainings: Sequence[Training], legs: Legs, outcomes: Outcomes, glimpse: OnGlimpse
    ) -> None:
        """Show those that go on at the last rung; ``outcomes`` are of those that were just there.

        After an interruption some are done already: they are trained so far again, so that the
        same is shown.  One that fails here fails again, and is recorded, on its way to the end.
        """
        until = self.rungs[-1]
        members = [t.member for t in trainings if t.member.name not in outcomes]
        more = legs.advance(members, until, episodes=self.rung_episodes)
        outcomes = {**outcomes, **more}
        known: dict[int, dict[int, Trained]] = {}
        for training in trainings:
            outcome = outcomes[training.member.name]
            if isinstance(outcome, Trained):
                known.setdefault(training.candidate.number, {})[training.seed] = outcome
        if known:
            glimpse(known, until)

    def carry_out(self, trainings: Sequence[Training]) -> None:
        """Do all trainings to the end.  A failed one is recorded; any other error ends the rest.

        Raises LimitError when a limit was reached before all had begun; those under way are
        finished first.
        """
        with self.legs(trainings) as legs:
            self.to_end(legs, trainings)

    # --- legs ------------------------------------------------------------------------------

    def legs(self, trainings: Sequence[Training]) -> Legs:
        self.begun = time.monotonic()
        self.by_name = {t.member.name: t for t in trainings}
        return Legs(
            self.task,
            self.pool,
            self.layout(len(trainings)),
            steps=self.steps,
            choice=self.choice,
            on_start=lambda member: self.tell(self.by_name[member.name], "training", step=0),
            on_checkpoint=self.follow,
        )

    def layout(self, count: int) -> Layout:
        """How to lay ``count`` trainings out."""
        if self.choice.trainer == "sb3":
            return Layout(cores(), self.pool.size, 1)
        if self.choice.device != "cpu":
            return Layout(cores(), self.pool.size, MEMBERS_ON_DEVICE)
        few = count <= self.pool.size or count * self.steps < WORTH_MEASURING
        if few or not self.measure:
            return guess(self.pool.size)
        return measured(self.task, self.pool, tell=self.say)

    def to_end(self, legs: Legs, trainings: Sequence[Training]) -> None:
        """The last leg; each training is recorded as soon as it is scored.

        What has passed a rung is under way, so a limit does not keep it from its end.
        """
        reached: list[LimitError] = []

        def may_begin() -> bool:
            error = self.limit()
            if error is not None:
                reached.append(error)
            return error is None

        def record(member: Member, trained: Trained) -> None:
            training = self.by_name[member.name]
            self.store.record_evaluation(
                training.candidate,
                purpose=training.purpose,
                seed=training.seed,
                steps=self.steps,
                report=trained.report,
                score=trained.score,
                policy=trained.policy,
                seconds=time.monotonic() - self.begun,
                main=training.main,
            )
            self.tell(training, "scored", fitness=trained.score.fitness)

        outcomes = legs.advance(
            [t.member for t in trainings],
            self.steps,
            episodes=self.episodes,
            on_trained=record,
            may_begin=None if legs.begun else may_begin,
        )
        self.drop_failed([t for t in trainings if t.member.name in outcomes], outcomes)
        if reached:
            raise reached[0]

    # --- who leaves --------------------------------------------------------------------------

    def drop_failed(self, trainings: Sequence[Training], outcomes: Outcomes) -> list[Training]:
        """Record failures; a candidate of which one seed failed has failed."""
        failed: dict[int, str] = {}
        for training in trainings:
            outcome = outcomes[training.member.name]
            if isinstance(outcome, Failure) and training.candidate.id not in failed:
                failed[training.candidate.id] = outcome.message
                if training.purpose == "search":
                    several = sum(t.candidate.id == training.candidate.id for t in trainings) > 1
                    self.store.record_failure(
                        training.candidate, outcome.message, of_several=several
                    )
                self.tell(training, "failed", message=outcome.message)
        return [t for t in trainings if t.candidate.id not in failed]

    def drop_weak(
        self,
        trainings: Sequence[Training],
        outcomes: Outcomes,
        rung: int,
        until: int,
        whole: int,
    ) -> list[Training]:
        """Decide a rung and record the decisions; gives the trainings that go on."""
        candidates = list({t.candidate.id: t.candidate for t in trainings}.values())
        scores = []
        for candidate in candidates:
            own = [outcomes[t.member.name] for t in trainings if t.candidate.id == candidate.id]
            scores.append([trained.score for trained in own if isinstance(trained, Trained)])
        measures = standings(scores)
        verdicts = decide(measures, keep_at(rung, whole))
        decisions = [
            RungDecision(
                candidate=candidate,
                fitness=measure.fitness,
                low=measure.low,
                high=measure.high,
                kept=verdict.kept,
                reason=f"dropped after {until:,} steps: {verdict.reason}" if verdict.reason else "",
            )
            for candidate, measure, verdict in zip(candidates, measures, verdicts, strict=True)
        ]
        self.store.record_rung(rung, until, decisions)
        dropped = {d.candidate.id: d for d in decisions if not d.kept}
        for training in trainings:
            decision = dropped.get(training.candidate.id)
            if decision is not None:
                self.tell(
                    training,
                    "pruned",
                    step=until,
                    fitness=decision.fitness,
                    message=decision.reason,
                )
        if candidates:
            self.observer(
                Progress(
                    "rung",
                    self.run,
                    generation=candidates[0].generation,
                    step=until,
                    steps=self.steps,
                    message=f"{len(candidates) - len(dropped)} of {len(candidates)} go on",
                )
            )
        return [t for t in trainings if t.candidate.id not in dropped]

    # --- telling -------------------------------------------------------------------------------

    def follow(self, checkpoint: Checkpoint) -> None:
        training = self.by_name.get(checkpoint.member)
        if training is not None:  # a worker may say anything
            self.tell(training, "training", step=checkpoint.step, fitness=checkpoint.fitness)

    def say(self, message: str) -> None:
        self.observer(Progress("measuring", self.run, message=message))

    def tell(
        self,
        training: Training,
        kind: Literal["training", "scored", "failed", "pruned"],
        *,
        step: int | None = None,
        fitness: float | None = None,
        message: str = "",
    ) -> None:
        self.observer(
            Progress(
                kind=kind,
                run=self.run,
                generation=training.candidate.generation,
                candidate=training.candidate.number,
                seed=training.seed,
                step=step,
                steps=self.steps,
                fitness=fitness,
                message=message,
            )
        )
