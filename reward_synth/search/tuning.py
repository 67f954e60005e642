"""Constant tuning: variants of a good program's numbers, with no call to a model.

What a model writes is mostly right in its terms and arbitrary in its weights and scales, and
trying other values costs a training but no tokens.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from reward_synth.reward import check
from reward_synth.reward.constants import adjustable_constants, spelt, with_constants
from reward_synth.search.strategy import Around, Strategy, best_of
from reward_synth.store import NewCandidate
from reward_synth.store.schema import Candidate

SPREAD = 0.3
"""Standard deviation of a factor's logarithm: 19 of 20 lie between 0.56 and 1.8.  Smaller ones
drown in the noise between training seeds; larger ones are other rewards, not tuned ones."""
MOST_DRAWS = 20
"""Draws for one variant before its slot is given up."""


class Tuned(Around):
    """Another strategy's candidates, and beside them variants of the best program so far."""

    def __init__(
        self,
        inner: Strategy,
        sizes: Mapping[str, int | None],
        *,
        samples: int,
        count: int,
        seed: int,
    ) -> None:
        """``samples`` are the candidates that the strategy gives, before the variants."""
        super().__init__(inner)
        self.samples = samples
        self.sizes = sizes
        """Entries of each variable that a program may read, as for ``reward.parse``."""
        self.count = count
        self.seed = seed

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        proposed = self.inner.propose(generation, earlier, given)
        best = best_of(earlier)
        if best is None or any(candidate.origin == "tuned" for candidate in given):
            return proposed
        return proposed + variants(
            best,
            self.sizes,
            self.count,
            seed=self.seed,
            generation=generation,
            first_slot=self.samples,
            taken={c.source for c in (*earlier, *proposed)},
        )

    def repair(self, refused: Candidate) -> NewCandidate | None:
        """What the probe says of a variant is no reason to write another one."""
        return None if refused.origin == "tuned" else self.inner.repair(refused)


def variants(
    parent: Candidate,
    sizes: Mapping[str, int | None],
    count: int,
    *,
    seed: int,
    generation: int,
    first_slot: int,
    taken: Collection[str],
) -> list[NewCandidate]:
    """At most ``count`` programs that differ from ``parent`` in some constants' values.

    Each one scales a random part of the constants, at least one, by log-normal factors; signs and
    zeros stay.  All of them pass the static check, and none has its text in ``taken`` or stands
    here twice.  The same arguments give the same variants, each from its own slot's generator.
    [] where the parent has no constant to tune.
    """
    constants = adjustable_constants(parent.source, sizes)
    seen = {parent.source, *taken}
    made: list[NewCandidate] = []
    for slot in range(first_slot, first_slot + count) if constants else ():
        rng = np.random.default_rng([seed, generation, parent.number, slot])
        for _ in range(MOST_DRAWS):
            values = draw(constants, rng)
            source = with_constants(parent.source, values)
            if source not in seen and not check(source, sizes):
                seen.add(source)
                made.append(
                    NewCandidate(
                        slot=slot,
                        source=source,
                        origin="tuned",
                        parents=(parent.number,),
                        note=changes(constants, values),
                    )
                )
                break
    return made


def draw(constants: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """New values for a random part of the constants."""
    names = [name for name in constants if rng.random() < 0.5]
    names = names or [str(rng.choice(list(constants)))]
    factors = np.exp(SPREAD * rng.standard_normal(len(names)))
    return {
        name: constants[name] * float(factor) for name, factor in zip(names, factors, strict=True)
    }


def changes(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """``SPEED_SCALE 3 → 3.7, EFFORT -0.05 → -0.0412``: for people, of what differs as written."""
    told = [(n, spelt(before[n], whole=True), spelt(after[n], whole=True)) for n in after]
    return ", ".join(f"{name} {old} → {new}" for name, old, new in told if old != new)
