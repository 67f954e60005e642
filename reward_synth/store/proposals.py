"""What is recorded of a run, a proposal or a person's word; the store adds numbers, times and
fates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reward_synth.store.schema import Candidate


@dataclass(frozen=True)
class Part:
    """Which of a sweep's runs a new run is."""

    sweep: str
    cell: str


@dataclass(frozen=True)
class NewCompletion:
    """A model's answer, to be recorded with the candidate that was read from it."""

    model: str
    messages: Sequence[Mapping[str, str]]
    """The prompt: [{"role", "content"}, …]."""
    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class NewCandidate:
    """A proposal, to be recorded; the store gives it its number."""

    slot: int
    source: str
    origin: str
    """model, offline, tuned, crossed, person, expert, sparse, native or file."""
    repair: int = 0
    parents: tuple[int, ...] = ()
    note: str = ""
    completion: NewCompletion | None = None


@dataclass(frozen=True)
class RungDecision:
    """A candidate's measure at a rung of successive halving, and whether it goes on."""

    candidate: Candidate
    fitness: float
    low: float
    high: float
    kept: bool
    reason: str = ""
    """Why it is dropped, in one line."""


@dataclass(frozen=True)
class NewJudgement:
    """What a person says of a run's candidates; fields that a kind does not use stay empty."""

    kind: Literal["comment", "ranking", "program", "done", "stop"]
    who: str
    generation: int
    """The last one that the person saw."""
    text: str = ""
    candidate: int | None = None
    ranking: Sequence[Sequence[int]] = ()
    """Best first, equals together."""
    shown: Sequence[int] = ()
