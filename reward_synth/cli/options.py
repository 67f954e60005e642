"""Options that several commands share, so that they are spelled and explained once."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from reward_synth.commands import RUNS_DIR as RUNS_DIR
from reward_synth.errors import UserError

ROLES = ("designer", "critic", "analyser")


class Isolation(StrEnum):
    """How generated code is walled off."""

    strict = "strict"
    process = "process"
    none = "none"


class Select(StrEnum):
    """What parents and finalists are chosen by."""

    fitness = "fitness"
    preference = "preference"


class TrainerName(StrEnum):
    """Who trains the policies."""

    population = "population"
    sb3 = "sb3"


class EngineName(StrEnum):
    """Where policies are trained."""

    local = "local"
    ray = "ray"


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
        "--workers",
        metavar="W",
        min=0,
        max=1024,
        help="Trainings at once; 0 is one per core, or all that a cluster has room for.",
    ),
]
Engine = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="`local` trains on this machine; `ray` on a Ray cluster, with the same scores (needs "
        "the extra ray).",
    ),
]
RayAddress = Annotated[
    str,
    typer.Option(
        "--ray-address",
        metavar="HOST:PORT",
        help="The cluster of `--engine ray`: `auto` is the one that this machine is in, `local` a "
        "new one on this machine alone.",
    ),
]
RUNNING_CLUSTER = "auto"


class TrackerName(StrEnum):
    """Who may be told of a run."""

    wandb = "wandb"
    mlflow = "mlflow"


Trackers = Annotated[
    list[TrackerName] | None,
    typer.Option(
        "--tracker",
        help="Tell Weights & Biases or MLflow of the run (repeatable; needs the extra of that "
        "name). TensorBoard events are always written.",
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
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="M",
        help="`offline` (the default), `provider/model`, a server's model with --base-url or as "
        "`NAME@URL`, `replay:FILE` (or `replay-anyway:FILE`, if prompts differ), `manual` (you "
        "answer). Give it several times, and samples are spread over the models, more of them to "
        "those whose candidates score.",
    ),
]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE=M",
        help="Another model for one of designer, critic, analyser: `critic=openai/gpt-4o-mini`; or "
        "`critic.temperature=0`, `critic.answer-tokens=500` (repeatable). The strategy has to ask "
        "that role.",
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        metavar="T",
        min=0.0,
        max=2.0,
        help="Of the model's sampling; at 0 answers are remembered between runs.",
    ),
]
AnswerTokens = Annotated[
    int | None,
    typer.Option(
        "--answer-tokens",
        metavar="N",
        min=1,
        help="Most tokens of one answer; the provider's own limit if not given.",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Append each exchange with a model to a file; `--model replay:FILE` repeats it.",
    ),
]
Cache = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Remember answers at temperature 0 between runs."),
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
    """The trainer's settings of a run."""
    return {
        "trainer": trainer.value,
        "algorithm": algorithm.value,
        "parameters": dict(parameter(text) for text in parameters or []),
        "device": device,
        "environments": environments,
    }


def role_settings(given: list[str] | None) -> dict[str, dict[str, Any]]:
    """Settings by role, from ``ROLE=MODEL`` and ``ROLE.SETTING=VALUE``.  Raises UserError."""
    from pydantic import ValidationError

    from reward_synth.search.config import RoleConfig

    roles: dict[str, dict[str, Any]] = {}
    for text in given or []:
        name, _, value = text.partition("=")
        role, _, setting = name.strip().partition(".")
        setting = setting.replace("-", "_") or "model"
        known = role in ROLES and setting in RoleConfig.model_fields
        if not known or not value.strip():
            raise UserError(
                f"--role {text}: write ROLE=MODEL, ROLE.temperature=T or ROLE.answer-tokens=N with "
                f"one of the roles {', '.join(ROLES)}"
            )
        roles.setdefault(role, {})[setting] = value.strip()
        try:
            RoleConfig.model_validate(roles[role])
        except ValidationError as error:
            raise UserError(f"--role {text}: {error.errors()[0]['msg']}") from None
    return {
        role: RoleConfig.model_validate(own).model_dump(mode="json") for role, own in roles.items()
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


class StrategyName(StrEnum):
    """How candidates are made."""

    offline = "offline"
    eureka = "eureka"
    text2reward = "text2reward"
    auto_mc_reward = "auto-mc-reward"
    card = "card"
    islands = "islands"


Strategy = Annotated[
    StrategyName | None,
    typer.Option(
        "--strategy",
        help="How candidates are made; eureka if not given, or offline without a model.",
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        "--start", metavar="FILE", help="A reward program of your own, to improve on from there."
    ),
]
Say = Annotated[
    list[str] | None,
    typer.Option(
        "--say",
        metavar="TEXT",
        help="What you say of the best policy so far, one generation after the other "
        "(repeatable; for --strategy text2reward).",
    ),
]
Examples = Annotated[
    int,
    typer.Option(
        "--examples",
        metavar="E",
        min=0,
        max=16,
        help="Best programs of your finished runs on other tasks that text2reward shows the model.",
    ),
]
