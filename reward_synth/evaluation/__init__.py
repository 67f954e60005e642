"""The gate, dispatch of training to sandbox workers, and trusted scoring."""

from reward_synth.evaluation.dispatch import Outcome, WorkerPool
from reward_synth.evaluation.gate import Gate, errors, readable_variables, static_findings
from reward_synth.evaluation.score import Score, interval, score_policy

__all__ = [
    "Gate",
    "Outcome",
    "Score",
    "WorkerPool",
    "errors",
    "interval",
    "readable_variables",
    "score_policy",
    "static_findings",
]
