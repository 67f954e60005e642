"""A person's words on a run: which of them a generation is made with, and how a model reads them.

Text2Reward (Xie et al. 2023, arXiv 2309.11489) and Eureka (Ma et al. 2023, arXiv 2310.12931) give
a model what a person says of a policy, ICPL (Yu et al. 2024, arXiv 2410.17233) how they judge
several.  Both stand before the reflection, with the numbers of the programs.
"""

from collections.abc import Sequence
from typing import Any

from reward_synth.feedback.comparison import docstring
from reward_synth.feedback.history import GIST_LENGTH
from reward_synth.feedback.preferences import Scores, fit
from reward_synth.feedback.templates import render
from reward_synth.feedback.words import number, one_line
from reward_synth.search.strategy import search_fitness
from reward_synth.store.schema import Candidate, Judgement

MOST_WORDS = 8
"""Comments that a prompt holds: the last ones."""
LONGEST_COMMENT = 2000
"""Characters of one."""


ENDS = ("done", "stop")
"""Kinds of judgements that end a sitting."""


def stopped_by_word(judgements: Sequence[Judgement]) -> bool:
    """Whether the last sitting ended with the wish for no further generation."""
    ends = [j.kind for j in judgements if j.kind in ENDS]
    return ends[-1:] == ["stop"]


def heard(judgements: Sequence[Judgement], generation: int) -> bool:
    """Whether a person has ended their judgement of a generation, or of a later one."""
    return any(j.kind in ENDS and j.generation >= generation for j in judgements)


def judged(numbers: Sequence[int], judgements: Sequence[Judgement]) -> Scores:
    """What the rankings so far say of candidates."""
    return fit(numbers, [j.ranking for j in judgements if j.kind == "ranking"])


def before(judgements: Sequence[Judgement], generation: int) -> list[Judgement]:
    """What was said of the generations before one."""
    return [j for j in judgements if j.generation < generation]


def words(
    judgements: Sequence[Judgement],
    generation: int,
    candidates: Sequence[Candidate],
    parent: Candidate | None,
) -> str:
    """What a person said before a generation, for its prompt; empty where they said nothing.

    ``candidates`` are those of the generations before, ``parent`` is the one whose answer the
    prompt shows.
    """
    said = before(judgements, generation)
    comments = [j for j in said if j.kind == "comment" and j.text.strip()][-MOST_WORDS:]
    ranking = next((j.ranking for j in reversed(said) if j.kind == "ranking"), [])
    known = {c.number: c for c in candidates}
    about = [n for n in dict.fromkeys(j.candidate for j in comments) if n in known]
    ranking = [[n for n in equals if n in known] for equals in ranking]
    ranking = [equals for equals in ranking if equals]
    if not comments and not ranking:
        return ""

    def told(n: int) -> dict[str, Any]:
        fitness = search_fitness(known[n])
        return {
            "name": n,
            "here": parent is not None and n == parent.number,
            "fitness": None if fitness is None else number(fitness),
            "said": one_line(docstring(known[n].source), GIST_LENGTH),
            "comments": [text_of(j) for j in comments if j.candidate == n],
        }

    return render(
        "eureka/person.md.j2",
        None,
        about_all=[text_of(j) for j in comments if j.candidate not in known],
        programs=[told(n) for n in about],
        ranking=[[told(n) for n in equals] for equals in ranking],
    )


def text_of(judgement: Judgement) -> str:
    return one_line(judgement.text, LONGEST_COMMENT)
