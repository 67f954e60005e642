"""A run's working folder: where its workers write, gone with the run, however that ends.

The folder is locked while its run lives.  A run that was killed leaves it behind unlocked, and the
next run on the machine takes it away.
"""

import contextlib
import fcntl
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from reward_synth.errors import UserError

PREFIX = "reward-synth-"
LOCK = "in-use"
UNLOCKED_SECONDS = 600.0
"""Age from which a folder without a lock counts as left behind, not as being made."""
ROOM = 64 * 2**20
"""Bytes: with less the place for temporary files counts as full."""
ADVICE = "free some space, or set TMPDIR to another folder"


class Workspace:
    """A new folder in the system's place for temporary files.

    Raises UserError where none can be made.
    """

    def __init__(self) -> None:
        remove_left_behind(Path(tempfile.gettempdir()))
        try:
            self.root = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = os.open(self.root / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            raise UserError(
                f"cannot make a working folder for the sandbox: {error.strerror}; {ADVICE}"
            ) from error

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        remove(self.root)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of runs that are no more; those that cannot be removed stay."""
    for folder in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            if is_left_behind(folder):
                remove(folder)


def remove(folder: Path) -> None:
    """Remove a working folder, its lock last: who is killed meanwhile leaves what can be told to be
    left behind."""
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != LOCK:
                remove_tree(entry)
        if all(entry.name == LOCK for entry in folder.iterdir()):  # nobody writes there any more
            remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder, or whatever stands in its place, with all that is in it.

    ``rm`` follows no link and goes as deep as a worker may have gone, where ``shutil.rmtree`` ends
    by RecursionError, or with all of the process's file descriptors taken.
    """
    if not os.path.lexists(folder):
        return
    command = ["rm", "-rf", "--", str(folder)]
    subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def writing_here(path: Path) -> Iterator[None]:
    """Turn a refusal to write below the working folder into one line for the user."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; {ADVICE}, and go on with --resume"
        ) from error


def has_room(folder: Path, size: int = ROOM) -> bool:
    """Whether ``size`` bytes can be written in ``folder``; tried, since a quota is nowhere told."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        return False
    return True


def is_left_behind(folder: Path) -> bool:
    """Whether it is ours and nobody holds its lock.  Raises OSError where that cannot be told."""
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        return False
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - found.st_mtime > UNLOCKED_SECONDS
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
