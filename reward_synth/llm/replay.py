"""Recordings: exchanges with a model, one JSON object per line, played back or written.

    {"request": {"model", "messages", "n", "temperature"}, "completions": [text, …],
     "usage": {"prompt_tokens", "completion_tokens"}, "cost": dollars, "seconds": s,
     "taken": [{"model", "prompt_tokens", "completion_tokens", "cost", "seconds"}, …]}

Only ``request.messages`` and ``completions`` are needed; other fields are ignored.  ``taken`` says
of each completion who gave it and what it took; without it ``usage`` is shared out.
"""

import difflib
import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reward_synth.errors import UserError
from reward_synth.llm.chat import share_out
from reward_synth.llm.interface import (
    ChatMessage,
    Completion,
    LanguageModel,
    Prompt,
    prompt_key,
)

LOG = logging.getLogger("reward_synth")


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")

    messages: list[ChatMessage] = Field(min_length=1)
    model: str = ""
    n: int | None = None
    temperature: float | None = None

    @field_validator("messages", mode="before")
    @classmethod
    def _plain_text(cls, messages: Any) -> Any:
        """Content in parts, which some clients send, joined to one text."""
        if not isinstance(messages, list):
            return messages
        return [
            {**message, "content": "".join(part.get("text", "") for part in message["content"])}
            if isinstance(message, dict) and isinstance(message.get("content"), list)
            else message
            for message in messages
        ]


class _Usage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Taken(_Usage):
    model: str
    cost: float | None = None
    seconds: float = 0.0


class Exchange(BaseModel):
    """One line of a recording."""

    model_config = ConfigDict(extra="ignore")

    request: _Request
    completions: list[str] = Field(min_length=1)
    usage: _Usage | None = None
    cost: float | None = None
    seconds: float = 0.0
    taken: list[_Taken] | None = None

    @property
    def asked(self) -> int:
        """How many completions there were to be."""
        return self.request.n or len(self.completions)

    @property
    def short(self) -> bool:
        """Whether there are fewer."""
        return len(self.completions) < self.asked

    def answers(self, name: str) -> list[Completion]:
        """The completions with what they took, as the recorded provider counted it."""
        if self.taken is not None and len(self.taken) == len(self.completions):
            return [
                Completion(text=text, **taken.model_dump())
                for text, taken in zip(self.completions, self.taken, strict=True)
            ]
        usage = self.usage or _Usage()
        shares = share_out(usage.completion_tokens, [len(text) for text in self.completions])
        return [
            Completion(
                text=text,
                model=self.request.model or name,
                prompt_tokens=usage.prompt_tokens if k == 0 else 0,
                completion_tokens=tokens,
                cost=None if self.cost is None else (self.cost if k == 0 else 0.0),
                seconds=self.seconds if k == 0 else 0.0,
            )
            for k, (text, tokens) in enumerate(zip(self.completions, shares, strict=True))
        ]


class ReplayModel:
    """Answers every prompt as its recording did.

    Exchanges with the same messages are answered in the order of the recording, and from the
    first again once they are used up: a second run gets the same answers.
    """

    def __init__(self, path: Path, answered: Mapping[Prompt, int] | None = None) -> None:
        """``answered`` says how many completions of each prompt a resumed run has had already.

        Raises UserError when the file cannot be read or a line is malformed.
        """
        self.name = f"replay:{path}"
        self._path = path
        self._exchanges = read_recording(path)
        self.priced = all(exchange.cost is not None for exchange in self._exchanges)
        self._lock = threading.Lock()
        self._pools: dict[Prompt, list[Completion]] = {}
        self._next: dict[Prompt, int] = dict(answered or {})
        self._begun_at: dict[tuple[Prompt, int], Exchange] = {}
        """Exchanges by where their completions begin."""
        self._cut_short: set[Prompt] = set()
        """Prompts whose last answer was of fewer completions than were asked for."""
        for exchange in self._exchanges:
            key = prompt_key(exchange.request.messages)
            pool = self._pools.setdefault(key, [])
            self._begun_at[key, len(pool)] = exchange
            pool += exchange.answers(self.name)
            if exchange.short and self._next.get(key) == len(pool):
                self._cut_short.add(key)

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give the recorded completions of ``messages``; the temperature is the recording's.

        Fewer than ``n`` come back where the recorded request was for as many and gave fewer, and
        none for the rest where the recorded run did without it.
        Raises UserError when the prompt was not recorded, naming the first line that differs from
        the nearest one that was, or when fewer than ``n`` completions were.
        """
        key = prompt_key(messages)
        pool = self._pools.get(key)
        if pool is None:
            raise UserError(self._difference(messages))
        with self._lock:
            start = self._next.get(key, 0)
            exchange = self._begun_at.get((key, start))
            if key in self._cut_short:
                self._cut_short.remove(key)
                if exchange is None or exchange.asked != n:
                    return []
            if start >= len(pool):
                start %= len(pool)
                exchange = self._begun_at.get((key, start))
            if exchange is not None and exchange.short and exchange.asked == n:
                self._cut_short.add(key)
                n = len(exchange.completions)
            if n > len(pool):
                raise UserError(
                    f"{self._path} holds {len(pool)} completions of this prompt and {n} are asked "
                    "for; run with the settings of the recording, or record again"
                )
            if start + n > len(pool):
                start = 0
            self._next[key] = start + n
            return pool[start : start + n]

    def _difference(self, messages: Sequence[ChatMessage]) -> str:
        nearest = max(self._exchanges, key=partial(likeness, messages))
        return (
            f"{self._path} holds no answer to this prompt: the nearest one recorded "
            f"(exchange {self._exchanges.index(nearest) + 1} of {len(self._exchanges)}) differs "
            f"{first_difference(nearest, messages)}; run with the settings of the recording, or "
            f"record again, or take its answers all the same: --model replay-anyway:{self._path}"
        )


class LooseReplayModel:
    """Gives a recording's answers also where training went otherwise, as on another machine.

    A prompt that was not recorded is answered as the most alike one was, among those with as many
    completions that were not given yet.
    """

    def __init__(self, path: Path) -> None:
        """Raises UserError when the file cannot be read or a line is malformed."""
        self.name = f"replay-anyway:{path}"
        self._path = path
        self._left = read_recording(path)
        self.priced = all(exchange.cost is not None for exchange in self._left)
        self._lock = threading.Lock()

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give ``n`` recorded completions, of this prompt if it was recorded; the temperature is
        the recording's.

        Raises UserError when none of that number are left.
        """
        with self._lock:
            fitting = [e for e in self._left if len(e.completions) == n]
            if not fitting:
                raise UserError(
                    f"{self._path} holds no more exchange of {n} completions; run with the "
                    "settings of the recording"
                )
            nearest = max(fitting, key=partial(likeness, messages))
            self._left.remove(nearest)
        if prompt_key(nearest.request.messages) != prompt_key(messages):
            LOG.warning(
                "%s: answered in spite of a prompt that differs %s",
                self._path,
                first_difference(nearest, messages),
            )
        return nearest.answers(self.name)


def likeness(messages: Sequence[ChatMessage], exchange: Exchange) -> float:
    """How alike an exchange's prompt is, line by line, in [0, 1]."""
    recorded, asked = _lines(exchange.request.messages), _lines(messages)
    return difflib.SequenceMatcher(None, recorded, asked, autojunk=False).ratio()


def first_difference(exchange: Exchange, messages: Sequence[ChatMessage]) -> str:
    """Where a prompt first differs from an exchange's, in words."""
    recorded, asked = _lines(exchange.request.messages), _lines(messages)
    k = next(
        (k for k, (a, b) in enumerate(zip(recorded, asked, strict=False)) if a != b),
        min(len(recorded), len(asked)),
    )
    end = (None, 0, "the end")
    (role, line, was), (role_now, line_now, now) = (
        (lines[k] if k < len(lines) else end) for lines in (recorded, asked)
    )
    place = f"{role or role_now} message, line {line or line_now}"
    return f"first in its {place}: recorded {_short(was)}, asked {_short(now)}"


class Recording:
    """A file that exchanges are appended to, from several threads and over several resumptions."""

    def __init__(self, path: Path, answered: Mapping[Prompt, int] | None = None) -> None:
        """``answered`` is None for a new run; for a resumed one it says how many completions of
        each prompt the run has.

        What a killed run had recorded and not taken yet is kept to be given again, and half a line
        at the end is removed.  Raises UserError when the file cannot be written, and when it
        already holds another run's exchanges.
        """
        self.path = path
        self._lock = threading.Lock()
        self._left: dict[Prompt, list[Exchange]] = {}
        try:
            with path.open("ab+") as file:
                if answered is None and file.tell() > 0:
                    raise UserError(f"recording {path} exists; name another file, or remove it")
                end = cut_half_line(file)
        except OSError as error:
            raise UserError(f"cannot record to {path}: {error.strerror}") from None
        if answered is None or end == 0:
            return
        taken = dict(answered)
        for exchange in read_recording(path):
            key = prompt_key(exchange.request.messages)
            if taken.get(key, 0) > 0:
                taken[key] -= len(exchange.completions)
            else:
                self._left.setdefault(key, []).append(exchange)

    def left(self, messages: Sequence[ChatMessage], n: int, name: str) -> list[Completion]:
        """What was recorded for such a request and not taken; [] where nothing was."""
        with self._lock:
            waiting = self._left.get(prompt_key(messages), [])
            if not waiting or waiting[0].request.n != n:
                return []
            return waiting.pop(0).answers(name)

    def append(self, exchange: Exchange) -> None:
        """Write a line and force it to disk.  Raises UserError."""
        line = exchange.model_dump_json(exclude_none=True) + "\n"
        try:
            with self._lock, self.path.open("ab") as out:
                out.write(line.encode("utf-8", "replace"))
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise UserError(f"cannot record to {self.path}: {error.strerror}") from error


class RecordingModel:
    """Another model, with each of its exchanges recorded."""

    def __init__(self, model: LanguageModel, recording: Recording) -> None:
        self.name = model.name
        self.priced = model.priced
        self._model = model
        self._recording = recording

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give the model's completions once they are safely on disk.

        Raises what the model raises, and UserError when the file cannot be written.
        """
        if left := self._recording.left(messages, n, self.name):
            return left
        completions = self._model.complete(messages, n, temperature=temperature)
        costs = [c.cost for c in completions if c.cost is not None]
        request = _Request(messages=list(messages), model=self.name, n=n, temperature=temperature)
        self._recording.append(
            Exchange(
                request=request,
                completions=[c.text for c in completions],
                usage=_Usage(
                    prompt_tokens=sum(c.prompt_tokens for c in completions),
                    completion_tokens=sum(c.completion_tokens for c in completions),
                ),
                cost=sum(costs) if costs else None,
                seconds=sum(c.seconds for c in completions),
                taken=[_Taken(**c.model_dump(exclude={"text"})) for c in completions],
            )
        )
        return completions


def cut_half_line(file: BinaryIO) -> int:
    """Remove what a kill left of a last line; gives the file's size afterwards."""
    file.seek(0)
    content = file.read()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        file.truncate(end)
    return end


def read_recording(path: Path) -> list[Exchange]:
    """Every exchange of a recording, in order; blank lines are allowed.

    Raises UserError that names the file and, where one is malformed, the line.
    """
    try:
        # Only "\n" ends a line of JSON lines; str.splitlines would also cut at U+2028 in a text.
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise UserError(f"recording {path} is not a UTF-8 text file") from None
    except OSError as error:
        raise UserError(f"cannot read recording {path}: {error.strerror}") from None
    exchanges = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            exchanges.append(Exchange.model_validate(json.loads(line)))
        except json.JSONDecodeError as error:
            raise UserError(f"recording {path}, line {number}: not JSON ({error.msg})") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the line"
            raise UserError(f"recording {path}, line {number}: {field}: {first['msg']}") from None
    if not exchanges:
        raise UserError(f"recording {path} holds no exchanges")
    return exchanges


def _lines(messages: Sequence[ChatMessage]) -> list[tuple[str, int, str]]:
    return [
        (message.role, number, line)
        for message in messages
        for number, line in enumerate(message.content.splitlines() or [""], start=1)
    ]


def _short(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:79] + "…")
