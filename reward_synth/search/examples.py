"""Examples for a prompt: the best programs of finished runs on other, similar tasks.

Text2Reward's few-shot mode (Xie et al. 2023, arXiv 2309.11489) retrieves instructions by embedding
similarity; here likeness is the cosine of TF-IDF vectors over the words of a task, which needs no
model.  A task is never shown a reward of its own.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.search.strategy import ranking
from reward_synth.store import Store
from reward_synth.store.schema import Candidate
from reward_synth.task import Task, load_task

WORD = re.compile(r"[a-z]+")
OWN_WORK = ("model", "offline", "tuned", "crossed")
"""Origins of programs that a search found; what a person wrote is not shown."""


@dataclass(frozen=True)
class Example:
    """A task's description and the best program that was found for it."""

    task: str
    description: str
    fitness_doc: str
    program: str


def similar_examples(store: Store, task: Task, count: int) -> list[Example]:
    """At most ``count`` examples from finished runs of ``store``, one for a task, likest first."""
    if count == 0:
        return []
    load = cache(partial(other_task, task=task))
    best: dict[str, tuple[float, Task, Candidate]] = {}
    for run in store.list_runs():
        if run.kind != "search" or run.status != "finished" or not run.result:
            continue
        other = load(run.task_folder)
        if other is None:
            continue
        value = run.result.get("human_normalised")
        value = -math.inf if value is None else float(value)
        key = other.description
        if key in best and value <= best[key][0]:
            continue
        found = winner_of(store.candidates(run.id), run.result.get("winner"))
        if found is not None:
            best[key] = (value, other, found)
    known = [entry for _, entry in sorted(best.items())]
    likeness = similarities(words(task), [words(other) for _, other, _ in known])
    order = sorted(range(len(known)), key=lambda k: -likeness[k])
    return [
        Example(
            task=known[k][1].name,
            description=known[k][1].description,
            fitness_doc=known[k][1].fitness_doc,
            program=known[k][2].source,
        )
        for k in order[:count]
    ]


def other_task(folder: str, task: Task) -> Task | None:
    """The task of a folder, if it still is there and is not ``task`` itself, whatever its name."""
    try:
        other = load_task(folder)
    except UserError:
        return None
    itself = (
        Path(folder).resolve() == task.folder.resolve()
        or other.name == task.name
        or normal(other.description) == normal(task.description)
        or (measured_alike(other, task) and other.model == task.model)
    )
    return None if itself else other


def measured_alike(one: Task, other: Task) -> bool:
    return bool(one.fitness_doc) and normal(one.fitness_doc) == normal(other.fitness_doc)


def winner_of(candidates: Sequence[Candidate], winner: object) -> Candidate | None:
    """The best program that a run found itself."""
    own = [c for c in candidates if c.origin in OWN_WORK and c.status == "scored"]
    named = [candidate for candidate in own if candidate.number == winner]
    return next(iter(named or ranking(own)), None)


def normal(text: str) -> str:
    return " ".join(text.lower().split())


def words(task: Task) -> Counter[str]:
    """The words that say what a task is about."""
    texts = [task.description, task.fitness_doc, *task.variables]
    return Counter(WORD.findall(" ".join(texts).lower().replace("_", " ")))


def similarities(asked: Mapping[str, int], others: Sequence[Mapping[str, int]]) -> list[float]:
    """Cosines of TF-IDF vectors (Salton & Buckley 1988), in [0, 1]."""
    documents = [asked, *others]
    in_documents = Counter(word for document in documents for word in document)
    rarity = {w: math.log((1 + len(documents)) / (1 + n)) + 1 for w, n in in_documents.items()}

    def vector(document: Mapping[str, int]) -> dict[str, float]:
        weights = {word: (1 + math.log(n)) * rarity[word] for word, n in document.items()}
        norm = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        return {word: weight / norm for word, weight in weights.items()}

    first = vector(asked)
    rest = [vector(other) for other in others]
    return [sum(weight * one.get(word, 0.0) for word, weight in first.items()) for one in rest]
