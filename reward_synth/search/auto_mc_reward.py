"""Auto MC-Reward's strategy (Li et al. 2023, arXiv 2312.09238): designer, critic, analyser.

The designer writes the program, as in Eureka, in a sparse and a dense part.  The critic reads it
before anything is trained, and may send it back.  The analyser reads the episodes of the policy
that came of the last best program, and its causes and advice go into the next prompt.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from reward_synth.feedback import describe
from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage
from reward_synth.llm.parallel import side_by_side
from reward_synth.search.eureka import ASKING, Eureka
from reward_synth.search.prompts import message, one_line, preceded
from reward_synth.search.roles import RoleModel
from reward_synth.search.strategy import ask
from reward_synth.store import NewCandidate
from reward_synth.store.fates import search_evaluation
from reward_synth.store.schema import Candidate
from sandbox.messages import ProbeFinding

VERDICT = re.compile(r"^\W*VERDICT\W+(accept|revise)\b", re.IGNORECASE | re.MULTILINE)
POINT = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$", re.MULTILINE)
MOST_POINTS = 6


class AutoMcReward(Eureka):
    """A designer whose programs are read by a critic before, and by an analyser after training."""

    def __init__(
        self, *given: Any, critic: RoleModel, analyser: RoleModel, repairs: int, **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.critic = critic
        self.analyser = analyser
        self.repairs = repairs
        *before, asked = self.initial
        task, answer, asking = asked.content.partition(ASKING)
        wanted = render("auto-mc-reward/designer.md.j2", None).strip()
        content = f"{task}{answer}\n\n{wanted}\n\n{asking.strip()}"
        self.initial = [*before, message("user", content)]

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        self.generation = generation
        return super().propose(generation, earlier, given)

    def improve(self, parent: Candidate, earlier: Sequence[Candidate]) -> list[ChatMessage]:
        messages = super().improve(parent, earlier)
        analysis = self.analyse(parent)
        if not analysis:
            return messages
        return preceded(messages, render("auto-mc-reward/improve.md.j2", None, analysis=analysis))

    def analyse(self, parent: Candidate) -> str:
        """Why the parent's policy does not do better, in the analyser's words."""
        evaluation = search_evaluation(parent)
        assert evaluation is not None
        prompt = render(
            "auto-mc-reward/analyst.md.j2",
            None,
            task=self.picture,
            program=parent.source.strip(),
            behaviour=describe(self.watch(evaluation)).strip(),
            measured=self.task.fitness is not None,
        )
        return ask(
            self.bench,
            self.analyser,
            [message("user", prompt)],
            generation=self.generation,
            purpose="analyse",
            temperature=self.analyser.temperature,
        ).strip()

    def review(
        self, passed: Sequence[Candidate], earlier: Sequence[Candidate]
    ) -> list[list[ProbeFinding]]:
        """What the critic says; one who gives no verdict when asked again has nothing against it.

        The last repair of a slot is not reviewed: critics find something every time.
        """
        asked = [c for c in passed if c.completion is not None and c.repair < self.repairs]
        programs = {candidate.source: candidate for candidate in asked}
        calls = [partial(self.criticise, candidate) for candidate in programs.values()]
        said, failure = side_by_side(calls)
        if failure is not None:
            raise failure
        points = dict(zip(programs, said, strict=True))
        return [(points.get(c.source) or []) if c in asked else [] for c in passed]

    def criticise(self, candidate: Candidate) -> list[ProbeFinding]:
        prompt = render(
            "auto-mc-reward/critic.md.j2",
            None,
            task=self.picture,
            program=candidate.source.strip(),
            measured=self.task.fitness is not None,
        )
        said = ask(
            self.bench,
            self.critic,
            [message("user", prompt)],
            generation=candidate.generation,
            purpose="review",
            temperature=self.critic.temperature,
            of_use=VERDICT.search,
        )
        return criticism(said)


def criticism(said: str) -> list[ProbeFinding]:
    """The points of a review that asks for a revision; [] for any other answer."""
    verdicts = list(VERDICT.finditer(said))
    if not verdicts or verdicts[-1][1].lower() != "revise":
        return []
    points = POINT.findall(said[verdicts[-1].end() :])[:MOST_POINTS]
    return [
        ProbeFinding(level="error", code="critic", message=f"a critic says: {one_line(point)}")
        for point in points
    ]
