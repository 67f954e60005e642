"""The first wall: no program that passes the reward language's check can do any harm.

Every attack is judged in a child of this process, where time and memory are counted, by the check
and, if it passes, by the probe's own function.  Whatever Python reports to an audit hook while
that goes on (files, sockets, processes, imports, ctypes) is an effect.
"""

import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest

from reward_synth.evaluation import Gate, WorkerPool
from reward_synth.reward import check, parse
from reward_synth.simulation import task_spec
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import load_task
from sandbox.messages import ProgramProbe
from sandbox.probe import ENVIRONMENTS, collect_rows, probe_program
from tests.attacks.catalogue import ATTACKS, Attack
from tests.attacks.measured import MOST_BYTES, MOST_SECONDS, measure

TASK = load_task("hopper-forward")
VARIABLES = task_spec(TASK).readable
HARMLESS = [attack for attack in ATTACKS if not attack.refused]
NO_EFFECT = {
    *("compile", "exec", "builtins.id", "object.__getattr__", "code.__new__"),
    *("open <unknown>", "open <reward program>"),
}
"""What the check itself, and compiling and loading a program, are to an audit hook.  Python looks
for the line of a syntax error in a file of the name that it was told."""

REFERENCE = """
def compute_reward(joint_angles, pitch):
    bend = xp.sum(joint_angles * xp.asarray((1.0, 2.0, 3.0)), axis=-1)
    lean = tolerance(pitch, bounds=(-0.1, 0.1), margin=1.0)
    return xp.tanh(bend) + lean, {"bend": bend, "lean": lean}
"""


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    """1,024 states of random episodes, as the probe collects them."""
    simulator = MujocoSimulator(TASK, ENVIRONMENTS)
    names = [*VARIABLES, *(f"prev_{name}" for name in VARIABLES)]
    try:
        found = collect_rows(simulator, names, seed=0)
    finally:
        simulator.close()
    probe_program(REFERENCE, VARIABLES, found)  # what is loaded on first use is loaded now
    return found


def reference(rows: dict[str, np.ndarray]) -> bytes:
    """The values of a harmless program, to the last bit."""
    program = parse(REFERENCE, VARIABLES)
    total, parts = program.compile()(**{name: rows[name] for name in program.arguments})
    return total.tobytes() + b"".join(part.tobytes() for part in parts.values())


def judge(
    source: str, rows: dict[str, np.ndarray]
) -> tuple[list[Any], ProgramProbe | None, set[str]]:
    """Findings, the probe's verdict on a program without any, and what else happened."""
    events: set[str] = set()
    listening = True  # a hook stays for good

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if listening:
            events.add(f"open {arguments[0]}" if event == "open" else event)

    sys.addaudithook(hear)
    findings = check(source, VARIABLES)
    verdict = None if findings else probe_program(source, VARIABLES, rows)
    listening = False
    return findings, verdict, events


def test_there_are_attacks_of_every_kind():
    families = Counter(attack.family for attack in ATTACKS)
    assert len(ATTACKS) >= 150
    assert len(families) >= 12
    assert min(families.values()) >= 8, families


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_attack_is_refused_or_harmless(attack: Attack, rows):
    def try_it():
        before = {name: value.tobytes() for name, value in rows.items()}
        plain = reference(rows)
        findings, verdict, events = judge(attack.source, rows)
        changed = [name for name, value in rows.items() if value.tobytes() != before[name]]
        return findings, verdict, events, changed, reference(rows) == plain

    source = attack.source
    measured = measure(try_it)
    assert isinstance(measured.value, tuple), measured.value
    findings, verdict, events, changed, same = measured.value
    assert events <= NO_EFFECT
    assert not changed
    assert same, "another program's values are no longer the same"
    assert measured.seconds < MOST_SECONDS
    assert measured.bytes < MOST_BYTES
    if attack.refused:
        assert findings, "it was accepted"
        assert str(findings[0]).startswith(attack.remarks["refused"])
        assert all(f.line >= 1 and f.column >= 1 and f.message for f in findings)
        assert sum(len(str(f)) for f in findings) < 50_000, "too much to read"
    else:
        assert not findings
        assert attack.remarks["harmless"]
        assert verdict is not None
        errors = [finding.code for finding in verdict.findings if finding.level == "error"]
        assert ", ".join(errors) == attack.remarks.get("probe", "")
    assert len(source) < 64_000 or attack.refused


def test_harmless_attacks_pass_the_gate_of_a_run(tmp_path):
    """All of them in one job of a confined worker, as candidates of a run are judged."""
    sources = [attack.source for attack in HARMLESS]
    with WorkerPool(TASK.folder, 1, kinds=["probe"]) as pool:
        verdicts = Gate(TASK, pool).judge(sources)
    for attack, verdict in zip(HARMLESS, verdicts, strict=True):
        errors = [finding.code for finding in verdict.findings if finding.level == "error"]
        assert ", ".join(errors) == attack.remarks.get("probe", ""), attack
