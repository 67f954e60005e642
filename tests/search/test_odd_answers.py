"""Answers without a program, over real HTTP: each goes back with what is wrong, and is repaired."""

from pathlib import Path

import pytest

from reward_synth import api
from reward_synth.search import RunConfig
from reward_synth.search.prompts import LONGEST_ANSWER, bounded
from reward_synth.store import Store
from tests.servers import BLOCKS, ODD, PROGRAM, CompletionServer

PROSE = ODD["prose"]


def test_a_run_survives_them_and_a_repair_prompt_stays_short(tmp_path: Path):
    assert len(PROSE) > 200_000
    with CompletionServer([*ODD.values(), BLOCKS, BLOCKS, BLOCKS]) as server:
        config = RunConfig(
            task="cartpole-swingup",
            model="test",
            base_url=server.base_url,
            samples=len(ODD),
            iterations=1,
            steps=1024,
            finalists=0,
            evaluation_episodes=2,
            workers=1,
        )
        result = api.search(config, runs_dir=tmp_path).result
    assert (result["candidates"], result["refused"], result["repaired"]) == (7, 3, 3)
    with Store.open(tmp_path) as store:
        candidates = store.candidates(store.list_runs()[0].id)
    first = dict(zip(ODD, candidates, strict=False))
    assert first["blocks"].source == f"SCALE = 2.0\n\n\n{PROGRAM}"
    for name in ("empty", "prose", "refusal"):
        assert "the answer held no program" in first[name].reason
    assert all(candidate.source == first["blocks"].source for candidate in candidates[4:])
    prompts = ["".join(m["content"] for m in request["messages"]) for request in server.requests]
    assert max(map(len, prompts)) < len(prompts[0]) + LONGEST_ANSWER + 2000
    assert any(ODD["refusal"] in prompt for prompt in prompts[1:])


@pytest.mark.parametrize(
    ("answer", "back"),
    [
        (BLOCKS, BLOCKS),
        (PROSE, PROSE[:LONGEST_ANSWER] + "…"),
        (PROSE + BLOCKS, f"```python\nSCALE = 2.0\n\n\n{PROGRAM}```"),
    ],
)
def test_what_goes_back_of_an_answer_without_end(answer: str, back: str):
    assert bounded(answer) == back
