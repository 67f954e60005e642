"""Makes a task folder and tries it: what ``reward-synth tasks new`` does, and ``run ID``."""

import difflib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reward_synth.authoring import catalogue
from reward_synth.authoring.draft import Draft, write_folder
from reward_synth.simulation import open_simulator, task_spec
from reward_synth.simulation.trial import faults_of
from reward_synth.task import (
    ManagerBasedEnvironment,
    Task,
    VectorEnvironment,
    list_tasks,
    load_task,
    reward_source,
)

MISSPELT = 0.85
"""Similarity to a built-in task's name from which nothing else is meant."""
MADE = "tasks"
"""Folder of a runs folder that holds the tasks that were made on the fly."""
TIMED_ENVIRONMENTS = 16
TIMED_SECONDS = 1.0
DEFAULT_TRAININGS = 24
"""About the trainings of a run with default settings, its confirmations included."""
LEARNING_SHARE = 0.6
"""Of the simulator's speed what a training has left, about."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """What a new task folder is like."""

    task: Task
    refused: tuple[str, ...]
    """What is wrong with its functions, and what the gate says against its own rewards, a line
    each."""
    steps_per_second: float
    """Of its simulator under random actions, one thread."""
    run_minutes: float
    """About what a run with default settings takes on two cores."""


def draft_of(
    environment: VectorEnvironment | ManagerBasedEnvironment, description: str | None = None
) -> Draft:
    """The draft of a task on an environment.  Raises UserError."""
    if isinstance(environment, ManagerBasedEnvironment):
        from reward_synth.authoring.managed import draft_managed

        return draft_managed(environment, description=description)
    from reward_synth.authoring.environments import draft_environment

    return draft_environment(environment, description=description)


def make_folder(draft: Draft, folder: Path) -> Task:
    """Write the folder and load its task; what cannot be loaded is not kept.  Raises UserError."""
    write_folder(draft, folder)
    try:
        task = load_task(folder)
        task_spec(task)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return task


def try_task(task: Task, isolation: str = "strict") -> Trial:
    """Put the task's own rewards through the gate, and time its simulator."""
    from reward_synth.evaluation import Gate, WorkerPool, errors

    refused = faults_of(task, tensors=True)
    names = ("expert", "sparse")
    if task.fitness is not None:
        with WorkerPool(task.folder, 1, isolation, kinds=("probe",)) as pool:  # pyright: ignore
            sources = [reward_source(task, name) for name in names]
            verdicts = Gate(task, pool, own=True).judge(sources)
        for name, verdict in zip(names, verdicts, strict=True):
            refused += [f"{name} reward: {found.message}" for found in errors(verdict.findings)]
    speed = measure_speed(task)
    minutes = DEFAULT_TRAININGS * task.training_steps / (2 * speed * LEARNING_SHARE) / 60
    return Trial(task, tuple(refused), speed, minutes)


def measure_speed(task: Task) -> float:
    """Environment steps per second of the simulator under random actions, on one thread."""
    simulator = open_simulator(task, TIMED_ENVIRONMENTS)
    try:
        rng = np.random.default_rng(0)
        simulator.reset(0)
        steps, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < TIMED_SECONDS:
            action = simulator.action_space.random(rng, TIMED_ENVIRONMENTS)
            simulator.step(simulator.xp.asarray(action, **simulator.placement))
            steps += TIMED_ENVIRONMENTS
        return steps / (time.perf_counter() - begun)
    finally:
        simulator.close()


def task_on_the_fly(name: str, runs_dir: Path, tell: Tell = lambda line: None) -> str:
    """What ``name`` stands for: itself where it is a built-in task or a path, else the folder of a
    task that is made for the environment of that id, once.

    Raises:
        UserError: no registry knows the id, or no task can be made for it.
    """
    if name in list_tasks() or (Path(name) / "task.py").is_file() or Path(name).name == "task.py":
        return name
    folder = runs_dir / MADE / re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    if (folder / "task.py").is_file():
        return str(folder)
    if not name.strip() or Path(name).exists() or name.startswith((".", "/", "~")):
        return name  # a path, of which the loader says what is wrong
    if difflib.get_close_matches(name.lower(), list_tasks(), cutoff=MISSPELT):
        return name  # a built-in task misspelt: the loader says which, without the registries
    entry = catalogue.find(name)
    if entry is None or entry.environment is None:
        raise catalogue.unknown(name)
    make_folder(draft_of(entry.environment), folder)
    tell(f"made a task for {name} ({entry.source}) in {folder}")
    return str(folder)
