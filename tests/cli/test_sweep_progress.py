"""What is shown of a sweep while it runs."""

import io
import threading
from pathlib import Path

from rich.console import Console

from reward_synth.cli.sweep_progress import SweepLines, SweepStanding, SweepTable
from reward_synth.search import Progress
from reward_synth.sweep.states import State
from tests.sweep.small_sweeps import plan


def standing(folder: Path) -> SweepStanding:
    grid = {"task": ["cartpole-swingup"], "seed": [0, 1]}
    asked = plan(folder, grid=grid, baselines=False)
    return SweepStanding(asked, {cell.key: State("waiting") for cell in asked.cells})


def test_lines_tell_of_runs_and_how_many_are_over(tmp_path: Path):
    said: list[str] = []
    here = standing(tmp_path)
    watcher = SweepLines(here, said.append)
    first, second = here.cells.values()
    watcher.turned(first, State("running"))
    watcher.progress(first, Progress("started", "pole-1"))
    watcher.progress(first, Progress("training", "pole-1", candidate=0, seed=0, step=5, steps=9))
    watcher.progress(first, Progress("generation", "pole-1", generation=0, candidate=0, fitness=2))
    assert here.running.keys() == {first.key}
    watcher.turned(first, State("finished", "pole-1"))
    watcher.turned(second, State("failed", None, "no such model"))
    watcher.turned(second, State("running", None, "interrupted"))
    told = [line[9:] for line in said]  # behind the time
    assert told[0] == f"{first.label}: run pole-1"
    assert told[1] == f"{first.label}: generation 1 of 1: best is candidate 0 with 2.000"
    assert told[2].startswith(f"{first.label}: finished; 1 of 2 finished · 0 under way")
    assert told[3].startswith(f"{second.label}: failed: no such model; 1 of 2 finished · 1 failed")
    assert len(told) == 4


def test_time_left_follows_from_the_share_that_is_done(tmp_path: Path):
    here = standing(tmp_path)
    assert here.share_done() == 0.0 and here.seconds_left() is None
    first = next(iter(here.cells))
    here.states[first] = State("finished", "pole-1")
    assert here.share_done() == 0.5
    left = here.seconds_left()
    assert left is not None and left > 0.0


def test_the_table_is_drawn_while_several_runs_tell(tmp_path: Path):
    here = standing(tmp_path)
    screen = io.StringIO()
    out = Console(file=screen, force_terminal=True, width=100)

    def tell(watcher: SweepTable, key: str) -> None:
        cell = here.cells[key]
        watcher.turned(cell, State("running"))
        for step in range(200):
            watcher.progress(
                cell, Progress("training", key, candidate=0, seed=0, step=step, steps=200)
            )
            watcher.progress(cell, Progress("started", key))
            watcher.live.refresh()

    with SweepTable(here, out) as watcher:
        threads = [
            threading.Thread(target=tell, args=(watcher, key), daemon=True) for key in here.cells
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
    shown = screen.getvalue()
    assert "generation 1 of 1" in shown and "2 under way" in shown
