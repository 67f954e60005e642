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
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float = 1.0
    ) -> list[Completion]:
        """Give ``n`` independent completions of ``messages``; fewer, but at least one, where the
        provider failed after those.

        Raises UserError where the user must act (no key, unknown model, unreachable URL) and
        LimitError where the provider kept failing after retries.
        """
        ...
