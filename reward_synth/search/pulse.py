"""A run's sign of life in the database, and what it is at, while a process works on it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from reward_synth.errors import UserError
from reward_synth.search.progress import Kind, Observer, Progress
from reward_synth.store import Store
from reward_synth.store.activity import BEAT, clear_activity, record_activity

REST = 1.0
"""Seconds after a write before the next one, whatever happens meanwhile."""
DOING: dict[Kind, str] = {
    "started": "starting",
    "resumed": "starting again",
    "proposing": "asking for candidates",
    "asking": "asking a person for candidates",
    "answered": "asking for candidates",
    "proposed": "checking candidates",
    "measuring": "measuring how this machine trains best",
    "training": "training",
    "generation": "finishing the generation",
    "waiting": "waiting for a person’s word",
    "heard": "going on after a person’s word",
    "confirming": "confirming the best on fresh seeds",
}
"""What a run is at after an event; the other kinds change nothing."""


@contextmanager
def pulse(store: Store, run_id: str, observer: Observer) -> Iterator[Observer]:
    """An observer that passes everything on and keeps the run's activity up to date."""
    told = Pulse(store, run_id, observer)
    thread = threading.Thread(target=told.keep_up, name=f"pulse of {run_id}", daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        told.news.set()
        thread.join()
        with suppress(UserError, SQLAlchemyError):
            clear_activity(store, run_id)


class Pulse:
    """Hears of events, from several threads, and writes from one of its own."""

    def __init__(self, store: Store, run_id: str, observer: Observer) -> None:
        self.store = store
        self.run_id = run_id
        self.observer = observer
        self.doing = DOING["started"]
        self.generation: int | None = None
        self.trainings: dict[tuple[int, int | None], dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.news = threading.Event()
        self.over = threading.Event()
        self.news.set()

    def __call__(self, event: Progress) -> None:
        with self.lock:
            self.hear(event)
        self.news.set()
        self.observer(event)

    def hear(self, event: Progress) -> None:
        confirming = self.doing == DOING["confirming"] and event.kind == "training"
        if not confirming:
            self.doing = DOING.get(event.kind, self.doing)
        if event.generation is not None and event.kind != "ahead":
            self.generation = event.generation
        if event.kind == "generation":
            self.trainings.clear()
        elif event.candidate is not None:
            key = event.candidate, event.seed
            if event.kind == "training":
                self.trainings[key] = {
                    "candidate": event.candidate,
                    "seed": event.seed,
                    "step": event.step,
                    "steps": event.steps,
                    "fitness": event.fitness,
                }
            else:
                self.trainings.pop(key, None)

    def keep_up(self) -> None:
        while True:
            self.news.wait(BEAT)
            self.news.clear()
            if self.over.is_set():
                return
            with self.lock:
                trainings = list(self.trainings.values())
                doing, generation = self.doing, self.generation
            # What a run records counts, not this: where it cannot be written, the run goes on.
            with suppress(UserError, SQLAlchemyError):
                record_activity(self.store, self.run_id, doing, generation, trainings)
            self.over.wait(REST)
