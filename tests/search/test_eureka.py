"""Eureka's loop over real HTTP: recorded completions, some broken, trained in real workers."""

from collections import Counter
from pathlib import Path

import pytest

from reward_synth.api import FinishedRun, search
from reward_synth.errors import RunError
from reward_synth.llm import extract_program
from reward_synth.reward.dialects import translate
from reward_synth.search import Progress, RunConfig
from reward_synth.search.building import build_strategy
from reward_synth.search.eureka import Eureka
from reward_synth.search.history import history
from reward_synth.search.roles import SoFar
from reward_synth.simulation import task_spec
from reward_synth.store import Store
from reward_synth.store.schema import Run
from reward_synth.task import load_task
from tests.servers import CompletionServer, Recording, read_recordings

SAMPLES = 6
ITERATIONS = 2
RECORDINGS = read_recordings("hopper-forward")


def config(base_url: str | None, **changes) -> RunConfig:
    settings = {
        "task": "hopper-forward",
        "model": "openai/test",
        "base_url": base_url,
        "samples": SAMPLES,
        "iterations": ITERATIONS,
        "steps": 4096,
        "finalists": 1,
        "confirmation_seeds": (100,),
        "evaluation_episodes": 4,
    }
    return RunConfig(**{**settings, **changes})


def load(runs_dir: Path, run: FinishedRun) -> Run:
    with Store.open(runs_dir) as store:
        return store.get_run(run.id)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run with the server that answered it."""
    runs_dir = tmp_path_factory.mktemp("runs")
    seen: list[Progress] = []
    with CompletionServer(RECORDINGS) as server:
        run = search(config(server.base_url), runs_dir=runs_dir, observer=seen.append)
    return load(runs_dir, run), run, server, seen


def test_execute_rate_and_repairs_are_those_of_the_recordings(finished):
    run, outcome, _, _ = finished
    used = RECORDINGS[: SAMPLES * ITERATIONS]
    right = [recording.name for recording in used if right_at_once(recording)]
    expected = len(right) / len(used)
    assert 0 < expected < 1, "the recordings used must hold right and broken programs"
    assert outcome.result["execute_rate"] == pytest.approx(expected)
    repaired = [r for r in used if r.name not in right and r.outcome == "ok"]
    assert outcome.result["repaired"] == len(repaired)
    by_slot = Counter((c.generation, c.slot) for c in run.candidates)
    for index, recording in enumerate(used):
        tries = by_slot[index // SAMPLES, index % SAMPLES]
        repairs = 0 if recording.name in right else len(recording.repairs)
        assert tries == 1 + repairs, recording.name


def right_at_once(recording: Recording) -> bool:
    """Whether a recorded answer passes the gate, or does once it is translated."""
    variables = task_spec(load_task("hopper-forward")).readable
    translation = translate(extract_program(recording.text), variables)
    return recording.expect == "ok" or translation.changed


def test_a_translated_answer_is_stored_as_what_was_trained(finished):
    run, _, _, _ = finished
    answered = {c: extract_program(c.completion.text) for c in run.candidates if c.completion}
    translated = [c for c, source in answered.items() if c.source != source]
    assert translated, "the recordings used must hold programs of other dialects"
    for candidate in translated:
        assert candidate.status != "refused"
        assert candidate.note.startswith("translated: ")


def test_tokens_and_cost_are_what_the_server_billed(finished):
    run, outcome, server, _ = finished
    assert outcome.result["prompt_tokens"] == server.prompt_tokens
    assert outcome.result["completion_tokens"] == server.completion_tokens
    assert sum(completion.prompt_tokens for completion in run.completions) == server.prompt_tokens


def test_second_generation_sees_the_best_answer_and_its_reflection(finished):
    run, _, _, _ = finished
    first = [c for c in run.candidates if c.generation == 0 and c.evaluations]
    best = max(first, key=lambda c: (c.evaluations[0].fitness, -c.number))
    second = next(c for c in run.candidates if c.generation == 1 and c.repair == 0)
    assert second.parents == [best.number]
    prompt = second.completion.messages
    assert [message["role"] for message in prompt] == ["system", "user", "assistant", "user"]
    assert prompt[2]["content"] == best.completion.text
    assert "episode" in prompt[3]["content"]
    for name in best.evaluations[0].report["checkpoints"][-1]["components"]:
        assert name in prompt[3]["content"]


def test_a_prompt_can_be_made_again_from_what_is_stored(finished):
    run, outcome, _, _ = finished
    earlier = [c for c in run.candidates if c.generation == 0]
    asked = next(c for c in run.candidates if c.generation == 1 and c.repair == 0).completion
    task = load_task("hopper-forward")
    with CompletionServer(RECORDINGS) as server, Store.open(outcome.folder.parent) as store:
        strategy = build_strategy(task, config(server.base_url), SoFar(), store)
    assert isinstance(strategy, Eureka)
    strategy.folder = outcome.folder
    parent = strategy.parent(earlier)
    assert parent is not None
    again = strategy.improve(parent, earlier)
    assert [message.model_dump() for message in again] == asked.messages
    assert "Other programs tried in this run" in again[-1].content

    assert strategy.improve(parent, earlier) == again
    assert "What the final policy does, over 4 episodes:" in again[-1].content
    assert "A typical episode (fitness " in again[-1].content


def test_a_refused_draft_is_no_parent_to_be_compared_with(finished):
    run, _, _, _ = finished
    repaired = next(c for c in run.candidates if c.repair and c.status == "scored")
    before = [c for c in run.candidates if c.number <= repaired.number]
    draft = next(c for c in before if [c.number] == repaired.parents)
    assert draft.status == "refused"
    told = history(repaired, before)
    if repaired.generation == 0:
        assert told.parent is None
    assert told.current.source == repaired.source
    assert draft.reason in [other.reason for other in told.others]
    assert all(other.fate != "accepted" for other in told.others)


def test_no_prompt_shows_the_expert_or_the_fitness_code(finished):
    run, _, _, _ = finished
    prompts = "\n".join(m["content"] for c in run.completions for m in c.messages)
    assert "HEALTHY_BONUS" not in prompts
    assert "def fitness" not in prompts


def test_the_run_folder_holds_what_the_design_promises(finished):
    _, outcome, _, _ = finished
    best = outcome.result["winner"]
    folder = outcome.folder / "candidates" / f"{best:04d}"
    for name in ("reward.py", "prompt.md", "completion.md", "report.json", "policy.safetensors"):
        assert (folder / name).stat().st_size > 0
    assert (outcome.folder / "best" / "reward.py").read_text() == outcome.reward
    assert outcome.report.read_text().startswith("<!doctype html>")


def test_progress_tells_the_story_in_order(finished):
    _, outcome, _, seen = finished
    kinds = [progress.kind for progress in seen]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    assert kinds.count("generation") == ITERATIONS
    assert kinds.count("refused") == outcome.result["refused"]
    assert seen[-1].candidate == outcome.result["winner"]


def test_a_run_in_which_nothing_trains_says_why(tmp_path):
    with CompletionServer(["I would rather not write a reward function."]) as server:
        settings = config(server.base_url, samples=2, iterations=1, repairs=1)
        with pytest.raises(RunError, match="the answer held no program"):
            search(settings, runs_dir=tmp_path)
    with Store.open(tmp_path) as store:
        [run] = store.list_runs()
        assert run.status == "failed"
        assert len(store.candidates(run.id)) == 4  # two samples, a repair each


def test_litellm_reaches_the_same_server(tmp_path, monkeypatch):
    right = [recording for recording in RECORDINGS if recording.expect == "ok"]
    with CompletionServer(right) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_API_BASE", server.base_url)
        settings = config(None, samples=2, iterations=1, finalists=0)
        outcome = search(settings, runs_dir=tmp_path)
    assert len(server.requests) == 1
    assert outcome.result["execute_rate"] == 1.0
    assert outcome.result["prompt_tokens"] == server.prompt_tokens
