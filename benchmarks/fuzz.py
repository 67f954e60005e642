"""Does the check of reward programs hold what it promises, whatever the text?

    python benchmarks/fuzz.py [--programs N] [--seed S] [--seconds T] [--json FILE]

Programs are drawn from the grammar by hypothesis, over the variables of every task, and most are
then changed, in their tree or in their text.  Each goes through the check; each that it accepts
goes through the probe and is compared between NumPy and PyTorch, on states of the task.  What must
hold: the check never raises anything but findings, takes less than 1 s and 200 MB, and each finding
says where, what and what instead; an accepted program never fails, gives fresh columns that follow
from each state alone, leaves its inputs as they were, and reads no name that it was not told of.

What does not hold is counted by kind, made as short as it goes, and written to the JSON file.
"""

import ast
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.contract import Ground, Outcome, examine
from benchmarks.fuzzing.expressions import Choices
from benchmarks.fuzzing.mutations import mutate
from benchmarks.fuzzing.programs import write_program
from benchmarks.fuzzing.reduction import reduce_program
from benchmarks.measure import machine, options, print_table, read_options, write_json

PROGRAMS = 100_000
QUICK = 2_000
SLICE = 500
"""Programs that hypothesis draws before it begins anew: it remembers all of them."""
MUTATIONS = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
"""How often a program is changed; each as likely as the next."""
DONORS = 60
"""Programs of each task, pieces of which get into others."""
CODE = re.compile(r"[a-z]{2,}(-[a-z]+)*")
RUNTIME_CODES = frozenset({"raised"})
"""Codes of findings that no check gives."""


@dataclass
class Tally:
    """What was seen."""

    programs: int = 0
    accepted: int = 0
    compared: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Programs by the codes of their findings."""
    warned: Counter[str] = field(default_factory=Counter)
    finds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each kind of find: task, program, detail."""
    functions: Counter[str] = field(default_factory=Counter)
    """Accepted programs by the functions that they call."""

    def add(self, source: str, task: str, outcome: Outcome) -> None:
        self.programs += 1
        self.accepted += outcome.accepted
        self.compared += outcome.compared
        self.refused.update(set(outcome.codes))
        self.warned.update(set(outcome.warned))
        self.functions.update(outcome.functions)
        self.finds.update({find.kind for find in outcome.finds})
        for find in outcome.finds:
            shortest = self.examples.get(find.kind)
            if shortest is None or len(source) < len(shortest["program"]):
                self.examples[find.kind] = {
                    "task": task,
                    "program": source,
                    "detail": find.detail[:500],
                }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.epilog = "example: python benchmarks/fuzz.py --programs 5000 --seed 7 --json found.json"
    parser.add_argument("--programs", type=int, metavar="N", help=f"{PROGRAMS:,} if not given")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all that is drawn")
    parser.add_argument("--seconds", type=float, metavar="T", help="stop after so long")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="all built-in ones if not given")
    given_options = read_options(parser, arguments)
    count = given_options.programs or (QUICK if given_options.quick else PROGRAMS)
    grounds = [ground_of(name) for name in given_options.tasks or all_tasks()]
    begun, spent = time.perf_counter(), time.process_time()
    tally = fuzz(grounds, count, given_options.seed, given_options.seconds)
    seconds, processor = time.perf_counter() - begun, time.process_time() - spent
    reduce_all(tally, grounds)
    show(tally, seconds, processor)
    if given_options.json is not None:
        found = {"seed": given_options.seed, "seconds": seconds, "processor_seconds": processor}
        write_json(given_options.json, found | document(tally))
    if tally.finds:
        sys.exit(1)


# --- where programs are looked at


def all_tasks() -> list[str]:
    return sorted(path.parent.name for path in Path("tasks").glob("*/task.py"))


def ground_of(name: str) -> Ground:
    """A task's variables, and the states on which the probe would judge."""
    from reward_synth.simulation import task_spec
    from reward_synth.simulation.mujoco_cpu import MujocoSimulator
    from reward_synth.task import load_task
    from sandbox.probe import ENVIRONMENTS, collect_rows

    task = load_task(name)
    simulator = MujocoSimulator(task, ENVIRONMENTS)
    sizes = task_spec(task).readable
    rows = collect_rows(simulator, [*sizes, *(f"prev_{name}" for name in sizes)], 0)
    simulator.close()
    return Ground(name, sizes, rows)


# --- drawing, and looking


def fuzz(
    grounds: Sequence[Ground], count: int, first_seed: int = 0, seconds: float | None = None
) -> Tally:
    """Examine ``count`` programs, or as many as there is time for."""
    import torch

    torch.set_num_threads(1)
    tally = Tally()
    random = Random(first_seed)
    donors = {
        ground.task: [write_program(Choices(random), ground.sizes) for _ in range(DONORS)]
        for ground in grounds
    }
    begun = time.monotonic()
    part = told = 0
    while tally.programs < count and (seconds is None or time.monotonic() - begun < seconds):
        size = min(SLICE, count - tally.programs)
        fuzz_slice(tally, grounds, donors, size, f"{first_seed} {part}")
        part += 1
        for kind in list(tally.finds)[told:]:
            example = tally.examples[kind]
            print(f"{kind} ({example['task']})\n{example['program']}", file=sys.stderr)
        told = len(tally.finds)
        tell(tally, count, time.monotonic() - begun)
    return tally


def fuzz_slice(
    tally: Tally,
    grounds: Sequence[Ground],
    donors: Mapping[str, Sequence[str]],
    count: int,
    first_seed: str,
) -> None:
    @seed(first_seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
    )
    @given(st.randoms(use_true_random=True))
    def each(random: Random) -> None:
        choices = Choices(random)
        ground = choices.pick(grounds)
        source = write_program(choices, ground.sizes)
        for _ in range(choices.pick(MUTATIONS)):
            source = mutate(source, choices.pick(donors[ground.task]), choices)
        tally.add(source, ground.task, examine(source, ground))

    each()


def tell(tally: Tally, count: int, seconds: float) -> None:
    line = (
        f"{tally.programs:,}/{count:,} programs, {tally.accepted / tally.programs:.0%} accepted, "
        f"{tally.programs / seconds:.0f}/s, {len(tally.finds)} kinds of finds"
    )
    print(line, file=sys.stderr, flush=True)


def reduce_all(tally: Tally, grounds: Sequence[Ground]) -> None:
    """Make the example of each kind as short as it goes."""
    by_task = {ground.task: ground for ground in grounds}
    for kind, example in tally.examples.items():
        ground = by_task[example["task"]]

        def shows(source: str, kind: str = kind, ground: Ground = ground) -> bool:
            return any(find.kind == kind for find in examine(source, ground).finds)

        example["program"] = reduce_program(example["program"], shows)


# --- what was seen


def known_codes() -> set[str]:
    """The codes of all findings that the check can give, as its source spells them."""
    from reward_synth import reward
    from reward_synth.reward.advice import STATEMENTS

    codes = {code for name, (code, _, _) in STATEMENTS.items() if hasattr(ast, name)}
    for file in Path(reward.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).split(".")[-1]
                if called in ("refuse", "Refused", "TooMuchWork", "Finding"):
                    texts = (str(a.value) for a in node.args[:3] if isinstance(a, ast.Constant))
                    codes |= {text for text in texts if CODE.fullmatch(text)}
    return codes - RUNTIME_CODES


def known_functions() -> set[str]:
    from reward_synth.reward.vocabulary import HELPER_FUNCTIONS, XP_FUNCTIONS

    return {*HELPER_FUNCTIONS, *(path.split(".")[-1] for path in XP_FUNCTIONS)}


def document(tally: Tally) -> dict[str, Any]:
    return {
        "programs": tally.programs,
        "accepted": tally.accepted,
        "refused": tally.programs - tally.accepted,
        "compared": tally.compared,
        "refused_by_code": dict(tally.refused.most_common()),
        "codes_never_seen": sorted(known_codes() - set(tally.refused)),
        "functions_never_called": sorted(known_functions() - set(tally.functions)),
        "probe": dict(tally.warned.most_common()),
        "finds": [
            {"kind": kind, "count": number, **tally.examples[kind]}
            for kind, number in tally.finds.most_common()
        ],
        "machine": machine(("numpy", "torch", "hypothesis")),
    }


def show(tally: Tally, seconds: float, processor: float) -> None:
    codes, functions = known_codes(), known_functions()
    seen, called = codes & set(tally.refused), functions & set(tally.functions)
    share: Mapping[str, str] = {
        "programs": f"{tally.programs:,} in {seconds:,.0f} s, {processor:,.0f} s of a core",
        "accepted": f"{tally.accepted:,} ({tally.accepted / max(tally.programs, 1):.0%})",
        "compared between namespaces and rows": f"{tally.compared:,}",
        "codes of findings seen": f"{len(seen)} of {len(codes)}",
        "functions called": f"{len(called)} of {len(functions)}",
        "finds": f"{sum(tally.finds.values()):,} of {len(tally.finds)} kinds",
    }
    print_table("Fuzzing the check", ["what", "seen"], [[*row] for row in share.items()])
    for kind, number in tally.finds.most_common():
        example = tally.examples[kind]
        print(f"\n{number} × {kind} ({example['task']}): {example['detail']}")
        print(example["program"])


if __name__ == "__main__":
    main()
