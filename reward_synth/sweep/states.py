"""What is recorded of a sweep, where its runs stand, and who hears of it."""

from dataclasses import dataclass
from typing import Literal, Protocol

from reward_synth.errors import UserError
from reward_synth.search import Progress
from reward_synth.store import Store
from reward_synth.store.sweeps import find_sweep, record_sweep, runs_of
from reward_synth.sweep.plan import Cell, Plan

Status = Literal["waiting", "running", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class State:
    """What became of a run of the sweep so far."""

    status: Status
    run: str | None = None
    """Its id, once it has begun."""
    reason: str = ""
    """Why it stopped, failed or was not begun."""


class Watcher(Protocol):
    """Hears how a sweep goes on, from several threads."""

    def say(self, message: str) -> None:
        """Something about the whole sweep."""
        ...

    def progress(self, cell: Cell, event: Progress) -> None:
        """What a run tells of itself."""
        ...

    def turned(self, cell: Cell, state: State) -> None:
        """A run was begun, or is over."""
        ...


@dataclass(frozen=True)
class Changes:
    """How a plan differs from what was recorded of the sweep."""

    new: list[str]
    gone: list[str]
    """Labels of runs that are asked for now, and that are not asked for any more."""


def enter(store: Store, plan: Plan, *, resume: bool) -> Changes:
    """Record the sweep, which is locked, or what it is to be from now on.

    Raises UserError where it is there already and is not to be resumed.
    """
    if not resume:
        refuse_again(store, plan)
    found = find_sweep(store, plan.name)
    before = {} if found is None else {c["key"]: c["label"] for c in found.plan["cells"]}
    now = {cell.key: cell.label for cell in plan.cells}
    record_sweep(store, plan.name, plan.document())
    return Changes(
        new=[label for key, label in now.items() if before and key not in before],
        gone=[label for key, label in before.items() if key not in now],
    )


def refuse_again(store: Store, plan: Plan) -> None:
    """Raises UserError where a sweep of that name is recorded."""
    if find_sweep(store, plan.name) is not None:
        raise UserError(
            f"there is a sweep {plan.name!r} in {store.runs_dir} already; go on with it by "
            "--resume, or give this one another name"
        )


def states_of(store: Store, plan: Plan) -> dict[str, State]:
    """What is recorded of each run of the sweep, by the cell's key."""
    begun = runs_of(store, plan.name)
    states: dict[str, State] = {}
    for cell in plan.cells:
        run, status, reason = begun.get(cell.key, (None, "waiting", ""))
        assert status in ("waiting", "running", "finished", "stopped", "failed")
        states[cell.key] = State(status, run, reason)
    return states
