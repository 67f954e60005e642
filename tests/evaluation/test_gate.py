"""The gate, with a real probe in a confined worker."""

import os
import signal

import pytest

from reward_synth.evaluation import Gate, WorkerPool, errors
from reward_synth.task import load_task, reward_source

TASK = load_task("hopper-forward")


@pytest.fixture(scope="module")
def gate():
    with WorkerPool(TASK.folder, 1, kinds=["probe"]) as pool:
        yield Gate(TASK, pool)


def judge(gate: Gate, *sources: str):
    return gate.judge([f"def compute_reward({source}" for source in sources])


def codes(verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def test_expert_and_sparse_rewards_pass(gate):
    verdicts = gate.judge([reward_source(TASK, "expert"), reward_source(TASK, "sparse")])
    assert [errors(verdict.findings) for verdict in verdicts] == [[], []]
    assert verdicts[0].components["healthy"].max == 1.0
    assert 0 < verdicts[0].microseconds_per_step < 1000


def test_empty_answer_says_what_to_give(gate):
    [verdict] = gate.judge(["  \n"])
    assert codes(verdict) == ["empty"]
    assert "compute_reward" in verdict.findings[0].message


def test_static_refusal_has_its_line_and_is_not_probed(gate):
    [verdict] = judge(gate, 'forward_velocty):\n    return forward_velocty, {"a": forward_velocty}')
    assert verdict.findings[0].line == 1
    assert "forward_velocity" in verdict.findings[0].message
    assert verdict.microseconds_per_step is None


def test_non_finite_names_the_component(gate):
    [verdict] = judge(
        gate,
        "forward_velocity):\n    bad = xp.sqrt(forward_velocity)\n    return bad, {'bad': bad}",
    )
    assert codes(verdict) == ["non-finite"]
    assert "'bad'" in verdict.findings[0].message
    assert errors(verdict.findings)


def test_warnings_do_not_refuse(gate):
    [verdict] = judge(
        gate,
        "forward_velocity, torso_height):\n"
        "    run = 1000.0 * forward_velocity\n"
        "    alive = 0.0 * forward_velocity\n"
        "    return run + alive, {'run': run, 'alive': alive}",
    )
    assert errors(verdict.findings) == []
    assert codes(verdict) == ["dominating-component", "constant-component", "unused-argument"]


def test_order_of_verdicts_is_the_order_of_programs(gate):
    verdicts = judge(
        gate,
        "forward_velocity):\n    return forward_velocity, {'run': forward_velocity}",
        "nothing_like_it):\n    return nothing_like_it, {'a': nothing_like_it}",
        "torso_height):\n    return torso_height, {'tall': torso_height}",
    )
    assert [bool(errors(verdict.findings)) for verdict in verdicts] == [False, True, False]
    assert list(verdicts[2].components) == ["tall"]


def test_a_killed_worker_is_no_fault_of_the_program(gate):
    with gate.pool.worker() as worker:
        worker.start()
        os.kill(worker.process.pid, signal.SIGKILL)
    [verdict] = gate.judge([reward_source(TASK, "expert")])
    assert errors(verdict.findings) == []
