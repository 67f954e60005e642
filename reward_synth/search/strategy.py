"""What a strategy is: a small object that turns a run's history into candidates.

It holds no state: everything it needs stands in the candidates of earlier generations, so that
a run resumed from the database goes on as if it had never stopped.
"""

from collections.abc import Sequence
from typing import Protocol

from reward_synth.store import NewCandidate
from reward_synth.store.schema import Candidate, Evaluation


class Strategy(Protocol):
    """How candidates are made."""

    def propose(self, generation: int, earlier: Sequence[Candidate]) -> list[NewCandidate]:
        """Candidates of a generation, one for each slot, given all candidates before it."""
        ...

    def repair(self, refused: Candidate) -> NewCandidate | None:
        """A refused candidate's replacement in the same slot; None where there is none."""
        ...


def search_evaluations(candidate: Candidate) -> list[Evaluation]:
    """The candidate's evaluations of the search, by fitness; [] where it has none."""
    own = [e for e in candidate.evaluations if e.purpose == "search"]
    return sorted(own, key=lambda e: (e.fitness, e.seed))


def search_evaluation(candidate: Candidate) -> Evaluation | None:
    """The evaluation that stands for the candidate: the only one, or the seeds' median."""
    own = search_evaluations(candidate)
    return own[(len(own) - 1) // 2] if own else None


def search_fitness(candidate: Candidate) -> float | None:
    """The candidate's fitness in the search, the mean over its seeds; None where it has none."""
    own = search_evaluations(candidate)
    return sum(e.fitness for e in own) / len(own) if own else None


def best_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate with the highest fitness in the search; the earlier one of equals."""
    return next(iter(ranking(candidates)), None)


def ranking(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that were trained to the end, best first."""
    whole = [c for c in candidates if c.status == "scored"]
    scored = [(f, -c.number, c) for c in whole if (f := search_fitness(c)) is not None]
    return [c for _, _, c in sorted(scored, key=lambda entry: entry[:2], reverse=True)]
