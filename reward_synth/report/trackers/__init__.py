"""Runs in the trackers that people use: TensorBoard always, W&B and MLflow where asked for.

All that is sent is derived from the run database, by a thread for each tracker: a tracker that is
slow or out of reach holds up nothing, and a resumed run goes on in the same tracked run with what
is not there yet.
"""

from reward_synth.report.trackers.following import tracked
from reward_synth.report.trackers.interface import check_trackers

__all__ = ["check_trackers", "tracked"]
