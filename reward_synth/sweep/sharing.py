"""One machine's workers for many runs: each run has a pool of its own, the workers are everybody's.

A job waits for its run's turn, and then gets a worker that knows the run's task: an idle one, or a
new one in the place of the one that was idle longest.  A worker is a pool of one, made by whoever
makes pools for single runs, so that any kind of pool can be shared.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from reward_synth.evaluation import Pool, cores
from reward_synth.evaluation.layout import available_memory
from reward_synth.evaluation.legs import StoppedError
from reward_synth.evaluation.pool import OnCheckpoint
from reward_synth.evaluation.workspace import Workspace
from reward_synth.search import RunConfig, TrainConfig
from reward_synth.search.trainings import OpenPool
from reward_synth.sweep.turns import Turn, Turns
from sandbox.messages import AnyJob, AnyResult, Outcome, TrainJob

KEPT_FOR_EACH_SLOT = 3
"""Workers alive, most of them idle: tasks take turns, and to start a worker takes seconds."""
MEMORY_KEPT_FREE = 2**31
"""Bytes: with less, no worker is kept idle."""


@dataclass(frozen=True)
class Knows:
    """What a worker was started for: jobs of another kind need another one."""

    task_folder: Path
    isolation: str
    kinds: tuple[str, ...]
    device: str


class Machine:
    """The workers of a machine, or of whatever ``open_pool`` reaches, and whose turn it is."""

    def __init__(self, slots: int, open_pool: OpenPool) -> None:
        self.turns = Turns(slots)
        self.open_pool = open_pool
        self.lock = threading.Lock()
        self.idle: list[tuple[Knows, Pool]] = []
        """Longest idle first."""
        self.alive = 0
        self.open: set[SharedPool] = set()
        self.stopping = False

    def pool(self, run: str) -> OpenPool:
        """Opens the pool of a run, as a run of its own would open one."""

        def open_pool(task_folder: Path, config: RunConfig | TrainConfig, _: int) -> SharedPool:
            with self.lock:
                if self.stopping:
                    raise StoppedError
                pool = SharedPool(self, run, task_folder, config)
                self.open.add(pool)
                return pool

        return open_pool

    def borrow(self, task_folder: Path, config: RunConfig | TrainConfig) -> tuple[Knows, Pool]:
        """A worker for a job; who has a turn finds one."""
        choice = config.choice
        knows = Knows(task_folder, config.isolation, choice.worker_kinds, choice.device)
        with self.lock:
            for k in reversed(range(len(self.idle))):
                if self.idle[k][0] == knows:
                    return self.idle.pop(k)
            most = KEPT_FOR_EACH_SLOT * self.turns.slots
            if available_memory() < MEMORY_KEPT_FREE:
                most = self.turns.slots
            leaving = [worker for _, worker in self.idle[: max(0, self.alive + 1 - most)]]
            self.idle = self.idle[len(leaving) :]
            self.alive += 1 - len(leaving)
        for worker in leaving:
            worker.close()
        try:
            return knows, self.open_pool(task_folder, config, 1)
        except BaseException:
            with self.lock:
                self.alive -= 1
            raise

    def give_back(self, knows: Knows, worker: Pool) -> None:
        """A worker has done its job and waits for another one."""
        with self.lock:
            if not self.stopping:
                self.idle.append((knows, worker))
                return
        self.discard(worker, ended=False)

    def discard(self, worker: Pool, *, ended: bool) -> None:
        """A worker that nobody shall have any more; it is ended unless that is done already."""
        with self.lock:
            self.alive -= 1
        if not ended:
            worker.close()

    def close(self) -> None:
        """End all jobs and workers; whoever waits for a turn, or asks for one, is stopped."""
        with self.lock:
            self.stopping = True
            leaving, self.idle = self.idle, []
            self.alive -= len(leaving)
            open_pools = list(self.open)
        for pool in open_pools:
            pool.close()
        for _, worker in leaving:
            worker.close()


class SharedPool:
    """A run's :class:`Pool` on a machine that it shares."""

    def __init__(
        self, machine: Machine, run: str, task_folder: Path, config: RunConfig | TrainConfig
    ) -> None:
        self.machine = machine
        self.run_name = run
        self.task_folder = task_folder
        self.config = config
        self.size = machine.turns.slots
        self.workspace = Workspace()
        self.root = self.workspace.root
        self.lock = threading.Lock()
        self.working: list[Pool] = []
        """Workers that do a job of this run."""
        self.closed = False

    def __enter__(self) -> "SharedPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Nothing: a worker that is started before its turn takes from those that have one."""

    def run(
        self,
        job: Callable[[str], AnyJob],
        *,
        on_checkpoint: OnCheckpoint | None = None,
        collect: Callable[[AnyResult, Path], None] | None = None,
    ) -> Outcome:
        """Run ``job(folder)`` when it is this run's turn.  Raises StoppedError once it is closed.

        After success ``collect(result, folder)`` is called, and then the folder is removed.
        """
        with self.machine.turns.turn(self.run_name) as turn:
            knows, worker = self.machine.borrow(self.task_folder, self.config)
            with self.lock:
                late = self.closed
                if not late:
                    self.working.append(worker)
            if late:
                self.machine.give_back(knows, worker)
                raise StoppedError
            whole = False
            try:
                outcome = worker.run(
                    lambda folder: self.fitted(job(folder), turn),
                    on_checkpoint=on_checkpoint,
                    collect=collect,
                )
                whole = True
            finally:
                with self.lock:
                    closed = self.closed  # and the worker with it
                    self.working.remove(worker)
                if whole and not closed:
                    self.machine.give_back(knows, worker)
                else:
                    self.machine.discard(worker, ended=closed)
            if closed:  # what came back may be what was left of it
                raise StoppedError
            return outcome

    def fitted(self, job: AnyJob, turn: Turn) -> AnyJob:
        """A job that counts for what it is, with its share of the cores."""
        if not isinstance(job, TrainJob):
            turn.charge(0)
            return job
        turn.charge(len(job.members))
        share = max(1, cores() // max(1, self.machine.turns.busy()))
        return job.model_copy(update={"threads": min(job.threads, share)})

    def close(self) -> None:
        """End the jobs of this run, wherever they are, and remove what they wrote."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
            working = list(self.working)
        self.machine.turns.stop(self.run_name)
        for worker in working:
            worker.close()
        self.workspace.close()
        with self.machine.lock:
            self.machine.open.discard(self)
