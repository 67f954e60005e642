"""Sweeps of a few seconds, and what must come out of them alike."""

import threading
from pathlib import Path
from typing import Any

import yaml

from reward_synth.search import Progress
from reward_synth.sweep.checks import read_plan
from reward_synth.sweep.driving import FinishedSweep, carry_out
from reward_synth.sweep.plan import Cell, Plan
from reward_synth.sweep.states import State

SETTINGS: dict[str, Any] = {
    "iterations": 1,
    "samples": 2,
    "steps": 512,
    "rungs": [],
    "finalists": 1,
    "confirmation_seeds": [100],
    "evaluation_episodes": 2,
}
TIMES = ("seconds", "wall-clock", "run", "curve")
"""What differs between two sweeps that found the same."""


def written(folder: Path, name: str = "night", **fields: Any) -> Path:
    """A sweep's file: offline searches on cartpole-swingup unless ``fields`` say otherwise."""
    own = {"settings": SETTINGS, "grid": {"task": ["cartpole-swingup"]}, "workers": 1, **fields}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(own, sort_keys=False))
    return path


class Heard:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.turns: list[tuple[str, State]] = []
        self.lock = threading.Lock()

    def say(self, message: str) -> None:
        with self.lock:
            self.said.append(message)

    def progress(self, cell: Cell, event: Progress) -> None:
        pass

    def turned(self, cell: Cell, state: State) -> None:
        with self.lock:
            self.turns.append((cell.label, state))


def plan(folder: Path, **fields: Any) -> Plan:
    return read_plan(written(folder, **fields))


def run(folder: Path, *, resume: bool = False, **fields: Any) -> FinishedSweep:
    """The sweep of a file with these fields, in ``folder``/runs."""
    asked = plan(folder, **fields)
    return carry_out(asked, runs_dir=folder / "runs", watcher=Heard(), resume=resume)


def statuses(finished: FinishedSweep) -> dict[str, str]:
    states = finished.results.states
    return {cell.label: states[cell.key].status for cell in finished.results.plan.cells}


def table(document: Any) -> Any:
    """A sweep's JSON without what tells of time, and of which runs it was."""
    if isinstance(document, dict):
        return {name: table(value) for name, value in document.items() if name not in TIMES}
    return [table(value) for value in document] if isinstance(document, list) else document
