"""What is said when a run is over."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.cli.output import console, count, duration, interval
from reward_synth.report.words import number

if TYPE_CHECKING:
    from reward_synth.api import FinishedRun

NO_MODEL = "No language model was used: candidates came from the offline proposer."


def document(run: "FinishedRun") -> dict[str, Any]:
    """A finished or stopped run as one JSON document."""
    facts: dict[str, Any] = {
        "run": run.id,
        "folder": str(run.folder),
        "report": str(run.report),
        "best_reward": str(run.folder / "best" / "reward.py"),
        "best_policy": str(run.policy),
        "reward": run.reward,
        "result": run.result,
    }
    if run.stopped:
        facts["stopped"] = run.stopped
    if run.result.get("model_used") is False:
        facts["note"] = NO_MODEL
    return facts


def print_summary(run: "FinishedRun") -> None:
    """The winning reward and a panel: score, what it took, where everything is."""
    from rich.panel import Panel
    from rich.syntax import Syntax
    from rich.table import Table

    out = console()
    out.print()
    out.print(Syntax(run.reward.strip(), "python", theme="ansi_dark", background_color="default"))
    out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if run.stopped:
        grid.add_row("stopped", run.stopped)
    for name, value in rows(run.result):
        grid.add_row(name, value)
    for name, path in (
        ("report", run.report),
        ("best reward", run.folder / "best" / "reward.py"),
        ("best policy", run.policy),
    ):
        grid.add_row(name, short(path))
    colour = "yellow" if run.stopped else "green"
    out.print(Panel(grid, title=run.id, title_align="left", border_style=colour, expand=False))


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a result, as people read them."""
    told = [("fitness", fitness_line(result))]
    if "confirmation" in result:
        best = "best so far" if "stopped" in result else "winner"
        told.insert(0, (best, f"candidate {result['winner']}"))
    if (score := result.get("human_normalised")) is not None:
        told.append(("human-normalised", normalised_line(score, result)))
    if "execute_rate" in result:
        told.append(("candidates", candidates_line(result)))
    told.append(("took", work_line(result)))
    if result.get("model_used"):
        told.append(("model", model_line(result)))
    elif result.get("model_used") is False:
        told.append(("model", NO_MODEL))
    return told


def fitness_line(result: dict[str, Any]) -> str:
    seeds = result["seeds"]
    if result["fitness"] is None:
        worth = result.get("worth")
        chosen = "" if worth is None else f"; by what people prefer its score is {number(worth)}"
        return f"the task has none, so there is no human-normalised score{chosen}"
    if result.get("confirmed") is False:
        return f"{number(result['fitness'])} (of the search alone: not confirmed on fresh seeds)"
    if len(seeds) == 1:
        return f"{number(result['fitness'])} (one seed, so no interval)"
    spread = interval(result["low"], result["high"])
    return f"{number(result['fitness'])} {spread}, mean and 95 % interval over {len(seeds)} seeds"


def normalised_line(score: float, result: dict[str, Any]) -> str:
    line = f"{score:.2f}"
    if result.get("expert") is not None and result.get("sparse") is not None:
        line += f" (expert {number(result['expert'])}, sparse {number(result['sparse'])})"
    return line


def candidates_line(result: dict[str, Any]) -> str:
    parts = [str(result["candidates"])]
    for name in ("refused", "pruned", "failed", "repaired"):
        if result.get(name):  # runs of older versions were not pruned
            parts.append(f"{result[name]} {name}")
    return ", ".join(parts)


def work_line(result: dict[str, Any]) -> str:
    parts = [duration(result["seconds"]), count(result["trainings"], "training")]
    if "environment_steps" in result:
        parts.append(f"{result['environment_steps']:,} environment steps")
    return ", ".join(parts)


def model_line(result: dict[str, Any]) -> str:
    tokens = f"{result['prompt_tokens']:,} tokens in, {result['completion_tokens']:,} out"
    cost = result.get("cost")
    shares = result.get("models") or {}
    if len(shares) > 1:
        tokens = f"{', '.join(f'{name} {share}' for name, share in shares.items())}; {tokens}"
    return f"{tokens}, {'unknown price' if cost is None else f'${cost:.4f}'}"


def short(path: Path) -> str:
    """A path relative to the current folder where it lies below it."""
    try:
        return os.fspath(path.relative_to(Path.cwd()))
    except ValueError:
        return os.fspath(path)
