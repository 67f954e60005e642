"""A training's report turned into words for the next prompt: Eureka's reward reflection.

Ma et al. 2023, arXiv 2310.12931: the values of every reward component and of the task's own
measure at about ten points of training, then how to read them.  The wording is in
``prompts/eureka/reflection.md.j2``; of the tips only those that apply are told.
"""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reward_synth.feedback.diagnosis import component_names, diagnose, mean_share
from reward_synth.feedback.templates import render
from reward_synth.task import Task
from sandbox.messages import Checkpoint, TrainingReport

if TYPE_CHECKING:
    from reward_synth.evaluation.score import Score

POINTS = 10


def reflect(task: Task, source: str, report: TrainingReport, score: "Score") -> str:
    """What training with ``source`` did, as Markdown for the next prompt.

    ``report`` is the worker's, ``score`` the trusted measure of the final policy.
    """
    points = evenly(report.checkpoints, POINTS)
    has_success = score.success is not None
    tips = diagnose(report.checkpoints, final_length=score.length, episode_steps=task.episode_steps)
    return render(
        "eureka/reflection.md.j2",
        steps=report.steps,
        points=[c.step for c in points],
        components=[_component(points, name) for name in component_names(points)],
        episode_return=[_number(c.episode_return) for c in points],
        episode_length=[_number(c.episode_length) for c in points],
        episode_steps=task.episode_steps,
        fitness=[_number(c.fitness) for c in points],
        fitness_doc=task.fitness_doc,
        success=[_number(c.success) for c in points] if has_success else None,
        success_doc=task.success_doc or "share of episodes that succeed",
        episodes=len(score.episodes),
        final_fitness=_number(score.fitness),
        final_low=_number(score.low),
        final_high=_number(score.high),
        final_success=_number(score.success) if has_success else None,
        final_length=_number(score.length),
        tips=[
            {
                "kind": tip.kind,
                "name": tip.name,
                "share": _percent(tip.share or 0.0),
                "best": _number(tip.best),
                "last": _number(tip.last),
                "pays": tip.pays,
            }
            for tip in tips
        ],
        constants=[f"{name} = {value}" for name, value in tunable_constants(source)],
    )


def evenly(checkpoints: Sequence[Checkpoint], count: int) -> list[Checkpoint]:
    """At most ``count`` of the checkpoints, evenly spaced, the last one among them."""
    total = len(checkpoints)
    if total <= count:
        return list(checkpoints)
    return [checkpoints[round((i + 1) * total / count) - 1] for i in range(count)]


def tunable_constants(source: str) -> list[tuple[str, str]]:
    """Upper-case constants of a program as (name, value), in order; none if it is no Python."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        (target.id, ast.unparse(statement.value))
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    ]


def _component(points: Sequence[Checkpoint], name: str) -> dict[str, object]:
    statistics = [c.components[name] for c in points if name in c.components]
    means = [s.mean for s in statistics]
    return {
        "name": name,
        "means": [_number(mean) for mean in means],
        "max": _number(max(means)),
        "mean": _number(sum(means) / len(means)),
        "min": _number(min(means)),
        "share": _percent(mean_share(points, name)),
        "lowest": _number(min(s.min for s in statistics)),
        "highest": _number(max(s.max for s in statistics)),
    }


def _number(value: float | None) -> str:
    """Three significant digits or all before the point; a dash where nothing was measured."""
    if value is None:
        return "–"
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
