"""The store's runs: begun, listed, ended, each in one transaction."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel
from sqlalchemy import URL, Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, raiseload, selectinload, sessionmaker

from reward_synth.errors import UserError
from reward_synth.store.database import WRITE_FIRST, open_engine, parse_url, readable_errors
from reward_synth.store.folder import atomic_write, writing
from reward_synth.store.lock import run_lock
from reward_synth.store.proposals import Part
from reward_synth.store.schema import Candidate, Evaluation, Run, now

if TYPE_CHECKING:
    from reward_synth.task import Task

DATABASE = "reward_synth.db"
TICK = timedelta(microseconds=1)


class Runs:
    """The run database and, beside it, the run folders: what concerns whole runs."""

    def __init__(self, engine: Engine, runs_dir: Path) -> None:
        self.engine = engine
        self.runs_dir = runs_dir
        self._read = sessionmaker(engine, expire_on_commit=False)
        self._write = sessionmaker(
            engine.execution_options(begin=WRITE_FIRST), expire_on_commit=False
        )

    @classmethod
    def open(cls, runs_dir: Path | None = None, url: str | None = None) -> Self:
        """Open the store, making the folder and the tables where they are missing.

        ``runs_dir`` (``runs`` in the current folder if None) holds the run folders and, unless
        ``url`` names another database, ``reward_synth.db``.  Raises UserError.
        """
        folder = (runs_dir if runs_dir is not None else Path("runs")).absolute()
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        database = parse_url(url) if url else URL.create("sqlite", database=str(folder / DATABASE))
        return cls(open_engine(database), folder)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_run(
        self,
        kind: Literal["search", "train"],
        task: "Task",
        config: BaseModel,
        part: Part | None = None,
    ) -> str:
        """Record a new run and make its folder; gives its id, TASK-YYYYMMDD-HHMMSS[-k]."""
        started = datetime.now()
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", task.name) or "task"
        stem = f"{stem}-{started:%Y%m%d-%H%M%S}"
        settings = config.model_dump(mode="json")
        attempt = 1
        while True:
            run_id = stem if attempt == 1 else f"{stem}-{attempt}"
            attempt += 1
            folder = self.runs_dir / run_id
            try:
                with writing(folder):
                    try:
                        folder.mkdir()
                    except FileExistsError:
                        continue
                _write_config(folder, kind, str(task.folder.absolute()), settings)
                with self.writing() as session:
                    # After all others, whatever a clock that was set back says.
                    latest = session.scalar(select(func.max(Run.created)))
                    created = max(now(), latest + TICK) if latest else now()
                    session.add(
                        Run(
                            id=run_id,
                            kind=kind,
                            task=task.name,
                            task_folder=str(task.folder.absolute()),
                            config=settings,
                            created=created,
                            sweep=None if part is None else part.sweep,
                            cell=None if part is None else part.cell,
                        )
                    )
                return run_id
            except IntegrityError:  # the database is shared with another runs folder
                continue

    def run_folder(self, run_id: str) -> Path:
        """``runs_dir/RUN``."""
        return self.runs_dir / run_id

    def get_run(self, run_id: str) -> Run:
        """A run with its candidates, their evaluations and completions.

        Raises UserError, with the nearest name, when there is none of that name.
        """
        with self.reading() as session:
            run = session.scalar(
                select(Run)
                .where(Run.id == run_id)
                .options(
                    selectinload(Run.completions),
                    selectinload(Run.candidates).options(*whole_candidates()),
                )
            )
            if run is not None:
                return run
        raise self.unknown(run_id)

    def unknown(self, run_id: str) -> UserError:
        """What to say of a run that there is none of: the nearest name."""
        with self.reading() as session:
            names = list(session.scalars(select(Run.id).order_by(Run.created.desc())))
        near = get_close_matches(run_id, names, n=1, cutoff=0.6)
        if near:
            advice = f"did you mean {near[0]}?"
        elif names:
            advice = f"the latest is {names[0]}; `reward-synth runs` lists all"
        else:
            advice = "start one with `reward-synth run TASK`"
        return UserError(f"there is no run {run_id!r} in {self.runs_dir}; {advice}")

    def list_runs(self, kind: Literal["search", "train"] | None = None) -> list[Run]:
        """All runs, or those of a kind, newest first, with candidates and the fitness of their
        evaluations.

        Sources, reports and completions are not loaded; reading them raises.
        """
        with self.reading() as session:
            candidates = selectinload(Run.candidates).options(
                load_only(
                    Candidate.run_id,
                    Candidate.number,
                    Candidate.generation,
                    Candidate.status,
                    Candidate.worth,
                    raiseload=True,
                ),
                raiseload(Candidate.completion),
                selectinload(Candidate.evaluations).load_only(
                    Evaluation.purpose, Evaluation.seed, Evaluation.fitness, raiseload=True
                ),
            )
            query = select(Run).order_by(Run.created.desc(), Run.id.desc())
            if kind is not None:
                query = query.where(Run.kind == kind)
            return list(session.scalars(query.options(candidates, raiseload(Run.completions))))

    def finish_run(self, run_id: str, result: Mapping[str, Any], message: str = "") -> None:
        """Record the outcome of a run."""
        self._update_run(run_id, status="finished", result=dict(result), message=message)

    def fail_run(self, run_id: str, message: str) -> None:
        """Record that a run could not go on, and why; it can still be resumed."""
        self._update_run(run_id, status="failed", message=message)

    def stop_run(self, run_id: str, result: Mapping[str, Any] | None, message: str) -> None:
        """Record that a run stopped at a limit, and the best so far; it can be resumed."""
        self._update_run(
            run_id,
            status="stopped",
            result=None if result is None else dict(result),
            message=message,
        )

    def reopen_run(self, run_id: str, config: BaseModel | None = None) -> None:
        """A run that stopped or failed is being resumed, with other limits in its ``config``."""
        fields: dict[str, Any] = {"status": "running", "message": "", "result": None}
        if config is not None:
            fields["config"] = config.model_dump(mode="json")
            run = self.get_run(run_id)
            _write_config(self.run_folder(run_id), run.kind, run.task_folder, fields["config"])
        self._update_run(run_id, **fields)

    def add_seconds(self, run_id: str, seconds: float) -> None:
        """Add to the wall-clock that a run has taken."""
        self._update_run(run_id, seconds=Run.seconds + seconds)

    def lock(self, run_id: str) -> AbstractContextManager[None]:
        """Work on a run alone; what a killed process left half-written is removed first.

        Entering raises UserError when another process is at it.
        """
        return run_lock(self.run_folder(run_id))

    def _update_run(self, run_id: str, **fields: Any) -> None:
        with self.writing() as session:
            session.execute(
                update(Run).where(Run.id == run_id).values(**fields),
                execution_options={"synchronize_session": False},
            )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to read with; what it gives stays loaded after it.  Raises UserError."""
        with readable_errors(self.engine), self._read() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction, all or none, in which nobody else writes.  Raises UserError."""
        with readable_errors(self.engine), self._write.begin() as session:
            yield session


def whole_candidates() -> tuple[Any, ...]:
    """What loads all that is recorded of candidates."""
    return (
        selectinload(Candidate.evaluations),
        selectinload(Candidate.rungs),
        selectinload(Candidate.completion),
    )


def _write_config(folder: Path, kind: str, task_folder: str, settings: Mapping[str, Any]) -> None:
    import yaml

    facts = {"kind": kind, "task_folder": task_folder, **settings}
    atomic_write(folder / "config.yaml", yaml.safe_dump(facts, sort_keys=False, allow_unicode=True))
