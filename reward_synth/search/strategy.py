"""What a strategy is: a small object that turns a run's history into candidates.

It holds no state: everything it needs stands in the candidates of earlier generations, so that
a run resumed from the database goes on as if it had never stopped.
"""

from collections.abc import Sequence
from typing import Protocol

from reward_synth.store import NewCandidate
from reward_synth.store.fates import mean_fitness, search_evaluations
from reward_synth.store.schema import Candidate


class Strategy(Protocol):
    """How candidates are made."""

    def propose(self, generation: int, earlier: Sequence[Candidate]) -> list[NewCandidate]:
        """Candidates of a generation, one for each slot, given all candidates before it.

        Raises UserError and LimitError where a language model gives nothing at all.
        """
        ...

    def repair(self, refused: Candidate) -> NewCandidate | None:
        """A refused candidate's replacement in the same slot; None where there is none."""
        ...


def search_fitness(candidate: Candidate) -> float | None:
    """The candidate's fitness in the search, the mean over its seeds; None where it has none."""
    own = search_evaluations(candidate)
    return mean_fitness(own) if own else None


def best_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate with the highest fitness in the search; the earlier one of equals."""
    return next(iter(ranking(candidates)), None)


def ranking(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that were trained to the end, best first."""
    whole = [c for c in candidates if c.status == "scored"]
    scored = [(f, -c.number, c) for c in whole if (f := search_fitness(c)) is not None]
    return [c for _, _, c in sorted(scored, key=lambda entry: entry[:2], reverse=True)]
