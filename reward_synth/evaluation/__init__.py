"""The gate, dispatch of training to sandbox workers, and trusted scoring."""

from reward_synth.evaluation.behaviour import Behaviour, Spread, behaviour
from reward_synth.evaluation.dispatch import Outcome, WorkerPool, compiled_kernels
from reward_synth.evaluation.gate import Gate, errors, static_findings
from reward_synth.evaluation.halving import decide, keep_at, rung_steps, standings
from reward_synth.evaluation.layout import Layout, cores, guess, measured
from reward_synth.evaluation.legs import Legs, Trained, TrainerChoice
from reward_synth.evaluation.pool import Pool
from reward_synth.evaluation.score import (
    Score,
    fitness_of,
    record_episodes,
    score_policies,
    score_policy,
)

__all__ = [
    "Behaviour",
    "Gate",
    "Layout",
    "Legs",
    "Outcome",
    "Pool",
    "Score",
    "Spread",
    "Trained",
    "TrainerChoice",
    "WorkerPool",
    "behaviour",
    "compiled_kernels",
    "cores",
    "decide",
    "errors",
    "fitness_of",
    "guess",
    "keep_at",
    "measured",
    "record_episodes",
    "rung_steps",
    "score_policies",
    "score_policy",
    "standings",
    "static_findings",
]
