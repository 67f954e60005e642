"""A run's working folder: where its workers write, gone with the run, however that ends.

The folder is locked while its run lives.  A run that was killed leaves it behind unlocked, and the
next run on the machine takes it away.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from reward_synth.errors import UserError

PREFIX = "reward-synth-"
LOCK = "in-use"
UNLOCKED_SECONDS = 600.0
"""Age from which a folder without a lock counts as left behind, not as being made."""


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
                f"cannot make a working folder for the sandbox: {error.strerror}; free some space, "
                "or set TMPDIR to another folder"
            ) from error

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.root, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of runs that are no more; those that cannot be removed stay."""
    for folder in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            if is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)


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
