"""The figures of a report, drawn with plotly.

Colours are names of CSS variables (``var(--accent)``), which the page's script replaces by the
values of its light or dark theme.  Names that a reward program chose are escaped, because plotly
reads a subset of HTML in labels.
"""

from html import escape
from typing import Any

import plotly.graph_objects as go

from reward_synth.report.tables import (
    best_candidate,
    best_training,
    confirmations,
    confirmed_fitness,
    search_evaluation,
    search_fitness,
)
from reward_synth.report.words import number, percent, shortened
from reward_synth.store import Candidate, Evaluation, Run

SPREAD = 0.62
"""Width that one generation's candidates take, of the distance between generations."""
BEND = 16
"""Pieces that a line from parent to child is drawn with."""
ROW_HEIGHT = 52
"""Pixels between the candidates of a generation in the lineage."""
PALETTE = 8
"""Colours for components that the page's style sheet knows."""
HIDDEN = {"hoverinfo": "skip", "showlegend": False}


def figures(run: Run) -> list[tuple[str, str, go.Figure]]:
    """(title, one line on how to read it, figure) for all that a run has to show."""
    shown: list[tuple[str, str, go.Figure]] = []
    trained = any(c.evaluations for c in run.candidates)
    if run.kind == "search" and run.candidates:
        if trained:
            shown.append(
                (
                    "Score by generation",
                    "Each point is a trained candidate's fitness, measured without its reward; "
                    "the line is the best so far."
                    + (" Crosses below were refused or failed." if _stopped(run) else ""),
                    score_by_generation(run),
                )
            )
        shown.append(
            (
                "Lineage",
                "Which candidate was made from which, the best of a generation on top. "
                "The winner's ancestors are drawn in colour.",
                lineage(run),
            )
        )
    if trained:
        many = run.kind == "search"
        shown.append(
            (
                "Learning curves",
                "Fitness of the exploring policy during training, "
                + ("one line per candidate." if many else "one line per seed."),
                learning_curves(run),
            )
        )
    best = best_training(run)
    if best is not None:
        shown.append(
            (
                "Reward components of the best",
                "Mean of each component per environment step, over its training.",
                component_curves(best),
            )
        )
    return shown


def score_by_generation(run: Run) -> go.Figure:
    """Fitness of every candidate, the best so far, baselines and confirmations."""
    figure = _figure("generation", "fitness")
    scored = [(c, e) for c in run.candidates if (e := search_evaluation(c)) is not None]
    places = _places(run)
    reached: list[float] = []
    for _, evaluation in scored:
        reached.append(max([evaluation.fitness, *reached[-1:]]))
    xs = [places[c.number] for c, _ in scored]
    figure.add_scatter(
        x=xs,
        y=reached,
        mode="lines",
        line={"shape": "hv", "color": "var(--accent)", "width": 1.5},
        name="best so far",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=xs,
        y=[e.fitness for _, e in scored],
        mode="markers",
        marker={"size": 9, "color": "var(--accent)", "opacity": 0.55},
        name="candidate",
        customdata=[c.number for c, _ in scored],
        text=[_hover(c) for c, _ in scored],
        hovertemplate="%{text}<extra></extra>",
    )
    _add_confirmations(figure, run, places)
    values = [e.fitness for c in run.candidates for e in c.evaluations]
    values += _add_baselines(figure, run)
    if stopped := _stopped(run):
        floor = min(values) - 0.08 * ((max(values) - min(values)) or 1.0)
        figure.add_scatter(
            x=[places[c.number] for c in stopped],
            y=[floor] * len(stopped),
            mode="markers",
            marker={"size": 7, "symbol": "x-thin", "line": {"width": 1.5, "color": "var(--bad)"}},
            name="refused or failed",
            text=[_hover(c) for c in stopped],
            hovertemplate="%{text}<extra></extra>",
        )
    _label_generations(figure, run)
    return figure


def lineage(run: Run) -> go.Figure:
    """A graph by generation, parent to child."""
    figure = _figure("generation", "")
    rows = max(len(members) for members in _generations(run).values())
    height = 90 + ROW_HEIGHT * max(rows, 2)
    figure.update_layout(showlegend=False, height=height, margin_t=10)
    figure.update_yaxes(visible=False)
    best = best_candidate(run)
    family = _ancestors(run, best)
    places = _ranked_places(run)
    lines: dict[bool, list[list[float | None]]] = {False: [[], []], True: [[], []]}
    for candidate in run.candidates:
        x1, y1 = places[candidate.number]
        for parent in candidate.parents:
            if parent not in places:
                continue
            x0, y0 = places[parent]
            xs, ys = lines[candidate.number in family and parent in family]
            for t in (i / BEND for i in range(BEND + 1)):
                xs.append(x0 + (x1 - x0) * t)
                ys.append(y0 + (y1 - y0) * t * t * (3 - 2 * t))
            xs.append(None)
            ys.append(None)
    for coloured, (xs, ys) in lines.items():
        colour, width = ("var(--accent)", 2.5) if coloured else ("var(--faint)", 1.2)
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": colour, "width": width},
            **HIDDEN,
        )
    fitness = [f for c in run.candidates if (f := search_fitness(c)) is not None]
    low, high = min(fitness, default=0.0), max(fitness, default=1.0)
    for stopped in (False, True):
        nodes = [c for c in run.candidates if (search_fitness(c) is None) == stopped]
        scale = [((search_fitness(c) or low) - low) / ((high - low) or 1.0) for c in nodes]
        winner = [best is not None and c.number == best.number for c in nodes]
        figure.add_scatter(
            x=[places[c.number][0] for c in nodes],
            y=[places[c.number][1] for c in nodes],
            mode="markers+text",
            text=[str(c.number) for c in nodes],
            textposition="middle center",
            textfont={"size": 11, "color": "var(--muted)" if stopped else "var(--node-ink)"},
            marker={
                "size": 24,
                "color": "var(--paper)" if stopped else [_shade(share) for share in scale],
                "line": {
                    "width": [3 if won else 1 for won in winner],
                    "color": ["var(--gold)" if won else "var(--faint)" for won in winner],
                },
            },
            hovertext=[_hover(c) for c in nodes],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    _label_generations(figure, run)
    return figure


def learning_curves(run: Run) -> go.Figure:
    """Fitness over environment steps, the best candidate in colour."""
    figure = _figure("environment steps", "fitness")
    figure.update_xaxes(rangemode="tozero")
    best = best_candidate(run)
    drawn = [
        (candidate, evaluation)
        for candidate in run.candidates
        for evaluation in candidate.evaluations
        if run.kind == "train" or evaluation.purpose == "search"
    ]
    # The best is drawn last, above the others.
    drawn.sort(key=lambda pair: best is not None and pair[0].number == best.number)
    for candidate, evaluation in drawn:
        points = [p for p in evaluation.report["checkpoints"] if p["fitness"] is not None]
        leads = best is not None and candidate.number == best.number
        name = f"candidate {candidate.number}"
        if run.kind == "train":
            name = f"seed {evaluation.seed}"
        figure.add_scatter(
            x=[p["step"] for p in points],
            y=[p["fitness"] for p in points],
            mode="lines",
            name=name,
            showlegend=leads,
            line={
                "color": "var(--accent)" if leads else "var(--faint)",
                "width": 2.5 if leads else 1.2,
            },
            hovertemplate="%{x:,} steps: %{y:.3~g}<extra>" + name + "</extra>",
        )
    _add_baselines(figure, run)
    return figure


def component_curves(evaluation: Evaluation) -> go.Figure:
    """Each component's mean per environment step, over training."""
    figure = _figure("environment steps", "mean per step")
    figure.update_xaxes(rangemode="tozero")
    checkpoints = evaluation.report["checkpoints"]
    names = list(dict.fromkeys(name for p in checkpoints for name in p["components"]))
    for i, name in enumerate(names):
        points = [
            (p["step"], p["components"][name]) for p in checkpoints if name in p["components"]
        ]
        label = escape(shortened(name, 40))
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[s["mean"] for _, s in points],
            mode="lines+markers",
            name=label,
            line={"color": f"var(--c{i % PALETTE + 1})", "width": 2},
            marker={"size": 5},
            text=[
                f"{label}: {number(s['mean'])}<br>{percent(s['share'])} of the total<br>"
                f"single steps {number(s['min'])} to {number(s['max'])}"
                for _, s in points
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    return figure


# --- drawing ---------------------------------------------------------------------------------


def _figure(x: str, y: str) -> go.Figure:
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


def _add_confirmations(figure: go.Figure, run: Run, places: dict[int, float]) -> None:
    finalists = [c for c in run.candidates if confirmations(c)]
    if not finalists:
        return
    best = best_candidate(run)
    means = [confirmed_fitness(c) or 0.0 for c in finalists]
    spans = [[e.fitness for e in confirmations(c)] for c in finalists]
    figure.add_scatter(
        x=[places[c.number] for c in finalists],
        y=means,
        mode="markers",
        name="confirmed on fresh seeds",
        marker={
            "symbol": [
                "star" if best is not None and c.number == best.number else "diamond"
                for c in finalists
            ],
            "size": 13,
            "color": "var(--gold)",
            "line": {"width": 1, "color": "var(--paper)"},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [max(span) - mean for span, mean in zip(spans, means, strict=True)],
            "arrayminus": [mean - min(span) for span, mean in zip(spans, means, strict=True)],
            "color": "var(--gold)",
            "thickness": 1.5,
            "width": 4,
        },
        text=[
            f"candidate {c.number}, confirmed<br>fitness {number(mean)} over {len(span)} seeds"
            for c, mean, span in zip(finalists, means, spans, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
    )


def _add_baselines(figure: go.Figure, run: Run) -> list[float]:
    """Draw the levels that the task's own rewards reach; gives them."""
    levels: list[float] = []
    for name, colour in (("expert", "var(--good)"), ("sparse", "var(--muted)")):
        level = (run.result or {}).get(name)
        if level is None:
            continue
        levels.append(level)
        figure.add_hline(
            y=level,
            line={"color": colour, "width": 1.2, "dash": "dash"},
            layer="below",
            name=f"{name} reward {number(level)}",
            showlegend=True,
        )
        figure.add_scatter(  # a line alone does not widen the axis
            x=[None], y=[level], mode="markers", **HIDDEN
        )
    return levels


def _label_generations(figure: go.Figure, run: Run) -> None:
    generations = sorted({c.generation for c in run.candidates})
    figure.update_xaxes(
        tickvals=generations,
        ticktext=[str(generation + 1) for generation in generations],
        range=[generations[0] - 0.5, generations[-1] + 0.5],
        zeroline=False,
    )


def _stopped(run: Run) -> list[Candidate]:
    return [c for c in run.candidates if c.status in ("refused", "failed")]


def _places(run: Run) -> dict[int, float]:
    """Where each candidate stands on the generation axis: side by side, in order of number."""
    return {
        candidate.number: generation + SPREAD * ((i + 0.5) / len(members) - 0.5)
        for generation, members in _generations(run).items()
        for i, candidate in enumerate(members)
    }


def _ranked_places(run: Run) -> dict[int, tuple[float, float]]:
    """Where each node of the lineage stands: a column per generation, the best on top.

    A repair stands to the right of the program that it repairs.
    """
    lowest = float("-inf")
    places = {}
    for generation, members in _generations(run).items():
        ranked = sorted(
            members,
            key=lambda c: (lowest if (f := search_fitness(c)) is None else f, -c.number),
            reverse=True,
        )
        for rank, candidate in enumerate(ranked):
            x = generation + 0.22 * candidate.repair
            places[candidate.number] = (x, (len(ranked) - 1) / 2 - rank)
    return places


def _generations(run: Run) -> dict[int, list[Candidate]]:
    members: dict[int, list[Candidate]] = {}
    for candidate in run.candidates:
        members.setdefault(candidate.generation, []).append(candidate)
    return members


def _ancestors(run: Run, candidate: Candidate | None) -> set[int]:
    """Numbers of a candidate and of all that it descends from."""
    parents = {c.number: c.parents for c in run.candidates}
    found: set[int] = set()
    todo: list[Any] = [] if candidate is None else [candidate.number]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += parents.get(current, [])
    return found


def _shade(share: float) -> str:
    """One of the style sheet's five steps from the worst to the best fitness."""
    return f"var(--s{min(int(share * 5), 4) + 1})"


def _hover(candidate: Candidate) -> str:
    lines = [f"<b>candidate {candidate.number}</b>"]
    fitness = search_fitness(candidate)
    if fitness is not None:
        lines.append(f"fitness {number(fitness)}")
    else:
        lines.append(candidate.status)
    if candidate.reason:
        lines.append(escape(shortened(candidate.reason, 70)))
    elif candidate.note:
        lines.append(escape(shortened(candidate.note, 70)))
    return "<br>".join(lines)
