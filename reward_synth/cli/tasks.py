"""``reward-synth tasks`` and ``reward-synth tasks show TASK``."""

from typing import TYPE_CHECKING, Any, Literal

import typer

from reward_synth.cli import tasks_new
from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import RUNS_DIR, Json, RunsDir, TaskName
from reward_synth.cli.output import console, interval, print_json
from reward_synth.errors import UserError
from reward_synth.report.words import number

if TYPE_CHECKING:
    from reward_synth.task import Task

NO_FITNESS = "none: what a person prefers decides (run it with --feedback)"
ACTION_UNITS = {"continuous": "-1 to 1", "discrete": "0 or 1", "binary": "0 or 1"}
ACTION_DOC = "what the policy did, as applied"
MOST_ENTRIES = 4
"""Entries of a vector whose ranges are printed one by one."""
MOST_ACTIONS = 24
"""Entries of an action that are printed; --json gives all."""
app = typer.Typer(
    help="What there is to learn: `tasks show TASK` describes one, `tasks new` makes one, `tasks "
    "search` lists installed environments.",
    epilog="Example: reward-synth tasks show hopper-forward",
)
app.command("new", epilog=tasks_new.EXAMPLE_NEW)(tasks_new.new)
app.command("search", epilog=tasks_new.EXAMPLE_SEARCH)(tasks_new.search)


@app.callback(invoke_without_command=True)
def tasks(context: typer.Context, json: Json = False) -> None:
    """List the built-in tasks."""
    if context.invoked_subcommand is not None:
        return
    from reward_synth.task import list_tasks, load_task

    found = [load_task(name) for name in list_tasks()]
    if json:
        print_json(
            [
                {
                    "name": task.name,
                    "description": task.description,
                    "fitness": task.fitness_doc or None,
                    "episode_steps": task.episode_steps,
                    "training_steps": task.training_steps,
                }
                for task in found
            ]
        )
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task", style="bold", no_wrap=True)
    table.add_column("what is to be learned")
    table.add_column("steps", justify="right")
    for task in found:
        table.add_row(task.name, task.description, f"{task.training_steps:,}")
    out = console()
    out.print(table)
    out.print("steps: environment steps of one training, by default", style="dim")


@app.command("show", epilog="Example: reward-synth tasks show hopper-forward")
def show(task: TaskName, runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Show a task: what a reward may read, what the policy sees, how it is measured."""
    from reward_synth.simulation.trial import check_functions
    from reward_synth.task import load_task

    loaded = load_task(resolve(task, runs_dir))
    check_functions(loaded)
    facts = describe(loaded)
    if json:
        print_json(facts)
    else:
        print_task(facts)


def describe(task: "Task") -> dict[str, Any]:
    """Everything about a task, as JSON."""
    from reward_synth.simulation import task_spec
    from reward_synth.task import baselines

    spec = task_spec(task)
    return {
        "name": task.name,
        "folder": str(task.folder),
        "description": task.description,
        "variables": [
            {
                "name": name,
                "shape": shape(spec.variable_sizes[name]),
                "unit": variable.unit,
                "doc": variable.doc,
                "start": [list(entry.start) for entry in spec.statistics[name].entries],
                "random": [list(entry.random) for entry in spec.statistics[name].entries],
            }
            for name, variable in task.variables.items()
            if variable.public
        ],
        "action_size": spec.action_space.size,
        "action_kind": spec.action_space.kind,
        "actions": [{"name": e.name, "meaning": e.meaning} for e in spec.action_entries],
        "observation": list(task.observation),
        "history": task.history,
        "observation_size": spec.observation_size,
        "control_step": spec.control_step,
        "episode_steps": task.episode_steps,
        "training_steps": task.training_steps,
        "discount": task.ppo.discount,
        "termination": first_sentence(task.terminated.__doc__)
        if task.environment is None
        else "the environment's own",
        "fitness": task.fitness_doc or None,
        "success": task.success_doc or None,
        "baselines": {
            which: {
                "mean": baseline.mean,
                "low": baseline.low,
                "high": baseline.high,
                "seeds": len(baseline.seeds),
                "steps": baseline.steps,
            }
            for which, baseline in baselines(task).items()
        },
        "rewards": {which: has_reward(task, which) for which in ("expert", "sparse")},
    }


def has_reward(task: "Task", which: Literal["expert", "sparse"]) -> bool:
    """Whether the task has that reward program, of its own or of its environment."""
    from reward_synth.task import reward_source

    try:
        reward_source(task, which)
    except UserError:
        return False
    return True


def shape(entries: int | None) -> str:
    return "(N,)" if entries is None else f"(N, {entries})"


def first_sentence(doc: str | None) -> str:
    return " ".join((doc or "").strip().partition("\n\n")[0].split())


def print_task(facts: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    out = console()
    out.print(facts["name"], style="bold")
    out.print(facts["description"])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for heading in ("variable", "shape", "unit", "start", "random", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for variable in facts["variables"]:
        row = [variable[key] for key in ("name", "shape", "unit")]
        table.add_row(*row, ranges(variable["start"]), ranges(variable["random"]), variable["doc"])
    action = f"(N, {facts['action_size']})"
    table.add_row("action", action, ACTION_UNITS[facts["action_kind"]], "", "", ACTION_DOC)
    out.print(table)
    actions = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    actions.add_column("action", no_wrap=True)
    actions.add_column("what it means")
    for entry in facts["actions"][:MOST_ACTIONS]:
        actions.add_row(entry["name"], entry["meaning"])
    out.print(actions)
    if len(facts["actions"]) > MOST_ACTIONS:
        out.print(f"… and {len(facts['actions']) - MOST_ACTIONS} more (--json)", style="dim")
    out.print(
        "A reward may read these, and prev_NAME for the value one control step earlier. Ranges are "
        "the middle 90 % of each entry at an episode's start and under random actions.\n",
        style="dim",
    )
    step = facts["control_step"]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    names = ", ".join(facts["observation"])
    history = f", of {facts['history']} control steps" if facts["history"] > 1 else ""
    grid.add_row("observation", f"{facts['observation_size']} values: {names}{history}")
    grid.add_row(
        "episode",
        f"{facts['episode_steps']} control steps of {step:g} s "
        f"({facts['episode_steps'] * step:g} s)",
    )
    horizon = step / (1.0 - facts["discount"])
    grid.add_row("horizon", f"about {number(horizon)} s (discount {facts['discount']:g})")
    grid.add_row("termination", facts["termination"])
    grid.add_row("fitness", facts["fitness"] or NO_FITNESS)
    if facts["success"]:
        grid.add_row("success", facts["success"])
    grid.add_row("training", f"{facts['training_steps']:,} environment steps")
    for which, there in facts["rewards"].items():
        if facts["fitness"] is not None:
            grid.add_row(f"{which} reward", baseline_line(facts["baselines"].get(which), there))
    grid.add_row("folder", facts["folder"])
    out.print(grid)


def ranges(entries: list[list[float]]) -> str:
    """The range of each entry, a line each; one for all of a long vector."""
    if len(entries) > MOST_ENTRIES:
        entries = [[min(low for low, _ in entries), max(high for _, high in entries)]]
    return "\n".join(f"{low:.3g} to {high:.3g}" for low, high in entries)


def baseline_line(baseline: dict[str, Any] | None, there: bool) -> str:
    if not there:
        return "none"
    if baseline is None:
        return "fitness not measured yet"
    return (
        f"fitness {number(baseline['mean'])} {interval(baseline['low'], baseline['high'])}, "
        f"{baseline['seeds']} seeds of {baseline['steps']:,} steps"
    )
