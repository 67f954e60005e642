"""A person, or any program, as the model: prompts are files, and so are the answers.

    RUN/prompts/5f1c9a02/prompt.md      what is asked
    RUN/prompts/5f1c9a02/answer-1.md    where the first answer is to be saved; answer-2.md, …

The folder's name is made from the prompt, so a resumed run finds the answers that it was given.
"""

import hashlib
import os
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.llm.interface import ChatMessage, Completion, Prompt, prompt_key

NAME = "manual"
POLL = 0.25
"""Seconds between looks at a file that is waited for."""
DIGITS = 8


@dataclass
class Desk:
    """Where a run's prompts are answered."""

    folder: Path | None = None
    """The run's folder, once the run exists."""
    answered: Mapping[Prompt, int] = field(default_factory=dict)
    """How many answers to each prompt a resumed run has taken already."""
    waiting: Callable[[str], AbstractContextManager[None]] = lambda message: nullcontext()
    """Around the wait for one answer: tells whoever watches the run to leave the screen alone."""


class ManualModel:
    """Writes each prompt to a file and to the screen, and waits for its answers.

    One prompt is asked at a time.  Where standard input is a terminal and ``$VISUAL`` or
    ``$EDITOR`` names an editor, it is opened on the answer's file; otherwise the file is waited
    for as long as it takes.
    """

    def __init__(self, desk: Desk) -> None:
        self.name = NAME
        self.priced = True
        self._desk = desk
        self._taken: Counter[Prompt] = Counter(desk.answered)
        self._lock = threading.Lock()

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give ``n`` answers; a person has no temperature.

        Raises UserError when a file cannot be written or is no text.
        """
        with self._lock:
            key = prompt_key(messages)
            first = self._taken[key] + 1
            folder = self._write(messages)
            completions = []
            for number in range(first, first + n):
                path = folder / f"answer-{number}.md"
                start = time.perf_counter()
                text = self._answer(messages, path, f"{number - first + 1} of {n}")
                seconds = time.perf_counter() - start
                completions.append(
                    Completion(text=text, model=NAME, cost=0.0, seconds=round(seconds, 3))
                )
            self._taken[key] += n
            return completions

    def _write(self, messages: Sequence[ChatMessage]) -> Path:
        """The folder of a prompt, with the prompt in it."""
        assert self._desk.folder is not None, "a run has its folder before it asks"
        text = as_text(messages)
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGITS]
        folder = self._desk.folder / "prompts" / digest
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "prompt.md").write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise UserError(f"cannot write the prompt to {folder}: {error.strerror}") from None
        return folder

    def _answer(self, messages: Sequence[ChatMessage], path: Path, which: str) -> str:
        text = read_answer(path)
        if text is not None:
            return text
        with self._desk.waiting(f"waiting for answer {which}: {path}"):
            show(f"\n{as_text(messages)}\nAnswer {which}: save it as {path}\n")
            command = editor()
            if command and sys.stdin.isatty():
                edit([*command, str(path)])
                if (text := read_answer(path)) is not None:
                    return text
                show(f"No answer was saved; waiting for {path}\n")
            return wait_for(path)


def as_text(messages: Sequence[ChatMessage]) -> str:
    """A prompt as one page."""
    return "\n\n".join(f"# {m.role}\n\n{m.content.strip()}" for m in messages) + "\n"


def show(text: str) -> None:
    """Write to the screen; stdout belongs to what a command gives."""
    sys.stderr.write(text.encode("utf-8", "replace").decode())
    sys.stderr.flush()


def editor() -> list[str]:
    """The user's editor as a command; empty where none is named."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        return shlex.split(named)
    except ValueError:
        raise UserError(f"EDITOR is {named!r}, which is no command") from None


def edit(command: list[str]) -> None:
    """Open an editor and wait until it is closed.  Raises UserError when it cannot be started."""
    try:
        subprocess.run(command, check=False)
    except OSError as error:
        raise UserError(
            f"cannot start the editor {command[0]!r}: {error.strerror}; correct EDITOR, or unset it"
        ) from None


def read_answer(path: Path) -> str | None:
    """An answer's text; None where there is none, or nothing in it.  Raises UserError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UserError(f"answer {path} is not UTF-8 text; save it anew and resume") from None
    except OSError as error:
        raise UserError(f"cannot read answer {path}: {error.strerror}") from None
    return text if text.strip() else None


def wait_for(path: Path) -> str:
    """The text of a file once it is there and no longer changes.  Raises UserError."""
    before: os.stat_result | None = None
    while True:
        try:
            now = path.stat()
        except OSError:
            now = None
        if now is not None and before is not None:
            same = (now.st_mtime_ns, now.st_size) == (before.st_mtime_ns, before.st_size)
            if same and (text := read_answer(path)) is not None:
                return text
        before = now
        time.sleep(POLL)
