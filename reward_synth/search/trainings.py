"""Trainings in parallel: each is dispatched, scored and recorded before it counts as done."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reward_synth.errors import UserError
from reward_synth.evaluation import WorkerPool, score_policy
from reward_synth.search.progress import Observer, Progress
from reward_synth.store import Store
from reward_synth.store.schema import Candidate
from reward_synth.task import Task
from sandbox.messages import Checkpoint, Failure, ProbeResult, TrainJob, TrainResult

ATTEMPTS_IF_KILLED = 2  # what killed a worker once may have had nothing to do with the candidate
SLOWEST_STEPS_PER_SECOND = 200.0
LEAST_TIME_LIMIT = 300.0


class StoppedError(Exception):
    """The run is being stopped; what this training did is not recorded."""


@dataclass(frozen=True)
class Training:
    """One candidate to be trained with one seed."""

    candidate: Candidate
    seed: int
    purpose: Literal["search", "confirm"]


class Trainer:
    """Carries out trainings of one run on a pool of workers."""

    def __init__(
        self,
        store: Store,
        run: str,
        task: Task,
        pool: WorkerPool,
        *,
        steps: int,
        episodes: int,
        observer: Observer,
    ) -> None:
        self.store = store
        self.run = run
        self.task = task
        self.pool = pool
        self.steps = steps
        self.episodes = episodes
        self.observer = observer
        self.stopping = threading.Event()

    def carry_out(self, trainings: Sequence[Training]) -> None:
        """Do all trainings, as many at a time as there are workers.

        A training that fails is a failed candidate; any other error, or Ctrl-C, ends the rest.
        """
        if not trainings:
            return
        with ThreadPoolExecutor(self.pool.size) as executor:
            futures: list[Future[None]] = [executor.submit(self.one, t) for t in trainings]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self.stopping.set()
                executor.shutdown(wait=False, cancel_futures=True)
                self.pool.close()
                raise

    def one(self, training: Training) -> None:
        """Train, score and record; or record why that failed."""
        for attempt in range(ATTEMPTS_IF_KILLED):
            outcome = self.attempt(training)
            if not isinstance(outcome, Failure):
                return
            if self.stopping.is_set():
                raise StoppedError
            if outcome.reason == "disk":  # no fault of the candidate
                raise UserError(
                    f"the disk that holds {tempfile.gettempdir()} is full; free some space, or set "
                    f"TMPDIR to another folder, and go on with --resume {self.run}"
                )
            if outcome.reason != "killed" or attempt == ATTEMPTS_IF_KILLED - 1:
                self.fail(training, outcome.message)
                return

    def attempt(self, training: Training) -> TrainResult | Failure:
        candidate = training.candidate
        start = time.monotonic()

        def job(folder: str) -> TrainJob:
            return TrainJob(
                task=str(self.task.folder.resolve()),
                program=candidate.source,
                folder=folder,
                seed=training.seed,
                steps=self.steps,
                time_limit=max(LEAST_TIME_LIMIT, self.steps / SLOWEST_STEPS_PER_SECOND),
            )

        refused: list[Failure] = []

        def collect(result: TrainResult | ProbeResult, folder: Path) -> None:
            assert isinstance(result, TrainResult)
            policy = folder / result.policy
            try:
                score = score_policy(self.task, policy, self.episodes)
            except UserError as error:  # the worker left something that is no policy
                refused.append(Failure(reason="protocol", message=str(error)))
                return
            if self.stopping.is_set():
                raise StoppedError
            self.store.record_evaluation(
                candidate,
                purpose=training.purpose,
                seed=training.seed,
                steps=self.steps,
                report=result.report,
                score=score,
                policy=policy,
                seconds=time.monotonic() - start,
            )
            self.tell(training, "scored", fitness=score.fitness)

        if self.stopping.is_set():
            raise StoppedError
        self.tell(training, "training", step=0)
        outcome = self.pool.run(job, on_checkpoint=self.follow(training), collect=collect)
        if refused:
            return refused[0]
        if isinstance(outcome, ProbeResult):
            return Failure(reason="protocol", message="the worker answered another question")
        return outcome

    def follow(self, training: Training) -> Callable[[Checkpoint], None]:
        def follow(checkpoint: Checkpoint) -> None:
            self.tell(training, "training", step=checkpoint.step, fitness=checkpoint.fitness)

        return follow

    def fail(self, training: Training, reason: str) -> None:
        if training.purpose == "search":
            self.store.record_failure(training.candidate, reason)
        self.tell(training, "failed", message=reason)

    def tell(
        self,
        training: Training,
        kind: Literal["training", "scored", "failed"],
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
