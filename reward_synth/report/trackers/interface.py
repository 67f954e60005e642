"""What a tracker is told, and which ones there are."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reward_synth.errors import UserError

PACKAGES = {"wandb": "wandb", "mlflow": "mlflow"}
"""The package of each tracker; the extra that installs it has the tracker's name."""
PROJECT = "reward-synth"
"""The project or experiment, unless the tracker's own environment variable names another one."""


@dataclass(frozen=True)
class About:
    """What is known of a run when it begins."""

    id: str
    """The same for all of a run's resumptions, and of no other run."""
    name: str
    folder: Path
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """Some values at an environment step of a training."""

    step: int
    time: float
    """Seconds since the epoch."""
    values: Mapping[str, float]


class Tracker(Protocol):
    """One tracked run; any method may raise, after which no other is called."""

    def begin(self, about: About) -> None:
        """Open the tracked run, or go on with it where it is there already."""
        ...

    def training(
        self, name: str, number: int, fitness: float | None, curve: Sequence[Point]
    ) -> None:
        """A finished training: whose it is, the trusted score, and its curves."""
        ...

    def generation(self, number: int, values: Mapping[str, float]) -> None:
        """A finished generation."""
        ...

    def end(self, status: str, result: Mapping[str, float], files: Sequence[Path]) -> None:
        """``finished``, ``stopped``, ``failed``, or ``running`` for a run that was interrupted."""
        ...


def check_trackers(names: Sequence[str]) -> None:
    """Raises UserError for a tracker whose package or key is missing."""
    for name in names:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise UserError(
                f"--tracker {name} needs a package that is not installed: "
                f"pip install 'reward-synth[{name}]'"
            )
    if "wandb" in names:
        from reward_synth.report.trackers.wandb_run import check_key

        check_key()


def makers() -> dict[str, Callable[[], Tracker]]:
    """What makes each tracker."""
    from reward_synth.report.trackers.mlflow_run import MlflowRun
    from reward_synth.report.trackers.wandb_run import WandbRun

    return {"wandb": WandbRun, "mlflow": MlflowRun}
