"""The recordings that ship as examples: still those of today's prompts, and playable to the end."""

from pathlib import Path

import pytest

from reward_synth import api
from reward_synth.llm import extract_program
from reward_synth.llm.replay import Exchange, read_recording
from reward_synth.reward import check
from reward_synth.reward.dialects import translate
from reward_synth.search.prompts import initial_messages
from reward_synth.simulation import task_spec
from reward_synth.simulation.statistics import variable_statistics
from reward_synth.store import Store
from reward_synth.task import Task, load_task

FOLDER = Path(__file__).parents[2] / "examples" / "recordings"
RECORDINGS = sorted(FOLDER.glob("*.jsonl"))
STRATEGIES = ("eureka", "card")
SAMPLES = 4
STEPS = {"hopper-backflip": 600_000}
"""Of a training, where they are not the task's own."""
MOST_BYTES = 500_000
EXECUTE_RATE = 0.95


def task_and_strategy(recording: Path) -> tuple[Task, str]:
    task, _, strategy = recording.stem.rpartition("-")
    return load_task(task), strategy


def opened(exchange: Exchange) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in exchange.request.messages]


def designs(recording: Path) -> list[str]:
    """The answers that are candidates, repairs left out."""
    exchanges = read_recording(recording)
    return [text for e in exchanges if e.request.n == SAMPLES for text in e.completions]


def test_there_are_two_strategies_on_each_task():
    found = {(task.name, strategy) for task, strategy in map(task_and_strategy, RECORDINGS)}
    tasks = {task for task, _ in found}
    assert tasks >= {"ant-forward", "cheetah-run", "hopper-backflip"}
    assert found == {(task, strategy) for task in tasks for strategy in STRATEGIES}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_small_and_begins_with_the_prompt_of_today(recording: Path):
    assert recording.stat().st_size < MOST_BYTES
    task, _ = task_and_strategy(recording)
    sizes = task_spec(task).readable
    first = initial_messages(task, sizes, variable_statistics(task), steps=STEPS.get(task.name))
    assert opened(read_recording(recording)[0]) == [(m.role, m.content) for m in first]


def test_nearly_every_program_executes_as_it_was_written():
    sound, written = 0, 0
    for recording in RECORDINGS:
        task, _ = task_and_strategy(recording)
        sizes = task_spec(task).readable
        for text in designs(recording):
            written += 1
            source = translate(extract_program(text), sizes).source
            sound += not check(source, sizes)
    assert sound >= EXECUTE_RATE * written


@pytest.mark.parametrize(
    "recording", sorted(FOLDER.glob("cheetah-run-*")), ids=lambda path: path.stem
)
def test_a_recording_plays_to_the_end_where_training_goes_otherwise(
    recording: Path, tmp_path: Path
):
    task, strategy = task_and_strategy(recording)
    done = api.synthesize(
        task.name,
        model=f"replay-anyway:{recording}",
        strategy=strategy,
        samples=SAMPLES,
        iterations=3,
        steps=2048,
        rungs=(),
        repairs=0,
        finalists=0,
        evaluation_episodes=2,
        runs_dir=tmp_path,
        workers=1,
    )
    with Store.open(tmp_path) as store:
        candidates = store.get_run(done.id).candidates
    told = [c.completion.text for c in candidates if c.completion is not None]
    assert told == designs(recording)
    assert sum(c.status == "scored" for c in candidates) >= 4
