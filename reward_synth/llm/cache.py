"""Answers at temperature 0, remembered on disk: whoever asks the same again gets the same.

At any other temperature samples have to differ, and nothing is remembered.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reward_synth.llm.interface import ChatMessage, Completion, LanguageModel
from reward_synth.redaction import recorded_url


class Request(BaseModel):
    """Everything that an answer depends on.  A base URL is kept without user and password."""

    model_config = ConfigDict(extra="forbid")

    model: str
    base_url: str | None
    answer_tokens: int | None
    messages: list[ChatMessage]
    n: int
    temperature: float


class Remembered(BaseModel):
    """One file of the cache."""

    model_config = ConfigDict(extra="forbid")

    request: Request
    completions: list[str]


class CachedModel:
    """Another model, asked for each completion at temperature 0 only once."""

    def __init__(
        self,
        model: LanguageModel,
        folder: Path,
        *,
        base_url: str | None = None,
        answer_tokens: int | None = None,
    ) -> None:
        """``folder`` is made when there is something to remember; its files may be deleted at any
        time.  The others are those that ``model`` was connected with."""
        self.name = model.name
        self.priced = model.priced
        self._model = model
        self._folder = folder
        self._base_url = None if base_url is None else recorded_url(base_url)
        self._answer_tokens = answer_tokens

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give the model's completions, or the remembered ones, for which nothing is billed.

        Empty answers are not remembered, so that whoever asks again may get another one.  Raises
        what the model raises.  A cache that cannot be read or written is as if empty.
        """
        if temperature != 0.0:
            return self._model.complete(messages, n, temperature=temperature)
        request = Request(
            model=self.name,
            base_url=self._base_url,
            answer_tokens=self._answer_tokens,
            messages=list(messages),
            n=n,
            temperature=0.0,
        )
        path = self._folder / f"{digest(request)}.json"
        known = remembered(path, request)
        if known is not None:
            return [Completion(text=text, model=self.name, cost=0.0) for text in known]
        completions = self._model.complete(messages, n, temperature=temperature)
        texts = [completion.text for completion in completions]
        if len(texts) == n and all(map(str.strip, texts)):
            remember(path, request, texts)
        return completions


def digest(request: Request) -> str:
    whole = json.dumps(request.model_dump(), sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def remembered(path: Path, request: Request) -> list[str] | None:
    """The texts that answered ``request``; None where none are known."""
    try:
        found = Remembered.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return found.completions if found.request == request else None


def remember(path: Path, request: Request, texts: list[str]) -> None:
    """Write a file, whole or not at all, that only this user may read."""
    content = Remembered(request=request, completions=texts)
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content.model_dump_json(indent=1) + "\n")
        os.replace(partial, path)
    except (OSError, ValueError):  # ValueError: half a surrogate pair, which is no UTF-8
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)
