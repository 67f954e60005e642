"""Where a run stands: what its events add up to, whoever draws it."""

import time
from dataclasses import dataclass, field

from reward_synth.search import Progress

Key = tuple[int, int | None]


@dataclass
class Training:
    """One row: a candidate in the search, or a finalist with one of the fresh seeds."""

    candidate: int
    seed: int | None
    """None where the row stands for all seeds that the search trains its candidates with."""
    seeds: int = 1
    """Trainings that the row stands for."""
    state: str = "waiting"
    steps: int = 0
    """Environment steps of a whole training."""
    message: str = ""
    reached: dict[int | None, int] = field(default_factory=dict)
    """Environment steps so far by seed."""
    measured: dict[int | None, float] = field(default_factory=dict)
    """Fitness by seed: the exploring policy's, in the end the score."""
    scored: set[int | None] = field(default_factory=set)
    """Seeds that were trained to the end."""

    @property
    def label(self) -> str:
        seed = "" if self.seed is None else f" seed {self.seed}"
        return f"candidate {self.candidate}{seed}"

    @property
    def step(self) -> int:
        """Environment steps so far, over all seeds."""
        return sum(self.reached.values())

    @property
    def whole(self) -> int:
        """Environment steps of all its trainings, if none is cut short."""
        return self.steps * max(self.seeds, len(self.reached))

    @property
    def fitness(self) -> float | None:
        """Mean over the seeds."""
        return sum(self.measured.values()) / len(self.measured) if self.measured else None

    @property
    def over(self) -> bool:
        return self.state in ("scored", "pruned", "failed", "refused")

    def tell(self, event: Progress) -> None:
        """Take an event about it in."""
        self.message = event.message
        self.steps = event.steps or self.steps
        if event.kind == "scored":
            self.scored.add(event.seed)
            self.reached[event.seed] = self.steps
        elif event.step is not None:
            self.reached[event.seed] = event.step
        if event.fitness is not None:
            self.measured[event.seed] = event.fitness
        if event.kind == "accepted":
            self.state = "waiting"
        elif event.kind == "scored":
            # One seed may end before another one has begun; that one turns the row back.
            self.state = "scored" if self.scored >= self.reached.keys() else "training"
        elif not (event.kind == "training" and self.state in ("pruned", "failed")):
            self.state = event.kind


@dataclass
class Standing:
    """Where a run stands."""

    iterations: int
    samples: int
    """Candidates of a generation."""
    confirmations: int
    """Trainings on fresh seeds that are still to come after the last generation."""
    by_seed: bool = False
    """Rows are seeds of one reward program, as in a plain training."""
    seeds: int = 1
    """Trainings of each candidate in the search."""
    run: str = ""
    phase: str = "starting"
    generation: int = 0
    rows: dict[Key, Training] = field(default_factory=dict)
    best: int | None = None
    best_fitness: float | None = None
    started: float = field(default_factory=time.monotonic)
    steps: int = 0
    """Environment steps of a whole training, once one has begun."""
    steps_done: int = 0
    """Environment steps of earlier phases that we watched."""
    steps_spared: int = 0
    """What those phases would have taken more, had nobody been dropped or failed."""
    generations_left: int = 0

    def __post_init__(self) -> None:
        self.generations_left = self.iterations

    @property
    def confirming(self) -> bool:
        return self.by_seed or self.phase == "confirming"

    def tell(self, event: Progress) -> None:
        """Take an event in."""
        self.run = event.run
        if event.kind in ("proposing", "proposed"):
            self.turn_to(event.kind)
            self.generation = event.generation or 0
        elif event.kind == "confirming":
            self.turn_to("confirming")
        elif event.kind == "generation":
            self.generations_left = self.iterations - (event.generation or 0) - 1
            self.best_fitness = event.fitness
            self.best = None if event.fitness is None else event.candidate
        elif event.candidate is not None and event.kind not in ("stopped", "finished"):
            self.follow(self.row(event), event)

    def turn_to(self, phase: str) -> None:
        """Leave the rows of the last phase behind."""
        self.phase = phase
        self.steps_done += sum(row.step for row in self.rows.values())
        self.steps_spared += self.spared()
        self.rows.clear()

    def row(self, event: Progress) -> Training:
        """The row that an event is about."""
        assert event.candidate is not None
        if self.confirming:
            return self.rows.setdefault(
                (event.candidate, event.seed), Training(event.candidate, event.seed)
            )
        return self.rows.setdefault(
            (event.candidate, None), Training(event.candidate, None, self.seeds)
        )

    def follow(self, row: Training, event: Progress) -> None:
        if self.phase in ("starting", "proposed"):
            self.phase = "training"
        row.tell(event)
        self.steps = row.steps or self.steps
        if self.confirming or row.fitness is None or len(row.scored) < row.seeds:
            return
        if self.best_fitness is None or row.fitness > self.best_fitness:
            self.best, self.best_fitness = row.candidate, row.fitness

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def spared(self) -> int:
        """Steps that candidates on the table will not take any more."""
        over = [row for row in self.rows.values() if row.over and row.state != "refused"]
        return sum(row.whole - row.step for row in over)

    def work(self) -> tuple[int, int, float]:
        """Environment steps: done, spared by pruning and failures, and still to come.

        Later generations are expected to be cut short as the finished ones were.
        """
        steps = self.steps
        done = self.steps_done + sum(row.step for row in self.rows.values())
        spared = self.steps_spared + self.spared()
        going_on = [row for row in self.rows.values() if not row.over]
        if self.confirming:
            to_come = self.confirmations - (len(self.rows) - len(going_on))
            return done, spared, max(to_come * steps - sum(row.step for row in going_on), 0)
        here = sum((row.whole or steps * row.seeds) - row.step for row in going_on)
        share = 1.0
        if self.steps_done:
            share = self.steps_done / (self.steps_done + self.steps_spared)
        begun = self.phase not in ("proposing", "proposed")
        later = max(self.generations_left - begun, 0) * self.samples * self.seeds * share
        return done, spared, here + (later + self.confirmations) * steps

    def seconds_left(self) -> float | None:
        """From the steps done so far and those still to come; None before there are any."""
        done, _, left = self.work()
        return self.elapsed / done * left if done else None

    def share_done(self) -> float | None:
        """What is done or need not be done any more, in [0, 1]; None before the first steps."""
        done, spared, left = self.work()
        return (done + spared) / (done + spared + left) if done else None
