"""What a search had spent when it found what it found: the score over each of its budgets.

A candidate's score counts from the moment that it was recorded.  By then were paid for:

- trainings that had begun, and of those under way the share of their environment steps that fits
  the share of their time (a population trains side by side: its first score costs all of it);
- what candidates that were dropped at a rung, in this generation or an earlier one, had trained;
- all completions of this generation and the earlier ones, in the order in which they came;
- the wall-clock since the run was begun, with pauses between an interruption and its resumption.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from reward_synth.store import Candidate, Evaluation, Run
from reward_synth.store.fates import (
    mean_fitness,
    search_evaluations,
    seeds_of,
    steps_until_pruned,
)

PAUSE = 60.0
"""Seconds from which on what is missing in a run's recorded time is called a pause, ..."""
PAUSE_SHARE = 0.05
"""... if it is as well this share of that time."""


@dataclass(frozen=True)
class Spent:
    """What a run had used up at some moment."""

    trainings: int
    environment_steps: int
    tokens: int
    """Of prompts and completions."""
    cost: float | None
    """US dollars; None where a price is unknown."""
    seconds: float


@dataclass(frozen=True)
class Improvement:
    """A candidate that was better in the search than all before it."""

    candidate: int
    fitness: float
    spent: Spent


class Books:
    """A run's spendings in order, to be added up to any moment."""

    def __init__(self, run: Run) -> None:
        self.run = run
        trained = [e for c in run.candidates for e in c.evaluations]
        self.trained = [
            (self._clock(e.finished), max(_training_time(e), 1e-9), int(e.report["steps"]))
            for e in trained
        ]
        self.pruned = [
            (c.generation, steps_until_pruned(run, c))
            for c in run.candidates
            if c.status == "pruned"
        ]
        answers = sorted(
            (c.id, c.generation, c.prompt_tokens + c.completion_tokens, c.cost)
            for c in run.completions
        )
        self.asked = [generation for _, generation, _, _ in answers]
        self.tokens = list(accumulate(tokens for _, _, tokens, _ in answers))
        self.cost = list(accumulate(math.nan if cost is None else cost for *_, cost in answers))

    def improvements(self) -> list[Improvement]:
        """The best search fitness so far, each time that it rose; none in a plain training."""
        found = sorted(self._scores(), key=lambda entry: entry[:2])
        best: list[Improvement] = []
        generation = 0
        for moment, number, fitness, candidate in found:
            generation = max(generation, candidate.generation)
            if not best or fitness > best[-1].fitness:
                best.append(Improvement(number, fitness, self.spent(moment, generation)))
        return best

    def _scores(self) -> list[tuple[datetime, int, float, Candidate]]:
        """When which candidate had which score, over all its seeds."""
        scored = [(c, search_evaluations(c)) for c in self.run.candidates if c.status == "scored"]
        return [
            (max(e.finished for e in own), c.number, fitness, c)
            for c, own in scored
            if own and len(own) >= seeds_of(self.run) and (fitness := mean_fitness(own)) is not None
        ]

    def in_all(self) -> Spent:
        """What the run has used up by its last record."""
        moments = [e.finished for c in self.run.candidates for e in c.evaluations]
        generations = [*(c.generation for c in self.run.candidates), *self.asked]
        return self.spent(max(moments, default=self.run.created), max(generations, default=0))

    def pause(self) -> float:
        """Seconds between interruptions and resumptions; 0 where they are too few to tell."""
        if self.run.status == "running":  # its time is recorded between steps only
            return 0.0
        counted = self.run.seconds
        lost = self.in_all().seconds - counted
        return lost if lost > max(PAUSE, PAUSE_SHARE * counted) else 0.0

    def spent(self, moment: datetime, generation: int) -> Spent:
        """Up to ``moment``, when the newest score was one of ``generation``."""
        now = self._clock(moment)
        begun = [
            (1.0 - max(0.0, finished - now) / took) * steps
            for finished, took, steps in self.trained
            if finished - now < took
        ]
        last = max((k for k, its in enumerate(self.asked) if its <= generation), default=None)
        cost = 0.0 if last is None else self.cost[last]
        return Spent(
            trainings=len(begun),
            environment_steps=round(math.fsum(begun))
            + sum(steps for its, steps in self.pruned if its <= generation),
            tokens=0 if last is None else self.tokens[last],
            cost=None if math.isnan(cost) else cost,
            seconds=now,
        )

    def _clock(self, moment: datetime) -> float:
        return max(0.0, (moment - self.run.created).total_seconds())


def _training_time(evaluation: Evaluation) -> float:
    """Seconds from a training's begin to its record, as its trainer tells, within what passed."""
    return min(float(evaluation.report["seconds"]), evaluation.seconds)
