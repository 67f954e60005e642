"""Islands: sub-populations that evolve side by side, as in REvolve (Hazra et al. 2024, 2406.01309).

A slot belongs to an island.  Its parents are drawn from what its island has trained, the fitter
the likelier; a model changes one component (mutation) or joins two programs (crossover), or a
component moves from one to the other by the syntax tree, with no model (R*, Li et al. 2025).  Now
and then an island's best is known to the next island, too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage
from reward_synth.reward.modules import take_apart, transplant
from reward_synth.search.eureka import Eureka
from reward_synth.search.prompts import bounded, message
from reward_synth.search.strategy import ranking, search_fitness
from reward_synth.store import NewCandidate
from reward_synth.store.schema import Candidate

Operator = Literal["mutate", "cross", "modules"]
SHARES: dict[Operator, float] = {"mutate": 0.5, "cross": 0.3, "modules": 0.2}
SLOTS_PER_ISLAND = 2
MOST_ISLANDS = 5
MIGRATION = 2
"""Every so many generations."""
LIKELIER = 3.0
"""How much likelier the best of an island becomes a parent than its worst."""
REQUESTS_AT_ONCE = 8


class Islands(Eureka):
    """Sub-populations of programs, each bred from its own."""

    def __init__(self, *given: Any, seed: int, **more: Any) -> None:
        super().__init__(*given, **more)
        self.seed = seed

    @property
    def islands(self) -> int:
        return max(1, min(MOST_ISLANDS, self.samples // SLOTS_PER_ISLAND))

    def propose(self, generation: int, earlier: Sequence[Candidate]) -> list[NewCandidate]:
        if not ranking(earlier):
            return super().propose(generation, earlier)
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as executor:
            asked = [
                executor.submit(self.breed, generation, slot, earlier)
                for slot in range(self.samples)
            ]
        bred = [answer.result() for answer in asked if answer.exception() is None]
        return bred or [answer.result() for answer in asked]  # which raises what went wrong

    def breed(self, generation: int, slot: int, earlier: Sequence[Candidate]) -> NewCandidate:
        """One child for one slot; the draws depend on the seed, the generation and the slot."""
        rng = np.random.default_rng([self.seed, generation, slot])
        members = self.members(slot % self.islands, generation, earlier)
        if not members:
            (completion,) = self.model.complete(self.initial, 1, temperature=self.temperature)
            return self.candidate(slot, 0, self.initial, completion, None)
        first = self.draw(members, rng)
        others = [candidate for candidate in members if candidate.number != first.number]
        operator = str(rng.choice(list(SHARES), p=list(SHARES.values()))) if others else "mutate"
        if operator == "modules":
            child = self.move_component(slot, first, self.draw(others, rng), rng, earlier)
            if child is not None:
                return child
        if operator == "mutate" or not others:
            messages, parents = self.mutate(first, earlier), (first,)
        else:
            second = self.draw(others, rng)
            messages, parents = self.cross(first, second, earlier), (first, second)
        (completion,) = self.model.complete(messages, 1, temperature=self.temperature)
        child = self.candidate(slot, 0, messages, completion, first)
        numbers = tuple(parent.number for parent in parents)
        return replace(child, parents=numbers, note=f"island {slot % self.islands}: {operator}")

    def members(
        self, island: int, generation: int, earlier: Sequence[Candidate]
    ) -> list[Candidate]:
        """What an island may breed from, best first."""
        own = [c for c in earlier if c.slot % self.islands == island]
        if generation % MIGRATION == 0:
            neighbour = (island - 1) % self.islands
            own += ranking([c for c in earlier if c.slot % self.islands == neighbour])[:1]
        unique = {candidate.number: candidate for candidate in own}
        return ranking(list(unique.values()))

    def draw(self, members: Sequence[Candidate], rng: np.random.Generator) -> Candidate:
        """One of them, the fitter the likelier."""
        fitness = np.array([search_fitness(candidate) or 0.0 for candidate in members])
        span = float(np.ptp(fitness))
        weights = 1.0 + (LIKELIER - 1.0) * (fitness - fitness.min()) / (span or 1.0)
        return members[int(rng.choice(len(members), p=weights / weights.sum()))]

    def mutate(self, parent: Candidate, earlier: Sequence[Candidate]) -> list[ChatMessage]:
        """The prompt to change one component."""
        asked = render("islands/mutate.md.j2", None, reflection=self.reflection(parent, earlier))
        answer = bounded(self.answer(parent))
        return [*self.initial, message("assistant", answer), message("user", asked)]

    def cross(
        self, first: Candidate, second: Candidate, earlier: Sequence[Candidate]
    ) -> list[ChatMessage]:
        """The prompt to join two programs."""
        both = [
            {
                "program": candidate.source.strip(),
                "fitness": f"{search_fitness(candidate):.3g}",
                "reflection": self.reflection(candidate, earlier),
            }
            for candidate in (first, second)
        ]
        asked = render("islands/cross.md.j2", None, first=both[0], second=both[1])
        return [*self.initial[:-1], message("user", f"{self.picture}\n\n{asked.strip()}")]

    def move_component(
        self,
        slot: int,
        recipient: Candidate,
        donor: Candidate,
        rng: np.random.Generator,
        earlier: Sequence[Candidate],
    ) -> NewCandidate | None:
        """A component of one program in another; None where that gives nothing new."""
        parts = take_apart(donor.source)
        known = {candidate.source for candidate in earlier}
        for name in rng.permutation(list(parts.components)) if parts else ():
            source = transplant(recipient.source, donor.source, str(name))
            if source is not None and source not in known:
                return NewCandidate(
                    slot=slot,
                    source=source,
                    origin="crossed",
                    parents=(recipient.number, donor.number),
                    note=f"island {slot % self.islands}: {name} of {donor.number}",
                )
        return None
