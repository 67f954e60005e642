"""``reward-synth compare RUN…``: runs of a task side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.options import RUNS_DIR, Json, RunsDir
from reward_synth.cli.output import console, print_json
from reward_synth.cli.recorded import open_store
from reward_synth.cli.summary import short

if TYPE_CHECKING:
    from reward_synth.report.comparison import Comparison

EXAMPLE = "Example: reward-synth compare RUN1 RUN2  (or: reward-synth compare --task TASK)"

Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN", help="Runs, or the beginnings of their names."),
]


def compare(
    runs: Runs = None,
    task: Annotated[
        str | None,
        typer.Option("--task", metavar="TASK", help="All finished searches on this task as well."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE.html",
            help="Where the page with the plots goes; into the runs folder if not given.",
        ),
    ] = None,
    runs_dir: RunsDir = RUNS_DIR,
    json: Json = False,
) -> None:
    """Compare runs of a task: scores, refusals, and what they took; a table and a page of plots."""
    with open_store(runs_dir) as store:
        from reward_synth.report.comparison import compare_recorded
        from reward_synth.report.comparison_page import write_comparison

        compared = compare_recorded(store, runs or [], task)
        if not json:
            for part in compared:
                print_comparison(part)
        page = write_comparison(store, compared, output)
    if json:
        print_json({"tasks": [part.document() for part in compared], "page": str(page)})
    else:
        console().print(short(page), soft_wrap=True)


def print_comparison(part: "Comparison", labels: Mapping[str, str] | None = None) -> None:
    """Two tables, as one would be too wide for a terminal: what runs found, what they took.

    ``labels`` say what sets a run apart, by its id; strategy and model where none is given.
    """
    from rich.text import Text

    out = console()
    out.print(Text(part.task, style="bold"))
    out.print(found_table(part, labels or {}))
    out.print(spent_table(part))
    for note in part.notes:
        out.print(note, style="dim")
    if part.notes:
        out.print()


def found_table(part: "Comparison", labels: Mapping[str, str]) -> Any:
    from rich.text import Text

    from reward_synth.report.comparison_page import STATES, basis, between, made_by, signed
    from reward_synth.report.words import number

    table = _table("#", "run", "fitness", "normalised", "above 1")
    for place, row in enumerate(part.rows, 1):
        state = "" if row.status == "finished" else f"\n{STATES.get(row.status, row.status)}"
        apart = row.difference
        score = "–" if row.human_normalised is None else f"{row.human_normalised:.2f}"
        table.add_row(
            str(place),
            Text.assemble(
                row.run, (f"\n{labels.get(row.run, made_by(row))}", "dim"), (state, "yellow")
            ),
            _two_lines(number(row.fitness), between(row.low, row.high) or basis(row)),
            _two_lines(score, between(row.normalised_low, row.normalised_high, 2)),
            _two_lines(signed(apart.mean), between(apart.low, apart.high)) if apart else "",
        )
    return table


def spent_table(part: "Comparison") -> Any:
    from reward_synth.report.comparison_page import cost, per_candidate, refusals, tokens
    from reward_synth.report.words import amount, duration, percent

    table = _table(
        "#", "executed", "refused", "trainings", "steps", "tokens in, out", "cost", "wall-clock"
    )
    for place, row in enumerate(part.rows, 1):
        counted = row.counted
        table.add_row(
            str(place),
            "–" if counted.execute_rate is None else percent(counted.execute_rate),
            _two_lines(str(counted.refused), refusals(row)),
            f"{counted.trainings:,}",
            amount(counted.environment_steps),
            _two_lines(tokens(row), per_candidate(row)),
            cost(row),
            duration(counted.seconds),
        )
    return table


def _two_lines(first: str, second: str) -> Any:
    from rich.text import Text

    return Text.assemble(first, ("\n" + second if second else "", "dim"))


def _table(*headings: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in headings:
        words = heading in ("run", "refused")  # in a narrow terminal they break, numbers do not
        table.add_column(
            heading, justify="left" if words else "right", no_wrap=not words, overflow="fold"
        )
    return table
