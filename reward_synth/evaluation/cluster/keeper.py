"""What runs on a node: the trusted process that keeps one confined worker and hands it jobs.

Ray makes an actor of it.  The worker below it is the same as on one machine, behind the same walls;
its environment is its own, so that nothing of Ray's or of the node's owner gets in.  All that goes
to the driver is text and bytes of this process's making: events that passed the schema, and files
that passed :func:`~reward_synth.evaluation.files.read_file`.
"""

import queue
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import TypeAdapter

from reward_synth.errors import UserError
from reward_synth.evaluation.cluster.connection import CORES_OF_JOB
from reward_synth.evaluation.cluster.shipping import difference, installed, unpacked
from reward_synth.evaluation.dispatch import WorkerPool
from reward_synth.evaluation.files import new_folder, read_file
from reward_synth.evaluation.legs import left_files
from reward_synth.evaluation.workspace import writing_here
from sandbox.confinement import Isolation
from sandbox.messages import (
    AnyJob,
    AnyResult,
    Checkpoint,
    Failure,
    Job,
    MemberResult,
    TrainJob,
    TrainResult,
)
from sandbox.worker import MAX_FOLDER_BYTES

JOB: TypeAdapter[AnyJob] = TypeAdapter(Job)
CHECKPOINT, OUTCOME, FILE, PROBLEM = "checkpoint", "outcome", "file:", "problem"
"""What a piece of an answer is: a checkpoint or the outcome as JSON, a file's content (its name
follows), or one line on what is wrong with the node."""
Piece = tuple[str, bytes]


class Keeper:
    """Keeps one worker of a node for one task."""

    def __init__(self) -> None:
        self.task = Path()
        self.pool: WorkerPool | None = None

    def prepare(
        self,
        archive: bytes,
        name: str,
        isolation: Isolation,
        kinds: tuple[str, ...],
        device: str,
        versions: dict[str, str],
    ) -> str:
        """Lay the task out and start the worker; gives what is wrong, empty for nothing.

        ``versions`` are the driver's.
        """
        other = difference(versions, installed())
        if other:
            return f"it has {other}; install the same versions on every machine of the cluster"
        try:
            self.task = unpacked(archive, name)
            self.pool = WorkerPool(self.task, 1, isolation, kinds, device)
            self.pool.all[0].start()
        except UserError as error:
            return str(error)
        return ""

    def run(self, order: str, files: Mapping[str, bytes]) -> Iterator[Piece]:
        """Do the job ``order``, with ``files`` in its folder; gives its answer piece by piece."""
        answer: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        with ThreadPoolExecutor(1) as executor:
            done = executor.submit(self.work, order, files, answer.put)
            while (piece := answer.get()) is not None:
                yield piece
            done.result()

    def work(
        self, order: str, files: Mapping[str, bytes], say: Callable[[Piece | None], None]
    ) -> None:
        """Do a job and say its answer, and None at the end."""
        assert self.pool is not None
        asked = JOB.validate_json(order)
        left: dict[str, bytes] = {}

        def job(folder: str) -> AnyJob:
            lay(files, Path(folder))
            here: dict[str, object] = {"task": str(self.task), "folder": folder}
            if isinstance(asked, TrainJob):
                here["threads"] = CORES_OF_JOB
            return asked.model_copy(update=here)

        def hear(checkpoint: Checkpoint) -> None:
            say((CHECKPOINT, checkpoint.model_dump_json().encode()))

        def collect(result: AnyResult, folder: Path) -> None:
            if isinstance(asked, TrainJob) and isinstance(result, TrainResult):
                left.update(take(asked, result, folder))

        try:
            outcome = self.pool.run(job, on_checkpoint=hear, collect=collect)
            for name, content in left.items():
                say((FILE + name, content))
            say((OUTCOME, outcome.model_dump_json().encode()))
        except UserError as error:
            say((PROBLEM, str(error).encode()))
        finally:
            say(None)

    def stop(self) -> None:
        """End the worker and remove what it wrote."""
        if self.pool is not None:
            self.pool.close()


def lay(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files that a job finds in its folder, and nowhere else."""
    with writing_here(folder):
        new_folder(folder)
        for name, content in files.items():
            with (folder / Path(name).name).open("xb") as file:
                file.write(content)


def take(job: TrainJob, result: TrainResult, folder: Path) -> dict[str, bytes]:
    """The files of a job's members.  One whose files cannot be taken has failed in ``result``."""
    room = MAX_FOLDER_BYTES
    taken: dict[str, bytes] = {}
    asked = {member.name for member in job.members}
    for index, said in enumerate(result.members):
        if said.member not in asked or said.report is None:
            continue
        own: dict[str, bytes] = {}
        try:
            for name in left_files(said.member, job.keep):
                own[name] = read_file(folder / name, room)
                room -= len(own[name])
        except ValueError as error:
            failure = Failure(reason="protocol", message=str(error))
            result.members[index] = MemberResult(member=said.member, failure=failure)
        else:
            taken |= own
    return taken
