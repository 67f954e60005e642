"""What a translation keeps, what it refuses and says, and that no text breaks it."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.reward import check, parse
from reward_synth.reward.dialects import translate
from tests.reward.programs import RIGHT, VARIABLES, WRONG

SIZES: dict[str, int | None] = {"speed": None, "height": None, "offset": 2, "action": 3}


def body(*lines: str, imports: str = "import torch", arguments: str = "speed, offset") -> str:
    inside = "".join(f"    {line}\n" for line in lines)
    return f"{imports}\n\ndef compute_reward({arguments}):\n{inside}"


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_program_of_the_language_comes_back_as_it_was(path: Path):
    source = path.read_bytes().decode()
    translation = translate(source, VARIABLES)
    assert translation.source == source
    assert (translation.notes, translation.findings) == ((), ())


def test_comments_and_unchanged_lines_stay():
    source = (
        "# Run, and nothing else.\n"
        "import numpy as np\n\n"
        "SCALE = 2.0  # m/s\n\n"
        "def compute_reward(speed):\n"
        '    """Run."""\n'
        "    # saturates\n"
        "    run = np.tanh(speed / SCALE)  # at twice the scale\n\n"
        "    # the whole\n"
        "    total = (run\n"
        "             + 1.0)\n"
        '    return total, {"run": run}\n'
    )
    assert translate(source, SIZES).source == (
        "# Run, and nothing else.\n"
        "SCALE = 2.0  # m/s\n\n\n"
        "def compute_reward(speed):\n"
        '    """Run."""\n'
        "    # saturates\n"
        "    run = xp.tanh(speed / SCALE)  # at twice the scale\n\n"
        "    # the whole\n"
        "    total = (run\n"
        "             + 1.0)\n"
        '    return total, {"run": run}\n'
    )


REFUSED = {
    "arrays stacked before the rows": (
        body("both = torch.stack([speed, speed])", "return (both * offset).sum(-1)"),
        4,
        "batch second",
    ),
    "a mean over the batch": (body("return speed - torch.mean(speed)"), 4, "mixes the rows"),
    "a transposed array": (body("return (offset.T * speed).sum(0)"), 4, "'T'"),
    "one number of a batch": (body("return speed * speed.item()"), 4, "'item'"),
    "a column changed in place": (
        body("offset[:, 0] *= 2", "return torch.norm(offset, dim=-1)"),
        4,
        "in place",
    ),
    "a matrix product": (body("return torch.matmul(offset, offset)"), 4, "torch.matmul"),
    "rows picked by a condition": (body("return speed[speed > 0].sum()"), 4, "condition"),
    "an alias that changes too": (
        body("run = torch.abs(speed)", "total = run", "total *= 2", "return total, {'run': run}"),
        6,
        "holds too",
    ),
    "an entry of a dict that changes too": (
        body(
            "parts = {}",
            "total = torch.abs(speed)",
            "parts['run'] = total",
            "total += 1",
            "return total, parts",
        ),
        7,
        "holds too",
    ),
    "an f-string": (body("return speed, {f'{speed}': torch.abs(speed)}"), 4, "string"),
    "an assignment inside": (body("return (run := torch.abs(speed)) + run"), 4, "':='"),
    "a name that the task has not": (
        body("return -torch.abs(spead)", arguments="spead"),
        3,
        "not a variable",
    ),
    "unknown arguments of a known function": (
        body("return torch.clamp(speed, lower=0.0)"),
        4,
        "torch.clamp",
    ),
    "a spread whose library is not known": (
        body("return abs(offset.std(-1)) + speed", imports=""),
        4,
        "std",
    ),
    "branches of different components": (
        body(
            "if speed > 0:",
            "    return speed, {'run': torch.abs(speed)}",
            "return speed, {'back': speed}",
        ),
        0,
        "",
    ),
    "an import of anything else": (body("return speed", imports="import os"), 1, "imports"),
    "two functions of one name": (
        body("return speed").replace("torch", "math") * 2,
        0,
        "defined twice",
    ),
}


@pytest.mark.parametrize(("source", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_and_where(source: str, line: int, said: str):
    translation = translate(source, SIZES)
    assert translation.source == source
    assert translation.findings
    told = [f for f in translation.findings if line in (0, f.line) and said in str(f)]
    assert told, "\n".join(map(str, translation.findings))


def test_an_alias_in_jax_or_in_this_language_keeps_its_value():
    lines = ("run = xp.abs(speed)", "total = run", "total += 1.0", "return total, {'run': run}")
    jax = body(*lines, imports="import jax.numpy as jnp").replace("xp.", "jnp.")
    own = body(*lines, imports="import torch")
    for source in (jax, own):
        translation = translate(source, SIZES)
        assert not translation.findings
        program = parse(translation.source, SIZES).compile("numpy")
        total, parts = program(**dict.fromkeys(("speed", "offset"), None) | states())
        np.testing.assert_allclose(total, parts["run"] + 1.0)


def states() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"speed": rng.normal(size=7), "offset": rng.normal(size=(7, 2))}


def test_names_that_are_mapped():
    source = (
        "import numpy as np\n\n"
        "def compute_dense_reward(self, ee_pos):\n"
        "    near = -np.linalg.norm(ee_pos, axis=-1)\n"
        "    return near + self.robot.torso.v - 0.1 * self.agent.height\n"
    )
    renamed = {"ee_pos": "offset", "robot.torso.v": "speed"}
    translation = translate(source, SIZES, renamed)
    assert not translation.findings
    program = parse(translation.source, SIZES)
    assert program.arguments == ("offset", "speed", "height")
    assert "self.agent.height is the variable height" in translation.summary()


def test_a_place_in_the_translation_is_found_in_the_original():
    source = body("run = torch.abs(", "    speed)", "return run / offset[:, 0], {'run': run}")
    translation = translate(source, SIZES)
    line = next(
        number
        for number, text in enumerate(translation.source.splitlines(), 1)
        if text.lstrip().startswith("return")
    )
    assert translation.original(line)[0] == 6
    column = translation.source.splitlines()[line - 1].index("offset") + 1
    assert translation.original(line, column) == (6, source.splitlines()[5].index("offset") + 1)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_program_is_translated_or_refused(path: Path):
    source = path.read_text(encoding="utf-8")
    translation = translate(source, VARIABLES)
    assert bool(translation.findings) == bool(check(translation.source, VARIABLES))


HOSTILE = {
    "loops in loops": "r = 0.0\n"
    + "".join("    " * (k + 1) + f"for a{k} in (1, 2, 3, 4, 5, 6, 7, 8):\n" for k in range(12))
    + "    " * 13
    + "r += speed\n    return torch.abs(r)",
    "returns that double": "r = 0.0\n"
    + "".join(
        f"    if speed > {k}:\n        if speed < 9: return 1.0\n        r += 1\n"
        for k in range(40)
    )
    + "    return torch.abs(r)",
    "tuples that double": "x = (1, 2)\n" + "    x = (x, x)\n" * 60 + "    return torch.abs(speed)",
    "powers of powers": "x = 2\n" + "    x = x ** x\n" * 60 + "    return torch.abs(speed) * x",
    "a long range": "for i in range(10 ** 9):\n        speed += 1\n    return torch.abs(speed)",
    "it calls itself": "return torch.abs(compute_reward(speed))",
    "a function that calls itself": "def f(x): return f(x)\n    return torch.abs(f(speed))",
    "sizes of all kinds": "return torch.zeros(10 ** 9) * torch.ones(speed.shape[9])",
    "empty things": "return sum([]) + max([]) + torch.max(()) + sum({}.values())",
}


@pytest.mark.parametrize("inside", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_programs_end_in_an_answer(inside: str):
    source = f"import torch\ndef compute_reward(speed):\n    {inside}\n"
    ast.parse(source)
    translation = translate(source, SIZES)
    assert bool(translation.findings) == bool(check(translation.source, SIZES))


PIECES = [
    "import torch",
    "def compute_reward(speed, offset):",
    "def f(x, y=1):",
    "    return speed, {}",
    "    a = ",
    "torch.norm(",
    "offset",
    ", dim=-1)",
    ")",
    "(",
    "[",
    "]",
    ":",
    "{",
    "}",
    ", ",
    "speed",
    "if ",
    "else",
    "for i in range(3):",
    "lambda x: ",
    "self.",
    "a",
    ".sum(",
    "*",
    "**",
    "@",
    " and ",
    "not ",
    "= ",
    "+= ",
    "\n",
    "\n    ",
    "\n        ",
    "class A:",
    "'a'",
    "f'{a}'",
    "0",
    "None",
    "...",
    "a[a > 0]",
    ".at[",
    "math.pi",
    "np.max(",
    "axis=0",
    "yield",
    ":=",
    "~",
    "&",
    "<",
    "is ",
    "in ",
    "with torch.no_grad():",
    "return ",
    ".T",
]
SOUP = st.lists(
    st.sampled_from(PIECES),
    max_size=40,
).map("".join)


@settings(max_examples=150)
@given(SOUP)
def test_no_text_makes_it_raise(text: str):
    for source in (text, f"def compute_reward(speed, offset):\n    a = 1\n    {text}\n"):
        translation = translate(source, SIZES)
        assert bool(translation.findings) == bool(check(translation.source, SIZES))


def test_the_page_shows_a_translation():
    page = (Path(__file__).parents[3] / "docs" / "dialects.md").read_text(encoding="utf-8")
    original, translation = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert translate(original, VARIABLES).source == translation
