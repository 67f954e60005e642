"""How early may a candidate be dropped?

    python benchmarks/rungs.py [--quick] [--json FILE] [--task NAME] [--seeds N] [--curves FILE]

All reward programs of two tasks are trained to the end with the population trainer, on several
seeds, and scored wherever a rung might stand, with as many episodes as a search takes there.  Then
searches are replayed on these scores, with the rule that ``reward-synth run`` decides by: which
program would have won, how good is it in the end beside the best, and how many environment steps
would the search have taken?  First with one seed for each program, once for every seed, and then
with all seeds together, as with ``--seeds N``.

Trainings are remembered in ``--curves``, so that other rungs can be replayed in a moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import (
    cores,
    machine,
    options,
    print_table,
    read_json,
    read_options,
    refuse,
    write_json,
)
from benchmarks.physics import programs_of
from benchmarks.training import say

if TYPE_CHECKING:
    from reward_synth.evaluation import Score

TASKS = ("cheetah-run", "hopper-forward")
FULL = (1, 2)
"""By what a training's length is divided, and the seeds."""
QUICK = (8, 2)
FRACTIONS = (1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4)
"""Where policies are scored."""
SCHEDULES = (
    (),
    (1 / 2,),
    (1 / 4,),
    (1 / 8,),
    (1 / 4, 1 / 2),
    (3 / 16, 3 / 8, 3 / 4),
    (1 / 8, 1 / 4, 1 / 2),
    (1 / 16, 1 / 8, 1 / 4),
    (1 / 16, 1 / 8, 1 / 4, 1 / 2),
)
EPISODES = 32

Curves = dict[str, dict[str, dict[str, list[float]]]]
"""Fitness of each evaluation episode by seed, program and environment steps."""


@dataclass(frozen=True)
class Replay:
    """What a search would have come to."""

    winner: str
    loss: float
    """How much lower the winner's final fitness is than the best program's, as a share of it."""
    cost: float
    """Environment steps of the search over those of training everything to the end."""
    kept: tuple[int, ...]
    """Programs that went on after each rung."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--task", action="append", metavar="NAME", help="one of the tasks only")
    parser.add_argument("--seeds", type=int, metavar="N", help="of each program")
    parser.add_argument("--steps", type=int, metavar="N", help="environment steps of a training")
    parser.add_argument("--curves", type=Path, metavar="FILE", help="where scores are remembered")
    given = read_options(parser, arguments)
    shorter, seeds = QUICK if given.quick else FULL
    from reward_synth.task import load_task

    known = read_curves(parser.prog, given.curves)
    results: dict[str, Any] = {}
    for name in given.task or TASKS:
        steps = given.steps or load_task(name).training_steps // shorter
        key = f"{name} {steps}"
        for seed in range(given.seeds or seeds):
            curves = known.setdefault(key, {})
            if str(seed) not in curves:
                curves[str(seed)] = train(name, steps, seed)
                if given.curves is not None:
                    write_json(given.curves, known)
        wanted = {str(seed): known[key][str(seed)] for seed in range(given.seeds or seeds)}
        results[name] = report(name, steps, wanted)
    if given.json is not None:
        write_json(given.json, results | {"machine": machine()})


def read_curves(program: str, path: Path | None) -> dict[str, Curves]:
    """What earlier runs left; ends with one line where the file holds something else."""
    if path is None or not path.exists():
        return {}
    found = read_json(program, "--curves", path)
    if not isinstance(found, dict):
        refuse(f"{program}: --curves {path} holds no curves")
    return found


def train(name: str, steps: int, seed: int) -> dict[str, dict[str, list[float]]]:
    """Train every program with one seed; a program that fails is left out."""
    from reward_synth.evaluation import Legs, Trained, WorkerPool, guess, rung_steps
    from reward_synth.reward import read_program
    from reward_synth.search import RunConfig
    from reward_synth.task import load_task
    from sandbox.messages import Member

    task = load_task(name)
    rung_episodes = RunConfig(task=name, steps=steps).rung_episodes
    batch = task.ppo.environments * task.ppo.rollout_within(steps)
    files = programs_of(name)
    members = [Member(name=file.stem, program=read_program(file), seed=seed) for file in files]
    found: dict[str, dict[str, list[float]]] = {member.name: {} for member in members}
    with (
        WorkerPool(task.folder, cores()) as pool,
        Legs(task, pool, guess(cores()), steps=steps) as legs,
    ):
        for until in [*rung_steps(FRACTIONS, steps, batch), steps]:
            episodes = rung_episodes if until < steps else EPISODES
            for program, outcome in legs.advance(members, until, episodes=episodes).items():
                if isinstance(outcome, Trained):
                    episodes_of = outcome.score.episodes
                    found[program][str(until)] = [e for e in episodes_of if e is not None]
                else:
                    members = [member for member in members if member.name != program]
            say(f"{name}, seed {seed}: {until:,} of {steps:,} steps")
    return {program: curve for program, curve in found.items() if str(steps) in curve}


def replay(curves: Curves, steps: int, rungs: Sequence[float]) -> Replay:
    """A search with these rungs, each program trained with every seed of ``curves``."""
    from reward_synth.evaluation import decide, keep_at, standings

    seeds = list(curves)
    programs = [p for p in curves[seeds[0]] if all(p in curves[seed] for seed in seeds)]
    final = {p: float(np.mean([curves[s][p][str(steps)] for s in seeds])) for p in programs}
    left, reached, taken, kept = list(programs), 0, 0, []
    for rung, fraction in enumerate(rungs):
        keep = keep_at(rung, len(programs))
        if len(left) <= keep:
            continue
        until = nearest(curves[seeds[0]][programs[0]], fraction * steps)
        taken += len(left) * (until - reached)
        reached = until
        scores = [[scored(curves[s][p][str(until)]) for s in seeds] for p in left]
        verdicts = decide(standings(scores), keep)
        left = [p for p, verdict in zip(left, verdicts, strict=True) if verdict.kept]
        kept.append(len(left))
    taken += len(left) * (steps - reached)
    winner = max(left, key=lambda program: final[program])
    best = max(final.values())
    loss = (best - final[winner]) / abs(best) if best else 0.0
    return Replay(winner, loss, taken / (steps * len(programs)), tuple(kept))


def scored(episodes: list[float]) -> "Score":
    from reward_synth.evaluation import Score
    from reward_synth.intervals import interval

    low, high = interval(episodes)
    mean = float(np.mean(episodes))
    return Score(fitness=mean, low=low, high=high, episodes=episodes, success=None, length=1.0)


def nearest(curve: Mapping[str, object], steps: float) -> int:
    """Where a score was taken."""
    return min(map(int, curve), key=lambda scored: abs(scored - steps))


def report(name: str, steps: int, curves: Curves) -> list[dict[str, Any]]:
    """One line for each schedule."""
    rows: list[list[str]] = []
    found: list[dict[str, Any]] = []
    for rungs in SCHEDULES:
        alone = [replay({seed: curve}, steps, rungs) for seed, curve in curves.items()]
        together = replay(curves, steps, rungs)
        cost = float(np.mean([one.cost for one in alone]))
        rows.append(
            [
                ", ".join(f"{fraction:.3g}" for fraction in rungs) or "none",
                f"{1 / cost:.1f}",
                ", ".join(f"{one.loss:.0%}" for one in alone),
                f"{1 / together.cost:.1f}",
                f"{together.loss:.0%}",
            ]
        )
        found.append(
            {
                "rungs": list(rungs),
                "one_seed": [vars(one) for one in alone],
                "all_seeds": vars(together),
            }
        )
    count = len(curves)
    print_table(
        f"{name}: {len(next(iter(curves.values())))} programs × {steps:,} steps, {count} seeds",
        [
            "rungs at",
            "one seed: times fewer steps",
            "the winner's loss, by seed",
            f"{count} seeds: times fewer",
            "loss",
        ],
        rows,
    )
    return found


if __name__ == "__main__":
    main()
