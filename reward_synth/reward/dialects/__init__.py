"""Other dialects of reward code, written as the reward language writes it.

Language models and published systems write rewards for NumPy, PyTorch and JAX: with imports,
type hints and decorators, with methods of arrays, as methods of a class, with changes in place.
:func:`translate` rewrites what has one meaning, and refuses the rest with its reason.  It works
on the syntax tree alone and never runs anything.  See ``docs/dialects.md``.
"""

from reward_synth.reward.dialects.translation import Note, Translation, translate

__all__ = ["Note", "Translation", "translate"]
