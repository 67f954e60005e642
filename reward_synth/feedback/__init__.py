"""What goes back to the proposer: reports of trainings turned into words."""

from reward_synth.feedback.behaviour import describe
from reward_synth.feedback.history import Attempt, History
from reward_synth.feedback.reflection import reflect

__all__ = ["Attempt", "History", "describe", "reflect"]
