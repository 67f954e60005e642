"""The worker: takes jobs as JSON lines on standard input, answers with events on standard output.

Libraries are imported once, behind the outer wall.  Every job then runs in a process of its own,
forked from here: it starts in milliseconds, shares nothing writable with other jobs, and what it
breaks is its own.  After a job's last event comes one line ``{"kind": "done"}``.
"""

import errno
import gc
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from sandbox.confinement import Isolation, confine_job, die_with_parent
from sandbox.messages import Failure, Job, Message, ProbeJob, TrainJob

POLL_SECONDS = 0.02
DONE = '{"kind": "done"}'
OUT_OF_MEMORY = ("can't allocate memory", "Could not allocate memory")
"""What torch and MuJoCo say."""
READY = '{"kind": "ready"}'


def preload(kinds: list[str]) -> None:
    """Import what the jobs will need, so that no job pays for it."""
    import sandbox.probe

    if "train" in kinds:
        import sandbox.training
    if "sb3" in kinds:
        import sandbox.reference  # noqa: F401


def perform(job: ProbeJob | TrainJob, emit: "Emitter") -> Message:
    """Do the job in this process and return its last event."""
    if isinstance(job, ProbeJob):
        from sandbox.probe import probe

        return probe(job)
    if job.trainer == "sb3":
        from sandbox.reference import train
    else:
        from sandbox.training import train
    return train(job, emit)


class Emitter:
    """Writes events, one JSON line each, unbuffered."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __call__(self, event: Message | str) -> None:
        line = event if isinstance(event, str) else event.model_dump_json()
        self.stream.write("\n" + line + "\n")
        self.stream.flush()


def describe(error: BaseException) -> Failure:
    """A job's exception as its last event."""
    from reward_synth.errors import DeviceMemoryError, UserError
    from reward_synth.reward import RewardError
    from sandbox.failures import NonFiniteError

    if isinstance(error, NonFiniteError):
        return Failure(reason="non-finite", message=str(error))
    if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
        return Failure(reason="memory", message="out of memory")
    if isinstance(error, DeviceMemoryError):
        return Failure(reason="memory", message=str(error))
    if isinstance(error, UserError):
        return Failure(reason="raised", message=str(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure(reason="disk", message="no space left to write the policy")
    if isinstance(error, RewardError):
        return Failure(reason="raised", message=str(error))
    return Failure(reason="raised", message=f"{type(error).__name__}: {error}")


def run_job(
    job: ProbeJob | TrainJob, isolation: Isolation, readable: list[str], nodes: list[str]
) -> None:
    """The body of a job's process: never returns."""
    emit = Emitter(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        folder = Path(job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        confine_job(folder, readable, nodes, isolation, job.memory_limit)
        emit(perform(job, emit))
        os._exit(0)
    except BaseException as error:
        emit(describe(error))
        os._exit(1)


def supervise(pid: int, job: ProbeJob | TrainJob, emit: Emitter) -> None:
    """Wait for a job's process and report what it could not report itself."""
    deadline = time.monotonic() + job.time_limit
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            limit = f"{job.time_limit:.0f} s"
            emit(Failure(reason="time", message=f"stopped at its time limit of {limit}"))
            return
        time.sleep(POLL_SECONDS)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        reason = "time" if name == "SIGXCPU" else "killed"
        emit(Failure(reason=reason, message=f"the training process was killed by {name}"))


def main() -> None:
    """``python -m sandbox.worker ISOLATION KIND… -- READABLE… -- NODE…``"""
    isolation: Isolation = "strict" if sys.argv[1] == "strict" else "none"
    first = sys.argv.index("--")
    second = sys.argv.index("--", first + 1)
    kinds, readable, nodes = sys.argv[2:first], sys.argv[first + 1 : second], sys.argv[second + 1 :]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    die_with_parent()
    emit = Emitter(sys.stdout)
    adapter = TypeAdapter[ProbeJob | TrainJob](Job)
    preload(kinds)
    gc.freeze()  # shared pages stay shared after a fork
    emit(READY)
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            job = adapter.validate_python(json.loads(line))
        except (ValidationError, ValueError) as error:
            emit(Failure(reason="protocol", message=f"the job could not be read: {error}"))
            emit(DONE)
            continue
        pid = os.fork()
        if pid == 0:
            run_job(job, isolation, readable, nodes)
        supervise(pid, job, emit)
        emit(DONE)


if __name__ == "__main__":
    main()
