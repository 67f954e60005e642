"""Reward programs without a language model: composed by a grammar from the task's words.

The default proposer.  It matches the description with the variables' documentation, composes
terms with constants from random episodes, and mutates and crosses what scored well.
"""

from reward_synth.llm.offline.proposer import OfflineProposer, Proposal, Scored

__all__ = ["OfflineProposer", "Proposal", "Scored"]
