"""The trusted score: roll the policy out here, without the candidate, and measure fitness.

Only weights crossed the boundary.  The score is the final policy's mean fitness over fixed
evaluation seeds, with a 95 % interval.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, FiniteFloat

from reward_synth.errors import RunError
from reward_synth.task import Task

EVALUATION_SEED = 1_000_003  # far from every training seed, so that no episode is seen twice
FEW = 10  # below this many values an interval is Student's t, which a bootstrap would understate


class Score(BaseModel):
    """Fitness of a policy over the evaluation episodes."""

    fitness: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    """95 % interval of the mean."""
    episodes: list[FiniteFloat]
    success: FiniteFloat | None
    """Share of successful episodes; None where the task defines no success."""
    length: FiniteFloat
    """Mean control steps of an episode."""


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean: bootstrap (Efron's BCa by scipy), or Student's t below ten values.

    One value, or equal values, give an interval of no width.
    """
    data = np.asarray(values, dtype=float)
    if len(data) < 2 or np.ptp(data) == 0:
        return float(data.mean()), float(data.mean())
    from scipy import stats

    if len(data) < FEW:
        half = stats.t.ppf(0.975, len(data) - 1) * data.std(ddof=1) / np.sqrt(len(data))
        return float(data.mean() - half), float(data.mean() + half)
    with np.errstate(all="ignore"):
        result = stats.bootstrap((data,), np.mean, rng=np.random.default_rng(0))
    low, high = result.confidence_interval
    if not (np.isfinite(low) and np.isfinite(high)):
        low, high = np.quantile(data, [0.025, 0.975])
    return float(low), float(high)


def score_policy(task: Task, path: Path, episodes: int = 32, seed: int = EVALUATION_SEED) -> Score:
    """Roll the policy in ``path`` out for ``episodes`` episodes and measure fitness.

    Raises UserError when the file is no policy for this task.
    """
    from reward_synth.simulation import MujocoSimulator
    from reward_synth.simulation.episodes import rollout_episodes
    from reward_synth.simulation.policy import load_policy

    simulator = MujocoSimulator(task, episodes)
    try:
        policy = load_policy(path, simulator.observation_size, simulator.action_size)
        finished = rollout_episodes(simulator, policy, episodes, seed)
    finally:
        simulator.close()
    fitness = [float(task.fitness(episode)) for episode in finished]
    if not np.isfinite(fitness).all():
        raise RunError(f"the fitness of task {task.name} is not finite; mend {task.folder}/task.py")
    low, high = interval(fitness)
    success = task.success
    return Score(
        fitness=float(np.mean(fitness)),
        low=low,
        high=high,
        episodes=fitness,
        success=float(np.mean([bool(success(e)) for e in finished])) if success else None,
        length=float(np.mean([len(episode) for episode in finished])),
    )
