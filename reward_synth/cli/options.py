"""Options that several commands share, so that they are spelled and explained once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

RUNS_DIR = Path("runs")


class Isolation(StrEnum):
    """How generated code is walled off."""

    strict = "strict"
    none = "none"


TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A built-in task, or the path of a task folder.")
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run, as `reward-synth runs` lists it.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; progress goes to stderr.")
]
RunsDir = Annotated[
    Path,
    typer.Option(
        "--runs-dir",
        metavar="DIR",
        envvar="REWARD_SYNTH_RUNS_DIR",
        help="Where runs are kept.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        metavar="S",
        min=1,
        help="Environment steps of one training; the task's own budget if not given.",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", metavar="W", min=0, max=1024, help="Trainings at once; 0 is one per core."
    ),
]
IsolationLevel = Annotated[
    Isolation,
    typer.Option(
        "--isolation",
        help="`none` runs generated code without walls, where the kernel cannot build them.",
    ),
]
