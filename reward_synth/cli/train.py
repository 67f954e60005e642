"""``reward-synth train TASK --reward …``: one reward program, several seeds, no search."""

from typing import TYPE_CHECKING, Annotated

import typer

from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import (
    RUNNING_CLUSTER,
    RUNS_DIR,
    Algorithm,
    AlgorithmName,
    Device,
    Engine,
    EngineName,
    Environments,
    Isolation,
    IsolationLevel,
    Json,
    Parameters,
    RayAddress,
    RunsDir,
    Steps,
    TaskName,
    Trackers,
    Trainer,
    TrainerName,
    Workers,
    trainer_settings,
)

if TYPE_CHECKING:
    from reward_synth.cli.progress import Standing

EXAMPLE = "Example: reward-synth train cheetah-run --reward expert --seeds 3"
FIRST_SEED = 100
"""Where a search's confirmation seeds begin too, so that its winner and this compare."""


def train(
    task: TaskName,
    reward: Annotated[
        str,
        typer.Option(
            "--reward",
            metavar="FILE|expert|sparse|native",
            help="A reward program, or one of the task's own; native is the environment's.",
        ),
    ],
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=100, help="How many trainings, each its own seed.")
    ] = 3,
    steps: Steps = None,
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
    isolation: IsolationLevel = Isolation.strict,
    json: Json = False,
) -> None:
    """Train policies with one reward program and score them."""
    from reward_synth import api
    from reward_synth.cli.output import print_json
    from reward_synth.cli.progress import watching
    from reward_synth.cli.summary import document, print_summary

    named = resolve(task, runs_dir)
    with watching(train_standing(seeds), runs_dir) as observer:
        finished = api.train(
            named,
            reward,
            seeds=range(FIRST_SEED, FIRST_SEED + seeds),
            steps=steps,
            workers=workers,
            engine=engine.value,
            ray_address=ray_address,
            trackers=[name.value for name in tracker or []],
            isolation=isolation.value,
            runs_dir=runs_dir,
            observer=observer,
            **trainer_settings(trainer, algorithm, parameters, device, environments),
        )
    if json:
        print_json(document(finished))
    else:
        print_summary(finished)


def train_standing(trainings: int) -> "Standing":
    """``trainings`` are still to come."""
    from reward_synth.cli.progress import Standing

    return Standing(iterations=1, samples=1, confirmations=trainings, by_seed=True)
