"""Live progress of a run: a small table in a terminal, plain lines anywhere else.

Both draw the same :class:`Standing`, which is told of every :class:`Progress` event.  Events come
from several threads.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from reward_synth.cli.output import clock, console, duration, number
from reward_synth.cli.recorded import resume_command
from reward_synth.search import Observer, Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT."""
QUARTERS = 4
"""How many lines one training gets where there is no terminal."""
ROWS = 12
"""Trainings that the table shows at once; the busy and the best ones come first."""
BAR_WIDTH = 24
REFRESHES_PER_SECOND = 4

Key = tuple[int, int | None]


@dataclass
class Training:
    """One row: a candidate in the search, or a finalist with one of the fresh seeds."""

    candidate: int
    seed: int | None
    state: str = "waiting"
    step: int = 0
    steps: int = 0
    fitness: float | None = None
    message: str = ""

    @property
    def label(self) -> str:
        seed = "" if self.seed is None else f" seed {self.seed}"
        return f"candidate {self.candidate}{seed}"

    @property
    def over(self) -> bool:
        return self.state in ("scored", "failed", "refused")


@dataclass
class Standing:
    """Where a run stands."""

    iterations: int
    samples: int
    confirmations: int
    """Trainings on fresh seeds that are still to come after the last generation."""
    by_seed: bool = False
    """Rows are seeds of one reward program, as in a plain training."""
    run: str = ""
    phase: str = "starting"
    generation: int = 0
    rows: dict[Key, Training] = field(default_factory=dict)
    best: int | None = None
    best_fitness: float | None = None
    started: float = field(default_factory=time.monotonic)
    steps_done: int = 0
    """Environment steps of trainings that ended while we watched."""
    generations_left: int = 0

    def __post_init__(self) -> None:
        self.generations_left = self.iterations

    @property
    def confirming(self) -> bool:
        return self.by_seed or self.phase == "confirming"

    def tell(self, event: Progress) -> None:
        """Take an event in."""
        self.run = event.run
        if event.kind in ("proposing", "proposed"):
            self.phase = event.kind
            self.generation = event.generation or 0
            self.rows.clear()
        elif event.kind == "confirming":
            self.phase = "confirming"
            self.rows.clear()
        elif event.kind == "generation":
            self.generations_left = self.iterations - (event.generation or 0) - 1
            self.best, self.best_fitness = event.candidate, event.fitness
        elif event.candidate is not None and event.kind != "finished":
            self.follow(self.row(event), event)

    def row(self, event: Progress) -> Training:
        """The row that an event is about."""
        assert event.candidate is not None
        key = (event.candidate, event.seed if self.confirming else None)
        return self.rows.setdefault(key, Training(*key))

    def follow(self, row: Training, event: Progress) -> None:
        if self.phase in ("starting", "proposed"):
            self.phase = "training"
        row.state = "waiting" if event.kind == "accepted" else event.kind
        row.message = event.message
        row.steps = event.steps or row.steps
        row.step = row.step if event.step is None else event.step
        row.fitness = row.fitness if event.fitness is None else event.fitness
        if event.kind in ("scored", "failed"):
            self.steps_done += row.steps if event.kind == "scored" else row.step
            row.step = row.steps
        if event.kind == "scored" and not self.confirming:
            better = self.best_fitness is None or (event.fitness or 0.0) > self.best_fitness
            if better:
                self.best, self.best_fitness = row.candidate, event.fitness

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def seconds_left(self) -> float | None:
        """From the steps done so far and those still to come; None before there are any."""
        running = [row for row in self.rows.values() if row.state == "training"]
        waiting = sum(row.state == "waiting" for row in self.rows.values())
        steps = max((row.steps for row in self.rows.values()), default=0)
        done = self.steps_done + sum(row.step for row in running)
        if not done or not steps:
            return None
        if self.confirming:
            to_come = self.confirmations - sum(row.over for row in self.rows.values())
        else:
            later = max(self.generations_left - 1, 0) * self.samples + self.confirmations
            to_come = later + waiting + len(running)
        left = max(to_come * steps - sum(row.step for row in running), 0)
        return self.elapsed / done * left


@contextmanager
def watching(standing: Standing, runs_dir: Path) -> Iterator[Observer]:
    """Show a run's progress on stderr: a live table in a terminal, lines anywhere else.

    An interruption becomes one line that says how to go on, and exit status 130.
    """
    import typer

    out = console(stderr=True)
    terminal = out.file.isatty() and not out.is_dumb_terminal
    try:
        if terminal:
            with LiveTable(standing, out) as observer:
                yield observer
        else:
            yield Lines(standing, lambda line: print_line(out, line))
    except KeyboardInterrupt:
        print_line(out, interruption(standing.run, runs_dir))
        raise typer.Exit(INTERRUPTED) from None


def interruption(run: str, runs_dir: Path) -> str:
    """What to type to go on."""
    if not run:
        return "interrupted before the run began"
    return f"interrupted; go on with: {resume_command(run, runs_dir)}"


def print_line(out: "Console", line: str) -> None:
    out.file.write(line + "\n")
    out.file.flush()


class Lines:
    """One line per event that matters."""

    def __init__(self, standing: Standing, write: Callable[[str], None]) -> None:
        self.standing = standing
        self.write = write
        self.lock = threading.Lock()
        self.quarters: dict[Key, int] = {}

    def __call__(self, event: Progress) -> None:
        with self.lock:
            self.standing.tell(event)
            if line := self.line(event):
                self.write(f"{clock(self.standing.elapsed):>7}  {line}")

    def line(self, event: Progress) -> str:
        """What is worth saying about an event; mostly nothing."""
        if event.kind == "training":
            return self.training(event)
        if event.kind in ("refused", "scored", "failed"):
            label = self.standing.row(event).label
            told = number(event.fitness) if event.kind == "scored" else event.message
            return f"{label} {event.kind}: {told}"
        return headline(event, self.standing)

    def training(self, event: Progress) -> str:
        """A line at every quarter of a training."""
        if not event.step or not event.steps:
            return ""
        row = self.standing.row(event)
        key = (row.candidate, event.seed)
        quarter = event.step * QUARTERS // event.steps
        if quarter <= self.quarters.get(key, 0) or quarter >= QUARTERS:
            return ""
        self.quarters[key] = quarter
        fitness = "" if event.fitness is None else f", fitness {number(event.fitness)}"
        return f"{row.label} at {event.step:,} of {event.steps:,} steps{fitness}"


def headline(event: Progress, standing: Standing) -> str:
    """The line that stays when the table has moved on; empty for small events."""
    generation = f"generation {(event.generation or 0) + 1} of {standing.iterations}"
    if event.kind == "started":
        return f"run {event.run}"
    if event.kind == "resumed":
        return f"run {event.run} goes on: {event.message}"
    if event.kind == "proposed":
        return f"{generation}: {event.message}"
    if event.kind == "generation":
        if event.candidate is None:
            return f"{generation}: no candidate could be trained"
        return f"{generation}: best is candidate {event.candidate} with {number(event.fitness)}"
    if event.kind == "confirming":
        return f"confirming the best: {event.message}"
    return ""


class LiveTable:
    """The trainings that go on, redrawn a few times a second below the lines that stay."""

    def __init__(self, standing: Standing, out: "Console") -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        self.standing = standing
        self.out = out
        self.lock = threading.Lock()
        self.spinner = Spinner("dots")
        self.live = Live(
            get_renderable=self.draw,
            console=out,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def __call__(self, event: Progress) -> None:
        with self.lock:
            self.standing.tell(event)
            line = headline(event, self.standing)
        if line:
            self.out.print(f"{clock(self.standing.elapsed):>7}  {line}")

    def draw(self) -> "RenderableType":
        from rich.console import Group
        from rich.padding import Padding
        from rich.table import Table

        with self.lock:
            table = Table.grid(padding=(0, 2))
            for justify in ("left", "left", "left", "right", "left"):
                table.add_column(justify=justify, no_wrap=True)
            rows = sorted(self.standing.rows.values(), key=urgency)
            for row in sorted(rows[:ROWS], key=lambda row: (row.candidate, row.seed or 0)):
                table.add_row(*self.cells(row))
            if len(rows) > ROWS:
                table.add_row(f"and {len(rows) - ROWS} more")
            self.spinner.update(text=self.footer())
            return Padding(Group(table, self.spinner), (1, 0, 0, 1))

    def cells(self, row: Training) -> "tuple[RenderableType, ...]":
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        style = {"scored": "green", "failed": "red", "refused": "red", "training": "cyan"}
        state = Text(row.state, style=style.get(row.state, "dim"))
        if row.state in ("failed", "refused"):
            reason = Text(row.message, style="dim", overflow="ellipsis")
            reason.truncate(BAR_WIDTH * 2, overflow="ellipsis")
            return Text(row.label), state, reason
        bar = ProgressBar(total=row.steps or 1, completed=row.step, width=BAR_WIDTH)
        fitness = "" if row.fitness is None else number(row.fitness)
        leads = row.candidate == self.standing.best and not self.standing.confirming
        return Text(row.label), state, bar, fitness, Text("best" if leads else "", style="green")

    def footer(self) -> "Text":
        from rich.text import Text

        standing = self.standing
        if standing.by_seed:
            parts = ["training"]
        elif standing.confirming:
            parts = ["confirming the best"]
        else:
            parts = [f"generation {standing.generation + 1} of {standing.iterations}"]
            if standing.phase == "proposing":
                parts.append("waiting for candidates")
        if standing.best is not None and not standing.by_seed:
            parts.append(f"best: candidate {standing.best} with {number(standing.best_fitness)}")
        parts.append(f"{clock(standing.elapsed)} so far")
        if (left := standing.seconds_left()) is not None:
            parts.append(f"about {duration(left)} left")
        return Text(" · ".join(parts), style="dim")


def urgency(row: Training) -> tuple[int, float]:
    """Sorts what goes on first, then what scored best, then the rest."""
    order = {"training": 0, "scored": 1, "waiting": 2}
    return order.get(row.state, 3), -(row.fitness or 0.0)
