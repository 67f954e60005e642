"""What the models of a run may take together, kept between requests that go on side by side."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from reward_synth.errors import LimitError
from reward_synth.llm.interface import Completion


def cost_reached(limit: float | None, cost: float) -> LimitError | None:
    """The limit in US dollars, if ``cost`` has reached it."""
    if limit is None or cost < limit:
        return None
    message = f"--max-cost {limit:g} is reached: ${cost:.4f} so far"
    return LimitError("max_cost", message, value=cost, allowed=limit)


def tokens_reached(limit: int | None, tokens: int) -> LimitError | None:
    """The limit in billed tokens, if ``tokens`` has reached it."""
    if limit is None or tokens < limit:
        return None
    message = f"--max-tokens {limit} is reached: {tokens:,} billed so far"
    return LimitError("max_tokens", message, value=tokens, allowed=limit)


class Budget:
    """Lets requests begin as long as there is something left.

    What a request takes is known when it is answered.  So that the last one alone passes a limit,
    one begins beside others only where all of them, were they as large as the largest so far,
    would stay below it; otherwise it waits for an answer.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        *,
        tokens: int = 0,
        cost: float = 0.0,
    ) -> None:
        """``tokens`` and ``cost`` (US dollars) are what the run took before it was resumed."""
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.tokens = tokens
        self.cost = cost
        self._most_tokens: int | None = None
        """Of one request; None before the first answer."""
        self._most_cost = 0.0
        self._under_way = 0
        self._changed = threading.Condition()

    @contextmanager
    def request(self) -> Iterator[Callable[[Sequence[Completion]], None]]:
        """Around one request; what is given has to be called with what came of it.

        Raises LimitError when a limit is reached, with nothing asked.
        """
        with self._changed:
            self._changed.wait_for(self._may_begin)
            reached = self.reached()
            if reached is not None:
                raise reached
            self._under_way += 1
        try:
            yield self._take
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def reached(self) -> LimitError | None:
        """The limit that is reached, if one is."""
        return cost_reached(self.max_cost, self.cost) or tokens_reached(
            self.max_tokens, self.tokens
        )

    def _may_begin(self) -> bool:
        if self._under_way == 0 or (self.max_tokens is None and self.max_cost is None):
            return True
        if self._most_tokens is None:
            return False
        tokens = self.tokens + self._under_way * self._most_tokens
        cost = self.cost + self._under_way * self._most_cost
        return (self.max_tokens is None or tokens < self.max_tokens) and (
            self.max_cost is None or cost < self.max_cost
        )

    def _take(self, completions: Sequence[Completion]) -> None:
        tokens = sum(c.prompt_tokens + c.completion_tokens for c in completions)
        cost = sum(c.cost or 0.0 for c in completions)
        with self._changed:
            self.tokens += tokens
            self.cost += cost
            self._most_tokens = max(self._most_tokens or 0, tokens)
            self._most_cost = max(self._most_cost, cost)
