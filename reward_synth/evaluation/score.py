"""The trusted score: roll the policy out here, without the candidate, and measure fitness.

Only weights crossed the boundary.  The score is the final policy's mean fitness over fixed
evaluation seeds, with a 95 % interval.  On a task without a fitness it tells success and length.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, FiniteFloat

from reward_synth.errors import RunError, UserError
from reward_synth.intervals import interval
from reward_synth.task import Array, Episode, Task

if TYPE_CHECKING:
    from reward_synth.simulation.policy import Policy

EVALUATION_SEED = 1_000_003  # far from every training seed, so that no episode is seen twice


class Score(BaseModel):
    """What a policy does in the evaluation episodes; without numbers of fitness on a task that has
    none."""

    fitness: FiniteFloat | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    """95 % interval of the mean."""
    episodes: list[FiniteFloat] | list[None]
    """Fitness of each."""
    success: FiniteFloat | None
    """Share of successful episodes; None where the task defines no success."""
    length: FiniteFloat
    """Mean control steps of an episode."""


def score_policy(task: Task, path: Path, episodes: int = 32, seed: int = EVALUATION_SEED) -> Score:
    """Roll the policy in ``path`` out for ``episodes`` episodes and measure fitness.

    Raises UserError when the file is no policy for this task.
    """
    score = score_policies(task, [path], episodes, seed)[0]
    if isinstance(score, UserError):
        raise score
    return score


def score_policies(
    task: Task,
    paths: Sequence[Path],
    episodes: int = 32,
    seed: int = EVALUATION_SEED,
    threads: int = 1,
) -> list[Score | UserError]:
    """Score several policies side by side, each as it would be alone; UserError for no policy."""
    recorded = record_policies(task, paths, episodes, seed, threads)
    return [found if isinstance(found, UserError) else measure(task, found) for found in recorded]


def record_episodes(
    task: Task, path: Path, episodes: int = 32, seed: int = EVALUATION_SEED
) -> list[Episode]:
    """The episodes of the policy in ``path`` that :func:`score_policy` would measure.

    Raises UserError when the file is no policy for this task.
    """
    [found] = record_policies(task, [path], episodes, seed)
    if isinstance(found, UserError):
        raise found
    return found


def record_policies(
    task: Task,
    paths: Sequence[Path],
    episodes: int = 32,
    seed: int = EVALUATION_SEED,
    threads: int = 1,
) -> list[list[Episode] | UserError]:
    """The episodes of several policies, rolled out side by side; UserError for no policy."""
    from reward_synth.simulation import open_simulator, task_spec
    from reward_synth.simulation.episodes import rollout_episodes
    from reward_synth.simulation.policy import load_policy
    from reward_synth.simulation.rollout import on_host

    spec = task_spec(task)
    policies: list[Policy | UserError] = []
    for path in paths:
        try:
            policies.append(load_policy(path, spec.observation_size, spec.action_space))
        except UserError as error:
            policies.append(error)
    sound = [policy for policy in policies if not isinstance(policy, UserError)]
    found: list[Episode] = []
    if sound:
        simulator = open_simulator(task, len(sound) * episodes, threads=threads)

        def act(observation: Array) -> Array:
            groups = np.split(on_host(observation), len(sound))
            actions = np.concatenate([p(group) for p, group in zip(sound, groups, strict=True)])
            return simulator.xp.asarray(actions, **simulator.placement)

        try:
            seeds = [seed] * len(sound)
            found = rollout_episodes(simulator, act, simulator.num_envs, seeds)
        finally:
            simulator.close()
    groups = iter([found[k : k + episodes] for k in range(0, len(found), episodes)])
    return [
        policy if isinstance(policy, UserError) else _sound(task, next(groups))
        for policy in policies
    ]


def _sound(task: Task, episodes: list[Episode]) -> list[Episode] | UserError:
    """The episodes, or what is wrong with their environment."""
    from reward_synth.simulation.episodes import not_finite

    faults = (not_finite(task, episode.variables) for episode in episodes)
    fault = next((fault for fault in faults if fault is not None), None)
    return episodes if fault is None else UserError(fault)


def random_episodes(task: Task, episodes: int, seed: int) -> list[Episode]:
    """Whole episodes of uniformly random actions.

    Raises UserError where the task's environment gives a value that is not finite.
    """
    from reward_synth.simulation import open_simulator
    from reward_synth.simulation.episodes import random_policy, rollout_episodes

    simulator = open_simulator(task, episodes)
    try:
        act = random_policy(simulator, np.random.default_rng([seed, 1]))
        found = _sound(task, rollout_episodes(simulator, act, episodes, seed))
    finally:
        simulator.close()
    if isinstance(found, UserError):
        raise found
    return found


def fitness_of(task: Task, episodes: Sequence[Episode]) -> list[float] | None:
    """Fitness of each episode; None on a task without one.  Raises RunError when not finite."""
    if task.fitness is None:
        return None
    found = [float(task.fitness(episode)) for episode in episodes]
    if not np.isfinite(found).all():
        raise RunError(f"the fitness of task {task.name} is not finite; mend {task.folder}/task.py")
    return found


def measure(task: Task, episodes: Sequence[Episode]) -> Score:
    """The score of finished episodes.  Raises RunError when the fitness is not finite."""
    fitness = fitness_of(task, episodes)
    low, high = (None, None) if fitness is None else interval(fitness)
    success = task.success
    return Score(
        fitness=None if fitness is None else float(np.mean(fitness)),
        low=low,
        high=high,
        episodes=[None] * len(episodes) if fitness is None else fitness,
        success=float(np.mean([bool(success(e)) for e in episodes])) if success else None,
        length=float(np.mean([len(episode) for episode in episodes])),
    )
