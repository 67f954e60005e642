"""``reward-synth export-policy TASK --policy FILE --output FILE.zip``: a policy for SB3."""

from pathlib import Path
from typing import Annotated

import typer

from reward_synth.cli.named_task import resolve
from reward_synth.cli.options import RUNS_DIR, Json, TaskName
from reward_synth.errors import UserError

EXAMPLE = (
    "Example: reward-synth export-policy cheetah-run --policy runs/RUN/best/policy.safetensors "
    "--output cheetah.zip"
)
EPISODES = 4
"""Played to compare the exported model with the policy."""
SEED = 0


def export_policy(
    task: TaskName,
    policy: Annotated[
        Path, typer.Option("--policy", metavar="FILE", help="A policy.safetensors of a run.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", metavar="FILE.zip", help="The model to write; replaced if there."),
    ],
    json: Json = False,
) -> None:
    """Write a policy as a model that stable-baselines3 loads.

    It takes the task's raw observations: what the policy knew of their mean and spread is folded
    into its first layer.
    """
    if output.suffix != ".zip":
        raise UserError(f"--output {output} has to end in .zip, as stable-baselines3 expects")
    if not output.parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.parent}")
    from reward_synth.cli.output import console, print_json
    from reward_synth.simulation import open_simulator
    from reward_synth.simulation.policy import load_policy
    from reward_synth.simulation.sb3_export import compare, save_sb3, to_sb3
    from reward_synth.task import load_task

    loaded = load_task(resolve(task, RUNS_DIR))
    simulator = open_simulator(loaded, EPISODES)
    try:
        found = load_policy(policy, simulator.observation_size, simulator.action_space)
        model = to_sb3(found)
        save_sb3(model, output)
        compared = compare(found, model, simulator, SEED)
    finally:
        simulator.close()
    algorithm = type(model).__name__
    if json:
        print_json(
            {
                "task": loaded.name,
                "policy": str(policy),
                "output": str(output),
                "algorithm": algorithm,
                "largest_difference": compared.difference,
                "observations": compared.observations,
                "clipped_observations": compared.clipped,
            }
        )
        return
    out = console()
    out.print(f"{output}: load it with stable_baselines3.{algorithm}.load", soft_wrap=True)
    out.print(
        f"Over {EPISODES} episodes its actions differ by at most {compared.difference:.1e}; "
        f"{compared.clipped:,} of {compared.observations:,} observations were beyond 10 standard "
        "deviations, which the policy clips and the model does not.",
        soft_wrap=True,
    )
