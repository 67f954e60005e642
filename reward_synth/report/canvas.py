"""The blank figure that all others are drawn on, and what several of them share.

Colours are names of CSS variables (``var(--accent)``), which the page's script replaces by the
values of its light or dark theme.  Reasons and notes are escaped, because plotly reads a subset of
HTML in labels.
"""

from html import escape

import plotly.graph_objects as go

from reward_synth.report.tables import search_fitness, search_interval
from reward_synth.report.words import number, shortened
from reward_synth.store import Candidate, Run


def new_figure(x: str, y: str) -> go.Figure:
    """An empty figure with these axis titles."""
    figure = go.Figure()
    axis = {
        "gridcolor": "var(--rule)",
        "zerolinecolor": "var(--rule)",
        "linecolor": "var(--rule)",
        "tickfont": {"size": 12},
        "title": {"font": {"size": 12}, "standoff": 10},
        "automargin": True,
    }
    figure.update_layout(
        template="none",
        height=360,
        margin={"l": 10, "r": 16, "t": 34, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "var(--muted)", "family": "system-ui, sans-serif", "size": 13},
        hoverlabel={
            "bgcolor": "var(--paper)",
            "bordercolor": "var(--faint)",
            "font": {"color": "var(--ink)", "size": 13},
            "align": "left",
        },
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        xaxis=axis | {"showgrid": False},
        yaxis=axis,
        dragmode=False,
    )
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure


def label_generations(figure: go.Figure, run: Run) -> None:
    """Make the x axis count generations, from one."""
    generations = sorted({c.generation for c in run.candidates})
    figure.update_xaxes(
        tickvals=generations,
        ticktext=[str(generation + 1) for generation in generations],
        range=[generations[0] - 0.5, generations[-1] + 0.5],
        zeroline=False,
    )


def by_generation(run: Run) -> dict[int, list[Candidate]]:
    """The candidates of each generation, by number."""
    members: dict[int, list[Candidate]] = {}
    for candidate in run.candidates:
        members.setdefault(candidate.generation, []).append(candidate)
    return members


def hover(candidate: Candidate) -> str:
    """What is told of a candidate under the pointer."""
    lines = [f"<b>candidate {candidate.number}</b>"]
    fitness = search_fitness(candidate)
    if fitness is not None:
        lines.append(f"fitness {number(fitness)}")
        if spread := search_interval(candidate):
            lines[-1] += f" ({number(spread[0])} to {number(spread[1])})"
    elif candidate.worth is not None:
        lines.append(f"score by preference {number(candidate.worth)}")
    else:
        lines.append(candidate.status)
    if candidate.reason:
        lines.append(escape(shortened(candidate.reason, 70)))
    elif candidate.note:
        lines.append(escape(shortened(candidate.note, 70)))
    return "<br>".join(lines)
