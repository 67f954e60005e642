"""Strategies and the loop that drives a run."""

from reward_synth.search.config import RunConfig, TrainConfig
from reward_synth.search.progress import Observer, Progress

__all__ = ["Observer", "Progress", "RunConfig", "TrainConfig"]
