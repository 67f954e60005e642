from collections.abc import Iterator
from pathlib import Path

import pytest

from reward_synth.search.config import RunConfig
from reward_synth.store import Store
from reward_synth.task import GymnasiumModel, Task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A task as the loader would give it; the store reads only its name and folder."""
    return Task(
        description="Swing the pole up.",
        model=GymnasiumModel("inverted_pendulum.xml"),
        variables={},
        observation=(),
        frame_skip=2,
        episode_steps=100,
        reset=lambda rng, n: (rng.normal(size=(n, 2)), rng.normal(size=(n, 2))),
        terminated=lambda v, xp: xp.zeros(1, dtype=bool),
        fitness=lambda episode: 0.0,
        fitness_doc="height of the pole's tip",
        training_steps=1000,
        folder=tmp_path / "tasks" / "cartpole-swingup",
    )


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(task="cartpole-swingup", samples=2, iterations=1)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def store(runs_dir: Path) -> Iterator[Store]:
    with Store.open(runs_dir) as opened:
        yield opened
