"""Several calls at once, in threads.

The program is threaded throughout, and requests to a model only wait; an event loop would be a
second way to do the same.  The threads are daemons: an interruption does not wait for replies that
may take minutes.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 8
"""Requests to one model at the same time; providers limit them too."""


def side_by_side(
    calls: Sequence[Callable[[], T]], at_once: int = AT_ONCE
) -> tuple[list[T | None], Exception | None]:
    """What the calls gave, in their order, and the failure of the first one that failed.

    None stands for a call that failed, or was not begun: once one has failed, those under way are
    finished and no other is begun.
    """
    results: list[T | None] = [None] * len(calls)
    failures: dict[int, Exception] = {}
    todo = iter(range(len(calls)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                k = None if failures else next(todo, None)
            if k is None:
                return
            try:
                results[k] = calls[k]()
            except Exception as error:
                with lock:
                    failures[k] = error

    workers = min(at_once, len(calls))
    if workers == 1:
        work()
    else:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results, failures[min(failures)] if failures else None
