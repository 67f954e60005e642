"""Runs side by side: what each found, how sure that is, and what it took.

Runs are compared within a task.  A score is the winner's mean over fresh seeds where a run has
confirmed it; of an unfinished run, the best of its search so far, which flatters it.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from reward_synth.errors import UserError
from reward_synth.intervals import difference_interval, interval
from reward_synth.report.budgets import Books, Improvement, Spent
from reward_synth.report.tables import (
    Facts,
    best_candidate,
    confirmations,
    facts,
    search_fitness,
    search_interval,
)
from reward_synth.report.words import duration
from reward_synth.store import Run, Store
from reward_synth.store.baselines import baselines_since
from reward_synth.store.fates import fitness_values, search_evaluations
from reward_synth.store.ledger import find_runs, load_ledgers, searches_of

BUDGETS = {
    "steps": "steps per training",
    "samples": "candidates per generation",
    "iterations": "generations",
    "seeds": "seeds per training",
    "tune": "tuned variants",
    "rungs": "rungs",
    "finalists": "finalists",
    "confirmation_seeds": "confirmation seeds",
    "evaluation_episodes": "evaluation episodes",
    "trainer": "trainer",
    "algorithm": "algorithm",
    "environments": "environments",
}
"""Settings that decide what a run may spend or how its scores are measured, in words."""


@dataclass(frozen=True)
class Difference:
    """How far a run's score lies above the first one's, in units of fitness."""

    mean: float
    low: float
    high: float
    """95 % interval."""


@dataclass(frozen=True)
class Row:
    """One run of a comparison."""

    run: str
    kind: str
    """search or train."""
    status: str
    strategy: str
    model: str | None
    """None where no language model was used."""
    candidate: int | None
    """Number of the best one; None before anything is scored."""
    fitness: float | None
    low: float | None
    high: float | None
    """95 % interval of the fitness, over ``seeds`` or else over one policy's episodes."""
    seeds: int
    """Trainings that the fitness is a mean of."""
    confirmed: bool
    """Whether those were on fresh seeds, not the search's own."""
    confirmation: list[float]
    """Fitness on each fresh seed."""
    human_normalised: float | None
    normalised_low: float | None
    normalised_high: float | None
    expert: float | None
    sparse: float | None
    counted: Facts
    written: int
    """Candidates, repairs among them, that a language model wrote."""
    curve: list[Improvement]
    """The best search fitness so far, each time that it rose."""
    spent: Spent
    paused: float
    """Seconds between interruptions and resumptions."""
    difference: Difference | None = None
    """To the first row; None for that row, and where one of both has too few fresh seeds."""

    @property
    def refusals(self) -> dict[str, int]:
        """How many candidates the gate refused by the code of its finding, most first."""
        causes = self.counted.causes.items()
        return {cause: times for (fate, cause), times in causes if fate == "refused"}

    @property
    def tokens_per_candidate(self) -> float | None:
        """Of prompts and completions; None where no language model was used."""
        counted = self.counted
        tokens = counted.prompt_tokens + counted.completion_tokens
        return tokens / self.written if self.written else None

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        counted = self.counted
        return {
            "run": self.run,
            "kind": self.kind,
            "status": self.status,
            "strategy": self.strategy,
            "model": self.model,
            "candidate": self.candidate,
            "fitness": self.fitness,
            "low": self.low,
            "high": self.high,
            "seeds": self.seeds,
            "confirmed": self.confirmed,
            "confirmation": self.confirmation,
            "human_normalised": self.human_normalised,
            "human_normalised_low": self.normalised_low,
            "human_normalised_high": self.normalised_high,
            "difference": None if self.difference is None else asdict(self.difference),
            "execute_rate": counted.execute_rate,
            "candidates": counted.candidates,
            "refused": counted.refused,
            "refusals": self.refusals,
            "pruned": counted.pruned,
            "failed": counted.failed,
            "repaired": counted.repaired,
            "trainings": counted.trainings,
            "environment_steps": counted.environment_steps,
            "prompt_tokens": counted.prompt_tokens,
            "completion_tokens": counted.completion_tokens,
            "tokens_per_candidate": self.tokens_per_candidate,
            "cost": counted.cost,
            "seconds": counted.seconds,
            "curve": [asdict(found) for found in self.curve],
        }


@dataclass(frozen=True)
class Comparison:
    """The runs of one task, best score first; those without a score come last."""

    task: str
    rows: list[Row]
    notes: list[str]
    """What to know before comparing: other budgets, scores that are not confirmed, …  Rows are
    called by their places, from 1."""

    def document(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "task": self.task,
            "rows": [row.document() for row in self.rows],
            "notes": self.notes,
        }


def compare_recorded(
    store: Store, names: Sequence[str] = (), task: str | None = None
) -> list[Comparison]:
    """Compare runs by id, or the beginning of one, and all finished searches on ``task``.

    One comparison for each task, in the order of the names.  What ``expert`` and ``sparse`` reward
    reached on a run's own seeds, though trained later, counts before what the run knew when it
    finished.  Raises UserError for an unknown or ambiguous name, for a task without a finished
    search, and where nothing is named.
    """
    if not names and task is None:
        raise UserError(
            "no runs to compare: name some (`reward-synth runs` lists them), or give --task NAME"
        )
    ids = find_runs(store, names)
    if task is not None:
        finished, others = searches_of(store, task)
        if not finished:
            raise UserError(
                f"no search on task {task!r} has finished; name unfinished ones to compare them "
                f"as they stand: {', '.join(others[:3])}{', …' if len(others) > 3 else ''}"
            )
        ids = list(dict.fromkeys([*ids, *finished]))
    loaded = {run.id: run for run in load_ledgers(store, ids)}
    ordered = [loaded[run_id] for run_id in ids]
    for run, since in zip(ordered, baselines_since(store, ordered), strict=True):
        if run.result is not None and len(since) == 2:
            run.result = {**run.result, **since, "human_normalised": None}
    return compare(ordered)


def compare(runs: Sequence[Run]) -> list[Comparison]:
    """Compare loaded runs, one comparison for each task."""
    by_task: dict[str, list[Run]] = {}
    for run in runs:
        by_task.setdefault(run.task, []).append(run)
    return [_comparison(task, own) for task, own in by_task.items()]


def _comparison(task: str, runs: Sequence[Run]) -> Comparison:
    paired = [(row(run), run) for run in runs]
    paired.sort(key=lambda pair: _rank(pair[0]))
    ordered = [told for told, _ in paired]
    first = ordered[0]
    rows = [first, *(replace(r, difference=difference(r, first)) for r in ordered[1:])]
    return Comparison(task, rows, notes(rows, [run for _, run in paired]))


def _rank(told: Row) -> tuple[bool, float]:
    return told.fitness is None, -(told.fitness or 0.0)


def row(run: Run) -> Row:
    """A run, finished or not, as one row."""
    result = run.result or {}
    best = best_candidate(run)
    fitness = low = high = None
    seeds, confirmed, fresh = 0, False, []
    if best is not None:
        # What was confirmed counts once all seeds are there: a run that was stopped may lack some.
        if "fitness" in result and result.get("confirmed", True):
            fresh = fitness_values(confirmations(best))
            fitness, confirmed, seeds = result["fitness"], True, len(fresh)
            low, high = (result["low"], result["high"]) if seeds > 1 else (None, None)
        elif search_evaluations(best):
            fitness, seeds = search_fitness(best), len(search_evaluations(best))
            low, high = search_interval(best) or (None, None)
        else:  # a plain training that is not over
            values = fitness_values(confirmations(best))
            fitness, seeds = search_fitness(best), len(values)
            low, high = interval(values) if seeds > 1 else (None, None)
    expert, sparse = result.get("expert"), result.get("sparse")
    scale = _Scale(expert, sparse)
    normalised = result.get("human_normalised")
    books = Books(run)
    return Row(
        run=run.id,
        kind=run.kind,
        status=run.status,
        strategy=strategy_of(run),
        model=model_of(run),
        candidate=None if best is None else best.number,
        fitness=fitness,
        low=low,
        high=high,
        seeds=seeds,
        confirmed=confirmed,
        confirmation=fresh,
        human_normalised=scale(fitness) if normalised is None else normalised,
        normalised_low=scale(low),
        normalised_high=scale(high),
        expert=expert,
        sparse=sparse,
        counted=facts(run),
        written=sum(c.completion_id is not None for c in run.candidates),
        curve=books.improvements(),
        spent=books.in_all(),
        paused=books.pause(),
    )


@dataclass(frozen=True)
class _Scale:
    """(fitness − sparse) / abs(expert − sparse)."""

    expert: float | None
    sparse: float | None

    def __call__(self, fitness: float | None) -> float | None:
        if fitness is None or self.expert is None or self.sparse is None:
            return None
        span = abs(self.expert - self.sparse)
        return (fitness - self.sparse) / span if span else None


def strategy_of(run: Run) -> str:
    """How candidates were made; of a plain training, which reward it was."""
    if run.kind == "train":
        return f"no search: {Path(str(run.config.get('reward', 'a reward'))).name}"
    recorded = run.config.get("strategy")
    if recorded:
        return str(recorded)
    return "offline" if run.config.get("model", "offline") == "offline" else "eureka"


def model_of(run: Run) -> str | None:
    """Who wrote the candidates: the models that answered, or else the one that is to be asked."""
    answered = sorted({completion.model for completion in run.completions})
    if answered:
        return ", ".join(answered)
    asked = run.config.get("model", "offline")
    return None if run.kind == "train" or asked == "offline" else str(asked)


def difference(one: Row, first: Row) -> Difference | None:
    """Its score minus the first one's, where both were confirmed on at least two fresh seeds."""
    a, b = one.confirmation, first.confirmation
    if len(a) < 2 or len(b) < 2:
        return None
    low, high = difference_interval(a, b)
    return Difference(fmean(a) - fmean(b), low, high)


def notes(rows: Sequence[Row], runs: Sequence[Run]) -> list[str]:
    """What stands in the way of a plain comparison, in sentences."""
    told = []
    budgets = _unlike_budgets(runs)
    if budgets:
        told.append(f"Not the same budgets: {'; '.join(budgets)}.")
    if len({run.task_folder for run in runs}) > 1:
        told.append("The task was read from different folders: it may not have been the same.")
    unmeasured = [i for i, r in enumerate(rows, 1) if r.fitness is None and r.candidate is not None]
    if unmeasured:
        told.append(
            f"{_places(unmeasured)}: the task had no fitness, so there is no score to compare."
        )
    alone = [
        i
        for i, r in enumerate(rows, 1)
        if r.kind == "search" and r.fitness is not None and not r.confirmed
    ]
    if alone:
        told.append(
            f"{_places(alone)}: score of the search alone, not confirmed on fresh seeds; the best "
            "of many is partly luck."
        )
    single = [i for i, r in enumerate(rows, 1) if r.confirmed and r.seeds == 1]
    if single:
        told.append(f"{_places(single)}: one fresh seed, so no interval.")
    unscaled = [
        (i, run)
        for i, (r, run) in enumerate(zip(rows, runs, strict=True), 1)
        if r.fitness is not None and r.human_normalised is None and r.status == "finished"
    ]
    if unscaled:
        told.append(
            f"{_places([i for i, _ in unscaled])}: no human-normalised score, because expert and "
            "sparse reward were not trained alike.  Train both, then compare again: "
            f"{'; '.join(dict.fromkeys(_training(run) for _, run in unscaled))}"
        )
    for i, r in enumerate(rows, 1):
        if r.paused:
            told.append(
                f"{i}: interrupted for about {duration(r.paused)}, which is in the curve over "
                "wall-clock and not in the table."
            )
    return told


def _training(run: Run) -> str:
    """The command that trains the expert's reward as long and on the seeds that the run's had."""
    words = ["reward-synth", "train", run.task, "--reward", "expert"]
    if run.config.get("steps") is not None:
        words += ["--steps", str(run.config["steps"])]
    seeds = (run.result or {}).get("seeds")
    return shlex.join([*words, "--seeds", str(len(seeds))] if seeds else words)


def _unlike_budgets(runs: Sequence[Run]) -> list[str]:
    """Settings in which the runs differ: ``steps per training 100,000 (1, 3), 50,000 (2)``."""
    told = []
    for name, words in BUDGETS.items():
        places: dict[str, list[int]] = {}
        for i, run in enumerate(runs, 1):
            # A plain training's seeds are its fresh ones, not how often a search trains.
            if name in run.config and not (name == "seeds" and run.kind == "train"):
                places.setdefault(_setting(run.config[name]), []).append(i)
        if len(places) > 1:
            values = [f"{value} ({', '.join(map(str, own))})" for value, own in places.items()]
            told.append(f"{words} {', '.join(values)}")
    return told


def _setting(value: Any) -> str:
    if value is None:
        return "the task’s"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _places(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
