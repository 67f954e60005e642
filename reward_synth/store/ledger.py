"""Runs as counting and comparing need them: fates, scores and costs, without the bulk.

A run with thousands of candidates holds tens of megabytes of prompts, programs and learning curves.
None of that is read here, and the number of queries does not depend on how much was recorded.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, raiseload
from sqlalchemy.orm.attributes import set_committed_value

from reward_synth.errors import UserError
from reward_synth.store.schema import Candidate, Completion, Evaluation, Run, Rung

if TYPE_CHECKING:
    from reward_synth.store.store import Store

T = TypeVar("T")
AT_ONCE = 500
"""Runs in one query: databases bound how many values a query may name."""


def load_ledgers(store: "Store", run_ids: Sequence[str]) -> list[Run]:
    """The runs with these ids, oldest first, detached; an unknown id is left out.

    Of a training's report there are only ``steps`` (of the environment), ``seconds`` (that it
    took) and ``peak_memory`` (bytes), of its score only ``low`` and ``high``, and of rungs only
    those at which a candidate was dropped.  Programs, prompts and texts of completions are not
    loaded; reading them raises.
    """
    loaded: list[Run] = []
    with store.reading() as session:
        for start in range(0, len(run_ids), AT_ONCE):
            ids = run_ids[start : start + AT_ONCE]
            completions = _by(_completions(session, ids), "run_id")
            candidates = _by(_candidates(session, Candidate.run_id.in_(ids)), "run_id")
            for run in session.scalars(select(Run).where(Run.id.in_(ids))):
                set_committed_value(run, "completions", completions[run.id])
                set_committed_value(run, "candidates", candidates[run.id])
                loaded.append(run)
    return sorted(loaded, key=lambda run: (run.created, run.id))


def load_candidates(
    store: "Store", run_id: str, *, numbers: Sequence[int] | None = None, programs: bool = False
) -> Run:
    """A run with some or all of its candidates.

    As in a ledger, but with all rungs, with the ``programs`` where they are asked for, and without
    completions.  Raises UserError, with the nearest name, when there is none of that name.
    """
    chosen = Candidate.run_id == run_id
    if numbers is not None:
        chosen &= Candidate.number.in_(numbers)
    with store.reading() as session:
        run = session.scalars(
            select(Run).where(Run.id == run_id).options(raiseload(Run.completions))
        ).one_or_none()
        if run is None:
            raise store.unknown(run_id)
        candidates = _candidates(session, chosen, programs=programs, all_rungs=True)
        set_committed_value(run, "candidates", candidates)
        return run


def _completions(session: Session, run_ids: Sequence[str]) -> list[Completion]:
    """What was asked of models, without the words, in the order in which it was."""
    columns = (
        Completion.id,
        Completion.run_id,
        Completion.generation,
        Completion.model,
        Completion.prompt_tokens,
        Completion.completion_tokens,
        Completion.cost,
    )
    asked = select(*columns).where(Completion.run_id.in_(run_ids)).order_by(Completion.id)
    return _read_only(Completion, columns, session.execute(asked))


def _candidates(
    session: Session,
    chosen: ColumnElement[bool],
    *,
    programs: bool = False,
    all_rungs: bool = False,
) -> list[Candidate]:
    """Candidates by number, with their trainings and rungs, without the bulk."""
    columns = (
        Candidate.id,
        Candidate.run_id,
        Candidate.number,
        Candidate.generation,
        Candidate.slot,
        Candidate.repair,
        Candidate.origin,
        Candidate.parents,
        Candidate.note,
        Candidate.completion_id,
        Candidate.status,
        Candidate.reason,
        Candidate.findings,
        Candidate.worth,
        *((Candidate.source,) if programs else ()),
    )
    ordered = select(*columns).where(chosen).order_by(Candidate.number)
    candidates = _read_only(Candidate, columns, session.execute(ordered))
    evaluations = _by(_evaluations(session, chosen), "candidate_id")
    rungs = _by(_rungs(session, chosen if all_rungs else chosen & ~Rung.kept), "candidate_id")
    for candidate in candidates:
        vars(candidate).update(evaluations=evaluations[candidate.id], rungs=rungs[candidate.id])
    return candidates


def _evaluations(session: Session, chosen: ColumnElement[bool]) -> list[Evaluation]:
    """Trainings by seed, with the few numbers of their JSON, which the database takes out of it."""
    columns = (
        Evaluation.id,
        Evaluation.candidate_id,
        Evaluation.purpose,
        Evaluation.seed,
        Evaluation.steps,
        Evaluation.fitness,
        Evaluation.seconds,
        Evaluation.finished,
    )
    report, score = Evaluation.report, Evaluation.score
    few = (
        report["steps"].as_integer(),
        report["seconds"].as_float(),
        report["peak_memory"].as_integer(),
        score["low"].as_float(),
        score["high"].as_float(),
    )
    ordered = select(*columns, *few).join(Candidate).where(chosen).order_by(Evaluation.seed)
    found = session.execute(ordered).all()
    evaluations = _read_only(Evaluation, columns, found)
    for evaluation, (*_, steps, seconds, memory, low, high) in zip(evaluations, found, strict=True):
        vars(evaluation).update(
            report={"steps": steps, "seconds": seconds or 0.0, "peak_memory": memory or 0},
            score={"low": low, "high": high},
        )
    return evaluations


def _rungs(session: Session, chosen: ColumnElement[bool]) -> list[Rung]:
    columns = (
        Rung.candidate_id,
        Rung.rung,
        Rung.steps,
        Rung.fitness,
        Rung.low,
        Rung.high,
        Rung.kept,
    )
    ordered = select(*columns).join(Candidate).where(chosen).order_by(Rung.rung)
    return _read_only(Rung, columns, session.execute(ordered))


def _read_only(kind: type[T], columns: Sequence[Any], rows: Iterable[Any]) -> list[T]:
    """Rows of a table of which only the first ``columns`` are known; reading others raises.

    They are no part of a session and cannot be written.  Made without the mapper, which takes
    three times as long for each as all that is done with it.
    """
    names = [column.key for column in columns]
    made: list[T] = []
    for row in rows:
        one = object.__new__(kind)
        vars(one).update(zip(names, row, strict=False))
        made.append(one)
    return made


def _by(parts: Iterable[T], name: str) -> defaultdict[Any, list[T]]:
    """The parts of each owner, whose key each holds under this name."""
    own: defaultdict[Any, list[T]] = defaultdict(list)
    for part in parts:
        own[getattr(part, name)].append(part)
    return own


def find_runs(store: "Store", names: Sequence[str]) -> list[str]:
    """The ids that these names mean, each once: an id, or the beginning of just one.

    Raises UserError for a name that is no run's, or that several runs begin with.
    """
    with store.reading() as session:
        ids = list(session.scalars(select(Run.id).order_by(Run.created.desc(), Run.id.desc())))
    return list(dict.fromkeys(_meant(store, name, ids) for name in names))


def _meant(store: "Store", name: str, ids: Sequence[str]) -> str:
    if name in ids:
        return name
    begun = [run_id for run_id in ids if name and run_id.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        shown = ", ".join(begun[:3]) + (", …" if len(begun) > 3 else "")
        raise UserError(f"{len(begun)} runs begin with {name!r} ({shown}); write more of it")
    raise store.unknown(name)


def searches_of(store: "Store", task: str) -> tuple[list[str], list[str]]:
    """Ids of the finished and of the other searches on a task (its name or folder), oldest first.

    Raises UserError when there is no search on it.
    """
    with store.reading() as session:
        found = session.execute(
            select(Run.id, Run.task, Run.task_folder, Run.status)
            .where(Run.kind == "search")
            .order_by(Run.created, Run.id)
        ).all()
    folder = str(Path(task).absolute())
    own = [row for row in found if task == row.task or folder == row.task_folder]
    if not own:
        near = get_close_matches(task, {row.task for row in found}, n=1, cutoff=0.6)
        advice = f"did you mean {near[0]}?" if near else "`reward-synth runs` lists all runs"
        raise UserError(f"no run in {store.runs_dir} searched on task {task!r}; {advice}")
    finished = [row.id for row in own if row.status == "finished"]
    return finished, [row.id for row in own if row.status != "finished"]
