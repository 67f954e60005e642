"""``reward-synth tasks new FOLDER`` and ``reward-synth tasks search WORD``."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.options import Isolation, IsolationLevel, Json
from reward_synth.errors import UserError

if TYPE_CHECKING:
    from reward_synth.authoring.by_model import Written
    from reward_synth.authoring.catalogue import Entry
    from reward_synth.authoring.draft import Draft
    from reward_synth.authoring.making import Trial

EXAMPLE_NEW = """Examples:

reward-synth tasks new walk --mjcf robot.xml --say "Walk forward" --goal speed=1

reward-synth tasks new hop --env Hopper-v5 --say "Hop on the spot" --model openai/gpt-4o"""
EXAMPLE_SEARCH = "Example: reward-synth tasks search drawer"
MOST_SHOWN = 60
"""Lines of a search; --json gives all."""


class PoolName(StrEnum):
    gymnasium = "gymnasium"
    envpool = "envpool"


def new(
    folder: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
    mjcf: Annotated[Path | None, typer.Option("--mjcf", help="A model in MJCF.")] = None,
    urdf: Annotated[Path | None, typer.Option("--urdf", help="A model in URDF.")] = None,
    floating: Annotated[
        bool, typer.Option("--floating", help="A URDF's root link moves freely.")
    ] = False,
    env: Annotated[
        str | None,
        typer.Option("--env", help="An id of Gymnasium's or EnvPool's (tasks search finds one)."),
    ] = None,
    pool: Annotated[
        PoolName | None, typer.Option("--pool", help="Whose environment an --env id is.")
    ] = None,
    mjlab: Annotated[str | None, typer.Option("--mjlab", help="An id of mjlab's.")] = None,
    isaaclab: Annotated[
        str | None, typer.Option("--isaaclab", help="An id of Isaac Lab's.")
    ] = None,
    say: Annotated[
        str | None, typer.Option("--say", help="What is to be learned, in one sentence.")
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            "--goal",
            help="Of a model: speed=1 | near=A,B | height=BODY,H | upright=BODY | joint=NAME,ANGLE "
            "| none.",
        ),
    ] = None,
    hz: Annotated[float | None, typer.Option("--hz", help="Control steps a second.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Length of an episode.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="M",
            help="A language model that writes the fitness, the success and better documentation "
            "from what you --say: `provider/model`, or a server's model with --base-url.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server."),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Ask nothing: take the defaults, and of what a model writes all that passes the "
            "checks.",
        ),
    ] = False,
    isolation: IsolationLevel = Isolation.strict,
    json: Json = False,
) -> None:
    """Make a task folder from a model's file or an environment's id, and try it."""
    from reward_synth.authoring.draft import refuse_existing
    from reward_synth.authoring.making import make_folder, try_task
    from reward_synth.cli.tasks_by_model import connect_author, usage_line, write_by_model

    refuse_existing(folder)
    given = {"--mjcf": mjcf, "--urdf": urdf, "--env": env, "--mjlab": mjlab, "--isaaclab": isaaclab}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        named = " and ".join(chosen) or "nothing"
        raise UserError(f"give one of {', '.join(given)}; {named} was given")
    of_model = chosen[0] in ("--mjcf", "--urdf")
    if not of_model and (goal, hz, seconds) != (None, None, None):
        raise UserError("--goal, --hz and --seconds are of models; an environment has its own")
    if floating and urdf is None:
        raise UserError(
            "--floating is of a URDF file; in MJCF the root has a freejoint or has none"
        )
    author = None if model is None and base_url is None else connect_author(model, base_url)
    asking = not yes and not json and sys.stdin.isatty()
    if asking:
        say = say or typer.prompt("What is to be learned, in one sentence?", default="") or None
        if of_model and goal is None:
            goal = typer.prompt("Goal (speed=1, near=A,B, height=BODY,H, …)", default="") or None
    draft = _draft(chosen[0], given[chosen[0]], pool, say, goal, hz, seconds, floating)
    written = None
    if author is not None:
        written = write_by_model(author, draft, folder, say, asking=asking)
        draft = written.draft
    task = make_folder(draft, folder)
    trial = try_task(task, isolation.value)
    picture = _picture(task.folder)
    if json:
        from reward_synth.cli.output import print_json

        print_json(_document(trial, draft, picture, written))
    else:
        _print(trial, draft, picture)
        if written is not None:
            typer.echo(usage_line(written))
    if trial.refused:
        raise typer.Exit(1)


def search(
    word: Annotated[str, typer.Argument(help="Parts of an id or description.")] = "",
    json: Json = False,
) -> None:
    """List what is installed to learn on: built-in tasks and environments of others."""
    from reward_synth.authoring import catalogue
    from reward_synth.cli.output import console, count, print_json

    entries = catalogue.catalogue()
    found = catalogue.search(word, entries)
    near = [] if found else [e for e in entries if e.id in catalogue.nearest(word, entries)]
    if json:
        print_json([_entry(entry) for entry in found])
        return
    out = console()
    if not found:
        told = ", ".join(entry.id for entry in near)
        hint = f"; near it: {told}" if near else ""
        raise UserError(f"nothing that is installed matches {word!r}{hint}")
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", style="bold", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("what it is")
    for entry in found[:MOST_SHOWN]:
        table.add_row(entry.id, entry.source, entry.summary)
    out.print(table)
    more = f", {MOST_SHOWN} shown (--json lists all)" if len(found) > MOST_SHOWN else ""
    out.print(f"{count(len(found), 'match', 'matches')}{more}", style="dim")
    out.print("learn on one of them: reward-synth run ID", style="dim")
    for line in catalogue.missing():
        out.print(line, style="dim")


def _draft(
    option: str,
    given: Any,
    pool: PoolName | None,
    say: str | None,
    goal: str | None,
    hz: float | None,
    seconds: float | None,
    floating: bool,
) -> "Draft":
    from reward_synth.authoring import catalogue
    from reward_synth.authoring.making import draft_of
    from reward_synth.task import ManagerBasedEnvironment

    if option in ("--mjcf", "--urdf"):
        from reward_synth.authoring.models import draft_model

        return draft_model(
            given,
            urdf=option == "--urdf",
            floating=floating,
            description=say,
            goal=goal,
            hz=hz,
            seconds=seconds,
        )
    if option == "--env":
        entry = catalogue.find(given, None if pool is None else pool.value)
        if entry is None or entry.environment is None:
            raise catalogue.unknown(given)
        return draft_of(entry.environment, say)
    package = "mjlab" if option == "--mjlab" else "isaaclab"
    return draft_of(ManagerBasedEnvironment(given, package), say)


def _picture(folder: Path) -> "Path | str":
    """A still of the task, or why there is none."""
    from reward_synth.report.video import NoVideoError, render_still

    picture = folder / "still.png"
    try:
        render_still(folder, picture)
    except NoVideoError as error:
        return str(error)
    return picture


def _entry(entry: "Entry") -> dict[str, str]:
    return {"id": entry.id, "from": entry.source, "summary": entry.summary}


def _document(
    trial: "Trial", draft: "Draft", picture: "Path | str", written: "Written | None"
) -> dict[str, Any]:
    from reward_synth.cli.tasks import describe
    from reward_synth.cli.tasks_by_model import usage_document

    return {
        "task": describe(trial.task),
        "ok": not trial.refused,
        "refused": list(trial.refused),
        "notes": list(draft.notes),
        "written_by_model": None if written is None else usage_document(written),
        "steps_per_second": trial.steps_per_second,
        "run_minutes": trial.run_minutes,
        "still": str(picture) if isinstance(picture, Path) else None,
    }


def _print(trial: "Trial", draft: "Draft", picture: "Path | str") -> None:
    from reward_synth.cli.output import console
    from reward_synth.cli.tasks import describe, print_task

    print_task(describe(trial.task))
    out = console()
    for line in (*draft.notes, *trial.refused):
        out.print(f"note: {line}", style="yellow")
    out.print(
        f"{trial.steps_per_second:,.0f} environment steps/s on one thread; a run with default "
        f"settings takes about {max(trial.run_minutes, 1):.0f} min on two cores"
    )
    out.print(
        f"still picture: {picture}" if isinstance(picture, Path) else f"no picture: {picture}"
    )
    out.print(f"made {trial.task.folder}; next: reward-synth run {trial.task.folder}", style="bold")
