"""Follows a run and tells trackers what is new of it, each from a thread of its own."""

import hashlib
import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from reward_synth.redaction import Secrets
from reward_synth.report.tensorboard import curves, write_all_events
from reward_synth.report.trackers.interface import About, Point, Tracker, makers
from reward_synth.store import Evaluation, Run, Store, atomic_write
from reward_synth.store.fates import mean_fitness, search_evaluations
from sandbox.messages import TrainingReport

LOG = logging.getLogger("reward_synth")
NEWS = ("scored", "failed", "pruned", "generation", "finished", "stopped")
"""Kinds of events after which there is something to tell."""
LEAST_SECONDS = 5.0
BUSY = 0.05
"""Between two looks at the run; reading a long one takes no more than this share of the time."""
END_SECONDS = 120.0
"""For what is left to send when a run ends."""
RESULT_FILES = ("best/reward.py", "best/best.json", "best/policy.safetensors", "report.html")


class Happening(Protocol):
    """What is read of a run's progress events."""

    @property
    def kind(self) -> str: ...
    @property
    def run(self) -> str: ...


H = TypeVar("H", bound=Happening)


class Telling(Protocol):
    """Tells one tracker of a run as it is now; ``over`` when it will be told no more."""

    name: str

    def tell(self, run: Run, *, over: bool) -> None: ...


class EventFiles:
    """TensorBoard, which reads what lies in the run's folder."""

    name = "tensorboard"

    def __init__(self, store: Store) -> None:
        self.store = store

    def tell(self, run: Run, *, over: bool) -> None:
        write_all_events(self.store.run_folder(run.id), run)


class Account:
    """What a tracker was told of a run, over all its resumptions; kept in the run's folder."""

    def __init__(self, name: str, tracker: Tracker, store: Store) -> None:
        self.name = name
        self.tracker = tracker
        self.store = store
        self.begun = False
        self.told: list[str] = []

    def tell(self, run: Run, *, over: bool) -> None:
        """Tell what is new."""
        folder = self.store.run_folder(run.id)
        kept = folder / "trackers" / f"{self.name}.json"
        secrets = Secrets.known(texts=[json.dumps(run.config)])
        if not self.begun:
            with suppress(OSError, ValueError):
                self.told = list(json.loads(kept.read_text()))
            config = json.loads(secrets.hide(json.dumps(run.config)))
            self.tracker.begin(About(identity(run), run.id, folder, config))
            self.begun = True
        before = len(self.told)
        for candidate in run.candidates:
            for evaluation in candidate.evaluations:
                name = f"training-{candidate.number:04d}-seed-{evaluation.seed}"
                if name not in self.told:
                    fitness, curve = evaluation.fitness, points(evaluation)
                    self.tracker.training(name, candidate.number, fitness, curve)
                    self.told.append(name)
        for number in finished_generations(run):
            if (name := f"generation-{number}") not in self.told:
                self.tracker.generation(number, generation_values(run, number))
                self.told.append(name)
        if len(self.told) > before:
            atomic_write(kept, json.dumps(self.told))
        if over:
            with tempfile.TemporaryDirectory() as place:
                files = redacted(folder, Path(place), secrets) if run.result is not None else []
                self.tracker.end(run.status, result_values(run), files)


class Following(Generic[H]):
    """An observer of a run that has trackers told; what it hears it passes on first."""

    def __init__(self, store: Store, observer: Callable[[H], None], told: Sequence[Telling]):
        self.store = store
        self.observer = observer
        self.run = ""
        self.starting = threading.Lock()
        """Events come from several threads."""
        self.over = threading.Event()
        self.news = [threading.Event() for _ in told]
        self.threads = [
            threading.Thread(target=self.follow, args=(one, news), daemon=True)
            for one, news in zip(told, self.news, strict=True)
        ]

    def __call__(self, event: H) -> None:
        self.observer(event)
        with self.starting:
            if event.run and not self.run:
                self.run = event.run
                for thread in self.threads:
                    thread.start()
        if event.kind in NEWS:
            for news in self.news:
                news.set()

    def follow(self, one: Telling, news: threading.Event) -> None:
        """Tell one tracker until the run is over; one that fails is told no more."""
        try:
            while not self.over.is_set():
                begun = time.monotonic()
                news.clear()
                one.tell(self.store.get_run(self.run), over=False)
                self.over.wait(max(LEAST_SECONDS, (time.monotonic() - begun) / BUSY))
                news.wait()
            one.tell(self.store.get_run(self.run), over=True)
        except Exception as error:
            said = Secrets.known().hide(" ".join(str(error).split()))[:300]
            LOG.warning(
                "--tracker %s failed (%s: %s); the run goes on without it",
                one.name,
                type(error).__name__,
                said,
            )

    def end(self) -> None:
        """Have the rest told, and wait for it, but not for ever."""
        self.over.set()
        for news in self.news:
            news.set()
        until = time.monotonic() + END_SECONDS
        for thread in self.threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            LOG.warning("a tracker was not told all within %.0f s", END_SECONDS)


@contextmanager
def tracked(
    store: Store, names: Sequence[str], observer: Callable[[H], None]
) -> Iterator[Callable[[H], None]]:
    """An observer of one run that has the trackers of these names told, and TensorBoard."""
    accounts = [Account(name, makers()[name](), store) for name in dict.fromkeys(names)]
    following = Following(store, observer, [EventFiles(store), *accounts])
    try:
        yield following
    finally:
        following.end()


def identity(run: Run) -> str:
    """Of this run and no other, in whatever folder it is kept."""
    digest = hashlib.sha256(f"{run.id} {run.created.isoformat()}".encode()).hexdigest()[:8]
    return f"{run.id}-{digest}"


def points(evaluation: Evaluation) -> list[Point]:
    """A training's curves."""
    report = TrainingReport.model_validate(evaluation.report)
    started = evaluation.finished.timestamp() - report.seconds
    return [
        Point(checkpoint.step, started + checkpoint.seconds, curves(checkpoint))
        for checkpoint in report.checkpoints
    ]


def finished_generations(run: Run) -> list[int]:
    """Generations of a search all of whose candidates have met their fate.

    The last one may yet have repairs, so it counts once the run is over.
    """
    if run.kind != "search" or not run.candidates:
        return []
    last = max(c.generation for c in run.candidates)
    seeds = int(run.config.get("seeds", 1))
    open_ = {
        c.generation
        for c in run.candidates
        if c.status in ("proposed", "accepted")
        or (c.status == "scored" and len(search_evaluations(c)) < seeds)
    }
    if run.status == "running":
        open_.add(last)
    return sorted({c.generation for c in run.candidates} - open_)


def generation_values(run: Run, number: int) -> dict[str, float]:
    """What a generation reached, and what the run had taken up to its end."""
    up_to = [c for c in run.candidates if c.generation <= number]
    own = [c for c in up_to if c.generation == number]
    means = {c.number: mean_fitness(search_evaluations(c)) for c in up_to}
    fitness = {number: mean for number, mean in means.items() if mean is not None}
    asked = [c for c in run.completions if c.generation <= number]
    values: dict[str, float] = {
        "candidates": len(own),
        **{fate: sum(c.status == fate for c in own) for fate in ("refused", "failed", "pruned")},
        "prompt_tokens": sum(c.prompt_tokens for c in asked),
        "completion_tokens": sum(c.completion_tokens for c in asked),
        "cost": sum(c.cost or 0.0 for c in asked),
    }
    if fitness:
        values["best_fitness_so_far"] = max(fitness.values())
    if reached := [fitness[c.number] for c in own if c.number in fitness]:
        values["best_fitness"] = max(reached)
        values["mean_fitness"] = sum(reached) / len(reached)
    return values


def result_values(run: Run) -> dict[str, float]:
    """The numbers of a run's result."""
    result: dict[str, Any] = run.result or {}
    return {
        name: float(value)
        for name, value in result.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def redacted(folder: Path, place: Path, secrets: Secrets) -> list[Path]:
    """Copies of a run's winner and report without anything that is, or looks like, a secret."""
    copies = []
    for name in RESULT_FILES:
        source, copy = folder / name, place / Path(name).name
        if not source.is_file():
            continue
        if source.suffix == ".safetensors":
            copy.write_bytes(source.read_bytes())
        else:
            copy.write_text(secrets.hide_known(source.read_text(encoding="utf-8")), "utf-8")
        copies.append(copy)
    return copies
