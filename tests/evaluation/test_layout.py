"""How trainings are laid out over a machine: packed, measured, chosen and remembered."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.evaluation import WorkerPool, layout
from reward_synth.evaluation.layout import Layout, choose, guess, layouts, measured, pack
from reward_synth.task import load_task

CARTPOLE = load_task("cartpole-swingup")


def speed(members: int, rate: float, workers: int = 2) -> Layout:
    return Layout(cores=2, workers=workers, members=members, steps_per_second=rate)


@given(st.integers(0, 200), st.integers(1, 9), st.integers(1, 12))
def test_jobs_are_nearly_equal_and_keep_all_workers_busy(count, workers, members):
    jobs = pack(range(count), Layout(4, workers, members))
    assert [one for job in jobs for one in job] == list(range(count))
    sizes = [len(job) for job in jobs]
    if not count:
        assert jobs == []
        return
    assert max(sizes) <= members and max(sizes) - min(sizes) <= 1
    # Whole rounds of all workers, or a job for each member.
    assert len(jobs) % workers == 0 or len(jobs) == count
    # One round fewer would not hold them.
    assert (len(jobs) - workers) * members < count


@pytest.mark.parametrize(
    ("count", "workers", "members", "sizes"),
    [
        (8, 2, 8, [4, 4]),
        (9, 2, 8, [4, 5]),
        (16, 2, 8, [8, 8]),
        (17, 2, 8, [4, 4, 5, 4]),
        (1, 2, 8, [1]),
        (6, 4, 1, [1, 1, 1, 1, 1, 1]),
        (10, 1, 8, [5, 5]),
    ],
)
def test_examples_of_packing(count, workers, members, sizes):
    packed = [len(job) for job in pack(range(count), Layout(2, workers, members))]
    assert sorted(packed) == sorted(sizes)


def test_among_layouts_about_as_fast_the_one_with_fewest_members_is_chosen():
    assert choose([speed(1, 50), speed(2, 96), speed(4, 97), speed(8, 100)]) == speed(2, 96)
    assert choose([speed(1, 50), speed(2, 94), speed(8, 100)]) == speed(8, 100)
    # Of equals the one with more workers: a job that fails takes fewer along.
    assert choose([speed(8, 100, workers=1), speed(8, 99)]) == speed(8, 99)


def test_both_many_workers_and_one_with_all_threads_are_tried():
    assert [(one.workers, one.members) for one in layouts(3)] == [
        (3, 1), (3, 2), (3, 4), (3, 8), (1, 8),
    ]  # fmt: skip
    assert [(one.workers, one.members) for one in layouts(1)] == [(1, 1), (1, 2), (1, 4), (1, 8)]


def test_a_guess_takes_every_core_that_this_process_may_use():
    assert guess().workers == guess().cores == len(os.sched_getaffinity(0))
    assert guess(3).workers == 3


# --- measuring -----------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """What the user is told; and only the smallest layouts are tried."""
    monkeypatch.setattr(layout, "MEMBERS_TRIED", (1, 2))
    return []


def test_a_layout_is_measured_once_for_a_machine_and_a_task(tmp_path, told):
    cache = tmp_path / "not" / "there" / "layouts.json"
    with WorkerPool(CARTPOLE.folder, 1, kinds=["train"]) as pool:
        first = measured(CARTPOLE, pool, tell=told.append, cache=cache)
        assert first.members in (1, 2) and first.workers == 1
        assert first.steps_per_second > 100
        assert 50 * 2**20 < first.memory < 4 * 2**30
        assert told == ["measuring how this machine trains fastest (once for a task)"]
        assert [path.name for path in cache.parent.iterdir()] == ["layouts.json"]
        assert measured(CARTPOLE, pool, tell=told.append, cache=cache) == first
        assert len(told) == 1


class Never:
    """A pool on which nothing may be run."""

    size = 2

    def run(self, *_: object, **__: object) -> None:
        raise AssertionError("what is known is not measured")


class Clock:
    """A pool whose layouts take what they are said to; counts jobs."""

    def __init__(self, monkeypatch, rates: dict[int, float], memory: int = 2**20) -> None:
        self.size = 2
        self.tried: list[tuple[int, int]] = []

        def try_layout(task, pool, one: Layout) -> Layout:
            self.tried.append((one.workers, one.members))
            return Layout(one.cores, one.workers, one.members, rates[one.members], memory)

        monkeypatch.setattr(layout, "try_layout", try_layout)


RATES = {1: 10.0, 2: 20.0}


def remembered(cache: Path) -> dict:
    return json.loads(cache.read_text())


def test_what_is_known_is_not_measured_again(tmp_path, told, monkeypatch):
    cache = tmp_path / "layouts.json"
    found = measured(CARTPOLE, Clock(monkeypatch, RATES), cache=cache)  # type: ignore[arg-type]
    assert (found.workers, found.members) == (2, 2)
    [key] = remembered(cache)
    assert key.startswith("cartpole-swingup-")
    assert measured(CARTPOLE, Never(), tell=told.append, cache=cache) == found  # type: ignore[arg-type]
    assert told == []


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\x00", b"[]", b"null", b'{"KEY": {"threads": 2}}', b'{"KEY": []}']
)
def test_a_damaged_cache_is_measured_anew_and_mended(tmp_path, monkeypatch, told, content):
    cache = tmp_path / "layouts.json"
    clock = Clock(monkeypatch, RATES)
    key = layout.fingerprint(CARTPOLE, 2)
    cache.write_bytes(content.replace(b"KEY", key.encode()))
    found = measured(CARTPOLE, clock, tell=told.append, cache=cache)  # type: ignore[arg-type]
    assert found.members == 2 and len(told) == 1
    assert remembered(cache)[key]["members"] == 2


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(tmp_path, monkeypatch, told):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    clock = Clock(monkeypatch, RATES)
    for cache in (blocked / "layouts.json", Path("/proc/nowhere/layouts.json")):
        assert measured(CARTPOLE, clock, cache=cache).members == 2  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_changed_task_is_measured_anew(tmp_path, monkeypatch, told):
    folder = tmp_path / "pole"
    folder.mkdir()
    source = (CARTPOLE.folder / "task.py").read_text()
    cache = tmp_path / "layouts.json"
    clock = Clock(monkeypatch, RATES)
    for frame_skip in (2, 2, 3):
        (folder / "task.py").write_text(
            source.replace("FRAME_SKIP = 2\n", f"FRAME_SKIP = {frame_skip}\n")
        )
        measured(load_task(folder), clock, tell=told.append, cache=cache)  # type: ignore[arg-type]
    assert len(told) == 2
    assert len(remembered(cache)) == 2
    # Others' entries stay; so does this task's for another number of workers.
    clock.size = 1
    measured(CARTPOLE, clock, cache=cache)  # type: ignore[arg-type]
    assert len(remembered(cache)) == 3


def test_a_layout_that_memory_does_not_hold_is_not_chosen(tmp_path, monkeypatch, told):
    monkeypatch.setattr(layout, "available_memory", lambda: 1.5 * 2**20)
    clock = Clock(monkeypatch, {**RATES, 2: 15.0})
    found = measured(CARTPOLE, clock, cache=tmp_path / "a")  # type: ignore[arg-type]
    assert found.workers == 1, "two workers of 1 MiB each do not fit"
    monkeypatch.setattr(layout, "available_memory", lambda: 2**19)
    clock.tried.clear()
    found = measured(CARTPOLE, clock, cache=tmp_path / "b")  # type: ignore[arg-type]
    assert (found.workers, found.members) == clock.tried[0]


def test_what_could_not_be_measured_is_not_remembered(tmp_path, monkeypatch, told):
    cache = tmp_path / "layouts.json"
    clock = Clock(monkeypatch, {1: 0.0, 2: 0.0})
    assert measured(CARTPOLE, clock, cache=cache).members == 1  # type: ignore[arg-type]
    assert not cache.exists()
