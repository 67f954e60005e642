"""Does a search lose or falsify anything, whatever happens to it?

    python benchmarks/chaos.py [--quick] [--json FILE] [--faults N] [--seed S] [--case K]

Searches of a few seconds each are disturbed, resumed until they finish, and compared with
undisturbed ones.  Faults: the orchestrator and its workers are killed, hung and interrupted, at any
moment and in the middle of writing; disks fill up; the database is locked, damaged, full; files are
damaged; two processes work in one folder; the model's server fails in every way, or answers
nonsense.  After each fault everything recorded must still be there, and every command that reads
must read or refuse in one line; at the end

- no finished training is lost, changed or made again (but those whose policy was damaged),
- every score and every policy is the undisturbed run's; where the model answered nonsense, every
  score is what rolling the stored policy out once more gives,
- no process of the run lives 5 s after it, and nothing is left behind half-written,
- the run has finished, and no command showed a traceback.

Waits are shortened (a worker counts as hung after 12 s instead of a minute), nothing else.  Full
disks need ``unshare -Urm``; without it those two kinds are left out.  The seed decides which faults
come and in what order; at which instant they strike, and so which still find something to harm,
depends on the machine too.  --case plays one case of a seed again.  Exit status 1 when something
was violated.

Example: python benchmarks/chaos.py --faults 40 --seed 3 --json chaos.json
"""

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from benchmarks.havoc.case import undisturbed
from benchmarks.havoc.faults import FAULTS, MODEL
from benchmarks.havoc.searches import SEARCHES
from benchmarks.measure import cores, machine, options, print_table, read_options, write_json

FULL, QUICK = 200, 12
"""Faults."""
AT_ONCE = 6
"""Faults of a case; one of a model's search gets as many of the model on top."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.epilog = (__doc__ or "").strip().rpartition("\n\n")[2]
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--faults", type=int, metavar="N", help=f"at least so many ({FULL})")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="decides the faults (0)")
    parser.add_argument("--case", type=int, metavar="K", help="play this case of the seed alone")
    parser.add_argument("--kind", action="append", metavar="WORD", help="only faults so named")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="J", help="cases at once")
    given = read_options(parser, arguments)
    wanted = given.faults or (QUICK if given.quick else FULL)
    kinds = [k for k in (*FAULTS, *MODEL) if any(w in k for w in given.kind or [""])]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        played = play(Path(folder), given.seed, wanted, kinds, given.jobs, given.case)
    counts = Counter(kind for case in played for kind in case["played"])
    violations = [
        {"seed": given.seed, "case": case["case"], "search": case["search"], **violation}
        for case in played
        for violation in case["violations"]
    ]
    print_table("faults", ("kind", "times"), [(k, str(n)) for k, n in sorted(counts.items())])
    for violation in violations:
        print(json.dumps(violation))
    print(f"{counts.total()} faults in {len(played)} searches: {len(violations)} violations")
    if given.json is not None:
        document = {
            "faults": counts.total(),
            "kinds": dict(sorted(counts.items())),
            "searches": len(played),
            "violations": violations,
            "seed": given.seed,
            "seconds": round(time.monotonic() - begun),
            "machine": machine(),
        }
        write_json(given.json, document)
    sys.exit(1 if violations else 0)


def play(
    work: Path, seed: int, wanted: int, kinds: Sequence[str], jobs: int, only: int | None
) -> list[dict[str, Any]]:
    """Play cases until enough faults have struck."""
    small_disks = can_have_small_disks()
    schedule = cases(seed, kinds)
    chosen = schedule if only is None else itertools.islice(schedule, only, only + 1)
    references: dict[str, dict[str, Any]] = {}
    done: list[dict[str, Any]] = []
    running: set[Future[dict[str, Any]]] = set()
    with ThreadPoolExecutor(jobs) as executor:
        while True:
            while len(running) < jobs and sum(len(c["played"]) for c in done) < wanted:
                spec = next(chosen, None)
                if spec is None:
                    break
                if spec["search"] not in references:
                    say(f"{spec['search']}: the undisturbed search")
                    folder = work / spec["search"]
                    folder.mkdir()
                    references[spec["search"]] = undisturbed(SEARCHES[spec["search"]], folder)
                spec |= {"small_disks": small_disks, "reference": references[spec["search"]]}
                running.add(executor.submit(case, spec, work))
            if not running:
                return sorted(done, key=lambda case: case["case"])
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                found = future.result()
                done.append(found)
                total = sum(len(c["played"]) for c in done)
                say(
                    f"case {found['case']} ({found['search']}): {', '.join(found['played'])};"
                    f" {len(found['violations'])} violations; {total} of {wanted} faults"
                )


def cases(seed: int, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Without end: which faults befall which search.  All kinds come before any comes again."""
    of_the_model = turns(seed, [kind for kind in kinds if kind in MODEL])
    others = turns(seed, [kind for kind in kinds if kind not in MODEL])
    names = list(SEARCHES)
    if all(kind in MODEL for kind in kinds):
        names = ["model"]
    for number in itertools.count():
        name = names[number % len(names)]
        chosen = [*itertools.islice(others, AT_ONCE)]
        if SEARCHES[name].of_a_model:
            chosen = [*itertools.islice(of_the_model, AT_ONCE), *chosen[: AT_ONCE // 2]]
        yield {"case": number, "search": name, "kinds": chosen, "seed": f"{seed}/{number}"}


def turns(seed: int, kinds: Sequence[str]) -> Iterator[str]:
    rng = random.Random(seed)
    while kinds:
        yield from rng.sample(kinds, len(kinds))


def case(spec: dict[str, Any], work: Path) -> dict[str, Any]:
    """One case in a process of its own, on small disks of its own where that can be had."""
    folder = Path(tempfile.mkdtemp(prefix="case-", dir=work))
    command = [sys.executable, "-m", "benchmarks.havoc.case", str(folder)]
    if spec["small_disks"]:
        command = ["unshare", "-Urm", *command]
    done = subprocess.run(
        command,
        input=json.dumps(spec),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = {"played": [], "violations": []}
    if done.returncode == 0:
        found = json.loads(done.stdout)
    else:
        broken = f"the case itself ended with {done.returncode}, see above"
        found["violations"].append({"invariant": "not checked", "after": "", "detail": broken})
    return {"case": spec["case"], "search": spec["search"], **found}


def can_have_small_disks() -> bool:
    """Whether a file system in memory can be mounted here without being root."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["unshare", "-Urm", "mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
        try:
            return subprocess.run(mount, capture_output=True).returncode == 0
        except OSError:
            return False


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
