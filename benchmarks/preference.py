"""Is the preference check of ``card`` right?  What it turns back, against what training says.

    python benchmarks/preference.py RUNS_DIR … [--quick] [--programs] [--train] [--json FILE]

Each folder of runs gives searches.  Of each search and each of its generations but the first, the
check knows what it would have known then: random actions, and the policies that the generations
before had trained.  It then judges every program of all searches on the same task that was trained
and did not come from those generations, so that what would have been turned back is known to have
been worth training or not:

- right: the program's fitness is not above the best that was known when it was judged;
- low: its fitness is in the lower half of all programs of the task.

Programs that pruning dropped count with their fitness there.  ``--programs`` has the task's folder
of ``benchmarks/programs`` judged too, good and bad ones, each trained once.  ``--train`` also
trains, once each, with the first seed of their search, the programs that a search turned back, and
``--quick`` knows no more than what first generations had trained.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import rungs
from benchmarks.measure import machine, options, print_table, read_options, write_json
from benchmarks.physics import programs_of
from reward_synth import api
from reward_synth.evaluation import WorkerPool
from reward_synth.evaluation.preference import Preference
from reward_synth.search.card import know
from reward_synth.search.history import attempt
from reward_synth.search.strategy import best_of, search_fitness
from reward_synth.store import Store
from reward_synth.store.schema import Candidate, Run
from reward_synth.task import Task, load_task

COLUMNS = ("", "judged", "turned back", "right: back", "kept", "low: back", "kept")


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


def programs(run: Run) -> list[Program]:
    return [
        Program(run.id, c.generation, c.number, c.source, fitness)
        for c in run.candidates
        if (told := attempt(c)) is not None and (fitness := told.fitness) is not None
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
    steps = task.training_steps
    curves = rungs.train(task.name, steps, seed=0)
    return [
        Program("benchmarks/programs", 0, k, file.read_text(), float(np.mean(curve[str(steps)])))
        for k, file in enumerate(programs_of(task.name))
        if (curve := curves.get(file.stem)) is not None
    ]


def judge(
    runs: Sequence[tuple[Path, Run]], more: Sequence[Program], *, quick: bool
) -> Iterator[Verdict]:
    """Verdicts on one task's programs, and on those of ``more``."""
    task = load_task(runs[0][1].task_folder)
    every = [program for _, run in runs for program in programs(run)] + list(more)
    middle = float(np.median([program.fitness for program in every]))
    for folder, run in runs:
        last = max(c.generation for c in run.candidates)
        for generation in range(1, 1 + min(last, 1 if quick else last)):
            known = before(run, generation)
            best = best_fitness(known)
            others = [p for p in every if p.run != run.id or p.generation >= generation]
            if best is None or not others:
                continue
            with WorkerPool(task.folder, 1, kinds=("probe",)) as pool:
                preference = Preference(task, pool)
                know(preference, known, folder / run.id)
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


def before(run: Run, generation: int) -> list[Candidate]:
    """What came before a generation."""
    return [c for c in run.candidates if c.generation < generation]


def best_fitness(candidates: Sequence[Candidate]) -> float | None:
    """Of those that were trained to the end."""
    best = best_of(candidates)
    return None if best is None else search_fitness(best)


def row(name: str, verdicts: Sequence[Verdict]) -> list[str]:
    """How many were turned back, and how often that was right."""
    back = [v for v in verdicts if v.turned_back]
    kept = [v for v in verdicts if not v.turned_back]

    def share(of: Sequence[Verdict], fact: str) -> str:
        return f"{np.mean([getattr(v, fact) for v in of]):.2f}" if of else "–"

    shares = [share(of, fact) for fact in ("right_to", "low") for of in (back, kept)]
    return [name, str(len(verdicts)), str(len(back)), *shares]


def train_turned_back(folder: Path, run: Run, into: Path) -> Iterator[str]:
    """Train once what a search turned back, and say how that compares."""
    seed = int(run.config["seed"])
    for candidate in turned_back(run):
        source = into / f"{run.id}-{candidate.number}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(candidate.source)
        done = api.train(run.task_folder, source, seeds=[seed], runs_dir=into)
        best = best_fitness(before(run, candidate.generation))
        assert best is not None  # else there was nothing to rank
        beside = sorted(
            (p.fitness for p in programs(run) if p.generation == candidate.generation), reverse=True
        )
        yield (
            f"{run.id} {candidate.number}: {done.result['fitness']:.3g}; best known {best:.3g}; "
            f"its generation {', '.join(f'{value:.3g}' for value in beside)}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("runs_dirs", nargs="+", type=Path, metavar="RUNS_DIR")
    parser.add_argument("--programs", action="store_true", help="judge benchmarks/programs too")
    parser.add_argument("--train", action="store_true", help="train what a search turned back")
    given = read_options(parser, arguments)
    by_task: dict[str, list[tuple[Path, Run]]] = defaultdict(list)
    for folder in given.runs_dirs:
        with Store.open(folder) as store:
            for listed in store.list_runs():
                if listed.kind == "search":
                    by_task[listed.task].append((folder, store.get_run(listed.id)))
    verdicts: list[Verdict] = []
    rows: list[list[str]] = []
    for task, runs in by_task.items():
        more = written(load_task(task)) if given.programs else []
        found = list(judge(runs, more, quick=given.quick))
        verdicts += found
        rows.append(row(task, found))
    print_table("What the preference check says", COLUMNS, [*rows, row("all", verdicts)])
    for folder, run in (pair for runs in by_task.values() for pair in runs):
        back = turned_back(run)
        if back:
            print(f"{run.id}: {len(back)} of {len(run.candidates)} turned back")
        if given.train:
            for line in train_turned_back(folder, run, folder / "turned-back"):
                print(line, flush=True)
    if given.json is not None:
        facts = {"machine": machine(), "verdicts": [asdict(verdict) for verdict in verdicts]}
        write_json(given.json, facts)


if __name__ == "__main__":
    main()
