"""A run's candidates as the feedback speaks of them."""

from collections.abc import Sequence

from reward_synth.feedback import Attempt, History
from reward_synth.search.strategy import best_of, merit, search_fitness
from reward_synth.store.fates import search_evaluations
from reward_synth.store.schema import Candidate


def history(current: Candidate, earlier: Sequence[Candidate]) -> History:
    """The run around a scored candidate; ``earlier`` are all candidates so far, in their order.

    Told of are those of which it is known what came: a candidate that still waits or trains is
    left out.
    """
    parent = trained_parent(current, earlier)
    best = best_of(earlier)
    apart = {c.number for c in (current, parent, best) if c is not None}
    others = [attempt(c) for c in earlier if c.number not in apart]
    return History(
        current=told(current),
        parent=None if parent is None else told(parent),
        best=None if best is None or best.number == current.number else told(best),
        others=[other for other in others if other is not None],
    )


def trained_parent(current: Candidate, earlier: Sequence[Candidate]) -> Candidate | None:
    """The candidate that it was made from: a repaired one's refused drafts are passed over."""
    by_number = {candidate.number: candidate for candidate in earlier}
    candidate = current
    while len(candidate.parents) == 1 and candidate.parents[0] in by_number:
        candidate = by_number[candidate.parents[0]]
        if candidate.status == "scored":
            return candidate
    return None


def told(candidate: Candidate) -> Attempt:
    """A scored candidate's attempt."""
    found = attempt(candidate)
    assert found is not None
    return found


def attempt(candidate: Candidate) -> Attempt | None:
    """What came of a candidate; None where that is not known yet."""
    match candidate.status:
        case "scored":
            own = search_evaluations(candidate)
            came_to = [(e.fitness, e.score["length"]) for e in own]
            fitness = search_fitness(candidate)
            measure = merit(candidate) if fitness is None else fitness
            return Attempt(candidate.source, "scored", measure, trainings=came_to)
        case "pruned":
            fitness = candidate.rungs[-1].fitness if candidate.rungs else None
            return Attempt(candidate.source, "pruned", fitness, candidate.reason)
        case "failed" | "refused" as fate:
            return Attempt(candidate.source, fate, reason=candidate.reason)
        case _:
            return None
