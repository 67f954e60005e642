"""Mutation and crossover of genomes, guided by their training reports."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reward_synth.llm.offline.grammar import (
    SIGNED_SHAPES,
    UNIT_SHAPES,
    Genome,
    Signal,
    Term,
    rounded,
    tidy,
)
from reward_synth.llm.offline.guidance import Guidance
from reward_synth.llm.offline.terms import Terms

Change = tuple[list[Term], str]
"""New terms and what was done, in words."""

MOST_TERMS = 8
WEIGHT_STEP = 0.6
"""Standard deviation of a weight's change, in natural logarithms."""
PENALTY_STEP = 1.2
"""The same for effort and jerk, whose right size is less known."""
FINE_STEP = 0.25
SCALE_STEP = 0.5


@dataclass(frozen=True)
class Variation:
    """Varies genomes of one task with one random stream."""

    terms: Terms
    rng: np.random.Generator

    def refine(self, genome: Genome) -> tuple[Genome, str]:
        """Small steps of all weights: exploitation of a good program."""
        changed = [
            term
            if term.weight is None
            else replace(term, weight=rounded(term.weight * self._factor(FINE_STEP)))
            for term in genome.terms
        ]
        return self._tidy(changed), "small changes of every weight"

    def mutate(self, genome: Genome, guidance: Guidance) -> tuple[Genome, str]:
        """One to three changes, the kinds that ``guidance`` speaks for more often."""
        count = 1 if guidance.rising else int(self.rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
        notes: list[str] = []
        for place in range(count):
            operators = self._operators(genome, guidance if place == 0 else Guidance())
            odds = np.array([weight for _, weight in operators])
            while odds.any():
                chosen = int(self.rng.choice(len(operators), p=odds / odds.sum()))
                change = operators[chosen][0](list(genome.terms))
                after = None if change is None else self._tidy(change[0])
                if change is not None and after is not None and after.summed and after != genome:
                    genome = after
                    notes.append(change[1])
                    break
                odds[chosen] = 0.0
        return genome, ", ".join(notes)

    def cross(self, first: Genome, second: Genome) -> tuple[Genome, str]:
        """The first parent's main term, every other component from either parent."""
        main = self._main(list(first.terms))
        names = list(dict.fromkeys(t.name for t in (*first.terms, *second.terms)))
        taken: list[Term] = []
        for name in names:
            options = [genome[name] for genome in (first, second) if name in genome]
            if main is not None and name == main.name:
                taken.append(options[0])
            elif len(options) == 2 or self.rng.random() < 0.6:
                taken.append(options[int(self.rng.integers(len(options)))])
        needed = {gate for term in taken for gate in term.gates} - {t.name for t in taken}
        taken += [g[name] for name in sorted(needed) for g in (first, second) if name in g][:4]
        return self._tidy(taken[:MOST_TERMS]), "components of both parents"

    def addition(self) -> Term | None:
        """A term to add to a program that the grammar did not write."""
        change = self._add([])
        return None if change is None else change[0][0]

    # --- operators -------------------------------------------------------------------------

    def _operators(
        self, genome: Genome, guidance: Guidance
    ) -> list[tuple[Callable[[list[Term]], Change | None], float]]:
        big = 0.4 if guidance.rising else 1.0
        return [
            (self._reweigh, 3.0),
            (self._rescale, 1.5),
            (self._add, (2.0 if len(genome.summed) < MOST_TERMS - 2 else 0.3) * big),
            (self._drop, (1.0 if len(genome.summed) > 2 else 0.3) * big),
            (self._reshape, 1.0 * big),
            (self._gate, 1.0 * big),
            (self._ungate, 0.7 * big),
            (self._flip, 0.1 * big),
            (lambda terms: self._weigh_down(terms, guidance.dominant), 4.0),
            (lambda terms: self._drop_idle(terms, guidance.idle), 2.0),
            (self._stay_alive, 4.0 if guidance.ends_early else 0.0),
        ]

    def _reweigh(self, terms: list[Term]) -> Change | None:
        place = self._pick(terms, lambda term: term.weight is not None)
        if place is None:
            return None
        penalty = terms[place].signal.variable == "action"
        return self._weighed(terms, place, self._factor(PENALTY_STEP if penalty else WEIGHT_STEP))

    def _weighed(self, terms: list[Term], place: int, factor: float) -> Change:
        term = terms[place]
        weight = rounded((term.weight or 1.0) * factor)
        note = f"weight of {term.name} {term.weight:g} to {weight:g}"
        return [*terms[:place], replace(term, weight=weight), *terms[place + 1 :]], note

    def _rescale(self, terms: list[Term]) -> Change | None:
        nonlinear = [t for t in terms if t.shape in ("tanh", "clip", "near", "within")]
        place = self._pick(terms, lambda term: term in nonlinear)
        if place is None:
            return None
        term, factor = terms[place], self._factor(SCALE_STEP)
        if term.shape == "within" and term.low is not None and term.high is not None:
            middle, half = (term.low + term.high) / 2.0, (term.high - term.low) / 2.0 * factor
            if self._bounded(term.signal):
                changed = replace(term, low=rounded(term.high - 2.0 * half))
            else:
                changed = replace(term, low=rounded(middle - half), high=rounded(middle + half))
            if changed.low == changed.high:
                return None
        elif term.scale is not None:
            changed = replace(term, scale=rounded(term.scale * factor))
        else:
            return None
        note = f"{term.name} {'wider' if factor > 1.0 else 'narrower'}"
        return [*terms[:place], changed, *terms[place + 1 :]], note

    def _add(self, terms: list[Term]) -> Change | None:
        signals = {(term.signal, term.shape) for term in terms}
        pool = [t for t in self._pool() if (t.signal, t.shape) not in signals]
        if not pool:
            return None
        term = pool[int(self.rng.integers(len(pool)))]
        weight = rounded((term.weight or 1.0) * self._factor(WEIGHT_STEP))
        return [*terms, replace(term, weight=weight)], f"added {term.name}"

    def _pool(self) -> list[Term]:
        """Terms worth adding; what the description asks for stands in it more than once."""
        kit = self.terms
        reading = kit.reading
        pool: list[Term | None] = []
        for goal in reading.goals[:8]:
            pool += [kit.pursue(goal, "linear", 0.5), kit.pursue(goal, "tanh", 0.5)]
            if goal.sign < 0 or goal.purpose == "upright":
                pool += [kit.precise(goal, 0.5), kit.precise(goal, 0.5, 0.05)]
        main = kit.main
        if main is not None:
            pool.append(kit.progress(main, 0.3))
        pool += [kit.posture(place, 0.5) for place in range(len(reading.posture))][:3]
        pool += [kit.effort(), kit.jerk(), kit.damping(), kit.power(0.1)]
        if kit.survey.ends_early:
            pool += [kit.alive(0.5)]
        plain = [name for name, size in kit.survey.sizes.items() if size is None]
        if plain and self.rng.random() < 0.5:
            pool.append(kit.steady(plain[int(self.rng.integers(len(plain)))]))
        return [term for term in pool if term is not None]

    def _drop(self, terms: list[Term]) -> Change | None:
        main = self._main(terms)
        place = self._pick(terms, lambda term: term.weight is not None and term is not main)
        return None if place is None else self._without(terms, place)

    def _without(self, terms: list[Term], place: int) -> Change:
        return [*terms[:place], *terms[place + 1 :]], f"dropped {terms[place].name}"

    def _reshape(self, terms: list[Term]) -> Change | None:
        place = self._pick(
            terms,
            lambda term: (
                term.shape in SIGNED_SHAPES
                and term.weight is not None
                and not term.constant
                and term.signal.variable != "action"
            ),
        )
        if place is None:
            return None
        term = terms[place]
        shapes = [shape for shape in SIGNED_SHAPES if shape != term.shape]
        shape = shapes[int(self.rng.integers(len(shapes)))]
        scale = term.scale or 1.0
        if term.shape == "linear":
            scale = rounded(scale * 2.0)
        elif shape == "linear":
            scale = rounded(scale / 2.0)
        changed = replace(term, shape=shape, scale=scale)
        return [*terms[:place], changed, *terms[place + 1 :]], f"{term.name} made {shape}"

    def _gate(self, terms: list[Term]) -> Change | None:
        main = self._main(terms)
        gates = [t for t in self._gates() if t.signal not in [x.signal for x in terms]]
        if main is None or not gates or len(main.gates) >= 2:
            return None
        gate = gates[int(self.rng.integers(len(gates)))]
        while any(term.name == gate.name for term in terms):
            gate = replace(gate, name=f"{gate.name}_gate")
        place = terms.index(main)
        changed = replace(main, gates=(*main.gates, gate.name))
        note = f"{main.name} multiplied by {gate.name}"
        return [gate, *terms[:place], changed, *terms[place + 1 :]], note

    def _gates(self) -> list[Term]:
        kit = self.terms
        main = kit.main
        turning = main is not None and main.purpose == "rotate"
        gates: list[Term | None] = []
        for place, goal in enumerate(kit.reading.posture):
            if goal.purpose == "height" and turning:
                gates.append(replace(kit.amount_gate(goal), name="standing_share"))
            elif not turning:
                gates.append(kit.posture(place))
        power = kit.power() if turning else None
        if power is not None:
            gates.append(replace(power, name="push_share", weight=None))
        for goal in kit.reading.goals[1:6]:
            if goal.purpose == "upright":
                gates.append(kit.portion(goal))
            elif goal.purpose == "raise" and turning:
                gates.append(kit.amount_gate(goal))
            elif goal.sign < 0 and goal.purpose in ("centre", "still", "reach"):
                gates.append(kit.near_gate(goal))
        return [gate for gate in gates if gate is not None]

    def _ungate(self, terms: list[Term]) -> Change | None:
        place = self._pick(terms, lambda term: bool(term.gates))
        if place is None:
            return None
        term = terms[place]
        gone = term.gates[int(self.rng.integers(len(term.gates)))]
        changed = replace(term, gates=tuple(gate for gate in term.gates if gate != gone))
        note = f"{term.name} no longer multiplied by {gone}"
        return [*terms[:place], changed, *terms[place + 1 :]], note

    def _flip(self, terms: list[Term]) -> Change | None:
        place = self._pick(
            terms,
            lambda term: (
                term.weight is not None
                and term.shape not in UNIT_SHAPES
                and term.signal.variable != "action"
                and not term.constant
            ),
        )
        if place is None:
            return None
        term = terms[place]
        flipped = replace(term, sign=-term.sign)
        return [*terms[:place], flipped, *terms[place + 1 :]], f"sign of {term.name} changed"

    def _weigh_down(self, terms: list[Term], name: str | None) -> Change | None:
        place = self._pick(terms, lambda term: term.name == name and term.weight is not None)
        if place is None:
            return None
        return self._weighed(terms, place, float(self.rng.uniform(0.2, 0.6)))

    def _drop_idle(self, terms: list[Term], names: tuple[str, ...]) -> Change | None:
        main = self._main(terms)
        place = self._pick(terms, lambda term: term.name in names and term is not main)
        return None if place is None else self._without(terms, place)

    def _stay_alive(self, terms: list[Term]) -> Change | None:
        if not self.terms.survey.ends_early:
            return None
        place = self._pick(terms, lambda term: term.constant)
        if place is not None and self.rng.random() < 0.6:
            return self._weighed(terms, place, float(self.rng.uniform(1.3, 3.0)))
        if place is None:
            return [*terms, self.terms.alive()], "added alive"
        bonus = self.terms.posture(0, 0.5)
        if bonus is None or bonus.signal in [term.signal for term in terms]:
            return None
        return [*terms, bonus], f"added {bonus.name}"

    # --- choices ---------------------------------------------------------------------------

    def _main(self, terms: list[Term]) -> Term | None:
        """The summed term of the best-ranked goal there is, else the heaviest."""
        summed = [term for term in terms if term.weight is not None and not term.constant]
        for goal in self.terms.reading.goals:
            for term in summed:
                if term.signal == goal.signal:
                    return term
        return max(summed, key=lambda term: term.weight or 0.0, default=None)

    def _pick(self, terms: list[Term], wanted: Callable[[Term], bool]) -> int | None:
        places = [place for place, term in enumerate(terms) if wanted(term)]
        return places[int(self.rng.integers(len(places)))] if places else None

    def _factor(self, step: float) -> float:
        return float(np.exp(self.rng.normal(0.0, step)))

    def _bounded(self, signal: Signal) -> bool:
        return signal.form in ("cos", "sin") or self.terms.scale_is_one(signal)

    def _tidy(self, terms: list[Term]) -> Genome:
        return tidy(terms, self.terms.survey.sizes)
