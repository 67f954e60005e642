"""The run database: one table per thing that is recorded, oldest ancestor first.

A row is written once its step is finished; what is not in the database has not happened.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SCHEMA_VERSION = 5
"""2 added the table ``rungs``, 3 the column ``evaluations.policy_sha256``, 4 the table
``judgements`` and the column ``candidates.worth``, 5 the tables ``sweeps`` and ``activities``, the
columns ``runs.sweep`` and ``runs.cell``, and the indexes that counting reads alone (``COUNTED``),
and lets ``evaluations.fitness`` be null."""


def now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time: SQLite keeps no time zone, so it is stored as UTC and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        datetime: UtcDateTime,
    }


class SchemaVersion(Base):
    """One row: the version of this schema that made the database."""

    __tablename__ = "schema_version"
    version: Mapped[int] = mapped_column(primary_key=True)


class Run(Base):
    """One search on one task, or one plain training (``kind``: "search" or "train")."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Also the name of its folder: TASK-YYYYMMDD-HHMMSS[-k]."""
    kind: Mapped[str] = mapped_column(default="search")
    task: Mapped[str]
    """Name of the task, for people."""
    task_folder: Mapped[str]
    config: Mapped[dict[str, Any]]
    """Everything that decides the outcome: RunConfig as JSON."""
    status: Mapped[str] = mapped_column(default="running")
    """running, finished, stopped (at a limit) or failed; an interrupted run stays running.  All
    but finished ones can be resumed."""
    message: Mapped[str] = mapped_column(default="")
    """Why it failed or stopped, or a summary."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """Filled when finished and, with the best so far, when stopped: winner's number, confirmation
    scores, human-normalised score, …"""
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    seconds: Mapped[float] = mapped_column(default=0.0)
    """Wall-clock spent so far, over all resumptions."""
    sweep: Mapped[str | None] = mapped_column(default=None, index=True)
    """Name of the sweep that it belongs to."""
    cell: Mapped[str | None] = mapped_column(default=None)
    """Which of the sweep's runs it is."""
    candidates: Mapped[list["Candidate"]] = relationship(
        back_populates="run", order_by="Candidate.number", cascade="all, delete-orphan"
    )
    completions: Mapped[list["Completion"]] = relationship(
        back_populates="run", order_by="Completion.id", cascade="all, delete-orphan"
    )


class Sweep(Base):
    """Many runs that were asked for together."""

    __tablename__ = "sweeps"
    name: Mapped[str] = mapped_column(primary_key=True)
    """Also the name of its folder, sweeps/NAME."""
    plan: Mapped[dict[str, Any]]
    """What its file asked for, so that it can go on without that."""
    created: Mapped[datetime] = mapped_column(default=now)
    seconds: Mapped[float] = mapped_column(default=0.0)
    """Wall-clock spent so far, over all resumptions."""


class Completion(Base):
    """One answer of a model, with the prompt that it answers."""

    __tablename__ = "completions"
    __table_args__ = (
        Index(
            "completions_counted",
            "run_id",
            "model",
            "prompt_tokens",
            "completion_tokens",
            "cost",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    generation: Mapped[int]
    purpose: Mapped[str]
    """propose, repair, review or analyse."""
    model: Mapped[str]
    messages: Mapped[list[Any]]
    """The prompt: [{"role", "content"}, …]."""
    text: Mapped[str]
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    cost: Mapped[float | None] = mapped_column(default=None)
    seconds: Mapped[float] = mapped_column(default=0.0)
    run: Mapped[Run] = relationship(back_populates="completions")


class Candidate(Base):
    """One reward program in a run, and its fate.

    A repaired program is a candidate of its own, in the same generation and ``slot``, with
    ``repair`` one higher and the refused one as its parent.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("run_id", "number"),
        UniqueConstraint("run_id", "generation", "slot", "repair"),
        Index("candidates_counted", "run_id", "status", "generation", "number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    number: Mapped[int]
    """0, 1, 2, … within the run, in the order of proposal; folder candidates/0007."""
    generation: Mapped[int]
    slot: Mapped[int]
    repair: Mapped[int] = mapped_column(default=0)
    origin: Mapped[str]
    """model, offline, tuned, crossed, person, expert, sparse, native or file."""
    source: Mapped[str]
    """The reward program; empty where the completion held no code."""
    parents: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of the candidates it was made from."""
    note: Mapped[str] = mapped_column(default="")
    """How it was made, in a phrase (the offline proposer's operator, say)."""
    completion_id: Mapped[int | None] = mapped_column(ForeignKey("completions.id"), default=None)
    status: Mapped[str] = mapped_column(default="proposed")
    """proposed → refused | accepted → failed | pruned | scored."""
    reason: Mapped[str] = mapped_column(default="")
    """Why it was refused, failed or pruned: one line."""
    findings: Mapped[list[Any]] = mapped_column(default=list)
    """The gate's findings: [{"level", "code", "message", "line", "column"}, …]."""
    worth: Mapped[float | None] = mapped_column(default=None)
    """Score by what people prefer; None in a run that selects by fitness."""
    run: Mapped[Run] = relationship(back_populates="candidates")
    completion: Mapped[Completion | None] = relationship()
    evaluations: Mapped[list["Evaluation"]] = relationship(
        back_populates="candidate", order_by="Evaluation.seed", cascade="all, delete-orphan"
    )
    rungs: Mapped[list["Rung"]] = relationship(
        back_populates="candidate", order_by="Rung.rung", cascade="all, delete-orphan"
    )


class Judgement(Base):
    """What a person said of a run, in the order in which it was given."""

    __tablename__ = "judgements"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    generation: Mapped[int]
    """The last one that the person saw; later ones are made with these words."""
    kind: Mapped[str]
    """comment (text, on a candidate or on all), ranking, program (which candidate it became), done
    (nothing more to say of this generation), or stop."""
    who: Mapped[str]
    """The name that the person gives."""
    text: Mapped[str] = mapped_column(default="")
    candidate: Mapped[int | None] = mapped_column(default=None)
    """Number of the candidate that it is about."""
    ranking: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of candidates, best first, equals in one list: [[5], [3, 1]]."""
    shown: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of the candidates that the person had before them, in that order."""
    given: Mapped[datetime] = mapped_column(default=now)


class Evaluation(Base):
    """One finished training of one candidate with one seed, and its trusted score."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("candidate_id", "seed", "steps"),
        Index("evaluations_counted", "candidate_id", "purpose", "seed", "fitness"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id"))
    purpose: Mapped[str]
    """search (one training each) or confirm (the finalists, on fresh seeds)."""
    seed: Mapped[int]
    steps: Mapped[int]
    report: Mapped[dict[str, Any]]
    """sandbox.messages.TrainingReport as JSON."""
    fitness: Mapped[float | None]
    """Mean fitness over the evaluation episodes: the score; None on a task without a fitness."""
    score: Mapped[dict[str, Any]]
    """evaluation.score.Score as JSON."""
    policy: Mapped[str]
    """Path of the safetensors file, relative to the run folder."""
    policy_sha256: Mapped[str] = mapped_column(default="", server_default="")
    """Hash of that file; empty where an older version recorded it."""
    seconds: Mapped[float]
    finished: Mapped[datetime] = mapped_column(default=now)
    candidate: Mapped[Candidate] = relationship(back_populates="evaluations")


class Rung(Base):
    """A candidate's measure at one rung of successive halving, and what was decided."""

    __tablename__ = "rungs"
    __table_args__ = (UniqueConstraint("candidate_id", "rung"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id"), index=True)
    rung: Mapped[int]
    """0, 1, …"""
    steps: Mapped[int]
    """Environment steps of each of its trainings by then."""
    fitness: Mapped[float]
    """Trusted score by then, the mean over its seeds."""
    low: Mapped[float]
    high: Mapped[float]
    """95 % interval of the mean: over the seeds, or over the episodes of the only one."""
    kept: Mapped[bool]
    """Whether training went on."""
    candidate: Mapped[Candidate] = relationship(back_populates="rungs")


class Activity(Base):
    """What a run is at while a process works on it: a sign of life and no record.

    A process that ends in order takes it away; after a crash its ``beat`` grows old.
    """

    __tablename__ = "activities"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    beat: Mapped[datetime]
    """When the process last said that it lives."""
    doing: Mapped[str]
    """In a phrase: "training", "asking the model", …"""
    generation: Mapped[int | None] = mapped_column(default=None)
    trainings: Mapped[list[Any]] = mapped_column(default=list)
    """Those under way: [{"candidate", "seed", "step", "steps", "fitness"}, …]."""


COUNTED = tuple(
    index
    for table in ("candidates", "completions", "evaluations")
    for index in Base.metadata.tables[table].indexes
)
"""Indexes that hold all that is counted, so that no program, prompt or report is read for it."""
SUPERSEDED = ("ix_candidates_run_id", "ix_completions_run_id", "ix_evaluations_candidate_id")
"""Indexes of earlier versions, whose columns those begin with."""
