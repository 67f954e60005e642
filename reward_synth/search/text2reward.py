"""Text2Reward's strategy (Xie et al. 2023, arXiv 2309.11489): zero- or few-shot, then a person.

The first generation is asked with the picture of the environment and, where finished runs on
other tasks have good programs to show, with the likest of these.  Later ones take up what a person
said of the best policy so far, in the order in which it was said; after that, the reflection.
"""

from collections.abc import Sequence
from typing import Any

from reward_synth.evaluation import Score
from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage
from reward_synth.search.eureka import ASKING, Eureka
from reward_synth.search.examples import Example
from reward_synth.search.prompts import bounded, message, one_line, short
from reward_synth.search.strategy import best_of
from reward_synth.store import NewCandidate
from reward_synth.store.fates import search_evaluation
from reward_synth.store.schema import Candidate


class Text2Reward(Eureka):
    """Asks with examples, and again with a person's words."""

    def __init__(
        self, *given: Any, examples: Sequence[Example] = (), said: Sequence[str] = (), **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.said = said
        if examples:
            *before, asked = self.initial
            shown = [
                {
                    "description": one_line(example.description),
                    "fitness_doc": one_line(example.fitness_doc).rstrip("."),
                    "program": example.program.strip(),
                }
                for example in examples
            ]
            text = render("text2reward/examples.md.j2", None, examples=shown)
            task, answer, asking = asked.content.partition(ASKING)
            content = f"{task.rstrip()}\n\n{text.strip()}\n\n{answer}{asking}"
            self.initial = [*before, message("user", content)]

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        self.generation = generation
        return super().propose(generation, earlier, given)

    def parent(self, earlier: Sequence[Candidate]) -> Candidate | None:
        """The best so far: it is the one that the person saw."""
        return best_of(earlier)

    def improve(self, parent: Candidate, earlier: Sequence[Candidate]) -> list[ChatMessage]:
        if self.generation > len(self.said):
            return super().improve(parent, earlier)
        evaluation = search_evaluation(parent)
        assert evaluation is not None
        score = Score.model_validate(evaluation.score)
        asked = render(
            "text2reward/feedback.md.j2",
            None,
            text=self.said[self.generation - 1],
            fitness=None if score.fitness is None else short(score.fitness),
            low=short(score.low or 0.0),
            high=short(score.high or 0.0),
        )
        answer = bounded(self.answer(parent))
        return [*self.initial, message("assistant", answer), message("user", asked)]
