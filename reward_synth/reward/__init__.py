"""The reward language: a small, pure subset of Python for NumPy, PyTorch and JAX.

See ``docs/reward-language.md`` for the language itself.
"""

from reward_synth.reward.finding import Finding, RewardError
from reward_synth.reward.measure import EpisodeMeasure
from reward_synth.reward.program import RewardProgram, check, parse
from reward_synth.reward.source import read_program
from reward_synth.reward.vocabulary import HELPERS, XP_FUNCTIONS

__all__ = [
    "HELPERS",
    "XP_FUNCTIONS",
    "EpisodeMeasure",
    "Finding",
    "RewardError",
    "RewardProgram",
    "check",
    "parse",
    "read_program",
]
