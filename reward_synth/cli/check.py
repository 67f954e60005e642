"""``reward-synth check TASK REWARD.py``: the gate alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import (
    RUNS_DIR,
    Isolation,
    IsolationLevel,
    Json,
    RunsDir,
    TaskName,
)
from reward_synth.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from reward_synth.task import Task
    from sandbox.messages import ProgramProbe

EXAMPLE = "Example: reward-synth check hopper-forward my_reward.py"


def check(
    task: TaskName,
    rewards: Annotated[
        list[Path],
        typer.Argument(
            metavar="REWARD.py", help="Reward programs, or folders of them.", show_default=False
        ),
    ],
    isolation: IsolationLevel = Isolation.strict,
    runs_dir: RunsDir = RUNS_DIR,
    json: Json = False,
) -> None:
    """Check reward programs as a run does; exit status 1 if one is refused."""
    from reward_synth.cli.output import console, count, print_json
    from reward_synth.reward import read_program
    from reward_synth.simulation.trial import check_functions
    from reward_synth.task import load_task

    loaded = load_task(resolve(task, runs_dir))
    check_functions(loaded, tensors=True)
    files = programs(rewards)
    sources: dict[Path, str] = {}
    unreadable: dict[Path, str] = {}
    for file in files:
        try:
            sources[file] = read_program(file)
        except UserError as error:
            if len(files) == 1:
                raise
            unreadable[file] = str(error)
    verdicts = judge(loaded, sources, isolation)
    results = [result(file, unreadable.get(file), verdicts.get(file)) for file in files]
    refused = sum(not entry["ok"] for entry in results)
    if json:
        print_json({"task": loaded.name, "ok": not refused, "programs": results})
    else:
        out = console()
        for file, entry in zip(files, results, strict=True):
            print_result(out, file, sources.get(file, ""), entry)
        if len(files) > 1:
            out.print(f"{count(len(files), 'program')}, {refused} refused")
    if refused:
        raise typer.Exit(1)


def programs(paths: list[Path]) -> list[Path]:
    """The files that are meant: a folder stands for every ``*.py`` in it."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.py"))
            if not inside:
                raise UserError(f"{path} holds no reward programs (*.py)")
            files += inside
        else:
            files.append(path)
    return files


def judge(
    task: "Task", sources: dict[Path, str], isolation: Isolation
) -> "dict[Path, ProgramProbe]":
    """The gate's verdicts."""
    from reward_synth.evaluation import Gate, WorkerPool

    with WorkerPool(task.folder, 1, isolation.value, kinds=("probe",)) as pool:
        verdicts = Gate(task, pool).judge(list(sources.values()))
    return dict(zip(sources, verdicts, strict=True))


def result(file: Path, unreadable: str | None, verdict: "ProgramProbe | None") -> dict[str, Any]:
    """What was found in one file, as JSON."""
    from reward_synth.evaluation import errors

    if verdict is None:
        finding = {"level": "error", "code": "unreadable", "message": unreadable}
        return {"path": str(file), "ok": False, "findings": [finding]}
    return {
        "path": str(file),
        "ok": not errors(verdict.findings),
        "findings": [finding.model_dump(mode="json") for finding in verdict.findings],
        "microseconds_per_step": verdict.microseconds_per_step,
        "components": {
            name: statistics.model_dump(mode="json")
            for name, statistics in verdict.components.items()
        },
    }


def print_result(out: "Console", file: Path, source: str, entry: dict[str, Any]) -> None:
    """Every finding with its place, the line it is about and a caret below the column."""
    from rich.text import Text

    lines = source.splitlines()
    for finding in entry["findings"]:
        line, column = finding.get("line"), finding.get("column")
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        style = "bold red" if finding["level"] == "error" else "bold yellow"
        out.print(
            Text.assemble(
                (f"{place}: ", "bold"), (f"{finding['level']}: ", style), finding["message"]
            ),
            soft_wrap=True,
        )
        if line is not None and 0 < line <= len(lines):
            out.print(Text(f"    {lines[line - 1]}"), soft_wrap=True)
            if column is not None:
                out.print(Text(f"    {caret(lines[line - 1], column)}", style="green"))
    if entry["ok"]:
        cost = entry["microseconds_per_step"]
        told = "" if cost is None else f", {cost:.2f} µs per environment step"
        out.print(Text.assemble((f"{file}: ", "bold"), ("accepted", "green"), told), soft_wrap=True)


def caret(line: str, column: int) -> str:
    """A caret below ``column`` (1-based), with the line's own tabs so that they line up."""
    before = line[: column - 1]
    return "".join("\t" if character == "\t" else " " for character in before) + "^"
