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


def search_evaluation(candidate: Candidate) -> Evaluation | None:
    """The candidate's evaluation of the search; None where it has none."""
    return next((e for e in candidate.evaluations if e.purpose == "search"), None)


def best_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate with the highest search score; the earlier one of equals."""
    scored = [(e.fitness, -c.number, c) for c in candidates if (e := search_evaluation(c))]
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None
