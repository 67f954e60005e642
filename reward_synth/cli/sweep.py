"""``reward-synth sweep FILE.yaml``: many searches that share the machine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.compare import print_comparison
from reward_synth.cli.options import RUNS_DIR, Json, RunsDir
from reward_synth.cli.output import console, count, duration, print_json
from reward_synth.cli.recorded import beside
from reward_synth.cli.summary import short
from reward_synth.errors import STOPPED

if TYPE_CHECKING:
    from reward_synth.sweep.driving import FinishedSweep
    from reward_synth.sweep.estimate import Estimate
    from reward_synth.sweep.plan import Plan
    from reward_synth.sweep.results import Results
    from reward_synth.sweep.states import State

EXAMPLE = """Examples:

reward-synth sweep examples/sweeps/small.yaml --dry-run

reward-synth sweep examples/sweeps/small.yaml

reward-synth sweep examples/sweeps/small.yaml --resume"""


def sweep(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.yaml", help="What to run; with --resume also the sweep's name alone."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, tell what it will take, and stop.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with it: finished runs stay, the others go on or are started. Runs that "
            "were added to the file are new.",
        ),
    ] = False,
    runs_dir: RunsDir = RUNS_DIR,
    json: Json = False,
) -> None:
    """Run a grid of searches over tasks, strategies, models, seeds or any other setting.

    All runs share the machine's workers, each in its turn. A run that fails leaves the others
    alone. At the end there is one table, as a page and as JSON. Exit status 1 if a run failed, 3 if
    one stopped at a limit or was not begun for one.
    """
    from reward_synth.cli.sweep_progress import watching
    from reward_synth.sweep.driving import carry_out, find_plan, foresee

    plan = find_plan(file, runs_dir, resume=resume)
    expected, states = foresee(plan, runs_dir, anew=not (resume or dry_run))
    if not dry_run or not json:
        print_estimate(plan, expected, states, stderr=json or not dry_run)
    if dry_run:
        if json:
            print_json(plan_document(plan, expected, states))
        return
    go_on = f"reward-synth sweep {file} --resume{beside(runs_dir)}"
    with watching(plan, states, go_on) as watcher:
        finished = carry_out(plan, runs_dir=runs_dir, watcher=watcher, resume=resume)
    if json:
        paths = {"page": str(finished.page), "json": str(finished.document)}
        print_json({**finished.results.document(), **paths})
    else:
        print_results(finished)
    status = exit_status(finished.results)
    if status:
        left = len(plan.cells) - finished.results.count("finished")
        line = f"{count(left, 'run')} not finished; go on with: {go_on}"
        console(stderr=True).print(line, soft_wrap=True)
        raise typer.Exit(status)


def exit_status(results: "Results") -> int:
    """0, 1 if a run failed, 3 if one stopped at a limit."""
    if results.count("failed"):
        return 1
    return STOPPED if results.count("stopped", "waiting", "running") else 0


# --- before ----------------------------------------------------------------------------------


def plan_document(
    plan: "Plan", expected: "Estimate", states: "Mapping[str, State]"
) -> dict[str, Any]:
    """A sweep that is not started, as JSON."""
    return {
        "sweep": plan.name,
        "runs": [
            {
                "label": cell.label,
                "cell": cell.key,
                "status": states[cell.key].status,
                "run": states[cell.key].run,
            }
            for cell in plan.cells
        ],
        "estimate": expected.document(),
    }


def print_estimate(
    plan: "Plan", expected: "Estimate", states: "Mapping[str, State]", *, stderr: bool
) -> None:
    """What the sweep will take."""
    from rich.table import Table

    from reward_synth.report.words import amount

    out = console(stderr=stderr)
    if not expected.runs:
        out.print(f"sweep {plan.name}: all {count(len(plan.cells), 'run')} are finished")
        return
    done = sum(state.status == "finished" for state in states.values())
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    already = f", {done} of {len(plan.cells)} are finished" if done else ""
    grid.add_row("runs", f"{expected.runs}{already}")
    grid.add_row("trainings", f"{expected.trainings:,}")
    most = f", {amount(expected.most_steps)} at most"
    grid.add_row(
        "steps",
        f"about {amount(expected.steps)}{most if expected.most_steps > expected.steps else ''}",
    )
    tokens = expected.prompt_tokens + expected.completion_tokens
    if tokens:
        grid.add_row(
            "tokens",
            f"about {amount(expected.prompt_tokens)} in, {amount(expected.completion_tokens)} out",
        )
        cost = expected.cost
        grid.add_row("cost", "unknown" if cost is None else f"about ${cost:.2f} at list prices")
    else:
        grid.add_row("tokens", "none")
    hours = expected.hours
    grid.add_row("training", "unknown" if hours is None else f"about {duration(hours * 3600)}")
    for limit in ("max_cost", "max_tokens", "max_hours"):
        if (value := getattr(plan, limit)) is not None:
            grid.add_row(limit, f"{value:,g} for all runs together")
    out.print(f"sweep {plan.name}")
    out.print(grid)
    for basis in expected.bases:
        out.print(basis, style="dim")


# --- after -----------------------------------------------------------------------------------


def print_results(finished: "FinishedSweep") -> None:
    """The methods, the runs task by task, what went wrong, and where the page is."""
    results = finished.results
    out = console()
    out.print()
    out.print(methods_table(results))
    for part in results.compared:
        print_comparison(part, results.labels)
    for cell in results.plan.cells:
        state = results.states[cell.key]
        if state.status != "finished":
            word = {"waiting": "not begun"}.get(state.status, state.status)
            reason = f": {state.reason}" if state.reason else ""
            style = "red" if state.status == "failed" else "yellow"
            out.print(f"{word}: {cell.label}{reason}", style=style, soft_wrap=True)
    out.print(short(finished.page), soft_wrap=True)


def methods_table(results: "Results") -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from reward_synth.report.sweep_page import above_expert, between, price, value
    from reward_synth.report.words import amount

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in (
        "method", "scored", "IQM", "above expert", "trainings", "steps", "tokens", "cost", "time",
    ):  # fmt: skip
        table.add_column(
            heading, justify="left" if heading == "method" else "right", overflow="fold"
        )
    for method in results.methods:
        table.add_row(
            method.name,
            f"{method.scored} of {method.runs}",
            Text.assemble(value(method.iqm), ("\n" + between(method.iqm), "dim")),
            above_expert(method),
            f"{method.trainings:,}",
            amount(method.environment_steps),
            f"{method.tokens:,}" if method.tokens else "–",
            price(method),
            duration(method.seconds),
        )
    return table
