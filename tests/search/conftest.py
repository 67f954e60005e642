"""What small searches would otherwise spend most of their time on, once for a module."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from reward_synth.evaluation import WorkerPool
from reward_synth.search import trainings
from reward_synth.simulation import statistics
from reward_synth.task import load_task


@pytest.fixture(scope="module")
def kept_worker() -> Iterator[None]:
    """All searches of a module are on cartpole-swingup, go to the same worker, and tell models the
    same ranges of its variables."""
    task = load_task("cartpole-swingup")
    ranges = statistics.variable_statistics(task)
    with (
        WorkerPool(task.folder, 1, kinds=("probe", "train")) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(trainings, "WorkerPool", lambda *given: nullcontext(pool))
        patch.setattr(statistics, "variable_statistics", lambda task: ranges)
        yield
