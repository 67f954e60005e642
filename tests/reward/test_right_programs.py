"""Every right program passes the check and keeps the contract on all three namespaces."""

from pathlib import Path

import pytest

from reward_synth.reward import check, parse
from reward_synth.task import load_task
from tests.reward.programs import RIGHT, VARIABLES, assert_contract


def test_the_folder_is_there():
    assert len(RIGHT) >= 30


def test_the_variables_are_those_of_the_task():
    variables = load_task("hopper-forward").variables
    public = {name for name, variable in variables.items() if variable.public}
    assert {*public, "action"} == set(VARIABLES)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_program_keeps_the_contract(path: Path):
    source = path.read_text(encoding="utf-8")
    assert check(source, VARIABLES) == []
    assert_contract(parse(source, VARIABLES))
