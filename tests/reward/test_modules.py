"""Components moved between programs: the recipient's reward and the donor's component, exactly."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from reward_synth.reward import check, parse
from reward_synth.reward.modules import take_apart, transplant
from reward_synth.simulation import task_spec
from reward_synth.task import load_task

PROGRAMS = Path(__file__).parents[2] / "benchmarks" / "programs"


@pytest.mark.parametrize("name", ["hopper-forward", "cartpole-swingup"])
def test_what_is_transplanted_is_what_the_donor_paid(name: str):
    sizes = task_spec(load_task(name)).readable
    rng = np.random.default_rng(0)
    rows = {
        prefix + variable: rng.normal(size=(8,) if size is None else (8, size))
        for variable, size in sizes.items()
        for prefix in ("", "prev_")
    }

    def pay(source: str):
        program = parse(source, sizes)
        with np.errstate(all="ignore"):
            return program.compile("numpy")(**{name: rows[name] for name in program.arguments})

    programs = [path.read_text() for path in sorted((PROGRAMS / name).glob("*.py"))[:6]]
    moved = 0
    for recipient, donor in itertools.permutations(programs, 2):
        parts = take_apart(donor)
        assert parts is not None
        for component in parts.components:
            child = transplant(recipient, donor, component)
            assert child is not None
            assert check(child, sizes) == []
            total, components = pay(recipient)
            _, donated = pay(donor)
            got, kept = pay(child)
            replaced = components[component] if len(kept) == len(components) else 0.0
            wanted = total + donated[component] - replaced
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
            moved += 1
    assert moved > 50


DONOR = """SCALE = 2.0


def squash(x):
    return xp.tanh(x / SCALE)


def compute_reward(speed, height):
    fast = squash(speed)
    fast = fast * SCALE
    tall = height
    return fast + tall, {"fast": fast, "tall": tall}
"""


def test_names_that_mean_something_else_are_renamed():
    recipient = DONOR.replace("2.0", "5.0").replace("speed", "height")
    child = transplant(recipient, DONOR, "fast")
    assert child is not None
    assert "SCALE_2 = 2.0" in child
    sizes: dict[str, int | None] = {"speed": None, "height": None}
    assert check(child, sizes) == []
    rows = {"speed": np.linspace(-3, 3, 7), "height": np.linspace(0, 1, 7)}
    program = parse(child, sizes)
    _, components = program.compile("numpy")(**{name: rows[name] for name in program.arguments})
    np.testing.assert_allclose(components["fast"], 2.0 * np.tanh(rows["speed"] / 2.0))
    np.testing.assert_allclose(components["tall"], rows["height"])


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def compute_reward(:",
        "def compute_reward(speed):\n    return speed",
        "def compute_reward(speed):\n    for k in range(2):\n        speed = speed\n"
        "    return speed, {'fast': speed}",
    ],
)
def test_programs_that_cannot_be_cut(source: str):
    assert take_apart(source) is None
    assert transplant(DONOR, source, "fast") is None
    assert transplant(source, DONOR, "fast") is None


def test_a_component_that_is_not_there():
    assert transplant(DONOR, DONOR, "slow") is None
