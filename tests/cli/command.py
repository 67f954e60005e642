"""The command line as a user starts it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit status and both streams."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def interruptible() -> None:
    """For ``preexec_fn``: what a shell starts in the background ignores Ctrl-C, and so would what
    that starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "120", **variables}


def reward_synth(*arguments: object, cwd: Path | None = None, **variables: str) -> Outcome:
    """``reward_synth("tasks", "--json")`` runs ``reward-synth tasks --json``."""
    done = subprocess.run(
        [sys.executable, "-m", "reward_synth.cli", *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
