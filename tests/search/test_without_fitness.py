"""A task without a fitness: what people prefer decides, and nothing pretends to be a measure."""

import json
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import RunConfig
from reward_synth.store import Store
from reward_synth.store.fates import search_evaluation
from tests.cli.command import reward_synth
from tests.search.small_searches import upright
from tests.search.unmeasured import Judge, settings, unmeasured_task
from tests.servers import CompletionServer


def test_a_run_by_preferences_alone(tmp_path: Path):
    task, runs_dir = unmeasured_task(tmp_path), tmp_path / "runs"
    judge = Judge(runs_dir)
    config = RunConfig.model_validate(settings(task, finalists=2, rungs=(0.5,)))
    done = api.search(config, runs_dir=runs_dir, observer=judge)
    with Store.open(runs_dir) as store:
        run = store.get_run(done.id)
        said = store.judgements(done.id)
    assert (run.config["select"], run.config["finalists"]) == ("preference", 0)
    assert [c.status for c in run.candidates] == ["scored"] * 6
    assert not any(c.rungs for c in run.candidates)
    trained = [e for c in run.candidates for e in c.evaluations]
    assert {e.fitness for e in trained} == {None}
    assert {e.score["length"] for e in trained} == {250.0}
    assert {p["fitness"] for e in trained for p in e.report["checkpoints"]} == {None}
    pairs = [j.ranking for j in said if j.kind == "ranking" and len(j.ranking) == 2]
    assert pairs and all(judge.true[a] > judge.true[b] for (a,), (b,) in pairs)
    best = max(run.candidates, key=lambda c: (c.worth or 0.0, -c.number))
    measures = ("fitness", "low", "high", "human_normalised", "confirmed")
    assert [done.result[name] for name in measures] == [None, None, None, None, False]
    assert (done.result["winner"], done.result["worth"]) == (best.number, best.worth)
    assert done.policy.read_bytes() == (done.folder / best.evaluations[0].policy).read_bytes()
    told = [e.fitness for e in judge.events if e.kind in ("scored", "generation", "finished")]
    assert told and set(told) == {None}

    page = done.report.read_text()
    assert "the task has no fitness, so there is no human-normalised score" in page
    assert "Best score by preference" in page and "Learning curves" not in page
    where = ("--runs-dir", runs_dir)
    facts = reward_synth("show", run.id, "--json", *where).json
    assert facts["best"] == best.number and facts["fitness"] is None
    assert [c["worth"] for c in facts["candidates"]] == [c.worth for c in run.candidates]
    shown = reward_synth("show", run.id, *where)
    assert "preferred" in shown.out and "the task has none" in shown.out
    assert reward_synth("runs", "--json", *where).json[0]["fitness"] is None
    compared = reward_synth("compare", run.id, run.id, *where)
    assert compared.status == 0, compared.err
    assert "the task had no fitness, so there is no score to compare" in " ".join(
        compared.out.split()
    )
    scored = reward_synth("score", task, "--policy", done.policy, "--episodes", 2, "--json").json
    assert (scored["fitness"], scored["episodes"], scored["length"]) == (None, [None] * 2, 250.0)
    assert "the task has none" in reward_synth("score", task, "--policy", done.policy).out
    assert "None" not in shown.out + compared.out
    table = reward_synth("feedback", run.id, "--no-film", *where)
    assert "fitness" not in table.out.split("made from")[0]


def test_prompts_speak_of_what_a_person_prefers(tmp_path: Path):
    task, runs_dir = unmeasured_task(tmp_path), tmp_path / "runs"
    with CompletionServer([upright(weight) for weight in range(1, 40)]) as server:
        changes: dict[str, Any] = {"model": "test", "base_url": server.base_url, "seeds": 2}
        config = RunConfig.model_validate(settings(task, **changes))
        run = api.search(config, runs_dir=runs_dir, observer=Judge(runs_dir))
        prompts = [json.dumps(request["messages"]) for request in server.requests]
    assert len(prompts) == 2
    assert "judged by a person, who watches what it does" in prompts[0]
    assert "Best first, they rank them: program" in prompts[1]
    assert "Nothing measures how well it does the task" in prompts[1]
    assert "score by what the person prefers" in prompts[1]
    for prompt in prompts:
        said = prompt.replace("x[:, None]", "")
        assert "None" not in said and "fitness" not in said.lower()
    with Store.open(runs_dir) as store:
        winner = store.candidates(run.id)[run.result["winner"]]
    watched = search_evaluation(winner)
    assert watched is not None and len(winner.evaluations) == 2
    assert run.policy.read_bytes() == (run.folder / watched.policy).read_bytes()


def test_a_plain_training_tells_no_fitness(tmp_path: Path):
    task, runs_dir = unmeasured_task(tmp_path), tmp_path / "runs"
    reward = tmp_path / "reward.py"
    reward.write_text("def compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n")
    options = ("--seeds", 2, "--steps", 512, "--workers", 1, "--runs-dir", runs_dir)
    shown = reward_synth("tasks", "show", task).out
    assert "none: what a person prefers decides" in shown and "expert reward" not in shown
    told = reward_synth("train", task, "--reward", reward, *options)
    assert told.status == 0, told.err
    assert "the task has none, so there is no human-normalised score" in " ".join(told.out.split())
    facts = reward_synth("runs", "--json", "--runs-dir", runs_dir).json
    assert (facts[0]["status"], facts[0]["fitness"]) == ("finished", None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feedback": False}, "has no fitness, so somebody has to say .*: add --feedback"),
        ({"feedback": False, "simulated_person": 0.1}, "by which a simulated person could judge"),
        ({"strategy": "card", "model": "test"}, "--strategy card checks programs by the fitness"),
    ],
)
def test_what_needs_a_fitness_says_so(tmp_path: Path, changes: dict[str, Any], words: str):
    config = RunConfig.model_validate(settings(unmeasured_task(tmp_path), **changes))
    with pytest.raises(UserError, match=words):
        api.search(config, runs_dir=tmp_path / "runs")
    with Store.open(tmp_path / "runs") as store:
        assert store.list_runs() == []
