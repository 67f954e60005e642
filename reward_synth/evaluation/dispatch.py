"""Sandbox workers as a pool: give it a job, get its outcome, whatever happens to the worker."""

import contextlib
import functools
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reward_synth.errors import UserError
from reward_synth.evaluation.layout import user_cache
from reward_synth.evaluation.pool import OnCheckpoint
from reward_synth.evaluation.workspace import Workspace, remove_tree, writing_here
from reward_synth.reward.source import NOT_TEXT
from reward_synth.task.world_source import environment_packages
from sandbox.confinement import IN_REACH, NEEDED, Isolation, WorkerProcess, start_worker
from sandbox.messages import (
    MARK,
    MAX_LINE,
    MAX_SAID,
    AnyJob,
    AnyResult,
    Checkpoint,
    Event,
    Failure,
    Outcome,
    ProbeResult,
    RankResult,
    TrainJob,
    TrainResult,
)

UNPRINTABLE = re.compile(NOT_TEXT.pattern + r"|[\f\r\u200e\u200f]")
"""Control characters but tab and newline, what turns the direction of text, and half characters."""
LOG = logging.getLogger("reward_synth")
START_SECONDS = 120.0
GRACE_SECONDS = 15.0  # beyond a job's own limit, before its worker is given up
SILENCE_SECONDS = 60.0
"""A worker at work says something every few seconds; one that is silent so long hangs."""
LINES_WAITING = 16
"""Lines that are read ahead: a worker that says more than is listened to has to wait."""
MOST_LINES = 20_000
"""Lines that a worker may say of a job, and one more each second: a population of 64 has 700."""
MOST_COMMAS = 250_000
"""Of one line: they bound the values in it, each of which takes many times its length."""
MOST_LEVELS = 20
"""Of nested JSON; an event has nine."""
FEW_ERRORS = 20
"""Up to so many it is told where an event is wrong; to list more would take long."""

RESULTS = {"probe": ProbeResult, "rank": RankResult, "train": TrainResult}
"""What answers a job, by its kind."""
EVENTS: TypeAdapter[Checkpoint | Outcome] = TypeAdapter(Event)


class WorkerDiedError(Exception):
    """The worker process ended, or has to be ended, in the middle of its work."""


class ProtocolError(Exception):
    """The worker said what no worker says."""


class Worker:
    """One worker process, restarted when it dies.  Used by one thread at a time."""

    def __init__(
        self,
        task_folder: Path,
        folder: Path,
        isolation: Isolation,
        kinds: Sequence[str],
        device: str = "cpu",
        kernels: Path | None = None,
    ) -> None:
        self.task_folder = task_folder
        self.device = device
        self.kernels = kernels
        self.folder = folder
        self.isolation: Isolation = isolation
        self.kinds = kinds
        self.process: WorkerProcess | None = None
        self.lines = Lines()
        self.heard = self.heard_bytes = 0
        """Lines since the job began, and the bytes in them."""
        self.starting = threading.Lock()
        """Held while the folder is made and the process begun."""
        self.over = False
        """Whether it was stopped for good."""

    @property
    def jobs(self) -> Path:
        """The folder that the worker may write to."""
        return self.folder / "jobs"

    def start(self) -> None:
        """Start the process and wait until its libraries are loaded.  Raises UserError."""
        if self.process is not None:
            return
        with self.starting, writing_here(self.folder):
            if self.over:
                raise UserError("the workers of this run were stopped")
            self.folder.mkdir(exist_ok=True)
            self.lines = Lines()
            self.heard = self.heard_bytes = 0
            started: queue.Queue[WorkerProcess | BaseException] = queue.Queue()
            threading.Thread(target=self.host, args=(started, self.lines), daemon=True).start()
            process = started.get()
            if isinstance(process, BaseException):
                raise process
            self.process = process
        try:
            _, said = self.receive(START_SECONDS)
            if said.get("kind") == "unconfined":
                self.stop()
                raise UserError(
                    f"this machine cannot confine generated code ({said.get('message')}): "
                    f"{NEEDED}; see `reward-synth doctor`, or accept the risk with "
                    "--isolation process"
                )
            if said != {"kind": "ready"}:
                raise ProtocolError(f"it said {str(said)[:80]!r} instead of being ready")
        except (WorkerDiedError, ProtocolError, TimeoutError) as error:
            self.stop()
            raise UserError(
                f"a sandbox worker did not start ({error}); `reward-synth doctor` tells what this "
                "machine can do"
            ) from error

    def host(
        self,
        started: "queue.Queue[WorkerProcess | BaseException]",
        lines: "Lines",
    ) -> None:
        """Start the process and read what it says until it ends.

        The kernel ends the worker when the thread that started it ends, so one thread does both.
        """
        try:
            process = start_worker(
                self.task_folder,
                self.folder,
                self.isolation,
                self.kinds,
                self.device,
                self.kernels,
            )
        except BaseException as error:
            started.put(error)
            return
        started.put(process)
        lines.read(process.stdout.fileno())

    def receive(self, seconds: float) -> tuple[bool, dict[str, object]]:
        """The next line as JSON, and whether the job said it, not the worker.

        Raises WorkerDiedError, ProtocolError, or TimeoutError after ``seconds``.
        """
        try:
            line = self.lines.waiting.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            raise TimeoutError(f"no answer within {seconds:.0f} s") from None
        if line is None:
            if self.lines.endless:
                raise ProtocolError(f"the worker said a line of more than {MAX_LINE:,} bytes")
            raise WorkerDiedError("the worker process died")
        self.heard += 1
        self.heard_bytes += len(line)
        if self.heard_bytes > MAX_SAID + MAX_LINE:
            raise ProtocolError(f"the worker said more than {MAX_SAID:,} bytes")
        by_job = line.startswith(MARK.encode())
        if line.count(b",") > MOST_COMMAS:
            raise ProtocolError(f"the worker said a line of more than {MOST_COMMAS:,} values")
        try:
            value = json.loads(line.removeprefix(MARK.encode()))
        except (ValueError, RecursionError):
            raise ProtocolError("the worker said a line that is not JSON") from None
        if not isinstance(value, dict):
            raise ProtocolError("the worker said a line that is not an event")
        return by_job, printable(value)

    def run(self, job: AnyJob, on_checkpoint: OnCheckpoint | None) -> Outcome:
        """Do one job to its end."""
        if not self.lines.waiting.empty():
            self.stop()  # what it said without being asked is no answer to this job
        self.start()
        assert self.process is not None
        self.heard = self.heard_bytes = 0
        try:
            # In a thread: a worker that does not read is found out by its silence.
            order = job.model_dump_json().encode() + b"\n"
            threading.Thread(target=tell, args=(self.process, order), daemon=True).start()
            return self.follow(job, on_checkpoint)
        except TimeoutError:
            self.stop()
            return Failure(reason="time", message=f"no result within {job.time_limit:.0f} s")
        except (WorkerDiedError, OSError) as error:
            self.stop()
            return Failure(reason="killed", message=str(error))
        except ProtocolError as error:
            self.stop()
            return Failure(reason="protocol", message=str(error))

    def follow(self, job: AnyJob, on_checkpoint: OnCheckpoint | None) -> Outcome:
        """Read events until the job is done; the last one decides."""
        outcome: Outcome = Failure(reason="protocol", message="the worker gave no result")
        result = RESULTS[job.kind]
        members = {member.name for member in job.members} if isinstance(job, TrainJob) else set()
        begun = time.monotonic()
        deadline = begun + job.time_limit + GRACE_SECONDS
        while True:
            left = deadline - time.monotonic()
            try:
                by_job, value = self.receive(min(left, SILENCE_SECONDS))
            except TimeoutError:
                if left > SILENCE_SECONDS:
                    silence = f"{SILENCE_SECONDS:.0f} s"
                    raise WorkerDiedError(f"the worker was silent for {silence}") from None
                raise
            if not by_job and value.get("kind") == "done":
                return outcome
            if left < 0.0:
                raise TimeoutError
            if self.heard > MOST_LINES + time.monotonic() - begun:
                raise ProtocolError(f"the worker said more than {MOST_LINES:,} lines")
            if not by_job:
                continue
            event = read_event(value)
            if isinstance(event, Checkpoint):
                if on_checkpoint is not None and event.member in members:
                    on_checkpoint(event)
            elif isinstance(event, result | Failure):
                outcome = event
            else:
                raise ProtocolError(f"the worker answered a job to {job.kind} with a {event.kind}")

    def stop(self) -> None:
        """Kill the process; the next job starts a new one."""
        process, self.process = self.process, None
        self.lines.give_up()
        if process is None:
            return
        with contextlib.suppress(OSError, RuntimeError):
            process.kill()
        with contextlib.suppress(OSError, RuntimeError):
            process.wait()


def tell(process: WorkerProcess, order: bytes) -> None:
    """Write to a worker; one that has died is noticed by who reads what it says."""
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(order)
        process.stdin.flush()


def read_event(value: dict[str, object]) -> Checkpoint | Outcome:
    """What a job said, by the schema.  Raises ProtocolError."""
    try:
        return EVENTS.validate_python(value)
    except ValidationError as error:
        where = ()
        if error.error_count() <= FEW_ERRORS:
            where = error.errors(include_url=False, include_input=False)[0]["loc"]
        place = ".".join(map(str, where))[:100]
        message = f"the worker said an event that is not allowed (at {place or 'many places'})"
        raise ProtocolError(message) from None


def printable(value: Any, levels: int = MOST_LEVELS) -> Any:
    """JSON whose texts, names included, hold nothing that steers a terminal or is no character.

    Raises ProtocolError where it is nested deeper than ``levels``.
    """
    if isinstance(value, str):
        return UNPRINTABLE.sub("\ufffd", value)
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        raise ProtocolError(f"the worker said JSON of more than {MOST_LEVELS} levels")
    if isinstance(value, list):
        return [printable(entry, levels - 1) for entry in value]
    return {printable(name): printable(entry, levels - 1) for name, entry in value.items()}


class Lines:
    """What a worker says, line by line, read ahead a little by a thread of its own."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[bytes | None] = queue.Queue(LINES_WAITING)
        """None at the end."""
        self.endless = False
        """Whether the end is a line that was too long."""
        self.given_up = threading.Event()
        """Set when nobody listens any more."""

    def read(self, descriptor: int) -> None:
        """Read until the stream's end, or a line that is too long."""
        buffer = b""
        with contextlib.suppress(OSError, ValueError):
            while (chunk := os.read(descriptor, 65536)) and not self.given_up.is_set():
                *whole, buffer = (buffer + chunk).split(b"\n")
                for line in whole:
                    if line.strip():
                        self.hand_over(line)
                self.endless = len(buffer) > MAX_LINE + len(MARK)
                if self.endless:
                    break
        self.hand_over(None)

    def give_up(self) -> None:
        """Read no more, and wake whoever waits for a line, in another thread."""
        self.given_up.set()
        while True:
            with contextlib.suppress(queue.Full):
                return self.waiting.put_nowait(None)
            with contextlib.suppress(queue.Empty):
                self.waiting.get_nowait()

    def hand_over(self, line: bytes | None) -> None:
        while not self.given_up.is_set():
            with contextlib.suppress(queue.Full):
                return self.waiting.put(line, timeout=0.5)


@functools.cache
def compiled_kernels(task_folder: Path, device: str) -> Path | None:
    """A folder with the kernels that a device needs for a task; None where it needs none.

    They are compiled here, in a process of their own, because workers may not write there; once
    for a task and device, since a run asks before it begins and again with its workers.
    Raises UserError where that is not possible: no such device, say.
    """
    if device == "cpu" and "mjlab" not in environment_packages(task_folder):
        return None
    folder = user_cache() / "warp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot keep compiled kernels in {folder}: {error.strerror}; set XDG_CACHE_HOME to "
            "a folder that can be written"
        ) from error
    done = subprocess.run(
        [sys.executable, "-m", "reward_synth.simulation.kernels", str(task_folder), device],
        env={**os.environ, "WARP_CACHE_PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserError(said[-1] if said else f"device {device} cannot be used")
    return folder


class WorkerPool:
    """A :class:`Pool` of ``workers`` worker processes of this machine, for one task.

    Less isolation than "strict" is warned of every time.
    Raises UserError when the isolation asked for cannot be had, or no working folder.
    """

    def __init__(
        self,
        task_folder: Path,
        workers: int,
        isolation: Isolation = "strict",
        kinds: Sequence[str] = ("probe", "train"),
        device: str = "cpu",
    ) -> None:
        if isolation != "strict":
            LOG.warning("--isolation %s: %s", isolation, IN_REACH[isolation])
        self.size = workers
        kernels = compiled_kernels(task_folder, device)
        kinds = (*kinds, *environment_packages(task_folder))
        self.workspace = Workspace()
        self.root = self.workspace.root
        self.all = [
            Worker(task_folder, self.root / f"worker-{index}", isolation, kinds, device, kernels)
            for index in range(workers)
        ]
        self.idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self.all:
            self.idle.put(worker)
        self.count = 0
        self.lock = threading.Lock()

    def __enter__(self) -> "WorkerPool":
        return self

    def warm(self) -> None:
        """Start all workers in the background, while the caller does something else."""

        def start() -> None:
            # A worker that cannot start says so again to the first job, which can report it.
            with self.worker() as worker, contextlib.suppress(UserError):
                worker.start()

        for _ in self.all:
            threading.Thread(target=start, daemon=True).start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        """An idle worker, waiting for one if need be."""
        worker = self.idle.get()
        try:
            yield worker
        finally:
            self.idle.put(worker)

    def run(
        self,
        job: Callable[[str], AnyJob],
        *,
        on_checkpoint: OnCheckpoint | None = None,
        collect: Callable[[AnyResult, Path], None] | None = None,
    ) -> Outcome:
        """Run ``job(folder)`` on an idle worker.

        After success ``collect(result, folder)`` is called, and then the folder is removed.
        """
        with self.lock:
            self.count += 1
            name = f"{self.count:06d}"
        with self.worker() as worker:
            folder = worker.jobs / name
            try:
                outcome = worker.run(job(str(folder.resolve())), on_checkpoint)
                if collect is not None and not isinstance(outcome, Failure):
                    collect(outcome, folder)
                return outcome
            finally:
                remove_tree(folder)

    def close(self) -> None:
        """Kill every worker and remove what they wrote."""
        for worker in self.all:
            with worker.starting:  # else its folder would be made while it is removed
                worker.over = True
                worker.stop()
        self.workspace.close()
