"""Trains members leg by leg: packs them into jobs, runs those on the workers, scores the policies.

A leg that fails as a whole (a worker that was killed, or ran out of memory) is halved until the
guilty member is alone, so that nobody else's training is lost.
"""

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reward_synth.errors import UserError
from reward_synth.evaluation.files import new_folder, take_file
from reward_synth.evaluation.layout import Layout, pack
from reward_synth.evaluation.pool import Pool
from reward_synth.evaluation.score import Score, score_policies
from reward_synth.evaluation.workspace import has_room, remove_tree, writing_here
from reward_synth.task import Task
from sandbox.messages import (
    AnyResult,
    Checkpoint,
    Failure,
    Member,
    TrainingReport,
    TrainJob,
    TrainResult,
)
from sandbox.worker import MAX_FOLDER_BYTES

ATTEMPTS_IF_KILLED = 2
"""What killed a worker once, or filled the disk, may have had nothing to do with the candidate."""
SLOWEST_STEPS_PER_SECOND = 200.0
LEAST_TIME_LIMIT = 300.0
MEMORY_FOR_ONE = 4 * 2**30
MEMORY_FOR_EACH_MORE = 2**28
"""Bytes of private memory that a job may have."""

Parameters = Mapping[str, int | float | bool | str | list[int]]


class StoppedError(Exception):
    """The run is being stopped; what this training did is not recorded."""


@dataclass(frozen=True)
class TrainerChoice:
    """Which trainer, how it is set, and where it runs."""

    trainer: Literal["population", "sb3"] = "population"
    algorithm: Literal["ppo", "sac", "td3"] = "ppo"
    parameters: Parameters = field(default_factory=dict)
    """``algorithm`` and ``parameters`` are the sb3 trainer's."""
    device: str = "cpu"
    environments: int | None = None
    """Of each policy, the task's if None."""

    @property
    def worker_kinds(self) -> tuple[str, ...]:
        """What workers make ready for."""
        return ("probe", "sb3" if self.trainer == "sb3" else "train")


@dataclass(frozen=True)
class Trained:
    """A member at the end of a leg."""

    report: TrainingReport
    score: Score
    policy: Path


OnTrained = Callable[[Member, Trained], None]


class Legs:
    """The trainings of one set of members on a pool of workers.  A context manager.

    ``on_start`` and ``on_checkpoint`` hear of members while they train, from several threads.
    """

    def __init__(
        self,
        task: Task,
        pool: Pool,
        layout: Layout,
        *,
        steps: int,
        choice: TrainerChoice | None = None,
        on_start: Callable[[Member], None] | None = None,
        on_checkpoint: Callable[[Checkpoint], None] | None = None,
    ) -> None:
        self.task = task
        self.pool = pool
        self.layout = layout
        self.steps = steps
        self.choice = choice or TrainerChoice()
        self.on_start = on_start
        self.on_checkpoint = on_checkpoint
        self.stopping = threading.Event()
        self.begun = False
        """Whether a leg was trained already."""
        with writing_here(pool.root):
            self.root = Path(tempfile.mkdtemp(prefix="legs-", dir=pool.root))

    def __enter__(self) -> "Legs":
        return self

    def __exit__(self, *_: object) -> None:
        remove_tree(self.root)

    def advance(
        self,
        members: Sequence[Member],
        until: int,
        *,
        episodes: int,
        on_trained: OnTrained | None = None,
        may_begin: Callable[[], bool] | None = None,
    ) -> dict[str, Trained | Failure]:
        """Train all members up to ``until`` steps each and score their policies.

        ``on_trained`` hears of each as soon as it is scored.  Gives the outcome by member's name;
        a job that ``may_begin`` forbids when its turn comes is left out.
        Raises UserError for a full disk; after that, and after Ctrl-C, the pool is closed.
        """
        jobs = pack(members, self.layout)
        threads = max(1, self.layout.cores // max(1, min(len(jobs), self.layout.workers)))
        outcomes: dict[str, Trained | Failure] = {}
        if not jobs:
            return outcomes
        self.begun = True

        def one(job: Sequence[Member]) -> None:
            if may_begin is None or may_begin():
                outcomes.update(self.train(job, until, threads, episodes, on_trained))

        with ThreadPoolExecutor(self.layout.workers) as executor:
            futures: list[Future[None]] = [executor.submit(one, job) for job in jobs]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self.stopping.set()
                executor.shutdown(wait=False, cancel_futures=True)
                self.pool.close()
                raise
        return outcomes

    def train(
        self,
        members: Sequence[Member],
        until: int,
        threads: int,
        episodes: int,
        on_trained: OnTrained | None,
    ) -> dict[str, Trained | Failure]:
        """One job; where it fails as a whole, its halves; where one member fails, that is it."""
        failure = Failure(reason="killed", message="never started")
        for _ in range(ATTEMPTS_IF_KILLED):
            outcome = self.attempt(members, until, threads, episodes, on_trained)
            if not isinstance(outcome, Failure):
                return outcome
            failure = outcome
            if self.stopping.is_set():
                raise StoppedError
            # No fault of the candidates, if it is true.
            if failure.reason == "disk" and not has_room(self.root):
                raise UserError(
                    f"the disk that holds {tempfile.gettempdir()} is full; free some space, or set "
                    "TMPDIR to another folder, and go on with --resume"
                )
            if failure.reason not in ("killed", "disk") or len(members) > 1:
                break
        if len(members) == 1:
            return {members[0].name: failure}
        half = len(members) // 2
        found: dict[str, Trained | Failure] = {}
        for part in (members[:half], members[half:]):
            found |= self.train(part, until, threads, episodes, on_trained)
        return found

    def attempt(
        self,
        members: Sequence[Member],
        until: int,
        threads: int,
        episodes: int,
        on_trained: OnTrained | None,
    ) -> dict[str, Trained | Failure] | Failure:
        """Run one job and score what comes back; a Failure where nothing does."""
        if self.stopping.is_set():
            raise StoppedError
        found: dict[str, Trained | Failure] = {}

        def job(folder: str) -> TrainJob:
            if self.on_start is not None:
                for member in members:
                    self.on_start(member)
            self.lend_states(members, Path(folder))
            return TrainJob(
                task=str(self.task.folder.resolve()),
                members=list(members),
                folder=folder,
                steps=self.steps,
                until=until,
                keep=until < self.steps,
                trainer=self.choice.trainer,
                algorithm=self.choice.algorithm,
                parameters=dict(self.choice.parameters),
                threads=threads,
                device=self.choice.device,
                environments=self.choice.environments,
                time_limit=max(LEAST_TIME_LIMIT, len(members) * until / SLOWEST_STEPS_PER_SECOND),
                memory_limit=MEMORY_FOR_ONE + MEMORY_FOR_EACH_MORE * (len(members) - 1),
            )

        def collect(result: AnyResult, folder: Path) -> None:
            assert isinstance(result, TrainResult)
            found.update(self.collect(result, folder, members, until, episodes, threads))

        outcome = self.pool.run(job, on_checkpoint=self.on_checkpoint, collect=collect)
        if isinstance(outcome, Failure):
            return outcome
        if self.stopping.is_set():
            raise StoppedError
        for member in members:
            trained = found.get(member.name)
            if trained is None:
                found[member.name] = Failure(
                    reason="protocol", message="the worker said nothing of this member"
                )
            elif isinstance(trained, Trained) and on_trained is not None:
                on_trained(member, trained)
        return found

    def collect(
        self,
        result: TrainResult,
        folder: Path,
        members: Sequence[Member],
        until: int,
        episodes: int,
        threads: int = 1,
    ) -> dict[str, Trained | Failure]:
        """Take the files of a job's members out of its folder, and score the policies."""
        known = {member.name: member for member in members}
        found: dict[str, Trained | Failure] = {}
        reports: dict[str, TrainingReport] = {}
        room = MAX_FOLDER_BYTES
        for said in result.members:
            if said.member not in known or said.member in reports:
                continue
            if said.report is None:
                nothing = Failure(reason="protocol", message="the worker gave no report")
                found[said.member] = said.failure or nothing
                continue
            names = left_files(said.member, until < self.steps)
            try:
                for name in names:
                    room -= take_file(folder / name, self.root / name, room)
            except ValueError as error:
                found[said.member] = Failure(reason="protocol", message=str(error))
            else:
                facts = {"seed": known[said.member].seed, "peak_memory": result.peak_memory}
                reports[said.member] = said.report.model_copy(update=facts)
        policies = [self.root / f"{name}.safetensors" for name in reports]
        scores = score_policies(self.task, policies, episodes, threads=threads) if policies else []
        for (name, report), policy, score in zip(reports.items(), policies, scores, strict=True):
            if isinstance(score, UserError):  # the worker left something that is no policy
                found[name] = Failure(reason="protocol", message=str(score))
            else:
                found[name] = Trained(report, score, policy)
        return found

    def lend_states(self, members: Sequence[Member], folder: Path) -> None:
        """Put copies of the last leg's states where the job will look for them."""
        with writing_here(folder):
            new_folder(folder)
            for member in members:
                state = self.root / f"{member.name}.state.safetensors"
                if state.exists():
                    take_file(state, folder / state.name)


def left_files(member: str, keep: bool) -> list[str]:
    """What a job leaves of a member; with ``keep`` the state from which another leg goes on."""
    return [f"{member}.safetensors", *([f"{member}.state.safetensors"] if keep else [])]
