"""What runs are at just now, for whoever looks on from another process.

The process that works on a run says so every few seconds and takes it back when it ends.  One that
was killed cannot: its word is old after :data:`SILENCE`, and is believed no longer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from reward_synth.store.schema import Activity, now

if TYPE_CHECKING:
    from reward_synth.store.store import Store

BEAT = 10.0
"""Seconds between two signs of life at most."""
SILENCE = timedelta(seconds=45)
"""After which a process is thought dead."""


def record_activity(
    store: "Store",
    run_id: str,
    doing: str,
    generation: int | None,
    trainings: Sequence[Mapping[str, Any]],
) -> None:
    """Say what a run is at, in place of what was said before."""
    said = Activity(
        run_id=run_id,
        beat=now(),
        doing=doing,
        generation=generation,
        trainings=[dict(training) for training in trainings],
    )
    with store.writing() as session:
        session.merge(said)


def clear_activity(store: "Store", run_id: str) -> None:
    """Nobody works on a run any more."""
    with store.writing() as session:
        session.execute(delete(Activity).where(Activity.run_id == run_id))


def activity(store: "Store", run_id: str) -> Activity | None:
    """What a run is at; None where nobody works on it."""
    with store.reading() as session:
        said = session.get(Activity, run_id)
        return said if said is not None and alive(said.beat) else None


def alive(beat: datetime | None) -> bool:
    """Whether a sign of life is recent."""
    return beat is not None and now() - beat < SILENCE
