"""Files that cross the boundary of the sandbox: a worker may have put anything in their place."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_synth.evaluation.workspace import remove_tree, writing_here
from sandbox.confinement import MAX_FILE_BYTES


@contextmanager
def plain_file(source: Path, room: int) -> Iterator[tuple[int, int]]:
    """A file that a worker left, open: its descriptor and its bytes.

    Raises ValueError where it is no plain file (a link to a person's own, say), or larger than
    ``room`` or ``MAX_FILE_BYTES``.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise ValueError(f"the worker left no plain file {source.name}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"the worker left no plain file {source.name}")
        if found.st_size > min(room, MAX_FILE_BYTES):
            raise ValueError(f"the worker left a file {source.name} of {found.st_size:,} bytes")
        yield descriptor, found.st_size
    finally:
        os.close(descriptor)


def take_file(source: Path, target: Path, room: int = MAX_FILE_BYTES) -> int:
    """Copy a file that a worker left, or gets, to a new one; gives its bytes.

    It is copied, not moved: a worker may hold its own open, and change it after it was judged.
    Raises ValueError as :func:`plain_file` does, and UserError where the copy cannot be written.
    """
    with plain_file(source, room) as (descriptor, size), writing_here(target):
        target.unlink(missing_ok=True)
        with target.open("xb") as own:
            taken = 0
            while sent := os.sendfile(own.fileno(), descriptor, taken, size - taken):
                taken += sent
    return taken


def read_file(source: Path, room: int = MAX_FILE_BYTES) -> bytes:
    """The content of a file that a worker left.  Raises ValueError as :func:`plain_file` does."""
    with (
        plain_file(source, room) as (descriptor, size),
        open(descriptor, "rb", closefd=False) as own,
    ):
        return own.read(size)


def new_folder(folder: Path) -> None:
    """Make a job's folder, empty, whatever an earlier job put in its place.  Raises OSError."""
    remove_tree(folder)
    # Not the pool's own folder: that is gone when the pool was closed meanwhile.
    for level in (folder.parent.parent, folder.parent):
        level.mkdir(exist_ok=True)
    folder.mkdir()
