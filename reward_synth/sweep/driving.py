"""A sweep from its file, or what is recorded of it, to its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search.trainings import OpenPool, open_pool_for
from reward_synth.store.runs import DATABASE
from reward_synth.store.sweeps import get_sweep, sweep_lock
from reward_synth.sweep.checks import read_plan
from reward_synth.sweep.estimate import Estimate, estimate
from reward_synth.sweep.plan import Plan, plan_of
from reward_synth.sweep.results import Results, results, write_results
from reward_synth.sweep.running import Sweep
from reward_synth.sweep.states import State, Watcher, enter, refuse_again, states_of

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class FinishedSweep:
    """What a sweep left, whatever became of its runs."""

    results: Results
    document: Path
    """``sweep.json``."""
    page: Path
    """``sweep.html``."""


def find_plan(asked: str, runs_dir: Path, *, resume: bool) -> Plan:
    """The plan of a file or, to resume it, of the sweep of that name.  Raises UserError."""
    path = Path(asked)
    if not resume or path.suffix in SUFFIXES or path.is_file():
        return read_plan(path)
    if not (runs_dir / DATABASE).is_file():
        raise UserError(f"there are no runs in {runs_dir}, and so no sweep {asked!r}")
    with api.opened(runs_dir) as store:
        return plan_of(asked, get_sweep(store, asked).plan)


def foresee(
    plan: Plan, runs_dir: Path, *, anew: bool = False
) -> tuple[Estimate, Mapping[str, State]]:
    """What a sweep will still take, and the state of its runs; records nothing.

    With ``anew``, raises UserError where it is there already.
    """
    if not (runs_dir / DATABASE).is_file():
        states = {cell.key: State("waiting") for cell in plan.cells}
        return estimate(plan, plan.cells, None), states
    with api.opened(runs_dir) as store:
        if anew:
            refuse_again(store, plan)
        states = states_of(store, plan)
        left = [cell for cell in plan.cells if states[cell.key].status != "finished"]
        return estimate(plan, left, store), states


def carry_out(
    plan: Plan,
    *,
    runs_dir: Path,
    watcher: Watcher,
    resume: bool = False,
    open_pool: OpenPool = open_pool_for,
) -> FinishedSweep:
    """Run a sweep, or what is left of it, to its end and write its table.

    Raises UserError for a sweep that is there already, or that another process is at;
    KeyboardInterrupt leaves it so that it can be resumed.
    """
    with api.opened(runs_dir) as store, sweep_lock(store, plan.name):
        differs = enter(store, plan, resume=resume)
        for word, labels in (("new", differs.new), ("not asked for any more", differs.gone)):
            for label in labels:
                watcher.say(f"{word}: {label}")
        states = Sweep(store, plan, watcher, open_pool).to_end()
        found = results(store, plan, states)
        document, page = write_results(store, found)
        return FinishedSweep(found, document, page)
