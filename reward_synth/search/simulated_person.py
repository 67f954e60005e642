"""A person who is simulated: judges pairs by the true fitness, and errs now and then.

So that the mode can be measured without people, and tried by one who wants to see it first.
"""

import numpy as np

from reward_synth.search.listening import Listener
from reward_synth.search.strategy import search_fitness
from reward_synth.store import Candidate

SIMULATED = "simulated"
"""Their name."""


class SimulatedPerson:
    """Judges so many pairs after each generation; a share ``noise`` of the answers is wrong.

    Two policies of the same fitness are called equal.  The same seed gives the same answers.
    """

    def __init__(self, noise: float, judgements: int, seed: int) -> None:
        self.noise = noise
        self.judgements = judgements
        self.seed = seed

    def judge(self, listener: Listener) -> None:
        """Judge the pairs of a generation that are still to be judged, and be done."""
        generation = listener.round.generation
        known = listener.round.known
        while len(known) > 1:
            said = listener.store.judgements(listener.round.run.id)
            count = sum(j.kind == "ranking" and j.generation == generation for j in said)
            if count >= self.judgements:
                break
            rng = np.random.default_rng([self.seed, generation, count])
            one, other = listener.most_telling()
            better = self.prefers(known[one], known[other], rng)
            if better == 0.0:
                listener.rank([[one, other]])
            else:
                listener.rank([[one], [other]] if better > 0.0 else [[other], [one]])
        listener.done()

    def prefers(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> float:
        """Above 0 for the one, below for the other."""
        fitness = search_fitness(one), search_fitness(other)
        assert fitness[0] is not None and fitness[1] is not None
        truth = float(np.sign(fitness[0] - fitness[1]))
        return -truth if rng.random() < self.noise else truth
