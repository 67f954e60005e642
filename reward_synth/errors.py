"""The errors that reach a user as one line.

Everything else is a defect in RewardSynth and keeps its traceback under ``--debug``.
"""


class UserError(Exception):
    """The user's mistake: what is wrong, where, and what to do, in one line (exit status 2)."""


class RunError(Exception):
    """A run that could not go on for a reason that is not the user's (exit status 1)."""


class DeviceMemoryError(RunError):
    """A device's memory is too small for so many environments; fewer may fit."""
