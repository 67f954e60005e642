"""A search replayed from its recording is the same to the last bit, whatever its strategy asks."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth.errors import LimitError
from reward_synth.search import RunConfig
from reward_synth.store import NewCandidate, Store
from reward_synth.store.schema import Run
from reward_synth.task import load_task
from tests.report.recorded_run import Recorder, result
from tests.search.small_searches import answer, outcome, resume, search, upright
from tests.servers import CompletionServer, Fault

CROUCH = answer("def compute_reward(pole_up):\n    return -pole_up, {'down': -pole_up}")
DESIGNS = [
    *(upright(1.0), upright(2.0).replace("pole_up)", "pole_upp)", 1), upright(3.0)),
    *(upright(4.0), CROUCH, upright(5.0), upright(6.0), upright(7.0), upright(8.0)),
]


def recorded(server: CompletionServer, runs_dir: Path, **changes: Any) -> Run:
    """A search of which ``runs_dir/run.jsonl`` is made."""
    record = str(runs_dir / "run.jsonl")
    return search(runs_dir, base_url=server.base_url, record=record, **changes)


def replayed(runs_dir: Path, **changes: Any) -> Run:
    return search(runs_dir, model=f"replay:{runs_dir / 'run.jsonl'}", **changes)


def finish_another_task(runs_dir: Path) -> None:
    """A finished search, whose program is an example to others."""
    task = load_task("reacher-reach")
    with Store.open(runs_dir) as store:
        run_id = store.create_run("search", task, RunConfig(task=str(task.folder), model="offline"))
        (found,) = store.record_proposals(run_id, 0, [NewCandidate(0, "# Reach.\n", "model")])
        store.set_gate_verdict(found, "accepted")
        Recorder(store, runs_dir).evaluate(store.candidates(run_id)[0], 0.5)
        store.finish_run(run_id, {**result(), "winner": 0})


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (
            {"strategy": "text2reward", "say": ["Nearer to the middle."], "samples": 2},
            ["# Reach.", "> Nearer to the middle."],
        ),
        (
            {"strategy": "card"},
            ["A good and a bad recorded episode", "recorded episodes more in only"],
        ),
        (
            {"strategy": "islands", "samples": 4, "seed": 1},
            ["change **one** component", "Join the two"],
        ),
    ],
    ids=["text2reward", "card", "islands"],
)
def test_all_that_is_asked_and_found(tmp_path: Path, settings: dict[str, Any], shown: list[str]):
    finish_another_task(tmp_path)
    with CompletionServer(DESIGNS) as server:
        live = recorded(server, tmp_path, **settings)
    prompts = "\n".join(m["content"] for r in server.requests for m in r["messages"])
    for part in shown:
        assert part in prompts
    assert outcome(tmp_path, replayed(tmp_path, **settings)) == outcome(tmp_path, live)


class Roles(CompletionServer):
    """A designer, a critic and an analyser, who never say the same twice.  The server fails when it
    is first asked for the second review, and for the second generation; the first analysis and one
    review are empty at first."""

    def __init__(self, designs: list[str]) -> None:
        super().__init__(designs, faults=self.trouble())
        self.asked: Counter[str] = Counter()

    def trouble(self) -> Iterator[Fault | None]:
        failed: set[str] = set()
        while True:
            prompt = self.requests[-1]["messages"][-1]["content"]
            part = next(filter(prompt.count, ["WEIGHT = 3.0", "Somebody who watched"]), "")
            yield None if part in {"", *failed} else "500"
            failed.add(part)

    def texts(self, request: dict[str, Any]) -> list[str]:
        prompt = request["messages"][-1]["content"]
        self.asked[prompt] += 1
        count = sum(self.asked.values())
        if prompt.startswith("You analyse"):
            return ["" if self.asked[prompt] == 1 else f"The pole hangs ({count})."]
        if not prompt.startswith("You review"):
            return super().texts(request)
        if "WEIGHT = 1.0" in prompt:
            return ["" if self.asked[prompt] == 1 else f"({count})\n\nVERDICT: accept"]
        return [f"({count})\n\nVERDICT: revise\n- bound `upright` with xp.tanh ({count})"]


def test_roles_of_a_search_that_stopped_twice(tmp_path: Path):
    """What a critic and an analyser said before a stop is not asked for, nor paid, again."""
    settings: dict[str, Any] = {"strategy": "auto-mc-reward", "samples": 2, "repairs": 1}
    with Roles([upright(1.0), *map(upright, [3.0, 2.0, 4.0, 5.0, 6.0, 7.0])]) as server:
        with pytest.raises(LimitError, match="failed 1 times"):
            recorded(server, tmp_path, max_failures=1, **settings)
        stopped = resume(tmp_path)
        assert (stopped.status, {c.generation for c in stopped.candidates}) == ("stopped", {0})
        live = resume(tmp_path)
    asked = Counter(
        prompt.split(maxsplit=2)[1] for prompt in server.asked for _ in range(server.asked[prompt])
    )
    assert (asked["review"], asked["analyse"]) == (2 + 2 + 1, 2), "one of each was empty at first"
    assert [c.status for c in live.candidates] == [
        *("scored", "refused", "scored"),
        *("refused", "refused", "scored", "scored"),
    ]
    assert live.result is not None
    assert live.result["prompt_tokens"] == server.prompt_tokens, "all are paid for"
    assert outcome(tmp_path, replayed(tmp_path, **settings)) == outcome(tmp_path, live)
