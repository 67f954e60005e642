"""What a sweep is expected to take."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from reward_synth.evaluation import Layout, cores
from reward_synth.evaluation.layout import cache_file, fingerprint, write_cache
from reward_synth.search import RunConfig
from reward_synth.store import NewCandidate, NewCompletion, Store
from reward_synth.sweep.estimate import estimate, work_of
from reward_synth.sweep.plan import Cell, Plan
from reward_synth.task import load_task
from tests.sweep.small_sweeps import plan


def cell(**settings: object) -> Cell:
    config = RunConfig.model_validate({"task": "cartpole-swingup", "steps": 1000, **settings})
    return Cell("k", config, "cartpole-swingup", "offline", "offline")


def test_without_rungs_every_training_is_whole():
    asked = cell(samples=4, iterations=3, seeds=2, rungs=(), finalists=2, tune=1)
    work = work_of(asked)
    # 4 and twice 5 candidates with two seeds each, and two finalists on three fresh seeds.
    assert work.trainings == 2 * (4 + 5 + 5) + 6
    assert work.steps == work.most_steps == 34 * 1000


def test_each_rung_drops_half():
    work = work_of(cell(samples=8, iterations=1, rungs=(0.25, 0.5), finalists=0))
    # Eight up to a quarter, four up to half, two to the end.
    assert work.steps == pytest.approx((8 * 0.25 + 4 * 0.25 + 2 * 0.5) * 1000)
    assert work.most_steps == 8 * 1000


def test_no_more_finalists_than_candidates():
    assert work_of(cell(samples=1, iterations=1, finalists=5)).trainings == 1 + 3


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Nothing is recorded, but how fast cartpole-swingup trains here was measured before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none-at-all")
    layout = asdict(Layout(cores(), 1, 4, steps_per_second=20_000.0))
    write_cache(cache_file(), {fingerprint(load_task("cartpole-swingup"), 1): layout})
    with Store.open(tmp_path / "runs") as opened:
        yield opened


def asking(folder: Path, model: str) -> Plan:
    settings = {"task": "cartpole-swingup", "strategy": "card", "model": model, "steps": 1000}
    settings |= {"samples": 2, "iterations": 3, "rungs": []}
    return plan(folder, settings=settings, grid={}, baselines=False)


def test_hours_rest_on_the_measured_layout_until_a_run_is_recorded(tmp_path: Path, store: Store):
    asked = asking(tmp_path, "openai/gpt-4o")
    told = estimate(asked, asked.cells, store)
    assert told.steps == (2 * 3 + 2 * 3) * 1000
    assert told.hours == pytest.approx(told.steps / 20_000 / 3600)
    assert any("20,000 steps/s when its layout was measured" in basis for basis in told.bases)


def test_tokens_are_assumed_and_said_so_until_a_run_is_recorded(tmp_path: Path, store: Store):
    asked = asking(tmp_path, "openai/gpt-4o")
    assumed = estimate(asked, asked.cells, store)
    assert (assumed.prompt_tokens, assumed.completion_tokens) == (6 * 1000, 6 * 810)
    assert assumed.cost is not None and assumed.cost > 0
    assert any("assumed" in basis for basis in assumed.bases)

    config = RunConfig(task="cartpole-swingup", strategy="card", model="openai/gpt-4o")
    run = store.create_run("search", load_task("cartpole-swingup"), config)
    answer = NewCompletion("openai/gpt-4o", [], "text", prompt_tokens=300, completion_tokens=50)
    store.record_proposals(run, 0, [NewCandidate(0, "", "model", completion=answer)])
    store.finish_run(run, {})
    told = estimate(asked, asked.cells, store)
    assert (told.prompt_tokens, told.completion_tokens) == (6 * 300, 6 * 50)
    assert "Tokens: as in 1 recorded run of card with openai/gpt-4o." in told.bases


def test_a_server_of_ones_own_has_no_known_price(tmp_path: Path, store: Store):
    asked = asking(tmp_path, "m@http://127.0.0.1:9/v1")
    told = estimate(asked, asked.cells, store)
    assert told.cost is None and told.prompt_tokens > 0
    assert "No price is known of m@http://127.0.0.1:9/v1." in told.bases
