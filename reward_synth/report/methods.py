"""Ways to search, each over all its tasks and seeds: how well it does, and what it takes."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from reward_synth.report.comparison import Row
from reward_synth.report.reliability import (
    Estimated,
    Profile,
    Scores,
    above,
    estimated,
    improvement,
    interquartile_mean,
    mean,
    profile,
)

EXPERT = 1.0
"""The human-normalised score of the reward that a person wrote."""
LEVELS = 61
"""Points of a performance profile."""


@dataclass(frozen=True)
class Tried:
    """A search of a method."""

    method: str
    task: str
    row: Row | None
    """None before anything of it is recorded."""


@dataclass(frozen=True)
class Method:
    """A way to search, over all tasks and seeds that it was tried on."""

    name: str
    runs: int
    scores: dict[str, list[float]]
    """Human-normalised, of its finished runs, by task."""
    iqm: Estimated | None
    """Interquartile mean of the scores; None where there are none, as the three that follow."""
    mean: Estimated | None
    above_expert: float | None
    """Share of the tasks on which its mean score is above the expert's."""
    profile: Profile | None
    trainings: int
    environment_steps: int
    tokens: int
    cost: float | None
    """US dollars; None where a price is unknown."""
    seconds: float
    """Wall-clock of its runs, added up."""

    @property
    def scored(self) -> int:
        """Runs that its scores come from."""
        return sum(map(len, self.scores.values()))

    def document(self) -> dict[str, Any]:
        """The method as JSON."""
        return {**asdict(self), "scored": self.scored}


@dataclass(frozen=True)
class Improvement:
    """How likely a run of one method beats one of another, on a task of both."""

    method: str
    other: str
    probability: Estimated


def methods(tried: Sequence[Tried]) -> list[Method]:
    """The methods by their interquartile mean, best first; those without a score come last."""
    by_name: dict[str, list[Tried]] = {}
    for one in tried:
        by_name.setdefault(one.method, []).append(one)
    scores = {name: scores_of(own) for name, own in by_name.items()}
    taus = levels(list(scores.values()))
    found = [_method(name, own, scores[name], taus) for name, own in by_name.items()]
    return sorted(found, key=lambda m: -np.inf if m.iqm is None else m.iqm.value, reverse=True)


def scores_of(tried: Sequence[Tried]) -> dict[str, list[float]]:
    """Human-normalised scores of the runs that finished, by task; in the order of the runs."""
    scores: dict[str, list[float]] = {}
    for one in tried:
        row = one.row
        if row is not None and row.status == "finished" and row.human_normalised is not None:
            scores.setdefault(one.task, []).append(row.human_normalised)
    return dict(sorted(scores.items()))


def levels(scores: Sequence[Scores]) -> list[float]:
    """Scores at which profiles are told: from the sparse reward's to beyond all that was reached,
    the expert's among them."""
    reached = [value for own in scores for runs in own.values() for value in runs]
    low, high = min([0.0, *reached]), max([1.25 * EXPERT, *reached])
    steps = np.linspace(low, high, LEVELS)
    steps[np.argmin(np.abs(steps - EXPERT))] = EXPERT
    return steps.tolist()


def _method(
    name: str, tried: Sequence[Tried], scores: dict[str, list[float]], taus: Sequence[float]
) -> Method:
    counted = [one.row.counted for one in tried if one.row is not None]
    costs = [facts.cost for facts in counted]
    return Method(
        name=name,
        runs=len(tried),
        scores=scores,
        iqm=estimated(scores, interquartile_mean) if scores else None,
        mean=estimated(scores, mean) if scores else None,
        above_expert=above(scores, EXPERT) if scores else None,
        profile=profile(scores, taus) if scores else None,
        trainings=sum(facts.trainings for facts in counted),
        environment_steps=sum(facts.environment_steps for facts in counted),
        tokens=sum(facts.prompt_tokens + facts.completion_tokens for facts in counted),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(facts.seconds for facts in counted),
    )


def improvements(found: Sequence[Method]) -> list[Improvement]:
    """Each pair of methods that share a task, the one with the higher interquartile mean first."""
    return [
        Improvement(x.name, y.name, improvement(x.scores, y.scores))
        for x, y in itertools.combinations(found, 2)
        if set(x.scores) & set(y.scores)
    ]
