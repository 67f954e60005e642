"""A run as plain data: its best candidate, what became of each, and what it all took."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from reward_synth.intervals import interval
from reward_synth.report.words import duration, number, percent, shortened
from reward_synth.store import Candidate, Evaluation, Run
from reward_synth.store.fates import (
    EXECUTED,
    best_seed,
    confirmations,
    fitness_values,
    mean_fitness,
    search_evaluation,
    search_evaluations,
    seeds_of,
    steps_until_pruned,
)


def search_fitness(candidate: Candidate) -> float | None:
    """Fitness in the search, the mean over its seeds; of a plain training, over all seeds."""
    own = search_evaluations(candidate)
    return mean_fitness(own) if own else confirmed_fitness(candidate)


def search_score(candidate: Candidate) -> float | None:
    """What a report ranks by: the fitness; on a task without one the score by what people
    prefer."""
    fitness = search_fitness(candidate)
    return candidate.worth if fitness is None else fitness


def is_measured(run: Run) -> bool:
    """Whether there are numbers of fitness: not on a task without one."""
    trained = [e for c in run.candidates for e in c.evaluations]
    return not trained or any(e.fitness is not None for e in trained)


def score_name(run: Run) -> str:
    """What ``search_score`` is of."""
    return "fitness" if is_measured(run) else "score by preference"


def search_interval(candidate: Candidate) -> tuple[float, float] | None:
    """95 % interval of the search's fitness: over its seeds, or the episodes of the only one."""
    own = search_evaluations(candidate)
    values = fitness_values(own)
    if len(own) == 1 and values:
        return own[0].score["low"], own[0].score["high"]
    return interval(values) if values else None


def confirmed_fitness(candidate: Candidate) -> float | None:
    """Mean fitness over the confirmation seeds."""
    return mean_fitness(confirmations(candidate))


def best_candidate(run: Run) -> Candidate | None:
    """The winner of a finished run, the best so far of one that is not."""
    winner = (run.result or {}).get("winner")
    scored = [c for c in run.candidates if c.evaluations]
    for candidate in scored:
        if candidate.number == winner:
            return candidate

    def rank(candidate: Candidate) -> tuple[float, int]:
        score = search_fitness(candidate) if candidate.worth is None else candidate.worth
        return -math.inf if score is None else score, -candidate.number

    return max(scored, key=rank, default=None)


def best_training(run: Run) -> Evaluation | None:
    """The best candidate's training whose curves are shown: the search's, else the best seed's."""
    candidate = best_candidate(run)
    return None if candidate is None else search_evaluation(candidate) or best_seed(candidate)


def best_policy(run: Run) -> Evaluation | None:
    """The best candidate's training whose policy is kept: the best of its confirmations."""
    candidate = best_candidate(run)
    return None if candidate is None else best_seed(candidate)


@dataclass(frozen=True)
class Facts:
    """What a run took and how its candidates fared, as numbers."""

    candidates: int
    refused: int
    pruned: int
    failed: int
    repaired: int
    execute_rate: float | None
    """Share of first tries (no repairs) that passed the gate and trained."""
    trainings: int
    environment_steps: int
    seconds: float
    peak_memory: int
    """Bytes of the largest training process; 0 where none was recorded."""
    completions: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """US dollars; None where a price is unknown."""
    causes: dict[tuple[str, str], int]
    """How many candidates were refused or failed for each cause, the most frequent first."""
    steps_saved: int
    """Environment steps that whole trainings of the pruned candidates would have taken more."""

    def rows(self) -> list[tuple[str, str]]:
        """Names and values for people."""
        told = [
            ("Candidates", str(self.candidates)),
            ("Trainings", str(self.trainings)),
            ("Environment steps", f"{self.environment_steps:,}"),
            ("Wall-clock", duration(self.seconds)),
        ]
        if self.peak_memory:
            told.append(("Largest worker", f"{self.peak_memory / 2**20:,.0f} MiB"))
        if self.pruned:
            told.insert(3, ("Steps saved by pruning", f"{self.steps_saved:,}"))
        if self.execute_rate is not None:
            told.insert(1, ("Execute rate", percent(self.execute_rate)))
        if self.completions:
            price = "unknown" if self.cost is None else f"US$ {self.cost:.4f}"
            told += [
                ("Tokens in", f"{self.prompt_tokens:,}"),
                ("Tokens out", f"{self.completion_tokens:,}"),
                ("Cost", price),
            ]
        return told

    def fates(self) -> list[str]:
        """How many were refused and failed, with the causes, were dropped, and were repaired."""
        told = []
        for fate, count in (("refused", self.refused), ("failed", self.failed)):
            causes = [
                f"{times} × {cause}" if times > 1 else cause
                for (its_fate, cause), times in self.causes.items()
                if its_fate == fate
            ]
            if count:
                told.append(f"{count} {fate}: {', '.join(causes)}")
        if self.pruned:
            told.append(f"{self.pruned} pruned: dropped at a rung")
        return told + ([f"{self.repaired} repaired"] if self.repaired else [])


def facts(run: Run) -> Facts:
    """Count what a run, finished or not, has done so far."""
    first_tries = [c for c in run.candidates if c.repair == 0 and c.status != "proposed"]
    trained = [e for c in run.candidates for e in c.evaluations]
    executed = sum(c.status in EXECUTED for c in first_tries)
    costs = [c.cost for c in run.completions]
    stopped = [c for c in run.candidates if c.status in ("refused", "failed")]
    causes = Counter((c.status, cause(c)) for c in stopped)
    pruned = pruned_candidates(run)
    return Facts(
        candidates=len(run.candidates),
        refused=sum(c.status == "refused" for c in run.candidates),
        pruned=len(pruned),
        failed=sum(c.status == "failed" for c in run.candidates),
        repaired=sum(c.repair > 0 and c.status in ("pruned", "scored") for c in run.candidates),
        execute_rate=executed / len(first_tries) if first_tries else None,
        trainings=len(trained),
        environment_steps=sum(int(e.report["steps"]) for e in trained)
        + sum(steps_until_pruned(run, c) for c in pruned),
        seconds=run.seconds,
        peak_memory=max((int(e.report.get("peak_memory", 0)) for e in trained), default=0),
        completions=len(run.completions),
        prompt_tokens=sum(c.prompt_tokens for c in run.completions),
        completion_tokens=sum(c.completion_tokens for c in run.completions),
        cost=None if None in costs else sum(c for c in costs if c is not None),
        causes=dict(causes.most_common()),
        steps_saved=sum(whole_steps(run) - steps_until_pruned(run, c) for c in pruned),
    )


def warnings_of(candidate: Candidate) -> list[str]:
    """What looks like a reward that is won without doing the task, in any of its trainings."""
    from reward_synth.feedback.diagnosis import warnings
    from sandbox.messages import TrainingReport

    told = [
        warning
        for evaluation in candidate.evaluations
        for warning in warnings(TrainingReport.model_validate(evaluation.report).checkpoints)
    ]
    return list(dict.fromkeys(told))


def training_notes(run: Run) -> list[str]:
    """What trainers had to tell of how they trained, each once: with how many trainings."""
    notes = Counter(e.report.get("note", "") for c in run.candidates for e in c.evaluations)
    del notes[""]
    return [
        f"{shortened(note, 200)} ({times} training{'s' if times > 1 else ''})"
        for note, times in notes.items()
    ]


def pruned_candidates(run: Run) -> list[Candidate]:
    """Those that were dropped at a rung."""
    return [c for c in run.candidates if c.status == "pruned"]


def whole_steps(run: Run) -> int:
    """Environment steps of one candidate that a search trains to the end, over all its seeds."""
    return int(run.config.get("steps") or 0) * seeds_of(run)


def cause(candidate: Candidate) -> str:
    """Why a candidate was stopped, in a word: the gate's first error, or how training failed."""
    errors = [finding["code"] for finding in candidate.findings if finding["level"] == "error"]
    return errors[0] if errors else shortened(candidate.reason.split(":")[0], 40)


NO_FITNESS = "the task has no fitness, so there is no human-normalised score"
UNCONFIRMED = "of the search alone, not confirmed on fresh seeds"


def basis(seeds: int) -> str:
    """What a fitness and its interval rest on."""
    if seeds == 1:
        return "of one training, so the interval has no width"
    return f"mean and 95 % interval over {seeds} training seeds"


def headline(run: Run) -> dict[str, Any] | None:
    """The best fitness with its interval and what it rests on; None before anything is scored."""
    best = best_candidate(run)
    if best is None:
        return None
    result = run.result or {}
    if not is_measured(run):
        chosen = "by what people prefer; " if run.kind == "search" else ""
        return {
            "fitness": number(best.worth),
            "interval": "",
            "basis": f"{chosen}{NO_FITNESS}",
            "human_normalised": None,
        }
    if "fitness" in result:
        seeds = len(result["seeds"])
        confirmed = result.get("confirmed", True)
        return {
            "fitness": number(result["fitness"]),
            "interval": f"{number(result['low'])} to {number(result['high'])}",
            "basis": basis(seeds) if confirmed else UNCONFIRMED,
            "human_normalised": result.get("human_normalised"),
        }
    fitness, spread = search_fitness(best), search_interval(best)
    seeds = len(search_evaluations(best))
    over = "evaluation episodes" if seeds == 1 else f"{seeds} training seeds"
    if spread is None:  # a plain training
        confirmed = fitness_values(confirmations(best))
        spread, over = interval(confirmed), f"the {len(confirmed)} training seeds so far"
    return {
        "fitness": number(fitness),
        "interval": f"{number(spread[0])} to {number(spread[1])}",
        "basis": f"the best so far; mean and 95 % interval over {over}",
        "human_normalised": None,
    }
