"""One run at a glance: each candidate as one small row, and a mark that tells whether it changed.

Thousands of candidates are read in some tens of milliseconds; programs, prompts and reports are
read one candidate at a time (:func:`load_candidate`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import raiseload

from reward_synth.errors import UserError
from reward_synth.store.activity import alive
from reward_synth.store.runs import whole_candidates
from reward_synth.store.schema import (
    Activity,
    Candidate,
    Completion,
    Evaluation,
    Judgement,
    Run,
    Rung,
)

if TYPE_CHECKING:
    from reward_synth.store.store import Store


@dataclass(frozen=True)
class Glance:
    """A candidate as lists and graphs show it."""

    number: int
    generation: int
    repair: int
    origin: str
    status: str
    reason: str
    note: str
    parents: list[int]
    fitness: float | None
    """In the search, the mean over its seeds; of a plain training, over all seeds."""
    confirmed: float | None
    """Mean over fresh seeds."""
    rung: float | None
    """Fitness at the rung where it was dropped."""


@dataclass(frozen=True)
class Mark:
    """What a run has come to, as little as tells one state from another."""

    record: str
    """Differs when anything was recorded."""
    activity: Activity | None
    """What it is at; None where nobody works on it."""
    over: bool
    """Whether nothing will be recorded any more unless somebody takes the run up again."""


def glances(store: "Store", run_id: str) -> list[Glance]:
    """A run's candidates, by number."""
    searched = func.avg(case((Evaluation.purpose == "search", Evaluation.fitness)))
    confirmed = func.avg(case((Evaluation.purpose == "confirm", Evaluation.fitness)))
    scores = (
        select(
            Evaluation.candidate_id,
            func.coalesce(searched, confirmed).label("fitness"),
            confirmed.label("confirmed"),
        )
        .join(Candidate, Candidate.id == Evaluation.candidate_id)
        .where(Candidate.run_id == run_id)
        .group_by(Evaluation.candidate_id)
        .subquery()
    )
    dropped = (
        select(Rung.candidate_id, Rung.fitness)
        .join(Candidate, Candidate.id == Rung.candidate_id)
        .where(Candidate.run_id == run_id, Rung.kept.is_(False))
        .subquery()
    )
    query = (
        select(
            Candidate.number,
            Candidate.generation,
            Candidate.repair,
            Candidate.origin,
            Candidate.status,
            Candidate.reason,
            Candidate.note,
            Candidate.parents,
            scores.c.fitness,
            scores.c.confirmed,
            dropped.c.fitness.label("rung"),
        )
        .outerjoin(scores, scores.c.candidate_id == Candidate.id)
        .outerjoin(dropped, dropped.c.candidate_id == Candidate.id)
        .where(Candidate.run_id == run_id)
        .order_by(Candidate.number)
    )
    with store.reading() as session:
        return [Glance(*row) for row in session.execute(query)]


def load_run(store: "Store", run_id: str) -> Run:
    """The run itself, without its candidates.  Raises UserError with the nearest name."""
    with store.reading() as session:
        run = session.scalar(
            select(Run)
            .where(Run.id == run_id)
            .options(raiseload(Run.candidates), raiseload(Run.completions))
        )
        if run is not None:
            return run
    raise store.unknown(run_id)


def load_candidate(store: "Store", run_id: str, number: int) -> Candidate:
    """All that is recorded of one candidate, its run's siblings left out.  Raises UserError."""
    with store.reading() as session:
        candidate = session.scalar(
            select(Candidate)
            .where(Candidate.run_id == run_id, Candidate.number == number)
            .options(*whole_candidates(), raiseload(Candidate.run))
        )
        if candidate is not None:
            return candidate
        last = session.scalar(select(func.max(Candidate.number)).where(Candidate.run_id == run_id))
    load_run(store, run_id)
    there = "has no candidates yet" if last is None else f"has candidates 0 to {last}"
    raise UserError(f"there is no candidate {number}: run {run_id} {there}")


def load_generation(store: "Store", run_id: str, generation: int) -> list[Candidate]:
    """All that is recorded of the candidates of a generation, by number."""
    with store.reading() as session:
        found = session.scalars(
            select(Candidate)
            .where(Candidate.run_id == run_id, Candidate.generation == generation)
            .order_by(Candidate.number)
            .options(*whole_candidates(), raiseload(Candidate.run))
        )
        return list(found)


def load_sources(store: "Store", run_id: str, numbers: Sequence[int]) -> dict[int, str]:
    """The programs of some candidates, by number."""
    with store.reading() as session:
        found = session.execute(
            select(Candidate.number, Candidate.source).where(
                Candidate.run_id == run_id, Candidate.number.in_(numbers)
            )
        )
        return {row.number: row.source for row in found}


def mark(store: "Store", run_id: str) -> Mark:
    """How a run stands, at the price of a few counts.  Raises UserError for an unknown one."""
    run = load_run(store, run_id)
    own = Candidate.run_id == run_id
    counts: tuple[Any, ...] = (
        select(Candidate.status, func.count()).where(own).group_by(Candidate.status),
        select(func.count(Evaluation.id)).join(Candidate).where(own),
        select(func.count(Completion.id)).where(Completion.run_id == run_id),
        select(func.count(Judgement.id)).where(Judgement.run_id == run_id),
    )
    with store.reading() as session:
        counted = [[tuple(row) for row in session.execute(query)] for query in counts]
        at = session.get(Activity, run_id)
    at = at if at is not None and alive(at.beat) else None
    told = repr((run.status, run.message, run.config, run.result, counted, at is None))
    over = run.status != "running" and at is None
    return Mark(blake2b(told.encode(), digest_size=8).hexdigest(), at, over)
