"""What are a person's judgements worth?  Preferences against the fitness, by a simulated person.

    python benchmarks/people.py FOLDER [--quick] [--hidden] [--seeds N] [--json FILE]

Offline searches on two tasks, each with the same first generation: one that selects by fitness,
and some that select by what a simulated person prefers, who knows the fitness and sees nothing
else.  They differ in how many pairs are judged after each generation, whether those are the pairs
that tell most or any, and the share of wrong answers.  What counts is the true fitness of the
program that each search ends with, as it was measured for the search.

The programs that a seed's searches trained then make a pool of fixed size, from which the best one
is to be picked by judgements alone, at no further training: how good is the pick after so many?

``--hidden`` takes the fitness away from ``hopper-backflip`` instead: the task has none, and the
person alone knows what it was.

No training is made twice: what one search trained, another one with the same program, seed and
budget takes from ``FOLDER``, also after an interruption.  Draws ``benchmarks/people.png``, for
which matplotlib is needed beside the package.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any, get_args

import numpy as np

from benchmarks.measure import machine, options, print_table, read_options, refuse, write_json
from reward_synth.evaluation import Score, score_policy
from reward_synth.feedback.preferences import fit
from reward_synth.intervals import interval
from reward_synth.search import Progress, RunConfig, loop
from reward_synth.search.listening import Listener, current_round
from reward_synth.search.simulated_person import SIMULATED, Pairs, SimulatedPerson
from reward_synth.search.strategy import best_of, search_fitness
from reward_synth.store import Store
from reward_synth.store.fates import search_evaluation, search_evaluations
from reward_synth.store.schema import Candidate, Evaluation, Run
from reward_synth.task import Task, load_task
from reward_synth.task.loader import builtin_tasks
from sandbox.messages import TrainingReport

TASKS = {"cartpole-swingup": 100_000, "cheetah-run": 100_000}
"""With the environment steps of a training."""
SAMPLES, ITERATIONS = 4, 3
JUDGEMENTS = (2, 6)
"""After each generation."""
NOISES = (0.0, 0.2)
PAIRS: tuple[Pairs, ...] = get_args(Pairs)
SEEDS = 5
POOL = 24
"""Programs to pick the best of."""
PICKS = (0, 2, 5, 10, 15, 20, 30, 45, 60)
"""Judgements after which the pick is looked at."""
PEOPLE = 10
"""Simulated people who pick from one pool."""
HIDDEN = "hopper-backflip"
HIDDEN_JUDGEMENTS = 6
HIDE = """

import dataclasses

task = dataclasses.replace(task, fitness=None, fitness_doc="", success=None, success_doc="")
"""
"""What takes a task's measures away."""
PICTURE = Path(__file__).with_suffix(".png")
Truth = Callable[[Candidate], float | None]


class Watcher:
    """Lends a search what others trained before it, and lets its person speak."""

    def __init__(self, store: Store, person: SimulatedPerson | None) -> None:
        self.store = store
        self.person = person
        self.trained: dict[tuple[str, int, int], tuple[Evaluation, Path]] = {}
        self.lent = 0
        for run in store.list_runs("search"):
            for candidate in store.candidates(run.id):
                for e in search_evaluations(candidate):
                    known = e, store.run_folder(run.id) / e.policy
                    self.trained.setdefault((candidate.source, e.seed, e.steps), known)

    def __call__(self, event: Progress) -> None:
        if event.kind == "accepted":
            self.lend(event.run, event.candidate)
        elif event.kind == "waiting" and self.person is not None:
            round_ = current_round(self.store, event.run)
            self.person.judge(Listener(self.store, round_, SIMULATED))

    def lend(self, run: str, number: int | None) -> None:
        candidate = next(c for c in self.store.candidates(run) if c.number == number)
        config = RunConfig.model_validate(self.store.get_run(run).config)
        known = self.trained.get((candidate.source, config.seed, config.steps or 0))
        if known is not None:
            evaluation, policy = known
            self.lent += 1
            self.store.record_evaluation(
                candidate,
                purpose="search",
                seed=evaluation.seed,
                steps=evaluation.steps,
                report=TrainingReport.model_validate(evaluation.report),
                score=Score.model_validate(evaluation.score),
                policy=policy,
                seconds=0.0,
            )


def search(store: Store, config: RunConfig, person: SimulatedPerson | None = None) -> Run:
    """One search to its end."""
    watcher = Watcher(store, person)
    run = store.get_run(loop.search(config, store=store, observer=watcher))
    print(
        f"{run.id}: {watcher.lent} of {len(run.candidates)} lent, {run.seconds:.0f} s", flush=True
    )
    return run


def chosen(run: Run, truth: Truth = search_fitness) -> dict[str, Any]:
    """What a search ended with: the truth about its winner, and about the best that it trained."""
    winner = best_of(run.candidates)
    assert winner is not None
    every = [value for c in run.candidates if (value := truth(c)) is not None]
    return {"chosen": truth(winner), "best": max(every)}


# --- selection by preference and by fitness ----------------------------------------------------


def settings(task: str, steps: int | None, seed: int, **more: Any) -> RunConfig:
    return RunConfig(
        task=task,
        samples=SAMPLES,
        iterations=ITERATIONS,
        steps=steps,
        seed=seed,
        rungs=(),
        finalists=0,
        **more,
    )


BY_PERSON: dict[str, Any] = {"feedback": True, "select": "preference"}


def compare(folder: Path, task: str, seed: int, judgements: Sequence[int]) -> dict[str, Any]:
    """All searches of one task with one seed."""
    steps = TASKS[task]
    with Store.open(folder / f"{task}-{seed}") as store:
        runs = [search(store, settings(task, steps, seed))]
        people = []
        for count, noise, pairs in product(judgements, NOISES, PAIRS):
            person = SimulatedPerson(noise, count, seed, pairs=pairs)
            run = search(store, settings(task, steps, seed, **BY_PERSON), person)
            facts = {"judgements": count, "noise": noise, "pairs": pairs}
            people.append({**facts, **chosen(run)})
            runs.append(run)
        pool = {
            c.source: value
            for run in runs
            for c in run.candidates
            if (value := search_fitness(c)) is not None
        }
    fitness = list(pool.values())[:POOL]
    facts = {"task": task, "seed": seed, "fitness": chosen(runs[0])}
    return {**facts, "people": people, "pool": fitness}


def pick(
    worth: Sequence[float], pairs: Pairs, noise: float, seed: int | Sequence[int]
) -> list[float]:
    """How good the pick from a pool is after each of ``PICKS`` judgements.

    0 is what picking blindly gives in the mean, 1 the best.
    """
    rng = np.random.default_rng(seed)
    names = list(range(len(worth)))
    order = rng.permutation(len(worth))  # who comes first is nobody's merit
    values = np.asarray(worth)[order]
    every = list(combinations(names, 2))
    rankings: list[list[list[int]]] = []
    found = []
    for count in range(max(PICKS) + 1):
        scores = fit(names, rankings) if count in PICKS or pairs == "informative" else None
        if count in PICKS and scores is not None:
            best = int(np.argmax(scores.mean))
            found.append(float((values[best] - values.mean()) / (values.max() - values.mean())))
        if pairs == "informative" and scores is not None:
            one, other = scores.most_telling(names)
        else:
            one, other = every[rng.integers(len(every))]
        if values[one] == values[other]:
            rankings.append([[one, other]])
        else:
            right = (values[one] > values[other]) != (rng.random() < noise)
            rankings.append([[one], [other]] if right else [[other], [one]])
    return found


def picks(pools: Sequence[Sequence[float]], people: int) -> list[dict[str, Any]]:
    """The mean over pools and people, by pairs and noise."""
    return [
        {
            "pairs": pairs,
            "noise": noise,
            "judgements": list(PICKS),
            "share": np.mean(
                [
                    pick(pool, pairs, noise, (place, k))  # everybody errs in a way of their own
                    for place, pool in enumerate(pools)
                    for k in range(people)
                ],
                axis=0,
            ).tolist(),
        }
        for noise, pairs in product(NOISES, PAIRS)
    ]


# --- no fitness at all -------------------------------------------------------------------------


def hide(folder: Path) -> Path:
    """A copy of the task without its fitness, of the same name."""
    copy = folder / "tasks" / HIDDEN
    copy.mkdir(parents=True, exist_ok=True)
    for file in (builtin_tasks() / HIDDEN).iterdir():
        if file.is_file() and file.name != "baselines.json":
            more = HIDE.encode() if file.name == "task.py" else b""
            (copy / file.name).write_bytes(file.read_bytes() + more)
    return copy


def true_fitness(store: Store, task: Task, known: dict[str, float]) -> Truth:
    """The original task's fitness of a candidate's policy, measured once."""

    def truth(candidate: Candidate) -> float | None:
        evaluation = search_evaluation(candidate)
        if evaluation is None:
            return None
        path = store.run_folder(candidate.run_id) / evaluation.policy
        if evaluation.policy_sha256 not in known:
            fitness = score_policy(task, path).fitness
            assert fitness is not None
            known[evaluation.policy_sha256] = fitness
        return known[evaluation.policy_sha256]

    return truth


def without(folder: Path, seed: int, steps: int | None) -> dict[str, Any]:
    """Selection by the fitness, and by a person where the task has none."""
    task, copy = load_task(HIDDEN), hide(folder)
    facts: dict[str, Any] = {"task": HIDDEN, "seed": seed, "judgements": HIDDEN_JUDGEMENTS}
    known: dict[str, float] = {}
    with Store.open(folder / f"{HIDDEN}-{seed}") as store:
        facts["fitness"] = chosen(search(store, settings(HIDDEN, steps, seed)))
    with Store.open(folder / f"{HIDDEN}-hidden-{seed}") as store:
        truth = true_fitness(store, task, known)
        people = []
        for noise in NOISES:
            person = SimulatedPerson(noise, HIDDEN_JUDGEMENTS, seed, truth=truth)
            run = search(store, settings(str(copy), steps, seed, **BY_PERSON), person)
            people.append({"noise": noise, **chosen(run, truth)})
    return {**facts, "people": people}


# --- tables and the picture ----------------------------------------------------------------------


def spelt(values: Sequence[float]) -> str:
    low, high = interval(values)
    return f"{np.mean(values):.3f} ({low:.3f} to {high:.3f})"


def share_of(values: Sequence[float], base: Sequence[float]) -> str:
    """The mean as a share of the base's; a dash where that is nothing."""
    return f"{np.mean(values) / np.mean(base):.2f}" if np.mean(base) else "–"


def tell(
    task: str, found: Sequence[Mapping[str, Any]], picked: Sequence[Mapping[str, Any]]
) -> None:
    """A task's two tables."""
    base = [one["fitness"]["chosen"] for one in found]
    rows = [["fitness", "", "", spelt(base), "1.00", spelt([o["fitness"]["best"] for o in found])]]
    for index, facts in enumerate(found[0]["people"]):
        ends = [one["people"][index] for one in found]
        values = [end["chosen"] for end in ends]
        rows.append(
            [
                f"{facts['pairs']} pairs",
                f"{facts['judgements'] * ITERATIONS}",
                f"{facts['noise']:.0%}",
                spelt(values),
                share_of(values, base),
                spelt([end["best"] for end in ends]),
            ]
        )
    columns = [
        "selected by",
        "judgements",
        "wrong",
        "fitness of the choice",
        "share",
        "best trained",
    ]
    print_table(f"{task}: {len(found)} seeds, mean and 95 % interval", columns, rows)
    print_table(
        f"{task}: the pick from {len(found[0]['pool'])} trained programs; 0 is blind, 1 the best",
        ["judgements", *map(str, PICKS)],
        [
            [f"{p['pairs']}, {p['noise']:.0%} wrong", *(f"{share:.2f}" for share in p["share"])]
            for p in picked
        ],
    )


def tell_hidden(found: Sequence[Mapping[str, Any]]) -> None:
    base = [one["fitness"]["chosen"] for one in found]
    rows = [["fitness", "", spelt(base), "1.00"]]
    for index, facts in enumerate(found[0]["people"]):
        values = [one["people"][index]["chosen"] for one in found]
        share = share_of(values, base)
        rows.append(["a person", f"{facts['noise']:.0%}", spelt(values), share])
    title = f"{HIDDEN} without its fitness: {len(found)} seeds, mean and 95 % interval"
    print_table(title, ["selected by", "wrong", "true fitness of the choice", "share"], rows)


def draw(found: Mapping[str, Any], path: Path) -> None:
    """A row for each task: the searches, and the picks from a pool."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 3.6 * len(found)), layout="constrained")
    axes = np.atleast_2d(figure.subplots(len(found), 2))
    colours = {"informative": "tab:blue", "random": "tab:orange"}
    for (left, right), (task, facts) in zip(axes, found.items(), strict=True):
        base = float(np.mean([one["fitness"]["chosen"] for one in facts["searches"]]))
        left.axhline(base, color="0.4", label="by fitness")
        for noise, pairs in product(NOISES, PAIRS):
            style = {"color": colours[pairs], "linestyle": "--" if noise else "-"}
            label = f"{pairs} pairs, {noise:.0%} wrong"
            ends: dict[int, list[float]] = {}
            for one in facts["searches"]:
                for end in one["people"]:
                    if (end["noise"], end["pairs"]) == (noise, pairs):
                        ends.setdefault(end["judgements"] * ITERATIONS, []).append(end["chosen"])
            means = [np.mean(values) for values in ends.values()]
            left.plot(list(ends), means, marker="o", label=label, **style)
            picked = next(p for p in facts["picks"] if (p["noise"], p["pairs"]) == (noise, pairs))
            right.plot(picked["judgements"], picked["share"], marker="o", **style)
        left.set(
            title=f"{task}: searches", xlabel="judgements in all", ylabel="fitness of the choice"
        )
        right.set(
            title=f"{task}: picks from {POOL} trained programs",
            xlabel="judgements",
            ylabel="share of the best",
            ylim=(-0.1, 1.05),
        )
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=100)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where runs are kept")
    parser.add_argument("--hidden", action="store_true", help=f"{HIDDEN} without its fitness")
    parser.add_argument("--seeds", type=int, metavar="N", help="searches of each kind")
    parser.add_argument("--steps", type=int, metavar="N", help="of a training on the hidden task")
    parser.add_argument(
        "--judgements", type=int, nargs="+", metavar="J", help="after each generation"
    )
    parser.add_argument("--draw", type=Path, default=PICTURE, metavar="FILE", help="the picture")
    given = read_options(parser, arguments)
    seeds = range(given.seeds or (1 if given.quick else SEEDS))
    facts: dict[str, Any] = {"machine": machine()}
    if given.hidden:
        facts["hidden"] = [without(given.folder, seed, given.steps) for seed in seeds]
        tell_hidden(facts["hidden"])
    else:
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            refuse(f"{parser.prog}: drawing needs matplotlib: pip install matplotlib")
        facts["tasks"] = {}
        for task in TASKS:
            counts = given.judgements or (JUDGEMENTS[:1] if given.quick else JUDGEMENTS)
            found = [compare(given.folder, task, seed, counts) for seed in seeds]
            picked = picks([one["pool"] for one in found], 2 if given.quick else PEOPLE)
            facts["tasks"][task] = {"searches": found, "picks": picked}
            tell(task, found, picked)
        draw(facts["tasks"], given.draw)
    if given.json is not None:
        write_json(given.json, facts)


if __name__ == "__main__":
    main()
