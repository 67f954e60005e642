"""What the rest of the house knows of whoever does its jobs: one machine's workers, or many's."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sandbox.messages import AnyJob, AnyResult, Checkpoint, Outcome

OnCheckpoint = Callable[[Checkpoint], None]


class Pool(Protocol):
    """Does jobs for one task on ``size`` workers.  A context manager; threads may share it."""

    size: int
    root: Path
    """A folder on this machine for what belongs to the run alone; gone when it is closed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def warm(self) -> None:
        """Start what can be started before there is a job, without waiting for it."""
        ...

    def run(
        self,
        job: Callable[[str], AnyJob],
        *,
        on_checkpoint: OnCheckpoint | None = None,
        collect: Callable[[AnyResult, Path], None] | None = None,
    ) -> Outcome:
        """Run ``job(folder)`` on an idle worker, waiting for one if need be.

        ``job`` may lay files into the folder that it is given, a path on this machine.  After
        success ``collect(result, folder)`` is called, and then the folder is removed.
        """
        ...

    def close(self) -> None:
        """End every job and worker and remove what they wrote; jobs under way fail."""
        ...
