"""A run's other programs, as the reflection on one of them tells of them.

Compared with are the program that it was made from and the run's best; of the rest a few are
told, so that what failed is not tried again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any, Literal

from reward_synth.feedback.comparison import component_list, docstring
from reward_synth.feedback.words import name_of, number, one_line

MOST_COMPONENTS = 8
"""Of a program, by name."""
GIST_LENGTH = 90
REASON_LENGTH = 140


@dataclass(frozen=True)
class Attempt:
    """A program of the run and what came of it."""

    source: str
    fate: Literal["scored", "pruned", "failed", "refused"]
    """Trained to the end, dropped before, failed in training, or refused by the gate."""
    fitness: float | None = None
    """The mean over its trainings; of a pruned one the last that was measured; on a task without a
    fitness the score by what people prefer."""
    reason: str = ""
    """Why it was not scored."""
    trainings: Sequence[tuple[float | None, float]] = ()
    """Fitness of each training's final policy (None on a task without one), and the control steps
    of its episodes."""


@dataclass(frozen=True)
class History:
    """The run up to now around the program that is reflected upon."""

    current: Attempt
    parent: Attempt | None = None
    """The program that it was made from, where that was trained."""
    best: Attempt | None = None
    """The run's best program; None where that is the current one."""
    others: Sequence[Attempt] = field(default=())
    """All others, in the order in which they were proposed."""


def tried(history: History, count: int) -> list[dict[str, Any]]:
    """At most ``count`` of the others in words, as :func:`words` gives them.

    Taken in turn are the best of those that were scored, the most frequent reason for not being
    trained, and the worst that trained.  Programs that read the same are told once.
    """
    trained = [a for a in history.others if a.fitness is not None]
    trained.sort(key=lambda a: (a.fate == "scored", a.fitness), reverse=True)
    broken = [a for a in history.others if a.fate in ("failed", "refused")]
    often = Counter(a.reason for a in broken)
    broken.sort(key=lambda a: -often[a.reason])
    chosen: dict[tuple[str, ...], Attempt] = {}
    for attempt in in_turn(trained, broken, trained[::-1]):
        if len(chosen) < count:
            chosen.setdefault(identity(attempt), attempt)
    order = [*trained, *broken]
    told = sorted(chosen.values(), key=order.index)
    return [words(attempt, often[attempt.reason]) for attempt in told]


def in_turn(*queues: Sequence[Attempt]) -> Iterator[Attempt]:
    """The first of each queue, then the second of each, …"""
    return (a for a in chain.from_iterable(zip_longest(*queues)) if a is not None)


def identity(attempt: Attempt) -> tuple[str, ...]:
    """What two programs that read the same have in common."""
    if attempt.fitness is None:
        return (attempt.fate, attempt.reason)
    return (docstring(attempt.source), *component_list(attempt.source))


def outcomes(attempt: Attempt) -> list[dict[str, str]]:
    """What each training came to, the worst first."""
    return [
        {"fitness": number(fitness), "length": number(round(length))}
        for fitness, length in sorted(attempt.trainings, key=lambda t: (t[0] or 0.0, t[1]))
    ]


def words(attempt: Attempt, times: int) -> dict[str, Any]:
    """A program and what came of it, as the template tells it."""
    parts = [f"`{name_of(name)}`" for name in component_list(attempt.source)]
    more = [f"and {len(parts) - MOST_COMPONENTS} more"] if len(parts) > MOST_COMPONENTS else []
    trained = attempt.fitness is not None
    return {
        "fate": attempt.fate,
        "fitness": number(attempt.fitness),
        "trainings": outcomes(attempt),
        "parts": ", ".join(parts[:MOST_COMPONENTS] + more),
        "said": one_line(docstring(attempt.source), GIST_LENGTH) if trained else "",
        "reason": one_line(attempt.reason, REASON_LENGTH),
        "times": str(times) if not trained and times > 1 else "",
    }
