"""Does the population learn as well as stable-baselines3, and rank rewards as it does?

    python benchmarks/parity.py [--quick] [--json FILE] [--task NAME] [--cache FILE]

Four tasks, both trainers with the task's own hyperparameters and equally many environment steps,
each policy scored over 32 evaluation episodes.

Quality: the expert reward on 8 seeds.  Fitness may be negative, so it is put on the scale
(fitness - sparse) / abs(expert - sparse) of the task's recorded baselines, on which 0 is the bare
success signal and 1 the expert reward.  ``iqm_ratio`` is the population's interquartile mean over
stable-baselines3's on that scale; 1 or more is no worse.  The interval of their difference is a
bootstrap of the seeds within each trainer (and, over all tasks, within each task).

Ranking: all reward programs of ``benchmarks/programs`` with both trainers, Spearman's rank
correlation of the two trainers' scores.  ``rank_correlation`` counts only differences beyond
noise.  Two scores differ beyond noise if they are further apart than 1.96 standard errors of
their difference; the standard error comes from the seeds' spread, pooled over the programs, or,
with one seed each, from the spread of the expert reward's seeds and of the episodes.  From the
best mean of both trainers down, programs that do not differ beyond noise from the first of their
group are merged into it, and stand in both rankings with their group's mean.  ``pairs_agree`` is
the share of the pairs that differ beyond noise under both trainers which both order alike.

Every training is remembered in ``--cache`` as soon as it is scored, so that an interrupted study
goes on where it was.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.measure import (
    cores,
    machine,
    options,
    print_table,
    read_options,
    write_json,
)
from benchmarks.physics import programs_of
from benchmarks.training import say

if TYPE_CHECKING:
    from reward_synth.evaluation import Score
    from reward_synth.task import Task

TASKS = ("cheetah-run", "hopper-forward", "cartpole-swingup", "reacher-reach")
TRAINERS: tuple[Literal["population", "sb3"], ...] = ("population", "sb3")
FULL = (1, 8, 1)
"""By what a training's length is divided, seeds of the expert reward, seeds of each program."""
QUICK = (8, 3, 1)
EPISODES = 32
EXPERT = "expert"
FIRST_SEED = 200
"""Far from the seeds of the baselines, which no figure here is to share."""
SURE = 1.96
RESAMPLES = 10_000
SOURCES = ("sandbox", "reward_synth/simulation", "reward_synth/reward")
"""Folders whose code decides what a training gives."""

Trainer = Literal["population", "sb3"]


@dataclass(frozen=True)
class Training:
    """One training of the study."""

    reward: str
    """``expert``, or a program's file name."""
    source: str
    seed: int
    trainer: Trainer
    steps: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--task", action="append", metavar="NAME", help="one of the tasks only")
    parser.add_argument("--seeds", type=int, metavar="N", help="of the expert reward")
    parser.add_argument("--program-seeds", type=int, metavar="N", help="of each program")
    parser.add_argument("--steps", type=int, metavar="N", help="environment steps of a training")
    parser.add_argument("--cache", type=Path, metavar="FILE", help="where trainings are remembered")
    given = read_options(parser, arguments)
    shorter, seeds, program_seeds = QUICK if given.quick else FULL
    seeds, program_seeds = given.seeds or seeds, given.program_seeds or program_seeds
    from reward_synth.task import load_task

    tasks = [load_task(name) for name in given.task or TASKS]
    study = {
        task.name: trainings(
            task, given.steps or task.training_steps // shorter, seeds, program_seeds
        )
        for task in tasks
    }
    cache = Cache(given.cache or default_cache())
    clock = Clock(sum(len([t for t in study[k.name] if (k, t) not in cache]) for k in tasks))
    results: dict[str, Any] = {}
    normalised: dict[str, dict[Trainer, np.ndarray]] = {}
    for task in tasks:
        carry_out(task, study[task.name], cache, clock)
        scores = {t: cache.score(task, t) for t in study[task.name]}
        normalised[task.name] = expert_scores(task, scores)
        results[task.name] = quality(normalised[task.name]) | ranking(scores)
        report(task, scores, results[task.name])
    overall = bootstrap(list(normalised.values()))
    print(f"difference over all tasks, on the normalised scale: {spelt(overall)}")
    if given.json is not None:
        document = {
            name: {task: result[name] for task, result in results.items()}
            for name in next(iter(results.values()))
        }
        write_json(
            given.json, document | {"difference_overall": list(overall), "machine": machine()}
        )


def trainings(task: "Task", steps: int, seeds: int, program_seeds: int) -> list[Training]:
    """All trainings of a task's study."""
    from reward_synth.reward import read_program

    wanted = [(EXPERT, task.folder / "expert_reward.py", seeds)]
    wanted += [(f.stem, f, program_seeds) for f in programs_of(task.name)]
    return [
        Training(reward, read_program(file), FIRST_SEED + seed, trainer, steps)
        for trainer in TRAINERS
        for reward, file, count in wanted
        for seed in range(count)
    ]


# --- carrying the trainings out ------------------------------------------------------------------


class Cache:
    """Scores of trainings, one JSON line each, appended as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.versions = code_version()
        self.known: dict[str, dict[str, Any] | None] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            text = path.read_text()
            if text and not text.endswith("\n"):  # a kill cut the last line short
                path.write_text(text + "\n")
            for line in text.splitlines():
                try:
                    row = json.loads(line)
                    self.known[row["key"]] = row["score"]
                except (ValueError, KeyError, TypeError):
                    continue  # the rest of a cut line

    def key(self, task: "Task", training: Training) -> str:
        facts = (
            task.name,
            (task.folder / "task.py").read_text(),
            training.source,
            training.seed,
            training.trainer,
            training.steps,
            self.versions,
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def __contains__(self, one: tuple["Task", Training]) -> bool:
        return self.key(*one) in self.known

    def score(self, task: "Task", training: Training) -> dict[str, Any] | None:
        """Its score as JSON; None for a training that failed."""
        return self.known[self.key(task, training)]

    def add(self, task: "Task", training: Training, score: "Score | None") -> None:
        row = score.model_dump(mode="json") if score is not None else None
        key = self.key(task, training)
        self.known[key] = row
        told = {
            "key": key,
            "task": task.name,
            "reward": training.reward,
            "seed": training.seed,
            "trainer": training.trainer,
            "steps": training.steps,
            "score": row,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reward-synth" / "parity.jsonl"


def code_version() -> str:
    """Changes with the libraries, and with the code that trains."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(repr(machine()["packages"]).encode())
    for folder in SOURCES:
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Clock:
    """Tells of each training that is done, and when all will be."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.done = 0
        self.begun = time.monotonic()

    def tick(self, message: str) -> None:
        self.done += 1
        spent = time.monotonic() - self.begun
        left = spent / self.done * (self.wanted - self.done)
        say(f"{self.done}/{self.wanted}  {message}  ({left / 60:.0f} min left)")


def carry_out(task: "Task", wanted: Sequence[Training], cache: Cache, clock: Clock) -> None:
    """Do those trainings that are not remembered."""
    for trainer in TRAINERS:
        missing = [t for t in wanted if t.trainer == trainer and (task, t) not in cache]
        for steps in sorted({t.steps for t in missing}):
            train(task, trainer, [t for t in missing if t.steps == steps], steps, cache, clock)


def train(
    task: "Task",
    trainer: Trainer,
    wanted: Sequence[Training],
    steps: int,
    cache: Cache,
    clock: Clock,
) -> None:
    """Train on all cores, as a search does."""
    from reward_synth.evaluation import (
        Layout,
        Legs,
        Trained,
        TrainerChoice,
        WorkerPool,
        guess,
        measured,
    )
    from reward_synth.search.trainings import WORTH_MEASURING
    from sandbox.messages import Member

    choice = TrainerChoice(trainer)
    by_name = {f"m{index}": training for index, training in enumerate(wanted)}
    members = [Member(name=n, program=t.source, seed=t.seed) for n, t in by_name.items()]

    def keep(member: Member, trained: Trained) -> None:
        training = by_name[member.name]
        cache.add(task, training, trained.score)
        told = f"{task.name}, {trainer}, {training.reward}, seed {training.seed}"
        clock.tick(f"{told}: {trained.score.fitness:.3g}")

    with WorkerPool(task.folder, cores(), kinds=choice.worker_kinds) as pool:
        layout = Layout(cores(), cores(), 1)
        if trainer == "population":
            whole = len(members) * steps
            layout = guess() if whole < WORTH_MEASURING else measured(task, pool, tell=say)
        with Legs(task, pool, layout, steps=steps, choice=choice) as legs:
            outcomes = legs.advance(members, steps, episodes=EPISODES, on_trained=keep)
    for name, outcome in outcomes.items():
        if not isinstance(outcome, Trained):
            cache.add(task, by_name[name], None)
            clock.tick(f"{task.name}, {trainer}, {by_name[name].reward}: {outcome.message}")


# --- quality -------------------------------------------------------------------------------------

Scores = Mapping[Training, Mapping[str, Any] | None]


def expert_scores(task: "Task", scores: Scores) -> dict[Trainer, np.ndarray]:
    """Each trainer's expert policies on the normalised scale, by seed.  A training that failed
    counts as 0, the bare success signal."""
    baselines = json.loads((task.folder / "baselines.json").read_text())
    zero, one = baselines["sparse"]["mean"], baselines["expert"]["mean"]
    found: dict[Trainer, list[float]] = {trainer: [] for trainer in TRAINERS}
    for training, score in scores.items():
        if training.reward == EXPERT:
            value = zero if score is None else score["fitness"]
            found[training.trainer].append((value - zero) / abs(one - zero))
    return {trainer: np.array(values) for trainer, values in found.items()}


def iqm(values: np.ndarray, axis: int = -1) -> Any:
    """Interquartile mean (Agarwal et al. 2021, arXiv 2108.13264)."""
    from scipy.stats import trim_mean

    return trim_mean(values, 0.25, axis=axis)


def quality(normalised: Mapping[Trainer, np.ndarray]) -> dict[str, Any]:
    ours, theirs = (normalised[trainer] for trainer in TRAINERS)
    return {
        "iqm_ratio": round(float(iqm(ours) / iqm(theirs)), 4),
        "iqm": {t: round(float(iqm(values)), 4) for t, values in normalised.items()},
        "difference": list(bootstrap([normalised])),
    }


def bootstrap(tasks: Sequence[Mapping[Trainer, np.ndarray]]) -> tuple[float, float, float]:
    """Population less SB3, in interquartile means averaged over the tasks, with its 95 % interval;
    seeds are drawn anew within each task and trainer."""
    rng = np.random.default_rng(0)

    def mean_of(trainer: Trainer, draw: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.mean([iqm(draw(task[trainer])) for task in tasks], axis=0)

    def drawn(values: np.ndarray) -> np.ndarray:
        return rng.choice(values, (RESAMPLES, len(values)))

    ours, theirs = TRAINERS
    centre = mean_of(ours, np.asarray) - mean_of(theirs, np.asarray)
    low, high = np.quantile(mean_of(ours, drawn) - mean_of(theirs, drawn), [0.025, 0.975])
    return round(float(centre), 4), round(float(low), 4), round(float(high), 4)


# --- ranking -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Programs' scores under one trainer, and their standard errors."""

    fitness: np.ndarray
    error: np.ndarray


def ranking(scores: Scores) -> dict[str, Any]:
    """How well the two trainers agree on the programs that trained with both."""
    programs = dict.fromkeys(t.reward for t in scores if t.reward != EXPERT)
    sound = [
        program
        for program in programs
        if all(score is not None for t, score in scores.items() if t.reward == program)
    ]
    ours, theirs = (under(trainer, sound, scores) for trainer in TRAINERS)
    both = Measured((ours.fitness + theirs.fitness) / 2, np.hypot(ours.error, theirs.error) / 2)
    groups = tie_groups(both)
    merged = [group_means(one.fitness, groups) for one in (ours, theirs)]
    agree = pairs(ours, theirs)
    return {
        "rank_correlation": correlation(*merged),
        "rank_correlation_of_all": correlation(ours.fitness, theirs.fitness),
        "pairs_agree": round(agree[0] / agree[1], 4) if agree[1] else None,
        "pairs_beyond_noise": agree[1],
        "programs": len(sound),
        "programs_failed": len(programs) - len(sound),
        "groups": len(set(groups.tolist())),
    }


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    """Spearman's, equals sharing the mean of their ranks; None where one trainer ties all."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (ours, theirs)]
    if any(np.ptp(values) == 0 for values in ranks):
        return None
    return round(float(np.corrcoef(ranks)[0, 1]), 4)


def under(trainer: Trainer, programs: Sequence[str], scores: Scores) -> Measured:
    """The programs' means over the seeds; the error as the module's text says."""
    own = {
        reward: [s for t, s in scores.items() if (t.reward, t.trainer) == (reward, trainer) and s]
        for reward in [EXPERT, *programs]
    }
    values = {reward: np.array([s["fitness"] for s in rows]) for reward, rows in own.items()}
    fitness = np.array([values[program].mean() for program in programs])
    seeds = max((len(values[program]) for program in programs), default=0)
    if seeds > 1:
        spread = np.sqrt(np.mean([np.var(values[program], ddof=1) for program in programs]))
        return Measured(fitness, np.full(len(programs), spread / np.sqrt(seeds)))
    between = np.var(values[EXPERT], ddof=1) if len(values[EXPERT]) > 1 else 0.0
    within = [
        np.var(own[program][0]["episodes"], ddof=1) / len(own[program][0]["episodes"])
        for program in programs
    ]
    return Measured(fitness, np.sqrt(between + np.array(within)))


def tie_groups(measured: Measured) -> np.ndarray:
    """For each program the number of its group: 0 for the best and those within its noise."""
    groups = np.zeros(len(measured.fitness), int)
    leader, group = -1, -1
    for index in np.argsort(-measured.fitness, kind="stable"):
        if leader < 0 or beyond_noise(measured, leader, index):
            leader, group = index, group + 1
        groups[index] = group
    return groups


def group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Each value replaced by its group's mean."""
    return np.array([values[groups == group].mean() for group in groups])


def beyond_noise(measured: Measured, one: int, other: int) -> bool:
    distance = abs(measured.fitness[one] - measured.fitness[other])
    return bool(distance > SURE * np.hypot(measured.error[one], measured.error[other]))


def pairs(ours: Measured, theirs: Measured) -> tuple[int, int]:
    """How many pairs both trainers order alike, of how many that differ under both."""
    alike = clear = 0
    for one in range(len(ours.fitness)):
        for other in range(one):
            if beyond_noise(ours, one, other) and beyond_noise(theirs, one, other):
                clear += 1
                signs = [np.sign(m.fitness[one] - m.fitness[other]) for m in (ours, theirs)]
                alike += bool(signs[0] == signs[1])
    return alike, clear


# --- what comes of it ----------------------------------------------------------------------------


def report(task: "Task", scores: Scores, result: Mapping[str, Any]) -> None:
    rewards = list(dict.fromkeys(training.reward for training in scores))
    steps = next(iter(scores)).steps
    print_table(
        f"{task.name}: fitness after {steps:,} steps (mean; least to most of the seeds)",
        ["reward", "seeds", *TRAINERS],
        [
            [
                reward,
                str(sum((t.reward, t.trainer) == (reward, TRAINERS[0]) for t in scores)),
                *(seeds_spelt(reward, trainer, scores) for trainer in TRAINERS),
            ]
            for reward in rewards
        ],
    )
    told = ", ".join(f"{trainer} {value:.3f}" for trainer, value in result["iqm"].items())
    print(
        f"expert, normalised interquartile mean: {told}; ratio {result['iqm_ratio']:.3f}, "
        f"difference {spelt(result['difference'])}"
    )
    agreed = result["pairs_agree"]
    print(
        f"rank correlation: {result['rank_correlation']} beyond noise ({result['groups']} groups), "
        f"{result['rank_correlation_of_all']} of all {result['programs']} programs; "
        f"{'no' if agreed is None else f'{agreed:.0%} of'} {result['pairs_beyond_noise']} pairs "
        "beyond noise are ordered alike\n"
    )


def seeds_spelt(reward: str, trainer: Trainer, scores: Scores) -> str:
    own = [s for t, s in scores.items() if (t.reward, t.trainer) == (reward, trainer)]
    values = [score["fitness"] for score in own if score is not None]
    if not values:
        return "failed"
    if len(own) == 1:
        return f"{values[0]:.3g}"
    failed = f", {len(own) - len(values)} failed" if len(values) < len(own) else ""
    return f"{np.mean(values):.3g} ({min(values):.3g} to {max(values):.3g}{failed})"


def spelt(values: Sequence[float]) -> str:
    centre, low, high = values
    return f"{centre:+.3f} (95 % interval {low:+.3f} to {high:+.3f})"


if __name__ == "__main__":
    main()
