"""Who is next: turns at a machine's slots, handed out round robin over runs by trainings.

Start-time fair queueing (Goyal, Vin & Cheng 1996): a run's next job starts, in virtual time, when
its last one ends, which is as much later as it has trainings; the earliest start gets the slot.  So
every run that waits gets as many trainings as any other, however large its jobs are, and one that
had nothing to do meanwhile saves nothing up.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reward_synth.evaluation.legs import StoppedError


class Turn:
    """A slot that a run has."""

    def __init__(self, turns: "Turns", run: str) -> None:
        self.turns = turns
        self.run = run
        self.charged = 1

    def charge(self, trainings: int) -> None:
        """Say how many trainings the job has; until then it counts as one."""
        with self.turns.changed:
            self.turns.ends[self.run] += trainings - self.charged
            self.charged = trainings


class Turns:
    """``slots`` jobs at once, whose ever they are.  Used by several threads."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.changed = threading.Condition()
        self.taken = 0
        self.waiting: dict[int, str] = {}
        """The runs that wait, once for each job, in the order in which they came."""
        self.ends: dict[str, float] = {}
        """Virtual time at which each run's last job ends."""
        self.now = 0.0
        """Virtual time: the start of the job that got the last slot."""
        self.stopped: set[str] = set()
        self.numbers = itertools.count()

    @contextmanager
    def turn(self, run: str) -> Iterator[Turn]:
        """Wait for a slot and have it.  Raises StoppedError once the run was stopped."""
        number = next(self.numbers)
        with self.changed:
            self.waiting[number] = run
            self.changed.notify_all()
            try:
                while run not in self.stopped and not self._is_next(number):
                    self.changed.wait()
                if run in self.stopped:
                    raise StoppedError
                self.taken += 1
                self.now = max(self.now, self._start(run))
                self.ends[run] = self._start(run) + 1
            finally:
                del self.waiting[number]
                self.changed.notify_all()
        try:
            yield Turn(self, run)
        finally:
            with self.changed:
                self.taken -= 1
                self.changed.notify_all()

    def stop(self, run: str) -> None:
        """Nobody waits for this run any more; what has a slot keeps it."""
        with self.changed:
            self.stopped.add(run)
            self.changed.notify_all()

    def busy(self) -> int:
        """Slots that are, or are about to be, in use."""
        with self.changed:
            return min(self.slots, self.taken + len(self.waiting))

    def _is_next(self, number: int) -> bool:
        if self.taken >= self.slots:
            return False
        return number == min(self.waiting, key=lambda k: (self._start(self.waiting[k]), k))

    def _start(self, run: str) -> float:
        return max(self.now, self.ends.get(run, 0.0))
