"""The rungs of successive halving as a figure: who was measured where, and who was dropped."""

import math
from itertools import pairwise

import plotly.graph_objects as go

from reward_synth.report.canvas import new_figure
from reward_synth.report.curves import PALETTE
from reward_synth.report.pruning import TOLD, Ladder, Measure, ladders
from reward_synth.report.tables import best_candidate
from reward_synth.report.words import number
from reward_synth.store import Candidate, Run

COLUMNS = 2
BETWEEN = 0.07
"""Share of the figure's width between two panels, where the right one's scale stands."""
HEIGHT = 300
"""Pixels of a row of panels."""
MOST_PANELS = 8
"""Generations that are drawn, the last ones; the tables below the figure show all."""
DODGE = 0.03
"""Share of the narrowest gap between rungs that neighbouring error bars stand apart at most."""
CROWD = 0.25
"""Share of that gap that all bars of a rung take at most."""


def rungs(run: Run) -> go.Figure:
    """Fitness at every rung over environment steps, a panel for each generation.

    One line for each candidate: those that were trained to the end in colour with their number,
    dropped ones grey and ending in a cross; bars are 95 % intervals.
    """
    shown = ladders(run)[-MOST_PANELS:]
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = new_figure("", "")
    figure.update_layout(height=40 + HEIGHT * rows, showlegend=False, margin_t=30)
    layout = figure.to_plotly_json()["layout"]
    every = sorted({steps for ladder in shown for steps in ladder.steps})
    gap = min((math.log(b / a) for a, b in pairwise(every)), default=1.0)
    for panel, ladder in enumerate(shown):
        axis = "" if panel == 0 else str(panel + 1)
        left, bottom = panel % columns, rows - 1 - panel // columns
        width = (1 - BETWEEN * (columns - 1)) / columns
        x0 = left * (width + BETWEEN)
        x1 = x0 + width
        y0, y1 = bottom / rows + 0.12 / rows, (bottom + 1) / rows - 0.1 / rows
        figure.update_layout(
            {
                f"xaxis{axis}": layout["xaxis"]
                | {
                    "domain": [x0, x1],
                    "anchor": f"y{axis}",
                    "type": "log",
                    "tickvals": every,
                    "ticktext": [_short(steps) for steps in every],
                    "title": _title("environment steps (log scale)"),
                    "range": [math.log10(every[0]) - 0.06, math.log10(every[-1]) + 0.2],
                    "zeroline": False,
                },
                f"yaxis{axis}": layout["yaxis"]
                | {
                    "domain": [y0, y1],
                    "anchor": f"x{axis}",
                    "matches": None if panel == 0 else "y",
                    "title": _title("fitness" if left == 0 else ""),
                },
            }
        )
        figure.add_annotation(
            text=f"generation {ladder.generation + 1}",
            x=x0,
            y=y1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 13, "color": "var(--ink)"},
        )
        _draw(figure, run, ladder, axis, gap * min(DODGE, CROWD / len(ladder.candidates)))
    return figure


def _draw(figure: go.Figure, run: Run, ladder: Ladder, axis: str, dodge: float) -> None:
    """One panel's lines, the best candidate above the others."""
    best = best_candidate(run)
    middle = (len(ladder.candidates) - 1) / 2
    lines = list(enumerate(ladder.candidates))
    for rank, candidate in reversed(lines):
        measures = ladder.measures[candidate.number]
        dropped = candidate.status == "pruned"
        winner = best is not None and best.number == candidate.number
        colour = "var(--faint)" if dropped else f"var(--c{rank % PALETTE + 1})"
        factor = math.exp(dodge * (rank - middle))
        figure.add_scatter(
            x=[m.steps * factor for m in measures],
            y=[m.fitness for m in measures],
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
            mode="lines+markers+text",
            name=f"candidate {candidate.number}",
            line={"color": colour, "width": 3 if winner else 1.2 if dropped else 2},
            marker={
                "size": [_size(m, winner) for m in measures],
                "symbol": [_symbol(m, winner) for m in measures],
                "color": ["var(--bad)" if m.decision == "dropped" else colour for m in measures],
                "line": {"width": 0},
                "opacity": 1,
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [m.high - m.fitness for m in measures],
                "arrayminus": [m.fitness - m.low for m in measures],
                "color": colour,
                "thickness": 1,
                "width": 3,
            },
            text=[""] * (len(measures) - 1) + ["" if dropped else _label(candidate, rank)],
            textposition="middle right",
            textfont={"size": 12, "color": colour},
            hovertext=[_hover(candidate, m) for m in measures],
            hovertemplate="%{hovertext}<extra></extra>",
            cliponaxis=False,
        )


def _title(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 12}, "standoff": 10}


def _label(candidate: Candidate, rank: int) -> str:
    """The number beside a line's end; neighbours by rank, which may touch, stand side by side."""
    return "\u2002" * (1 + 3 * (rank % 2)) + str(candidate.number)


def _symbol(measure: Measure, winner: bool) -> str:
    if measure.decision == "dropped":
        return "x"
    return "star" if winner and measure.decision == "end" else "circle"


def _size(measure: Measure, winner: bool) -> int:
    if measure.decision == "dropped":
        return 8
    return 13 if winner and measure.decision == "end" else 6


def _hover(candidate: Candidate, measure: Measure) -> str:
    return (
        f"<b>candidate {candidate.number}</b> after {measure.steps:,} steps<br>"
        f"fitness {number(measure.fitness)} ({number(measure.low)} to {number(measure.high)})<br>"
        f"{TOLD[measure.decision]}"
    )


def _short(steps: int) -> str:
    """``12.5k``, ``2M``."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if steps >= size:
            return f"{steps / size:.3g}{letter}"
    return str(steps)
