"""What a watcher sees of a run: the same events as a table and as lines."""

import io
from dataclasses import replace
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
PRUNED = "dropped after 500 steps: fitness 3 against 9 of the last that went on"
HALVING = [
    Progress("started", RUN),
    Progress("proposing", RUN, generation=0),
    Progress("proposed", RUN, generation=0, message="3 candidates"),
    *(Progress("accepted", RUN, generation=0, candidate=c) for c in range(3)),
    *(
        Progress("training", RUN, 0, c, seed=seed, step=500, steps=1000, fitness=fitness + seed)
        for c, fitness in ((0, 3.0), (1, 10.0), (2, 9.0))
        for seed in (0, 1)
    ),
    *(
        Progress("pruned", RUN, 0, 0, seed=s, step=500, steps=1000, fitness=3.0, message=PRUNED)
        for s in (0, 1)
    ),
    Progress("rung", RUN, generation=0, step=500, steps=1000, message="2 of 3 go on"),
]
"""Three candidates with two seeds each; at the rung after 500 of 1,000 steps one is dropped."""
ENDED = [
    *(
        Progress("scored", RUN, 0, c, seed=seed, steps=1000, fitness=fitness + seed)
        for c, fitness in ((1, 20.0), (2, 22.0))
        for seed in (0, 1)
    ),
    Progress("generation", RUN, generation=0, candidate=2, fitness=22.5),
]
CONFIRMATION = [
    Progress("confirming", RUN, message="2 trainings on fresh seeds"),
    Progress("training", RUN, 0, 1, seed=100, step=500, steps=1000, fitness=11.0),
    Progress("scored", RUN, 0, 1, seed=101, steps=1000, fitness=1100.0),
]


def standing(seeds: int = 1) -> Standing:
    return Standing(iterations=2, samples=3, confirmations=2, seeds=seeds)


def told(events: list[Progress], seeds: int = 1) -> list[str]:
    """The lines without the clock."""
    lines: list[str] = []
    observer = Lines(standing(seeds), lines.append)
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


def test_lines_say_once_who_was_dropped_and_how_a_rung_went():
    assert told(HALVING, seeds=2)[2:] == [
        "candidate 0 at 500 of 2,000 steps, fitness 3.000",
        "candidate 0 at 1,000 of 2,000 steps, fitness 3.500",
        "candidate 1 at 500 of 2,000 steps, fitness 10.00",
        "candidate 1 at 1,000 of 2,000 steps, fitness 10.50",
        "candidate 2 at 500 of 2,000 steps, fitness 9.000",
        "candidate 2 at 1,000 of 2,000 steps, fitness 9.500",
        f"candidate 0 pruned: {PRUNED}",
        "generation 1 of 2: 2 of 3 go on after 500 steps",
    ]
    assert told([*HALVING, *ENDED], seeds=2)[-2:] == [
        "candidate 2 seed 1 scored: 23.00",
        "generation 1 of 2: best is candidate 2 with 22.50",
    ]


def test_what_pruning_spares_counts_as_done(monkeypatch: pytest.MonkeyPatch):
    now = standing(seeds=2)
    for event in HALVING:
        now.tell(event)
    monkeypatch.setattr("time.monotonic", lambda: now.started + 30.0)
    # Six trainings of 500 steps took 30 s.  To come: the other 500 of four of them, as nobody
    # knows yet what the next generation is spared six whole ones, and two confirmations.
    left = 4 * 500 + 6 * 1000 + 2 * 1000
    assert now.work() == (3000, 1000, left)
    assert now.seconds_left() == pytest.approx(30.0 / 3000 * left)
    assert now.share_done() == pytest.approx(4000 / (4000 + left))
    for event in [*ENDED, Progress("proposing", RUN, generation=1)]:
        now.tell(event)
    # The first generation took 5,000 of 6,000 steps; so, it is thought, will the second.
    assert now.work() == (5000, 1000, pytest.approx(5000 + 2000))
    for event in HALVING[2:]:
        now.tell(replace(event, generation=1))
    assert now.work() == (8000, 2000, 4 * 500 + 2000)
    for event in ENDED:
        now.tell(replace(event, generation=1))
    now.tell(CONFIRMATION[0])
    assert now.work() == (10_000, 2000, 2000)
    assert now.share_done() == pytest.approx(12 / 14)
    for event in CONFIRMATION[1:]:
        now.tell(event)
    assert now.work() == (11_500, 2000, 500)


def test_the_best_of_several_seeds_is_the_best_mean():
    now = standing(seeds=2)
    for event in [*HALVING, *ENDED[:3]]:
        now.tell(event)
    assert (now.best, now.best_fitness) == (1, 20.5)  # candidate 2's second seed is still out
    assert now.rows[2, None].state == "training"
    now.tell(ENDED[3])
    assert (now.best, now.best_fitness) == (2, 22.5)
    assert {row.state for row in now.rows.values()} == {"pruned", "scored"}


def drawn(events: list[Progress], width: int = 100, seeds: int = 1) -> str:
    """The table as it stands after ``events``."""
    out = Console(file=io.StringIO(), width=width, force_terminal=False)
    table = LiveTable(standing(seeds), out)
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


def test_table_shows_where_a_candidate_was_dropped():
    picture = drawn([*HALVING, *ENDED[:2]], seeds=2)
    rows = {line.strip()[:11]: line for line in picture.splitlines() if "candidate" in line}
    assert "pruned" in rows["candidate 0"]
    assert "dropped after 500 steps" in rows["candidate 0"]
    assert "scored" in rows["candidate 1"]
    assert "20.50" in rows["candidate 1"]
    assert "training" in rows["candidate 2"]
    # 4,000 steps done, 1,000 spared; 1,000 of candidate 2, six trainings, two confirmations.
    assert "36 % done" in picture


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


def test_the_table_leaves_the_screen_to_who_is_asked():
    with LiveTable(standing(), Console(file=io.StringIO(), force_terminal=True)) as observer:
        observer(Progress("started", RUN))
        observer(Progress("asking", RUN, message="waiting for answer 1 of 1: answer-1.md"))
        assert not observer.live.is_started
        observer(Progress("answered", RUN))
        assert observer.live.is_started
    assert told([Progress("asking", RUN, message="waiting for it"), Progress("answered", RUN)]) == [
        "waiting for it"
    ]
