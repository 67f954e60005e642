"""What a watcher sees of a run: the same events as a table and as lines."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from reward_synth.cli.options import RUNS_DIR
from reward_synth.cli.progress import Lines, LiveTable, Standing, interruption, watching
from reward_synth.search import Progress

RUN = "hopper-forward-20260102-030405"
SEARCH = [
    Progress("started", RUN),
    Progress("proposing", RUN, generation=0),
    Progress("proposed", RUN, generation=0, message="3 candidates"),
    Progress("refused", RUN, generation=0, candidate=0, message="no variable 'sped'"),
    Progress("accepted", RUN, generation=0, candidate=1),
    Progress("accepted", RUN, generation=0, candidate=2),
    Progress("training", RUN, 0, 1, seed=0, step=0, steps=1000),
    Progress("training", RUN, 0, 1, seed=0, step=300, steps=1000, fitness=12.5),
    Progress("training", RUN, 0, 1, seed=0, step=400, steps=1000, fitness=15.0),
    Progress("scored", RUN, 0, 1, seed=0, steps=1000, fitness=1234.5),
    Progress("training", RUN, 0, 2, seed=0, step=500, steps=1000),
    Progress("failed", RUN, 0, 2, seed=0, steps=1000, message="the reward is not finite"),
    Progress("generation", RUN, generation=0, candidate=1, fitness=1234.5),
]
CONFIRMATION = [
    Progress("confirming", RUN, message="2 trainings on fresh seeds"),
    Progress("training", RUN, 0, 1, seed=100, step=500, steps=1000, fitness=11.0),
    Progress("scored", RUN, 0, 1, seed=101, steps=1000, fitness=1100.0),
]


def standing() -> Standing:
    return Standing(iterations=2, samples=3, confirmations=2)


def told(events: list[Progress]) -> list[str]:
    """The lines without the clock."""
    lines: list[str] = []
    observer = Lines(standing(), lines.append)
    for event in events:
        observer(event)
    return [line.split(maxsplit=1)[1] for line in lines]


def test_lines_say_each_fate_once_and_training_at_its_quarters():
    assert told(SEARCH) == [
        f"run {RUN}",
        "generation 1 of 2: 3 candidates",
        "candidate 0 refused: no variable 'sped'",
        "candidate 1 at 300 of 1,000 steps, fitness 12.50",
        "candidate 1 scored: 1,234",
        "candidate 2 at 500 of 1,000 steps",
        "candidate 2 failed: the reward is not finite",
        "generation 1 of 2: best is candidate 1 with 1,234",
    ]


def test_lines_of_the_confirmation_name_the_seed():
    assert told([*SEARCH, *CONFIRMATION])[-3:] == [
        "confirming the best: 2 trainings on fresh seeds",
        "candidate 1 seed 100 at 500 of 1,000 steps, fitness 11.00",
        "candidate 1 seed 101 scored: 1,100",
    ]


def test_confirmation_does_not_change_the_best_of_the_search():
    now = standing()
    for event in [*SEARCH, *CONFIRMATION]:
        now.tell(event)
    assert (now.best, now.best_fitness) == (1, 1234.5)


def test_time_left_counts_running_waiting_later_and_confirming_trainings(
    monkeypatch: pytest.MonkeyPatch,
):
    now = standing()
    for event in SEARCH[:8]:
        now.tell(event)
    monkeypatch.setattr("time.monotonic", lambda: now.started + 30.0)
    # 300 steps took 30 s.  To come: 700 of candidate 1, candidate 2, three candidates of the
    # second generation and two confirmations.
    assert now.seconds_left() == pytest.approx((700 + 6 * 1000) * 30.0 / 300)


def test_time_left_is_unknown_before_the_first_steps():
    now = standing()
    for event in SEARCH[:6]:
        now.tell(event)
    assert now.seconds_left() is None


def drawn(events: list[Progress], width: int = 100) -> str:
    """The table as it stands after ``events``."""
    out = Console(file=io.StringIO(), width=width, force_terminal=False)
    table = LiveTable(standing(), out)
    for event in events:
        table(event)
    with out.capture() as capture:
        out.print(table.draw())
    return capture.get()


def test_table_shows_state_fitness_and_where_the_run_stands():
    picture = drawn(SEARCH[:9])
    rows = {line.strip()[:11]: line for line in picture.splitlines() if "candidate" in line}
    assert "refused" in rows["candidate 0"]
    assert "no variable 'sped'" in rows["candidate 0"]
    assert "training" in rows["candidate 1"]
    assert "15.00" in rows["candidate 1"]
    assert "waiting" in rows["candidate 2"]
    assert "generation 1 of 2" in picture
    assert "left" in picture


def test_table_fits_a_narrow_terminal():
    assert max(len(line.rstrip()) for line in drawn(SEARCH, width=60).splitlines()) <= 60


def test_without_a_terminal_progress_is_lines_on_stderr(capsys: pytest.CaptureFixture[str]):
    with watching(standing(), RUNS_DIR) as observer:
        observer(SEARCH[0])
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.strip().endswith(f"run {RUN}")


def test_interruption_says_what_to_type_to_go_on():
    assert interruption(RUN, RUNS_DIR).endswith(f"reward-synth run --resume {RUN}")
    assert interruption(RUN, Path("my runs")).endswith(f"--resume {RUN} --runs-dir 'my runs'")
    assert "--resume" not in interruption("", RUNS_DIR)
