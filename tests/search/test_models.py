"""Runs with several models and roles, stopped, resumed, recorded and replayed."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import LimitError, UserError
from reward_synth.llm import ChatMessage
from reward_synth.llm.replay import ReplayModel
from reward_synth.llm.spread import Spread
from reward_synth.search import RunConfig
from reward_synth.search.roles import connect_roles
from reward_synth.search.spreading import scores
from reward_synth.store import Store
from reward_synth.store.schema import Candidate, Completion, Evaluation, Run, Rung
from tests.servers import Answer, CompletionServer, Fault, Recording


def program(body: str) -> str:
    return f"So:\n\n```python\ndef compute_reward(pole_up):\n    {body}\n```"


def right(k: float) -> str:
    return program(f"return {k} * pole_up, {{'up': pole_up}}")


def wrong(name: str) -> str:
    return program(f"return {name}, {{'up': {name}}}")


RIGHT = Recording(name="right", text=right(1.0), expect="ok")
REFUSED = Recording(
    name="refused twice",
    text=wrong("speed"),
    expect="refused",
    repairs=[
        Answer(text=wrong("height"), expect="refused"),
        Answer(text=right(0.5), expect="ok"),
    ],
)
SETTINGS: dict[str, Any] = {
    "task": "cartpole-swingup",
    "samples": 4,
    "iterations": 2,
    "steps": 512,
    "finalists": 1,
    "confirmation_seeds": (100,),
    "evaluation_episodes": 2,
    "workers": 1,
}


def config(**changes: Any) -> RunConfig:
    return RunConfig.model_validate({**SETTINGS, **changes})


def read(runs_dir: Path) -> Run:
    with Store.open(runs_dir) as store:
        [listed] = store.list_runs()
        return store.get_run(listed.id)


def outcome(run: Run) -> list[object]:
    """All that a repetition must give again, prompts and tokens included."""
    assert run.result is not None
    candidates = [
        (
            *(c.number, c.generation, c.slot, c.repair, c.parents),
            *(c.source, c.status, c.reason, c.findings),
            c.completion and answer(c.completion),
            [(r.rung, r.fitness, r.kept) for r in c.rungs],
            [(e.purpose, e.seed, e.fitness, e.score) for e in c.evaluations],
        )
        for c in run.candidates
    ]
    return [*candidates, {name: run.result[name] for name in run.result if name != "seconds"}]


def author(candidate: Candidate) -> str:
    assert candidate.completion is not None
    return candidate.completion.model


def answer(completion: Completion) -> tuple[object, ...]:
    return (
        *(completion.purpose, completion.model, completion.messages, completion.text),
        *(completion.prompt_tokens, completion.completion_tokens),
        *(completion.cost, completion.seconds),
    )


def test_a_recorded_run_that_stopped_and_went_on_replays_to_the_last_bit(tmp_path: Path):
    """Two models, one of which gives one answer a request; refusals whose repairs are asked side by
    side, partly with the same prompt; and a server that fails for good half way through those."""
    recording = tmp_path / "run.jsonl"
    faults: list[Fault | None] = [None, None, "500"]
    with (
        CompletionServer([REFUSED, REFUSED, RIGHT], faults=faults) as one,
        CompletionServer([REFUSED, RIGHT], single_only=True) as other,
    ):
        models = (f"openai/gpt-4o@{one.base_url}", f"openai/gpt-4o-mini@{other.base_url}")
        live = config(models=models, record=str(recording), max_failures=1)
        with pytest.raises(LimitError, match="failed 1 times"):
            api.search(live, runs_dir=tmp_path / "live")
        run = read(tmp_path / "live")
        assert 0 < sum(c.repair for c in run.candidates) < 3, "some repairs came, and are kept"
        api.resume(run.id, runs_dir=tmp_path / "live")
    run = read(tmp_path / "live")
    authors = {(c.generation, c.slot, c.repair): author(c) for c in run.candidates}
    assert sum(repair == 2 for _, _, repair in authors) >= 3
    for (generation, slot, repair), model in authors.items():
        if repair:
            assert model == authors[generation, slot, repair - 1], "who wrote it repairs it"
    assert run.result is not None
    assert run.result["models"] == Counter(authors.values())

    # What was chosen follows from what is recorded, though the process was another one.
    generations = [[c for c in run.candidates if c.generation == g] for g in (0, 1)]
    [second, *_] = generations[1]
    assert second.completion is not None
    spread = Spread(dict.fromkeys(models, ReplayModel(recording)), live.seed)
    with spread.knowing(scores(generations[0])):
        asked = [ChatMessage.model_validate(message) for message in second.completion.messages]
        plan = spread.plan(asked, live.samples)
    assert [author(c) for c in generations[1] if c.repair == 0] == plan

    api.search(config(model=f"replay:{recording}"), runs_dir=tmp_path / "replayed")
    assert outcome(read(tmp_path / "replayed")) == outcome(run)


def test_scores_are_ranks_within_a_generation():
    def written(model: str, status: str, fitness: float | None = None, rung: float | None = None):
        candidate = Candidate(
            generation=0,
            status=status,
            completion=Completion(model=model),
            evaluations=[],
            rungs=[],
        )
        if fitness is not None:
            candidate.evaluations = [Evaluation(purpose="search", seed=0, fitness=fitness)]
        if rung is not None:
            candidate.rungs = [Rung(rung=0, fitness=rung)]
        return candidate

    tuned = written("", "scored", 100.0)
    tuned.completion = None
    assert scores(
        [
            written("a", "scored", 5.0),
            written("a", "pruned", rung=9.0),
            written("b", "scored", -3.0),
            written("b", "refused"),
            written("b", "accepted"),
            tuned,
        ]
    ) == {"a": [pytest.approx(3.5 / 4), pytest.approx(1.5 / 4)], "b": [pytest.approx(2.5 / 4), 0.0]}


def test_roles_have_models_temperatures_and_lengths_of_their_own():
    with CompletionServer(["one"]) as run, CompletionServer(["other"]) as other:
        roles = connect_roles(
            config(
                **{"model": "test", "base_url": run.base_url, "answer_tokens": 900, "cache": False},
                roles={
                    "critic": {"model": f"small@{other.base_url}", "temperature": 0.0},
                    "analyser": {"answer_tokens": 300},
                },
            ),
            asked=["designer", "critic", "analyser"],
        )
        for model in (roles.designer, roles.critic, roles.analyser):
            model.complete([ChatMessage(role="user", content="Say something.")], 1)
    asked = [(r["model"], r["temperature"], r["max_tokens"]) for r in run.requests + other.requests]
    assert asked == [("test", 1.0, 900), ("test", 1.0, 300), ("small", 0.0, 900)]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"models": ["offline", "openai/gpt-4o"]}, "stands alone"),
        ({"models": ["manual", "manual"]}, "--model manual is given twice"),
        ({"record": "run.jsonl"}, "--record is about a language model, and none is asked"),
        ({"answer_tokens": 5}, "--answer-tokens is about a language model"),
        ({"model": "manual", "max_tokens": 5}, "no effect on a person's answers"),
        ({"model": "manual", "roles": {"critic": {"temperature": 0.5}}}, "does not ask one"),
        ({"model": "manual", "roles": {"designer": {"model": "x"}}}, "named with --model"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_anything_is_recorded(
    tmp_path: Path, settings: dict[str, Any], says: str
):
    with pytest.raises(UserError, match=says):
        api.search(config(**settings), runs_dir=tmp_path)
    with Store.open(tmp_path) as store:
        assert store.list_runs() == []


def test_several_models_from_python(tmp_path: Path):
    with pytest.raises(UserError, match="--model manual is given twice"):
        api.synthesize("cartpole-swingup", model=["manual", "manual"], runs_dir=tmp_path)
