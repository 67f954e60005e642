"""RewardSynth: from one sentence to a reward function that trains a robot.

``reward_synth.synthesize`` is the main job as a function; ``reward-synth`` is the same from a
shell.  It is imported on first use, because it brings the simulator and the trainer with it.
"""

from typing import TYPE_CHECKING, Any

from reward_synth.version import __version__

if TYPE_CHECKING:
    from reward_synth.api import synthesize

__all__ = ["__version__", "synthesize"]


def __getattr__(name: str) -> Any:
    if name == "synthesize":
        from reward_synth.api import synthesize

        return synthesize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
