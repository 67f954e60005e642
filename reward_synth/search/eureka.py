"""Eureka's strategy (Ma et al. 2023, arXiv 2310.12931): K samples, the best one reflected upon.

The conversation of a later generation holds the task, the best answer of the last generation
that trained at all, and the reflection on its training, which tells of the run's other programs
in a few lines; nothing else is remembered.
"""

from collections.abc import Sequence
from pathlib import Path

from reward_synth.evaluation import Behaviour, Score, behaviour, record_episodes
from reward_synth.feedback import reflect
from reward_synth.llm import ChatMessage, Completion, LanguageModel, extract_program
from reward_synth.reward.dialects import Translation, translate
from reward_synth.search.history import history
from reward_synth.search.person import words
from reward_synth.search.prompts import (
    improve_messages,
    initial_messages,
    preceded,
    repair_messages,
)
from reward_synth.search.strategy import Bench, Strategy, best_of, completed
from reward_synth.simulation.statistics import VariableStatistics
from reward_synth.store import NewCandidate
from reward_synth.store.fates import fittest, search_evaluation, search_evaluations
from reward_synth.store.schema import Candidate, Evaluation
from reward_synth.task import Task
from sandbox.messages import ProbeFinding, TrainingReport

ASKING = "# Your answer"
"""Where the task's message turns from the task to what is asked for."""
WATCHED_EPISODES = 32
"""Of a policy whose behaviour is told."""
STANDS_OUT = 0.2
"""Gain in fitness over the median training, as a share of the best one's, that is worth a word."""


class Eureka(Strategy):
    """Asks a language model for ``samples`` programs per generation."""

    folder: Path
    """The run's, which holds the policies; known once the run begins."""

    def __init__(
        self,
        task: Task,
        sizes: dict[str, int | None],
        statistics: dict[str, VariableStatistics],
        model: LanguageModel,
        *,
        samples: int,
        temperature: float,
        steps: int | None = None,
        algorithm: str = "ppo",
        start: str | None = None,
    ) -> None:
        """``start`` is a person's program, which stands for the first generation (human
        initialisation, section 4.3 of the paper)."""
        self.task = task
        self.statistics = statistics
        self.sizes = sizes
        self.model = model
        self.samples = samples
        self.temperature = temperature
        self.start = start
        self.initial = initial_messages(task, sizes, statistics, steps=steps, algorithm=algorithm)

    @property
    def picture(self) -> str:
        """The task and its variables, without what is asked for."""
        return self.initial[-1].content.partition(ASKING)[0].strip()

    def begin(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.folder

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        slots = self.open_slots(generation, given)
        if not slots:
            return []
        if generation == 0 and self.start is not None:
            return [NewCandidate(slot=0, source=self.start, origin="file", note="a person's")]
        parent = self.parent(earlier)
        messages = asked_before(given)
        if messages is None:
            messages = self.initial if parent is None else self.improve(parent, earlier)
            messages = self.heard(messages, generation, earlier, parent)
        completions = self.model.complete(messages, len(slots), temperature=self.temperature)
        return [
            self.candidate(slot, 0, messages, completion, parent)
            for slot, completion in zip(slots, completions, strict=False)
        ]

    def heard(
        self,
        messages: Sequence[ChatMessage],
        generation: int,
        earlier: Sequence[Candidate],
        parent: Candidate | None = None,
    ) -> Sequence[ChatMessage]:
        """A prompt with what a person said of the generations before."""
        said = words(self.bench.judgements(), generation, earlier, parent)
        return preceded(messages, said) if said else messages

    def open_slots(self, generation: int, given: Sequence[Candidate]) -> list[int]:
        """The slots of a generation without a candidate."""
        count = 1 if generation == 0 and self.start is not None else self.samples
        taken = {candidate.slot for candidate in given}
        return [slot for slot in range(count) if slot not in taken]

    def repair(self, refused: Candidate) -> NewCandidate | None:
        if refused.completion is None:
            return None
        asked = [ChatMessage.model_validate(message) for message in refused.completion.messages]
        text = refused.completion.text
        found = [ProbeFinding.model_validate(finding) for finding in refused.findings]
        translation = translate(extract_program(text), self.sizes)
        findings = [as_written(finding, translation) for finding in found]
        messages = repair_messages(asked, text, findings)
        completion = self.model.complete(messages, 1, temperature=self.temperature)[0]
        return self.candidate(refused.slot, refused.repair + 1, messages, completion, refused)

    def parent(self, earlier: Sequence[Candidate]) -> Candidate | None:
        """The best of the last generation in which anything trained."""
        generations = sorted({candidate.generation for candidate in earlier}, reverse=True)
        for generation in generations:
            best = best_of([c for c in earlier if c.generation == generation])
            if best is not None:
                return best
        return None

    def improve(self, parent: Candidate, earlier: Sequence[Candidate]) -> list[ChatMessage]:
        """The prompt that shows the parent's answer and what came of it.

        Raises UserError where the parent's policy is no longer in the run's folder.
        """
        reflection = self.reflection(parent, earlier)
        return improve_messages(self.initial, self.answer(parent), reflection)

    def answer(self, parent: Candidate) -> str:
        """What was answered when the parent was asked for."""
        return parent.completion.text if parent.completion else unasked(parent)

    def reflection(self, parent: Candidate, earlier: Sequence[Candidate]) -> str:
        """What training with the parent did, and how it stands in the run."""
        evaluation = search_evaluation(parent)
        assert evaluation is not None
        score = Score.model_validate(evaluation.score)
        best = fittest(search_evaluations(parent))
        stands_out = clearly_better(best, evaluation)
        return reflect(
            self.task,
            TrainingReport.model_validate(evaluation.report),
            score,
            self.watch(evaluation),
            history(parent, earlier),
            best=self.watch(best) if stands_out else None,
        )

    def watch(self, evaluation: Evaluation) -> Behaviour:
        """What the trained policy does, rolled out here as it was for its score."""
        count = min(len(evaluation.score["episodes"]), WATCHED_EPISODES)
        episodes = record_episodes(self.task, self.folder / evaluation.policy, count)
        return behaviour(self.task, episodes, self.statistics)

    def candidate(
        self,
        slot: int,
        repair: int,
        messages: Sequence[ChatMessage],
        completion: Completion,
        parent: Candidate | None,
    ) -> NewCandidate:
        translation = translate(extract_program(completion.text), self.sizes)
        return NewCandidate(
            slot=slot,
            repair=repair,
            source=translation.source,
            origin="model",
            note=translation.summary(),
            parents=() if parent is None else (parent.number,),
            completion=completed(completion, messages),
        )


def asked_before(given: Sequence[Candidate]) -> Sequence[ChatMessage] | None:
    """The prompt of a generation that is asked for in part: what people say meanwhile is for the
    next one."""
    for candidate in given:
        if candidate.completion is not None and candidate.repair == 0:
            return [ChatMessage.model_validate(said) for said in candidate.completion.messages]
    return None


def clearly_better(best: Evaluation, other: Evaluation) -> bool:
    """Whether a training's policy is better than another one's by a good deal, chance apart."""
    if best.fitness is None or other.fitness is None:
        return False
    gain = best.fitness - other.fitness
    return best.score["low"] > other.score["high"] and gain > STANDS_OUT * abs(best.fitness)


def as_written(finding: ProbeFinding, translation: Translation) -> ProbeFinding:
    """A finding in a translated program by the lines that the model wrote."""
    if finding.line is None or not translation.changed:
        return finding
    line, column = translation.original(finding.line, finding.column)
    return finding.model_copy(update={"line": line, "column": finding.column and column})


def unasked(candidate: Candidate) -> str:
    """A program that no completion holds, as the answer that it would have been."""
    told = "The best program so far, with its constants tuned"
    said = f"{told} ({candidate.note}):\n\n" if candidate.origin == "tuned" else ""
    return f"{said}```python\n{candidate.source.strip()}\n```"
