"""Asks a language model for the documentation, the fitness and the success of a task.

After LEARN-Opt, which derives a task's metrics from a sentence and the environment's description
(arXiv 2511.19355).  Each part is a conversation of its own.  An answer that fails a check goes back
with what is wrong; after ``MOST_REPAIRS`` of them the draft keeps what it has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Literal, TypeVar

from reward_synth.authoring.draft import Draft
from reward_synth.authoring.replies import (
    LONGEST_VARIABLE_DOC,
    RefusedReply,
    measured,
    read_measure,
    read_words,
)
from reward_synth.authoring.written import Measure, Words, with_measures, with_words
from reward_synth.errors import LimitError, RunError
from reward_synth.feedback.templates import render
from reward_synth.llm import ChatMessage, Completion, LanguageModel
from reward_synth.reward.measure import EpisodeMeasure
from reward_synth.search.prompts import (
    action_doc,
    action_unit,
    bounded,
    early_end,
    language_values,
    message,
    one_line,
    shape,
    short,
)
from reward_synth.simulation import task_spec
from reward_synth.simulation.trial import trial_episodes
from reward_synth.task import Task

MOST_REPAIRS = 2
MOST_ENTRIES = 12
"""Entries of a variable whose ranges are given one by one; more get one range."""
BASELINES_STAY = (
    "the rewards of the baselines were not written by the model; where they do not fit its "
    "fitness, write others into expert_reward.py and sparse_reward.py"
)
Decision = Literal["accept", "default", "again"]
T = TypeVar("T", Words, Measure)


@dataclass(frozen=True)
class Proposal:
    """What a model wrote for one part, before it is taken."""

    part: str
    """``documentation``, ``fitness`` or ``success``."""
    lines: tuple[str, ...]
    """What it is, for a person to read."""
    default: str
    """What stands if it is not taken."""


Decide = Callable[[Proposal], Decision]
Progress = Callable[[str], None]


@dataclass
class Usage:
    """What the requests took."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None where a price is unknown."""

    def add(self, completions: Sequence[Completion]) -> None:
        self.requests += 1
        for completion in completions:
            self.prompt_tokens += completion.prompt_tokens
            self.completion_tokens += completion.completion_tokens
            if self.cost is not None:
                self.cost = None if completion.cost is None else self.cost + completion.cost


@dataclass(frozen=True)
class Written:
    """A draft with what a model wrote."""

    draft: Draft
    usage: Usage
    refused: Mapping[str, str] = field(default_factory=dict)
    """By part why none of its answers could be used."""


@dataclass(frozen=True)
class _Answer(Generic[T]):
    """One part: its value, or why its answers were refused; neither where it was not wanted."""

    value: T | None
    why: str = ""


class Author:
    """Asks one model about one task."""

    def __init__(
        self,
        model: LanguageModel,
        task: Task,
        draft: Draft,
        *,
        sentence: str | None,
        decide: Decide,
        progress: Progress,
    ) -> None:
        """``task`` is made from ``draft``; ``sentence`` says what is to be learned (the draft's
        own description if None)."""
        self.model = model
        self.task = task
        self.draft = draft
        self.sentence = sentence
        self.decide = decide
        self.progress = progress
        self.usage = Usage()
        self.spec = task_spec(task)
        self.sizes = self.spec.readable_by(own=True)
        self.episodes = trial_episodes(task)

    def write(self) -> Written:
        """Ask for all parts, one after the other.

        Raises:
            UserError: the model cannot be asked (key, name, URL).
            RunError: it kept failing.
        """
        described = self.sentence is not None
        words = self.ask(
            "documentation",
            render("authoring/words.md.j2", None, described=described, most=LONGEST_VARIABLE_DOC),
            partial(read_words, draft=self.draft, described=described),
            word_lines,
            "the documentation as it is",
        )
        default = self.draft
        if words.value is not None:
            self.draft = with_words(self.draft, words.value, self.model.name)
        fitness = self.ask_measure("fitness", default.fitness_doc)
        fitness_doc = default.fitness_doc if fitness.value is None else fitness.value.doc
        success = self.ask_measure("success", fitness_doc)
        made = with_measures(self.draft, fitness.value, success.value, self.model.name)
        parts = {"documentation": words, "fitness": fitness, "success": success}
        refused = {part: answer.why for part, answer in parts.items() if answer.why}
        said = [kept_note(default, part, why) for part, why in refused.items()]
        if fitness.value is not None and default.fitness_doc:
            said.append(BASELINES_STAY)
        return Written(replace(made, notes=[*made.notes, *said]), self.usage, refused)

    def ask_measure(self, name: str, fitness_doc: str) -> "_Answer[Measure]":
        default = self.draft.fitness_doc if name == "fitness" else self.draft.success_doc
        more = {} if name == "fitness" else {"success_doc": one_line(default).rstrip(".")}
        asked = render(
            f"authoring/{name}.md.j2", None, fitness_doc=one_line(fitness_doc).rstrip("."), **more
        )
        read = partial(
            read_measure, name=name, task=self.task, sizes=self.sizes, episodes=self.episodes
        )
        return self.ask(name, asked, read, partial(self.measure_lines, name), default or "none")

    def ask(
        self,
        part: str,
        asked: str,
        read: Callable[[str], T],
        lines: Callable[[T], Sequence[str]],
        default: str,
    ) -> _Answer[T]:
        """One part, until an answer is taken or given up."""
        while True:
            value, faults = self.converse(part, asked, read)
            if value is None:
                return _Answer(None, f"its answers were refused, the last one because {faults[0]}")
            decision = self.decide(Proposal(part, tuple(lines(value)), default))
            if decision == "accept":
                return _Answer(value)
            if decision == "default":
                return _Answer(None)

    def converse(
        self, part: str, asked: str, read: Callable[[str], T]
    ) -> tuple[T | None, Sequence[str]]:
        """An answer that passes the checks, or what is wrong with the last one."""
        messages = [*self.initial(), message("user", f"{self.facts()}\n\n{asked}")]
        faults: Sequence[str] = ()
        for repair in range(MOST_REPAIRS + 1):
            again = f", repair {repair} of {MOST_REPAIRS}" if repair else ""
            self.progress(f"asking {self.model.name} for the {part}{again}")
            text = self.complete(messages)
            try:
                return read(text), ()
            except RefusedReply as refused:
                faults = refused.faults
            repair_asked = render("authoring/repair.md.j2", None, faults=faults)
            messages += [message("assistant", bounded(text)), message("user", repair_asked)]
        return None, faults

    def complete(self, messages: Sequence[ChatMessage]) -> str:
        try:
            completions = self.model.complete(messages, 1)
        except LimitError as error:
            said = str(error).removesuffix("; resume the run later")
            raise RunError(f"{said}; nothing was made, try again later") from None
        self.usage.add(completions)
        # Halves of characters, which JSON may hold, cannot be sent back.
        return completions[0].text.encode("utf-8", "replace").decode()

    def initial(self) -> list[ChatMessage]:
        return [message("system", render("authoring/system.md.j2", None, **language_values()))]

    def facts(self) -> str:
        """The task and its variables."""
        step = self.spec.control_step
        return render(
            "authoring/task.md.j2",
            None,
            sentence=one_line(self.sentence or self.draft.description),
            world=one_line(self.draft.title).rstrip("."),
            ends=early_end(self.task),
            control_step=short(step),
            episode_steps=self.task.episode_steps,
            episode_seconds=short(self.task.episode_steps * step),
            variables=variable_rows(self.task, self.draft),
        ).strip()

    def measure_lines(self, name: str, measure: Measure) -> list[str]:
        """A measure in words, its program, and what it gives for random actions."""
        values = EpisodeMeasure(measure.program, measure.over)
        found = [measured(measure, values, self.task, episode) for episode in self.episodes]
        shown = [short(value) if name == "fitness" else str(value) for value in found]
        ways = ", ".join(f"{part}: {way}" for part, way in measure.over.items())
        level = "" if measure.at_least is None else f", at least {measure.at_least:g}"
        whole = ", of a whole episode" if measure.whole_episode else ""
        return [
            measure.doc,
            f"over the episode: {ways}{level}{whole}",
            *measure.program.rstrip("\n").split("\n"),
            f"random actions: {', '.join(shown)}",
        ]


def kept_note(default: Draft, part: str, why: str) -> str:
    """That a part is not the model's."""
    there = {"fitness": default.fitness_doc, "success": default.success_doc}.get(part, part)
    return f"the {part} is the default one: {why}" if there else f"there is no {part}: {why}"


def word_lines(words: Words) -> list[str]:
    """Documentation, a line each."""
    lines = [] if words.description is None else [f"description: {words.description}"]
    for name, found in words.variables.items():
        unit = "" if found.unit is None else f" [{found.unit}]"
        lines.append(f"{name}{unit}: {found.doc or 'as it is'}")
    return lines or ["no changes"]


def variable_rows(task: Task, draft: Draft) -> list[dict[str, str | bool]]:
    """What a prompt says of each variable, private ones included, and of the action."""
    spec = task_spec(task)
    rows: list[dict[str, str | bool]] = [
        {"name": v.name, "unit": v.unit, "doc": v.doc, "public": v.public} for v in draft.variables
    ]
    action: dict[str, str | bool] = {"name": "action", "public": True}
    rows.append({**action, "unit": action_unit(task), "doc": action_doc(task)})
    for row in rows:
        name = str(row["name"])
        seen = spec.statistics.get(name)
        row["unit"], row["doc"] = one_line(str(row["unit"])), one_line(str(row["doc"]))
        row["shape"] = shape(spec.variable_sizes[name])
        row["start"] = "" if seen is None else ranges([entry.start for entry in seen.entries])
        row["random"] = "" if seen is None else ranges([entry.random for entry in seen.entries])
    return rows


def ranges(entries: Sequence[tuple[float, float]]) -> str:
    """The range of each entry in order; of a long vector, one for all."""
    if len(entries) > MOST_ENTRIES:
        entries = [(min(low for low, _ in entries), max(high for _, high in entries))]
    spelt = [(short(low), short(high)) for low, high in entries]
    return ", ".join(low if low == high else f"{low} to {high}" for low, high in spelt)
