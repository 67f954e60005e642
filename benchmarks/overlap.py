"""How much sooner is a search over that asks for the next generation while this one trains?

    python benchmarks/overlap.py [--quick] [--latency 40] [--json FILE]

The same search with strict generations and with ``--overlap``, taking turns.  The model is a server
on the loopback interface that answers with the reward programs of ``benchmarks/programs``, each
answer after a fixed latency, as large models have.  The two searches do not train the same parents:
what is compared is wall-clock for as many candidates.
"""

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    Spread,
    alternate,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)
from benchmarks.physics import programs_of
from reward_synth import api
from reward_synth.search import RunConfig
from tests.servers import CompletionServer

TASK = "cheetah-run"
SAMPLES, ITERATIONS = 6, 3
FULL = 3
"""Rounds."""
QUICK = 1
STRICT, AHEAD = "strict generations", "--overlap"


class LateServer(CompletionServer):
    """Answers as late as a large model does."""

    def __init__(self, completions: Sequence[str], latency: float) -> None:
        super().__init__(completions)
        self.latency = latency

    def texts(self, request: dict[str, Any]) -> list[str]:
        time.sleep(self.latency)
        return super().texts(request)


def answers() -> list[str]:
    """Programs as a model would write them."""
    sources = [path.read_text() for path in programs_of(TASK)]
    return [f"This should work.\n\n```python\n{source}```" for source in sources]


def search(overlap: bool, latency: float) -> float:
    """Seconds of one search."""
    with LateServer(answers(), latency) as server, tempfile.TemporaryDirectory() as folder:
        config = RunConfig(
            task=TASK,
            models=("late",),
            base_url=server.base_url,
            samples=SAMPLES,
            iterations=ITERATIONS,
            overlap=overlap,
            finalists=0,
        )
        begun = time.monotonic()
        api.search(config, runs_dir=Path(folder))
        return time.monotonic() - begun


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--latency", type=float, default=40.0, metavar="S", help="of each answer")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns that each takes")
    given = read_options(parser, arguments)
    rounds = given.rounds or (QUICK if given.quick else FULL)
    seconds = alternate(
        {
            STRICT: partial(search, False, given.latency),
            AHEAD: partial(search, True, given.latency),
        },
        rounds,
    )
    faster = ratio(seconds[STRICT], seconds[AHEAD])
    rows = [[name, spelt(Spread.of(values), 0)] for name, values in seconds.items()]
    print_table(
        f"{TASK}, {SAMPLES} samples, {ITERATIONS} generations, {given.latency:g} s an answer",
        ["", "seconds"],
        rows,
    )
    print(f"strict generations take {spelt(faster)} times as long")
    if given.json is not None:
        facts = {"machine": machine(), "seconds": seconds, "latency": given.latency}
        write_json(given.json, facts)


if __name__ == "__main__":
    main()
