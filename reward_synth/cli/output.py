"""What every command prints with: consoles, one JSON document, intervals and durations."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from reward_synth.report.words import number

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_OF_A_PIPE = 120
"""Columns where no terminal tells its width; rich would take 80 and cut tables short."""


def console(*, stderr: bool = False) -> "Console":
    """A rich console on stdout or stderr."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        stderr=stderr, highlight=False, markup=False, width=WIDTH_OF_A_PIPE if piped else None
    )


def print_json(document: Any) -> None:
    """The one JSON document of a ``--json`` command, on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval, or nothing where there is none."""
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def duration(seconds: float) -> str:
    """``48 s``, ``4 min 10 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(seconds: float) -> str:
    """``4:10``, ``2:05:00``."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def count(amount: int, one: str, many: str | None = None) -> str:
    """``1 candidate``, ``6 candidates``."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
