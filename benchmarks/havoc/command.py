"""The command line as chaos starts it: shorter waits, and a snare for moments that no clock hits.

    python -m benchmarks.havoc.command '{"at": "rename", "count": 3, "signal": 9}' run TASK …

The snare is JSON: a signal that the process gets the ``count``-th time that it opens a file under
a temporary name, renames one to its place, is about to commit, or has committed; or ``file_size``,
the largest file that it may write, bytes; or ``pages``, by how many the database may still grow;
or ``opengl``, the library to film with.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

BUSY_MILLISECONDS = 3_000
SILENCE_SECONDS = 12.0
"""Above twice the 5 s after which a worker at work says that it is alive."""
REQUEST_SECONDS = 3.0
FIRST_WAIT = 0.05


def main(arguments: Sequence[str]) -> None:
    # A shell starts what runs in the background with these ignored, and so would this be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    shorten_waits()
    lay(json.loads(arguments[0]))
    from reward_synth.cli.main import run

    run(arguments[1:])


def shorten_waits() -> None:
    """Give up a locked database, a silent worker and a silent model within seconds, not minutes."""
    import functools

    from reward_synth.evaluation import dispatch
    from reward_synth.llm import faults
    from reward_synth.store import database

    database.BUSY_TIMEOUT = BUSY_MILLISECONDS
    dispatch.SILENCE_SECONDS = SILENCE_SECONDS
    patience = functools.partial(
        faults.Patience, timeout=REQUEST_SECONDS, first_wait=FIRST_WAIT, longest_wait=2.0
    )
    setattr(faults, "Patience", patience)  # noqa: B010 - its type is another


def lay(snare: Mapping[str, Any]) -> None:
    """Arm the snare; an empty one does nothing."""
    if "opengl" in snare:
        os.environ["MUJOCO_GL"] = snare["opengl"]
    if "file_size" in snare:
        resource.setrlimit(resource.RLIMIT_FSIZE, (snare["file_size"], resource.RLIM_INFINITY))
    if "pages" in snare:
        limit_pages(snare["pages"])
    if "at" in snare:
        wait_for(snare["at"], snare["count"], snare["signal"])


def limit_pages(more: int) -> None:
    """Let every connection find the database full once it has grown by ``more`` pages."""
    from sqlalchemy import Engine, event

    @event.listens_for(Engine, "connect")
    def configure(connection: Any, record: object) -> None:
        [(pages,)] = connection.execute("PRAGMA page_count")
        connection.execute(f"PRAGMA max_page_count = {pages + more}")


def wait_for(moment: str, count: int, number: int) -> None:
    """Send this process the signal when the moment comes for the ``count``-th time."""
    left = [count]

    def come(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), number)

    if moment in ("open", "rename"):
        wanted = "open" if moment == "open" else "os.rename"

        def hook(name: str, given: tuple[Any, ...]) -> None:
            if name == wanted and "/.tmp-" in str(given[0]):
                come()

        sys.addaudithook(hook)
    else:
        from sqlalchemy import Engine, event
        from sqlalchemy.orm import Session

        if moment == "commit":
            event.listen(Engine, "commit", come)
        else:
            event.listen(Session, "after_commit", come)


if __name__ == "__main__":
    main(sys.argv[1:])
