"""What happens to a run, told to whoever looks on: server-sent events from looks at the database.

All who watch a run share one look a second.  A stream tells ``changed`` when anything was recorded
(the page then loads itself anew), ``activity`` with a piece of page when trainings went on, and
``over`` when the run is.  A browser that lost its stream names the last mark that it has heard of.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from reward_synth.store import Store
from reward_synth.store.glance import Mark, mark

LOOK = 1.0
"""Seconds between two looks."""
QUIET = 15.0
"""Seconds after which a stream says that it is still there."""
RETRY = 3000
"""Milliseconds after which a browser comes back to a lost stream."""
MOST_REMEMBERED = 64
"""Runs whose last look is kept."""


@dataclass(frozen=True)
class Look:
    moment: float
    mark: Mark


class Looks:
    """Looks at runs, at most one a second at each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last: dict[str, Look] = {}

    def mark(self, run: str) -> Mark:
        """How a run stood at most a second ago.  Raises UserError for an unknown one."""
        with self._lock:
            last = self._last.get(run)
            if last is None or time.monotonic() - last.moment >= LOOK:
                found = mark(self._store, run)
                self._last.pop(run, None)
                self._last[run] = last = Look(time.monotonic(), found)
                if len(self._last) > MOST_REMEMBERED:
                    del self._last[next(iter(self._last))]
            return last.mark


async def events(
    looks: Looks,
    run: str,
    known: str,
    show: Callable[[Mark], str],
    closing: threading.Event,
) -> AsyncIterator[str]:
    """The stream of a browser whose page shows the mark ``known``; ``show`` draws an activity."""
    yield f"retry: {RETRY}\n\n"
    shown: str | None = None
    said = time.monotonic()
    while not closing.is_set():
        now = await run_in_threadpool(looks.mark, run)
        drawn = await run_in_threadpool(show, now)
        if now.record != known:
            known, shown = now.record, drawn
            yield event("changed", now.record, now.record)
            said = time.monotonic()
        elif drawn != shown:
            shown = drawn
            yield event("activity", now.record, drawn)
            said = time.monotonic()
        if now.over:
            yield event("over", now.record, "")
            return
        if time.monotonic() - said > QUIET:
            yield ": still here\n\n"
            said = time.monotonic()
        await asyncio.sleep(LOOK)


def event(name: str, mark: str, data: str) -> str:
    """An event whose data is a JSON string, which has no line breaks."""
    return f"event: {name}\nid: {mark}\ndata: {json.dumps(data)}\n\n"
