"""The recorded completions are what they are marked as: each meets the real check and probe."""

import pytest

from reward_synth.llm import extract_program
from reward_synth.simulation import task_spec
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import load_task
from sandbox.probe import ENVIRONMENTS, collect_rows, probe_program
from tests.servers import Answer, read_recordings

RECORDINGS = read_recordings("hopper-forward")
ANSWERS = [
    pytest.param(answer, id=f"{recording.name}-{k}")
    for recording in RECORDINGS
    for k, answer in enumerate([recording, *recording.repairs])
]


@pytest.fixture(scope="module")
def states():
    """Sizes of what a program may read, and rows of it from random episodes."""
    simulator = MujocoSimulator(load_task("hopper-forward"), ENVIRONMENTS)
    sizes = task_spec(simulator.task).readable
    rows = collect_rows(simulator, [*sizes, *(f"prev_{name}" for name in sizes)], seed=0)
    simulator.close()
    return sizes, rows


def test_they_are_many_and_about_two_thirds_are_right():
    right = sum(recording.expect == "ok" for recording in RECORDINGS)
    assert len(RECORDINGS) >= 24
    assert 0.6 <= right / len(RECORDINGS) <= 0.75
    assert len({recording.name for recording in RECORDINGS}) == len(RECORDINGS)


def test_every_broken_one_comes_back_repaired_but_one():
    for recording in RECORDINGS:
        assert bool(recording.repairs) == (recording.expect == "refused"), recording.name
    assert [r.name for r in RECORDINGS if r.outcome == "refused"] == ["torch-throughout"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_recording_is_what_it_is_marked_as(answer: Answer, states):
    sizes, rows = states
    verdict = probe_program(extract_program(answer.text), sizes, rows)
    errors = [finding.message for finding in verdict.findings if finding.level == "error"]
    assert (answer.expect == "refused") == bool(errors), errors
