"""Scores of several runs on several tasks as one statement that a few runs can carry.

After Agarwal, Schwarzer, Castro, Courville & Bellemare 2021, "Deep Reinforcement Learning at the
Edge of the Statistical Precipice" (arXiv 2108.13264): the interquartile mean, score distributions
(performance profiles) and the probability of improvement, with 95 % intervals by the stratified
bootstrap, which draws each task's runs anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Scores = Mapping[str, Sequence[float]]
"""Normalised scores of runs by task; a task has one at least."""
Drawn = Mapping[str, np.ndarray]
"""The same as (repetitions, runs)."""

REPETITIONS = 2000
INTERVAL = (2.5, 97.5)
"""Percentiles of the repetitions."""


@dataclass(frozen=True)
class Estimated:
    """A statistic of a few runs, and the 95 % interval of it."""

    value: float
    low: float
    high: float


def as_arrays(scores: Scores) -> dict[str, np.ndarray]:
    """The scores themselves, as one repetition."""
    return {task: np.asarray(own, dtype=float)[None, :] for task, own in scores.items()}


def resampled(scores: Scores, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Each task's runs drawn anew, with replacement, ``REPETITIONS`` times."""
    return {
        task: np.asarray(own, dtype=float)[rng.integers(len(own), size=(REPETITIONS, len(own)))]
        for task, own in scores.items()
    }


def pooled(drawn: Drawn) -> np.ndarray:
    """The runs of all tasks beside each other, in order: (repetitions, runs)."""
    return np.sort(np.concatenate(list(drawn.values()), axis=1), axis=1)


def interquartile_mean(drawn: Drawn) -> np.ndarray:
    """The mean of the middle half of all runs, (repetitions,)."""
    ordered = pooled(drawn)
    cut = ordered.shape[1] // 4
    return ordered[:, cut : ordered.shape[1] - cut].mean(axis=1)


def mean(drawn: Drawn) -> np.ndarray:
    """The mean over tasks of the means of their runs, (repetitions,)."""
    return np.mean([own.mean(axis=1) for own in drawn.values()], axis=0)


def estimated(scores: Scores, statistic: Callable[[Drawn], np.ndarray], seed: int = 0) -> Estimated:
    """A statistic with its interval; of no width where no task has two runs that differ."""
    repeated = statistic(resampled(scores, np.random.default_rng(seed)))
    low, high = np.percentile(repeated, INTERVAL)
    return Estimated(float(statistic(as_arrays(scores))[0]), float(low), float(high))


def above(scores: Scores, level: float) -> float:
    """The share of tasks whose mean score is above ``level``."""
    return float(np.mean([np.mean(own) > level for own in scores.values()]))


@dataclass(frozen=True)
class Profile:
    """Which share of runs scores above τ, for each τ; each task counts alike."""

    taus: list[float]
    shares: list[float]
    low: list[float]
    high: list[float]
    """Pointwise 95 % bands."""


def profile(scores: Scores, taus: Sequence[float], seed: int = 0) -> Profile:
    """The score distribution of a method."""
    levels = np.asarray(taus, dtype=float)
    shares = _shares_above(as_arrays(scores), levels)[0]
    repeated = _shares_above(resampled(scores, np.random.default_rng(seed)), levels)
    low, high = np.percentile(repeated, INTERVAL, axis=0)
    return Profile(levels.tolist(), shares.tolist(), low.tolist(), high.tolist())


def _shares_above(drawn: Drawn, levels: np.ndarray) -> np.ndarray:
    """(repetitions, levels)."""
    shares = []
    for own in drawn.values():
        # Runs at or below each level, by where it would stand among them in order.
        ordered = np.sort(own, axis=1)
        below = [np.searchsorted(row, levels, side="right") for row in ordered]
        shares.append(1.0 - np.asarray(below) / own.shape[1])
    return np.mean(shares, axis=0)


def improvement(x: Scores, y: Scores, seed: int = 0) -> Estimated:
    """P(X > Y): how likely a run of X beats one of Y, on a task that is drawn at random.

    Over the tasks that both have, of which there is one at least; equal scores count half.
    """
    tasks = [task for task in x if task in y]
    ours, theirs = ({task: own[task] for task in tasks} for own in (x, y))
    rng = np.random.default_rng(seed)
    repeated = _wins(resampled(ours, rng), resampled(theirs, rng))
    low, high = np.percentile(repeated, INTERVAL)
    value = _wins(as_arrays(ours), as_arrays(theirs))[0]
    return Estimated(float(value), float(low), float(high))


def _wins(x: Drawn, y: Drawn) -> np.ndarray:
    """Mann and Whitney's U over the number of pairs, the mean over tasks: (repetitions,)."""
    shares = []
    for task, ours in x.items():
        one, other = ours[:, :, None], y[task][:, None, :]
        shares.append(((one > other) + 0.5 * (one == other)).mean(axis=(1, 2)))
    return np.mean(shares, axis=0)
