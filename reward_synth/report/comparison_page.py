"""The page of a comparison: one self-contained file without scripts, some tens of kilobytes."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from reward_synth.report.charts import COLOURS, DASHES, MARKERS, MOST_LINES, charts
from reward_synth.report.comparison import Comparison, Row
from reward_synth.report.page import page_file, page_template
from reward_synth.report.words import duration, number, percent, shortened
from reward_synth.store import Store, atomic_write
from reward_synth.version import __version__

STATES = {"running": "not finished", "stopped": "stopped at a limit", "failed": "failed"}
Link = Callable[[str], str | None]
"""The address of a run, if it has one."""
MOST_CAUSES = 3
"""Reasons for refusals that are shown, the most frequent; the JSON holds all."""


def write_comparison(
    store: Store, compared: Sequence[Comparison], path: Path | None = None
) -> Path:
    """Write the page of these comparisons and give its path, absolute.

    Without ``path`` it is ``compare-TASK-….html`` beside the run folders, the same file for the
    same runs.  Raises UserError when it cannot be written.
    """
    path = (path or store.runs_dir / page_name(compared)).absolute()
    atomic_write(path, render(compared, store, path))
    return path


def page_name(compared: Sequence[Comparison]) -> str:
    """``compare-hopper-forward-1a2b3c4d.html``: the task, and a mark of which runs they are."""
    runs = sorted(row.run for part in compared for row in part.rows)
    mark = hashlib.sha256("\n".join(runs).encode()).hexdigest()[:8]
    task = compared[0].task if len(compared) == 1 else "tasks"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in task[:60])
    return f"compare-{plain}-{mark}.html"


def render(compared: Sequence[Comparison], store: Store, path: Path) -> str:
    """The page's HTML, whose links to the runs' reports start from ``path``."""
    return page_template("compare.html.j2").render(
        title=title(compared),
        parts=parts(compared, links(store, path)),
        version=__version__,
        style=Markup(page_file("report.css") + page_file("compare.css")),
    )


def links(store: Store, path: Path) -> Link:
    """The ways from a page at ``path`` to the runs' own reports."""

    def link(run: str) -> str | None:
        report = store.run_folder(run) / "report.html"
        return quote(os.path.relpath(report, path.parent)) if report.is_file() else None

    return link


def title(compared: Sequence[Comparison]) -> str:
    """``3 runs on hopper-forward``."""
    runs = sum(len(part.rows) for part in compared)
    counted = "1 run" if runs == 1 else f"{runs} runs"
    if len(compared) == 1:
        return f"{counted} on {compared[0].task}"
    return f"{counted} on {len(compared)} tasks"


def parts(
    compared: Sequence[Comparison], link: Link, labels: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """What ``compare_parts.html.j2`` shows of each task.

    ``labels`` say what sets a run apart, by its id; strategy and model where none is given.
    """
    told = labels or {}
    return [_part(place, part, link, told) for place, part in enumerate(compared, 1)]


def _part(place: int, part: Comparison, link: Link, told: Mapping[str, str]) -> dict[str, Any]:
    return {
        "place": place,
        "task": part.task,
        "rows": [
            {**_cells(i, row, link(row.run)), "how": told.get(row.run, made_by(row))}
            for i, row in enumerate(part.rows, 1)
        ],
        "notes": part.notes,
        "charts": charts(part.rows),
        "at_zero": len({row.spent.tokens > 0 for row in part.rows}) == 2,
        "left_out": max(0, len(part.rows) - MOST_LINES),
    }


def _cells(place: int, row: Row, link: str | None) -> dict[str, Any]:
    counted = row.counted
    apart = row.difference
    return {
        "place": place,
        "colour": (place - 1) % COLOURS + 1,
        "dash": DASHES[(place - 1) // COLOURS % len(DASHES)],
        "shape": MARKERS[(place - 1) % len(MARKERS)],
        "run": row.run,
        "link": link,
        "status": row.status,
        "state": STATES.get(row.status, row.status),
        "fitness": number(row.fitness),
        "interval": between(row.low, row.high),
        "basis": basis(row),
        "normalised": "–" if row.human_normalised is None else f"{row.human_normalised:.2f}",
        "normalised_interval": between(row.normalised_low, row.normalised_high, 2),
        "difference": "" if apart is None else signed(apart.mean),
        "difference_interval": "" if apart is None else between(apart.low, apart.high),
        "execute_rate": "–" if counted.execute_rate is None else percent(counted.execute_rate),
        "refused": counted.refused,
        "refusals": refusals(row),
        "trainings": f"{counted.trainings:,}",
        "steps": f"{counted.environment_steps:,}",
        "tokens": tokens(row),
        "per_candidate": per_candidate(row),
        "cost": cost(row),
        "wall_clock": duration(counted.seconds),
    }


# --- words, which the terminal shows as well ------------------------------------------------


def made_by(row: Row) -> str:
    """Strategy and model."""
    return row.strategy + (f" · {row.model}" if row.model else "")


def basis(row: Row) -> str:
    """What a score rests on."""
    if row.fitness is None:
        return ""
    if row.confirmed:
        return "1 fresh seed" if row.seeds == 1 else f"{row.seeds} fresh seeds"
    if row.kind == "train":
        return f"{row.seeds} seeds so far"
    return "search alone"


def between(low: float | None, high: float | None, decimals: int | None = None) -> str:
    """``0.31 to 0.42``; nothing where there is no interval."""
    if low is None or high is None:
        return ""
    if decimals is None:
        return f"{number(low)} to {number(high)}"
    return f"{low:.{decimals}f} to {high:.{decimals}f}"


def signed(value: float) -> str:
    """``+0.041``, ``-0.2``."""
    return f"{'+' if value > 0 else ''}{number(value)}"


def refusals(row: Row) -> str:
    """The most frequent reasons for refusals."""
    causes = [
        f"{times} × {shortened(cause, 40)}" if times > 1 else shortened(cause, 40)
        for cause, times in row.refusals.items()
    ]
    shown = causes[:MOST_CAUSES]
    if len(causes) > MOST_CAUSES:
        shown.append("…")
    return ", ".join(shown)


def tokens(row: Row) -> str:
    """Of prompts and of completions."""
    counted = row.counted
    if not counted.completions:
        return "–"
    return f"{counted.prompt_tokens:,}, {counted.completion_tokens:,}"


def per_candidate(row: Row) -> str:
    """Tokens for each candidate that a model wrote."""
    each = row.tokens_per_candidate
    return "" if each is None else f"{each:,.0f} each"


def cost(row: Row) -> str:
    """US dollars."""
    if not row.counted.completions:
        return "–"
    return "unknown" if row.counted.cost is None else f"${row.counted.cost:.4f}"
