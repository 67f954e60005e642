"""A run's learning curves as TensorBoard events: ``tensorboard --logdir runs/RUN/tensorboard``."""

import secrets
import shutil
from pathlib import Path

from reward_synth.store import Run
from reward_synth.store.folder import TEMPORARY_PREFIX, writing
from sandbox.messages import Checkpoint, TrainingReport

FOLDER = "tensorboard"


def write_all_events(run_folder: Path, run: Run) -> None:
    """Write what is not there yet of every finished training of ``run``."""
    for candidate in run.candidates:
        for evaluation in candidate.evaluations:
            # candidates/0007[/seed-101]/policy.safetensors
            name = "-".join(Path(evaluation.policy).parts[1:-1])
            folder = run_folder / FOLDER / name
            if not folder.exists():
                report = TrainingReport.model_validate(evaluation.report)
                started = evaluation.finished.timestamp() - report.seconds
                write_events(folder, report, started)


def write_events(folder: Path, report: TrainingReport, started: float) -> None:
    """Write one training's curves into ``folder``, which appears whole or not at all.

    ``started`` is when training began, seconds since the epoch.
    """
    # Classes that protobuf makes when the module is loaded.
    from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboard.compat.proto.summary_pb2 import (
        Summary,  # pyright: ignore[reportAttributeAccessIssue]
    )
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    partial = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}-{secrets.token_hex(6)}")
    with writing(folder):
        writer = EventFileWriter(str(partial))
        for checkpoint in report.checkpoints:
            values = [
                Summary.Value(tag=tag, simple_value=value)
                for tag, value in curves(checkpoint).items()
            ]
            writer.add_event(
                Event(
                    wall_time=started + checkpoint.seconds,
                    step=checkpoint.step,
                    summary=Summary(value=values),
                )
            )
        writer.close()
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            # Another report of the same run was quicker.
            shutil.rmtree(partial, ignore_errors=True)


def curves(checkpoint: Checkpoint) -> dict[str, float]:
    """What is drawn of a checkpoint, by name."""
    values = {
        "rollout/episode_return": checkpoint.episode_return,
        "rollout/episode_length": checkpoint.episode_length,
        "rollout/fitness": checkpoint.fitness,
        "rollout/success": checkpoint.success,
    }
    for name, statistics in checkpoint.components.items():
        values[f"components/{name}"] = statistics.mean
        values[f"shares/{name}"] = statistics.share
    return {name: value for name, value in values.items() if value is not None}
