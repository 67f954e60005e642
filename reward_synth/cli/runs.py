"""``reward-synth runs``, ``show RUN`` and ``report RUN``: what was recorded."""

from typing import TYPE_CHECKING, Any

from reward_synth.cli.options import RUNS_DIR, Json, RunId, RunsDir
from reward_synth.cli.output import console, number, print_json
from reward_synth.cli.recorded import has_runs, open_store, resume_command
from reward_synth.cli.summary import rows, short

if TYPE_CHECKING:
    from pathlib import Path

    from reward_synth.store import Candidate, Run

EXAMPLE_RUNS = "Example: reward-synth runs"
EXAMPLE_SHOW = "Example: reward-synth show RUN"
EXAMPLE_REPORT = "Example: reward-synth report RUN"
STYLES = {"scored": "green", "finished": "green", "refused": "red", "failed": "red"}


def runs(runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """List all runs, newest first."""
    found: list[dict[str, Any]] = []
    if has_runs(runs_dir):
        with open_store(runs_dir) as store:
            found = [overview(run) for run in store.list_runs()]
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
            Text(run["status"], style=STYLES.get(run["status"], "yellow")),
            "train" if run["kind"] == "train" else str(run["candidates"]),
            number(run["fitness"]),
            "–" if score is None else f"{score:.2f}",
        )
    out.print(table)


def overview(run: "Run") -> dict[str, Any]:
    """One line of the list, as JSON."""
    result = run.result or {}
    best = max((e.fitness for c in run.candidates for e in c.evaluations), default=None)
    return {
        "run": run.id,
        "kind": run.kind,
        "task": run.task,
        "status": run.status,
        "candidates": len(run.candidates),
        "fitness": result.get("fitness", best),
        "human_normalised": result.get("human_normalised"),
        "created": run.created.isoformat(),
    }


def show(run: RunId, runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Show a run: candidates, their fates, the best reward."""
    from reward_synth.search.strategy import best_of

    with open_store(runs_dir) as store:
        found = store.get_run(run)
        folder = store.run_folder(run)
    winner = (found.result or {}).get("winner")
    best = next((c for c in found.candidates if c.number == winner), None)
    best = best or best_of(found.candidates)
    if json:
        print_json(
            {
                **overview(found),
                "message": found.message,
                "config": found.config,
                "folder": str(folder),
                "result": found.result,
                "best": None if best is None else best.number,
                "candidates": [candidate_facts(candidate) for candidate in found.candidates],
            }
        )
    else:
        print_run(found, best, folder, resume_command(run, runs_dir))


def candidate_facts(candidate: "Candidate") -> dict[str, Any]:
    """A candidate as JSON."""
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
        "evaluations": [
            {"purpose": e.purpose, "seed": e.seed, "steps": e.steps, "fitness": e.fitness}
            for e in candidate.evaluations
        ],
        "source": candidate.source,
    }


def print_run(run: "Run", best: "Candidate | None", folder: "Path", resume: str) -> None:
    from rich.syntax import Syntax
    from rich.table import Table
    from rich.text import Text

    out = console()
    state = Text(run.status, style=STYLES.get(run.status, "yellow"))
    out.print(Text.assemble((run.id, "bold"), "  ", state, "  ", run.message))
    if run.result is None:
        out.print(f"go on with: {resume}", style="dim")
    out.print(candidate_table(run, best))
    if best is not None and best.source:
        out.print(f"candidate {best.number}", style="dim")
        out.print(
            Syntax(best.source.strip(), "python", theme="ansi_dark", background_color="default")
        )
        out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows(run.result) if run.result else []:
        grid.add_row(name, value)
    grid.add_row("folder", short(folder))
    out.print(grid)


def candidate_table(run: "Run", best: "Candidate | None") -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("#", "generation", "fitness", "confirmed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("parents", no_wrap=True)
    table.add_column("how, or why not")
    for candidate in run.candidates:
        searched = [e.fitness for e in candidate.evaluations if e.purpose == "search"]
        confirmed = [e.fitness for e in candidate.evaluations if e.purpose == "confirm"]
        leads = best is not None and candidate.number == best.number
        repair = f" (repair {candidate.repair})" if candidate.repair else ""
        table.add_row(
            Text(str(candidate.number), style="bold green" if leads else ""),
            str(candidate.generation + 1),
            number(searched[0]) if searched else "",
            number(sum(confirmed) / len(confirmed)) if confirmed else "",
            Text(candidate.status + repair, style=STYLES.get(candidate.status, "yellow")),
            ", ".join(str(parent) for parent in candidate.parents),
            candidate.reason or candidate.note,
        )
    return table


def report(run: RunId, runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Write a run's report.html anew and print where it is."""
    from reward_synth.report import write_report

    with open_store(runs_dir) as store:
        path = write_report(store, run)
    if json:
        print_json({"run": run, "report": str(path)})
    else:
        print(short(path))
