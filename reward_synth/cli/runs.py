"""``reward-synth runs``, ``show RUN`` and ``report RUN``: what was recorded."""

from typing import TYPE_CHECKING, Any

from reward_synth.cli.options import RUNS_DIR, Json, RunId, RunsDir
from reward_synth.cli.output import console, interval, print_json
from reward_synth.cli.recorded import has_runs, open_store, resume_command
from reward_synth.cli.summary import rows, short
from reward_synth.report.words import number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reward_synth.store import Candidate, Run
    from reward_synth.store.glance import Glance
    from reward_synth.store.overview import Overview

EXAMPLE_RUNS = "Example: reward-synth runs"
EXAMPLE_SHOW = "Example: reward-synth show RUN"
EXAMPLE_REPORT = "Example: reward-synth report RUN"
MOST_ROWS = 100
"""Candidates of a run that the terminal shows."""
STYLES = {
    "scored": "green",
    "finished": "green",
    "pruned": "dim",
    "refused": "red",
    "failed": "red",
}


def runs(runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """List all runs, newest first."""
    found: list[dict[str, Any]] = []
    if has_runs(runs_dir):
        with open_store(runs_dir) as store:
            from reward_synth.store.overview import overviews

            found = [overview(run) for run in overviews(store)]
    if json:
        print_json(found)
        return
    out = console()
    if not found:
        out.print(f"No runs in {runs_dir} yet; start one with `reward-synth run TASK`")
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    # A run's name is there to be copied: whatever the width, it stays whole.
    table.add_column("run", no_wrap=True, min_width=max(len(run["run"]) for run in found))
    table.add_column("state", no_wrap=True)
    for heading in ("candidates", "fitness", "normalised"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in found:
        score = run["human_normalised"]
        table.add_row(
            run["run"],
            Text(run["state"], style=STYLES.get(run["state"], "yellow")),
            "train" if run["kind"] == "train" else candidate_count(run),
            number(run["fitness"]),
            "–" if score is None else f"{score:.2f}",
        )
    out.print(table)


def candidate_count(overview: dict[str, Any]) -> str:
    """``12``, or ``12 (7 pruned)``."""
    pruned = f" ({overview['pruned']} pruned)" if overview["pruned"] else ""
    return f"{overview['candidates']}{pruned}"


def overview(run: "Overview") -> dict[str, Any]:
    """One line of the list, as JSON."""
    return {
        "run": run.id,
        "kind": run.kind,
        "task": run.task,
        "status": run.status,
        "state": run.state,
        "candidates": run.candidates,
        "pruned": run.fates.get("pruned", 0),
        "fitness": run.fitness,
        "human_normalised": run.human_normalised,
        "created": run.created.isoformat(),
    }


def show(run: RunId, runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Show a run: candidates, their fates, the best reward."""
    with open_store(runs_dir) as store:
        from reward_synth.report.tables import best_candidate
        from reward_synth.store.glance import glances, load_sources
        from reward_synth.store.ledger import find_runs, load_candidates
        from reward_synth.store.overview import overviews

        (run_id,) = find_runs(store, [run])
        (counted,) = overviews(store, ids=[run_id])
        numbers = None if json else worth_showing(glances(store, run_id), counted.result)
        found = load_candidates(store, run_id, numbers=numbers, programs=json)
        best = best_candidate(found)
        shown = [] if best is None else [best.number]
        source = "".join(load_sources(store, run_id, shown).values())
        folder = store.run_folder(run_id)
    if json:
        print_json(
            {
                **overview(counted),
                "message": found.message,
                "config": found.config,
                "folder": str(folder),
                "result": found.result,
                "best": None if best is None else best.number,
                "candidates": [candidate_facts(candidate) for candidate in found.candidates],
            }
        )
    else:
        print_run(found, counted, best, source, folder, resume_command(run_id, runs_dir))


def candidate_facts(candidate: "Candidate") -> dict[str, Any]:
    """A candidate as JSON."""
    from reward_synth.report.tables import search_fitness, search_interval

    low, high = search_interval(candidate) or (None, None)
    return {
        "number": candidate.number,
        "generation": candidate.generation,
        "slot": candidate.slot,
        "repair": candidate.repair,
        "origin": candidate.origin,
        "parents": candidate.parents,
        "note": candidate.note,
        "status": candidate.status,
        "reason": candidate.reason,
        "findings": candidate.findings,
        "fitness": search_fitness(candidate),
        "worth": candidate.worth,
        "low": low,
        "high": high,
        "rungs": [
            {
                "rung": r.rung,
                "steps": r.steps,
                "fitness": r.fitness,
                "low": r.low,
                "high": r.high,
                "kept": r.kept,
            }
            for r in candidate.rungs
        ],
        "evaluations": [
            {"purpose": e.purpose, "seed": e.seed, "steps": e.steps, "fitness": e.fitness}
            for e in candidate.evaluations
        ],
        "source": candidate.source,
    }


def print_run(
    run: "Run",
    counted: "Overview",
    best: "Candidate | None",
    source: str,
    folder: "Path",
    resume: str,
) -> None:
    """``run`` has those of its candidates that are shown; ``source`` is the best one's program."""
    from rich.syntax import Syntax
    from rich.table import Table
    from rich.text import Text

    from reward_synth.report.tables import is_measured

    out = console()
    total = counted.candidates
    state = Text(counted.state, style=STYLES.get(counted.state, "yellow"))
    out.print(Text.assemble((run.id, "bold"), "  ", state, "  ", run.message))
    if counted.state not in ("finished", "running"):
        out.print(f"go on with: {resume}", style="dim")
    out.print(candidate_table(run.candidates, best, measured=is_measured(run)))
    if len(run.candidates) < total:
        out.print(
            f"the best {len(run.candidates)} of {total:,} candidates; `reward-synth show "
            f"{run.id} --json` gives all",
            style="dim",
        )
    if best is not None and source:
        out.print(f"candidate {best.number}", style="dim")
        out.print(Syntax(source.strip(), "python", theme="ansi_dark", background_color="default"))
        out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows(run.result) if run.result else []:
        grid.add_row(name, value)
    grid.add_row("folder", short(folder))
    out.print(grid)


def worth_showing(rows: "Sequence[Glance]", result: dict[str, Any]) -> list[int] | None:
    """None for all candidates; of a crowd the numbers of the best, the winner among them."""
    if len(rows) <= MOST_ROWS:
        return None
    ranked = sorted(rows, key=lambda row: (row.fitness is None, -(row.fitness or 0.0)))
    numbers = [row.number for row in ranked[:MOST_ROWS]]
    winner = result.get("winner")
    return numbers if winner is None or winner in numbers else [*numbers[:-1], winner]


def candidate_table(
    candidates: list["Candidate"], best: "Candidate | None", *, measured: bool
) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from reward_synth.report.tables import confirmed_fitness

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("#", "generation", "fitness" if measured else "preferred", "confirmed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("parents", no_wrap=True)
    table.add_column("how, or why not")
    for candidate in candidates:
        confirmed = confirmed_fitness(candidate)
        leads = best is not None and candidate.number == best.number
        repair = f" (repair {candidate.repair})" if candidate.repair else ""
        table.add_row(
            Text(str(candidate.number), style="bold green" if leads else ""),
            str(candidate.generation + 1),
            searched_line(candidate) if measured else preferred_line(candidate),
            "" if confirmed is None else number(confirmed),
            Text(candidate.status + repair, style=STYLES.get(candidate.status, "yellow")),
            ", ".join(str(parent) for parent in candidate.parents),
            candidate.reason or candidate.note,
        )
    return table


def searched_line(candidate: "Candidate") -> str:
    """Fitness in the search; over several seeds with its 95 % interval."""
    from reward_synth.report.tables import search_interval
    from reward_synth.store.fates import mean_fitness, search_evaluations

    trained, spread = search_evaluations(candidate), search_interval(candidate)
    if spread is None:
        return ""
    fitness = number(mean_fitness(trained))
    return fitness if len(trained) == 1 else f"{fitness} {interval(*spread)}"


def preferred_line(candidate: "Candidate") -> str:
    """Score by what people prefer."""
    return "" if candidate.worth is None else number(candidate.worth)


def report(run: RunId, runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Write a run's report.html anew and print where it is."""
    from reward_synth.report import write_report

    with open_store(runs_dir) as store:
        path = write_report(store, run)
    if json:
        print_json({"run": run, "report": str(path)})
    else:
        print(short(path))
