"""Turns are handed out round robin over runs, by trainings, whatever order runs come in."""

import threading
from collections import Counter

import pytest

from reward_synth.evaluation.legs import StoppedError
from reward_synth.sweep.turns import Turns


class Crowd:
    """Threads that each want one turn; the only slot is given on by hand."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.has_slot = threading.Semaphore(0)
        self.threads: list[threading.Thread] = []

    def want(self, run: str, trainings: int) -> None:
        """Another job of a run, which waits behind those that are there."""
        if self.threads:  # somebody has the slot, so that nobody else moves meanwhile
            assert self.has_slot.acquire(timeout=60)
            self.has_slot.release()
        with self.turns.changed:
            before = len(self.turns.waiting)

        def job() -> None:
            with self.turns.turn(run) as turn:
                turn.charge(trainings)
                self.served.append(run)
                self.has_slot.release()
                self.go_on.acquire()

        thread = threading.Thread(target=job, daemon=True)
        thread.start()
        if self.threads:
            with self.turns.changed:
                came = self.turns.changed.wait_for(
                    lambda: len(self.turns.waiting) > before, timeout=60
                )
            assert came
        self.threads.append(thread)

    def serve(self, jobs: int) -> None:
        """Let so many jobs end, one after the other, each giving the slot on."""
        for _ in range(jobs):
            assert self.has_slot.acquire(timeout=60)
            self.go_on.release()

    def end(self) -> None:
        """Wait until all are served."""
        for thread in self.threads:
            thread.join(60)


def together(turns: Turns, jobs: list[tuple[str, int]]) -> Crowd:
    """All of them waiting, behind one that nobody counts."""
    crowd = Crowd(turns)
    crowd.want("first", 0)
    for run, trainings in jobs:
        crowd.want(run, trainings)
    return crowd


def test_a_run_that_came_first_with_many_jobs_does_not_hold_up_the_others():
    crowd = together(Turns(1), [("a", 1)] * 6 + [("b", 1)] * 2 + [("c", 1)])
    crowd.serve(10)
    crowd.end()
    assert crowd.served == ["first", "a", "b", "c", "a", "b", "a", "a", "a", "a"]


def test_large_jobs_count_for_their_trainings():
    crowd = together(Turns(1), [("large", 4)] * 4 + [("small", 1)] * 12)
    crowd.serve(17)
    crowd.end()
    first = Counter(crowd.served[1:11])
    assert first == {"large": 2, "small": 8}  # eight trainings each


def test_who_was_idle_saves_nothing_up():
    turns = Turns(1)
    crowd = together(turns, [("busy", 1)] * 4)
    crowd.serve(4)
    crowd.want("late", 1)
    for _ in range(3):
        crowd.want("late", 1)
        crowd.want("busy", 1)
    crowd.serve(8)
    crowd.end()
    assert crowd.served[5:] == ["late", "late", "busy", "late", "busy", "late", "busy"]


def test_no_more_than_the_slots_at_once():
    turns = Turns(3)
    at_once, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(3, timeout=20)

    def job(run: str) -> None:
        nonlocal at_once, most
        with turns.turn(run):
            with lock:
                at_once += 1
                most = max(most, at_once)
            full.wait()
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=job, args=(run,)) for run in "aaabbbccc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 3
    assert turns.taken == 0 and not turns.waiting


def test_a_run_that_is_stopped_waits_no_longer():
    turns = Turns(1)
    ended: list[str] = []
    with turns.turn("a"):

        def wait() -> None:
            with pytest.raises(StoppedError), turns.turn("b"):
                pass
            ended.append("b")

        thread = threading.Thread(target=wait)
        thread.start()
        turns.stop("b")
        thread.join(20)
        assert ended == ["b"]
        assert turns.busy() == 1
    with turns.turn("c"):
        pass
