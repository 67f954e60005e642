"""Completions as language models write them, in the dialects of rewards; see corpus/*.md."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
HEAD = re.compile(
    r"^<!-- (?P<task>[\w-]+) (?P<framework>numpy|torch|jax|xp)"
    r"(?P<marks>(?: one-state| unchanged)*)(?: refused: (?P<refused>.*?))? -->\n",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Entry:
    """One completion, and what is to become of it."""

    name: str
    task: str
    framework: str
    """The library that the original runs on."""
    one_state: bool
    """Whether the original takes one state, and not a batch."""
    unchanged: bool
    """Whether it is in the reward language already."""
    refused: str
    """What is wrong with it, where it is broken on purpose."""
    text: str


def read_corpus() -> list[Entry]:
    entries: list[Entry] = []
    for file in sorted(FOLDER.glob("*.md")):
        text = file.read_text(encoding="utf-8")
        heads = list(HEAD.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        for number, (head, end) in enumerate(zip(heads, ends, strict=True)):
            entries.append(
                Entry(
                    f"{file.stem}-{number}",
                    head["task"],
                    head["framework"],
                    "one-state" in head["marks"],
                    "unchanged" in head["marks"],
                    head["refused"] or "",
                    text[head.end() : end],
                )
            )
    return entries
