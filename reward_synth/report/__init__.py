"""What people see of a run: tables, figures, films, the HTML report and TensorBoard events."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reward_synth.store import Store

__all__ = ["write_report"]


def write_report(store: "Store", run_id: str) -> Path:
    """Write ``runs/RUN/report.html``; see :func:`reward_synth.report.html.write_report`."""
    # plotly takes a third of a second to import, which no other command should pay.
    from reward_synth.report import html

    return html.write_report(store, run_id)
