"""Runs as a list shows them: counted and summed by the database, nothing of theirs is loaded.

What is counted lies in indexes of its own, so thousands of programs, prompts and reports cost
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select

from reward_synth.store.activity import alive
from reward_synth.store.schema import Activity, Candidate, Completion, Evaluation, Run

if TYPE_CHECKING:
    from reward_synth.store.store import Store


@dataclass(frozen=True)
class Overview:
    """One run of a list."""

    id: str
    kind: str
    task: str
    status: str
    message: str
    config: dict[str, Any]
    result: dict[str, Any]
    """Empty before the run is over."""
    created: datetime
    seconds: float
    fates: dict[str, int]
    """How many candidates have each status."""
    best_by_generation: list[tuple[int, float]]
    """The best fitness in the search of each generation that has one; of a plain training, its
    mean."""
    models: tuple[str, ...]
    """That answered, by name."""
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """US dollars; None where a price is unknown."""
    beat: datetime | None
    """When a process that works on it last said that it lives."""

    @property
    def state(self) -> str:
        """The status, or ``interrupted`` where it should be running and nobody works on it."""
        left = self.status == "running" and not alive(self.beat)
        return "interrupted" if left else self.status

    @property
    def candidates(self) -> int:
        return sum(self.fates.values())

    @property
    def best(self) -> float | None:
        """The best fitness so far, in the search."""
        return max((fitness for _, fitness in self.best_by_generation), default=None)

    @property
    def fitness(self) -> float | None:
        """The winner's, or the best so far."""
        return self.result.get("fitness", self.best)

    @property
    def human_normalised(self) -> float | None:
        return self.result.get("human_normalised")


def overviews(
    store: "Store",
    *,
    ids: Sequence[str] | None = None,
    task: str | None = None,
    status: str | None = None,
    text: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[Overview]:
    """Runs, newest first: all, or those that fit every condition that is given.

    ``text`` is looked for in a run's name and in its settings.
    """
    chosen: Any = _chosen(ids, task, status, text).order_by(Run.created.desc(), Run.id.desc())
    chosen = chosen.limit(limit).offset(offset) if limit is not None else chosen
    with store.reading() as session:
        runs = session.execute(
            chosen.add_columns(
                Run.kind,
                Run.task,
                Run.status,
                Run.message,
                Run.config,
                Run.result,
                Run.created,
                Run.seconds,
                Activity.beat,
            ).outerjoin(Activity, Activity.run_id == Run.id)
        ).all()
        # As a table of its own: a database may not take a limited query within `IN`.
        within = select(chosen.subquery().c.id)
        fates: dict[str, dict[str, int]] = {}
        counted = (
            select(Candidate.run_id, Candidate.status, func.count().label("times"))
            .where(Candidate.run_id.in_(within))
            .group_by(Candidate.run_id, Candidate.status)
        )
        for row in session.execute(counted):
            fates.setdefault(row.run_id, {})[row.status] = row.times
        best: dict[str, list[tuple[int, float]]] = {}
        for row in session.execute(_best_by_generation(within)):
            if row.fitness is not None:
                best.setdefault(row.run_id, []).append((row.generation, row.fitness))
        spent: dict[str, list[Any]] = {}
        for row in session.execute(_spent(within)):
            spent.setdefault(row.run_id, []).append(row)
    return [
        Overview(
            id=run.id,
            kind=run.kind,
            task=run.task,
            status=run.status,
            message=run.message,
            config=run.config,
            result=run.result or {},
            created=run.created,
            seconds=run.seconds,
            fates=fates.get(run.id, {}),
            best_by_generation=best.get(run.id, []),
            models=tuple(row.model for row in spent.get(run.id, [])),
            prompt_tokens=sum(row.prompt_tokens for row in spent.get(run.id, [])),
            completion_tokens=sum(row.completion_tokens for row in spent.get(run.id, [])),
            cost=None
            if any(row.unpriced for row in spent.get(run.id, []))
            else sum(row.cost for row in spent.get(run.id, [])),
            beat=run.beat,
        )
        for run in runs
    ]


def count_runs(
    store: "Store", *, task: str | None = None, status: str | None = None, text: str = ""
) -> int:
    """How many runs fit these conditions."""
    with store.reading() as session:
        fitting = _chosen(None, task, status, text).subquery()
        return session.scalar(select(func.count()).select_from(fitting)) or 0


def task_names(store: "Store") -> list[str]:
    """Tasks that there are runs of, by name."""
    with store.reading() as session:
        return list(session.scalars(select(Run.task).distinct().order_by(Run.task)))


def _chosen(ids: Sequence[str] | None, task: str | None, status: str | None, text: str) -> Any:
    chosen = select(Run.id)
    if ids is not None:
        chosen = chosen.where(Run.id.in_(ids))
    if task:
        chosen = chosen.where(Run.task == task)
    if status:
        chosen = chosen.where(Run.status == status)
    if text:
        settings = (Run.config[name].as_string() for name in ("strategy", "model", "reward"))
        places = (Run.id, Run.message, *settings)
        chosen = chosen.where(or_(*(place.icontains(text, autoescape=True) for place in places)))
    return chosen


def _best_by_generation(within: Any) -> Any:
    searched = func.avg(case((Evaluation.purpose == "search", Evaluation.fitness)))
    scores = (
        select(
            Candidate.run_id,
            Candidate.generation,
            func.coalesce(searched, func.avg(Evaluation.fitness)).label("fitness"),
        )
        .join(Evaluation, Evaluation.candidate_id == Candidate.id)
        .where(Candidate.run_id.in_(within))
        .group_by(Candidate.id, Candidate.run_id, Candidate.generation)
        .subquery()
    )
    return (
        select(scores.c.run_id, scores.c.generation, func.max(scores.c.fitness).label("fitness"))
        .group_by(scores.c.run_id, scores.c.generation)
        .order_by(scores.c.run_id, scores.c.generation)
    )


def _spent(within: Any) -> Any:
    """Tokens and cost of each run by model."""
    return (
        select(
            Completion.run_id,
            Completion.model,
            func.sum(Completion.prompt_tokens).label("prompt_tokens"),
            func.sum(Completion.completion_tokens).label("completion_tokens"),
            func.coalesce(func.sum(Completion.cost), 0.0).label("cost"),
            (func.count() - func.count(Completion.cost)).label("unpriced"),
        )
        .where(Completion.run_id.in_(within))
        .group_by(Completion.run_id, Completion.model)
        .order_by(Completion.run_id, Completion.model)
    )
