"""``reward-synth tasks`` and ``reward-synth tasks show TASK``."""

from typing import TYPE_CHECKING, Any

import typer

from reward_synth.cli import tasks_new
from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import RUNS_DIR, Json, RunsDir, TaskName
from reward_synth.cli.output import console, interval, print_json
from reward_synth.report.words import number

if TYPE_CHECKING:
    from reward_synth.simulation import TaskSpec
    from reward_synth.task import Task

NO_FITNESS = "none: what a person prefers decides (run it with --feedback)"
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
    from reward_synth.simulation import task_spec
    from reward_synth.task import load_task

    loaded = load_task(resolve(task, runs_dir))
    facts = describe(loaded, task_spec(loaded))
    if json:
        print_json(facts)
    else:
        print_task(facts)


def describe(task: "Task", spec: "TaskSpec") -> dict[str, Any]:
    """Everything about a task, as JSON."""
    from reward_synth.task import baselines

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
            }
            for name, variable in task.variables.items()
            if variable.public
        ],
        "action_size": spec.action_space.size,
        "observation": list(task.observation),
        "observation_size": spec.observation_size,
        "control_step": spec.control_step,
        "episode_steps": task.episode_steps,
        "training_steps": task.training_steps,
        "termination": first_sentence(task.terminated.__doc__),
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
        "rewards": {
            which: (task.folder / f"{which}_reward.py").is_file() for which in ("expert", "sparse")
        },
    }


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
    for heading in ("variable", "shape", "unit", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for variable in facts["variables"]:
        table.add_row(*(variable[key] for key in ("name", "shape", "unit", "doc")))
    action = f"(N, {facts['action_size']})"
    table.add_row("action", action, "-1 to 1", "what the policy did, as applied")
    out.print(table)
    out.print(
        "A reward may read these, and prev_NAME for the value one control step earlier.\n",
        style="dim",
    )
    step = facts["control_step"]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    names = ", ".join(facts["observation"])
    grid.add_row("observation", f"{facts['observation_size']} values: {names}")
    grid.add_row(
        "episode",
        f"{facts['episode_steps']} control steps of {step:g} s "
        f"({facts['episode_steps'] * step:g} s)",
    )
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


def baseline_line(baseline: dict[str, Any] | None, there: bool) -> str:
    if not there:
        return "none"
    if baseline is None:
        return "fitness not measured yet"
    return (
        f"fitness {number(baseline['mean'])} {interval(baseline['low'], baseline['high'])}, "
        f"{baseline['seeds']} seeds of {baseline['steps']:,} steps"
    )
