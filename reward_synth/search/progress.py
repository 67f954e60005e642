"""What a run tells whoever watches it; the command line draws it, tests read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "started",  # the run exists: run
    "resumed",  # run, message: what is already there
    "damaged",  # the files of a training, which is made again: candidate, seed, message
    "proposing",  # generation: the model is being asked
    "proposed",  # generation, message: how many candidates
    "ahead",  # generation: it is asked for while the one before trains on: message
    "asking",  # a person is asked and has the screen: message
    "answered",  # and has answered
    "accepted",  # candidate passed the gate
    "refused",  # candidate did not: message
    "measuring",  # how trainings are best laid out on this machine: message
    "training",  # candidate, step, steps, fitness so far (None before an episode ended)
    "scored",  # candidate, fitness: the trusted score
    "pruned",  # candidate was dropped at a rung: step, fitness, message
    "rung",  # a rung was decided: generation, step, message
    "failed",  # candidate failed in training: message
    "generation",  # generation finished: candidate and fitness of the best so far
    "waiting",  # for a person's word on a generation: message, the runs folder
    "heard",  # the person has said it: generation
    "confirming",  # finalists are trained on fresh seeds: message
    "stopped",  # at a limit: message; candidate and fitness of the best so far
    "finished",  # candidate: the winner, fitness: its mean, message: summary
]


@dataclass(frozen=True)
class Progress:
    """One thing that happened.  Fields that a kind does not use are None or empty."""

    kind: Kind
    run: str
    generation: int | None = None
    candidate: int | None = None
    seed: int | None = None
    step: int | None = None
    steps: int | None = None
    fitness: float | None = None
    message: str = ""


Observer = Callable[[Progress], None]
