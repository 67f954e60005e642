"""One process per run: an advisory lock that the kernel frees however the process ends."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.store.folder import remove_temporary_files, writing

POLL_SECONDS = 0.02


@contextmanager
def run_lock(run_folder: Path, what: str = "run") -> Iterator[None]:
    """Hold ``RUN/.lock`` (``flock``) and clear away what a killed process left half-written.

    The folder itself is held too, for a file can be deleted.  Raises UserError when another
    process, or another thread of this one, holds it.
    """
    path = run_folder / ".lock"
    with writing(path):
        run_folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    folder = os.open(run_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _hold_folder(folder)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
            raise UserError(
                f"{what} {run_folder.name} is being worked on by process {holder}; "
                "wait for it or stop it, then try again"
            ) from error
        with writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        remove_temporary_files(run_folder)
        yield
    finally:
        os.close(folder)
        os.close(descriptor)


def _hold_folder(descriptor: int) -> None:
    """Lock a folder, where its file system can.  Raises BlockingIOError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # NFS locks for writing only what is open for writing, and a folder cannot be.
        if error.errno not in (errno.EBADF, errno.ENOLCK, errno.EINVAL, errno.EOPNOTSUPP):
            raise


@contextmanager
def setup_lock(folder: Path, seconds: float) -> Iterator[None]:
    """Let one process at a time make the tables of ``folder``'s database; others wait.

    Raises UserError when another one is not done within ``seconds``.
    """
    path = folder / ".reward_synth.lock"
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise UserError(
                        f"another process has been opening the database in {folder} for "
                        f"{seconds:.0f} s: stop that one, then try again"
                    ) from error
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
