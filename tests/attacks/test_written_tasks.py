"""What a language model writes of a task runs in the trusted process: none of it becomes its code.

Tested are what an answer may hold, how it is written into ``task.py`` (in string literals alone),
and what its programs can do, which are those of the reward language.
"""

import ast
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.authoring.draft import Draft, VariableDraft, quoted
from reward_synth.authoring.environments import draft_environment
from reward_synth.authoring.making import make_folder
from reward_synth.authoring.replies import (
    LONGEST_REPLY,
    RefusedReply,
    read_measure,
    read_words,
)
from reward_synth.authoring.written import (
    PLAIN,
    Measure,
    VariableWords,
    Words,
    spelt_out,
    with_measures,
    with_words,
)
from reward_synth.reward import RewardError
from reward_synth.simulation import task_spec
from reward_synth.task import Episode, Task, VectorEnvironment, load_task
from tests.attacks.catalogue import ATTACKS, Attack
from tests.attacks.measured import MOST_BYTES, measure
from tests.authoring.answers import CENTRED, FITNESS, SUCCESS, answer

MOST_SECONDS = 3.0
"""Of the processor, for the check of an answer and its trial on two episodes of 1,000 steps."""
LONG = 1_000
HOPPER = load_task("hopper-forward")
SIZES = task_spec(HOPPER).readable_by(own=True)
CLOSED = '"""\nimport os; os.system("touch {marker}")\n"""'
BREAKING_OUT = [
    CLOSED,
    "'''\nimport os\n'''",
    '\\"""); import os; os.system("touch {marker}"); ("""',
    '"); import os; os.system("touch {marker}") #',
    "{{{{ 7 * 7 }}}}{{% for x in y %}}",
    "x\nimport os",
    "x\rimport os",
    "x\x0cimport os",
    "x\u2028import os",
    "x\u202eevil",
    "\x1b]0;title\x07",
    "\ud800",
    "\\N{{BELL}}\\x22\\",
    "`touch {marker}`",
    "<script>alert(1)</script>",
    "[read on](javascript:alert(1))",
    "a" * 1_001,
    "   ",
]
"""Texts that try to leave the place where they stand, a terminal's or a reader's eye."""


@pytest.fixture(scope="module")
def draft() -> Draft:
    return draft_environment(VectorEnvironment("CartPole-v1"), description="Stay.")


@pytest.fixture(scope="module")
def pole(draft: Draft, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_folder(draft, tmp_path_factory.mktemp("tasks") / "pole")


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    """Long ones, of numbers that are those of no robot."""
    rng = np.random.default_rng(0)
    found = []
    for steps in (LONG, 7):
        values = {
            name: rng.normal(size=(steps,) if size is None else (steps, size))
            for name, size in SIZES.items()
        }
        found.append(Episode(values, values["action"], steps < LONG, 0.01))
    return found


def outline(draft: Draft) -> str:
    """``task.py`` as a syntax tree whose texts are left out."""
    tree = ast.parse(draft.files("pole")["task.py"])
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("text", BREAKING_OUT)
@pytest.mark.parametrize("place", ["doc", "unit", "description", "fitness", "success"])
def test_words_stay_words(text: str, place: str, draft: Draft, pole: Task, tmp_path: Path):
    marker = tmp_path / "touched"
    text = text.format(marker=marker)
    sizes = task_spec(pole).readable_by(own=True)
    steps = {name: np.full((3, size) if size else 3, 0.9) for name, size in sizes.items()}
    episode = Episode(steps, steps["action"], True, 0.02)
    made, harmless = draft, draft
    try:
        if place in ("fitness", "success"):
            document = {**(FITNESS if place == "fitness" else SUCCESS), "doc": text}
            found = read_measure(answer(document, CENTRED), place, pole, sizes, [episode])
            both = (found, None) if place == "fitness" else (None, found)
            made = with_measures(draft, *both, "m")
            plain = Measure(found.program, found.over, "text", found.at_least, found.whole_episode)
            both = (plain, None) if place == "fitness" else (None, plain)
            harmless = with_measures(draft, *both, "m")
        else:
            document = {"description": text} if place == "description" else {
                "variables": {"cart_position": {place: text}}}  # fmt: skip
            made = with_words(draft, read_words(answer(document), draft, described=False), "m")
    except RefusedReply as refused:
        assert all(fault.isprintable() for fault in refused.faults)
        return
    assert outline(made) == outline(harmless)
    task = make_folder(made, tmp_path / "pole")
    assert not marker.exists()
    readme = (task.folder / "README.md").read_text()
    assert all(line.isprintable() for line in readme.splitlines())


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=200))
def test_no_text_changes_what_the_file_does(doc: str, unit: str, description: str):
    """Whatever text the checks let through: here they are left out."""
    draft = draft_with("doc", "1", "text")
    made = with_words(
        draft, Words({"height": VariableWords(doc + "x", unit)}, description), "a\n\"'`\\é model"
    )
    assert outline(made) == outline(draft)


def draft_with(doc: str, unit: str, description: str) -> Draft:
    return Draft(
        title="A title.",
        description=description,
        world='environment=VectorEnvironment("CartPole-v1")',
        variables=[VariableDraft("height", doc, unit, "Observed()")],
        observation=["height"],
        episode_steps="10",
        training_steps=10,
    )


@pytest.mark.parametrize(
    "name", ['m"""\nimport os\n"""', "m\nimport os", "m\\", "`m`", "m\u202e", "é" * 500]
)
def test_the_name_of_a_model_is_only_a_name(name: str, draft: Draft):
    fitness = Measure(CENTRED, {"centred": "mean"}, "text")
    made = with_measures(draft, fitness, None, name)
    assert outline(made) == outline(with_measures(draft, fitness, None, "m"))
    assert "\nimport os" not in made.files("pole")["README.md"]


# --- programs ------------------------------------------------------------------------------------

END = "    return height, {'h': height}"
PLAINLY: Mapping[str, str] = {
    "annotation": f"def compute_reward(height: print(1)) -> print(2):\n{END}",
    "string annotation": f'def compute_reward(height: \'"""\'):\n{END}',
    "type comment": f"def compute_reward(height):  # type: (int) -> exec('1')\n{END}",
    "closing docstring": f"def compute_reward(height):\n    '''\"\"\"'''\n{END}",
    "module docstring": f"'''\"\"\"\nimport os'''\ndef compute_reward(height):\n{END}",
    "closing comment": f'def compute_reward(height):\n    # """)\n{END}',
    "backslash": f"def compute_reward(height):\n    height = height + \\\n        1.0\n{END}",
}
"""Programs of the language with parts that its check does not read: they are left out."""
REFUSED: Mapping[str, str] = {
    "unicode": f"def compute_reward(height):\n    été = height\n{END}",
    "compatibility letters": f"def compute_reward(height):\n    ｈ = height\n{END}",
    "decorator": f"@print\ndef compute_reward(height):\n{END}",
    "default": f"def compute_reward(height, x=print(1)):\n{END}",
    "helper's default": f"def f(x, y=open('/etc/passwd')):\n    return x\n\n\n"
    f"def compute_reward(height):\n    height = f(height)\n{END}",
    "nested function": f"def compute_reward(height):\n    def f():\n        return 1\n{END}",
    "walrus": "def compute_reward(height):\n    return (h := height), {'h': height}",
    "endless": "def compute_reward(height):\n    for i in range(10 ** 9):\n"
    f"        height = height + 1\n{END}",
    "nested loops": "def compute_reward(height):\n    for i in range(1000):\n"
    f"        for j in range(1000):\n            height = height + 1\n{END}",
    "long": f"def compute_reward(height):\n    height = height{' + height' * 2_000}\n{END}",
    "deep": f"def compute_reward(height):\n    height = {'(-' * 300}height{')' * 300}\n{END}",
}


@pytest.mark.parametrize("name", PLAINLY)
def test_a_program_stands_in_the_file_without_what_nobody_checked(name: str):
    text = spelt_out(PLAINLY[name], {"height": None, "action": 1})
    assert PLAIN.fullmatch(text) and "#" not in text and "print" not in text
    assert ast.literal_eval(f'"""\n{text}"""') == "\n" + text
    assert spelt_out(text, {"height": None, "action": 1}) == text


@pytest.mark.parametrize("name", REFUSED)
def test_a_program_that_is_not_of_the_language_is_refused(name: str):
    with pytest.raises(RewardError):
        spelt_out(REFUSED[name], {"height": None, "action": 1})


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_on_the_language_does_no_harm_as_a_measure(attack: Attack, episodes):
    """It is refused, or tried within bounds of time and memory and written as plain text."""

    def judge() -> Measure | list[str]:
        document = {"doc": "text", "over": {"total": "mean", "up": "last"}}
        text = f"```json\n{json.dumps(document)}\n```\n```python\n{attack.source}\n```\n"
        try:
            return read_measure(text, "fitness", HOPPER, SIZES, episodes)
        except RefusedReply as refused:
            return refused.faults

    taken = measure(judge)
    assert taken.seconds < MOST_SECONDS and taken.bytes < MOST_BYTES
    if isinstance(taken.value, list):
        assert taken.value and all(fault.isprintable() for fault in taken.value)
        assert sum(map(len, taken.value)) < 5_000
    else:
        assert isinstance(taken.value, Measure), taken.value
        assert PLAIN.fullmatch(taken.value.program)


# --- whole answers -------------------------------------------------------------------------------

BIG = "9" * 5_000
ODD_ANSWERS: Mapping[str, str] = {
    "empty": "",
    "huge": "```json\n" + " " * LONGEST_REPLY + "{}\n```",
    "deep JSON": "```json\n" + "[" * 20_000 + "\n```",
    "huge number": f'```json\n{{"doc": "x", "over": {{}}, "at_least": {BIG}}}\n```',
    "not a number": '```json\n{"doc": "x", "over": {"centred": "last"}, "at_least": NaN, '
    '"whole_episode": true}\n```',
    "more fields": '```json\n{"doc": "x", "over": {}, "__class__": "os"}\n```',
    "a list": "```json\n[1, 2]\n```",
    "odd reduction": '```json\n{"doc": "x", "over": {"a\\"); import os; (\\"": "last"}}\n```',
    "unclosed": "```json\n{",
    "only thoughts": "<think>```json\n{}\n```",
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_odd_answer_is_refused_in_few_words(name: str, pole: Task):
    sizes = task_spec(pole).readable_by(own=True)
    with pytest.raises(RefusedReply) as caught:
        read_measure(f"{ODD_ANSWERS[name]}\n```python\n{CENTRED}```", "success", pole, sizes, [])
    assert all(fault.isprintable() and len(fault) <= 300 for fault in caught.value.faults)


def test_unknown_variables_are_refused(draft: Draft):
    text = answer({"variables": {'x"; import os': {"doc": "y"}}})
    with pytest.raises(RefusedReply, match="is not a variable of this task"):
        read_words(text, draft, described=True)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_a_quoted_text_is_itself(text: str):
    assert ast.literal_eval(quoted(text)) == text
