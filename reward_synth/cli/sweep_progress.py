"""Live progress of a sweep: the runs under way in a terminal, plain lines anywhere else."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reward_synth.cli.output import clock, console, duration
from reward_synth.cli.progress import INTERRUPTED, headline, print_line
from reward_synth.cli.redrawn import BAR_WIDTH, Redrawn, can_redraw
from reward_synth.cli.run import search_standing
from reward_synth.cli.standing import Standing
from reward_synth.cli.train import train_standing
from reward_synth.report.words import number
from reward_synth.search import Progress, RunConfig
from reward_synth.sweep.estimate import work_of
from reward_synth.sweep.plan import Cell, Plan
from reward_synth.sweep.states import State

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WORTH_A_LINE = ("started", "resumed", "damaged", "generation", "confirming", "measuring")
"""Of what runs tell; the rest would drown it."""
OVER = ("finished", "stopped", "failed")


@contextmanager
def watching(plan: Plan, states: Mapping[str, State], go_on: str) -> Iterator["SweepLines"]:
    """Show a sweep's progress on stderr: a live table in a terminal, lines anywhere else.

    An interruption becomes one line that says how to ``go_on``, and exit status 130.
    """
    out = console(stderr=True)
    standing = SweepStanding(plan, states)
    try:
        if can_redraw(out):
            with SweepTable(standing, out) as watcher:
                yield watcher
        else:
            yield SweepLines(standing, lambda line: print_line(out, line))
    except KeyboardInterrupt:
        print_line(out, f"interrupted; go on with: {go_on}")
        # Workers are gone, but a run's thread may be in a simulator or wait for a model: Python
        # crashes if it ends beneath the one, and would wait for the other.
        sys.stdout.flush()
        os._exit(INTERRUPTED)


class SweepStanding:
    """Where a sweep stands."""

    def __init__(self, plan: Plan, states: Mapping[str, State]) -> None:
        self.states = dict(states)
        self.cells = {cell.key: cell for cell in plan.cells}
        self.work = {cell.key: work_of(cell).steps for cell in plan.cells}
        """Environment steps that each run is expected to take."""
        self.running: dict[str, Standing] = {}
        self.started = time.monotonic()
        self.share_before = self.share_done()

    def begin(self, cell: Cell) -> None:
        config = cell.config
        if isinstance(config, RunConfig):
            self.running[cell.key] = search_standing(config)
        else:
            self.running[cell.key] = train_standing(len(config.seeds))

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def count(self, *statuses: str) -> int:
        return sum(state.status in statuses for state in self.states.values())

    def share_done(self) -> float:
        """In [0, 1], by environment steps."""
        done = 0.0
        for key, state in self.states.items():
            if state.status in OVER:
                done += self.work[key]
            elif key in self.running:
                done += self.work[key] * (self.running[key].share_done() or 0.0)
        return done / max(sum(self.work.values()), 1.0)

    def seconds_left(self) -> float | None:
        """At the pace so far; None before there is one."""
        share = self.share_done()
        here = share - self.share_before
        return self.elapsed * (1.0 - share) / here if here > 0.0 else None

    def footer(self) -> str:
        total = len(self.cells)
        parts = [f"{self.count('finished')} of {total} finished"]
        for word, statuses in (("stopped", ("stopped",)), ("failed", ("failed",))):
            if self.count(*statuses):
                parts.append(f"{self.count(*statuses)} {word}")
        parts.append(f"{len(self.running)} under way")
        parts.append(f"{clock(self.elapsed)} so far")
        if (left := self.seconds_left()) is not None:
            parts.append(f"about {duration(left)} left")
        return " · ".join(parts)


class SweepLines:
    """A line for each thing that matters."""

    def __init__(self, standing: SweepStanding, write: Callable[[str], None]) -> None:
        self.standing = standing
        self.write = write
        self.lock = threading.Lock()

    def say(self, message: str) -> None:
        """Something about the whole sweep."""
        self.write(f"{clock(self.standing.elapsed):>7}  {message}")

    def progress(self, cell: Cell, event: Progress) -> None:
        """What a run tells of itself."""
        with self.lock:
            standing = self.standing.running.get(cell.key)
            if standing is None:
                return
            standing.tell(event)
            line = headline(event, standing) if event.kind in WORTH_A_LINE else ""
        if line:  # not within the lock, which drawing needs too
            self.say(f"{cell.label}: {line}")

    def turned(self, cell: Cell, state: State) -> None:
        """A run was begun, or is over."""
        with self.lock:
            self.standing.states[cell.key] = state
            if state.status == "running" and not state.reason:
                self.standing.begin(cell)
                return
            self.standing.running.pop(cell.key, None)
            if state.reason == "interrupted":
                return
            word = {"waiting": "not begun"}.get(state.status, state.status)
            reason = f": {state.reason}" if state.reason else ""
            line = f"{cell.label}: {word}{reason}; {self.standing.footer()}"
        self.say(line)


class SweepTable(SweepLines, Redrawn):
    """The runs under way, below the lines that stay."""

    def __init__(self, standing: SweepStanding, out: "Console") -> None:
        SweepLines.__init__(self, standing, lambda line: out.print(line, soft_wrap=True))
        Redrawn.__init__(self, out)

    def draw(self) -> "RenderableType":
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self.lock:
            table = Table.grid(padding=(0, 2))
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
            for justify in ("left", "left", "right"):
                table.add_column(justify=justify, no_wrap=True)
            for key, standing in self.standing.running.items():
                table.add_row(
                    Text(self.standing.cells[key].label),
                    Text(phase(standing), style="cyan"),
                    ProgressBar(1.0, standing.share_done() or 0.0, width=BAR_WIDTH),
                    "" if standing.best_fitness is None else number(standing.best_fitness),
                )
            return self.block(table, Text(self.standing.footer(), style="dim"))


def phase(standing: Standing) -> str:
    """What a run does at the moment."""
    if standing.by_seed:
        return "training"
    if standing.confirming:
        return "confirming"
    doing = "asking" if standing.phase == "proposing" else "generation"
    return f"{doing} {standing.generation + 1} of {standing.iterations}"
