"""What successive halving did in a run: every rung, its measures and decisions, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reward_synth.report.tables import (
    best_candidate,
    facts,
    pruned_candidates,
    search_fitness,
    search_interval,
    whole_steps,
)
from reward_synth.report.words import number, percent
from reward_synth.store import Candidate, Run
from reward_synth.store.fates import mean_fitness, search_evaluations, seeds_of

Decision = Literal["kept", "dropped", "end"]
TOLD: dict[Decision, str] = {"kept": "went on", "dropped": "dropped", "end": "trained to the end"}


@dataclass(frozen=True)
class Measure:
    """A candidate's trusted fitness after so many steps of each of its trainings."""

    steps: int
    fitness: float
    low: float
    high: float
    """95 % interval of the mean: over the seeds, or over the episodes of the only one."""
    decision: Decision
    """Whether training went on from there; ``end`` where it was whole."""


@dataclass(frozen=True)
class Ladder:
    """One generation's way up: what was measured of each candidate, best first."""

    generation: int
    candidates: list[Candidate]
    measures: dict[int, list[Measure]]
    """By the candidate's number, in the order of steps."""

    @property
    def steps(self) -> list[int]:
        """Where anything was measured."""
        return sorted({m.steps for measures in self.measures.values() for m in measures})


def ladders(run: Run) -> list[Ladder]:
    """A ladder for each generation in which rungs were decided, in order."""
    found = []
    for generation in sorted({c.generation for c in run.candidates if c.rungs}):
        measures = {c.number: measures_of(c) for c in run.candidates if c.generation == generation}
        climbed = [c for c in run.candidates if measures.get(c.number)]
        climbed.sort(key=lambda c: (-measures[c.number][-1].steps, -measures[c.number][-1].fitness))
        found.append(Ladder(generation, climbed, measures))
    return found


def measures_of(candidate: Candidate) -> list[Measure]:
    """Its rungs, and the end of its training where it came there."""
    found = [
        Measure(r.steps, r.fitness, r.low, r.high, "kept" if r.kept else "dropped")
        for r in candidate.rungs
    ]
    trained, spread = search_evaluations(candidate), search_interval(candidate)
    if (fitness := mean_fitness(trained)) is not None and spread is not None:
        found.append(Measure(trained[0].steps, fitness, *spread, "end"))
    return found


def what_pruning_did(run: Run) -> str:
    """A sentence or two on how many were dropped and what that saved; empty without rungs."""
    climbed = [c for c in run.candidates if c.rungs]
    if not climbed:
        return ""
    dropped = pruned_candidates(run)
    noise = "episodes" if seeds_of(run) == 1 else "seeds"
    rule = (
        "At a rung every candidate’s policy is measured without its reward and the weaker half is "
        "dropped, but nobody whose distance from the last one that goes on could be chance, by "
        f"the spread between {noise}."
    )
    if not dropped:
        return f"Nobody was dropped. {rule}"
    saved = facts(run).steps_saved
    trained = [c for c in run.candidates if search_fitness(c) is not None or c.status == "pruned"]
    whole = len(trained) * whole_steps(run)
    return (
        f"{len(dropped)} of {len(trained)} trained candidates were dropped before the end. That "
        f"saved {saved:,} environment steps, {percent(saved / whole)} of the {whole:,} that "
        f"training all of them to the end takes. {rule}"
    )


def table(run: Run, ladder: Ladder) -> dict[str, object]:
    """A ladder for the page: headings, and a row for each candidate."""
    best = best_candidate(run)
    end = whole_steps(run) // seeds_of(run)
    at = ladder.steps
    rows = []
    for candidate in ladder.candidates:
        measures = {m.steps: m for m in ladder.measures[candidate.number]}
        rows.append(
            {
                "number": candidate.number,
                "best": best is not None and best.number == candidate.number,
                "status": candidate.status,
                "cells": [_cell(measures.get(steps)) for steps in at],
            }
        )
    return {
        "generation": ladder.generation + 1,
        "summary": summary(ladder),
        "headings": [f"{steps:,} steps" + (" (the end)" if steps == end else "") for steps in at],
        "rows": rows,
    }


def summary(ladder: Ladder) -> str:
    """``8 candidates, 4 after 12,500 steps, 2 after 25,000``."""
    told = [f"{len(ladder.candidates)} candidates"]
    for steps in ladder.steps:
        decided = [m for ms in ladder.measures.values() for m in ms if m.steps == steps]
        kept, dropped = (sum(m.decision == d for m in decided) for d in ("kept", "dropped"))
        if kept or dropped:
            told.append(f"{kept} went on after {steps:,} steps")
    return ", ".join(told)


def rung_lines(measures: Sequence[Measure]) -> list[str]:
    """A candidate's way in words: ``after 12,500 steps 0.310 (0.280 to 0.340): dropped``."""
    return [
        f"after {m.steps:,} steps {number(m.fitness)} ({number(m.low)} to {number(m.high)}): "
        f"{TOLD[m.decision]}"
        for m in measures
    ]


def _cell(measure: Measure | None) -> dict[str, str] | None:
    if measure is None:
        return None
    return {
        "fitness": number(measure.fitness),
        "interval": f"{number(measure.low)} to {number(measure.high)}",
        "decision": measure.decision,
        "told": TOLD[measure.decision],
    }
