"""What the benchmarks share: the machine, taking turns, ratios, options, tables and JSON.

Speeds of a shared machine drift by tens of percent within minutes.  So contenders are measured in
turns, round after round, and compared within each round: what is reported is the median of the
rounds' ratios, with the smallest and the largest.  Whoever else computes on the machine meanwhile
is told of, because one busy core halves what two cores do, and leaves alone what one does.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

PACKAGES = ("mujoco", "numpy", "torch", "gymnasium", "stable-baselines3", "envpool", "mujoco-warp")
"""Their versions belong to any figure; those that are missing are left out."""
WIDTH_OF_A_PIPE = 120
"""Columns where no terminal tells its width; rich would take 80 and cut tables short."""


@dataclass(frozen=True)
class Spread:
    """One number for each round."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Where and when figures were measured, as JSON: processor, cores that this process may use,
    memory in GiB, system, Python, versions of those ``packages`` that are installed, and date."""
    versions: dict[str, str] = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": versions,
        "date": date.today().isoformat(),
    }


def alternate(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure the contenders in turn, ``rounds`` times; gives each one's numbers by round.

    One line on stderr tells of each measurement, and of the share of the cores that others took.
    """
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for index in range(rounds):
        for name, contender in contenders.items():
            begun, before = time.perf_counter(), _others_seconds()
            value = contender()
            measured[name].append(value)
            seconds, after = time.perf_counter() - begun, _others_seconds()
            told = f"{seconds:.1f} s"
            if before is not None and after is not None:
                share = max(0.0, after - before) / (seconds * cores())
                told += f", others took {share:.0%} of the machine"
            line = f"round {index + 1}/{rounds}  {name}: {value:,.4g} ({told})"
            print(line, file=sys.stderr, flush=True)
    return measured


def ratio(these: Sequence[float], those: Sequence[float]) -> Spread:
    """These over those, round by round."""
    return Spread.of([this / that for this, that in zip(these, those, strict=True)])


def best(measured: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    """Which of the names has the highest median."""
    return max(names, key=lambda name: statistics.median(measured[name]))


# --- options ---------------------------------------------------------------------------------


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has; ``description`` is its docstring."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there")
    return parser


def read_options(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """The options given; ends with status 2 and one line where the JSON file cannot be written,
    before hours have gone into what it should hold."""
    given = parser.parse_args(arguments)
    if given.json is not None:
        check_writable(parser.prog, given.json)
    return given


def check_writable(program: str, path: Path) -> None:
    """End with status 2 and one line if no file can be made there."""
    if path.is_dir():
        refuse(f"{program}: --json {path} is a folder; name a file")
    if not path.parent.is_dir():
        refuse(f"{program}: --json {path}: there is no folder {path.parent}; make it first")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        refuse(f"{program}: --json {path} cannot be written: {error.strerror}")


def refuse(message: str) -> NoReturn:
    """One line on stderr, and exit status 2."""
    print(message, file=sys.stderr)
    sys.exit(2)


def read_json(program: str, option: str, path: Path) -> Any:
    """What the file of an option holds; ends with status 2 and one line if that is no JSON."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        refuse(f"{program}: {option} {path} cannot be read: {error}")


# --- results ---------------------------------------------------------------------------------


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write it whole or not at all."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def console() -> Console:
    """stdout, wide enough for a table where it is a pipe."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, markup=False, width=WIDTH_OF_A_PIPE if piped else None)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def spelt(spread: Spread | None, digits: int = 2) -> str:
    """``0.81 (0.79 to 0.84)``; a dash where nothing was measured."""
    if spread is None:
        return "–"
    median, low, high = (
        f"{value:,.{digits}f}" for value in (spread.median, spread.low, spread.high)
    )
    return f"{median} ({low} to {high})"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)


def _others_seconds() -> float | None:
    """Processor time that other process trees spent on our cores since the machine's start, s;
    None where the system does not tell.  Only differences mean anything."""
    system = Path("/proc/stat")
    if not system.exists():
        return None
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    busy = 0
    for line in system.read_text().splitlines():
        name, *ticks = line.split()
        if name in ours:
            user, nice, kernel, _idle, _waiting, *interrupts = map(int, ticks[:8])
            busy += user + nice + kernel + sum(interrupts)
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before the last bracket may hold anything.
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        process = int(entry.parent.name)
        parents[process] = int(fields[1])
        # Its own time, and that of children that have ended.
        spent[process] = sum(map(int, fields[11:15]))
    own = sum(ticks for process, ticks in spent.items() if descends(process, parents))
    return (busy - own) / os.sysconf("SC_CLK_TCK")


def descends(process: int, parents: Mapping[int, int]) -> bool:
    """Whether it is this process or one that came of it."""
    while process in parents:
        if process == os.getpid():
            return True
        process = parents[process]
    return False
