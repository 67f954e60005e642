"""How soon does a list of reward programs become a ranking?

    python benchmarks/search.py [--quick] [--json FILE] [--task NAME] [--reuse FILE]

16 reward programs of very different quality, on HalfCheetah and Hopper, one training each of the
task's full length.  Wall-clock from the list to the ranking, the start of all processes included:

- pruned: what ``reward-synth run`` does with a generation of candidates, a population that drops
  the weak at an eighth, a quarter and half of the training; measured before and after the others,
  the second time with another seed;
- unpruned: the same without rungs;
- SB3: stable-baselines3's PPO with the task's hyperparameters, one single-threaded process per
  core (``--trainer sb3``), its policies scored the same way;
- as peers: all at once, one process for each candidate, SB3's PPO as it comes with as many
  threads as torch takes (8 environments, minibatches of 256).  That takes hours, so it is
  EXTRAPOLATED: all processes run together for a while, with rollouts of 32 steps in place of 2048
  so that they get around several times (as many gradient steps for each environment step as
  before), and the rate gives the time of a whole training, scoring left out.

All use our batched simulator; over Gymnasium's environments SB3 would be slower.  How to lay a
population out is known beforehand (measured once for a machine and a task, and remembered).

The winners agree if each is SB3's best program, or its SB3 score lies within the 95 % interval of
the best one's.  One training says little of a program, so for this verdict SB3 trains each on
further seeds, which no time counts: the interval is that of the mean over the seeds.
``--reuse`` takes SB3's scores and seconds from an earlier ``--json`` of the same machine, and the
table says so.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import (
    alternate,
    cores,
    machine,
    options,
    print_table,
    read_json,
    read_options,
    refuse,
    write_json,
)
from benchmarks.physics import Runner, Team, programs_of
from benchmarks.training import (
    DEFAULT_ENVIRONMENTS,
    default_ppo,
    forget_thread_settings,
    learning,
    rewarded_simulator,
    say,
)

if TYPE_CHECKING:
    from reward_synth.evaluation import Layout
    from reward_synth.task import Task

TASKS = ("cheetah-run", "hopper-forward")
FULL = (1, 75.0, 3)
"""By what a training's length is divided, seconds that the peers run together, and SB3's seeds."""
QUICK = (8, 25.0, 1)
RUNGS = (1 / 8, 1 / 4, 1 / 2)
EPISODES = 32
"""Evaluation episodes of each policy that was trained to the end."""
SEED = 0
PEERS_ROLLOUT = 32
PRUNED, UNPRUNED, SB3, PEERS, AGAIN = "pruned", "unpruned", "SB3", "as peers", "pruned again"


@dataclass(frozen=True)
class Standing:
    """How one program did."""

    fitness: float
    low: float
    high: float
    steps: int
    """Environment steps it was trained for."""


Table = dict[str, Standing]
"""Standings by program."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--task", action="append", metavar="NAME", help="one of the tasks only")
    parser.add_argument(
        "--reuse", type=Path, metavar="FILE", help="SB3's part, from an earlier run"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="environment steps of a training")
    parser.add_argument("--seeds", type=int, metavar="N", help="SB3's seeds for the verdict")
    given = read_options(parser, arguments)
    earlier = read_earlier(parser.prog, given.reuse) if given.reuse else {}
    forget_thread_settings()
    shorter, seconds, seeds = QUICK if given.quick else FULL
    seeds = given.seeds or seeds
    results: dict[str, Any] = {}
    for name in given.task or TASKS:
        results[name] = compare(name, given.steps, shorter, seconds, seeds, earlier.get(name))
        report(name, results[name])
    summary = {
        "over_sb3_best": min(result["over_sb3_best"] for result in results.values()),
        "over_sb3_as_peers": min(result["over_sb3_as_peers"] for result in results.values()),
        "winner_agrees": all(result["winner_agrees"] for result in results.values()),
    }
    told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in summary.items())
    print(f"over all tasks: {told}")
    if given.json is not None:
        write_json(given.json, results | summary | {"machine": machine()})


def compare(
    name: str,
    steps: int | None,
    shorter: int,
    seconds: float,
    seeds: int,
    earlier: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Measure one task."""
    from reward_synth.task import load_task

    task = load_task(name)
    files = programs_of(name)
    length = steps or task.training_steps // shorter
    key = fingerprint(task, files, length, seeds)
    reused = earlier is not None and earlier.get("fingerprint") == key
    if earlier is not None and not reused:
        say(f"{name}: the earlier run trained something else; SB3 is measured anew")
    layout = layout_of(task)
    tables: dict[str, Table] = {}

    def timed(contender: str, train: Callable[[], Table]) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            tables[contender] = train()
            return time.perf_counter() - begun

        return run

    whole = len(files) * length
    contenders: dict[str, Callable[[], float]] = {
        PRUNED: timed(PRUNED, partial(population, task, files, length, RUNGS, SEED)),
        UNPRUNED: timed(UNPRUNED, partial(population, task, files, length, (), SEED)),
    }
    if not reused:
        contenders[SB3] = timed(SB3, partial(sb3, task, files, length, SEED))
        contenders[PEERS] = lambda: whole / peers_speed(name, len(files), seconds)
    contenders[AGAIN] = timed(AGAIN, partial(population, task, files, length, RUNGS, SEED + 1))
    spent = {contender: values[0] for contender, values in alternate(contenders, 1).items()}
    if reused:
        assert earlier is not None
        spent |= {contender: earlier["seconds"][contender] for contender in (SB3, PEERS)}
        tables[SB3] = {program: Standing(**row) for program, row in earlier["sb3"].items()}
        by_seed = earlier["sb3_by_seed"]
    else:
        by_seed = [tables[SB3]]
        for seed in range(SEED + 1, SEED + seeds):
            say(f"{name}: SB3's trainings with seed {seed}, for the verdict alone")
            by_seed.append(sb3(task, files, length, seed))
        tables[SB3] = over_seeds(by_seed)
        by_seed = [{p: one.fitness for p, one in table.items()} for table in by_seed]
    ours = (spent[PRUNED] + spent[AGAIN]) / 2
    winners = [ranked(tables[contender])[0] for contender in (PRUNED, AGAIN)]
    trained = [one.steps for contender in (PRUNED, AGAIN) for one in tables[contender].values()]
    return {
        "over_sb3_best": round(spent[SB3] / ours, 3),
        "over_sb3_as_peers": round(spent[PEERS] / ours, 2),
        "as_peers_is_extrapolated": True,
        "over_unpruned": round(spent[UNPRUNED] / ours, 3),
        "winner_agrees": all(agrees(winner, tables[SB3]) for winner in winners),
        "winners": winners,
        "steps_saved": round(1 - sum(trained) / (2 * whole), 3),
        "steps": length,
        "layout": f"{layout.workers} workers × {layout.members} members",
        "seconds": {contender: round(value, 1) for contender, value in spent.items()},
        "ranking": {
            contender: ranked(tables[contender]) for contender in (PRUNED, AGAIN, UNPRUNED, SB3)
        },
        "sb3": {program: vars(one) for program, one in tables[SB3].items()},
        "population": {
            contender: {program: vars(one) for program, one in tables[contender].items()}
            for contender in (PRUNED, AGAIN, UNPRUNED)
        },
        "sb3_by_seed": by_seed,
        "sb3_reused": reused,
        "fingerprint": key,
    }


def ranked(table: Table) -> list[str]:
    """Programs from best to worst: who was trained longer first, then by fitness."""
    return sorted(table, key=lambda program: (-table[program].steps, -table[program].fitness))


def agrees(winner: str, reference: Table) -> bool:
    """Whether the reference's score of the winner is within the interval of its best one's."""
    if winner not in reference:
        return False
    return reference[winner].fitness >= reference[ranked(reference)[0]].low


def over_seeds(tables: Sequence[Table]) -> Table:
    """Means over the seeds with their intervals; those of the episodes where there is one seed."""
    from reward_synth.intervals import interval as interval_of

    if len(tables) == 1:
        return dict(tables[0])
    whole: Table = {}
    for program, one in tables[0].items():
        values = [table[program].fitness for table in tables if program in table]
        whole[program] = Standing(sum(values) / len(values), *interval_of(values), one.steps)
    return whole


def fingerprint(task: "Task", files: Sequence[Path], steps: int, seeds: int) -> str:
    """Changes with the machine, and with what is trained."""
    facts = machine()
    parts = [facts["processor"], facts["cores"], facts["packages"], steps, seeds]
    parts += [file.read_text() for file in (task.folder / "task.py", *files)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def read_earlier(program: str, path: Path) -> dict[str, Any]:
    """Results of an earlier run; ends with one line where there are none."""
    found = read_json(program, "--reuse", path)
    if not isinstance(found, dict):
        refuse(f"{program}: --reuse {path} is not what --json writes")
    return found


# --- the contenders ----------------------------------------------------------------------------


def layout_of(task: "Task") -> "Layout":
    """Have the layout measured if this machine does not know it yet."""
    from reward_synth.evaluation import WorkerPool, measured

    with WorkerPool(task.folder, cores()) as pool:
        return measured(task, pool, tell=say)


def population(
    task: "Task", files: Sequence[Path], steps: int, rungs: Sequence[float], seed: int
) -> Table:
    """Train the programs as one generation of a search."""
    from reward_synth.evaluation import WorkerPool
    from reward_synth.reward import read_program
    from reward_synth.search import RunConfig
    from reward_synth.search.trainings import Trainer
    from reward_synth.store import NewCandidate, Store

    with TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        config = RunConfig(task=str(task.folder), steps=steps, seed=seed)
        run = store.create_run("search", task, config)
        proposals = [
            NewCandidate(slot=slot, source=read_program(file), origin="file")
            for slot, file in enumerate(files)
        ]
        candidates = store.record_proposals(run, 0, proposals)
        for candidate in candidates:
            store.set_gate_verdict(candidate, "accepted")
        with WorkerPool(task.folder, cores()) as pool:
            pool.warm()
            trainer = Trainer(
                store,
                run,
                task,
                pool,
                steps=steps,
                episodes=EPISODES,
                observer=lambda _: None,
                rungs=rungs,
            )
            trainer.search(store.candidates(run), seed, 1, whole=len(files))
        table: Table = {}
        for candidate in store.candidates(run):
            program = files[candidate.slot].stem
            for row in sorted(candidate.rungs, key=lambda row: row.steps):
                table[program] = Standing(row.fitness, row.low, row.high, row.steps)
            for row in candidate.evaluations:
                assert row.fitness is not None
                table[program] = Standing(row.fitness, row.score["low"], row.score["high"], steps)
            if program not in table:
                say(f"{task.name}: {program} is not ranked: {candidate.reason}")
        return table


def sb3(task: "Task", files: Sequence[Path], steps: int, seed: int) -> Table:
    """Train every program in full with stable-baselines3, one process per core."""
    from reward_synth.evaluation import Layout, Legs, Trained, TrainerChoice, WorkerPool
    from reward_synth.reward import read_program
    from sandbox.messages import Member

    choice = TrainerChoice("sb3")
    members = {
        f"m{k}": Member(name=f"m{k}", program=read_program(file), seed=seed)
        for k, file in enumerate(files)
    }
    with WorkerPool(task.folder, cores(), kinds=choice.worker_kinds) as pool:
        pool.warm()
        layout = Layout(cores(), cores(), 1)
        with Legs(task, pool, layout, steps=steps, choice=choice) as legs:
            outcomes = legs.advance(list(members.values()), steps, episodes=EPISODES)
    table: Table = {}
    for name, file in zip(members, files, strict=True):
        outcome = outcomes[name]
        if isinstance(outcome, Trained):
            score = outcome.score
            assert score.fitness is not None and score.low is not None and score.high is not None
            table[file.stem] = Standing(score.fitness, score.low, score.high, steps)
        else:
            say(f"{task.name}: {file.stem} did not train with SB3: {outcome.message}")
    return table


def peers_speed(task_name: str, count: int, seconds: float) -> float:
    """Steps per second of all processes together."""
    team = Team([partial(peer, task_name, index) for index in range(count)])
    try:
        return team.speed(seconds)
    finally:
        team.close()


def peer(task_name: str, index: int) -> Runner:
    """One candidate's own process."""
    environment = rewarded_simulator(task_name, index, DEFAULT_ENVIRONMENTS)
    return learning(default_ppo(environment, index, n_steps=PEERS_ROLLOUT))


# --- what comes of it ----------------------------------------------------------------------------


def report(name: str, result: Mapping[str, Any]) -> None:
    """The times, and every program's scores."""
    seconds = result["seconds"]
    ours = (seconds[PRUNED] + seconds[AGAIN]) / 2
    reused = " (from an earlier run)" if result["sb3_reused"] else ""
    told = {
        PRUNED: f"population, pruned: {result['layout']}",
        AGAIN: "the same with another seed, measured last",
        UNPRUNED: "population, unpruned",
        SB3: f"SB3, {cores()} processes × 1 thread{reused}",
        PEERS: f"SB3 as peers start it, {len(result['sb3'])} at once: extrapolated{reused}",
    }
    print_table(
        f"{name}: {len(result['sb3'])} programs × {result['steps']:,} steps, {cores()} cores",
        ["from the list to the ranking", "seconds", "times pruned"],
        [
            [words, f"{seconds[contender]:,.0f}", f"{seconds[contender] / ours:.2f}"]
            for contender, words in told.items()
        ],
    )
    population, reference = result["population"], result["sb3"]
    print_table(
        f"{name}: fitness, and after how much of a training where it was dropped; SB3 with the "
        f"95 % interval of {len(result['sb3_by_seed'])} seeds",
        ["program", "pruned", "another seed", "unpruned", "SB3"],
        [
            [
                program,
                *(
                    standing(population[contender].get(program), result["steps"])
                    for contender in (PRUNED, AGAIN, UNPRUNED)
                ),
                interval(reference[program]),
            ]
            for program in result["ranking"][SB3]
        ],
    )
    verdict = "agree" if result["winner_agrees"] else "DO NOT AGREE"
    print(
        f"winners {' and '.join(result['winners'])}, SB3's {result['ranking'][SB3][0]}: they "
        f"{verdict}; pruning saved {result['steps_saved']:.0%} of the steps\n"
    )


def standing(row: Mapping[str, float] | None, steps: int) -> str:
    if row is None:
        return "failed"
    share = row["steps"] / steps
    return f"{row['fitness']:.3g}" + (f" at {share:.0%}" if share < 1 else "")


def interval(row: Mapping[str, float]) -> str:
    return f"{row['fitness']:.3g} ({row['low']:.3g} to {row['high']:.3g})"


if __name__ == "__main__":
    main()
