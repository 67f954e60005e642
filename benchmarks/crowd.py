"""Is everything still quick with thousands of candidates in the database?

    python benchmarks/crowd.py [--quick] [--json FILE]

Makes a runs folder of 10,000 candidates in 200 runs, one of them with 2,400, and measures the
commands that read it as whole processes, the pages of the web application as a browser asks for
them, and how much memory the application takes after its first and its last request.  Beside each
time stands the processor's, which others on the machine disturb less.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from benchmarks.crowded import fill
from benchmarks.measure import (
    Spread,
    machine,
    options,
    print_table,
    read_options,
    spelt,
    write_json,
)
from reward_synth.store import Store
from reward_synth.store.overview import overviews

PACKAGES = ("sqlalchemy", "fastapi", "uvicorn", "jinja2")
ROUNDS, REQUESTS = 5, 3_000
"""Times that a command and a page are measured, and requests for the memory."""
QUICK_ROUNDS, QUICK_REQUESTS = 2, 30
COMMAND_LIMIT, PAGE_LIMIT = 1.0, 0.3
"""Seconds that each is to stay under."""
TICKS = os.sysconf("SC_CLK_TCK")
INSTALLED = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, not for each command, as those of an installed package are."""


@dataclass(frozen=True)
class Took:
    """Seconds of some repetitions."""

    wall: Spread
    processor: Spread


def repeated(rounds: int, once: Callable[[], tuple[float, float]]) -> Took:
    """``once`` gives seconds of wall-clock and of the processor."""
    measured = [once() for _ in range(rounds)]
    return Took(Spread.of([w for w, _ in measured]), Spread.of([p for _, p in measured]))


def command(runs_dir: Path, *words: str) -> tuple[float, float]:
    """One command as a whole process, with its imports."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "reward_synth.cli", *words, "--runs-dir", str(runs_dir)],
        stdout=subprocess.DEVNULL,
        env=INSTALLED,
        check=True,
    )
    after = os.times()
    spent = after.children_user - before.children_user
    return time.perf_counter() - begun, spent + after.children_system - before.children_system


class Application:
    """The dashboard as a process, and a browser that came in."""

    def __init__(self, runs_dir: Path) -> None:
        python = [sys.executable, "-u", "-m", "reward_synth.cli"]
        words = ["dashboard", "--port", "0", "--no-open", "--runs-dir", str(runs_dir)]
        self.process = subprocess.Popen(
            [*python, *words], env=INSTALLED, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        link = next(line.strip() for line in self.process.stdout if line.startswith("http"))
        self.browser = httpx.Client(base_url=link.partition("/enter")[0], timeout=60.0)
        self.browser.get(link)

    def __enter__(self) -> "Application":
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()
        self.process.terminate()
        self.process.wait()

    def page(self, address: str) -> tuple[float, float]:
        """One page, as the browser waits for it and as the server works for it."""
        before, begun = self.seconds(), time.perf_counter()
        self.browser.get(address).raise_for_status()
        return time.perf_counter() - begun, self.seconds() - before

    def seconds(self) -> float:
        """Of the processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / TICKS

    def megabytes(self) -> float:
        """Of memory just now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def commands(large: str, other: str) -> dict[str, list[str]]:
    return {
        "runs": ["runs"],
        "show, the largest run": ["show", large],
        "show --json, the largest run": ["show", large, "--json"],
        "show, another run": ["show", other],
        "compare of two": ["compare", large, other],
        "compare --task, all that finished": ["compare", "--task", "hopper-forward"],
    }


def pages(large: str, other: str, winner: int) -> dict[str, str]:
    chosen = urlencode({"run": [large, other]}, doseq=True)
    return {
        "list of runs": "/",
        "runs that are looked for": "/?text=gpt&task=hopper-forward&status=finished",
        "the largest run": f"/runs/{large}",
        "its refused ones, best first": f"/runs/{large}?status=refused&by=fitness",
        "its last page": f"/runs/{large}?page=48",
        "another run": f"/runs/{other}",
        "candidate with its prompt": f"/runs/{large}/candidates/{winner}",
        "comparison of two": f"/compare?{chosen}",
        "what is new, of a run over": f"/runs/{large}/live",
        "feedback on the largest run": f"/runs/{large}/feedback",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--candidates", type=int, default=10_000, metavar="N")
    parser.add_argument("--runs", type=int, default=200, metavar="N")
    parser.add_argument("--large", type=int, default=2_400, metavar="N", help="of the largest run")
    given = read_options(parser, arguments)
    rounds, requests = (QUICK_ROUNDS, QUICK_REQUESTS) if given.quick else (ROUNDS, REQUESTS)
    with ExitStack() as stack:
        runs_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        begun = time.perf_counter()
        large = fill(runs_dir, candidates=given.candidates, runs=given.runs, large=given.large)
        print(f"filled in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
        with Store.open(runs_dir) as store:
            (whole,) = overviews(store, ids=[large])
            others = overviews(store, task="hopper-forward", status="finished")
        other = next(run.id for run in others if run.id != large and run.kind == "search")
        winner = int(whole.result["winner"])
        told: dict[str, Took] = {}
        for name, words in commands(large, other).items():
            command(runs_dir, *words)  # so that its modules are compiled, and read once
            told[name] = repeated(rounds, lambda words=words: command(runs_dir, *words))
        application = stack.enter_context(Application(runs_dir))
        shown: dict[str, Took] = {}
        addresses = pages(large, other, winner)
        for name, address in addresses.items():
            application.page(address)  # templates and imports are read once
            shown[name] = repeated(rounds, lambda address=address: application.page(address))
        memory = grown(application, list(addresses.values()), requests)
    print_took("Commands, whole processes", told, COMMAND_LIMIT)
    print_took("Pages", shown, PAGE_LIMIT)
    print_table(
        "Memory of the web application",
        ["after", "MB"],
        [[f"{count:,} more requests", f"{megabytes:,.0f}"] for count, megabytes in memory.items()],
    )
    if given.json is not None:
        document = {
            "machine": machine(PACKAGES),
            "candidates": given.candidates,
            "commands": {name: asdict(took) for name, took in told.items()},
            "pages": {name: asdict(took) for name, took in shown.items()},
            "memory_mb": memory,
        }
        write_json(given.json, document)


def grown(application: Application, addresses: Sequence[str], requests: int) -> dict[int, float]:
    """Memory as requests go on, by how many there were."""
    memory = {0: application.megabytes()}
    for count in range(1, requests + 1):
        application.page(addresses[count % len(addresses)])
        if count % max(1, requests // 3) == 0:
            memory[count] = application.megabytes()
    return memory


def print_took(title: str, took: Mapping[str, Took], limit: float) -> None:
    rows: list[list[Any]] = [
        [
            name,
            spelt(one.wall),
            spelt(one.processor),
            "yes" if one.wall.median < limit else "no",
        ]
        for name, one in took.items()
    ]
    headings = ["", "wall-clock, s", "processor, s", f"under {limit:g} s"]
    print_table(title, headings, rows)


if __name__ == "__main__":
    main()
