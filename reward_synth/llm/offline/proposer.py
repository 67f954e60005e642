"""The proposer: generation 0 from the words, later generations from the scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reward_synth.llm.offline.compose import first_generation
from reward_synth.llm.offline.foreign import graft, vary_constants
from reward_synth.llm.offline.grammar import Genome
from reward_synth.llm.offline.guidance import Guidance, guide
from reward_synth.llm.offline.reading import read
from reward_synth.llm.offline.recover import recover
from reward_synth.llm.offline.render import render
from reward_synth.llm.offline.survey import Survey, survey
from reward_synth.llm.offline.terms import Terms
from reward_synth.llm.offline.vary import Variation
from reward_synth.task import Task
from sandbox.messages import TrainingReport

KEEP = 0.55
"""Each rank is drawn as a parent this much less often than the one above it."""
PARENTS = 6
"""Only so many of the best candidates have offspring."""
CROSSOVER_SHARE = 0.25
FRESH_SHARE = 0.1
"""Share of later candidates that are composed anew."""
TRIES = 40
"""Attempts at a candidate that is new and right before a plainer one is taken."""


@dataclass(frozen=True)
class Scored:
    """An earlier candidate of the run, with what became of it."""

    number: int
    source: str
    fitness: float
    report: TrainingReport | None


@dataclass(frozen=True)
class Proposal:
    """A new candidate."""

    source: str
    parents: tuple[int, ...]
    """Numbers of the candidates that it was made from."""
    note: str
    """What was done, in words."""


class OfflineProposer:
    """Composes reward programs for ``task`` without a language model.

    It reads the task's description, its public variables' names, documentation and units, and
    random episodes; never the fitness, the success or the baselines.
    """

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.seed = seed
        self._digests: dict[str, str] = {}
        # The slots before one are needed to differ from them: kept, not made anew for each.
        self._batch: tuple[tuple[int, list[Scored]], list[Proposal]] | None = None

    @cached_property
    def survey(self) -> Survey:
        """Random episodes of the task."""
        return survey(self.task)

    @cached_property
    def terms(self) -> Terms:
        """What programs of this task are made of."""
        variables = self.task.variables
        reading = read(self.task.description, variables, self.survey.sizes)
        units = {name: variable.unit for name, variable in variables.items()}
        return Terms(reading, self.survey, units | {"action": ""})

    @cached_property
    def first(self) -> list[Genome]:
        """The structured programs of generation 0."""
        return first_generation(self.terms)

    def propose(self, generation: int, slot: int, earlier: Sequence[Scored]) -> Proposal:
        """Candidate ``slot`` of a generation.

        A pure function of its arguments, the task and the seed: a resumed run gets the same
        candidates.  ``earlier`` are the scored candidates of the generations before; within a
        generation all slots are given the same ones, and their programs differ.
        """
        key = (generation, list(earlier))
        if self._batch is None or self._batch[0] != key:
            self._batch = (key, [])
        proposals = self._batch[1]
        if len(proposals) <= slot:
            taken = {self._digest(known.source) for known in (*earlier, *proposals)}
            for place in range(len(proposals), slot + 1):
                proposals.append(self._propose(generation, place, earlier, taken))
                taken.add(self._digest(proposals[-1].source))
        return proposals[slot]

    def _propose(
        self, generation: int, slot: int, earlier: Sequence[Scored], taken: set[str]
    ) -> Proposal:
        from reward_synth.reward import check

        rng = np.random.default_rng([self.seed, generation, slot])
        ranked = sorted(
            (c for c in earlier if math.isfinite(c.fitness)), key=lambda c: (-c.fitness, c.number)
        )
        fallback = None
        for attempt in range(TRIES):
            if generation == 0 or not ranked or attempt >= TRIES // 2:
                proposal = self._composed(slot, attempt, rng)
            else:
                proposal = self._offspring(slot, ranked, rng)
            if proposal is None or check(proposal.source, self.survey.sizes):
                continue
            if self._digest(proposal.source) not in taken:
                return proposal
            fallback = fallback or proposal
        return fallback or Proposal(self._render(self.first[0]), (), "composed, reading 1")

    def _digest(self, source: str) -> str:
        from reward_synth.reward import RewardError, parse

        if source not in self._digests:
            try:
                self._digests[source] = parse(source, self.survey.sizes).digest
            except RewardError:
                self._digests[source] = source
        return self._digests[source]

    # --- generation 0 ----------------------------------------------------------------------

    def _composed(self, slot: int, attempt: int, rng: np.random.Generator) -> Proposal:
        if attempt == 0 and slot < len(self.first):
            return Proposal(self._render(self.first[slot]), (), f"composed, reading {slot + 1}")
        genome = self.first[int(rng.integers(len(self.first)))]
        varied, note = Variation(self.terms, rng).mutate(genome, Guidance())
        return Proposal(self._render(varied), (), f"composed: {note}")

    # --- later generations -----------------------------------------------------------------

    def _offspring(
        self, slot: int, ranked: Sequence[Scored], rng: np.random.Generator
    ) -> Proposal | None:
        variation = Variation(self.terms, rng)
        first = ranked[0] if slot == 0 else self._drawn(ranked, rng)
        genome = recover(first.source, self.survey.sizes)
        if genome is None:
            return self._edited(first, variation)
        if slot == 0:
            varied, note = variation.refine(genome)
            return Proposal(self._render(varied), (first.number,), note)
        draw = rng.random()
        if draw < FRESH_SHARE:
            return self._composed(len(self.first), 1, rng)
        if draw < FRESH_SHARE + CROSSOVER_SHARE:
            second = self._drawn([c for c in ranked if c is not first] or ranked, rng)
            other = recover(second.source, self.survey.sizes)
            if other is not None and other != genome:
                varied, note = variation.cross(genome, other)
                if rng.random() < 0.5:
                    varied, more = variation.mutate(varied, Guidance())
                    note = f"{note}, {more}"
                return Proposal(self._render(varied), (first.number, second.number), note)
        guidance = guide(genome, first.report, self.task.episode_steps)
        varied, note = variation.mutate(genome, guidance)
        return Proposal(self._render(varied), (first.number,), note)

    def _edited(self, parent: Scored, variation: Variation) -> Proposal | None:
        """A child of a program that the grammar did not write."""
        varied = vary_constants(parent.source, variation.rng)
        if varied is None or variation.rng.random() < 0.4:
            term = variation.addition()
            grafted = None if term is None else graft(parent.source, term)
            if term is not None and grafted is not None:
                return Proposal(grafted, (parent.number,), f"added {term.name}")
        return None if varied is None else Proposal(varied[0], (parent.number,), varied[1])

    def _drawn(self, ranked: Sequence[Scored], rng: np.random.Generator) -> Scored:
        """A parent, the better ranked the likelier."""
        odds = KEEP ** np.arange(min(len(ranked), PARENTS))
        return ranked[int(rng.choice(len(odds), p=odds / odds.sum()))]

    def _render(self, genome: Genome) -> str:
        return render(genome, self.terms.units)
