"""The list of runs and one run's page, as plain values that the templates show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from reward_synth.report.comparison_page import between
from reward_synth.report.words import amount, duration, number, percent, shortened
from reward_synth.store import Run
from reward_synth.store.activity import alive
from reward_synth.store.glance import Glance, Mark
from reward_synth.store.overview import Overview
from reward_synth.web.drawings import Scores, Spark, score_by_generation, spark
from reward_synth.web.family import Family, family

PAGE = 50
"""Runs of one page, and candidates of one."""
STATES = {
    "running": "running",
    "interrupted": "interrupted",
    "finished": "finished",
    "stopped": "stopped at a limit",
    "failed": "failed",
}
FATES = ("scored", "pruned", "refused", "failed", "accepted", "proposed")
"""Of candidates, in the order in which they are told of."""
WORDS = {"accepted": "in training or waiting", "proposed": "not checked yet"}
"""For those fates whose names do not say it."""


@dataclass(frozen=True)
class Line:
    """A run in the list."""

    id: str
    task: str
    status: str
    state: str
    how: str
    candidates: str
    spark: Spark | None
    fitness: str
    normalised: str
    time: str
    cost: str
    created: datetime


def line(run: Overview) -> Line:
    return Line(
        id=run.id,
        task=run.task,
        status=run.state,
        state=STATES.get(run.state, run.state),
        how=how(run),
        candidates="" if run.kind == "train" else f"{run.candidates:,}",
        spark=spark(run.best_by_generation),
        fitness=number(run.fitness),
        normalised="–" if run.human_normalised is None else f"{run.human_normalised:.2f}",
        time=duration(elapsed(run)),
        cost=price(run),
        created=run.created,
    )


def how(run: Overview) -> str:
    """Strategy and models, or which reward a plain training has."""
    if run.kind == "train":
        return f"training of {shortened(str(run.config.get('reward', 'a reward')), 60)}"
    asked = str(run.config.get("model", "offline"))
    models = run.models or (() if asked == "offline" else (asked,))
    strategy = run.config.get("strategy") or ("eureka" if models else "offline")
    return " · ".join([str(strategy), *(shortened(model, 60) for model in models)])


def elapsed(run: Overview) -> float:
    """Seconds of work; of a run that has not recorded any yet, since it was begun."""
    if run.seconds or run.beat is None or not alive(run.beat):
        return run.seconds
    return max(0.0, (run.beat - run.created).total_seconds())


def price(run: Overview) -> str:
    if not run.models:
        return "–"
    return "unknown" if run.cost is None else f"${run.cost:.2f}"


@dataclass(frozen=True)
class Pager:
    """Where a page stands among others."""

    first: int
    last: int
    total: int
    before: str
    """Address of the page before; empty on the first one."""
    after: str


def pager(path: str, chosen: Mapping[str, str], page: int, total: int) -> Pager:
    """``chosen`` is what the addresses keep."""

    def address(number: int) -> str:
        kept = {name: value for name, value in chosen.items() if value}
        query = urlencode({**kept, **({"page": str(number)} if number > 1 else {})})
        return f"{path}?{query}" if query else path

    first = (page - 1) * PAGE
    return Pager(
        first=min(first + 1, total),
        last=min(first + PAGE, total),
        total=total,
        before=address(page - 1) if page > 1 else "",
        after=address(page + 1) if first + PAGE < total else "",
    )


@dataclass(frozen=True)
class Budget:
    """Something that a run spends, and how much of what it may."""

    name: str
    spent: str
    of: str
    """The limit in words; empty where there is none."""
    share: float


def budgets(run: Overview) -> list[Budget]:
    """What a search has spent: generations, candidates, tokens, money, time."""
    config = run.config
    begun = 1 + max((g for g, _ in run.best_by_generation), default=-1)
    found = [
        _budget("Generations scored", begun, config.get("iterations"), str),
        _budget("Candidates", run.candidates, None, lambda count: f"{count:,}"),
    ]
    if run.models:
        tokens = run.prompt_tokens + run.completion_tokens
        found.append(_budget("Tokens", tokens, config.get("max_tokens"), amount))
        if run.cost is None:
            found.append(Budget("Cost", "unknown", "", 0.0))
        else:
            found.append(
                _budget("Cost", run.cost, config.get("max_cost"), lambda usd: f"${usd:.2f}")
            )
    hours = config.get("max_hours")
    limit = None if hours is None else hours * 3600
    found.append(_budget("Wall-clock", elapsed(run), limit, duration))
    return found


def _budget(name: str, spent: float, limit: float | None, told: Any) -> Budget:
    share = min(1.0, spent / limit) if limit else 0.0
    return Budget(name, told(spent), told(limit) if limit else "", share)


@dataclass(frozen=True)
class Row:
    """A candidate in the list of its run."""

    number: int
    generation: int
    fitness: str
    share: float
    """Of the way from the worst to the best."""
    rung: str
    """Fitness where it was dropped."""
    confirmed: str
    status: str
    state: str
    parents: list[int]
    how: str
    best: bool


def candidate_rows(rows: Sequence[Glance], shown: Sequence[Glance], best: int | None) -> list[Row]:
    scores = [row.fitness for row in rows if row.fitness is not None]
    low, high = min([0.0, *scores]), max(scores, default=1.0)
    return [
        Row(
            number=row.number,
            generation=row.generation + 1,
            fitness="" if row.fitness is None else number(row.fitness),
            share=0.0 if row.fitness is None else (row.fitness - low) / ((high - low) or 1.0),
            rung="" if row.rung is None else number(row.rung),
            confirmed="" if row.confirmed is None else number(row.confirmed),
            status=row.status,
            state=row.status + (f", repair {row.repair}" if row.repair else ""),
            parents=row.parents,
            how=shortened(row.reason or row.note, 200),
            best=row.number == best,
        )
        for row in shown
    ]


def chosen_rows(
    rows: Sequence[Glance], status: str, generation: int | None, by: str
) -> list[Glance]:
    """Those with a fate or of a generation, by number or (``by="fitness"``) best first."""
    found = [
        row
        for row in rows
        if (not status or row.status == status)
        and (generation is None or row.generation == generation)
    ]
    if by == "fitness":
        found.sort(key=lambda row: (row.fitness is None, -(row.fitness or 0.0), row.number))
    return found


def best_number(run: Run, rows: Sequence[Glance]) -> int | None:
    """The winner of a run that is over, else the best so far."""
    winner = (run.result or {}).get("winner")
    if winner is not None:
        return winner
    scored = [row for row in rows if row.fitness is not None]
    return max(scored, key=lambda row: (row.fitness, -row.number)).number if scored else None


@dataclass(frozen=True)
class Headline:
    """The score that a run is known by."""

    fitness: str
    interval: str
    basis: str
    normalised: str


def headline(run: Overview, best: int | None) -> Headline | None:
    if run.fitness is None:
        return None
    result = run.result
    if "fitness" not in result:
        return Headline(number(run.best), "", f"candidate {best}, the best so far", "")
    confirmed = result.get("confirmed", True)
    seeds = len(result.get("seeds", []))
    basis = f"95 % interval over {seeds} fresh seeds" if confirmed else "of the search alone"
    score = run.human_normalised
    return Headline(
        number(run.fitness),
        between(result.get("low"), result.get("high")),
        f"candidate {result.get('winner', best)}, {basis}" if run.kind == "search" else basis,
        "" if score is None else f"{score:.2f}",
    )


@dataclass(frozen=True)
class Training:
    """A training under way."""

    candidate: int
    seed: str
    """Empty where each candidate has one training."""
    step: int
    steps: int
    fitness: str
    told: str


@dataclass(frozen=True)
class Doing:
    """What a run is at."""

    doing: str
    waiting: bool
    """Whether it waits for a person."""
    trainings: list[Training]


def doing(mark: Mark) -> Doing | None:
    """None where nobody works on the run."""
    at = mark.activity
    if at is None:
        return None
    words = at.doing
    if at.generation is not None and words in ("training", "checking candidates"):
        words += f", generation {at.generation + 1}"
    several = len({t["candidate"] for t in at.trainings}) < len(at.trainings)
    trainings = [
        Training(
            candidate=t["candidate"],
            seed=str(t["seed"]) if several else "",
            step=t["step"] or 0,
            steps=t["steps"] or 1,
            fitness="" if t["fitness"] is None else number(t["fitness"]),
            told=f"{amount(t['step'] or 0)} of {amount(t['steps'] or 1)} steps, "
            + percent((t["step"] or 0) / (t["steps"] or 1)),
        )
        for t in sorted(at.trainings, key=lambda t: (t["candidate"], t["seed"] or 0))
    ]
    return Doing(words, at.doing.startswith("waiting"), trainings)


@dataclass(frozen=True)
class Drawings:
    scores: Scores | None
    family: Family | None


def drawings(run: Run, rows: Sequence[Glance], best: int | None) -> Drawings:
    if run.kind == "train":
        return Drawings(None, None)
    result = run.result or {}
    levels = {name: result.get(name) for name in ("expert", "sparse")}
    return Drawings(score_by_generation(rows, best, levels), family(rows, best))
