"""A run in MLflow (https://mlflow.org): on a server, or in a folder."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reward_synth.report.trackers.interface import PROJECT, About, Point

OWN = "reward_synth.run"
"""The tag by which a resumed run is found."""
LONGEST_VALUE = 6000
MOST_METRICS = 1000
"""Of one request, by MLflow's limits."""
STATUS = {"finished": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "running": "KILLED"}
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A server that does not answer is given up soon, for the run goes on without it.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class MlflowRun:
    """One run of an MLflow experiment, where ``MLFLOW_TRACKING_URI`` says."""

    def __init__(self) -> None:
        self.client: Any = None
        self.id = ""

    def begin(self, about: About) -> None:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self.client = MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        known = self.client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self.client.create_experiment(name)
        found = self.client.search_runs([experiment], f"tags.`{OWN}` = '{about.id}'")
        if found:
            self.id = found[0].info.run_id
            self.client.update_run(self.id, status="RUNNING")
            return
        made = self.client.create_run(experiment, run_name=about.name, tags={OWN: about.id})
        self.id = made.info.run_id
        for key, value in about.config.items():
            self.client.log_param(self.id, key, str(value)[:LONGEST_VALUE])

    def training(
        self, name: str, number: int, fitness: float | None, curve: Sequence[Point]
    ) -> None:
        self.log(
            (f"{name}/{key}", value, point.time, point.step)
            for point in curve
            for key, value in point.values.items()
        )
        if fitness is not None:
            self.log([("candidates/fitness", fitness, time.time(), number)])

    def generation(self, number: int, values: Mapping[str, float]) -> None:
        now = time.time()
        self.log((f"generations/{key}", value, now, number) for key, value in values.items())

    def log(self, values: Any) -> None:
        """Names, values, times and steps."""
        from mlflow.entities import Metric

        metrics = [Metric(key, value, int(1000 * at), step) for key, value, at, step in values]
        for first in range(0, len(metrics), MOST_METRICS):
            self.client.log_batch(self.id, metrics=metrics[first : first + MOST_METRICS])

    def end(self, status: str, result: Mapping[str, float], files: Sequence[Path]) -> None:
        now = time.time()
        self.log((f"result/{key}", value, now, 0) for key, value in result.items())
        for path in files:
            self.client.log_artifact(self.id, str(path))
        self.client.set_terminated(self.id, STATUS[status])
