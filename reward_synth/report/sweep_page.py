"""The page of a sweep: its methods over all tasks, then its runs task by task.  No scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reward_synth.report.charts import Look
from reward_synth.report.comparison import Comparison
from reward_synth.report.comparison_page import STATES, links, parts
from reward_synth.report.methods import Improvement, Method
from reward_synth.report.page import page_file, page_template
from reward_synth.report.reliability import Estimated
from reward_synth.report.sweep_charts import (
    distributions,
    improvement_chart,
    interquartile_means,
)
from reward_synth.report.words import amount, duration, percent
from reward_synth.store import Store, atomic_write
from reward_synth.version import __version__


@dataclass(frozen=True)
class Left:
    """A run that is not finished."""

    label: str
    status: str
    reason: str


@dataclass(frozen=True)
class SweepFacts:
    """What the page tells."""

    name: str
    searches: int
    finished: int
    seconds: float
    compared: Sequence[Comparison]
    methods: Sequence[Method]
    improvements: Sequence[Improvement]
    labels: Mapping[str, str]
    """What sets a run apart from others on its task, by its id."""
    left: Sequence[Left]


def write_sweep_page(store: Store, facts: SweepFacts, path: Path) -> Path:
    """Write the page and give its path, absolute.  Raises UserError when it cannot be written."""
    path = path.absolute()
    atomic_write(path, render(facts, store, path))
    return path


def render(facts: SweepFacts, store: Store, path: Path) -> str:
    """The page's HTML, whose links to the runs' reports start from ``path``."""
    tasks = len({task for method in facts.methods for task in method.scores}) or len(facts.compared)
    return page_template("sweep.html.j2").render(
        name=facts.name,
        title=f"{counted(facts.searches, 'search', 'searches')}, "
        f"{counted(len(facts.methods), 'method')}, {counted(tasks, 'task')}",
        searches=facts.searches,
        finished=facts.finished,
        wall_clock=duration(facts.seconds),
        methods=[method_cells(Look(k), method) for k, method in enumerate(facts.methods, 1)],
        scored=any(method.iqm is not None for method in facts.methods),
        distributions=distributions(facts.methods),
        means=interquartile_means(facts.methods),
        improvements=improvement_chart(facts.methods, facts.improvements),
        parts=parts(facts.compared, links(store, path), facts.labels),
        left=[
            {"label": one.label, "status": one.status, "reason": one.reason}
            | {"state": STATES.get(one.status, "not begun")}
            for one in facts.left
        ],
        version=__version__,
        style=Markup(page_file("report.css") + page_file("compare.css") + page_file("sweep.css")),
    )


def method_cells(look: Look, method: Method) -> dict[str, Any]:
    """A method's row."""
    return {
        "look": look,
        "name": method.name,
        "runs": f"{method.scored} of {method.runs}",
        "iqm": value(method.iqm),
        "iqm_interval": between(method.iqm),
        "mean": value(method.mean),
        "mean_interval": between(method.mean),
        "above": above_expert(method),
        "trainings": f"{method.trainings:,}",
        "steps": amount(method.environment_steps),
        "tokens": f"{method.tokens:,}" if method.tokens else "–",
        "cost": price(method),
        "time": duration(method.seconds),
    }


# --- words, which the terminal shows as well ------------------------------------------------


def counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def value(found: Estimated | None) -> str:
    return "–" if found is None else f"{found.value:.2f}"


def between(found: Estimated | None) -> str:
    """``0.31 to 0.42``; nothing where no task has two runs that differ."""
    if found is None or found.low == found.high:
        return ""
    return f"{found.low:.2f} to {found.high:.2f}"


def above_expert(method: Method) -> str:
    """On how many of its tasks it beats the reward that a person wrote."""
    if method.above_expert is None:
        return "–"
    tasks = len(method.scores)
    return f"{round(method.above_expert * tasks)} of {tasks} ({percent(method.above_expert)})"


def price(method: Method) -> str:
    """US dollars."""
    if not method.tokens and not method.cost:
        return "–"
    return "unknown" if method.cost is None else f"${method.cost:.4f}"
