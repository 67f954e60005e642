"""One candidate's page, as plain values that the template shows."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reward_synth.feedback.comparison import unified
from reward_synth.report.code import highlighted, highlighted_difference
from reward_synth.report.comparison_page import between
from reward_synth.report.pruning import measures_of, rung_lines
from reward_synth.report.tables import (
    confirmed_fitness,
    search_fitness,
    search_interval,
    warnings_of,
)
from reward_synth.report.words import number, percent
from reward_synth.store import Candidate, Evaluation, Run
from reward_synth.store.fates import best_seed, search_evaluation
from reward_synth.web.drawings import Curves, curves


@dataclass(frozen=True)
class Seed:
    """One training."""

    purpose: str
    seed: int
    fitness: str
    interval: str
    success: str
    length: str
    steps: str


@dataclass(frozen=True)
class Page:
    """What is known of a candidate."""

    number: int
    generation: int
    status: str
    state: str
    origin: str
    note: str
    reason: str
    findings: list[dict[str, Any]]
    warnings: list[str]
    rungs: list[str]
    fitness: str
    interval: str
    confirmed: str
    seeds: list[Seed]
    learning: Curves | None
    components: Curves | None
    code: Markup | None
    differences: list[tuple[int, Markup | None]]
    """By parent; None where the programs are equal."""
    prompt: list[dict[str, str]]
    completion: str | None
    asked: str
    """Model, tokens and price of the completion."""


PURPOSES = {"search": "search", "confirm": "fresh"}


def candidate_page(run: Run, candidate: Candidate, parents: dict[int, str]) -> Page:
    """``parents`` are the programs that it was made from, by number."""
    spread = search_interval(candidate) if candidate.evaluations else None
    fitness = search_fitness(candidate)
    confirmed = confirmed_fitness(candidate) if run.kind == "search" else None
    return Page(
        number=candidate.number,
        generation=candidate.generation + 1,
        status=candidate.status,
        state=candidate.status + (f", repair {candidate.repair}" if candidate.repair else ""),
        origin=candidate.origin,
        note=candidate.note,
        reason=candidate.reason,
        findings=candidate.findings,
        warnings=warnings_of(candidate),
        rungs=rung_lines(measures_of(candidate)) if candidate.rungs else [],
        fitness="" if fitness is None else number(fitness),
        interval="" if spread is None else between(*spread),
        confirmed="" if confirmed is None else number(confirmed),
        seeds=[_seed(e) for e in sorted(candidate.evaluations, key=_order)],
        learning=_learning(candidate),
        components=_components(candidate),
        code=highlighted(candidate.source) if candidate.source else None,
        differences=[
            (number, _difference(source, candidate.source, number, candidate.number))
            for number, source in sorted(parents.items())
            if candidate.source
        ],
        prompt=candidate.completion.messages if candidate.completion else [],
        completion=candidate.completion.text if candidate.completion else None,
        asked=_asked(candidate),
    )


def _order(evaluation: Evaluation) -> tuple[bool, int]:
    """The search's trainings first."""
    return evaluation.purpose != "search", evaluation.seed


def _seed(evaluation: Evaluation) -> Seed:
    score = evaluation.score
    success = score.get("success")
    return Seed(
        purpose=PURPOSES.get(evaluation.purpose, evaluation.purpose),
        seed=evaluation.seed,
        fitness=number(evaluation.fitness),
        interval=between(score.get("low"), score.get("high")),
        success="–" if success is None else percent(success),
        length=number(score.get("length")),
        steps=f"{evaluation.steps:,}",
    )


def _learning(candidate: Candidate) -> Curves | None:
    """Fitness of the exploring policy over each training."""
    named: dict[str, list[tuple[float, float]]] = {}
    for evaluation in sorted(candidate.evaluations, key=_order):
        points = [
            (float(point["step"]), float(point["fitness"]))
            for point in evaluation.report.get("checkpoints", [])
            if point.get("fitness") is not None
        ]
        purpose = PURPOSES.get(evaluation.purpose, evaluation.purpose)
        named[f"{purpose}, seed {evaluation.seed}"] = points
    return curves(named, "environment steps")


def _components(candidate: Candidate) -> Curves | None:
    """Each component's mean per step, over the training that stands for it."""
    if not candidate.evaluations:
        return None
    evaluation = search_evaluation(candidate) or best_seed(candidate)
    named: dict[str, list[tuple[float, float]]] = {}
    for point in evaluation.report.get("checkpoints", []):
        for name, statistics in point["components"].items():
            named.setdefault(name, []).append((float(point["step"]), float(statistics["mean"])))
    return curves(named, "environment steps")


def _difference(before: str, after: str, parent: int, child: int) -> Markup | None:
    text = unified(before, after, f"candidate {parent}", f"candidate {child}")
    return highlighted_difference(text + "\n") if text else None


def _asked(candidate: Candidate) -> str:
    completion = candidate.completion
    if completion is None:
        return ""
    told = [completion.model]
    if completion.prompt_tokens or completion.completion_tokens:
        told.append(f"{completion.prompt_tokens:,} tokens in, {completion.completion_tokens:,} out")
    if completion.cost is not None:
        told.append(f"${completion.cost:.4f}")
    return " · ".join(told)
