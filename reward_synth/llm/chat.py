"""A chat model behind either client: asks until it has n answers, and counts what they took.

Several answers are asked for in one request where the provider gives several, and otherwise in
requests side by side.

The openai client and litellm give replies of the same form, so only the sending differs.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn, Protocol

from reward_synth.errors import RunError, UserError
from reward_synth.llm.budget import Budget
from reward_synth.llm.faults import BadReply, Patience, explain, patiently
from reward_synth.llm.interface import ChatMessage, Completion
from reward_synth.llm.parallel import side_by_side
from reward_synth.redaction import Secrets

DEFAULT_TEMPERATURE = 1.0


class Send(Protocol):
    """One request: gives a reply in the form of OpenAI's chat completions."""

    def __call__(self, messages: list[dict[str, str]], n: int, temperature: float) -> Any: ...


Price = Callable[[Any], tuple[float, float] | None]
"""US dollars for the prompt and for the completions of a reply's ``usage``; None if unknown."""


class ChatModel:
    """A LanguageModel that is reached over HTTP."""

    def __init__(
        self,
        name: str,
        send: Send,
        *,
        price: Price,
        where: str,
        key: str,
        patience: Patience,
        secrets: Secrets,
        many_at_once: bool = True,
        budget: Budget | None = None,
    ) -> None:
        """``name`` goes into records and messages; ``where`` names the provider or URL and
        ``key`` the environment variable of its key, both for messages only; ``secrets`` are hidden
        in whatever the provider says; ``many_at_once`` is False for providers that give one
        completion per request; ``budget`` is what the run's models may take together."""
        self.name = name
        self.priced = is_known(price)
        self._send = send
        self._price = price
        self._secrets = secrets
        self._where = where
        self._key = key
        self._patience = patience
        self._many_at_once = many_at_once
        self._budget = budget or Budget()

    def __repr__(self) -> str:
        return f"ChatModel({self.name!r} at {self._where})"

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give ``n`` completions, asking again while the provider gives fewer than it was asked.

        What was given, and paid for, before the provider failed for good or a limit was reached is
        given back, fewer than ``n``.  Raises UserError for what the user must change (key, model,
        URL, request) and LimitError when the provider kept failing or nothing may be asked.
        """
        prompt = [message.model_dump() for message in messages]
        temperature = DEFAULT_TEMPERATURE if temperature is None else temperature
        completions: list[Completion] = []
        at_once = n if self._many_at_once else 1
        while (missing := n - len(completions)) > 0:
            sizes = [min(at_once, missing - k) for k in range(0, missing, at_once)]
            calls = [partial(self._ask, prompt, size, temperature) for size in sizes]
            replies, failure = side_by_side(calls)
            given = [reply for reply in replies if reply is not None]
            completions += [completion for reply in given for completion in reply]
            if failure is not None:
                if completions and isinstance(failure, RunError | UserError):
                    break
                raise failure
            at_once = min(at_once, *map(len, given))
        return completions[:n]

    def _ask(self, prompt: list[dict[str, str]], n: int, temperature: float) -> list[Completion]:
        import openai

        def attempt() -> Any:
            reply = self._send(prompt, n, temperature)
            choices = getattr(reply, "choices", None)
            if not isinstance(choices, list) or not choices:
                raise BadReply("a reply without choices")
            if any(getattr(choice, "message", None) is None for choice in choices):
                raise BadReply("a choice without a message")
            return reply

        try:
            with self._budget.request(sum(len(m["content"]) for m in prompt), n) as take:
                start = time.perf_counter()
                reply = patiently(attempt, self._patience)
                completions = self._read(reply, n, time.perf_counter() - start)
                take(completions)
        except openai.BadRequestError as error:
            if n == 1:
                self._explain(error)
            # Some servers refuse n > 1 instead of giving fewer; if n was not the reason, the
            # single request is refused as well, and that is what the user sees.
            self._many_at_once = False
            return self._ask(prompt, 1, temperature)
        except (RunError, UserError):
            raise
        except Exception as error:
            self._explain(error)
        if len(completions) == 1 < n:
            self._many_at_once = False  # others ignore n
        return completions

    def _explain(self, error: Exception) -> NoReturn:
        explain(
            error,
            model=self.name,
            where=self._where,
            key=self._key,
            patience=self._patience,
            secrets=self._secrets,
        )

    def _read(self, reply: Any, n: int, seconds: float) -> list[Completion]:
        """Completions of one reply: its prompt tokens on the first, its completion tokens shared
        out by length of text, since providers count them per request; sums are the provider's."""
        texts = [self._secrets.hide_known(said(c.message)) for c in reply.choices[:n]]
        usage = getattr(reply, "usage", None)
        prompt_tokens = counted(usage, "prompt_tokens")
        shares = share_out(counted(usage, "completion_tokens"), [len(text) for text in texts])
        # A server that tells of no tokens does not tell what they cost either.
        price = self._price(usage) if prompt_tokens or any(shares) else None
        completions = []
        for k, (text, tokens) in enumerate(zip(texts, shares, strict=True)):
            cost = None
            if price is not None:
                cost = price[1] * (tokens / max(sum(shares), 1)) + (price[0] if k == 0 else 0.0)
            completions.append(
                Completion(
                    text=text,
                    model=self.name,
                    prompt_tokens=prompt_tokens if k == 0 else 0,
                    completion_tokens=tokens,
                    cost=cost,
                    seconds=seconds if k == 0 else 0.0,
                )
            )
        return completions


def said(message: Any) -> str:
    """The text of a reply's message: its content, also in parts, or why the model refused."""
    content = getattr(message, "content", None)
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    refusal = getattr(message, "refusal", None)
    return next((text for text in (content, refusal) if isinstance(text, str) and text), "")


def counted(usage: Any, name: str) -> int:
    """A count of tokens; 0 where the server tells none."""
    count = getattr(usage, name, None)
    return count if isinstance(count, int) and count > 0 else 0


def is_known(price: Price) -> bool:
    """Whether tokens have a price, and that is not nothing."""
    found = price(SimpleNamespace(prompt_tokens=1_000_000, completion_tokens=1_000_000))
    return found is not None and sum(found) > 0.0


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to ``weights`` that sum to ``total``; equal if all are zero."""
    weights = list(weights) if any(weights) else [1] * len(weights)
    ends = [0]
    for k in range(len(weights)):
        ends.append(round(total * sum(weights[: k + 1]) / sum(weights)))
    return [end - start for start, end in itertools.pairwise(ends)]
