"""Options that several commands share, so that they are spelled and explained once."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from reward_synth.errors import UserError

RUNS_DIR = Path("runs")


class Isolation(StrEnum):
    """How generated code is walled off."""

    strict = "strict"
    process = "process"
    none = "none"


class TrainerName(StrEnum):
    """Who trains the policies."""

    population = "population"
    sb3 = "sb3"


class Algorithm(StrEnum):
    """Algorithms of stable-baselines3."""

    ppo = "ppo"
    sac = "sac"
    td3 = "td3"


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
        help="`process`, where the kernel cannot build walls: generated code runs in a process "
        "of its own with limits, and can reach your files and the network; `none` is for "
        "debugging.",
    ),
]
Trainer = Annotated[
    TrainerName,
    typer.Option(
        "--trainer",
        help="`population` trains all candidates in one simulation; `sb3` is stable-baselines3.",
    ),
]
AlgorithmName = Annotated[
    Algorithm, typer.Option("--algorithm", help="Of `--trainer sb3`; the population knows PPO.")
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="D", help="`cpu`, or a GPU: `cuda`, `cuda:1`, …; needs the extra gpu."
    ),
]
Environments = Annotated[
    int | None,
    typer.Option(
        "--environments",
        metavar="E",
        min=1,
        max=1_000_000,
        help="Of each policy in training; the task's own number if not given. GPUs like 1024.",
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter of stable-baselines3's algorithm (repeatable), as learning_rate=1e-4.",
    ),
]


def trainer_settings(
    trainer: TrainerName,
    algorithm: Algorithm,
    parameters: list[str] | None,
    device: str,
    environments: int | None,
) -> dict[str, Any]:
    """The trainer's settings of a run.  Raises UserError where they contradict each other."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?|warp-cpu", device):
        raise UserError(f"--device {device}: give cpu, cuda, or cuda:K for the K-th GPU")
    if trainer is TrainerName.sb3 and (device != "cpu" or environments is not None):
        raise UserError("--device and --environments are the population trainer's, not sb3's")
    if trainer is TrainerName.population and (parameters or algorithm is not Algorithm.ppo):
        raise UserError(
            "--algorithm and --set are stable-baselines3's: add --trainer sb3; the population "
            "trainer takes its hyperparameters from the task"
        )
    return {
        "trainer": trainer.value,
        "algorithm": algorithm.value,
        "parameters": dict(parameter(text) for text in parameters or []),
        "device": device,
        "environments": environments,
    }


def parameter(text: str) -> tuple[str, Any]:
    """``NAME=VALUE``; a value that is no JSON is taken as a word.  Raises UserError."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UserError(f"--set {text}: write NAME=VALUE, as --set learning_rate=1e-4")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value.strip()
