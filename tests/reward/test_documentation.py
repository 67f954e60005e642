"""The page about the language shows programs that are right, and names every function."""

import re

import pytest

from reward_synth.reward import (
    HELPERS,
    XP_FUNCTIONS,
    check,
    expressions,
    forms,
    grammar,
    inference,
    rules,
    source,
    values,
)
from reward_synth.reward.shaping import SIGMOIDS
from tests.reward.programs import FOLDER, VARIABLES

PAGE = (FOLDER.parents[1] / "docs" / "reward-language.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_its_programs_are_right(program: str):
    assert check(program, {**VARIABLES, "torso_quaternion": 4}) == []


def test_it_names_every_function():
    words = set(re.findall(r"[\w.]+", PAGE))
    helpers = {line.partition("(")[0] for line in HELPERS}
    assert {*XP_FUNCTIONS, *helpers, *SIGMOIDS} <= words


@pytest.mark.parametrize(
    "limit",
    [
        *(expressions.MOST_OPERATIONS, expressions.MOST_EXPRESSIONS, expressions.MOST_ENTRIES_MADE),
        *(forms.MOST_COMPONENTS, forms.LONGEST_COMPONENT_NAME, grammar.MOST_CONSTANTS),
        *(inference.MOST_ITERATIONS, inference.DEEPEST_CALLS, rules.LARGEST_EXPONENT),
        *(source.LONGEST_SOURCE, source.MOST_NODES, source.DEEPEST_NESTING),
        *(values.MOST_AXES, values.MOST_ENTRIES, 1 + expressions.HELPER_OPERATIONS),
    ],
)
def test_it_tells_every_limit(limit: int):
    limits = PAGE[PAGE.index("| limit |") : PAGE.index("The check follows")]
    assert re.search(rf"(?<![\d,]){limit:,}(?![\d,])", limits)


@pytest.mark.parametrize(
    "limit", [forms.LARGEST_NUMBER, rules.LARGEST_RESULT, rules.SMALLEST_DIVISOR]
)
def test_it_tells_which_numbers_there_are(limit: float):
    assert f"{limit:.0e}".replace("+0", "").replace("+", "") in PAGE
