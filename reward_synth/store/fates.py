"""What became of candidates, as all who read a run see it."""

import math
from collections.abc import Sequence

from reward_synth.store.schema import Candidate, Evaluation, Run

EXECUTED = ("accepted", "pruned", "scored")
"""States of candidates whose programs passed the gate and trained without failing so far."""


def search_evaluations(candidate: Candidate) -> list[Evaluation]:
    """The trainings that the search made with it, one for each seed."""
    return [e for e in candidate.evaluations if e.purpose == "search"]


def search_evaluation(candidate: Candidate) -> Evaluation | None:
    """The training that stands for those of the search: the only one, or the seeds' median."""
    own = sorted(search_evaluations(candidate), key=lambda e: (*success_of(e), e.seed))
    return own[(len(own) - 1) // 2] if own else None


def confirmations(candidate: Candidate) -> list[Evaluation]:
    """Its trainings on fresh seeds."""
    return [e for e in candidate.evaluations if e.purpose == "confirm"]


def best_seed(candidate: Candidate) -> Evaluation:
    """Whose policy is kept of a trained candidate: the best of its confirmations, if it has any.

    On a task without a fitness it is the one that people watched.
    """
    watched = search_evaluation(candidate)
    if watched is not None and watched.fitness is None:
        return watched
    return fittest(confirmations(candidate) or candidate.evaluations)


def fittest(trained: Sequence[Evaluation]) -> Evaluation:
    """The best training, of equals that with the lowest seed."""
    return max(trained, key=lambda e: (*success_of(e), -e.seed))


def success_of(evaluation: Evaluation) -> tuple[float, float]:
    """What trainings of one program are compared by: the fitness.

    On a task without one the share of successful episodes where there is that, then the reward
    that the training collected in the end, which one program's trainings have in common.
    """
    if evaluation.fitness is not None:
        return evaluation.fitness, 0.0
    returns = [p.get("episode_return") for p in evaluation.report.get("checkpoints", [])]
    known = [float(value) for value in returns if value is not None]
    return float(evaluation.score.get("success") or 0.0), known[-1] if known else -math.inf


def fitness_values(trained: Sequence[Evaluation]) -> list[float]:
    """Fitness of each training; none on a task without one."""
    return [e.fitness for e in trained if e.fitness is not None]


def mean_fitness(trained: Sequence[Evaluation]) -> float | None:
    """None where nothing is trained, and on a task without a fitness."""
    values = fitness_values(trained)
    return sum(values) / len(values) if values else None


def exploring_fitness(trained: Sequence[Evaluation]) -> float:
    """Mean fitness of the episodes of training, over its checkpoints; 0 where none is known."""
    points = [point.get("fitness") for e in trained for point in e.report.get("checkpoints", [])]
    known = [float(value) for value in points if value is not None]
    return sum(known) / len(known) if known else 0.0


def steps_until_pruned(run: Run, candidate: Candidate) -> int:
    """Environment steps that went into a pruned candidate, over all its seeds."""
    return candidate.rungs[-1].steps * seeds_of(run) if candidate.rungs else 0


def seeds_of(run: Run) -> int:
    """How many seeds a search trains each candidate with."""
    return int(run.config.get("seeds", 1))
