"""Completions of language models become reward programs that compute what the originals do."""

import re
from functools import cache

import numpy as np
import pytest

from reward_synth.llm import extract_program
from reward_synth.reward import check, parse
from reward_synth.reward.dialects import Translation, translate
from reward_synth.simulation import task_spec
from reward_synth.task import load_task
from tests.reward.dialects.corpus import Entry, read_corpus
from tests.reward.dialects.originals import run_original

ROWS = 48
ENTRIES = read_corpus()
SOUND = [entry for entry in ENTRIES if not entry.refused]
BROKEN = [entry for entry in ENTRIES if entry.refused]


@cache
def variables_of(task: str) -> dict[str, int | None]:
    return task_spec(load_task(task)).readable


@cache
def translated(entry: Entry) -> Translation:
    return translate(extract_program(entry.text), variables_of(entry.task))


def random_states(entry: Entry) -> dict[str, np.ndarray]:
    """Values of every variable and its past, on both sides of the thresholds that people write."""
    rng = np.random.default_rng(7)
    sizes = variables_of(entry.task)
    names = [*sizes, *(f"prev_{name}" for name in sizes)]
    scales = rng.choice([0.05, 0.3, 1.0, 3.0], size=ROWS)
    return {
        name: rng.normal(
            size=(ROWS,) if (size := sizes[name.removeprefix("prev_")]) is None else (ROWS, size)
        )
        * (scales if size is None else scales[:, None])
        + (0.5 if size is None else 0.0)
        for name in names
    }


def test_the_share_that_becomes_a_program_without_a_repair():
    assert len(ENTRIES) >= 120
    valid = [
        entry for entry in ENTRIES if not check(translated(entry).source, variables_of(entry.task))
    ]
    of_sound = sum(not entry.refused for entry in valid) / len(SOUND)
    of_all = len(valid) / len(ENTRIES)
    assert of_sound == 1.0
    assert of_all >= 0.9, f"{of_all:.3f} of all, the broken ones among them"


@pytest.mark.parametrize(
    "entry", [entry for entry in SOUND if not entry.unchanged], ids=lambda entry: entry.name
)
def test_a_translation_computes_what_the_original_does(entry: Entry):
    source = extract_program(entry.text)
    translation = translated(entry)
    assert not translation.findings, "\n".join(map(str, translation.findings))
    program = parse(translation.source, variables_of(entry.task))
    values = random_states(entry)
    with np.errstate(all="ignore"):
        total, parts = run_original(entry, source, values)
    found, components = program.compile("numpy")(**{k: values[k] for k in program.arguments})
    np.testing.assert_allclose(found, total, rtol=1e-5, atol=1e-5)
    if not parts:
        parts = {"total": total}
    for name, part in parts.items():
        key = re.sub(r"\W", "_", name)
        np.testing.assert_allclose(components[key], part, rtol=1e-5, atol=1e-5, err_msg=name)
    assert len(components) == len(parts)


@pytest.mark.parametrize("entry", SOUND, ids=lambda entry: entry.name)
def test_a_translation_is_its_own_translation(entry: Entry):
    once = translated(entry)
    again = translate(once.source, variables_of(entry.task))
    assert again.source == once.source
    assert not again.changed
    assert once.changed is not entry.unchanged


@pytest.mark.parametrize("entry", BROKEN, ids=lambda entry: entry.name)
def test_what_has_no_one_meaning_is_refused_by_its_own_lines(entry: Entry):
    source = extract_program(entry.text)
    translation = translated(entry)
    assert translation.findings, translation.source
    assert translation.source == source
    assert not translation.changed
    lines = source.count("\n") + 1
    assert all(1 <= finding.line <= lines for finding in translation.findings)
