"""Islands: sub-populations that evolve side by side, as in REvolve (Hazra et al. 2024, 2406.01309).

A slot belongs to an island.  Its parents are drawn from what its island has trained, the fitter
the likelier; a model changes one component (mutation) or joins two programs (crossover), or a
component moves from one to the other by the syntax tree, with no model (R*, Li et al. 2025).  Now
and then an island's best is known to the next island, too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from reward_synth.errors import RunError, UserError
from reward_synth.feedback.reflection import PREFERRED
from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage
from reward_synth.llm.interface import prompt_key
from reward_synth.llm.parallel import side_by_side
from reward_synth.reward.modules import take_apart, transplant
from reward_synth.search.eureka import Eureka
from reward_synth.search.prompts import bounded, message
from reward_synth.search.strategy import merit, ranking, search_fitness
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


def measured(candidate: Candidate) -> str:
    """What a trained candidate is compared by, with its name."""
    fitness = search_fitness(candidate)
    if fitness is None:
        return f"{PREFERRED} {merit(candidate) or 0.0:.3g}"
    return f"fitness {fitness:.3g}"


@dataclass(frozen=True)
class Child:
    """A candidate, or the prompt that one will come of."""

    slot: int
    messages: Sequence[ChatMessage] = ()
    parents: tuple[int, ...] = ()
    note: str = ""
    candidate: NewCandidate | None = None


class Islands(Eureka):
    """Sub-populations of programs, each bred from its own."""

    def __init__(self, *given: Any, seed: int, **more: Any) -> None:
        super().__init__(*given, **more)
        self.seed = seed

    @property
    def islands(self) -> int:
        return max(1, min(MOST_ISLANDS, self.samples // SLOTS_PER_ISLAND))

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        if generation == 0 or not ranking(earlier):
            return super().propose(generation, earlier, given)
        slots = self.open_slots(generation, given)
        bred = [self.breed(generation, slot, earlier) for slot in slots]
        prompts = {prompt_key(child.messages): child.messages for child in bred if child.messages}
        wanted = Counter(prompt_key(child.messages) for child in bred if child.messages)
        # One request for equal prompts, so that a recording of their answers can be replayed.
        requests = [
            partial(self.model.complete, prompts[key], n, temperature=self.temperature)
            for key, n in wanted.items()
        ]
        replies, failure = side_by_side(requests)
        answers = {key: iter(reply or ()) for key, reply in zip(wanted, replies, strict=True)}
        children = []
        for child in bred:
            if child.candidate is not None:
                children.append(child.candidate)
            elif completion := next(answers[prompt_key(child.messages)], None):
                made = self.candidate(child.slot, 0, child.messages, completion, None)
                note = "; ".join(filter(None, (child.note, made.note)))
                children.append(replace(made, parents=child.parents, note=note))
        if failure is not None and not (children and isinstance(failure, RunError | UserError)):
            raise failure
        return children

    def breed(self, generation: int, slot: int, earlier: Sequence[Candidate]) -> Child:
        """A child for a slot; the draws depend on the seed, the generation and the slot."""
        rng = np.random.default_rng([self.seed, generation, slot])
        island = slot % self.islands
        members = self.members(island, generation, earlier)
        if not members:
            return Child(slot, messages=self.initial, note=f"island {island}: begun anew")
        first = self.draw(members, rng)
        others = [candidate for candidate in members if candidate.number != first.number]
        operator = str(rng.choice(list(SHARES), p=list(SHARES.values()))) if others else "mutate"
        second = self.draw(others, rng) if others else first
        if operator == "modules":
            crossed = self.move_component(slot, first, second, rng, earlier)
            if crossed is not None:
                return Child(slot, candidate=crossed)
        if operator == "mutate":
            messages, parents = self.mutate(first, earlier), (first.number,)
        else:
            messages = self.cross(first, second, earlier)
            parents = (first.number, second.number)
        messages = self.heard(messages, generation, earlier, first)
        return Child(slot, messages=messages, parents=parents, note=f"island {island}: {operator}")

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
        worth = np.array([merit(candidate) or 0.0 for candidate in members])
        span = float(np.ptp(worth))
        weights = 1.0 + (LIKELIER - 1.0) * (worth - worth.min()) / (span or 1.0)
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
                "measure": measured(candidate),
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
