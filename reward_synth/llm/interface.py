"""The one interface to language models: messages in, n completions with tokens and cost out."""

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import BaseModel


class ChatMessage(BaseModel):
    """One message of a chat, as every provider takes it."""

    role: Literal["system", "user", "assistant"]
    content: str


class Completion(BaseModel):
    """One answer.  Token counts are the provider's; a request's prompt tokens are counted once,
    on its first completion, so that sums over completions are right."""

    text: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """US dollars; None where the price is unknown."""
    seconds: float = 0.0


class LanguageModel(Protocol):
    """Anything that answers prompts."""

    name: str
    priced: bool
    """Whether the price of a completion is known, and so its cost."""

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give ``n`` independent completions of ``messages``; fewer, but at least one, where the
        provider failed, or a limit of the run was reached, after those.

        ``temperature`` is that of the model's role if None, and 1 for a model without one.  May be
        called from several threads; so that a run can be repeated, whoever asks the same prompt
        twice does so one after the other, or asks for two completions.

        Raises UserError where the user must act (no key, unknown model, unreachable URL) and
        LimitError where the provider kept failing after retries, or a limit was reached.
        """
        ...


Prompt = tuple[tuple[str, str], ...]
"""A prompt as a key: role and content of each message."""


def prompt_key(messages: Sequence[ChatMessage]) -> Prompt:
    return tuple((message.role, message.content) for message in messages)
