"""Every wrong program is refused with the findings that its first lines state."""

from pathlib import Path

import pytest

from reward_synth.reward import RewardError, check, parse
from tests.reward.programs import VARIABLES, WRONG


def test_the_folder_is_there():
    assert len(WRONG) >= 60


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_program_gives_its_messages(path: Path):
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    expected = [line.removeprefix("# ") for line in lines if line.startswith("# line ")]
    findings = check(source, VARIABLES)
    assert expected
    assert [str(f)[: len(e)] for f, e in zip(findings, expected, strict=False)] == expected
    assert len(findings) == len(expected), "\n".join(map(str, findings))
    assert all(finding.code and finding.message and finding.instead for finding in findings)


def test_parse_raises_every_finding():
    source = next(path for path in WRONG if path.stem == "three_mistakes").read_text()
    with pytest.raises(RewardError) as raised:
        parse(source, VARIABLES)
    assert [finding.code for finding in raised.value.findings] == ["module", "rows", "unknown-name"]
    assert str(raised.value).count("\n") == 2
