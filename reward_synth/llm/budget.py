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


class Guess:
    """What requests take, by the dearest ones so far; known when the first one is answered."""

    def __init__(self) -> None:
        self.known = False
        self._of_prompt = 0.0
        """Tokens for a character of the prompt."""
        self._of_answer = 0
        """Tokens."""
        self._price = 0.0
        """US dollars for a token of either."""

    def learn(self, characters: int, completions: Sequence[Completion]) -> None:
        """See what came of a request with a prompt of so many characters."""
        prompt = sum(c.prompt_tokens for c in completions)
        tokens = prompt + sum(c.completion_tokens for c in completions)
        cost = sum(c.cost or 0.0 for c in completions)
        self.known = True
        self._of_prompt = max(self._of_prompt, prompt / max(characters, 1))
        self._of_answer = max([self._of_answer, *(c.completion_tokens for c in completions)])
        self._price = max(self._price, cost / max(tokens, 1))

    def tokens(self, characters: int, n: int) -> float:
        """Of a request for ``n`` completions."""
        return self._of_prompt * characters + self._of_answer * n

    def cost(self, characters: int, n: int) -> float:
        """US dollars of a request for ``n`` completions."""
        return self._price * self.tokens(characters, n)


class Budget:
    """Lets requests begin as long as there is something left.

    What a request takes is known when it is answered.  So that the last one alone passes a limit,
    one begins beside others only where all of them would stay below it, as far as the lengths of
    their prompts and the longest answer so far tell; otherwise it waits for an answer.
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
        self._guess = Guess()
        self._under_way: list[tuple[int, int]] = []
        """Characters of the prompt and completions asked for, of each request."""
        self._changed = threading.Condition()

    @contextmanager
    def request(self, characters: int, n: int) -> Iterator[Callable[[Sequence[Completion]], None]]:
        """Around one request for ``n`` completions of a prompt of so many characters; what is given
        has to be called with what came of it.

        Raises LimitError when a limit is reached, with nothing asked.
        """
        asked = (characters, n)

        def take(completions: Sequence[Completion]) -> None:
            with self._changed:
                self.tokens += sum(c.prompt_tokens + c.completion_tokens for c in completions)
                self.cost += sum(c.cost or 0.0 for c in completions)
                self._guess.learn(characters, completions)

        with self._changed:
            self._changed.wait_for(self._may_begin)
            reached = self.reached()
            if reached is not None:
                raise reached
            self._under_way.append(asked)
        try:
            yield take
        finally:
            with self._changed:
                self._under_way.remove(asked)
                self._changed.notify_all()

    def reached(self) -> LimitError | None:
        """The limit that is reached, if one is."""
        return cost_reached(self.max_cost, self.cost) or tokens_reached(
            self.max_tokens, self.tokens
        )

    def _may_begin(self) -> bool:
        if not self._under_way or (self.max_tokens is None and self.max_cost is None):
            return True
        if not self._guess.known:
            return False
        tokens = self.tokens + sum(self._guess.tokens(*asked) for asked in self._under_way)
        cost = self.cost + sum(self._guess.cost(*asked) for asked in self._under_way)
        return (self.max_tokens is None or tokens < self.max_tokens) and (
            self.max_cost is None or cost < self.max_cost
        )
