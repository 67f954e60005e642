"""Is the preference check of ``card`` right?  What it turns back, against what training says.

    python benchmarks/preference.py RUNS_DIR … [--programs] [--train] [--json FILE]

Each folder of runs gives searches.  Of each search and each of its generations but the first, the
check knows what it would have known then: random actions, and the policies that the generations
before had trained.  It then judges every program of all searches on the same task that was trained
and did not come from those generations, so that what would have been turned back is known to have
been worth training or not:

- right: the program's fitness is not above the best that was known when it was judged;
- low: its fitness is in the lower half of all programs of the task.

Programs that pruning dropped count with their fitness there.  ``--programs`` has the task's folder
of ``benchmarks/programs`` judged too, good and bad ones, each trained once.  ``--train`` also
trains, once each, with the first seed of their search, the programs that a search turned back.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from reward_synth import api
from reward_synth.evaluation import Legs, Trained, WorkerPool, cores, guess
from reward_synth.evaluation.preference import Preference
from reward_synth.search.strategy import search_fitness
from reward_synth.store import Store
from reward_synth.store.fates import search_evaluation
from reward_synth.store.schema import Candidate, Run
from reward_synth.task import Task, load_task
from sandbox.messages import Member

RANDOM = "random actions"
PROGRAMS = Path(__file__).parent / "programs"
EPISODES = 32


@dataclass(frozen=True)
class Program:
    """A trained program and what became of it."""

    run: str
    generation: int
    number: int
    source: str
    fitness: float


@dataclass(frozen=True)
class Verdict:
    """The check's word on one program, and training's."""

    task: str
    knowing: str
    """Run and generations whose episodes were known."""
    program: str
    agreement: float
    pairs: int
    turned_back: bool
    fitness: float
    best_known: float
    right_to: bool
    """Not above the best known."""
    low: bool
    """In the lower half of the task's programs."""


def fitness_of(candidate: Candidate) -> float | None:
    """Mean over the search's seeds, or that at the rung where it was dropped."""
    if candidate.status == "pruned" and candidate.rungs:
        return candidate.rungs[-1].fitness
    return search_fitness(candidate) if candidate.status == "scored" else None


def programs(run: Run) -> list[Program]:
    return [
        Program(run.id, c.generation, c.number, c.source, fitness)
        for c in run.candidates
        if (fitness := fitness_of(c)) is not None
    ]


def turned_back(run: Run) -> list[Candidate]:
    """What a search sent back because of how it ranks."""
    return [
        c
        for c in run.candidates
        if c.status == "refused" and any(f["code"] == "preference" for f in c.findings)
    ]


def written(task: Task) -> list[Program]:
    """The programs of ``benchmarks/programs``, each trained once, none dropped."""
    paths = sorted((PROGRAMS / task.name).glob("*.py"))
    members = [Member(name=p.stem, program=p.read_text(), seed=0) for p in paths]
    with (
        WorkerPool(task.folder, cores(), kinds=("train",)) as pool,
        Legs(task, pool, guess(pool.size), steps=task.training_steps) as legs,
    ):
        outcomes = legs.advance(members, task.training_steps, episodes=EPISODES)
    return [
        Program("benchmarks/programs", 0, number, member.program, trained.score.fitness)
        for number, member in enumerate(members)
        if isinstance(trained := outcomes[member.name], Trained)
    ]


def judge(runs: Sequence[tuple[Path, Run]], more: Sequence[Program]) -> Iterator[Verdict]:
    """Verdicts on one task's programs, and on those of ``more``."""
    task = load_task(runs[0][1].task_folder)
    every = [program for _, run in runs for program in programs(run)] + list(more)
    middle = float(np.median([program.fitness for program in every]))
    for folder, run in runs:
        for generation in range(1, 1 + max(c.generation for c in run.candidates)):
            known = [c for c in run.candidates if c.generation < generation]
            trained = [c for c in known if c.status == "scored"]
            others = [p for p in every if p.run != run.id or p.generation >= generation]
            if not trained or not others:
                continue
            best = max(search_fitness(c) or 0.0 for c in trained)
            with WorkerPool(task.folder, 1, kinds=("probe",)) as pool:
                preference = Preference(task, pool)
                preference.learn(RANDOM, None)
                for candidate in trained:
                    evaluation = search_evaluation(candidate)
                    assert evaluation is not None
                    policy = folder / run.id / evaluation.policy
                    preference.learn(f"program {candidate.number}", policy)
                rankings = preference.rank([program.source for program in others])
            for program, ranking in zip(others, rankings, strict=True):
                if ranking.pairs:
                    yield Verdict(
                        task=task.name,
                        knowing=f"{run.id} before generation {generation + 1}",
                        program=f"{program.run} {program.number}",
                        agreement=ranking.agreement,
                        pairs=ranking.pairs,
                        turned_back=bool(preference.findings(ranking)),
                        fitness=program.fitness,
                        best_known=best,
                        right_to=program.fitness <= best,
                        low=program.fitness <= middle,
                    )


def told(verdicts: Sequence[Verdict]) -> str:
    """A row: how many were turned back, and how often that was right."""
    back = [v for v in verdicts if v.turned_back]

    def share(of: Sequence[Verdict], name: str) -> str:
        return f"{np.mean([getattr(v, name) for v in of]):.2f}" if of else "–"

    kept = [v for v in verdicts if not v.turned_back]
    cells = [f"{len(verdicts)}", f"{len(back)}"]
    cells += [share(of, name) for name in ("right_to", "low") for of in (back, kept)]
    return " | ".join(cells)


def train_turned_back(folder: Path, run: Run, into: Path) -> Iterator[str]:
    """Train once what a search turned back, and say how that compares."""
    seed = int(run.config["seed"])
    for candidate in turned_back(run):
        source = into / f"{run.id}-{candidate.number}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(candidate.source)
        done = api.train(run.task_folder, source, seeds=[seed], runs_dir=into)
        before = [c for c in run.candidates if c.generation < candidate.generation]
        best = max(search_fitness(c) or 0.0 for c in before if c.status == "scored")
        beside = sorted(
            (p.fitness for p in programs(run) if p.generation == candidate.generation), reverse=True
        )
        yield (
            f"{run.id} {candidate.number}: {done.result['fitness']:.3g}; best known {best:.3g}; "
            f"its generation {', '.join(f'{value:.3g}' for value in beside)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How often the preference check of card is right.")
    parser.add_argument("runs_dirs", nargs="+", type=Path)
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    by_task: dict[str, list[tuple[Path, Run]]] = defaultdict(list)
    for folder in asked.runs_dirs:
        with Store.open(folder) as store:
            for listed in store.list_runs():
                if listed.kind == "search":
                    by_task[listed.task].append((folder, store.get_run(listed.id)))
    verdicts: list[Verdict] = []
    print("task | judged | turned back | right: back | kept | low: back | kept")
    for task, runs in by_task.items():
        found = list(judge(runs, written(load_task(task)) if asked.programs else ()))
        verdicts += found
        print(f"{task} | {told(found)}", flush=True)
    print(f"all | {told(verdicts)}")
    for runs in by_task.values():
        for folder, run in runs:
            back = turned_back(run)
            if back:
                print(f"{run.id}: {len(back)} of {len(run.candidates)} turned back")
            if asked.train:
                for line in train_turned_back(folder, run, folder / "turned-back"):
                    print(line, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(v) for v in verdicts], indent=1) + "\n")


if __name__ == "__main__":
    main()
