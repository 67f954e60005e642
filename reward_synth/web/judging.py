"""What the feedback page shows of a round: its policies under letters, and how the run stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_uppercase

from markupsafe import Markup

from reward_synth.commands import resume_command
from reward_synth.feedback.comparison import docstring, unified
from reward_synth.report.code import highlighted, highlighted_difference
from reward_synth.report.tables import search_fitness, search_interval
from reward_synth.report.words import number as figures
from reward_synth.report.words import percent
from reward_synth.search.listening import Round
from reward_synth.search.person import heard
from reward_synth.store import Candidate, Judgement, Store
from reward_synth.store.fates import search_evaluation
from reward_synth.web.context import Context
from reward_synth.web.typed import Typed

CANDIDATE = re.compile(r"\bcandidate (\d+)\b")


@dataclass(frozen=True)
class Card:
    """One policy as it lies before a person."""

    letter: str
    number: int
    film: str
    """there, filming, waiting or none."""
    no_film: str
    """Why there is none."""
    place: int | None
    comment: str
    code: Markup
    changes: Markup | None
    """How its program differs from the one that it was made from; None where there is no such."""
    says: str
    """What the program says of itself."""
    fitness: str
    interval: str
    success: str
    parents: str


@dataclass(frozen=True)
class Said:
    """One word of a person, in words."""

    who: str
    when: str
    words: str
    quoted: bool


def cards(here: Context, round_: Round, order: Sequence[int], typed: Typed) -> list[Card]:
    """Candidates in the order in which they are shown."""
    named = letters(len(order))
    return [
        _card(here, round_, round_.candidate(number), letter, typed)
        for number, letter in zip(order, named, strict=True)
    ]


def _card(here: Context, round_: Round, candidate: Candidate, letter: str, typed: Typed) -> Card:
    film, no_film = here.films.state(round_.run, candidate)
    parent = round_.parent(candidate)
    changes = None
    if parent is not None:
        names = "the program it was made from", f"the program of {letter}"
        told = unified(parent.source, candidate.source, *names) or "The two are equal."
        changes = highlighted_difference(told)
    evaluation = search_evaluation(candidate)
    success = None if evaluation is None else evaluation.score.get("success")
    spread = search_interval(candidate)
    return Card(
        letter=letter,
        number=candidate.number,
        film=film,
        no_film=no_film,
        place=typed.places.get(candidate.number),
        comment=typed.comments.get(candidate.number, ""),
        code=highlighted(candidate.source),
        changes=changes,
        says=docstring(candidate.source) or candidate.note,
        fitness=figures(search_fitness(candidate)),
        interval="" if spread is None else f"{figures(spread[0])} to {figures(spread[1])}",
        success="" if success is None else percent(success),
        parents=", ".join(map(str, candidate.parents)),
    )


def letters(count: int) -> list[str]:
    """A, B, …, Z, AA, AB, …"""
    more = [first + second for first in ascii_uppercase for second in ascii_uppercase]
    return [*ascii_uppercase, *more][:count]


def ranked_by_fitness(round_: Round, order: Sequence[int]) -> str:
    """``B > A = C``: what the task's own measure says; empty where it says nothing."""
    named = dict(zip(order, letters(len(order)), strict=True))
    known = {n: f for n in order if (f := search_fitness(round_.candidate(n))) is not None}
    best_first = sorted(known, key=lambda n: (-known[n], n))
    tiers = [list(same) for _, same in groupby(best_first, key=lambda n: known[n])]
    return " > ".join(" = ".join(named[n] for n in tier) for tier in tiers)


def said_so_far(store: Store, round_: Round, order: Sequence[int]) -> list[Said]:
    """What everybody said of a generation, the last first."""
    named = dict(zip(order, letters(len(order)), strict=True))
    own = [j for j in store.judgements(round_.run.id) if j.generation == round_.generation]
    return [
        Said(
            who=j.who,
            when=j.given.astimezone().strftime("%H:%M"),
            words=_in_words(j, named),
            quoted=j.kind == "comment",
        )
        for j in reversed(own)
    ]


def _in_words(judgement: Judgement, named: dict[int, str]) -> str:
    def name(number: int) -> str:
        return named.get(number, f"candidate {number}")

    if judgement.kind == "comment":
        about = "All" if judgement.candidate is None else name(judgement.candidate)
        return f"{about}: {judgement.text}"
    if judgement.kind == "ranking":
        return " > ".join(" = ".join(map(name, equals)) for equals in judgement.ranking)
    if judgement.kind == "program":
        return f"entered a program: candidate {judgement.candidate}"
    return {"done": "is done with this generation", "stop": "ended the search"}[judgement.kind]


def settle(error: str, order: Sequence[int]) -> str:
    """An error's line with letters in place of the candidates' numbers, as a sentence."""
    named = dict(zip(order, letters(len(order)), strict=True))

    def letter(found: re.Match[str]) -> str:
        return named.get(int(found[1]), found[0])

    words = CANDIDATE.sub(letter, error)
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def standing(store: Store, round_: Round) -> str:
    """How the run stands, and what becomes of what is said now."""
    run, following = round_.run, round_.next
    now = round_.generation + 1
    if run.status == "finished":
        again = f"{resume_command(run.id, store.runs_dir)} --iterations {now + 1}"
        return f"The run is over. What you say is heard when it is taken up again: {again}"
    if run.status in ("stopped", "failed"):
        again = resume_command(run.id, store.runs_dir)
        return f"The run stands still ({run.message or run.status}). It goes on with: {again}"
    begun = max(c.generation for c in run.candidates if c.origin != "person") + 1
    if following is None and begun == now:
        return "The run has begun its last generation; no further prompt will hold what you say."
    if begun > now:
        return f"Generation {begun} is under way; what you say is heard in the one after it."
    settled = all(c.status not in ("proposed", "accepted") for c in round_.candidates)
    waits = round_.config.feedback and not heard(store.judgements(run.id), round_.generation)
    if waits and settled:
        return "The run waits for your word."
    return f"The run goes on meanwhile; generation {now + 1} will be offered here."
