"""A run in Weights & Biases (https://wandb.ai), or offline in ``RUN/wandb``."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reward_synth.errors import UserError
from reward_synth.report.trackers.interface import PROJECT, About, Point

OFFLINE = ("offline", "disabled", "dryrun")


def check_key() -> None:
    """Raises UserError where wandb would ask for a key in the middle of a run."""
    import wandb

    if os.environ.get("WANDB_MODE", "online") not in OFFLINE and not wandb.login(prompt=False):
        raise UserError(
            "--tracker wandb: there is no key for it; run `wandb login`, set WANDB_API_KEY, or "
            "WANDB_MODE=offline to keep everything on this machine"
        )


class WandbRun:
    """One run of a W&B project; its id is the run's, so that a resumed one goes on there."""

    def __init__(self) -> None:
        self.run: Any = None
        self.id = ""

    def begin(self, about: About) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        quiet = wandb.Settings(
            silent=True,
            console="off",
            save_code=False,
            disable_git=True,
            # Command line and environment, which may hold what nobody should see.
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_disable_stats=True,
        )
        self.id = about.id
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=about.id,
            resume="allow",
            name=about.name,
            config=dict(about.config),
            dir=str(about.folder),
            settings=quiet,
        )
        self.axis("generations", "generation")
        self.axis("candidates", "candidate")

    def axis(self, group: str, step: str) -> None:
        self.run.define_metric(step, hidden=True)
        self.run.define_metric(f"{group}/*", step_metric=step)

    def training(
        self, name: str, number: int, fitness: float | None, curve: Sequence[Point]
    ) -> None:
        group = name.replace("-", "_")
        self.axis(group, f"{group}/step")
        for point in curve:
            values = {f"{group}/{key}": value for key, value in point.values.items()}
            self.run.log({f"{group}/step": point.step, **values})
        if fitness is not None:
            self.run.log({"candidate": number, "candidates/fitness": fitness})

    def generation(self, number: int, values: Mapping[str, float]) -> None:
        named = {f"generations/{key}": value for key, value in values.items()}
        self.run.log({"generation": number, **named})

    def end(self, status: str, result: Mapping[str, float], files: Sequence[Path]) -> None:
        import wandb

        self.run.summary.update({"status": status, **result})
        if files:
            artifact = wandb.Artifact(self.id, type="result")
            for path in files:
                artifact.add_file(str(path))
            self.run.log_artifact(artifact)
        self.run.finish(exit_code=0 if status in ("finished", "stopped") else 1)
