"""What small searches would otherwise spend most of their time on, once for all."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from reward_synth.evaluation import WorkerPool
from reward_synth.search import trainings
from reward_synth.simulation import statistics
from reward_synth.simulation.statistics import VariableStatistics, variable_statistics
from reward_synth.task import Task, load_task

TASK = load_task("cartpole-swingup")
KINDS = ("probe", "train")


class Kept:
    """A worker that trains policies on cartpole-swingup, another one where a run ended it."""

    def __init__(self) -> None:
        self.pool: WorkerPool | None = None

    def get(self) -> WorkerPool:
        if self.pool is None or self.pool.all[0].over:
            self.pool = WorkerPool(TASK.folder, 1, kinds=KINDS)
        return self.pool

    def close(self) -> None:
        if self.pool is not None:
            self.pool.close()


@pytest.fixture(scope="session")
def worker() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def ranges() -> dict[str, VariableStatistics]:
    """Of cartpole-swingup's variables."""
    return variable_statistics(TASK)


@pytest.fixture(scope="module", autouse=True)
def kept_worker(worker: Kept, ranges: dict[str, VariableStatistics]) -> Iterator[None]:
    """Searches on cartpole-swingup with one worker share it, and tell models the same ranges."""

    def pool(folder: Path, workers: int, isolation: str, kinds: Any, device: str) -> Any:
        if (folder, workers, isolation, kinds, device) == (TASK.folder, 1, "strict", KINDS, "cpu"):
            return nullcontext(worker.get())
        return WorkerPool(folder, workers, isolation, kinds, device)  # type: ignore[arg-type]

    def statistics_of(task: Task) -> dict[str, VariableStatistics]:
        return ranges if task.folder == TASK.folder else variable_statistics(task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainings, "WorkerPool", pool)
        patch.setattr(statistics, "variable_statistics", statistics_of)
        yield
