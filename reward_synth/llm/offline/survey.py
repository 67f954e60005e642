"""What random episodes look like: the statistics that set scales, bounds and weights.

The proposer sees a task as a person would who watches it move at random: how large each signal
is, where it starts, and whether episodes end before their time.  Fitness is not looked at.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reward_synth.llm.offline.grammar import Signal
from reward_synth.task import Task

ENVIRONMENTS = 16
STEPS = 256
SURVEY_SEED = 0
"""The survey is the same for every seed of the search: it describes the task."""


@dataclass(frozen=True)
class SignalStatistics:
    """One signal over random episodes, in the variable's unit."""

    mean: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""
    start: float
    """Mean at the first control step of an episode."""
    least: float
    most: float
    """Extremes."""

    @property
    def spread(self) -> float:
        """Typical magnitude, never 0."""
        size = max(abs(self.low), abs(self.high), (self.high - self.low) / 2.0)
        return size if math.isfinite(size) and size > 1e-6 else 1.0

    @property
    def range(self) -> float:
        """Width of the middle 90 %, never 0."""
        size = self.high - self.low
        return size if math.isfinite(size) and size > 1e-6 else self.spread


@dataclass(frozen=True)
class Survey:
    """Public variables and actions of random episodes, ``M`` control steps in all."""

    values: Mapping[str, np.ndarray]
    """``(M,)`` or ``(M, d)`` by argument name, ``action`` and ``prev_NAME`` included."""
    first: np.ndarray
    """``(M,)`` bool: an episode's first control step."""
    ends_early: bool
    """Whether any random episode was terminated before its time was up."""
    length: float
    """Mean control steps of an episode, as far as seen."""
    sizes: Mapping[str, int | None]
    """Entries of each public variable and of ``action``: None for a number, d for a vector."""

    def statistics(self, signal: Signal) -> SignalStatistics:
        """How large ``signal`` is in random episodes."""
        values = measure(signal, self.values)
        values = np.where(np.isfinite(values), values, 0.0)
        extremes = float(np.min(values)), float(np.max(values))
        low, high = np.percentile(values, [5.0, 95.0])
        start = float(np.mean(values[self.first])) if self.first.any() else float(values[0])
        return SignalStatistics(float(np.mean(values)), float(low), float(high), start, *extremes)


def measure(signal: Signal, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """A signal's values ``(M,)``, the same arithmetic as its source."""

    def base(prefix: str) -> np.ndarray:
        x = values[prefix + signal.variable]
        if signal.other is not None:
            y = values[prefix + signal.other]
            x = x * y if signal.form == "dot" else x - y
        return x if signal.entry is None else x[:, signal.entry]

    def formed(x: np.ndarray) -> np.ndarray:
        match signal.form:
            case "value":
                return x
            case "one":
                return np.ones_like(x)
            case "square":
                return x**2
            case "squares":
                return np.sum(x**2, axis=-1)
            case "norm":
                return np.sqrt(np.sum(x**2, axis=-1))
            case "dot":
                return np.sum(x, axis=-1)
            case "abs" | "cos" | "sin":
                return getattr(np, signal.form)(x)

    if not signal.change:
        return formed(base(""))
    if signal.form in ("square", "squares"):
        return formed(base("") - base("prev_"))
    return formed(base("")) - formed(base("prev_"))


def survey(task: Task) -> Survey:
    """Watch ``task`` under uniformly random actions."""
    from reward_synth.simulation import open_simulator
    from reward_synth.simulation.episodes import random_policy
    from reward_synth.simulation.rollout import on_host

    simulator = open_simulator(task, ENVIRONMENTS)
    try:
        act = random_policy(simulator, np.random.default_rng(SURVEY_SEED))
        public = [name for name, variable in task.variables.items() if variable.public]
        names = [*public, "action", *(f"prev_{name}" for name in [*public, "action"])]
        sizes = {name: simulator.variable_sizes[name] for name in [*public, "action"]}
        seen: dict[str, list[np.ndarray]] = {name: [] for name in names}
        first, ended, episodes = [], 0, ENVIRONMENTS
        observation = simulator.reset(SURVEY_SEED)
        for _ in range(STEPS):
            step = simulator.step(act(observation))
            observation = step.observation
            for name, value in simulator.reward_inputs(names).items():
                seen[name].append(np.array(on_host(value), dtype=float))
            first.append(np.array(on_host(step.first), dtype=bool))
            terminated, truncated = on_host(step.terminated), on_host(step.truncated)
            ended += int(np.sum(terminated))
            episodes += int(np.sum(terminated)) + int(np.sum(truncated))
        return Survey(
            {name: np.concatenate(chunks) for name, chunks in seen.items()},
            np.concatenate(first),
            ended > 0,
            ENVIRONMENTS * STEPS / episodes,
            sizes,
        )
    finally:
        simulator.close()
