"""The errors that reach a user as one line.

Everything else is a defect in RewardSynth and keeps its traceback under ``--debug``.
"""

from collections.abc import Sequence

STOPPED = 3
"""Exit status of a run that stopped at a limit."""


class UserError(Exception):
    """The user's mistake: what is wrong, where, and what to do, in one line (exit status 2)."""


class FaultsError(UserError):
    """Several mistakes at once, in ``faults``, a line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class RunError(Exception):
    """A run that could not go on for a reason that is not the user's (exit status 1)."""


class LimitError(RunError):
    """A limit of the run was reached; all that was done is recorded (exit status 3).

    ``limit`` is the setting's name (``max_cost``, ``max_tokens``, ``max_hours``,
    ``max_failures``), ``value`` what the run took of it and ``allowed`` what it might.
    """

    def __init__(self, limit: str, message: str, *, value: float | None, allowed: float) -> None:
        super().__init__(message)
        self.limit = limit
        self.value = value
        """None where it is not known, and so the limit cannot be kept."""
        self.allowed = allowed


class DeviceMemoryError(RunError):
    """A device's memory is too small for so many environments; fewer may fit."""
