"""A run as somebody watches it: its candidates and their scores, without their bulk."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import defer, raiseload, selectinload

from reward_synth.store.schema import Candidate, Evaluation, Run

if TYPE_CHECKING:
    from reward_synth.store.store import Store


def load_watched(store: "Store", run_id: str) -> Run:
    """A run with its candidates and the scores of their trainings.

    Programs, findings, rungs, reports and completions are not loaded; reading them raises.

    Raises UserError, with the nearest name, when there is none of that name.
    """
    candidates = selectinload(Run.candidates).options(
        defer(Candidate.source, raiseload=True),
        defer(Candidate.findings, raiseload=True),
        raiseload(Candidate.completion),
        raiseload(Candidate.rungs),
        selectinload(Candidate.evaluations).defer(Evaluation.report, raiseload=True),
    )
    query = select(Run).where(Run.id == run_id).options(candidates, raiseload(Run.completions))
    with store.reading() as session:
        run = session.scalar(query)
    if run is None:
        raise store.unknown(run_id)
    return run
