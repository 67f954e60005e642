"""A person who is simulated: judges pairs by the truth about them, and errs now and then.

So that the mode can be measured without people, and tried by one who wants to see it first.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Literal

import numpy as np

from reward_synth.search.listening import Listener
from reward_synth.search.strategy import search_fitness
from reward_synth.store import Candidate

SIMULATED = "simulated"
"""Their name."""
Pairs = Literal["informative", "random"]
"""Which pairs are judged: each time the one whose judgement tells most, or any."""


class SimulatedPerson:
    """Judges so many pairs after each generation; a share ``noise`` of the answers is wrong.

    Two policies that are worth the same are called equal.  The same seed gives the same answers.
    """

    def __init__(
        self,
        noise: float,
        judgements: int,
        seed: int,
        *,
        truth: Callable[[Candidate], float | None] = search_fitness,
        pairs: Pairs = "informative",
    ) -> None:
        """``truth`` is what a trained candidate's policy is worth: the task's fitness, or what
        stands for it on a task without one."""
        self.noise = noise
        self.judgements = judgements
        self.seed = seed
        self.truth = truth
        self.pairs: Pairs = pairs

    def judge(self, listener: Listener) -> None:
        """Judge the pairs of a generation that are still to be judged, and be done."""
        generation = listener.round.generation
        while len(listener.round.known) > 1:
            said = listener.store.judgements(listener.round.run.id)
            count = sum(j.kind == "ranking" and j.generation == generation for j in said)
            if count >= self.judgements:
                break
            rng = np.random.default_rng([self.seed, generation, count])
            one, other = self.pair(listener, rng)
            round_ = listener.round
            better = self.prefers(round_.candidate(one), round_.candidate(other), rng)
            if better == 0.0:
                listener.rank([[one, other]])
            else:
                listener.rank([[one], [other]] if better > 0.0 else [[other], [one]])
        listener.done()

    def pair(self, listener: Listener, rng: np.random.Generator) -> tuple[int, int]:
        """The next two to judge."""
        if self.pairs == "informative":
            return listener.most_telling()
        every = list(combinations(listener.round.known, 2))
        return every[rng.integers(len(every))]

    def prefers(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> float:
        """Above 0 for the one, below for the other."""
        worth = self.truth(one), self.truth(other)
        assert worth[0] is not None and worth[1] is not None
        truth = float(np.sign(worth[0] - worth[1]))
        return -truth if rng.random() < self.noise else truth
