"""``reward-synth score TASK --policy FILE``: the trusted score of a policy."""

from pathlib import Path
from typing import Annotated

import typer

from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import RUNS_DIR, Json, TaskName

EXAMPLE = "Example: reward-synth score cheetah-run --policy runs/RUN/best/policy.safetensors"


def score(
    task: TaskName,
    policy: Annotated[
        Path,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="A policy.safetensors of a run, or a .zip that stable-baselines3 saved.",
        ),
    ],
    episodes: Annotated[
        int, typer.Option("--episodes", min=1, max=4096, help="Episodes to roll out.")
    ] = 32,
    json: Json = False,
) -> None:
    """Roll a policy out and measure its fitness.

    Of a stable-baselines3 model the weights alone are read, and nothing is unpickled.
    """
    from reward_synth.cli.output import console, interval, print_json
    from reward_synth.evaluation import score_policy
    from reward_synth.report.words import number
    from reward_synth.task import baselines, load_task

    loaded = load_task(resolve(task, RUNS_DIR))
    found = score_policy(loaded, policy, episodes)
    if json:
        print_json({"task": loaded.name, "policy": str(policy), **found.model_dump(mode="json")})
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    if found.low is None or found.high is None:
        grid.add_row("fitness", "the task has none")
    else:
        spread = interval(found.low, found.high)
        grid.add_row(
            "fitness",
            f"{number(found.fitness)} {spread}, mean and 95 % interval of {episodes} episodes",
        )
        grid.add_row("", loaded.fitness_doc)
    if found.success is not None:
        grid.add_row("success", f"{found.success:.0%} ({loaded.success_doc})")
    grid.add_row("length", f"{found.length:.0f} of {loaded.episode_steps} control steps")
    for which, baseline in baselines(loaded).items():
        spread = interval(baseline.low, baseline.high)
        grid.add_row(f"{which} reward", f"{number(baseline.mean)} {spread}")
    console().print(grid)
