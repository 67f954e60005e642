"""The page about the language shows programs that are right, and names every function."""

import re

import pytest

from reward_synth.reward import HELPERS, XP_FUNCTIONS, check
from reward_synth.reward.shaping import SIGMOIDS
from tests.reward.programs import FOLDER, VARIABLES

PAGE = (FOLDER.parents[1] / "docs" / "reward-language.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("source", PROGRAMS, ids=range(len(PROGRAMS)))
def test_its_programs_are_right(source: str):
    assert check(source, {**VARIABLES, "torso_quaternion": 4}) == []


def test_it_names_every_function():
    words = set(re.findall(r"[\w.]+", PAGE))
    helpers = {line.partition("(")[0] for line in HELPERS}
    assert {*XP_FUNCTIONS, *helpers, *SIGMOIDS} <= words
