"""Faults of the model's server, in whole searches through both clients, and limits as the server
sees them: the same comes of a search, later, and nothing is asked for after a limit."""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reward_synth.errors import LimitError
from reward_synth.llm.faults import Patience
from reward_synth.search import roles
from reward_synth.store.schema import Run
from tests.search.small_searches import answer, outcome, read, resume, search, upright
from tests.servers import ODD, Answer, CompletionServer, Fault, Recording

CLIENTS = {"eureka": "openai", "card": "litellm"}
FAULTS: list[Fault] = ["later", "500", "cut", "slow"]
"""A 429 with ``Retry-After: 1``, a 500, a body cut half way, and an answer that is too late."""
HANG = answer("def compute_reward(pole_up):\n    return -pole_up, {'down': -pole_up}")
"""Passes the gate; pays worse episodes more, which CARD's check sees."""


def right(weight: float) -> Recording:
    return Recording(name=str(weight), text=upright(weight), expect="ok")


def misspelt(weight: float) -> str:
    return upright(weight).replace("pole_up)", "pole_upp)", 1)


def wrong(text: str, weight: float) -> Recording:
    """An answer that is of no use, and its repair."""
    repaired = Answer(text=upright(weight), expect="ok")
    return Recording(name=f"{weight} at last", text=text, expect="refused", repairs=[repaired])


ANSWERS = [
    *(right(1.0), wrong(misspelt(2.0), 2.0), right(3.0)),
    *(right(4.0), wrong(HANG, 5.0), right(6.0)),
]


class Searched(NamedTuple):
    """A search and where it lies."""

    runs_dir: Path
    run: Run
    server: CompletionServer


def searched(
    strategy: str,
    runs_dir: Path,
    patch: pytest.MonkeyPatch,
    *,
    answers: Sequence[Recording] = ANSWERS,
    faults: Sequence[Fault] = (),
) -> Searched:
    """A search during which each request meets all ``faults`` before it is answered."""
    patch.setattr(roles, "Patience", partial(Patience, first_wait=0.01, timeout=1.5))
    played: list[Fault | None] = [*faults, None]
    with CompletionServer(answers, faults=itertools.cycle(played), remember=True) as server:
        base_url: str | None = server.base_url
        if CLIENTS[strategy] == "litellm":
            patch.setenv("OPENAI_API_KEY", "sk-none")
            patch.setenv("OPENAI_API_BASE", server.base_url)
            base_url = None
        run = search(runs_dir, strategy=strategy, base_url=base_url)
    return Searched(runs_dir, run, server)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, Searched]:
    """By strategy, what comes of a search without any fault."""
    found = {}
    for strategy in CLIENTS:
        with pytest.MonkeyPatch.context() as patch:
            found[strategy] = searched(strategy, tmp_path_factory.mktemp(strategy), patch)
    return found


@pytest.mark.parametrize("strategy", CLIENTS)
def test_a_search_comes_out_the_same_though_every_request_fails_in_every_way(
    undisturbed, strategy: str, tmp_path: Path, monkeypatch
):
    expected = undisturbed[strategy]
    refused = [c.findings[0]["code"] for c in expected.run.candidates if c.status == "refused"]
    assert refused == ["unknown-name", "preference"][: 2 if strategy == "card" else 1]
    requests = 2 + len(refused)
    assert len(expected.server.requests) == requests, "one for a generation, one for a repair"

    disturbed = searched(strategy, tmp_path, monkeypatch, faults=FAULTS)
    assert len(disturbed.server.requests) >= requests * (1 + len(FAULTS))
    assert outcome(tmp_path, disturbed.run) == outcome(expected.runs_dir, expected.run)


@pytest.mark.parametrize("strategy", CLIENTS)
def test_answers_without_a_program_cost_a_repair_each_and_nothing_else(
    undisturbed, strategy: str, tmp_path: Path, monkeypatch
):
    """The repairs are what would have been the answers."""
    odd = [wrong(ODD["empty"], 1.0), ANSWERS[1], wrong(ODD["refusal"], 3.0)]
    found = searched(strategy, tmp_path, monkeypatch, answers=[*odd, *ANSWERS[3:]])
    expected = undisturbed[strategy]
    assert found.run.result is not None and expected.run.result is not None
    assert found.run.result["refused"] == expected.run.result["refused"] + 2
    assert fruits(found.runs_dir, found.run) == fruits(expected.runs_dir, expected.run)


def fruits(runs_dir: Path, run: Run) -> dict[str, object]:
    """What a search has to show, candidates by their places: numbers count refused ones, too."""
    assert run.result is not None
    [winner] = [c for c in run.candidates if c.number == run.result["winner"]]
    return {
        "candidates": {
            (c.generation, c.slot): (
                *(c.source, c.status),
                [(e.seed, e.score, e.policy_sha256) for e in c.evaluations],
            )
            for c in run.candidates  # by number: repairs last
        },
        "winner": (winner.generation, winner.slot, run.result["fitness"]),
        "reward.py": (runs_dir / run.id / "best" / "reward.py").read_bytes(),
    }


class OneByOne(CompletionServer):
    """Gives the first generation's completions in a request each."""

    def texts(self, request: dict[str, Any]) -> list[str]:
        begun = any(message["role"] == "assistant" for message in request["messages"])
        return super().texts(request if begun else {**request, "n": 1})


def test_a_server_that_is_down_for_long_costs_no_sample(undisturbed, tmp_path: Path):
    """It fails for good when two of three samples are there; the run stops, and when it goes on
    asks for the third."""
    recording = tmp_path / "run.jsonl"
    down: list[Fault | None] = [None, None, "500", "500"]
    with OneByOne(ANSWERS, faults=down) as server:
        limits = {"base_url": server.base_url, "max_failures": 1, "record": str(recording)}
        with pytest.raises(LimitError, match="failed 1 times"):
            search(tmp_path / "live", strategy="eureka", **limits)
        stopped = read(tmp_path / "live")
        assert [(c.slot, c.status) for c in stopped.candidates] == [
            (0, "proposed"),
            (1, "proposed"),
        ]
        run = resume(tmp_path / "live")
    expected = undisturbed["eureka"]
    assert fruits(tmp_path / "live", run) == fruits(expected.runs_dir, expected.run)

    replayed = search(tmp_path / "replayed", strategy="eureka", model=f"replay:{recording}")
    assert outcome(tmp_path / "replayed", replayed) == outcome(tmp_path / "live", run)


class Wordy(CompletionServer):
    """Writes misspelt programs and long reasons; has nothing against a program that it reviews."""

    def __init__(self, spell: Callable[[float], str], *, single_only: bool) -> None:
        answers = ["I have thought about this. " * 250 + spell(float(k)) for k in range(8)]
        super().__init__(answers, single_only=single_only)

    def texts(self, request: dict[str, Any]) -> list[str]:
        reviews = request["messages"][-1]["content"].startswith("You review")
        return ["VERDICT: accept"] if reviews else super().texts(request)


@pytest.mark.parametrize("limit", ["max_tokens", "max_cost"])
@pytest.mark.parametrize(
    ("strategy", "single_only", "spell", "more"),
    [
        ("eureka", False, misspelt, 10.0),
        ("eureka", True, misspelt, 10.0),
        ("auto-mc-reward", False, upright, 2.0),
    ],
    ids=["repairs", "repairs of single samples", "reviews"],
)
def test_the_last_request_alone_passes_a_limit(
    tmp_path: Path,
    strategy: str,
    single_only: bool,
    spell: Callable[[float], str],
    more: float,
    limit: str,
):
    """Eight samples, in one request or in eight, and after them repairs or a critic's reviews side
    by side, of which the limit leaves room for some: as much as so many first prompts take."""
    # Of openai/gpt-4o, in dollars.
    prices = (1.0, 1.0) if limit == "max_tokens" else (2.5e-6, 1e-5)

    def asked(folder: str, most: float) -> list[tuple[float, float]]:
        """What the prompts and the answers of all requests took, in the order they came in."""
        with Wordy(spell, single_only=single_only) as server:
            settings = {"base_url": server.base_url, "samples": 8, limit: most}
            with pytest.raises(LimitError, match=rf"--{limit.replace('_', '-')} .* is reached"):
                search(tmp_path / folder, strategy=strategy, **settings)
        return [(prompt * prices[0], said * prices[1]) for prompt, said in server.billed]

    [first] = asked("one", 1 if limit == "max_tokens" else 1e-9)
    proposals = 8 if single_only else 1
    allowed = proposals * sum(first) + more * first[0]
    if limit == "max_tokens":
        allowed = int(allowed)
    took = [sum(request) for request in asked("some", allowed)]
    assert len(took) > proposals + 1
    assert sum(took[:-1]) < allowed <= sum(took)
