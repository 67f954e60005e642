"""What a sweep has found so far: one table of its runs, and one of its methods."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reward_synth.report.comparison import Comparison, Row, compare_recorded
from reward_synth.report.methods import Improvement, Method, Tried, improvements, methods
from reward_synth.report.sweep_page import Left, SweepFacts, write_sweep_page
from reward_synth.store import Store, atomic_write
from reward_synth.store.sweeps import get_sweep, sweep_folder
from reward_synth.sweep.plan import Plan
from reward_synth.sweep.states import State
from reward_synth.version import __version__


@dataclass(frozen=True)
class Results:
    """A sweep as it stands."""

    plan: Plan
    states: Mapping[str, State]
    seconds: float
    """Wall-clock of the sweep, over all resumptions."""
    compared: list[Comparison]
    methods: list[Method]
    improvements: list[Improvement]

    @property
    def labels(self) -> dict[str, str]:
        """What sets a run apart from the others on its task, by its id."""
        told = ((self.states[cell.key].run, cell) for cell in self.plan.cells)
        return {run: cell.label.removeprefix(f"{cell.task} · ") for run, cell in told if run}

    @property
    def rows(self) -> dict[str, Row]:
        """The rows of the comparisons by run."""
        return {row.run: row for part in self.compared for row in part.rows}

    def count(self, *statuses: str) -> int:
        """How many runs are in one of these states."""
        return sum(state.status in statuses for state in self.states.values())

    def document(self) -> dict[str, Any]:
        """The results as JSON."""
        rows = self.rows
        return {
            "sweep": self.plan.name,
            "version": __version__,
            "seconds": self.seconds,
            "runs": [
                {
                    "label": cell.label,
                    "task": cell.task,
                    "method": cell.method,
                    "seed": cell.seed,
                    "cell": cell.key,
                    "status": self.states[cell.key].status,
                    "reason": self.states[cell.key].reason,
                    "run": self.states[cell.key].run,
                    "result": _told(rows.get(self.states[cell.key].run or "")),
                }
                for cell in self.plan.cells
            ],
            "methods": [method.document() for method in self.methods],
            "improvements": [asdict(one) for one in self.improvements],
            "notes": {part.task: part.notes for part in self.compared},
        }


def _told(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else row.document()


def results(store: Store, plan: Plan, states: Mapping[str, State]) -> Results:
    """Read what the runs of a sweep have left."""
    begun = [state.run for state in states.values() if state.run is not None]
    compared = compare_recorded(store, begun) if begun else []
    rows = {row.run: row for part in compared for row in part.rows}
    tried = [
        Tried(cell.method, cell.task, rows.get(states[cell.key].run or ""))
        for cell in plan.cells
        if cell.kind == "search"
    ]
    found = methods(tried)
    return Results(
        plan=plan,
        states=states,
        seconds=get_sweep(store, plan.name).seconds,
        compared=compared,
        methods=found,
        improvements=improvements(found),
    )


def write_results(store: Store, found: Results) -> tuple[Path, Path]:
    """Write ``sweep.json`` and ``sweep.html`` into the sweep's folder; gives their paths.

    Raises UserError where they cannot be written.
    """
    folder = sweep_folder(store, found.plan.name)
    document = folder / "sweep.json"
    text = json.dumps(found.document(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    atomic_write(document, text)
    searches = [cell for cell in found.plan.cells if cell.kind == "search"]
    states = [found.states[cell.key] for cell in searches]
    facts = SweepFacts(
        name=found.plan.name,
        searches=len(searches),
        finished=sum(state.status == "finished" for state in states),
        seconds=found.seconds,
        compared=found.compared,
        methods=found.methods,
        improvements=found.improvements,
        labels=found.labels,
        left=[
            Left(cell.label, found.states[cell.key].status, found.states[cell.key].reason)
            for cell in found.plan.cells
            if found.states[cell.key].status != "finished"
        ],
    )
    return document, write_sweep_page(store, facts, folder / "sweep.html")
