"""The run database and the run folder: everything that is remembered of a run."""

from reward_synth.store.folder import atomic_write, candidate_folder, write_best
from reward_synth.store.proposals import (
    NewCandidate,
    NewCompletion,
    NewJudgement,
    Part,
    RungDecision,
)
from reward_synth.store.restoring import restore_files
from reward_synth.store.schema import (
    Candidate,
    Completion,
    Evaluation,
    Judgement,
    Run,
    Rung,
    Sweep,
)
from reward_synth.store.store import Store

__all__ = [
    "Candidate",
    "Completion",
    "Evaluation",
    "Judgement",
    "NewCandidate",
    "NewCompletion",
    "NewJudgement",
    "Part",
    "Run",
    "Rung",
    "RungDecision",
    "Store",
    "Sweep",
    "atomic_write",
    "candidate_folder",
    "restore_files",
    "write_best",
]
