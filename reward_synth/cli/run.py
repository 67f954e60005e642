"""``reward-synth run TASK``: the main job."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli.named_task import made_on_the_fly, resolve
from reward_synth.cli.options import (
    RUNNING_CLUSTER,
    RUNS_DIR,
    Algorithm,
    AlgorithmName,
    AnswerTokens,
    Cache,
    Device,
    Engine,
    EngineName,
    Environments,
    Examples,
    Isolation,
    IsolationLevel,
    Json,
    Models,
    Parameters,
    RayAddress,
    Record,
    Roles,
    RunsDir,
    Say,
    Select,
    Start,
    Steps,
    Strategy,
    Temperature,
    Trackers,
    Trainer,
    TrainerName,
    Workers,
    role_settings,
    trainer_settings,
)
from reward_synth.errors import STOPPED, UserError

if TYPE_CHECKING:
    from reward_synth.api import FinishedRun
    from reward_synth.cli.progress import Standing
    from reward_synth.search import RunConfig

OFFLINE = "offline"
FIRST_FRESH_SEED = 100
EXAMPLE = """Examples:

reward-synth run hopper-forward --samples 6 --iterations 3

reward-synth run hopper-forward --model openai/gpt-4o --max-cost 5 --record run.jsonl

reward-synth run hopper-forward --model replay:run.jsonl

reward-synth run hopper-forward --model openai/gpt-4o --model local@http://localhost:8000/v1

reward-synth run hopper-forward --model manual --samples 2

reward-synth run hopper-forward --engine ray --ray-address 10.0.0.1:6379"""


def run(
    context: typer.Context,
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK", help="A built-in task, or a task folder; not needed with --resume."
        ),
    ] = None,
    model: Models = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server."),
    ] = None,
    role: Roles = None,
    strategy: Strategy = None,
    start: Start = None,
    say: Say = None,
    examples: Examples = 2,
    temperature: Temperature = 1.0,
    answer_tokens: AnswerTokens = None,
    record: Record = None,
    cache: Cache = True,
    samples: Annotated[
        int,
        typer.Option("--samples", metavar="K", min=1, max=256, help="Candidates per generation."),
    ] = 6,
    iterations: Annotated[
        int, typer.Option("--iterations", metavar="N", min=1, max=100, help="Generations.")
    ] = 3,
    steps: Steps = None,
    seed: Annotated[int, typer.Option("--seed", metavar="I", min=0, help="Seed of the run.")] = 0,
    seeds: Annotated[
        int,
        typer.Option("--seeds", metavar="S", min=1, max=64, help="Trainings of each candidate."),
    ] = 1,
    fresh_seeds: Annotated[
        int,
        typer.Option(
            "--fresh-seeds",
            metavar="F",
            min=1,
            max=64,
            help="Trainings of each of the two finalists on seeds that the search has not seen; "
            "the winner's score is their mean.",
        ),
    ] = 3,
    prune: Annotated[
        bool,
        typer.Option("--prune/--no-prune", help="Drop the weaker half of a generation at rungs."),
    ] = True,
    overlap: Annotated[
        bool,
        typer.Option(
            "--overlap",
            help="Ask for the next generation when this one has passed its last rung, while the "
            "rest still trains.",
        ),
    ] = False,
    feedback: Annotated[
        bool,
        typer.Option(
            "--feedback",
            help="Wait for your word after each generation but the last: `reward-synth feedback "
            "RUN` takes it.",
        ),
    ] = False,
    select: Annotated[
        Select,
        typer.Option(
            "--select",
            help="What parents and finalists are chosen by: the task's fitness, or how you rank "
            "the policies (then nothing is dropped at rungs; so always on a task without a "
            "fitness).",
        ),
    ] = Select.fitness,
    simulated_person: Annotated[
        float | None,
        typer.Option(
            "--simulated-person",
            metavar="NOISE",
            min=0.0,
            max=0.49,
            help="Try the mode without a person: pairs are judged by the fitness, this share of "
            "them wrongly.",
        ),
    ] = None,
    judgements: Annotated[
        int,
        typer.Option(
            "--judgements",
            metavar="J",
            min=1,
            max=10_000,
            help="Pairs that a simulated person judges after each generation.",
        ),
    ] = 6,
    tune: Annotated[
        int,
        typer.Option(
            "--tune",
            metavar="V",
            min=0,
            max=256,
            help="Variants of the best program's constants in each generation after the first.",
        ),
    ] = 0,
    trainer: Trainer = TrainerName.population,
    algorithm: AlgorithmName = Algorithm.ppo,
    parameters: Parameters = None,
    device: Device = "cpu",
    environments: Environments = None,
    workers: Workers = 0,
    engine: Engine = EngineName.local,
    ray_address: RayAddress = RUNNING_CLUSTER,
    tracker: Trackers = None,
    runs_dir: RunsDir = RUNS_DIR,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="RUN", help="Go on with an interrupted or stopped run."),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost",
            metavar="DOLLARS",
            help="Stop when the model has cost this, at list prices, over all resumptions.",
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            "--max-tokens",
            metavar="N",
            min=1,
            help="Stop when so many tokens were billed, of prompts and completions. As with "
            "--max-cost, only requests to the model wait for more; what it wrote is trained.",
        ),
    ] = None,
    max_hours: Annotated[
        float | None,
        typer.Option(
            "--max-hours",
            metavar="H",
            help="Stop after so long, over all resumptions, once trainings under way are done.",
        ),
    ] = None,
    max_failures: Annotated[
        int | None,
        typer.Option(
            "--max-failures",
            metavar="F",
            min=1,
            max=10_000,
            help="Stop when a request to the model failed so often in a row, with up to a minute "
            "in between; 6 if not given.",
        ),
    ] = None,
    isolation: IsolationLevel = Isolation.strict,
    json: Json = False,
) -> None:
    """Search for a reward function and train a policy with it.

    A run that reaches a limit keeps the best so far and ends with exit status 3; it goes on with
    --resume and a higher limit.
    """
    from reward_synth import api
    from reward_synth.cli.output import console, print_json
    from reward_synth.cli.progress import print_line, watching
    from reward_synth.cli.summary import document, print_summary
    from reward_synth.reward.source import read_program
    from reward_synth.search import RunConfig
    from reward_synth.search.building import suited
    from reward_synth.search.config import search_seeds
    from reward_synth.task import load_task

    task = None if task is None else resolve(task, runs_dir)
    given = {
        "task": task,
        "models": model or [OFFLINE],
        "base_url": base_url,
        "roles": role_settings(role),
        "strategy": None if strategy is None else strategy.value,
        "start": None if start is None else read_program(start),
        "say": tuple(say or ()),
        "examples": examples,
        "temperature": temperature,
        "answer_tokens": answer_tokens,
        "record": None if record is None else str(record.absolute()),
        "cache": cache,
        "samples": samples,
        "iterations": iterations,
        "steps": steps,
        "seed": seed,
        "workers": workers,
        "engine": engine.value,
        "ray_address": ray_address,
        "trackers": [name.value for name in tracker or []],
        "isolation": isolation.value,
        "seeds": seeds,
        "confirmation_seeds": fresh(fresh_seeds, search_seeds(seed, seeds)),
        "overlap": overlap,
        "feedback": feedback,
        "select": select.value,
        "simulated_person": simulated_person,
        "judgements": judgements,
        "tune": tune,
        **trainer_settings(trainer, algorithm, parameters, device, environments),
        **({} if prune else {"rungs": ()}),
    }
    limits = {
        "max_cost": max_cost,
        "max_tokens": max_tokens,
        "max_hours": max_hours,
        "max_failures": max_failures,
    }
    check_positive(limits)
    if resume is not None:
        named = {
            "rungs": "prune",
            "confirmation_seeds": "fresh_seeds",
            "models": "model",
            "roles": "role",
            "trackers": "tracker",
        }
        chosen = {n: value for n, value in given.items() if typed(context, named.get(n, n))}
        may_change = ("base_url", "iterations", "engine", "ray_address", "workers", "trackers")
        changes = {**limits, **{n: chosen.pop(n, None) for n in may_change}}
        ahead = standing_of(resume, runs_dir, chosen, changes["iterations"])
        with watching(ahead, runs_dir) as observer:
            finished = api.resume(resume, runs_dir=runs_dir, observer=observer, **changes)
    elif task is None:
        raise UserError("no task was named; `reward-synth tasks` lists the built-in ones")
    elif base_url is not None and given["models"] == [OFFLINE]:
        raise UserError("--base-url needs the server's model: add --model NAME")
    else:
        config = RunConfig.model_validate({**given, **limits})
        config = suited(load_task(config.task), config)
        if made_on_the_fly(config.task, runs_dir):
            train_baselines(config, runs_dir)
        with watching(search_standing(config), runs_dir) as observer:
            finished = api.search(config, runs_dir=runs_dir, observer=observer)
    if json:
        print_json(document(finished))
    else:
        print_summary(finished)
    if finished.stopped:
        out = console(stderr=True)
        print_line(out, f"go on with: {raised(finished, runs_dir)}")
        raise typer.Exit(STOPPED)


def train_baselines(config: "RunConfig", runs_dir: Path) -> None:
    """Train the expert and sparse rewards of a task that has no measured ones, so that the search
    has a human-normalised score."""
    from reward_synth import api
    from reward_synth.cli.progress import watching
    from reward_synth.cli.train import train_standing

    for reward in api.missing_baselines(config, runs_dir):
        with watching(train_standing(len(api.baseline_seeds(config))), runs_dir) as observer:
            typer.echo(f"training the task's {reward} reward, a baseline", err=True)
            api.train_baseline(config, reward, runs_dir=runs_dir, observer=observer)


def fresh(count: int, seen: Sequence[int]) -> tuple[int, ...]:
    """So many seeds that a search has not seen."""
    unseen = (s for s in itertools.count(FIRST_FRESH_SEED) if s not in seen)
    return tuple(itertools.islice(unseen, count))


def check_positive(limits: dict[str, int | float | None]) -> None:
    """Raises UserError for a limit that no run could keep."""
    from reward_synth.search.limits import option

    for name, value in limits.items():
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"{option(name)} {value}: give a number above 0")


def raised(run: "FinishedRun", runs_dir: Path) -> str:
    """What to type to go on with a run that stopped."""
    from reward_synth.cli.recorded import resume_command
    from reward_synth.search.limits import option

    more = "" if run.limit == "max_failures" else f" {option(run.limit)} MORE"
    return resume_command(run.id, runs_dir) + more


def typed(context: typer.Context, name: str) -> bool:
    """Whether the user gave this parameter, rather than its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def search_standing(config: "RunConfig", confirmed: int = 0) -> "Standing":
    """How long a search will be; ``confirmed`` trainings of its finalists are done already."""
    from reward_synth.cli.progress import Standing

    return Standing(
        iterations=config.iterations,
        samples=config.samples + config.tune,
        seeds=config.seeds,
        confirmations=config.finalists * len(config.confirmation_seeds) - confirmed,
    )


def models_of(config: dict[str, Any]) -> list[str]:
    """The models of a recorded run; those of older versions have one."""
    return config.get("models") or [config.get("model", OFFLINE)]


def standing_of(
    run_id: str, runs_dir: Path, chosen: dict[str, Any], iterations: int | None = None
) -> "Standing":
    """What is still to come of a recorded run, which may be given more ``iterations``.

    Raises UserError when ``chosen`` settings are not those that the run was started with: a
    resumed run must give what an undisturbed one would have given.
    """
    from reward_synth.cli.recorded import open_store
    from reward_synth.cli.train import train_standing
    from reward_synth.search import RunConfig
    from reward_synth.store.fates import confirmations
    from reward_synth.task import load_task

    with open_store(runs_dir) as store:
        run = store.get_run(run_id)
    if "task" in chosen:
        chosen = {**chosen, "task": str(load_task(chosen["task"]).folder.absolute())}
    kept_as = {"task": "TASK", "models": "--model", "roles": "--role"}
    for name, value in chosen.items():
        kept = run.config.get(name, value)
        if name == "models":
            kept, value = (" --model ".join(names) for names in (models_of(run.config), value))
        if kept != value:
            option = kept_as.get(name, f"--{name.replace('_', '-')}")
            raise UserError(
                f"run {run_id} was started with {option} {kept}, not {value}: a resumed run keeps "
                f"its settings; leave {option} out, or start a new run without --resume"
            )
    confirmed = sum(len(confirmations(c)) for c in run.candidates)
    if run.kind == "train":
        return train_standing(len(run.config["seeds"]) - confirmed)
    more = {} if iterations is None else {"iterations": iterations}
    return search_standing(RunConfig.model_validate({**run.config, **more}), confirmed)
