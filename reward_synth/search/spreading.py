"""Several models in one run: each request goes to them by what their candidates have reached.

What is known of a model stands in the recorded candidates of earlier generations and nowhere else,
so a resumed run goes on as if it had never stopped.
"""

from collections import defaultdict
from collections.abc import Sequence

from reward_synth.llm.spread import Spread
from reward_synth.search.strategy import Around, Strategy, merit
from reward_synth.store import NewCandidate
from reward_synth.store.schema import Candidate

Rank = tuple[int, int, float]


class Spreading(Around):
    """Another strategy, whose model is a spread of several."""

    def __init__(self, inner: Strategy, spread: Spread) -> None:
        super().__init__(inner)
        self.spread = spread

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        with self.spread.knowing(scores(earlier)):
            return self.inner.propose(generation, earlier, given)

    def repair(self, refused: Candidate) -> NewCandidate | None:
        """Whoever wrote a program repairs it."""
        with self.spread.only(refused.completion.model if refused.completion else ""):
            return self.inner.repair(refused)


def scores(candidates: Sequence[Candidate]) -> dict[str, list[float]]:
    """By model, a score in [0, 1] of each candidate that it wrote: its rank in its generation.

    The share of the generation's written candidates that it beats, half of its equals and itself
    counted; 0 for one that was refused or failed.  Ranks need no scale, which fitness has not.
    """
    generations: dict[int, list[tuple[str, Rank | None]]] = defaultdict(list)
    for candidate in candidates:
        if candidate.completion is not None and candidate.status not in ("proposed", "accepted"):
            generations[candidate.generation].append((candidate.completion.model, rank(candidate)))
    found: dict[str, list[float]] = defaultdict(list)
    for written in generations.values():
        for model, own in written:
            beaten = sum(own is not None and (other is None or other < own) for _, other in written)
            equals = sum(own is not None and other == own for _, other in written)
            found[model].append((beaten + equals / 2) / len(written))
    return dict(found)


def rank(candidate: Candidate) -> Rank | None:
    """Orders the candidates of a generation; None for one that trained nothing.

    Those that were trained to the end come by merit, before those that were dropped at a rung, by
    how far they came and by fitness there.
    """
    fitness = merit(candidate)
    if candidate.status == "scored" and fitness is not None:
        return (1, 0, fitness)
    if candidate.status == "pruned" and candidate.rungs:
        last = candidate.rungs[-1]
        return (0, last.rung, last.fitness)
    return None
