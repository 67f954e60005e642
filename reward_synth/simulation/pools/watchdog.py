"""Ends the wait for others' code that does not come back.

Calls run on one thread of their own: a call that hangs keeps that thread, and the caller goes on
with an error.
"""

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from reward_synth.errors import UserError

TIME_LIMIT = 120.0
"""Seconds that one call may take; an environment is made within it, too."""

Result = TypeVar("Result")


class Watchdog:
    """Calls functions with a time limit.

    Args:
        name: of what is called, for the error.
        time_limit: seconds of each call.
    """

    def __init__(self, name: str, time_limit: float = TIME_LIMIT) -> None:
        self._name = name
        self._time_limit = time_limit
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.hanging = False
        """Whether a call never came back."""

    def __call__(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What ``function(*arguments)`` gives.

        Raises:
            UserError: it took longer than the limit; and whatever it raises.
        """
        if self.hanging:
            raise UserError(f"{self._name} hangs")
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()
        self._calls.put((function, arguments))
        try:
            result, error = self._answers.get(timeout=self._time_limit)
        except queue.Empty:
            self.hanging = True
            raise UserError(
                f"{self._name} did not come back from {getattr(function, '__name__', 'a call')} "
                f"within {self._time_limit:g} s; it hangs, so mend it or choose another"
            ) from None
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """End the thread, where it does not hang."""
        if self._thread is not None and not self.hanging:
            self._calls.put(None)
            self._thread.join()
        self._thread = None

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            function, arguments = call
            try:
                answer: tuple[Any, BaseException | None] = function(*arguments), None
            except BaseException as error:
                answer = None, error
            self._answers.put(answer)
            del call, function, arguments, answer
