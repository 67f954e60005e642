"""A training's report turned into words for the next prompt: Eureka's reward reflection, and more.

Ma et al. 2023, arXiv 2310.12931: the values of every reward component and of the task's own
measure at about ten points of training, then how to read them.  Beside that stand what the
policy does, what distinguishes the program from its parent and from the run's best, and what else
was tried.  The wording is in ``prompts/eureka/reflection.md.j2``: the most telling comes first,
of the tips only those that apply are told, and the whole is kept within a budget of tokens.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reward_synth.feedback.behaviour import describe
from reward_synth.feedback.comparison import Differences, differences, docstring
from reward_synth.feedback.diagnosis import (
    Tip,
    component_names,
    diagnose,
    fitness_correlation,
    goes_with_fitness,
    height,
    mean_share,
    measured_with_fitness,
    never_active,
)
from reward_synth.feedback.history import GIST_LENGTH, Attempt, History, outcomes, tried
from reward_synth.feedback.templates import render
from reward_synth.feedback.words import name_of, number, one_line, percent, tokens
from reward_synth.task import Task
from sandbox.messages import Checkpoint, TrainingReport

if TYPE_CHECKING:
    from reward_synth.evaluation import Behaviour, Score

TEMPLATE = "eureka/reflection.md.j2"
BUDGET = 1500
"""Tokens, by the estimate of :func:`reward_synth.feedback.words.tokens`."""
LONGEST_SOURCE = 1000
"""Tokens of a better program that is shown beside the reflection."""
BLAMES_THE_PROGRAM = frozenset({"unlearned", "unsuccessful"})
"""Tips that a better training with the same program refutes."""

PREFERRED = "score by what the person prefers"
"""What programs are compared by on a task without a fitness."""
MOST_CHANGES = 8
"""Of one kind."""
WHOLE: Mapping[str, int] = {
    "points": 10,
    "components": 24,
    "excerpts": 2,
    "variables": 8,
    "tried": 6,
    "changes": 1,
    "tips": 12,
    "source": 0,
}
"""How many of each are told where there is room for all."""
SHORTER: Sequence[tuple[str, int]] = (
    ("tried", 3),
    ("variables", 4),
    ("excerpts", 1),
    ("variables", 0),
    ("points", 5),
    ("tried", 1),
    ("components", 12),
    ("excerpts", 0),
    ("changes", 0),
    ("tried", 0),
    ("components", 6),
    ("tips", 4),
    ("points", 3),
    ("components", 3),
    ("tips", 2),
    ("components", 1),
)
"""What is left out in turn until the rest fits: the least telling first."""


def reflect(
    task: Task,
    report: TrainingReport,
    score: "Score",
    behaviour: "Behaviour | None" = None,
    history: History | None = None,
    *,
    best: "Behaviour | None" = None,
    budget: int = BUDGET,
) -> str:
    """What training with a reward program did, as Markdown for the next prompt.

    ``report`` is the worker's, ``score`` the trusted measure of the final policy and ``behaviour``
    what that policy does; ``best`` is what another training's does with the same
    program, where that one is clearly better; ``history`` is the run around the program.
    ``budget`` is in tokens; only what is told in any case (the final score, the curve of fitness
    and of one component) may exceed it.  Where another program is better, that one follows, with
    a budget of its own.
    """
    room = dict(WHOLE)

    def told() -> str:
        return _told(task, report, score, behaviour, best, history, room)

    text = told()
    for part, count in SHORTER:
        if tokens(text) <= budget:
            break
        room[part] = count
        text = told()
    better = None if history is None else history.best
    if better is not None and tokens(better.source) <= LONGEST_SOURCE:
        room["source"] = 1
        text = told()
    return text


def evenly(checkpoints: Sequence[Checkpoint], count: int) -> list[Checkpoint]:
    """At most ``count`` of the checkpoints, evenly spaced, the last one among them."""
    total = len(checkpoints)
    if total <= count:
        return list(checkpoints)
    return [checkpoints[round((i + 1) * total / count) - 1] for i in range(count)]


def _told(
    task: Task,
    report: TrainingReport,
    score: "Score",
    behaviour: "Behaviour | None",
    best: "Behaviour | None",
    history: History | None,
    room: Mapping[str, int],
) -> str:
    """The reflection with so many of each part."""
    checkpoints = report.checkpoints
    points = evenly(checkpoints, room["points"])
    has_success = score.success is not None
    tips = diagnose(
        checkpoints,
        final_length=score.length,
        episode_steps=task.episode_steps,
        final_success=score.success,
        final_fitness=score.fitness,
    )
    tips = [
        tip
        for tip in tips  # what carries the total and goes with fitness does so rightly
        if not (tip.kind == "dominating" and goes_with_fitness(checkpoints, tip.name or ""))
    ]
    if best is not None:  # it has learned the task, and so can be learned from
        tips = [Tip("uneven"), *(tip for tip in tips if tip.kind not in BLAMES_THE_PROGRAM)]
    names = component_names(checkpoints)
    largest = sorted(names, key=lambda name: mean_share(checkpoints, name), reverse=True)
    kept = set(largest[: room["components"]])
    return render(
        TEMPLATE,
        steps=report.steps,
        points=len(points),
        components=[_component(checkpoints, points, name) for name in names if name in kept],
        correlated=_correlated(checkpoints, kept),
        components_left_out=len(names) - len(kept),
        episode_return=[number(c.episode_return) for c in points],
        episode_length=[number(c.episode_length) for c in points],
        episode_steps=task.episode_steps,
        fitness=[number(c.fitness) for c in points],
        success=[number(c.success) for c in points] if has_success else None,
        noise=[number(c.noise) for c in points if c.noise is not None],
        episodes=len(score.episodes),
        measured=score.fitness is not None,
        measure="fitness" if score.fitness is not None else PREFERRED,
        final_fitness=number(score.fitness),
        final_low=number(score.low),
        final_high=number(score.high),
        final_success=number(score.success) if has_success else None,
        final_length=number(score.length),
        tips=[
            {
                "kind": tip.kind,
                "name": name_of(tip.name or ""),
                "share": percent(tip.share or 0.0),
                "best": number(tip.best),
                "last": number(tip.last),
                "pays": tip.pays,
            }
            for tip in tips[: room["tips"]]
        ],
        **_run(history, room),
        behaviour=describe(behaviour, best, variables=room["variables"], excerpts=room["excerpts"])
        if behaviour is not None
        else "",
    )


def _component(
    checkpoints: Sequence[Checkpoint], points: Sequence[Checkpoint], name: str
) -> dict[str, Any]:
    """A component's curve at some points, and its figures over all checkpoints."""
    found = [c.components[name] for c in checkpoints if name in c.components]
    together = fitness_correlation(checkpoints, name)
    reached = height(checkpoints, name)
    return {
        "name": name_of(name),
        "active": not never_active(checkpoints, name),
        "means": [number(c.components[name].mean) for c in points if name in c.components],
        "share": percent(mean_share(checkpoints, name)),
        "lowest": number(min(s.min for s in found)),
        "highest": number(max(s.max for s in found)),
        "ends": None if reached is None else percent(reached),
        "r": None if together is None else f"{together:.2f}",
    }


def _correlated(checkpoints: Sequence[Checkpoint], names: Collection[str]) -> int:
    """Points that the correlations are made from; 0 where none is told."""
    found = [name for name in names if fitness_correlation(checkpoints, name) is not None]
    return max((measured_with_fitness(checkpoints, name) for name in found), default=0)


def _run(history: History | None, room: Mapping[str, int]) -> dict[str, Any]:
    """The values of the template that tell of other programs."""
    if history is None:
        nobody = {"mean": None, "parent": None, "best": None, "better": ""}
        return {**nobody, "leads": False, "equals": 0, "others": []}
    current, parent, best = history.current, history.parent, history.best
    same = parent is not None and best is not None and parent.source == best.source
    return {
        "mean": None
        if len(current.trainings) < 2
        else {"trainings": outcomes(current), "fitness": number(current.fitness)},
        "parent": parent and {**_against(parent, current, room), "best": same},
        "best": None if best is None or same else _against(best, current, room),
        "better": best.source.strip() if best is not None and room["source"] else "",
        "leads": best is None and (parent is not None or len(history.others) > 0),
        "equals": sum(o.fate == "scored" and o.fitness == current.fitness for o in history.others),
        "others": tried(history, room["tried"]),
    }


def _against(other: Attempt, current: Attempt, room: Mapping[str, int]) -> dict[str, Any]:
    """How the current program differs from another one, and by how much it is better."""
    found = differences(other.source, current.source) if room["changes"] else None
    gain = (current.fitness or 0.0) - (other.fitness or 0.0)
    return {
        "fitness": number(other.fitness),
        "said": one_line(docstring(other.source), GIST_LENGTH) if room["changes"] else "",
        "own": number(current.fitness),
        "gain": number(gain) if gain < 0.0 else f"+{number(gain)}",
        "compared": found is not None,
        "changes": [] if found is None else _changes(found),
    }


def _changes(found: Differences) -> list[dict[str, Any]]:
    """Kinds of change with the names that each is about; none for two programs that agree."""
    kinds = {
        "added": found.added,
        "removed": found.removed,
        "rewritten": found.rewritten,
        "rescaled": found.rescaled,
    }
    told: list[dict[str, Any]] = [
        {"kind": kind, "about": _listed([f"`{name_of(name)}`" for name in names])}
        for kind, names in kinds.items()
        if names
    ]
    if found.total:
        told.append({"kind": "total", "about": ""})
    if found.constants:
        values = [f"{name} {before} → {now}" for name, before, now in found.constants]
        told.append({"kind": "constants", "about": _listed([one_line(v, 60) for v in values])})
    return told


def _listed(entries: Sequence[str]) -> str:
    more = [f"and {len(entries) - MOST_CHANGES} more"] if len(entries) > MOST_CHANGES else []
    return ", ".join([*entries[:MOST_CHANGES], *more])
