"""Sweeps in the run database: what was asked for, which runs it has, and what those have taken."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from reward_synth.errors import UserError
from reward_synth.store.lock import run_lock
from reward_synth.store.schema import Completion, Run, Sweep
from reward_synth.store.store import Store

FOLDER = "sweeps"
"""Of all sweeps, beside the run folders."""


@dataclass(frozen=True)
class Bill:
    """What the language models of all of a sweep's runs have taken."""

    answers: int
    tokens: int
    """Of prompts and completions."""
    cost: float
    """US dollars, of the answers whose price is known."""
    unpriced: int
    """Answers whose price is not."""


def sweep_folder(store: Store, name: str) -> Path:
    """``runs_dir/sweeps/NAME``."""
    return store.runs_dir / FOLDER / name


def sweep_lock(store: Store, name: str) -> AbstractContextManager[None]:
    """Work on a sweep alone.  Entering raises UserError when another process is at it."""
    return run_lock(sweep_folder(store, name), "sweep")


def record_sweep(store: Store, name: str, plan: Mapping[str, Any]) -> None:
    """Record a new sweep, or what one that is there is to be from now on."""
    with store.writing() as session:
        found = session.get(Sweep, name)
        if found is None:
            session.add(Sweep(name=name, plan=dict(plan)))
        else:
            found.plan = dict(plan)


def find_sweep(store: Store, name: str) -> Sweep | None:
    """The sweep of that name, if there is one."""
    with store.reading() as session:
        return session.get(Sweep, name)


def get_sweep(store: Store, name: str) -> Sweep:
    """The sweep of that name.  Raises UserError, with the nearest name, when there is none."""
    found = find_sweep(store, name)
    if found is not None:
        return found
    with store.reading() as session:
        names = list(session.scalars(select(Sweep.name).order_by(Sweep.created.desc())))
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        advice = f"did you mean {near[0]}?"
    elif names:
        advice = f"there are: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
    else:
        advice = "start one with `reward-synth sweep FILE.yaml`"
    raise UserError(f"there is no sweep {name!r} in {store.runs_dir}; {advice}")


def runs_of(store: Store, name: str) -> dict[str, tuple[str, str, str]]:
    """A sweep's runs by cell: id, status, and why it failed or stopped."""
    columns = (Run.cell, Run.id, Run.status, Run.message)
    with store.reading() as session:
        found = session.execute(select(*columns).where(Run.sweep == name).order_by(Run.created))
        return {cell: (run, status, message) for cell, run, status, message in found if cell}


def bill(store: Store, name: str) -> Bill:
    """What a sweep's models have taken so far."""
    tokens = Completion.prompt_tokens + Completion.completion_tokens
    sums = (func.count(), func.sum(tokens), func.sum(Completion.cost), func.count(Completion.cost))
    with store.reading() as session:
        answers, tokens, cost, priced = session.execute(
            select(*sums).select_from(Completion).join(Run).where(Run.sweep == name)
        ).one()
    return Bill(answers, tokens or 0, cost or 0.0, answers - priced)


def add_sweep_seconds(store: Store, name: str, seconds: float) -> None:
    """Add to the wall-clock that a sweep has taken."""
    with store.writing() as session:
        session.execute(
            update(Sweep).where(Sweep.name == name).values(seconds=Sweep.seconds + seconds)
        )
