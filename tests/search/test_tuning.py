"""Variants of real programs' constants, and their place beside another strategy's candidates."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.llm.offline import OfflineProposer
from reward_synth.llm.offline.recover import recover
from reward_synth.reward import check, parse
from reward_synth.search.strategy import Strategy
from reward_synth.search.tuning import Tuned, variants
from reward_synth.store import NewCandidate, Store
from reward_synth.store.schema import Candidate
from reward_synth.task import load_task
from tests.report.recorded_run import Recorder
from tests.reward.programs import RIGHT, VARIABLES

SOURCE = """\
SPEED_SCALE = 3  # m/s
EFFORT = -0.05
NOTHING = 0.0

def compute_reward(forward_velocity, action):
    run = xp.tanh(forward_velocity / SPEED_SCALE) + NOTHING
    effort = EFFORT * xp.sum(action**2, axis=-1)
    return run + effort, {"run": run, "effort": effort}
"""
CHOICES = {"seed": 0, "generation": 1, "first_slot": 6, "taken": frozenset()}


def parent(source: str = SOURCE, number: int = 4) -> Candidate:
    return Candidate(number=number, source=source)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RIGHT), st.integers(0, 2**32), st.integers(1, 99), st.integers(0, 500))
def test_variants_are_right_programs_that_differ_in_constants_alone(path, seed, generation, number):
    source = path.read_text(encoding="utf-8")
    before = parse(source, VARIABLES)
    arguments = {**CHOICES, "seed": seed, "generation": generation}
    made = variants(parent(source, number), VARIABLES, 4, **arguments)
    assert len({source, *(variant.source for variant in made)}) == len(made) + 1
    for variant in made:
        assert check(variant.source, VARIABLES) == []
        after = parse(variant.source, VARIABLES)
        assert after.constants.keys() == before.constants.keys()
        pairs = zip(source.splitlines(), variant.source.splitlines(), strict=True)
        changed = [line for line, (old, new) in enumerate(pairs, start=1) if old != new]
        assert set(changed) <= set(before.constant_lines.values())
        for name, value in before.constants.items():
            assert math.copysign(1.0, after.constants[name]) == math.copysign(1.0, value)
            assert (after.constants[name] == 0) == (value == 0)
            assert (f"{name} " in variant.note) == (after.constants[name] != value)
    assert made == variants(parent(source, number), VARIABLES, 4, **arguments)


def test_a_variant_says_what_it_is():
    made = variants(parent(), VARIABLES, 3, **CHOICES)
    assert [variant.slot for variant in made] == [6, 7, 8]
    assert {variant.origin for variant in made} == {"tuned"}
    assert {variant.parents for variant in made} == {(4,)}
    for variant in made:
        after = parse(variant.source, VARIABLES).constants
        told = dict(part.split(" ", 1) for part in variant.note.split(", "))
        for name, change in told.items():
            old, new = change.split(" → ")
            assert float(old) == {"SPEED_SCALE": 3.0, "EFFORT": -0.05}[name]
            assert float(new) == after[name]
        assert "# m/s" in variant.source


def test_a_slot_s_variant_depends_on_run_generation_parent_and_slot_alone():
    four, two = (variants(parent(), VARIABLES, n, **CHOICES) for n in (4, 2))
    assert four[:2] == two
    for change in ({"seed": 1}, {"generation": 2}, {"first_slot": 60}):
        other = variants(parent(), VARIABLES, 4, **{**CHOICES, **change})
        assert not {v.source for v in other} & {v.source for v in four}
    assert variants(parent(number=5), VARIABLES, 4, **CHOICES) != four


def test_what_was_tried_is_not_tried_again():
    tried = {variant.source for variant in variants(parent(), VARIABLES, 8, **CHOICES)}
    again = variants(parent(), VARIABLES, 8, **{**CHOICES, "taken": tried})
    assert len(again) == 8
    assert not tried & {variant.source for variant in again}


def test_factors_are_log_normal_around_one():
    logarithms = [
        math.log(parse(variant.source, VARIABLES).constants["SPEED_SCALE"] / 3)
        for variant in variants(parent(), VARIABLES, 400, **CHOICES)
        if "SPEED_SCALE" in variant.note
    ]
    # One of two constants is drawn in 5 of 8 variants: both, itself alone, or by lot.
    assert 200 < len(logarithms) < 300
    assert abs(sum(logarithms) / len(logarithms)) < 0.06
    spread = math.sqrt(sum(x * x for x in logarithms) / len(logarithms))
    assert spread == pytest.approx(0.3, rel=0.15)


@pytest.mark.parametrize(
    "source",
    [
        "def compute_reward(pitch):\n    return pitch, {'pitch': pitch}\n",
        "ZERO = 0.0\ndef compute_reward(pitch):\n    return pitch + ZERO, {'pitch': pitch}\n",
        "no program at all",
        "",
    ],
)
def test_nothing_to_tune_gives_no_variants(source: str):
    assert variants(parent(source), VARIABLES, 4, **CHOICES) == []


class Single(Strategy):
    """A strategy with one candidate per generation, which repairs everything."""

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        return [NewCandidate(slot=0, source=SOURCE, origin="model", note=f"{len(earlier)}")]

    def repair(self, refused: Candidate) -> NewCandidate | None:
        return NewCandidate(slot=refused.slot, source=SOURCE, origin="model", repair=1)


def test_variants_of_the_best_stand_after_the_strategy_s_own(tmp_path: Path):
    tuned = Tuned(Single(), VARIABLES, samples=1, count=2, seed=0)
    assert tuned.propose(0, []) == Single().propose(0, [])
    with Store.open(tmp_path / "runs") as store:
        recorder = Recorder(store, tmp_path)
        run_id = recorder.start()
        proposals = [replace(*Single().propose(0, [])), NewCandidate(1, "not trained", "model")]
        first, second = store.record_proposals(run_id, 0, proposals)
        assert tuned.propose(1, [first, second]) == Single().propose(1, [first, second])
        recorder.fate(first, 0.5)
        earlier = store.candidates(run_id)
        proposed = tuned.propose(1, earlier)
        assert [(p.slot, p.origin) for p in proposed] == [(0, "model"), (1, "tuned"), (2, "tuned")]
        assert [p.parents for p in proposed[1:]] == [(0,), (0,)]
        recorded = store.record_proposals(run_id, 1, proposed)
    assert tuned.repair(recorded[0]) == Single().repair(recorded[0])
    assert tuned.repair(recorded[1]) is None


def test_the_offline_proposer_reads_a_tuned_program_as_one_of_its_own():
    task = load_task("hopper-forward")
    proposer = OfflineProposer(task, 0)
    for slot in range(4):
        source = proposer.propose(0, slot, []).source
        assert recover(source, VARIABLES) is not None
        for variant in variants(parent(source), VARIABLES, 3, **CHOICES):
            assert recover(variant.source, VARIABLES) is not None
