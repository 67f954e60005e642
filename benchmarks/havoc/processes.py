"""Processes of a run: who descends from whom, and who is left when all should be gone."""

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GONE_SECONDS = 5.0
"""How long after the orchestrator its last process may live."""


def adopt_orphans() -> None:
    """Become the parent of every process that outlives its own below this one."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("this system has no subreapers")


def children(parent: int) -> list[int]:
    """Processes whose parent it is; the dead that nobody has buried are left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, ppid = entry.read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found.append(int(entry.parent.name))
    return sorted(found)


def workers(orchestrator: int) -> list[int]:
    """Processes that it started itself."""
    return children(orchestrator)


def jobs(orchestrator: int) -> list[int]:
    """Processes below its workers."""
    found, above = [], workers(orchestrator)
    while above := [job for process in above for job in children(process)]:
        found += above
    return found


def command_of(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:120]
    return "?"


def orphans() -> list[str]:
    """What still lives below this process after ``GONE_SECONDS``; it is killed then.

    Call it when every process that this one started has been waited for.
    """
    deadline = time.monotonic() + GONE_SECONDS
    while True:
        bury()
        left = children(os.getpid())
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    told = [f"process {process} ({command_of(process)})" for process in left]
    while left:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)
        bury()
        left = children(os.getpid())
    return told


def bury() -> None:
    """Wait for the dead among the adopted."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
