"""Limits of a run, over real HTTP: it stops, can be read, and goes on where it stopped."""

from pathlib import Path

import pytest

from reward_synth import api
from reward_synth.errors import LimitError, UserError
from reward_synth.search import Progress, RunConfig
from reward_synth.search.limits import late, spent
from reward_synth.store import Store
from reward_synth.store.schema import Completion, Run
from tests.servers import CompletionServer

RIGHT = [
    f"```python\ndef compute_reward(pole_up):\n    return {k} * pole_up, {{'up': pole_up}}\n```"
    for k in (1.0, -1.0, 2.0, 0.5)
]
SETTINGS = {
    "task": "cartpole-swingup",
    "model": "openai/gpt-4o",
    "samples": 2,
    "iterations": 2,
    "steps": 1024,
    "finalists": 1,
    "confirmation_seeds": (100,),
    "evaluation_episodes": 2,
    "workers": 1,
}


def config(server: CompletionServer, **changes) -> RunConfig:
    return RunConfig.model_validate({**SETTINGS, "base_url": server.base_url, **changes})


def read(runs_dir: Path) -> Run:
    with Store.open(runs_dir) as store:
        [listed] = store.list_runs()
        return store.get_run(listed.id)


def outcome(run: Run) -> list[object]:
    """What must not depend on having stopped."""
    return [
        (
            c.number,
            c.slot,
            c.source,
            c.status,
            [(e.purpose, e.seed, e.fitness) for e in c.evaluations],
        )
        for c in run.candidates
    ]


def test_a_run_stops_before_the_model_is_asked_again_and_goes_on_with_more(tmp_path: Path):
    with CompletionServer(RIGHT, remember=True) as server:
        whole = api.search(config(server), runs_dir=tmp_path / "undisturbed")

    seen: list[Progress] = []
    runs_dir = tmp_path / "stopped"
    with CompletionServer(RIGHT, remember=True, faults=[None, "500"]) as server:
        stopped = api.search(config(server, max_tokens=1), runs_dir=runs_dir, observer=seen.append)
        assert len(server.requests) == 1, "the first answers passed the limit"
        billed = server.prompt_tokens + server.completion_tokens
        run = read(runs_dir)
        assert run.status == "stopped"
        assert run.message == stopped.stopped
        assert run.message == f"--max-tokens 1 is reached: {billed:,} billed so far"
        assert stopped.result["stopped"] == {"limit": "max_tokens", "value": billed, "allowed": 1}
        assert not stopped.result["confirmed"]
        assert [c.status for c in run.candidates] == ["scored", "scored"]
        best = max(run.candidates, key=lambda c: c.evaluations[0].fitness or 0.0)
        assert stopped.result["winner"] == best.number
        assert (stopped.folder / "best" / "reward.py").read_text() == stopped.reward == best.source
        assert "stopped at a limit" in stopped.report.read_text()
        assert (seen[-1].kind, seen[-1].candidate) == ("stopped", best.number)

        failing = api.resume(stopped.id, runs_dir=runs_dir, max_tokens=10_000_000, max_failures=1)
        assert len(server.requests) == 2
        assert failing.limit == "max_failures"
        assert "failed 1 times, last with 500: internal error" in failing.stopped
        assert failing.result["winner"] == best.number

        finished = api.resume(stopped.id, runs_dir=runs_dir)
    assert finished.stopped == ""
    assert finished.result["winner"] == whole.result["winner"]
    assert outcome(read(runs_dir)) == outcome(read(tmp_path / "undisturbed"))
    assert read(runs_dir).config["max_tokens"] == 10_000_000, "a new limit is kept"
    assert "max_tokens: 10000000" in (stopped.folder / "config.yaml").read_text()


def test_hours_end_a_run_before_it_begins_anything(tmp_path: Path):
    with CompletionServer(RIGHT, remember=True) as server:
        with pytest.raises(LimitError, match=r"--max-hours 1e-09 is reached: .* h so far"):
            api.search(config(server, max_hours=1e-9), runs_dir=tmp_path)
        assert server.requests == []
    run = read(tmp_path)
    assert (run.status, run.result) == ("stopped", None)
    assert run.seconds > 0


def test_trainings_under_way_are_finished_and_no_other_is_begun(tmp_path: Path):
    """One worker, no rungs: time runs out while the first of two trainings goes on."""
    with CompletionServer(RIGHT, remember=True) as server:
        plain = {"rungs": (), "trainer": "sb3", "iterations": 1, "finalists": 0}
        settings = config(server, **plain, max_hours=1000.0)
        begun: list[int | None] = []

        def run_out(progress: Progress) -> None:
            """Turn the clock on when the first training begins."""
            if progress.kind == "training" and progress.step == 0:
                begun.append(progress.candidate)
                with Store.open(tmp_path) as store:
                    store.add_seconds(progress.run, 2000 * 3600.0)

        stopped = api.search(settings, runs_dir=tmp_path, observer=run_out)
    assert begun == [0]
    assert "--max-hours 1000" in stopped.stopped
    run = read(tmp_path)
    assert [(c.status, len(c.evaluations)) for c in run.candidates] == [
        ("scored", 1),
        ("accepted", 0),
    ]


def test_a_limit_that_cannot_be_kept_is_refused_before_anything_is_recorded(tmp_path: Path):
    with CompletionServer(RIGHT) as server:
        unpriced = config(server, model="openai/test", max_cost=1.0)
        with pytest.raises(UserError, match=r"no known price.*use --max-tokens"):
            api.search(unpriced, runs_dir=tmp_path)
    offline = RunConfig(task="hopper-forward", max_tokens=5)
    with pytest.raises(UserError, match="--max-tokens limits what a language model takes"):
        api.search(offline, runs_dir=tmp_path)
    with Store.open(tmp_path) as store:
        assert store.list_runs() == []


def test_what_the_server_does_not_count_is_not_taken_for_nothing():
    silent = [Completion(model="m", text="x", prompt_tokens=0, completion_tokens=0, cost=None)]
    settings = RunConfig(task="t", model="openai/m")
    by_tokens = spent(settings.model_copy(update={"max_tokens": 10}), silent)
    assert by_tokens is not None
    assert "cannot be kept" in str(by_tokens)
    assert by_tokens.value is None
    remembered = [Completion(model="m", text="x", prompt_tokens=0, completion_tokens=0, cost=0.0)]
    assert spent(settings.model_copy(update={"max_tokens": 10}), remembered) is None
    by_cost = spent(settings.model_copy(update={"max_cost": 10.0}), silent)
    assert by_cost is not None
    assert "1 of 1 answers" in str(by_cost)


@pytest.mark.parametrize(("tokens", "reached"), [(99, False), (100, True), (101, True)])
def test_a_limit_is_reached_at_its_value(tokens: int, reached: bool):
    settings = RunConfig(task="t", model="openai/m", max_tokens=100, max_hours=2.0)
    taken = [Completion(model="m", text="x", prompt_tokens=40, completion_tokens=tokens - 40)]
    assert (spent(settings, taken) is not None) == reached
    assert late(settings, 7199.0) is None
    priced = settings.model_copy(update={"max_tokens": None, "max_cost": 1.0})
    dear = [Completion(model="m", text="x", cost=0.5), Completion(model="m", text="x", cost=0.5)]
    assert spent(priced, dear[:1]) is None
    cost = spent(priced, dear)
    assert str(cost) == "--max-cost 1 is reached: $1.0000 so far"
    error = late(settings, 7200.0)
    assert error is not None
    assert (error.limit, error.value, error.allowed) == ("max_hours", 2.0, 2.0)
