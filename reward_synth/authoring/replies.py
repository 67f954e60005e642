"""Reads a language model's answers about a task, and says all that is wrong with them.

Whoever wrote an answer may want to do harm: its length and that of each of its parts is limited,
text is one printable line, and a program is one of the reward language or refused.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, FiniteFloat, ValidationError

from reward_synth.authoring.draft import Draft
from reward_synth.authoring.written import Measure, VariableWords, Words, spelt_out
from reward_synth.llm import extract_program
from reward_synth.llm.extraction import extract_json
from reward_synth.reward import RewardError
from reward_synth.reward.dialects import translate
from reward_synth.reward.measure import EpisodeMeasure, Over
from reward_synth.simulation.trial import measure_fault
from reward_synth.task import Episode, Task
from reward_synth.task.validation import nearest

LONGEST_REPLY = 60_000
"""Characters of an answer that is read at all."""
LONGEST_DOC = 300
LONGEST_VARIABLE_DOC = 1_000
"""A vector's documentation may tell of each entry."""
LONGEST_UNIT = 40
MARKUP = re.compile(r"<[A-Za-z/!?]|\]\(|`")
"""HTML, links and code: the text also stands in the folder's README.md."""
MOST_FAULTS = 12
"""More than a model corrects at once."""
Reply = TypeVar("Reply", bound=BaseModel)


class RefusedReply(Exception):
    """An answer that cannot be used: why, a line for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = [shortened(fault) for fault in faults[:MOST_FAULTS]]
        super().__init__("; ".join(self.faults))


def shortened(text: str, most: int = LONGEST_DOC) -> str:
    """On one printable line, and not too long."""
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _one_line(most: int) -> AfterValidator:
    def check(text: str) -> str:
        text = text.strip()
        if not text.strip(" ."):
            raise ValueError("it is empty")
        if len(text) > most:
            raise ValueError(f"it is longer than {most} characters")
        # Not printable are line ends, and signs that change the direction of reading.
        if not text.isprintable():
            raise ValueError("it is not one line of printable characters")
        if MARKUP.search(text):
            raise ValueError("it holds markup; write plain text")
        return text

    return AfterValidator(check)


Doc = Annotated[str, _one_line(LONGEST_DOC)]
VariableDoc = Annotated[str, _one_line(LONGEST_VARIABLE_DOC)]
Unit = Annotated[str, _one_line(LONGEST_UNIT)]


class _VariableReply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    doc: VariableDoc | None = None
    unit: Unit | None = None


class _WordsReply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    description: Doc | None = None
    variables: dict[str, _VariableReply] = {}


class _FitnessReply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    doc: Doc
    over: dict[str, Over]


class _SuccessReply(_FitnessReply):
    at_least: FiniteFloat
    whole_episode: bool


def read_words(text: str, draft: Draft, *, described: bool) -> Words:
    """The documentation in an answer; ``described`` is whether the description stays as it is.

    Raises RefusedReply.
    """
    _check_length(text)
    reply = _read(text, _WordsReply)
    known = [variable.name for variable in draft.variables]
    unknown = [name for name in reply.variables if name not in known]
    if unknown:
        raise RefusedReply(
            [f"{name!r} is not a variable of this task{nearest(name, known)}" for name in unknown]
        )
    return Words(
        {name: VariableWords(words.doc, words.unit) for name, words in reply.variables.items()},
        None if described else reply.description,
    )


def read_measure(
    text: str,
    name: str,
    task: Task,
    sizes: Mapping[str, int | None],
    episodes: Sequence[Episode],
) -> Measure:
    """The ``fitness`` or ``success`` (``name``) in an answer, tried on ``episodes``.

    ``sizes`` gives the entries of each variable and of ``action`` (None for ``(N,)``).

    Raises RefusedReply.
    """
    _check_length(text)
    faults: list[str] = []
    reply = program = None
    try:
        reply = _read(text, _FitnessReply if name == "fitness" else _SuccessReply)
    except RefusedReply as refused:
        faults += refused.faults
    try:
        program = _program(text, sizes)
    except RewardError as error:
        faults += [f"the program, {finding}" for finding in error.findings]
    if reply is None or program is None:
        raise RefusedReply(faults)
    success = isinstance(reply, _SuccessReply)
    measure = Measure(
        program,
        reply.over,
        reply.doc.rstrip("."),
        reply.at_least if success else None,
        reply.whole_episode if success else False,
    )
    fault = trial_fault(measure, name, task, episodes)
    if fault is not None:
        raise RefusedReply([fault])
    return measure


def _program(text: str, sizes: Mapping[str, int | None]) -> str:
    """Raises RewardError."""
    source = extract_program(text)
    translated = translate(source, sizes)
    if translated.findings:
        raise RewardError(translated.findings)
    return spelt_out(translated.source, sizes)


def trial_fault(measure: Measure, name: str, task: Task, episodes: Sequence[Episode]) -> str | None:
    """What is wrong with a measure on episodes of random actions, in words."""
    values = EpisodeMeasure(measure.program, measure.over)

    def value(episode: Episode) -> float | bool:
        return measured(measure, values, task, episode)

    fault = measure_fault(task, name, value, episodes)
    if fault is not None:
        for kind in ("ValueError", "RewardError"):
            fault = fault.removeprefix(f"{name} raised {kind}: ")
        return fault
    if name == "success" and all(value(episode) for episode in episodes):
        return "random actions succeed in every episode that was tried; ask for more"
    return None


def measured(
    measure: Measure, values: EpisodeMeasure, task: Task, episode: Episode
) -> float | bool:
    """A fitness, or whether an episode is a success."""
    value = values(episode, task.episode_steps)
    if measure.at_least is None:
        return value
    return value >= measure.at_least and not (measure.whole_episode and episode.terminated)


def _check_length(text: str) -> None:
    if len(text) > LONGEST_REPLY:
        raise RefusedReply([f"the answer is longer than {LONGEST_REPLY:,} characters"])


def _read(text: str, form: type[Reply]) -> Reply:
    """The JSON of an answer.  Raises RefusedReply."""
    found = extract_json(text)
    try:
        document: Any = json.loads(found)
    except (ValueError, RecursionError) as error:
        raise RefusedReply([f"there is no JSON in one ```json block ({error})"]) from None
    try:
        return form.model_validate(document)
    except ValidationError as error:
        raise RefusedReply(
            [
                f"{'.'.join(map(str, e['loc'])) or 'the JSON'}: "
                f"{e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            ]
        ) from None
