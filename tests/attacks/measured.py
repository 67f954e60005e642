"""Run something in a forked child, and tell what it took."""

import os
import pickle
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_SECONDS = 1.0
MOST_BYTES = 200 * 2**20
HANGS_SECONDS = 20  # of wall-clock, then it is killed
ADDRESS_SPACE = 2**30  # beyond that of the parent: keeps a bomb from hurting the machine


@dataclass(frozen=True)
class Measured:
    """What a child gave, and what that took beyond what it shares with its parent."""

    value: Any
    """What the function gave, or the exception that it raised."""
    seconds: float
    """Of the processor's time, and of sleep; not of waiting for the processor."""
    bytes: int
    """By which the greatest resident set grew."""


def measure(function: Callable[[], Any]) -> Measured:
    """Call ``function`` in a child; raises AssertionError where the child dies or hangs."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(HANGS_SECONDS)
        try:
            os.write(writing, pickle.dumps(within(function)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0 and data, f"the child ended with {status}"
    return pickle.loads(data)


def within(function: Callable[[], Any]) -> Measured:
    limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit + ADDRESS_SPACE, limit + ADDRESS_SPACE))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, waited = time.perf_counter(), waiting()
    try:
        value = function()
    except Exception as error:
        value = error
    seconds = time.perf_counter() - began - (waiting() - waited)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(value, seconds, (after - before) * 1024)


def waiting() -> float:
    """Seconds that this process stood in line for a processor, which others kept busy."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
