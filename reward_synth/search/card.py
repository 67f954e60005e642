"""CARD's strategy (Sun et al. 2024, arXiv 2410.14660): introspection, and evidence before training.

Three kinds of feedback: the process (Eureka's reflection), trajectories (an episode that went well
and one that did not, with what each component paid for them), and preferences: a program that does
not rank known episodes as the task does goes back, with that evidence, without a training.
"""

from collections.abc import Sequence
from pathlib import Path

from reward_synth.evaluation.preference import Preference
from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage
from reward_synth.search.eureka import Eureka
from reward_synth.search.prompts import preceded
from reward_synth.search.strategy import Bench, best_of
from reward_synth.store import NewCandidate
from reward_synth.store.fates import search_evaluations
from reward_synth.store.schema import Candidate
from sandbox.messages import ProbeFinding

RANDOM = "random actions"


class Card(Eureka):
    """Improves the best program so far, and trains only what ranks known episodes rightly."""

    def begin(self, bench: Bench) -> None:
        super().begin(bench)
        self.preference = Preference(self.task, bench.pool)

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        self.learn(earlier)
        return super().propose(generation, earlier, given)

    def parent(self, earlier: Sequence[Candidate]) -> Candidate | None:
        """The best so far."""
        return best_of(earlier)

    def learn(self, earlier: Sequence[Candidate]) -> None:
        """Know the episodes of all that was trained."""
        know(self.preference, earlier, self.bench.folder)

    def review(
        self, passed: Sequence[Candidate], earlier: Sequence[Candidate]
    ) -> list[list[ProbeFinding]]:
        """Refuse what does not rank known episodes as the task does."""
        self.learn(earlier)
        rankings = self.preference.rank([candidate.source for candidate in passed])
        return [self.preference.findings(ranking) for ranking in rankings]

    def improve(self, parent: Candidate, earlier: Sequence[Candidate]) -> list[ChatMessage]:
        """Eureka's prompt, with what the parent's components paid for a good and a bad episode."""
        messages = super().improve(parent, earlier)
        good, bad = self.preference.extremes(f"program {parent.number}")
        (ranking,) = self.preference.rank([parent.source])
        if ranking.pairs == 0 or good == bad:
            return messages
        evidence = render(
            "card/trajectories.md.j2",
            None,
            good=self.preference.told(good, ranking),
            bad=self.preference.told(bad, ranking),
            agreement=f"{100 * ranking.agreement:.0f} %",
            pairs=ranking.pairs,
        )
        return preceded(messages, evidence)


def know(preference: Preference, candidates: Sequence[Candidate], folder: Path) -> None:
    """Learn the episodes of random actions and of all policies that candidates of the run in
    ``folder`` trained."""
    preference.learn(RANDOM, [])
    for candidate in candidates:
        policies = [folder / evaluation.policy for evaluation in search_evaluations(candidate)]
        if candidate.status == "scored" and policies:
            preference.learn(f"program {candidate.number}", policies)
