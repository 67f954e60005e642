"""Live progress of a run: a small table in a terminal, plain lines anywhere else.

Both draw the same :class:`Standing`, which is told of every :class:`Progress` event.  Events come
from several threads.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reward_synth.cli.output import clock, console, duration
from reward_synth.cli.recorded import beside, resume_command
from reward_synth.cli.redrawn import BAR_WIDTH, Redrawn, can_redraw
from reward_synth.cli.standing import Key, Standing, Training
from reward_synth.report.words import number
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

FATES = ("refused", "scored", "pruned", "failed")
"""Kinds of events with which a training ends."""


@contextmanager
def watching(standing: Standing, runs_dir: Path) -> Iterator[Observer]:
    """Show a run's progress on stderr: a live table in a terminal, lines anywhere else.

    An interruption becomes one line that says how to go on, and exit status 130.
    """
    import typer

    out = console(stderr=True)
    try:
        if can_redraw(out):
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
        self.dropped: set[int] = set()

    def __call__(self, event: Progress) -> None:
        with self.lock:
            self.standing.tell(event)
            if line := self.line(event):
                self.write(f"{clock(self.standing.elapsed):>7}  {line}")

    def line(self, event: Progress) -> str:
        """What is worth saying about an event; mostly nothing."""
        if event.kind == "training":
            return self.training(event)
        if event.kind in FATES:
            return self.fate(event)
        return headline(event, self.standing)

    def fate(self, event: Progress) -> str:
        """A line for each score, and one for a candidate that is dropped with all its seeds."""
        row = self.standing.row(event)
        if event.kind == "scored":
            seed = f" seed {event.seed}" if row.seed is None and row.seeds > 1 else ""
            scored = "is trained" if event.fitness is None else f"scored: {number(event.fitness)}"
            return f"{row.label}{seed} {scored}"
        if row.candidate in self.dropped:
            return ""
        if event.kind == "pruned":
            self.dropped.add(row.candidate)
        return f"{row.label} {event.kind}: {event.message}"

    def training(self, event: Progress) -> str:
        """A line at every quarter of a training."""
        row = self.standing.row(event)
        if not event.step or not row.whole:
            return ""
        key = (row.candidate, row.seed)
        quarter = row.step * QUARTERS // row.whole
        if quarter <= self.quarters.get(key, 0) or quarter >= QUARTERS:
            return ""
        self.quarters[key] = quarter
        fitness = "" if event.fitness is None else f", fitness {number(row.fitness)}"
        return f"{row.label} at {row.step:,} of {row.whole:,} steps{fitness}"


def headline(event: Progress, standing: Standing) -> str:
    """The line that stays when the table has moved on; empty for small events."""
    generation = f"generation {(event.generation or 0) + 1} of {standing.iterations}"
    if event.kind == "started":
        return f"run {event.run}"
    if event.kind == "resumed":
        return f"run {event.run} goes on: {event.message}"
    if event.kind == "proposed":
        return f"{generation}: {event.message}"
    if event.kind == "ahead":
        return f"{generation} {event.message}"
    if event.kind == "generation":
        if event.candidate is None:
            return f"{generation}: no candidate could be trained"
        if event.fitness is None:
            return f"{generation} is trained"
        return f"{generation}: best is candidate {event.candidate} with {number(event.fitness)}"
    if event.kind == "rung":
        return f"{generation}: {event.message} after {event.step or 0:,} steps"
    if event.kind in ("measuring", "asking", "damaged"):
        return event.message
    if event.kind == "waiting":
        command = f"reward-synth feedback {event.run}{beside(Path(event.message))}"
        return f"{generation} waits for your word: {command} (--web: on a page)"
    if event.kind == "heard":
        return f"{generation}: your word is heard"
    if event.kind == "confirming":
        return f"confirming the best: {event.message}"
    if event.kind == "stopped":
        best = f"candidate {event.candidate}"
        if event.fitness is not None:
            best += f" with {number(event.fitness)}"
        return f"stopped: {event.message}; the best so far is {best}"
    return ""


class LiveTable(Redrawn):
    """The trainings that go on, below the lines that stay."""

    def __init__(self, standing: Standing, out: "Console") -> None:
        self.standing = standing
        self.out = out
        self.lock = threading.Lock()
        super().__init__(out)

    def __call__(self, event: Progress) -> None:
        with self.lock:
            self.standing.tell(event)
            line = headline(event, self.standing)
        if line:
            self.out.print(f"{clock(self.standing.elapsed):>7}  {line}")
        if event.kind == "asking":
            self.live.stop()  # an editor may have the whole screen
        elif event.kind == "answered":
            self.live.start()

    def draw(self) -> "RenderableType":
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
            return self.block(table, self.footer())

    def cells(self, row: Training) -> "tuple[RenderableType, ...]":
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        style = {"scored": "green", "failed": "red", "refused": "red", "training": "cyan"}
        state = Text(row.state, style=style.get(row.state, "dim"))
        if row.state in ("failed", "refused", "pruned"):
            reason = Text(row.message, style="dim", overflow="ellipsis")
            reason.truncate(BAR_WIDTH * 2, overflow="ellipsis")
            return Text(row.label), state, reason
        bar = ProgressBar(total=row.whole or 1, completed=row.step, width=BAR_WIDTH)
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
        if standing.best_fitness is not None and not standing.by_seed:
            parts.append(f"best: candidate {standing.best} with {number(standing.best_fitness)}")
        parts.append(f"{clock(standing.elapsed)} so far")
        if (share := standing.share_done()) is not None:
            parts.append(f"{100 * share:.0f} % done")
        if (left := standing.seconds_left()) is not None:
            parts.append(f"about {duration(left)} left")
        return Text(" · ".join(parts), style="dim")


def urgency(row: Training) -> tuple[int, float]:
    """Sorts what goes on first, then what scored best, then the rest."""
    order = {"training": 0, "scored": 1, "waiting": 2, "pruned": 3, "failed": 4, "refused": 4}
    return order.get(row.state, 2), -(row.fitness or 0.0)
