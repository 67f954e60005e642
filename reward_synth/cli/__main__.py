"""``python -m reward_synth.cli`` is ``reward-synth``."""

from reward_synth.cli.main import run

run()
