"""RewardSynth: from one sentence to a reward function that trains a robot.

``reward_synth.synthesize`` is the main job as a function, and ``reward_synth.compare`` sets runs
side by side; ``reward-synth`` is the same from a shell.  They are imported on first use, because
they bring the simulator and the trainer with them.
"""

from typing import TYPE_CHECKING, Any

from reward_synth.version import __version__

if TYPE_CHECKING:
    from reward_synth.api import compare, synthesize

__all__ = ["__version__", "compare", "synthesize"]


def __getattr__(name: str) -> Any:
    if name in ("compare", "synthesize"):
        from reward_synth import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
