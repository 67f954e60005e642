"""The fuzzing of the check: a few hundred programs, and that it finds what is wrong."""

import json

import numpy as np
import pytest

from benchmarks import fuzz
from benchmarks.fuzzing import contract
from benchmarks.fuzzing.contract import Ground, examine
from benchmarks.fuzzing.reduction import reduce_program
from reward_synth.reward import Finding, RewardError
from reward_synth.reward.namespace import Namespace

SOURCE = """SCALE = 2.0

def compute_reward(action, pitch):
    if SCALE > 1.0:
        push = -xp.sum(action ** 2, axis=-1)
    lean = xp.round(xp.tanh(pitch) * SCALE)
    return lean + push, {"lean": lean}
"""


@pytest.fixture
def ground() -> Ground:
    rng = np.random.default_rng(0)
    rows = {"action": rng.normal(size=(64, 3)), "pitch": rng.normal(size=64)}
    rows |= {f"prev_{name}": value + 0.1 for name, value in rows.items()}
    return Ground("a task", {"action": 3, "pitch": None}, rows)


def test_hundreds_of_programs_keep_the_contract(tmp_path, capsys):
    found = tmp_path / "fuzz.json"
    arguments = ["--programs", "400", "--seed", "1", "--tasks", "cartpole-swingup", "cheetah-run"]
    fuzz.main([*arguments, "--json", str(found)])
    seen = json.loads(found.read_text())
    assert seen["programs"] == seen["accepted"] + seen["refused"] == 400
    assert 0.3 < seen["accepted"] / 400 < 0.7
    assert seen["compared"] > 0.9 * seen["accepted"]
    assert len(seen["refused_by_code"]) > 30
    assert len(seen["functions_never_called"]) < 10
    assert seen["finds"] == []
    assert "400 in " in capsys.readouterr().out


def test_the_same_seed_gives_the_same_programs(ground: Ground):
    first, second, other = (fuzz.fuzz([ground], 30, seed) for seed in (5, 5, 6))
    assert first.refused == second.refused
    assert first.functions == second.functions
    assert first.functions != other.functions


def test_a_right_program_is_accepted_and_compared(ground: Ground):
    outcome = examine(SOURCE, ground)
    assert outcome.accepted
    assert outcome.compared
    assert outcome.finds == []
    assert {"sum", "round", "tanh"} <= outcome.functions


def kinds(ground: Ground) -> list[str]:
    return [find.kind for find in examine(SOURCE, ground).finds]


def test_a_check_that_raises_is_found(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    def fail(source: str, sizes: object) -> None:
        raise KeyError(source)

    monkeypatch.setattr(contract, "parse", fail)
    assert [kind.split(":")[0] for kind in kinds(ground)] == ["the check raises KeyError"]


def test_a_finding_without_advice_or_place_is_found(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
):
    def refuse(source: str, sizes: object) -> None:
        raise RewardError([Finding(99, 0, "kind", "it is \x1b[2J wrong")])

    monkeypatch.setattr(contract, "parse", refuse)
    words = [kind.partition(":")[0] for kind in kinds(ground)]
    assert words == [
        "no advice", "a line that is not there", "a column before the first",
        "not a readable line",
    ]  # fmt: skip


def test_namespaces_that_differ_are_found(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    right = Namespace.__init__

    def wrong(self: Namespace, name: str, dtype: object, device: object) -> None:
        right(self, name, dtype, device)  # type: ignore[arg-type]
        if name == "torch":
            self.xp.round = self.library.floor

    monkeypatch.setattr(Namespace, "__init__", wrong)
    assert set(kinds(ground)) == {"torch differs from numpy"}


def test_rows_that_mix_are_found(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    right = Namespace.__init__

    def wrong(self: Namespace, name: str, dtype: object, device: object) -> None:
        right(self, name, dtype, device)  # type: ignore[arg-type]
        self.xp.tanh = lambda x: x - x.mean()

    monkeypatch.setattr(Namespace, "__init__", wrong)
    found = set(kinds(ground))
    assert "a row alone differs" in found
    assert any(kind.startswith("probe: row-dependent") for kind in found)


def test_a_changed_input_is_found(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    right = Namespace.__init__

    def wrong(self: Namespace, name: str, dtype: object, device: object) -> None:
        right(self, name, dtype, device)  # type: ignore[arg-type]
        self.xp.tanh = lambda x: x.__iadd__(1.0)

    monkeypatch.setattr(Namespace, "__init__", wrong)
    found = set(kinds(ground))
    assert {"changes its input", "torch: changes its input"} <= found


def test_the_least_program_is_found():
    def shows(source: str) -> bool:
        return "tanh" in source and "def " in source

    least = reduce_program(SOURCE, shows)
    assert len(least.splitlines()) <= 3
    assert shows(least)


def test_a_program_that_does_not_parse_is_reduced_too():
    assert reduce_program("a = (((1\nb = $ c\nd = 2\n", lambda text: "$" in text) == "$"
