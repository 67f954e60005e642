"""The worker: takes jobs as JSON lines on standard input, answers with lines on standard output.

Libraries are imported once, behind the outer wall.  Every job then runs in a process of its own,
forked from here: it starts in milliseconds, shares nothing writable with other jobs, and what it
breaks is its own.

A job's events go through a pipe that ends with the job, and are passed on marked with ``>``; what
the worker says itself has no mark: ``{"kind": "ready"}`` at first, ``{"kind": "done"}`` after a
job's last event, and ``{"kind": "alive"}`` now and then in between.  So nothing that a job says can
pass for the worker's word, or for another job's.  Where the outer wall cannot be built, the worker
says ``{"kind": "unconfined", "message": ...}`` and ends.
"""

import contextlib
import errno
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import TextIO, cast

from pydantic import TypeAdapter, ValidationError

from sandbox.confinement import (
    MAX_OPEN_FILES,
    Isolation,
    confine_job,
    confine_worker,
    die_with,
    set_limit,
)
from sandbox.messages import (
    MARK,
    MAX_LINE,
    MAX_SAID,
    AnyJob,
    Failure,
    Job,
    Message,
    ProbeJob,
    RankJob,
)

POLL_SECONDS = 0.02
ENVIRONMENT_MODULES = {
    "envpool": (
        "envpool",
        "reward_synth.simulation.vector",
        "reward_synth.simulation.pools.envpool",
    ),
    "gymnasium": (
        "gymnasium",
        "reward_synth.simulation.vector",
        "reward_synth.simulation.pools.gymnasium",
    ),
    "mjlab": ("mjlab.tasks", "reward_synth.simulation.managed"),
}
"""Slow to import, for tasks on environments of these packages; all others are on MuJoCo models."""
MODEL_MODULES = ("reward_synth.simulation.mujoco_cpu",)
READY = '{"kind": "ready"}'
ALIVE = '{"kind": "alive"}'
DONE = '{"kind": "done"}'
ALIVE_SECONDS = 5.0
WEIGH_SECONDS = 1.0
MAX_FOLDER_BYTES = 2 * 2**30
"""What a job's folder may hold; the states of a population of 64 take a tenth of it."""
OUT_OF_MEMORY = ("can't allocate memory", "Could not allocate memory")
"""What torch and MuJoCo say."""


def preload(kinds: list[str]) -> None:
    """Import what the jobs will need, so that no job pays for it."""
    import array_api_compat.numpy  # noqa: F401

    import sandbox.probe
    import sandbox.ranking

    if "train" in kinds:
        import sandbox.training
    if "sb3" in kinds:
        import sandbox.reference  # noqa: F401
    packages = [package for package in ENVIRONMENT_MODULES if package in kinds]
    modules = [module for package in packages for module in ENVIRONMENT_MODULES[package]]
    for module in modules or MODEL_MODULES:
        with contextlib.suppress(Exception):  # the job says what is wrong with it
            importlib.import_module(module)


def perform(job: AnyJob, emit: "Emitter") -> Message:
    """Do the job in this process and return its last event."""
    if isinstance(job, ProbeJob):
        from sandbox.probe import probe

        return probe(job)
    if isinstance(job, RankJob):
        from sandbox.ranking import rank

        return rank(job)
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
    job: AnyJob,
    isolation: Isolation,
    readable: list[str],
    nodes: list[str],
    events: int,
    worker: int,
) -> None:
    """The body of a job's process, which says its events on that descriptor: never returns."""
    die_with(worker)
    emit = Emitter(os.fdopen(events, "w", encoding="utf-8"))
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1) if isolation == "none" else (0, 1, 2):
            os.dup2(quiet, stream)
        folder = Path(job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        confine_job(folder, readable, nodes, isolation, job.memory_limit, job.time_limit)
        emit(perform(job, emit))
        os._exit(0)
    except BaseException as error:
        emit(describe(error))
        os._exit(1)


class Relay:
    """Passes a job's lines on, marked, as they come, until it has said more than it may."""

    def __init__(self, events: int, emit: Emitter) -> None:
        self.events = events
        self.emit = emit
        self.begun = b""
        """A line that has not ended."""
        self.said = 0
        self.ended = False

    def wait(self, seconds: float) -> bool:
        """Pass on what comes within that time; whether anything did."""
        if self.ended:
            time.sleep(seconds)
            return False
        if not select.select([self.events], [], [], seconds)[0]:
            return False
        chunk = os.read(self.events, 65536)
        self.ended = not chunk
        self.said += len(chunk)
        *lines, self.begun = (self.begun + chunk).split(b"\n")
        for line in lines:
            if line.strip() and not self.too_much:
                self.emit(MARK + line.decode("utf-8", "replace"))
        return bool(chunk)

    @property
    def too_much(self) -> bool:
        return self.said > MAX_SAID or len(self.begun) > MAX_LINE


def weight(folder: str) -> int:
    """Bytes that a folder takes on the disk; what vanishes meanwhile is not counted."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return total


def supervise(pid: int, job: AnyJob, relay: Relay, emit: Emitter) -> None:
    """Pass on what a job says, and report what it could not report itself."""

    def give_up(failure: Failure) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        emit(MARK + failure.model_dump_json())

    now = time.monotonic()
    deadline, heard, weighed = now + job.time_limit, now, now
    while True:
        finished, status = os.waitpid(pid, os.WNOHANG)
        if finished:
            break
        relay.wait(POLL_SECONDS)
        now = time.monotonic()
        if now > deadline:
            limit = f"{job.time_limit:.0f} s"
            give_up(Failure(reason="time", message=f"stopped at its time limit of {limit}"))
            return
        if relay.too_much:
            give_up(Failure(reason="protocol", message="the training process said too much"))
            return
        if now - weighed > WEIGH_SECONDS:
            weighed = now
            if weight(job.folder) > MAX_FOLDER_BYTES:
                limit = f"{MAX_FOLDER_BYTES / 2**30:.0f} GiB"
                give_up(Failure(reason="protocol", message=f"it wrote more than {limit} of files"))
                return
        if now - heard > ALIVE_SECONDS:
            heard = now
            emit(ALIVE)
    while relay.wait(0.0):  # what it said last
        pass
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        failure = Failure(reason="killed", message=f"the training process was killed by {name}")
        emit(MARK + failure.model_dump_json())


def main() -> None:
    """``python -m sandbox.worker ISOLATION PARENT KIND… -- READABLE… -- NODE…``"""
    isolation = cast(Isolation, sys.argv[1])
    first = sys.argv.index("--")
    second = sys.argv.index("--", first + 1)
    kinds, readable, nodes = sys.argv[3:first], sys.argv[first + 1 : second], sys.argv[second + 1 :]
    set_limit(resource.RLIMIT_CORE, 0)
    set_limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    die_with(int(sys.argv[2]))
    emit = Emitter(sys.stdout)
    if isolation == "strict":
        try:
            confine_worker(Path.cwd(), readable, nodes)
        except OSError as error:
            emit(json.dumps({"kind": "unconfined", "message": error.strerror or str(error)}))
            sys.exit(1)
    adapter = TypeAdapter[AnyJob](Job)
    preload(kinds)
    gc.freeze()  # shared pages stay shared after a fork
    emit(READY)
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            job = adapter.validate_python(json.loads(line))
        except (ValidationError, ValueError) as error:
            failure = Failure(reason="protocol", message=f"the job could not be read: {error}")
            emit(MARK + failure.model_dump_json())
            emit(DONE)
            continue
        reader, writer = os.pipe()
        worker = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            run_job(job, isolation, readable, nodes, writer, worker)
        os.close(writer)
        supervise(pid, job, Relay(reader, emit), emit)
        os.close(reader)
        emit(DONE)


if __name__ == "__main__":
    main()
