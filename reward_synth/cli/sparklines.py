"""Curves of a training in a terminal: a line of blocks for each."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reward_synth.report.words import number

if TYPE_CHECKING:
    from rich.table import Table

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 40
"""Points of a line at most."""


def sparkline(values: Sequence[float]) -> str:
    """A block for each value, the lowest of them lowest; all equal ones in the middle."""
    low, span = min(values), max(values) - min(values)
    top = len(BLOCKS) - 1
    if span == 0.0:
        return BLOCKS[top // 2] * len(values)
    return "".join(BLOCKS[round((value - low) / span * top)] for value in values)


def curve_table(report: dict[str, Any]) -> "Table":
    """A row for each of a training's curves."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, line, told in curves(report):
        grid.add_row(Text(name), line, told)  # a component may have any name
    return grid


def curves(report: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, curve, and first and last value of what a training's report follows.

    Those of the whole come first, then each component's mean per environment step with its mean
    share of the total.
    """
    from reward_synth.feedback.diagnosis import component_names, mean_share
    from reward_synth.feedback.reflection import evenly
    from sandbox.messages import TrainingReport

    checkpoints = TrainingReport.model_validate(report).checkpoints
    points = evenly(checkpoints, WIDTH)
    for name, field in (
        ("fitness", "fitness"),
        ("success", "success"),
        ("total reward", "episode_return"),
        ("episode steps", "episode_length"),
    ):
        values = [v for point in points if (v := getattr(point, field)) is not None]
        if values:
            yield name, sparkline(values), ends(values)
    for name in component_names(checkpoints):
        values = [p.components[name].mean for p in points if name in p.components]
        if values:
            share = f"{100 * mean_share(checkpoints, name):.0f} % of the total"
            yield name, sparkline(values), f"{ends(values)}, {share}"


def ends(values: Sequence[float]) -> str:
    return f"{number(values[0])} → {number(values[-1])}"
