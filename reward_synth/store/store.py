"""The store: small methods, each one transaction, that a run is recorded with and read from.

What is returned is detached from the database and fully loaded, so that a caller never holds a
session.  Nothing can be recorded twice: a step that is already there stays as it was, and the
method gives back what was recorded the first time.  Methods may be called from several threads.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel
from sqlalchemy import URL, Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, raiseload, selectinload, sessionmaker

from reward_synth.errors import UserError
from reward_synth.store.database import WRITE_FIRST, open_engine, parse_url, readable_errors
from reward_synth.store.folder import (
    atomic_write,
    candidate_folder,
    read_untrusted,
    report_json,
    sha256,
    write_candidate_files,
    writing,
)
from reward_synth.store.lock import run_lock
from reward_synth.store.proposals import (
    NewCandidate,
    NewCompletion,
    NewJudgement,
    Part,
    RungDecision,
)
from reward_synth.store.schema import Candidate, Completion, Evaluation, Judgement, Run, Rung, now

if TYPE_CHECKING:
    from reward_synth.evaluation.score import Score
    from reward_synth.task import Task
    from sandbox.messages import ProbeFinding, TrainingReport

DATABASE = "reward_synth.db"
TICK = timedelta(microseconds=1)


class Store:
    """The run database and, beside it, the run folders."""

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

    # --- runs --------------------------------------------------------------------------------

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
                with self._writing() as session:
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
        with self._reading() as session:
            run = session.scalar(
                select(Run)
                .where(Run.id == run_id)
                .options(selectinload(Run.completions), *_whole_candidates(Run.candidates))
            )
            if run is not None:
                return run
        raise self.unknown(run_id)

    def unknown(self, run_id: str) -> UserError:
        """What to say of a run that there is none of: the nearest name."""
        with self._reading() as session:
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
        with self._reading() as session:
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

    # --- candidates --------------------------------------------------------------------------

    def record_proposals(
        self, run_id: str, generation: int, proposals: Sequence[NewCandidate]
    ) -> list[Candidate]:
        """Record candidates with their completions, all or none; numbers follow on.

        Their files are written first.  A proposal whose place (generation, slot, repair) is
        taken is dropped: the candidate that is there comes back in its stead.
        """
        with self._writing() as session:
            recorded = list(session.scalars(_candidates_of(run_id)))
            places = {(c.generation, c.slot, c.repair): c for c in recorded}
            number = len(recorded)
            given = []
            for proposal in proposals:
                place = (generation, proposal.slot, proposal.repair)
                if place not in places:
                    candidate = self._new_candidate(session, run_id, generation, number, proposal)
                    places[place] = candidate
                    number += 1
                given.append(places[place].number)
            session.flush()
            session.expire_all()
            whole = {c.number: c for c in session.scalars(_candidates_of(run_id))}
            return [whole[number] for number in given]

    def candidates(self, run_id: str) -> list[Candidate]:
        """All candidates of a run by number, with their evaluations and completions."""
        with self._reading() as session:
            return list(session.scalars(_candidates_of(run_id)))

    def record_completion(
        self, run_id: str, generation: int, purpose: str, completion: NewCompletion
    ) -> None:
        """Record an answer that no candidate came from: a review, or an analysis."""
        with self._writing() as session:
            session.add(_row(run_id, generation, purpose, completion))

    def record_judgements(self, run_id: str, judgements: Sequence[NewJudgement]) -> None:
        """Record what a person said, all or none, after what was said before."""
        with self._writing() as session:
            for judgement in judgements:
                session.add(
                    Judgement(
                        run_id=run_id,
                        generation=judgement.generation,
                        kind=judgement.kind,
                        who=storable(judgement.who),
                        text=storable(judgement.text),
                        candidate=judgement.candidate,
                        ranking=[list(equals) for equals in judgement.ranking],
                        shown=list(judgement.shown),
                    )
                )
                session.flush()  # ids follow the order

    def set_worth(self, run_id: str, worth: Mapping[int, float]) -> None:
        """Record how much people prefer each candidate, by number."""
        with self._writing() as session:
            for number, value in worth.items():
                session.execute(
                    update(Candidate)
                    .where(Candidate.run_id == run_id, Candidate.number == number)
                    .values(worth=value)
                )

    def judgements(self, run_id: str) -> list[Judgement]:
        """What people said of a run, in order."""
        with self._reading() as session:
            said = select(Judgement).where(Judgement.run_id == run_id).order_by(Judgement.id)
            return list(session.scalars(said))

    def set_gate_verdict(
        self,
        candidate: Candidate,
        status: Literal["refused", "accepted"],
        reason: str = "",
        findings: "Sequence[ProbeFinding]" = (),
    ) -> None:
        """Record what the gate said of a proposed candidate; a verdict that is there stays."""
        rows = [finding.model_dump(mode="json") for finding in findings]
        self._advance(candidate, ("proposed",), status, reason=storable(reason), findings=rows)

    def record_failure(
        self, candidate: Candidate, reason: str, *, of_several: bool = False
    ) -> None:
        """Record why an accepted candidate's training failed.

        With ``of_several`` seeds, one that failed counts for more than one that was scored.
        """
        before = ("accepted", "scored") if of_several else ("accepted",)
        self._advance(candidate, before, "failed", reason=storable(reason))

    def record_rung(self, rung: int, steps: int, decisions: Sequence[RungDecision]) -> None:
        """Record all decisions of a rung, or none; who is not kept becomes pruned.

        What was recorded of this rung before a kill gives way.
        """
        with self._writing() as session:
            for decision in decisions:
                candidate = decision.candidate
                session.execute(
                    delete(Rung).where(Rung.candidate_id == candidate.id, Rung.rung == rung)
                )
                session.add(
                    Rung(
                        candidate_id=candidate.id,
                        rung=rung,
                        steps=steps,
                        fitness=decision.fitness,
                        low=decision.low,
                        high=decision.high,
                        kept=decision.kept,
                    )
                )
                if not decision.kept:
                    session.execute(
                        update(Candidate)
                        .where(Candidate.id == candidate.id, Candidate.status == "accepted")
                        .values(status="pruned", reason=storable(decision.reason))
                    )

    def record_evaluation(
        self,
        candidate: Candidate,
        *,
        purpose: Literal["search", "confirm"],
        seed: int,
        steps: int,
        report: "TrainingReport",
        score: "Score",
        policy: Path,
        seconds: float,
        main: bool = True,
    ) -> Evaluation:
        """Keep a finished training's policy, report and trusted score; the first one wins.

        The ``main`` training of a search has its files in the candidate's own folder, the others
        in one for their seed.

        ``policy`` is the file that the worker left; it is copied into the run folder.  Raises
        ValueError when that is not a plain file of sensible size.
        """
        with self._writing() as session:
            same = (
                Evaluation.candidate_id == candidate.id,
                Evaluation.seed == seed,
                Evaluation.steps == steps,
            )
            earlier = session.scalar(select(Evaluation).where(*same))
            if earlier is not None:
                return earlier
            weights = read_untrusted(policy)
            run_folder = self.run_folder(candidate.run_id)
            own = None if purpose == "search" and main else seed
            folder = candidate_folder(run_folder, candidate.number, own)
            evaluation = Evaluation(
                candidate_id=candidate.id,
                purpose=purpose,
                seed=seed,
                steps=steps,
                report=report.model_dump(mode="json"),
                fitness=score.fitness,
                score=score.model_dump(mode="json"),
                policy=str((folder / "policy.safetensors").relative_to(run_folder)),
                policy_sha256=sha256(weights),
                seconds=seconds,
            )
            atomic_write(folder / "policy.safetensors", weights)
            atomic_write(folder / "report.json", report_json(candidate.number, evaluation))
            session.add(evaluation)
            session.execute(
                update(Candidate)
                .where(Candidate.id == candidate.id, Candidate.status == "accepted")
                .values(status="scored")
            )
            return evaluation

    def forget_evaluation(self, evaluation: Evaluation) -> None:
        """Take back a training whose policy is lost, so that it is made again."""
        of_it = Evaluation.candidate_id == evaluation.candidate_id
        searched = select(Evaluation.id).where(of_it, Evaluation.purpose == "search")
        own = Candidate.id == evaluation.candidate_id
        with self._writing() as session:
            session.execute(delete(Evaluation).where(Evaluation.id == evaluation.id))
            session.execute(
                update(Candidate)
                .where(own, Candidate.status == "scored", ~searched.exists())
                .values(status="accepted")
            )

    # --- inside ------------------------------------------------------------------------------

    def _new_candidate(
        self, session: Session, run_id: str, generation: int, number: int, proposal: NewCandidate
    ) -> Candidate:
        source = storable(proposal.source)
        completion = None
        if proposal.completion is not None:
            purpose = "repair" if proposal.repair else "propose"
            completion = _row(run_id, generation, purpose, proposal.completion)
        write_candidate_files(
            self.run_folder(run_id),
            number,
            source=source,
            messages=completion.messages if completion else (),
            completion=completion.text if completion else None,
        )
        candidate = Candidate(
            run_id=run_id,
            number=number,
            generation=generation,
            slot=proposal.slot,
            repair=proposal.repair,
            origin=proposal.origin,
            source=source,
            parents=list(proposal.parents),
            note=storable(proposal.note),
            completion=completion,
        )
        session.add(candidate)
        return candidate

    def _advance(
        self, candidate: Candidate, before: Sequence[str], status: str, **fields: Any
    ) -> None:
        with self._writing() as session:
            session.execute(
                update(Candidate)
                .where(Candidate.id == candidate.id, Candidate.status.in_(before))
                .values(status=status, **fields)
            )

    def _update_run(self, run_id: str, **fields: Any) -> None:
        with self._writing() as session:
            session.execute(
                update(Run).where(Run.id == run_id).values(**fields),
                execution_options={"synchronize_session": False},
            )

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with readable_errors(self.engine), self._read() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with readable_errors(self.engine), self._write.begin() as session:
            yield session


def storable(text: str) -> str:
    """``text`` without what no database takes: half surrogate pairs and NUL characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _whole_candidates(path: Any) -> tuple[Any, ...]:
    candidates = selectinload(path)
    return (
        candidates.selectinload(Candidate.evaluations),
        candidates.selectinload(Candidate.rungs),
        candidates.selectinload(Candidate.completion),
    )


def _candidates_of(run_id: str) -> Any:
    return (
        select(Candidate)
        .where(Candidate.run_id == run_id)
        .order_by(Candidate.number)
        .options(
            selectinload(Candidate.evaluations),
            selectinload(Candidate.rungs),
            selectinload(Candidate.completion),
        )
    )


def _write_config(folder: Path, kind: str, task_folder: str, settings: Mapping[str, Any]) -> None:
    import yaml

    facts = {"kind": kind, "task_folder": task_folder, **settings}
    atomic_write(folder / "config.yaml", yaml.safe_dump(facts, sort_keys=False, allow_unicode=True))


def _row(run_id: str, generation: int, purpose: str, completion: NewCompletion) -> Completion:
    fields = asdict(completion)
    fields["messages"] = [
        {key: storable(value) for key, value in message.items()} for message in completion.messages
    ]
    fields["text"] = storable(completion.text)
    return Completion(run_id=run_id, generation=generation, purpose=purpose, **fields)
